//! Those that are compared: settlewatch, and Kafka Streams' left join in three settings.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use settlewatch_tests::broker::{End, Group, Process, Service, Signal, until};

use super::usage::Usage;

/// Lanes of ours, threads of theirs.
pub(super) const THREADS: usize = 2;

const READY_WITHIN: Duration = Duration::from_secs(90);
const STOP_WITHIN: Duration = Duration::from_secs(60);

/// What a JVM ends with when it is asked to.
const TERMINATED: i32 = 128 + 15;

/// Who runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Contestant {
    /// settlewatch.
    Ours,
    /// Streams with its own settings, but for exactly once and the number of threads.
    Plain,
    /// Streams with a tuned RocksDB, client and collector.
    Tuned,
    /// Streams tuned, its stores in memory.
    Memory,
}

impl Contestant {
    /// All of them, in the order of the columns.
    pub(super) const ALL: [Self; 4] = [Self::Ours, Self::Plain, Self::Tuned, Self::Memory];

    fn word(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Plain => "plain",
            Self::Tuned => "tuned",
            Self::Memory => "memory",
        }
    }

    /// The consumer group under which it commits.
    pub(super) fn group_id(self, group: &Group<'_>) -> String {
        match self {
            Self::Ours => group.name.clone(),
            _ => format!("{}-{}", group.name, self.word()),
        }
    }

    /// Where its alerts go.
    pub(super) fn alerts(self, group: &Group<'_>) -> String {
        match self {
            Self::Ours => group.topic("alerts"),
            _ => format!("{}-{}-alerts", group.name, self.word()),
        }
    }

    /// Makes what it needs beside the topics of the group.
    pub(super) fn prepare(self, group: &Group<'_>) {
        if self != Self::Ours {
            let admin = group.cluster.admin();
            admin.create(&self.alerts(group), group.setup.partitions, &[]);
        }
    }

    /// Starts it on the inputs of a group.
    ///
    /// # Errors
    /// The Java program cannot be built.
    pub(super) fn start(self, group: &Group<'_>, tier: Duration) -> Result<Running> {
        if self == Self::Ours {
            return Ok(Running::Ours(group.start("ours", "ours", &[])));
        }
        let (name, folder) = (self.group_id(group), group.cluster.folder());
        let mut java = Command::new("java");
        java.args(match self {
            Self::Memory => ["-XX:+UseParallelGC", "-Xmx4g"].as_slice(),
            Self::Tuned => &["-XX:+UseParallelGC", "-Xmx1g"],
            _ => &["-Xmx1g"],
        });
        java.args(["-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp"]);
        java.arg(class_path()?).arg("settlewatch.streams.LeftJoin");
        java.arg(group.cluster.address()).arg(&name);
        java.args(["payments", "credits"].map(|of| group.topic(of)));
        java.arg(self.alerts(group)).arg(folder.join(&name));
        java.args([THREADS.to_string(), tier.as_millis().to_string()]);
        java.arg(self.word());
        let log = folder.join(format!("{name}.log"));
        Ok(Running::Streams(Process::start(&mut java, &log)))
    }
}

/// The class path of the Java program, built the first time.
fn class_path() -> Result<String> {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("streams/jar.sh");
    let output = Command::new(&script)
        .output()
        .with_context(|| script.display().to_string())?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{told}");
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// One that runs.
pub(super) enum Running {
    /// settlewatch.
    Ours(Service),
    /// The JVM.
    Streams(Process),
}

impl Running {
    fn process(&mut self) -> &mut Process {
        match self {
            Self::Ours(service) => service.process(),
            Self::Streams(process) => process,
        }
    }

    /// What it takes.
    ///
    /// # Errors
    /// It has ended.
    pub(super) fn usage(&mut self) -> Result<Usage> {
        let process = self.process();
        let ended = process.ended();
        let tail = || format!("ended ({ended:?}); its log ends:\n{}", process.log_tail(25));
        ensure!(ended.is_none(), tail());
        Usage::of(process.id())
    }

    /// Waits until it takes part.
    pub(super) fn wait_until_ready(&mut self) {
        match self {
            Self::Ours(service) => service.wait_until_ready(),
            Self::Streams(process) => until("Streams runs", READY_WITHIN, || {
                process.log().contains("state RUNNING").then_some(())
            }),
        }
    }

    /// Ends it in good order.
    ///
    /// # Errors
    /// It did not end well.
    pub(super) fn stop(self) -> Result<()> {
        match self {
            Self::Ours(service) => service.stop(),
            Self::Streams(mut process) => {
                process.signal(Signal::TERM);
                let end = process.wait(STOP_WITHIN);
                let tail = process.log_tail(25);
                ensure!(
                    end == End::Exit(TERMINATED),
                    "{end:?}; its log ends:\n{tail}"
                );
            }
        }
        Ok(())
    }
}

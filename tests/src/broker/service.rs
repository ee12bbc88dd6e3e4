//! `settlewatch run` as a process.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::process::{End, Process, Signal};

/// A service is ready within this, also on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(60);
const STOP_WITHIN: Duration = Duration::from_secs(40);

/// The program: what `SETTLEWATCH_BIN` names, else what `cargo build` makes of this workspace, in the profile of
/// these tests.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| match std::env::var_os("SETTLEWATCH_BIN") {
        Some(named) => named.into(),
        None => build(),
    })
}

fn build() -> PathBuf {
    let ours = std::env::current_exe().expect("a running program has a path");
    let mut folder = ours.parent().expect("it lies in a folder");
    if folder.ends_with("deps") {
        folder = folder.parent().expect("it lies in a target folder");
    }
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // With the features of the whole workspace: it was built with them for `cargo test --workspace`.
    cargo.args(["build", "--quiet", "--workspace", "--bin", "settlewatch"]);
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    cargo.current_dir(crate::harness::root());
    let status = cargo.status().expect("cargo runs");
    assert!(status.success(), "the program cannot be built");
    folder.join("settlewatch")
}

/// A running service.
#[derive(Debug)]
pub struct Service {
    process: Process,
    port: u16,
    name: String,
}

impl Service {
    /// Starts the program with the configuration `config`, which makes it listen on `port`. What it says goes to
    /// the file `log`.
    pub(super) fn start(name: &str, config: &Path, port: u16, env: &[(&str, &str)]) -> Self {
        let mut command = Command::new(binary());
        command.arg("run").arg("--config").arg(config);
        for (name, value) in env {
            command.env(name, value);
        }
        let process = Process::start(&mut command, &config.with_extension("log"));
        Self {
            process,
            port,
            name: name.into(),
        }
    }

    /// Its process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Everything that it said, and those of its name before it.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Asks it by HTTP: the status and the body; `None` when it does not answer.
    pub fn get(&self, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((status, body.to_owned()))
    }

    /// The samples of a metric, as their labels and value.
    pub fn samples(&self, metric: &str) -> Vec<(String, f64)> {
        let Some((200, text)) = self.get("/metrics") else {
            return Vec::new();
        };
        let lines = text.lines().filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            (name == metric)
                .then(|| Some((labels.trim_end_matches('}').to_owned(), value.parse().ok()?)))?
        });
        lines.collect()
    }

    /// The sum of a metric over its labels that contain `labels`; `None` where there is no sample.
    pub fn metric(&self, metric: &str, labels: &str) -> Option<f64> {
        let samples = self.samples(metric);
        let fitting = samples.iter().filter(|(its, _)| its.contains(labels));
        fitting
            .map(|(_, value)| *value)
            .reduce(|sum, value| sum + value)
    }

    /// Whether it says that it is ready.
    pub fn is_ready(&self) -> bool {
        self.get("/readyz").is_some_and(|(status, _)| status == 200)
    }

    /// Waits until it is ready.
    ///
    /// # Panics
    /// When it ended, or takes too long: the end of its log is told.
    #[track_caller]
    pub fn wait_until_ready(&mut self) {
        let begin = Instant::now();
        while !self.is_ready() {
            let ended = self.process.ended();
            if ended.is_some() || begin.elapsed() > READY_WITHIN {
                let tail = self.process.log_tail(25);
                panic!(
                    "{} is not ready ({ended:?}); its log ends:\n{tail}",
                    self.name
                );
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Sends it a signal.
    pub fn signal(&mut self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Ends it in good order, as an orchestrator would.
    ///
    /// # Panics
    /// When it does not end, or not well.
    #[track_caller]
    pub fn stop(mut self) {
        self.signal(Signal::TERM);
        let end = self.process.wait(STOP_WITHIN);
        let tail = self.process.log_tail(25);
        assert_eq!(
            end,
            End::Exit(0),
            "{} did not end well; its log ends:\n{tail}",
            self.name
        );
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) {
        self.process.kill();
    }
}

//! One broker, which is its own controller.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::jars::{archive_to_write, java, keep_archive};
use super::process::{Process, Signal};

/// A broker that is alone is ready in a second; on a busy machine it may take long.
const READY_WITHIN: Duration = Duration::from_secs(60);
const END_WITHIN: Duration = Duration::from_secs(40);
const READY: &str = "Kafka Server started";

/// Settings that every broker of the tests has.
const TEMPLATE: &str = include_str!("../../broker/server.properties.in");

/// Where a node is and listens.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) id: usize,
    pub(super) folder: PathBuf,
    pub(super) port: u16,
    pub(super) controller_port: u16,
    /// The identity of its log folder, as Kafka writes ids.
    pub(super) directory_id: String,
    /// Its heap, in MiB.
    pub(super) heap_mib: u32,
}

/// A broker.
#[derive(Debug)]
pub struct Node {
    place: Place,
    process: Option<Process>,
    archive: Option<PathBuf>,
}

impl Place {
    pub(super) fn properties(&self) -> PathBuf {
        self.folder.join("server.properties")
    }

    /// Writes the settings: those of every broker, then `more`, which win.
    pub(super) fn write(&self, more: &[(String, String)]) {
        let data = self.folder.join("data").display().to_string();
        let mut text = TEMPLATE
            .replace("@CONTROLLER_PORT@", &self.controller_port.to_string())
            .replace("@PORT@", &self.port.to_string())
            .replace("@DATA_DIR@", &data);
        let _ = writeln!(text, "node.id={}", self.id);
        for (name, value) in more {
            let _ = writeln!(text, "{name}={value}");
        }
        std::fs::create_dir_all(&self.folder).expect("a folder can be made");
        std::fs::write(self.properties(), text).expect("a file can be written");
    }
}

impl Node {
    /// Formats its storage. `controllers` are those of a cluster of several.
    pub(super) fn format(
        place: Place,
        cluster: &str,
        controllers: Option<&str>,
        more: &[String],
    ) -> Self {
        let mut tool = java();
        tool.args(["kafka.tools.StorageTool", "format", "-t", cluster, "-c"]);
        tool.arg(place.properties());
        match controllers {
            Some(controllers) => tool.args(["--initial-controllers", controllers]),
            None => tool.arg("--standalone"),
        };
        tool.args(more);
        let output = tool.output().expect("Java is installed");
        let told = [output.stdout, output.stderr].concat();
        let told = String::from_utf8_lossy(&told);
        assert!(
            output.status.success(),
            "the storage cannot be formatted:\n{told}"
        );
        Self {
            place,
            process: None,
            archive: None,
        }
    }

    /// Starts the process; [`Node::wait_until_ready`] says when it serves.
    ///
    /// # Panics
    /// When it runs already.
    pub fn start(&mut self) {
        assert!(self.process.is_none(), "the broker runs already");
        let mut broker = java();
        self.archive = archive_to_write();
        if let Some(archive) = &self.archive {
            broker.arg(format!("-XX:ArchiveClassesAtExit={}", archive.display()));
        }
        broker.args([
            &format!("-Xmx{}m", self.place.heap_mib),
            "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",
        ]);
        broker.arg("kafka.Kafka").arg(self.place.properties());
        let log = self.log_file();
        // Its log begins anew, so that the last line of readiness is not taken for the next.
        let _ = std::fs::remove_file(&log);
        self.process = Some(Process::start(&mut broker, &log));
    }

    /// Waits until it serves.
    ///
    /// # Panics
    /// When it ended or takes too long: the end of its log is told.
    pub fn wait_until_ready(&mut self) {
        let process = self.process.as_mut().expect("the broker was started");
        let begin = Instant::now();
        while !process.log().contains(READY) {
            let ended = process.ended();
            if ended.is_some() || begin.elapsed() > READY_WITHIN {
                let tail = process.log_tail(20);
                panic!("the broker does not serve ({ended:?}); its log ends:\n{tail}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn log_file(&self) -> PathBuf {
        self.place.folder.join("broker.log")
    }

    /// Its log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// `host:port` of its listener.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.place.port)
    }

    /// Sends a signal to it.
    pub fn signal(&mut self, signal: Signal) {
        if let Some(process) = &mut self.process {
            process.signal(signal);
        }
    }

    /// Ends it in good order.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.signal(Signal::TERM);
            process.wait(END_WITHIN);
            if let Some(archive) = self.archive.take() {
                keep_archive(&archive);
            }
        }
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// Whether it runs.
    pub fn runs(&mut self) -> bool {
        let ended = self.process.as_mut().map(Process::ended);
        ended.is_some_and(|end| end.is_none())
    }

    /// The folder of its settings and data.
    pub fn folder(&self) -> &Path {
        &self.place.folder
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Only the one that writes the archive is worth waiting for.
        if self.archive.is_some() && !std::thread::panicking() {
            self.stop();
        }
    }
}

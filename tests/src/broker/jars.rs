//! Kafka's jars, and Java with them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::harness::root;

/// The folder of the jars; fetched with Maven the first time.
fn libs() -> &'static Path {
    static LIBS: OnceLock<PathBuf> = OnceLock::new();
    LIBS.get_or_init(|| {
        let script = root().join("tests/broker/jars.sh");
        let output = Command::new(&script).output();
        let output = output.unwrap_or_else(|error| panic!("{}: {error}", script.display()));
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {told}", script.display());
        PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
    })
}

/// The archive of loaded classes, beside the jars: with it a broker is ready in a third of the time.
fn archive() -> PathBuf {
    libs().with_file_name("broker.jsa")
}

/// Java with Kafka's classes.
pub(super) fn java() -> Command {
    let mut java = Command::new("java");
    java.arg("-cp").arg(libs().join("*"));
    // The client compiler alone: a broker that lives for seconds is ready sooner.
    java.args([
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Xshare:auto",
    ]);
    java.arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn");
    if archive().exists() {
        java.arg(format!("-XX:SharedArchiveFile={}", archive().display()));
    }
    java
}

/// Where the archive is to be written, if there is none yet: Java writes it at the end of a run.
pub(super) fn archive_to_write() -> Option<PathBuf> {
    let named = || archive().with_extension(format!("{}.tmp", std::process::id()));
    (!archive().exists()).then(named)
}

/// The archive was written there: from now on it is used.
pub(super) fn keep_archive(written: &Path) {
    if written.exists() {
        // Somebody may have been faster; either one will do.
        let _ = std::fs::rename(written, archive());
    }
}

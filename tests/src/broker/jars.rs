//! Kafka's jars, and Java with them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::harness::root;

/// The oldest Java that runs these brokers.
const OLDEST_JAVA: u32 = 17;

/// The folder of the jars, fetched with Maven the first time; or what the script said.
fn jars() -> &'static Result<PathBuf, String> {
    static JARS: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    JARS.get_or_init(|| {
        let script = root().join("tests/broker/jars.sh");
        let output = Command::new(&script).output();
        let output = output.map_err(|error| format!("{}: {error}", script.display()))?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim().into())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
        }
    })
}

fn libs() -> &'static Path {
    jars().as_deref().unwrap_or_else(|told| panic!("{told}"))
}

/// What is missing for brokers to run here, in one line.
pub fn missing() -> Option<String> {
    let told = Command::new("java").arg("-version").output();
    let told = told.map(|told| String::from_utf8_lossy(&told.stderr).into_owned());
    let version = told.ok().and_then(|told| major(&told));
    match version {
        None => return Some("Java is missing (Debian: openjdk-17-jre-headless)".into()),
        Some(version) if version < OLDEST_JAVA => {
            return Some(format!(
                "Java is of version {version}: Kafka needs {OLDEST_JAVA} or later (Debian: openjdk-17-jre-headless)"
            ));
        }
        Some(_) => {}
    }
    for (program, package) in [
        ("openssl", "openssl"),
        ("cc", "build-essential"),
        ("kcat", "kcat"),
        ("curl", "curl"),
    ] {
        if !is_there(program) {
            return Some(format!("{program} is missing (Debian: {package})"));
        }
    }
    let told = jars().as_ref().err()?;
    Some(told.lines().last().unwrap_or_default().to_owned())
}

/// The first number of a version in quotes.
fn major(told: &str) -> Option<u32> {
    let version = told.split('"').nth(1)?;
    let digits = version.split(|sign: char| !sign.is_ascii_digit()).next()?;
    digits.parse().ok()
}

fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Writes Kafka's own `kafka-topics.sh` into a folder: its package for Maven has the class alone.
///
/// # Panics
/// When it cannot be written.
pub fn write_topics_tool(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join("kafka-topics.sh");
    let libs = libs().display();
    let text = format!(
        "#!/bin/sh\nexec java -cp '{libs}/*' -XX:TieredStopAtLevel=1 org.apache.kafka.tools.TopicCommand \"$@\"\n"
    );
    std::fs::write(&path, text).expect("a file can be written");
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&path, mode).expect("it can be made executable");
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

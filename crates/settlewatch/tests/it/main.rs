//! Runs the built binary the way a user does.
#![allow(clippy::unwrap_used)]

mod explain;
mod incidents;
mod lists;
mod localise;
mod readme;
mod replay;
mod simulate;
mod suites;
mod usage;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What a run printed, and how it ended.
pub(crate) struct Ran {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) status: i32,
}

/// Runs the binary in `dir`.
pub(crate) fn run_in(dir: &Path, args: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_settlewatch"))
        .args(args)
        .current_dir(dir)
        .output();
    let Output {
        status,
        stdout,
        stderr,
    } = output.expect("the binary starts");
    Ran {
        out: String::from_utf8(stdout).expect("UTF-8"),
        err: String::from_utf8(stderr).expect("UTF-8"),
        status: status.code().expect("it ends by itself"),
    }
}

/// Runs the binary at the root of the project.
pub(crate) fn run(args: &[&str]) -> Ran {
    run_in(&root(), args)
}

pub(crate) fn root() -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR"));
    crates
        .ancestors()
        .nth(2)
        .expect("two levels below the root")
        .to_path_buf()
}

/// A folder with these files.
pub(crate) fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// Warn after 30 s, breach after 2 min; batches of mode t1 are due the next business day.
pub(crate) const CONFIG: &str = r#"
version: 1
streams:
  payments: {topic: pay.v1}
  credits: {topic: credit.v1}
  lifecycle: {topic: life.v1}
calendars:
  week: {time_zone: UTC, weekend: [sat, sun], cut_off: "23:00", credit_by: "18:00"}
rules:
  - name: batch
    match: {settle_mode: t1}
    due: {calendar: week, business_days: 1}
    tiers: {breach: 0s}
  - name: large
    match: {currency: EUR, amount_minor: {min: 100000}}
    tiers: {breach: 10m}
  - name: default
    tiers: {warn: 30s, breach: 2m}
orphan_credit: {after: 60s}
"#;

/// One recorded line: `at` is a time of 2026-03-02 in UTC, `fields` are those besides type, id and time.
pub(crate) fn line(
    topic: &str,
    offset: u32,
    at: &str,
    kind: &str,
    id: &str,
    fields: &str,
) -> String {
    let hms: Vec<i64> = at.split(':').map(|part| part.parse().unwrap()).collect();
    // 2026-03-02T00:00:00Z.
    let ts = (1_772_409_600 + hms[0] * 3600 + hms[1] * 60 + hms[2]) * 1000;
    let event = format!(
        r#"{{"type":"{kind}","event_id":"e{topic}{offset}","occurred_at":"2026-03-02T{at}Z","payment_id":"{id}"{fields}}}"#
    );
    let value = serde_json::json!({"topic": topic, "partition": 0, "offset": offset, "tstype": "create", "ts": ts,
        "key": id, "payload": event});
    format!("{value}\n")
}

/// The fields of a payment of 12.50 EUR.
pub(crate) const PAYMENT: &str =
    r#","channel":"qr","merchant_id":"M1","terminal_id":"T1","amount_minor":1250,"currency":"EUR""#;

//! `replay`: what people see of it.

use crate::{CONFIG, PAYMENT, folder, line, run, run_in};

/// The recording that is shipped with the project; the text is that of its summary, whole.
#[test]
fn the_summary_of_the_shipped_recording_is_readable_and_stable() {
    let folder = "examples/recording";
    let file = |name: &str| format!("{folder}/{name}");
    let ran = run(&[
        "replay",
        "--config",
        &file("settlewatch.yaml"),
        "--input",
        &file("payments.ndjson"),
        &file("credits.ndjson"),
        &file("lifecycle.ndjson"),
        &file("terminals.ndjson"),
    ]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_eq!(ran.out, include_str!("recording.txt"));
}

#[test]
fn nothing_recorded_is_said() {
    let folder = folder(&[("c.yaml", CONFIG), ("empty.ndjson", "")]);
    let ran = run_in(
        folder.path(),
        &["replay", "--config", "c.yaml", "--input", "empty.ndjson"],
    );
    assert_eq!(ran.status, 0);
    assert!(ran.out.starts_with("no records\n"), "{}", ran.out);
}

#[test]
fn files_are_written_and_named() {
    let records = line("pay.v1", 0, "12:00:00", "payment.succeeded", "P1", PAYMENT)
        + &line("credit.v1", 0, "12:01:00", "terminal.credited", "P1", "");
    let folder = folder(&[("c.yaml", CONFIG), ("r.ndjson", &records)]);
    let args = [
        "replay", "--config", "c.yaml", "--input", "r.ndjson", "--out", "o",
    ];
    let ran = run_in(folder.path(), &args);
    assert!(ran.out.ends_with("\nwritten to o\n"), "{}", ran.out);
    let alerts = std::fs::read_to_string(folder.path().join("o/alerts.ndjson")).unwrap();
    assert_eq!(alerts.lines().count(), 2);
    assert!(alerts.contains("credited_late"), "{alerts}");
}

#[test]
fn a_replay_that_fails_leaves_no_summary_of_another() {
    let record = line("pay.v1", 0, "12:00:00", "payment.succeeded", "P1", PAYMENT);
    let folder = folder(&[("c.yaml", CONFIG), ("r.ndjson", &record)]);
    let replay = |input: &str| {
        let args = [
            "replay", "--config", "c.yaml", "--input", input, "--out", "o",
        ];
        run_in(folder.path(), &args).status
    };
    let summary = folder.path().join("o/summary.json");
    assert_eq!(replay("r.ndjson"), 0);
    assert!(summary.exists());
    assert_eq!(replay("nowhere.ndjson"), 1);
    assert!(!summary.exists());
}

/// Watches what stands in `input` for as long as the other end stays open, which is until the replay ends.
fn watched(input: &str, until: i64) -> (Option<i32>, String) {
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};

    let folder = folder(&[("c.yaml", CONFIG)]);
    let until = settlewatch_wire::format_time(settlewatch_join::Timestamp::from_millis(until));
    let mut child = Command::new(env!("CARGO_BIN_EXE_settlewatch"))
        .args(["replay", "--config", "c.yaml", "--input", "-", "--until"])
        .arg(until.to_string())
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut open = child.stdin.take().unwrap();
    open.write_all(input.as_bytes()).unwrap();
    let mut out = String::new();
    let stdout = child.stdout.as_mut().unwrap();
    stdout.read_to_string(&mut out).unwrap();
    let status = child.wait().unwrap();
    drop(open);
    (status.code(), out)
}

fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_millis() as i64
}

/// A payment that was appended at this moment.
fn paid_at(ts_ms: i64, offset: u32) -> String {
    let id = format!("P{offset}");
    let text = line(
        "pay.v1",
        offset,
        "12:00:00",
        "payment.succeeded",
        &id,
        PAYMENT,
    );
    let mut record: serde_json::Value = serde_json::from_str(&text).unwrap();
    record["ts"] = ts_ms.into();
    format!("{record}\n")
}

#[test]
fn a_watch_ends_when_its_time_has_passed_though_the_input_does_not() {
    let now = now_ms();
    let (status, out) = watched(&paid_at(now, 0), now + 500);
    assert_eq!(status, Some(0));
    assert!(out.contains("payments"), "{out}");
    let (status, out) = watched("", now_ms() + 500);
    assert_eq!(status, Some(0));
    assert!(out.starts_with("no records\n"), "{out}");
}

#[test]
fn one_from_the_future_alerts_nobody_who_watches() {
    let now = now_ms();
    let future = 4_070_908_800_000;
    let input = paid_at(now, 0) + &paid_at(future, 1);
    let (status, out) = watched(&input, now + 3_000);
    assert_eq!(status, Some(0));
    assert!(!out.contains("credit_missing"), "{out}");
}

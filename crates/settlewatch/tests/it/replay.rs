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

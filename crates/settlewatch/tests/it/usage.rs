//! Exit statuses: 0 done, 1 failed, 2 usage, 69 a service is not there, 78 bad configuration.

use crate::{CONFIG, folder, run, run_in};

#[test]
fn a_wrong_argument_is_usage() {
    for args in [
        &["replya"][..],
        &[],
        &["replay", "--config", "examples/settlewatch.yaml"],
        &["completions", "tcsh"],
        &["metrics", "--json", "--markdown"],
        &["simulate"],
        &["simulate", "--out", "x", "--scenario", "earthquake"],
        &["simulate", "--out", "x", "--rate", "-1"],
        &["simulate", "--out", "x", "--duration", "10"],
        &["simulate", "--out", "x", "--start", "yesterday"],
        &[
            "replay",
            "--config",
            "examples/settlewatch.yaml",
            "--input",
            "-",
            "x.ndjson",
        ],
        &[
            "replay",
            "--config",
            "examples/settlewatch.yaml",
            "--input",
            "x",
            "--until",
            "noon",
        ],
        &[
            "validate",
            "--config",
            "examples/settlewatch.yaml",
            "--env",
            "--replay",
        ],
        &[
            "topics",
            "--config",
            "examples/settlewatch.yaml",
            "--replication-factor",
            "3",
        ],
    ] {
        assert_eq!(run(args).status, 2, "{args:?}");
    }
}

#[test]
fn a_bad_configuration_is_78_and_shows_the_line() {
    let bad = CONFIG.replace("tiers: {breach: 10m}", "teirs: {breach: 10m}");
    let folder = folder(&[("bad.yaml", &bad), ("empty.ndjson", "")]);
    for args in [
        &["validate", "--replay", "--config", "bad.yaml"][..],
        &["replay", "--config", "bad.yaml", "--input", "empty.ndjson"],
        &[
            "explain",
            "P1",
            "--config",
            "bad.yaml",
            "--input",
            "empty.ndjson",
        ],
    ] {
        let ran = run_in(folder.path(), args);
        assert_eq!(ran.status, 78, "{args:?}");
        assert!(ran.err.contains("bad.yaml:16:5"), "{}", ran.err);
        assert!(ran.err.contains("did you mean `tiers`?"), "{}", ran.err);
        assert!(ran.err.contains("teirs: {breach: 10m}"), "{}", ran.err);
    }
}

#[test]
fn a_good_configuration_is_said_to_be_so() {
    let folder = folder(&[("good.yaml", CONFIG)]);
    let ran = run_in(
        folder.path(),
        &["validate", "--replay", "--config", "good.yaml"],
    );
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    assert_eq!(ran.out, "good.yaml: valid; 3 rules, 3 streams\n");
}

#[test]
fn a_configuration_without_a_cluster_is_78_but_said_to_be_good_for_a_replay() {
    let bad = CONFIG.replace("tiers: {breach: 10m}", "teirs: {breach: 10m}");
    let folder = folder(&[("good.yaml", CONFIG), ("bad.yaml", &bad)]);
    let good = run_in(folder.path(), &["validate", "--config", "good.yaml"]);
    assert_eq!(good.status, 78);
    assert!(good.err.contains("`kafka` is missing"), "{}", good.err);
    assert!(good.err.contains("validate --replay"), "{}", good.err);
    let bad = run_in(folder.path(), &["validate", "--config", "bad.yaml"]);
    assert_eq!(bad.status, 78);
    assert!(!bad.err.contains("validate --replay"), "{}", bad.err);
}

#[test]
fn input_that_is_not_there_fails() {
    let folder = folder(&[("good.yaml", CONFIG)]);
    let args = [
        "replay",
        "--config",
        "good.yaml",
        "--input",
        "nowhere.ndjson",
    ];
    let ran = run_in(folder.path(), &args);
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("nowhere.ndjson"), "{}", ran.err);
    let causes = ran.err.matches("No such file").count();
    assert_eq!(causes, 1, "the cause is said once: {}", ran.err);
}

/// The status of a run whose standard error, or output too, takes nothing.
fn status_unheard(args: &[&str], output_too: bool) -> Option<i32> {
    use std::process::{Command, Stdio};

    let full = || -> Stdio {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
        full.unwrap().into()
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_settlewatch"));
    command.args(args).current_dir(crate::root()).stderr(full());
    command.stdout(if output_too { full() } else { Stdio::null() });
    command.status().unwrap().code()
}

#[test]
fn the_status_is_the_same_where_nobody_can_hear_why() {
    let valid = &["validate", "--config", "examples/settlewatch.yaml"][..];
    for (args, output_too, status) in [
        (&["validate", "--config", "/dev/null"][..], true, 78),
        (&["nothing"], true, 2),
        (&["test", "nowhere.yaml"], true, 78),
        (valid, false, 0),
        (valid, true, 1),
        (&["metrics"], true, 1),
    ] {
        assert_eq!(status_unheard(args, output_too), Some(status), "{args:?}");
    }
}

#[test]
fn a_cluster_that_is_not_there_is_69_and_says_why() {
    let text = format!("{CONFIG}kafka: {{bootstrap_servers: \"127.0.0.1:1\"}}\n");
    let folder = folder(&[("s.yaml", &text)]);
    for args in [
        &["validate", "--env", "--config", "s.yaml"][..],
        &["topics", "--config", "s.yaml"],
    ] {
        let ran = run_in(folder.path(), args);
        assert_eq!(ran.status, 69, "{args:?}: {}", ran.err);
        assert!(ran.err.contains("127.0.0.1:1"), "{}", ran.err);
    }
}

#[test]
fn plaintext_to_another_machine_is_78() {
    let text = format!("{CONFIG}kafka: {{bootstrap_servers: \"kafka-1:9092\"}}\n");
    let folder = folder(&[("s.yaml", &text)]);
    let ran = run_in(folder.path(), &["validate", "--config", "s.yaml"]);
    assert_eq!(ran.status, 78);
    assert!(ran.err.contains("not encrypted"), "{}", ran.err);
}

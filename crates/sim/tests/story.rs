//! The recording that is shipped is the one that the generator writes.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use settlewatch_sim::{Plan, write_dir};

const FILES: [&str; 6] = [
    "payments.ndjson",
    "credits.ndjson",
    "lifecycle.ndjson",
    "terminals.ndjson",
    "settlewatch.yaml",
    "truth.json",
];

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/recording")
}

/// Set `SETTLEWATCH_BLESS=1` to write the folder anew after a deliberate change.
#[test]
fn the_shipped_recording_is_what_the_generator_writes() {
    let plan = Plan::story().unwrap();
    if std::env::var_os("SETTLEWATCH_BLESS").is_some() {
        write_dir(&plan, &shipped()).unwrap();
    }
    let fresh = tempfile::tempdir().unwrap();
    write_dir(&plan, fresh.path()).unwrap();
    for file in FILES {
        let (there, here) = (
            fs::read(shipped().join(file)),
            fs::read(fresh.path().join(file)),
        );
        assert!(
            there.unwrap() == here.unwrap(),
            "examples/recording/{file} differs: set SETTLEWATCH_BLESS=1"
        );
    }
}

#[test]
fn the_shipped_recording_is_small() {
    let sizes = fs::read_dir(shipped())
        .unwrap()
        .map(|file| file.unwrap().metadata().unwrap().len());
    let bytes: u64 = sizes.sum();
    assert!(bytes <= 600 * 1024, "{bytes} bytes");
}

#[test]
fn the_story_has_every_event_it_announces() {
    let plan = Plan::story().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let truth = write_dir(&plan, folder.path()).unwrap();
    let json = truth.json(&plan);
    let alerts = json["alerts"].as_array().unwrap();
    let count = |kind: &str| alerts.iter().filter(|alert| alert["kind"] == kind).count();
    for kind in ["duplicate_payment", "duplicate_credit", "orphan_credit"] {
        assert_eq!(count(kind), 1, "{kind}");
    }
    let missing = alerts
        .iter()
        .filter(|alert| alert["kind"] == "credit_missing");
    let ended = |how: &str| {
        missing
            .clone()
            .filter(|alert| alert["resolution"] == how)
            .count()
    };
    assert!(ended("credited_late") >= 10 && ended("refunded") == 1);
    assert!(missing.clone().any(|alert| alert["resolution"].is_null()));
    let injected = json["injected"].as_array().unwrap();
    assert!(
        injected
            .iter()
            .any(|one| one["detail"] == "due_by_calendar")
    );
    assert_eq!(alerts.len(), missing.count() + 3, "nothing else alerts");
}

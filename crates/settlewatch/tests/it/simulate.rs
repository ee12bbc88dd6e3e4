//! `simulate`: a recording and its truth.

use std::fs;

use crate::{folder, run, run_in};

#[test]
fn the_command_it_names_finds_the_alerts_it_promises() {
    let folder = folder(&[]);
    let args = [
        "simulate",
        "--out",
        "a b",
        "--seed",
        "7",
        "--rate",
        "3",
        "--duration",
        "2m",
        "--scenario",
        "loss,split",
        "--partitions",
        "2",
        "--start",
        "2026-03-02T08:00:00Z",
    ];
    let ran = run_in(folder.path(), &args);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    let next = ran.out.lines().last().unwrap().trim();
    let words: Vec<&str> = next
        .strip_prefix("settlewatch ")
        .unwrap()
        .split_inclusive(' ')
        .collect();
    let words = words.concat().replace("'a b/", "a_b/").replace('\'', "");
    let words: Vec<String> = words
        .split(' ')
        .map(|word| word.replace("a_b/", "a b/"))
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let replayed = run_in(folder.path(), &words);
    assert_eq!(replayed.status, 0, "{}", replayed.err);
    let alerts = fs::read_to_string(folder.path().join("a b/replayed/alerts.ndjson")).unwrap();
    let truth = fs::read_to_string(folder.path().join("a b/truth.json")).unwrap();
    let truth: serde_json::Value = serde_json::from_str(&truth).unwrap();
    let promised = truth["alerts"].as_array().unwrap().len();
    let opened = alerts
        .lines()
        .filter(|line| line.contains(r#""revision":1,"#));
    assert!(promised > 0);
    assert_eq!(opened.count(), promised);
    assert!(
        ran.out.contains(&format!("{promised} alerts are due")),
        "{}",
        ran.out
    );
    assert_eq!(truth["from"], "2026-03-02T08:00:00.000Z");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let folder = folder(&[]);
    for out in ["a", "b"] {
        let ran = run_in(
            folder.path(),
            &["simulate", "--out", out, "--duration", "20s"],
        );
        assert_eq!(ran.status, 0, "{}", ran.err);
    }
    for name in [
        "payments.ndjson",
        "credits.ndjson",
        "truth.json",
        "settlewatch.yaml",
    ] {
        let read = |out: &str| fs::read(folder.path().join(out).join(name)).unwrap();
        assert!(read("a") == read("b"), "{name}");
    }
}

#[test]
fn scenarios_are_listed_with_what_they_do() {
    let ran = run(&["simulate", "--list"]);
    assert_eq!(ran.status, 0);
    assert!(
        ran.out
            .lines()
            .any(|line| line.starts_with("channel-stopped ")),
        "{}",
        ran.out
    );
}

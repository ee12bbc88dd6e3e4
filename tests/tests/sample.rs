//! The shared sample comes out as its `expected.json` says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::{Value, json};
use settlewatch_tests::harness::{Bench, Written, root};

/// The sample lies beside the checkout. Where it is missing the test fails: nothing would be compared.
fn sample(name: &str) -> PathBuf {
    let path = root().join("../shared/samples/ordinary").join(name);
    assert!(
        path.is_file(),
        "{} is missing: put the shared samples beside the checkout",
        path.display()
    );
    path
}

fn replayed() -> Written {
    let files = ["payments", "credits", "lifecycle", "terminals"];
    let paths = files.map(|name| sample(&format!("{name}.ndjson.gz")));
    let bench = Bench::of_file(&sample("settlewatch.yaml"));
    bench.paths(paths.into()).expect("the sample is readable")
}

fn expected() -> Value {
    let text = std::fs::read(sample("expected.json")).expect("the file is readable");
    serde_json::from_slice(&text).expect("the expectation is JSON")
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// Payment and kind.
type Key = (String, String);

fn key(alert: &Value) -> Key {
    (text(alert, "payment_id").into(), text(alert, "kind").into())
}

fn by_alert(alerts: &[Value]) -> BTreeMap<Key, Vec<&Value>> {
    let mut revisions = BTreeMap::<Key, Vec<&Value>>::new();
    for alert in alerts {
        revisions.entry(key(alert)).or_default().push(alert);
    }
    revisions
}

/// What one entry of the expectation and the revisions of its alert disagree on.
fn disagreements(entry: &Value, revisions: &[&Value]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut differ = |what: &str, expected: &Value, got: Value| {
        if *expected != got {
            wrong.push(format!("{what}: {expected} expected, {got} written"));
        }
    };
    let open = |it: &&&Value| it["state"] == "open";
    let opened = revisions.iter().find(open);
    let opened_at = opened.map_or(Value::Null, |it| it["decided_at"].clone());
    differ("opens_at", &entry["opens_at"], opened_at);
    let last = revisions.last().filter(|it| it["state"] == "resolved");
    let of_last = |field: &str| last.map_or(Value::Null, |it| it[field].clone());
    differ("resolution", &entry["resolution"], of_last("resolution"));
    differ("resolves_at", &entry["resolves_at"], of_last("decided_at"));
    if entry["tiers"].as_object().is_some_and(|it| !it.is_empty()) {
        let mut tiers = serde_json::Map::new();
        for it in revisions.iter().filter(open) {
            let tier = tiers.entry(text(it, "tier"));
            tier.or_insert_with(|| it["decided_at"].clone());
        }
        differ("tiers", &entry["tiers"], tiers.into());
    }
    let verdict = revisions.last().map(|it| &it["verdict"]);
    let right = entry["verdicts"].as_array();
    if !right.is_none_or(|right| right.iter().any(|it| Some(it) == verdict)) {
        wrong.push(format!("verdict: {verdict:?} is none of {right:?}"));
    }
    wrong
}

#[test]
fn every_alert_of_the_sample_is_as_expected_and_there_is_no_other() {
    let (written, expected) = (replayed(), expected());
    let entries = expected["alerts"].as_array().expect("alerts");
    let tolerated = expected["tolerated"].as_array().expect("tolerated");
    assert!(!entries.is_empty(), "nothing is compared");
    let mut alerts = by_alert(&written.alerts);
    let mut wrong = Vec::new();
    for entry in entries {
        match alerts.remove(&key(entry)) {
            None => wrong.push(format!("missing: {entry}")),
            Some(revisions) => {
                let lines = disagreements(entry, &revisions).into_iter();
                wrong.extend(lines.map(|line| format!("{:?}: {line}", key(entry))));
            }
        }
    }
    let tolerated: BTreeSet<&str> = tolerated.iter().filter_map(Value::as_str).collect();
    let others = alerts.into_iter();
    let others = others.filter(|((payment, _), _)| !tolerated.contains(payment.as_str()));
    wrong.extend(others.map(|(_, revisions)| format!("not expected: {}", revisions[0])));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_sums_of_the_sample_are_as_expected() {
    let (written, expected) = (replayed(), expected());
    let summary = &written.summary;
    // The expectation names the moment from which was recorded; the first record came within its second.
    let second = |it: &Value| it.as_str().unwrap_or_default()[..19].to_owned();
    assert_eq!(second(&summary["from"]), second(&expected["from"]));
    assert_eq!(summary["to"], expected["to"]);
    let count = |field: &str| summary[field].as_u64().expect("a number of payments");
    let sums = json!({
        "total": count("payments"),
        "credited": count("credited"),
        "explained": count("explained"),
        "rest": count("written_off") + count("pending"),
    });
    assert_eq!(sums, expected["sums"]);
}

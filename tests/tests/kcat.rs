//! A recording that the real kcat took from a real broker comes out as told beside it.
//!
//! Times in the expectation are relative, since they differ with every recording: `{"event_id", "after_ms"}`
//! means the append time of the first record with that event, and a span.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Map, Value, json};
use settlewatch_tests::harness::{Bench, Written, json_lines, root};
use settlewatch_tests::reference::{parse_ms, rfc3339};

const TOPICS: [&str; 4] = ["payments", "credits", "lifecycle", "terminals"];

fn data(name: &str) -> PathBuf {
    root().join("tests/data/kcat").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    let path = data(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn replayed() -> Written {
    let paths = TOPICS.map(|topic| data(&format!("{topic}.ndjson")));
    let bench = Bench::of_file(&data("settlewatch.yaml"));
    bench.paths(paths.into()).expect("the recording is read")
}

/// A record of the recording, as far as tests need to find it.
struct Found {
    topic: &'static str,
    partition: i64,
    offset: i64,
    at_ms: i64,
    key: Value,
    event: Value,
}

/// Every record. Lines and payloads may hold what is not UTF-8.
fn records() -> Vec<Found> {
    let mut records = Vec::new();
    for topic in TOPICS {
        let file = bytes(&format!("{topic}.ndjson"));
        for line in String::from_utf8_lossy(&file).lines() {
            let line: Value = serde_json::from_str(line).expect("kcat writes JSON");
            let payload = line["payload"].as_str().unwrap_or_default();
            let number = |field: &str| line[field].as_i64().expect("a number");
            records.push(Found {
                topic,
                partition: number("partition"),
                offset: number("offset"),
                at_ms: number("ts"),
                key: line["key"].clone(),
                event: serde_json::from_str(payload).unwrap_or_default(),
            });
        }
    }
    records.sort_by_key(|record| record.at_ms);
    records
}

/// The first record of each event.
fn events(records: &[Found]) -> BTreeMap<&str, &Found> {
    let mut events = BTreeMap::new();
    for record in records {
        if let Some(event_id) = record.event["event_id"].as_str() {
            events.entry(event_id).or_insert(record);
        }
    }
    events
}

/// An entry of `expected.ndjson` with its times made absolute.
fn absolute(entry: &Value, events: &BTreeMap<&str, &Found>) -> Map<String, Value> {
    let event = |id: &Value| {
        let id = id.as_str().expect("an event id");
        events.get(id).unwrap_or_else(|| panic!("{id} is recorded"))
    };
    let moment = |it: &Value| {
        let after_ms = it["after_ms"].as_i64().expect("a span");
        rfc3339(event(&it["event_id"]).at_ms + after_ms)
    };
    let occurred = |id: &Value| {
        let time = event(id).event["occurred_at"].as_str();
        time.and_then(parse_ms).expect("an event has a time")
    };
    let said = entry.as_object().expect("an entry is an object");
    let field = |(name, value): (&String, &Value)| match name.as_str() {
        "decided" => ("decided_at".to_owned(), moment(value).into()),
        "deadline" => ("deadline".to_owned(), moment(value).into()),
        "lag" => {
            let lag_ms = occurred(&value["to"]) - occurred(&value["from"]);
            ("lag_ms".to_owned(), lag_ms.into())
        }
        _ => (name.clone(), value.clone()),
    };
    said.iter().map(field).collect()
}

#[test]
fn every_alert_of_the_recording_is_as_expected_and_there_is_no_other() {
    let (written, records) = (replayed(), records());
    let events = events(&records);
    let expected = json_lines(&bytes("expected.ndjson"));
    assert!(!expected.is_empty(), "nothing is compared");
    let id = |it: &Value| {
        let text = |field: &str| it[field].as_str().unwrap_or_default().to_owned();
        (text("payment_id"), text("kind"), it["revision"].as_u64())
    };
    let mut alerts: BTreeMap<_, &Value> = written.alerts.iter().map(|it| (id(it), it)).collect();
    assert_eq!(alerts.len(), written.alerts.len(), "revisions are unique");
    for entry in &expected {
        let alert = alerts.remove(&id(entry));
        let alert = alert.unwrap_or_else(|| panic!("missing: {entry}"));
        for (field, value) in absolute(entry, &events) {
            assert_eq!(alert[&field], value, "{field} of {alert}");
        }
    }
    assert!(alerts.is_empty(), "not expected: {alerts:?}");
}

#[test]
fn the_sums_of_the_recording_are_as_expected() {
    let (written, records) = (replayed(), records());
    let expected: Value =
        serde_json::from_slice(&bytes("expected-summary.json")).expect("it is JSON");
    for (field, value) in expected.as_object().expect("an object of sums") {
        assert_eq!(written.summary[field], *value, "{field}");
    }
    let ends = [records.first(), records.last()].map(|it| it.map(|it| rfc3339(it.at_ms)));
    assert_eq!(written.summary["from"], json!(ends[0]));
    assert_eq!(written.summary["to"], json!(ends[1]));
    assert_eq!(written.bad_lines, 0);
}

#[test]
fn every_rejected_record_is_named_with_its_place_and_reason() {
    let records = records();
    let place = |it: &Value| {
        let text = |field: &str| it[field].as_str().unwrap_or_default().to_owned();
        let number = |field: &str| it[field].as_i64();
        (text("topic"), number("partition"), number("offset"))
    };
    let rejected = replayed().lines_of("rejected.ndjson");
    let mut lines: BTreeMap<_, &Value> = rejected.iter().map(|it| (place(it), it)).collect();
    let expected = json_lines(&bytes("expected-rejected.ndjson"));
    assert_eq!(lines.len(), expected.len());
    for entry in &expected {
        let same = |found: &&Found| {
            let key = entry["key"].is_null() || entry["key"] == found.key;
            let event = entry["event_id"].is_null() || entry["event_id"] == found.event["event_id"];
            entry["topic"] == found.topic && key && event
        };
        let found = records.iter().find(same).expect("it is recorded");
        let place = (
            found.topic.to_owned(),
            Some(found.partition),
            Some(found.offset),
        );
        let line = lines.remove(&place);
        let line = line.unwrap_or_else(|| panic!("not rejected: {entry}"));
        assert_eq!(line["reason"], entry["reason"]);
        assert_eq!(line["ts"], found.at_ms);
    }
}

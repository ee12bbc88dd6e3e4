//! The table of events says what the decoder does: each field of each type absent, malformed and read, and no other.

mod support;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use settlewatch_join::event::Event;
use settlewatch_wire::{
    COMMON_FIELDS, EVENT_TYPES, EventType, FieldRule, Limits, Malformed, Reason, Shape, decode,
};

type Record = Map<String, Value>;

fn rules(of: &EventType) -> impl Iterator<Item = &FieldRule> {
    COMMON_FIELDS.iter().chain(of.fields)
}

/// What a record may hold in a field.
fn good(shape: Shape) -> Vec<Value> {
    match shape {
        Shape::Text => vec![json!("word")],
        Shape::Words { words, .. } => words.iter().map(|(word, _)| json!(word)).collect(),
        Shape::Money { least } => vec![json!(least), json!(i64::MAX)],
        Shape::Currency => vec![json!("CNY")],
        Shape::Time => vec![json!("2026-03-01T09:30:00+08:00")],
        Shape::Bool { .. } => vec![json!(true), json!(false)],
        Shape::Integer => vec![json!(5)],
        Shape::Date => vec![json!("2026-03-01")],
        Shape::Strings => vec![json!({"lane": "7"})],
    }
}

/// What is malformed there, beside being of another JSON type.
fn bad(shape: Shape) -> Vec<Value> {
    match shape {
        Shape::Text => vec![json!(""), json!("x".repeat(257))],
        Shape::Words { .. } => vec![json!("no-such-word")],
        Shape::Money { least: 0 } => vec![json!(-1), json!(1.5), json!(u64::MAX)],
        Shape::Money { .. } => vec![json!(0), json!(-1), json!(1.5), json!(u64::MAX)],
        Shape::Currency => vec![json!("cny"), json!("QQQ")],
        Shape::Time => vec![json!("2026-03-01T09:30:00"), json!("today")],
        Shape::Integer => vec![json!(1.5)],
        Shape::Date => vec![json!("2026-02-30")],
        Shape::Bool { .. } | Shape::Strings => vec![json!("true")],
    }
}

/// A record with the required fields alone.
fn least(of: &EventType) -> Record {
    let required = rules(of).filter(|rule| rule.required);
    let field = |rule: &FieldRule| (rule.name.to_owned(), good(rule.shape)[0].clone());
    let mut record: Record = required.map(field).collect();
    record["type"] = json!(of.name);
    record
}

fn with(record: &Record, name: &str, value: Value) -> Record {
    let mut record = record.clone();
    record.insert(name.to_owned(), value);
    record
}

fn read(record: &Record) -> Result<Event<'static>, Reason> {
    let text = Box::leak(Value::Object(record.clone()).to_string().into_boxed_str());
    decode(Some(text.as_bytes()), &Limits::default()).map_err(|rejection| rejection.reason)
}

#[test]
fn the_table_has_every_type_and_every_field_that_the_tests_know() {
    let (mut types, mut fields) = (BTreeSet::new(), BTreeSet::new());
    for record in support::VALID {
        let record: Record = serde_json::from_str(record).expect("a valid record");
        let name = record["type"].as_str().expect("a type").to_owned();
        fields.extend(record.keys().map(|field| (name.clone(), field.clone())));
        types.insert(name);
    }
    let listed: BTreeSet<_> = EVENT_TYPES.iter().map(|it| it.name.to_owned()).collect();
    assert_eq!(listed, types);
    let listed = EVENT_TYPES.iter().flat_map(|of| {
        let name = |rule: &FieldRule| (of.name.to_owned(), rule.name.to_owned());
        rules(of).map(name).collect::<Vec<_>>()
    });
    let unknown: Vec<_> = fields.difference(&listed.collect()).cloned().collect();
    assert!(unknown.is_empty(), "not in the table: {unknown:?}");
}

#[test]
fn the_required_fields_suffice_and_none_may_be_missing() {
    for of in EVENT_TYPES {
        let record = least(of);
        let event = read(&record).unwrap_or_else(|reason| panic!("{}: {reason}", of.name));
        assert_eq!(event.body.type_name(), of.name);
        for name in record.keys().filter(|name| *name != "type") {
            let mut without = record.clone();
            without.remove(name);
            let null = with(&record, name, Value::Null);
            for record in [without, null] {
                assert_eq!(
                    read(&record),
                    Err(Reason::MissingField),
                    "{}: {name}",
                    of.name
                );
            }
        }
    }
}

#[test]
fn a_malformed_field_rejects_or_counts_as_absent_as_the_table_says() {
    for of in EVENT_TYPES {
        let least = least(of);
        for rule in rules(of).filter(|rule| rule.name != "type") {
            for value in bad(rule.shape) {
                let told = read(&with(&least, rule.name, value.clone()));
                let what = format!("{}: {} = {value}", of.name, rule.name);
                // A required word that is not strict is some word all the same.
                let lenient = matches!(rule.shape, Shape::Words { strict: false, .. });
                match rule.malformed() {
                    Malformed::Rejects(_) if rule.required && lenient => {
                        assert!(told.is_ok(), "{what}");
                    }
                    Malformed::Rejects(reason) => assert_eq!(told, Err(reason), "{what}"),
                    Malformed::Absent => assert_eq!(told, read(&least), "{what}"),
                }
            }
            let told = read(&with(&least, rule.name, json!([])));
            assert_eq!(
                told.is_ok(),
                rule.malformed() == Malformed::Absent,
                "{}: {} is a list",
                of.name,
                rule.name
            );
        }
    }
}

#[test]
fn a_type_reads_its_fields_and_no_other() {
    let known: BTreeSet<_> = EVENT_TYPES
        .iter()
        .flat_map(|of| rules(of).map(|rule| rule.name))
        .collect();
    assert!(known.len() > 40);
    for of in EVENT_TYPES {
        let least = least(of);
        let plain = read(&least);
        for rule in rules(of).filter(|rule| !rule.required) {
            let read_with = |value| read(&with(&least, rule.name, value));
            let told: Vec<_> = good(rule.shape).into_iter().map(read_with).collect();
            assert!(
                told.iter().all(Result::is_ok),
                "{}: {}: {told:?}",
                of.name,
                rule.name
            );
            assert!(
                told.iter().any(|told| *told != plain),
                "{}: {} is not read",
                of.name,
                rule.name
            );
        }
        let others = known
            .iter()
            .filter(|name| !rules(of).any(|rule| rule.name == **name));
        for name in others {
            let values = [
                json!("no-such-word"),
                json!(-1),
                json!([]),
                json!(true),
                json!("2026-03-01"),
            ];
            for value in values {
                let told = read(&with(&least, name, value));
                assert_eq!(told, plain, "{}: {name} is read", of.name);
            }
        }
    }
}

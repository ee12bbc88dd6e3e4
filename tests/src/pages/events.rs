//! The reference of the events that are read: the decoder's own table.

use std::fmt::Write as _;

use settlewatch_wire::{
    COMMON_FIELDS, EVENT_TYPES, EventType, FieldRule, Malformed, Reason, Shape,
};

use super::rows;

const HEAD: &str = "\
# Events

A record is one JSON object. Its Kafka key is the payment id (the terminal id for events of terminals): all records of a
payment share a partition. Money is an integer in the currency's minor unit. Fields that a type does not know are
ignored, `null` is absent.

A malformed field either rejects the record (the reason is named) or counts as absent.

## Every event
";

const REJECTED: &str = "
## Why a record is rejected

The first that applies, in this order. The service writes the record to `output.dead_letters` with its bytes as they
were and the headers `reason`, `topic`, `partition` and `offset`; `replay` writes its place to `rejected.ndjson`.

| reason | meaning |
| --- | --- |
";

const NO_RECORD: &str = "
A line of a recording that is no record at all, neither what `kcat -C -J` prints nor a bare event, is written there with
its file and line and the reason `bad_line`. Of a bare event `occurred_at` counts as the time at which it was appended.
";

pub(super) fn page() -> String {
    let mut page = String::from(HEAD);
    fields(&mut page, COMMON_FIELDS);
    for of in EVENT_TYPES {
        add_type(&mut page, of);
    }
    page.push_str(REJECTED);
    page.push_str(&rows(Reason::WORDS));
    page.push_str(NO_RECORD);
    page
}

fn add_type(page: &mut String, of: &EventType) {
    let _ = writeln!(page, "\n## `{}`\n\n{}", of.name, of.meaning);
    fields(page, of.fields);
    for rule in of.fields {
        if let Shape::Words { words, .. } = rule.shape {
            let _ = write!(
                page,
                "\n| `{}` | meaning |\n| --- | --- |\n{}",
                rule.name,
                rows(words)
            );
        }
    }
}

fn fields(page: &mut String, rules: &[FieldRule]) {
    page.push_str(
        "\n| field | value | required | malformed | meaning |\n| --- | --- | --- | --- | --- |\n",
    );
    for rule in rules {
        let required = if rule.required { "yes" } else { "" };
        let malformed = match rule.malformed() {
            Malformed::Rejects(reason) => format!("`{reason}`"),
            Malformed::Absent => "absent".into(),
        };
        let _ = writeln!(
            page,
            "| `{}` | {} | {required} | {malformed} | {} |",
            rule.name,
            value(rule.shape),
            rule.meaning
        );
    }
}

fn value(shape: Shape) -> String {
    match shape {
        Shape::Text => "string, 1 to 256 bytes".into(),
        Shape::Words { words, .. } => {
            let words: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
            words.join(", ")
        }
        Shape::Money { least } => format!("integer from {least} to 2^63 − 1"),
        Shape::Currency => "ISO 4217 code, in capitals".into(),
        Shape::Time => "RFC 3339 with an offset".into(),
        Shape::Bool { .. } => "`true` or `false`".into(),
        Shape::Integer => "integer".into(),
        Shape::Date => "`YYYY-MM-DD`".into(),
        Shape::Strings => "object of strings".into(),
    }
}

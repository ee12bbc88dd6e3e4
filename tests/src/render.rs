//! Records as the lines of a recording, and rules as a configuration file.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::reference::{Config, Rec, Rule, STREAMS};

/// An event and when it is appended to which stream; its partition follows from its key.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// Append time, in milliseconds since the epoch.
    pub at_ms: i64,
    /// Rank of the stream.
    pub stream: usize,
    /// The event.
    pub value: Value,
}

/// Spreads drafts over `partitions` by their keys; the records come in canonical order. Drafts of one
/// millisecond keep their order within a partition.
pub fn place(drafts: &[Draft], partitions: u64) -> Vec<Rec> {
    let mut drafts: Vec<&Draft> = drafts.iter().collect();
    drafts.sort_by_key(|draft| draft.at_ms);
    let mut ends = std::collections::BTreeMap::new();
    let record = |draft: &Draft| {
        let partition =
            i32::try_from(hash(&key(&draft.value)) % partitions).expect("partitions are few");
        let end = ends.entry((draft.stream, partition)).or_insert(0);
        let offset = *end;
        *end += 1;
        Rec {
            at_ms: draft.at_ms,
            stream: draft.stream,
            partition,
            offset,
            value: draft.value.clone(),
        }
    };
    let mut records: Vec<Rec> = drafts.into_iter().map(record).collect();
    records.sort_by_key(Rec::place);
    records
}

/// The Kafka key: the payment, else the terminal, else the merchant or channel.
pub fn key(event: &Value) -> String {
    let fields = [
        "payment_id",
        "terminal_id",
        "merchant_id",
        "channel",
        "kind",
    ];
    let subject = fields
        .iter()
        .find_map(|field| event.get(field)?.as_str())
        .unwrap_or_default();
    match event.get("tenant").and_then(Value::as_str) {
        Some(tenant) => format!("{tenant}/{subject}"),
        None => subject.to_owned(),
    }
}

/// FNV-1a: any fixed hash would do.
fn hash(key: &str) -> u64 {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    key.bytes().fold(0xcbf2_9ce4_8422_2325, mix)
}

/// Records as `kcat -C -J` prints them.
pub fn lines(records: &[Rec]) -> Vec<String> {
    records.iter().map(line).collect()
}

fn line(rec: &Rec) -> String {
    json!({
        "topic": STREAMS[rec.stream],
        "partition": rec.partition,
        "offset": rec.offset,
        "tstype": "logappend",
        "ts": rec.at_ms,
        "key": key(&rec.value),
        "payload": rec.value.to_string(),
    })
    .to_string()
}

/// The rules as `settlewatch.yaml`.
pub fn yaml(config: &Config) -> String {
    let mut text = String::from("version: 1\nstreams:\n");
    for stream in &STREAMS[..3] {
        text.push_str(&format!("  {stream}: {{topic: {stream}}}\n"));
    }
    text.push_str("  terminals: {topic: terminals, keyed: other}\n");
    let calendars: std::collections::BTreeMap<&str, &str> = config
        .rules
        .iter()
        .filter_map(|rule| rule.due.as_ref())
        .map(|due| (due.calendar.name.as_str(), due.calendar.yaml.as_str()))
        .collect();
    if !calendars.is_empty() {
        text.push_str("calendars:\n");
    }
    for (name, calendar) in calendars {
        text.push_str(&format!("  {name}: {calendar}\n"));
    }
    text.push_str("rules:\n");
    for rule in &config.rules {
        push_rule(&mut text, rule);
    }
    push_durations(&mut text, config);
    text
}

fn push_rule(text: &mut String, rule: &Rule) {
    let mut put = |line: String| text.push_str(&line);
    put(format!("  - name: {}\n", rule.name));
    let mut conditions: Vec<String> = rule
        .fields
        .iter()
        .map(|(field, values)| format!("{field}: {}", json!(values)))
        .collect();
    let min = rule.amount_min.map(|min| format!("min: {min}"));
    let max = rule.amount_max.map(|max| format!("max: {max}"));
    let bounds: Vec<String> = [min, max].into_iter().flatten().collect();
    if !bounds.is_empty() {
        conditions.push(format!("amount_minor: {{{}}}", bounds.join(", ")));
    }
    if !conditions.is_empty() {
        put(format!("    match: {{{}}}\n", conditions.join(", ")));
    }
    if let Some(due) = &rule.due {
        put(format!(
            "    due: {{calendar: {}, business_days: {}}}\n",
            due.calendar.name, due.business_days
        ));
    }
    let tiers: Vec<String> = rule
        .tiers
        .iter()
        .map(|tier| format!("{}: {}ms", tier.name, tier.after_ms))
        .collect();
    put(format!("    tiers: {{{}}}\n", tiers.join(", ")));
    if let Some(give_up) = rule.give_up_ms {
        put(format!("    give_up: {give_up}ms\n"));
    }
}

fn push_durations(text: &mut String, config: &Config) {
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "give_up: {}ms\nredelivery_horizon: {}ms\norphan_credit: {{after: {}ms}}\n\
         duplicate_payment: {{window: {}ms}}\nhold: {{limit: {}ms}}\n",
        config.give_up_ms,
        config.redelivery_horizon_ms,
        config.orphan_after_ms,
        config.duplicate_window_ms,
        config.hold_limit_ms,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payment_shares_its_partition_on_every_stream() {
        let draft = |stream| Draft {
            at_ms: 5,
            stream,
            value: json!({"payment_id": "P17"}),
        };
        let records = place(&[draft(0), draft(1), draft(2)], 7);
        assert!(
            records
                .iter()
                .all(|rec| rec.partition == records[0].partition)
        );
    }

    #[test]
    fn records_come_in_canonical_order_and_offsets_follow_append_order() {
        let draft = |at_ms, stream| Draft {
            at_ms,
            stream,
            value: json!({"payment_id": "P1"}),
        };
        let records = place(&[draft(9, 0), draft(5, 1), draft(5, 0), draft(5, 1)], 1);
        let places: Vec<_> = records.iter().map(Rec::place).collect();
        assert_eq!(
            places,
            [(5, 0, 0, 0), (5, 1, 0, 0), (5, 1, 0, 1), (9, 0, 0, 1)]
        );
    }
}

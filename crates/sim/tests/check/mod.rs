//! A checker of records, written from the table of canonical events.
#![allow(clippy::unwrap_used, dead_code)]

use std::collections::BTreeMap;

use serde_json::Value;
use settlewatch_sim::{Record, Topic, partition};

/// Type, topic, required fields, optional fields.
type Row = (&'static str, Topic, &'static str, &'static str);

const TABLE: [Row; 14] = [
    (
        "payment.succeeded",
        Topic::Payments,
        "payment_id channel merchant_id terminal_id amount_minor currency",
        "fee_minor order_amount_minor settle_mode expected_credit_by payer_hash gateway acquirer connector store_id region carrier terminal_model pos_vendor app_version method mcc attrs",
    ),
    (
        "terminal.credited",
        Topic::Credits,
        "payment_id",
        "credit_id channel amount_minor currency fee_minor terminal_id merchant_id mcc partial batch_id",
    ),
    (
        "payment.authorized",
        Topic::Lifecycle,
        "payment_id",
        "channel amount_minor currency",
    ),
    (
        "payment.refunded",
        Topic::Lifecycle,
        "payment_id",
        "refund_id amount_minor status",
    ),
    (
        "payment.reversed",
        Topic::Lifecycle,
        "payment_id",
        "refund_id amount_minor status",
    ),
    (
        "payment.held",
        Topic::Lifecycle,
        "payment_id",
        "reason expected_release_at",
    ),
    ("payment.released", Topic::Lifecycle, "payment_id", ""),
    (
        "payment.declined",
        Topic::Lifecycle,
        "payment_id",
        "channel code class",
    ),
    (
        "credit.rejected",
        Topic::Lifecycle,
        "payment_id",
        "channel code class",
    ),
    ("payment.stage", Topic::Lifecycle, "payment_id stage", ""),
    (
        "terminal.heartbeat",
        Topic::Terminals,
        "terminal_id",
        "network rssi_dbm queue_depth error_code uptime_s app_version signed_in",
    ),
    ("account.status", Topic::Terminals, "merchant_id status", ""),
    (
        "batch.settled",
        Topic::Terminals,
        "channel batch_id",
        "settle_date count total_minor",
    ),
    (
        "marker",
        Topic::Terminals,
        "kind",
        "scope starts_at ends_at",
    ),
];

const WORDS: [(&str, &str); 6] = [
    ("settle_mode", "realtime d0 t1"),
    ("status", "created succeeded failed active frozen closed"),
    ("kind", "deploy config maintenance campaign"),
    ("reason", "risk compliance manual"),
    (
        "class",
        "limit frequency insufficient frozen not_permitted duplicate auth_incomplete format issuer_down timeout system other",
    ),
    (
        "stage",
        "gateway_in gateway_out channel_ack account_posted terminal_notified merchant_ack",
    ),
];

/// The event in `record`, which must be canonical.
pub(crate) fn event(record: &Record) -> Value {
    let event: Value = serde_json::from_str(&record.payload).unwrap();
    let fields = event.as_object().unwrap();
    let (_, topic, required, optional) = TABLE
        .iter()
        .find(|row| event["type"] == row.0)
        .unwrap_or_else(|| panic!("{event}"));
    assert_eq!(record.topic, *topic, "{event}");
    for name in ["event_id", "occurred_at"]
        .into_iter()
        .chain(required.split(' '))
    {
        assert!(fields.contains_key(name), "{name} is absent in {event}");
    }
    for (name, value) in fields {
        let known = ["type", "event_id", "occurred_at"].contains(&name.as_str())
            || required
                .split(' ')
                .chain(optional.split(' '))
                .any(|field| field == name);
        assert!(known, "{name} is unknown in {event}");
        check_field(name, value);
    }
    event
}

fn check_field(name: &str, value: &Value) {
    match name {
        "amount_minor" | "order_amount_minor" => {
            assert!(value.as_i64().is_some_and(|amount| amount > 0), "{name}")
        }
        "fee_minor" | "count" | "total_minor" | "queue_depth" | "uptime_s" => {
            assert!(value.is_u64(), "{name}")
        }
        "rssi_dbm" => assert!(value.is_i64()),
        "partial" | "signed_in" => assert!(value.is_boolean()),
        "attrs" | "scope" => assert!(value.as_object().unwrap().values().all(Value::is_string)),
        "currency" => assert!(
            ["CNY", "HKD", "USD"].iter().any(|code| value == code),
            "{value}"
        ),
        _ => {
            let text = value.as_str().unwrap_or_else(|| panic!("{name}: {value}"));
            assert!((1..=256).contains(&text.len()), "{name}: {value}");
            if name.ends_with("_at") || name.ends_with("_by") {
                check_time(text);
            }
            if let Some((_, words)) = WORDS.iter().find(|(field, _)| *field == name) {
                assert!(words.split(' ').any(|word| word == text), "{name}: {value}");
            }
        }
    }
}

fn check_time(text: &str) {
    let pattern = "0000-00-00T00:00:00.000";
    let (local, zone) = text.split_at(pattern.len());
    let fits = local
        .bytes()
        .zip(pattern.bytes())
        .all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            mark => byte == mark,
        });
    assert!(fits && ["Z", "+08:00"].contains(&zone), "{text}");
}

/// Checks places: dense offsets, append times that never fall, the partition of the key, the key of the event.
pub(crate) fn places(records: &[Record], partitions: u32) {
    let mut next = BTreeMap::new();
    let mut last_ms = i64::MIN;
    for record in records {
        let offset: &mut u64 = next.entry((record.topic, record.partition)).or_default();
        assert_eq!(record.offset, *offset);
        *offset += 1;
        assert!(record.ts_ms >= last_ms, "append times fall");
        last_ms = record.ts_ms;
        assert_eq!(record.partition, partition(&record.key, partitions));
        let event = event(record);
        let subject = [
            "payment_id",
            "terminal_id",
            "channel",
            "merchant_id",
            "kind",
        ]
        .iter()
        .find_map(|name| event[*name].as_str());
        assert_eq!(subject, Some(record.key.as_str()));
    }
}

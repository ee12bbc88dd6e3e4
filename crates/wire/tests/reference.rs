//! The decoder against a naive one that checks the contract reason by reason on a parsed tree.

mod support;

use std::borrow::Cow;
use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value};
use settlewatch_join::event::{
    AccountStatus, BatchSettled, Body, Credited, Currency, Event, Heartbeat, Marker, MarkerKind,
    Refund, RefundStatus, Refusal, RefusalClass, SettleMode, Stage, Succeeded, Text,
};
use settlewatch_wire::{Limits, Reason, decode, is_iso_4217, parse_date, parse_line, parse_time};
use support::VALID;

const LIMIT: usize = 4000;

/// What a field's value must be, by type: `!` marks the required ones.
const TABLE: &[(&str, &str)] = &[
    (
        "payment.succeeded",
        "payment_id!text channel!text merchant_id!text terminal_id!text amount_minor!money currency!currency \
         fee_minor:fee order_amount_minor:money expected_credit_by:time",
    ),
    (
        "terminal.credited",
        "payment_id!text amount_minor:money currency:currency fee_minor:fee partial:bool",
    ),
    ("payment.authorized", "payment_id!text"),
    (
        "payment.refunded",
        "payment_id!text amount_minor:money status:refund",
    ),
    (
        "payment.reversed",
        "payment_id!text amount_minor:money status:refund",
    ),
    ("payment.held", "payment_id!text expected_release_at:time"),
    ("payment.released", "payment_id!text"),
    (
        "payment.declined",
        "payment_id!text amount_minor:money currency:currency",
    ),
    (
        "credit.rejected",
        "payment_id!text amount_minor:money currency:currency",
    ),
    ("payment.stage", "payment_id!text stage!stage"),
    ("terminal.heartbeat", "terminal_id!text"),
    ("account.status", "merchant_id!text status!account"),
    (
        "batch.settled",
        "channel!text batch_id!text total_minor:fee",
    ),
    ("marker", "kind!text starts_at:time ends_at:time"),
];

/// Depth of the text: what a duplicate replaces counts too.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0, 0, false, false);
    for char in text.chars() {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => in_string = !in_string,
            '{' | '[' if !in_string => depth += 1,
            '}' | ']' if !in_string => depth -= 1,
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn fits(value: &Value) -> Option<&str> {
    value
        .as_str()
        .filter(|text| !text.is_empty() && text.len() <= 256)
}

/// The reason for which one present value rejects.
fn value_reason(value: &Value, kind: &str, required: bool) -> Option<Reason> {
    let text = fits(value);
    let word = |known: bool| (!known).then_some(Reason::BadType);
    let bad_type = required
        && if kind == "money" {
            !value.is_number()
        } else {
            text.is_none()
        };
    if bad_type {
        return Some(Reason::BadType);
    }
    let integer = value
        .as_number()
        .and_then(|number| number.to_string().parse::<i64>().ok());
    match kind {
        "text" => None,
        "money" => integer
            .is_none_or(|amount| amount < 1)
            .then_some(Reason::BadMoney),
        "fee" => integer
            .is_none_or(|amount| amount < 0)
            .then_some(Reason::BadMoney),
        "currency" => {
            let code = text.and_then(|text| <[u8; 3]>::try_from(text.as_bytes()).ok());
            code.is_none_or(|code| !is_iso_4217(code))
                .then_some(Reason::BadCurrency)
        }
        "time" => text
            .and_then(parse_time)
            .is_none()
            .then_some(Reason::BadTime),
        "bool" => word(value.is_boolean()),
        "refund" => word(text.and_then(RefundStatus::parse).is_some()),
        "stage" => word(text.and_then(Stage::parse).is_some()),
        "account" => word(text.and_then(AccountStatus::parse).is_some()),
        other => panic!("no kind {other}"),
    }
}

/// What the contract says of a record; `None` where the tree's own limits say nothing.
fn expected(bytes: &[u8]) -> Option<Result<Map<String, Value>, Reason>> {
    if bytes.is_empty() {
        return Some(Err(Reason::NullValue));
    }
    let Ok(text) = core::str::from_utf8(bytes) else {
        return Some(Err(Reason::BadUtf8));
    };
    let record = match serde_json::from_slice::<Value>(bytes) {
        Ok(Value::Object(record)) => record,
        Err(error)
            if error.to_string().contains("out of range")
                || error.to_string().contains("recursion") =>
        {
            return None;
        }
        _ => return Some(Err(Reason::BadJson)),
    };
    // The tree takes the integer -0 for a fraction.
    if record.values().any(|value| format!("{value}") == "-0.0") {
        return None;
    }
    Some(judge(&record, text).map_or(Ok(record), Err))
}

fn judge(record: &Map<String, Value>, text: &str) -> Option<Reason> {
    if depth(text) > 64 {
        return Some(Reason::TooDeep);
    }
    if text.len() > LIMIT {
        return Some(Reason::TooLarge);
    }
    let present = |name: &str| record.get(name).filter(|value| !value.is_null());
    let name = present("type").and_then(fits).unwrap_or_default();
    let Some((_, row)) = TABLE.iter().find(|(known, _)| *known == name) else {
        return Some(Reason::UnknownType);
    };
    let mut reasons = Vec::new();
    for field in format!("type!text event_id!text occurred_at!time {row}").split_whitespace() {
        let required = field.contains('!');
        let (name, kind) = field.split_once(['!', ':']).expect("a row of the table");
        match present(name) {
            Some(value) => reasons.extend(value_reason(value, kind, required)),
            None if required => reasons.push(Reason::MissingField),
            None => {}
        }
    }
    reasons.into_iter().min()
}

/// A valid record as a tree, and its fields by kind.
struct Tree<'a>(&'a Map<String, Value>);

impl Tree<'_> {
    fn text(&self, name: &str) -> Option<Text<'static>> {
        self.0
            .get(name)
            .and_then(fits)
            .map(|text| Cow::Owned(text.to_owned()))
    }

    fn need(&self, name: &str) -> Text<'static> {
        self.text(name).expect("a required string")
    }

    fn word<T>(&self, name: &str, parse: fn(&str) -> Option<T>) -> Option<T> {
        parse(&self.text(name)?)
    }

    fn unsigned(&self, name: &str) -> Option<u64> {
        self.0.get(name).and_then(Value::as_u64)
    }

    fn bool(&self, name: &str) -> Option<bool> {
        self.0.get(name).and_then(Value::as_bool)
    }

    fn currency(&self, name: &str) -> Option<Currency> {
        Currency::new(self.text(name)?.as_bytes().try_into().ok()?)
    }

    fn strings(&self, name: &str) -> Vec<(Text<'static>, Text<'static>)> {
        let members = self
            .0
            .get(name)
            .and_then(Value::as_object)
            .into_iter()
            .flatten();
        members
            .filter(|(name, _)| !name.is_empty() && name.len() <= 256)
            .filter_map(|(name, value)| {
                Some((
                    Cow::Owned(name.clone()),
                    Cow::Owned(fits(value)?.to_owned()),
                ))
            })
            .collect()
    }

    /// The accepted event.
    fn event(&self) -> Event<'static> {
        let payment_id = || self.need("payment_id");
        let body = match self.need("type").as_ref() {
            "payment.succeeded" => Body::Succeeded(self.succeeded()),
            "terminal.credited" => Body::Credited(self.credited()),
            "payment.authorized" => Body::Authorized {
                payment_id: payment_id(),
            },
            "payment.released" => Body::Released {
                payment_id: payment_id(),
            },
            "payment.refunded" => Body::Refunded(self.refund()),
            "payment.reversed" => Body::Reversed(self.refund()),
            "payment.declined" => Body::Declined(self.refusal()),
            "credit.rejected" => Body::Rejected(self.refusal()),
            "payment.held" => Body::Held {
                payment_id: payment_id(),
                reason: self
                    .text("reason")
                    .filter(|reason| ["risk", "compliance", "manual"].contains(&reason.as_ref())),
                expected_release_at: self.word("expected_release_at", parse_time),
            },
            "payment.stage" => Body::Stage {
                payment_id: payment_id(),
                stage: self.word("stage", Stage::parse).expect("a stage"),
            },
            _ => self.other(),
        };
        let occurred_at = self.word("occurred_at", parse_time).expect("a time");
        Event {
            tenant: self.text("tenant"),
            event_id: self.need("event_id"),
            occurred_at,
            body,
        }
    }

    fn succeeded(&self) -> Succeeded<'static> {
        Succeeded {
            payment_id: self.need("payment_id"),
            channel: self.need("channel"),
            merchant_id: self.need("merchant_id"),
            terminal_id: self.need("terminal_id"),
            amount_minor: self.unsigned("amount_minor").expect("an amount"),
            currency: self.currency("currency").expect("a currency"),
            fee_minor: self.unsigned("fee_minor"),
            order_amount_minor: self.unsigned("order_amount_minor"),
            settle_mode: self
                .word("settle_mode", SettleMode::parse)
                .unwrap_or(SettleMode::Realtime),
            expected_credit_by: self.word("expected_credit_by", parse_time),
            payer_hash: self.text("payer_hash"),
            gateway: self.text("gateway"),
            acquirer: self.text("acquirer"),
            connector: self.text("connector"),
            store_id: self.text("store_id"),
            region: self.text("region"),
            carrier: self.text("carrier"),
            terminal_model: self.text("terminal_model"),
            pos_vendor: self.text("pos_vendor"),
            app_version: self.text("app_version"),
            method: self.text("method"),
            mcc: self.text("mcc"),
            attrs: self.strings("attrs"),
        }
    }

    fn credited(&self) -> Credited<'static> {
        Credited {
            payment_id: self.need("payment_id"),
            credit_id: self.text("credit_id"),
            channel: self.text("channel"),
            amount_minor: self.unsigned("amount_minor"),
            currency: self.currency("currency"),
            fee_minor: self.unsigned("fee_minor"),
            terminal_id: self.text("terminal_id"),
            merchant_id: self.text("merchant_id"),
            mcc: self.text("mcc"),
            partial: self.bool("partial").unwrap_or(false),
            batch_id: self.text("batch_id"),
        }
    }

    fn refund(&self) -> Refund<'static> {
        Refund {
            payment_id: self.need("payment_id"),
            refund_id: self.text("refund_id"),
            amount_minor: self.unsigned("amount_minor"),
            status: self
                .word("status", RefundStatus::parse)
                .unwrap_or(RefundStatus::Succeeded),
        }
    }

    fn refusal(&self) -> Refusal<'static> {
        Refusal {
            payment_id: self.need("payment_id"),
            channel: self.text("channel"),
            merchant_id: self.text("merchant_id"),
            terminal_id: self.text("terminal_id"),
            amount_minor: self.unsigned("amount_minor"),
            currency: self.currency("currency"),
            code: self.text("code"),
            class: self
                .word("class", RefusalClass::parse)
                .unwrap_or(RefusalClass::Other),
        }
    }

    /// What speaks of no payment.
    fn other(&self) -> Body<'static> {
        match self.need("type").as_ref() {
            "terminal.heartbeat" => Body::Heartbeat(Heartbeat {
                terminal_id: self.need("terminal_id"),
                network: self.text("network"),
                rssi_dbm: self.0.get("rssi_dbm").and_then(Value::as_i64),
                queue_depth: self.unsigned("queue_depth"),
                error_code: self.text("error_code"),
                uptime_s: self.unsigned("uptime_s"),
                app_version: self.text("app_version"),
                signed_in: self.bool("signed_in"),
            }),
            "account.status" => Body::AccountStatus {
                merchant_id: self.need("merchant_id"),
                status: self.word("status", AccountStatus::parse).expect("a status"),
            },
            "batch.settled" => Body::BatchSettled(BatchSettled {
                channel: self.need("channel"),
                batch_id: self.need("batch_id"),
                settle_date: self.word("settle_date", parse_date),
                count: self.unsigned("count"),
                total_minor: self.unsigned("total_minor"),
            }),
            _ => Body::Marker(Marker {
                kind: MarkerKind::parse(&self.need("kind")).unwrap_or(MarkerKind::Other),
                scope: self.strings("scope"),
                starts_at: self.word("starts_at", parse_time),
                ends_at: self.word("ends_at", parse_time),
            }),
        }
    }
}

/// Attributes have no order: by name.
fn sorted(mut event: Event<'_>) -> Event<'_> {
    match &mut event.body {
        Body::Succeeded(paid) => paid.attrs.sort(),
        Body::Marker(marker) => marker.scope.sort(),
        _ => {}
    }
    event
}

/// Compares the two; whether there was anything to compare.
fn compare(bytes: &[u8]) -> bool {
    let Some(expected) = expected(bytes) else {
        return false;
    };
    let decoded = decode(
        Some(bytes),
        &Limits {
            record_bytes: LIMIT,
        },
    );
    let decoded = decoded.map(sorted).map_err(|rejection| rejection.reason);
    let expected = expected.map(|record| sorted(Tree(&record).event()));
    assert_eq!(decoded, expected, "{}", String::from_utf8_lossy(bytes));
    true
}

/// JSON texts that are some field's value, or nearly.
fn value() -> impl Strategy<Value = String> {
    const TEXTS: &[&str] = &[
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1",
        "-1",
        "100",
        "1.0",
        "1e3",
        "9223372036854775807",
        "9223372036854775808",
        r#""""#,
        r#""x""#,
        r#""CNY""#,
        r#""cny""#,
        r#""\u0043NY""#,
        r#""KWD""#,
        r#""2026-03-01T08:00:00+08:00""#,
        r#""2026-03-01T08:00:00""#,
        r#""2026-03-01""#,
        r#""created""#,
        r#""failed""#,
        r#""active""#,
        r#""gateway_in""#,
        r#""deploy""#,
        r#""risk""#,
        r#""d0""#,
        r#""limit""#,
        r#""a\n\"b\u4e2d""#,
        r#""\ud83d\ude00""#,
        r#""\ud83d""#,
        "{}",
        "[]",
        r#"{"a":"b","c":1,"a":"d"}"#,
        r#"[1,{"a":[null]}]"#,
        r#"{"a":"b","a":null}"#,
        "{\"\":\"x\",\"y\":\"掉单\"}",
    ];
    let long = prop_oneof![Just(256), Just(257), Just(5000)]
        .prop_map(|length| format!("\"{}\"", "x".repeat(length)));
    let deep =
        (1..100_usize).prop_map(|depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
    prop_oneof![60 => proptest::sample::select(TEXTS).prop_map(str::to_owned), 2 => long, 1 => deep]
}

/// A valid record whose members were replaced, removed, doubled or respelt.
fn altered() -> impl Strategy<Value = String> {
    let names: Vec<_> = {
        let mut names = BTreeMap::new();
        for record in VALID {
            let record: Map<String, Value> = serde_json::from_str(record).expect("a record");
            names.extend(record.into_iter().map(|(name, _)| (name, ())));
        }
        names.into_keys().chain(["unknown".to_owned()]).collect()
    };
    let change = (
        proptest::sample::select(names),
        value(),
        0..6_u8,
        any::<proptest::sample::Index>(),
    );
    let changes = proptest::collection::vec(change, 0..5);
    (proptest::sample::select(VALID), changes).prop_map(|(record, changes)| {
        let record: Map<String, Value> = serde_json::from_str(record).expect("a record");
        let mut members: Vec<_> = record
            .iter()
            .map(|(name, value)| (format!("\"{name}\""), value.to_string()))
            .collect();
        for (name, value, how, at) in changes {
            let at = at.index(members.len());
            let own = members[at].0.clone();
            match how {
                0 => members.insert(at, (format!("\"{name}\""), value)),
                1 => drop(members.remove(at)),
                2 => members.push((
                    format!("\"\\u{:04x}{}\"", name.as_bytes()[0], &name[1..]),
                    value,
                )),
                _ => members[at] = (own, value),
            }
            if members.is_empty() {
                break;
            }
        }
        let members: Vec<_> = members
            .into_iter()
            .map(|(name, value)| format!("{name} :\t{value}"))
            .collect();
        format!("{{{}}}\n", members.join(","))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn altered_events_are_judged_like_the_contract(record in altered()) {
        compare(record.as_bytes());
    }

    #[test]
    fn damaged_events_are_judged_like_the_contract(
        record in proptest::sample::select(VALID),
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>(), 0..3_u8), 1..4),
    ) {
        let mut bytes = record.as_bytes().to_vec();
        for (at, byte, how) in damage {
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        compare(&bytes);
        let _ = parse_line(&bytes);
    }

    #[test]
    fn json_of_any_shape_is_told_from_what_is_not(text in "[\\[\\]{}:,\"\\\\ua0-9eE+.\\- ntrf]{0,24}") {
        compare(text.as_bytes());
        compare(format!("{{\"a\":{text}}}").as_bytes());
        let _ = parse_line(text.as_bytes());
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        compare(&bytes);
        let _ = parse_line(&bytes);
    }
}

#[test]
fn the_reference_accepts_what_is_valid() {
    for record in VALID {
        assert!(expected(record.as_bytes()).is_some_and(|judged| judged.is_ok()));
        assert!(compare(record.as_bytes()));
    }
}

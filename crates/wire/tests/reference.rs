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
    ("marker", "kind!marker starts_at:time ends_at:time"),
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
        "marker" => word(text.and_then(MarkerKind::parse).is_some()),
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
    if record.values().any(|value| value.to_string() == "-0.0") {
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
    let row = match present("type").and_then(fits) {
        Some(name) => match TABLE.iter().find(|(known, _)| *known == name) {
            Some((_, row)) => row,
            None => return Some(Reason::UnknownType),
        },
        None => "",
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

/// The accepted event, built from the tree.
fn build(record: &Map<String, Value>) -> Event<'static> {
    let text = |name: &str| {
        record
            .get(name)
            .and_then(fits)
            .map(|text| Text::Owned(text.to_owned()))
    };
    let need = |name: &str| text(name).expect("a required string");
    let word = |name: &str| text(name).unwrap_or_default().into_owned();
    let money = |name: &str| {
        record
            .get(name)
            .and_then(|value| value.to_string().parse::<i64>().ok())
            .map(i64::unsigned_abs)
    };
    let unsigned = |name: &str| record.get(name).and_then(Value::as_u64);
    let time = |name: &str| {
        record
            .get(name)
            .and_then(Value::as_str)
            .and_then(parse_time)
    };
    let currency = |name: &str| Currency::new(word(name).as_bytes().try_into().ok()?);
    let strings = |name: &str| -> Vec<(Text<'static>, Text<'static>)> {
        let members = record
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
    };
    let refund = || Refund {
        payment_id: need("payment_id"),
        refund_id: text("refund_id"),
        amount_minor: money("amount_minor"),
        status: RefundStatus::parse(&word("status")).unwrap_or(RefundStatus::Succeeded),
    };
    let refusal = || Refusal {
        payment_id: need("payment_id"),
        channel: text("channel"),
        merchant_id: text("merchant_id"),
        terminal_id: text("terminal_id"),
        amount_minor: money("amount_minor"),
        currency: currency("currency"),
        code: text("code"),
        class: RefusalClass::parse(&word("class")).unwrap_or(RefusalClass::Other),
    };
    let body = match word("type").as_str() {
        "payment.succeeded" => Body::Succeeded(Succeeded {
            payment_id: need("payment_id"),
            channel: need("channel"),
            merchant_id: need("merchant_id"),
            terminal_id: need("terminal_id"),
            amount_minor: money("amount_minor").expect("an amount"),
            currency: currency("currency").expect("a currency"),
            fee_minor: money("fee_minor"),
            order_amount_minor: money("order_amount_minor"),
            settle_mode: SettleMode::parse(&word("settle_mode")).unwrap_or(SettleMode::Realtime),
            expected_credit_by: time("expected_credit_by"),
            payer_hash: text("payer_hash"),
            gateway: text("gateway"),
            acquirer: text("acquirer"),
            connector: text("connector"),
            store_id: text("store_id"),
            region: text("region"),
            carrier: text("carrier"),
            terminal_model: text("terminal_model"),
            pos_vendor: text("pos_vendor"),
            app_version: text("app_version"),
            method: text("method"),
            mcc: text("mcc"),
            attrs: strings("attrs"),
        }),
        "terminal.credited" => Body::Credited(Credited {
            payment_id: need("payment_id"),
            credit_id: text("credit_id"),
            channel: text("channel"),
            amount_minor: money("amount_minor"),
            currency: currency("currency"),
            fee_minor: money("fee_minor"),
            terminal_id: text("terminal_id"),
            merchant_id: text("merchant_id"),
            mcc: text("mcc"),
            partial: record.get("partial") == Some(&Value::Bool(true)),
            batch_id: text("batch_id"),
        }),
        "payment.authorized" => Body::Authorized {
            payment_id: need("payment_id"),
        },
        "payment.released" => Body::Released {
            payment_id: need("payment_id"),
        },
        "payment.refunded" => Body::Refunded(refund()),
        "payment.reversed" => Body::Reversed(refund()),
        "payment.declined" => Body::Declined(refusal()),
        "credit.rejected" => Body::Rejected(refusal()),
        "payment.held" => Body::Held {
            payment_id: need("payment_id"),
            reason: text("reason")
                .filter(|reason| ["risk", "compliance", "manual"].contains(&reason.as_ref())),
            expected_release_at: time("expected_release_at"),
        },
        "payment.stage" => Body::Stage {
            payment_id: need("payment_id"),
            stage: Stage::parse(&word("stage")).expect("a stage"),
        },
        "terminal.heartbeat" => Body::Heartbeat(Heartbeat {
            terminal_id: need("terminal_id"),
            network: text("network"),
            rssi_dbm: record.get("rssi_dbm").and_then(Value::as_i64),
            queue_depth: unsigned("queue_depth"),
            error_code: text("error_code"),
            uptime_s: unsigned("uptime_s"),
            app_version: text("app_version"),
            signed_in: record.get("signed_in").and_then(Value::as_bool),
        }),
        "account.status" => Body::AccountStatus {
            merchant_id: need("merchant_id"),
            status: AccountStatus::parse(&word("status")).expect("a status"),
        },
        "batch.settled" => Body::BatchSettled(BatchSettled {
            channel: need("channel"),
            batch_id: need("batch_id"),
            settle_date: parse_date(&word("settle_date")),
            count: unsigned("count"),
            total_minor: money("total_minor"),
        }),
        _ => Body::Marker(Marker {
            kind: MarkerKind::parse(&word("kind")).expect("a kind"),
            scope: strings("scope"),
            starts_at: time("starts_at"),
            ends_at: time("ends_at"),
        }),
    };
    let occurred_at = time("occurred_at").expect("a time");
    Event {
        tenant: text("tenant"),
        event_id: need("event_id"),
        occurred_at,
        body,
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
    let expected = expected.map(|record| sorted(build(&record)));
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

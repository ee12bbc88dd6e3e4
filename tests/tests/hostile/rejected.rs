//! Each bad record is rejected with the first reason that applies, and nothing else comes of it.

use crate::tape::{Tape, event, noon, payment, records, rejections};

/// Puts each value between a payment and its credit; each must be rejected for this reason.
#[track_caller]
fn rejects(reason: &str, topic: &str, values: &[Vec<u8>]) {
    let mut tape = Tape::new();
    tape.put("payments", payment(&[]));
    for value in values {
        tape.put(topic, value);
    }
    tape.put("credits", event("terminal.credited", "c1", &[]));
    let written = tape.play();
    let rejected = rejections(&written);
    assert_eq!(rejected.len(), values.len(), "{rejected:?}");
    for (i, line) in rejected.iter().enumerate() {
        let (offset, ts) = (i + 1, noon() + 2 + i as i64);
        let members: Vec<&str> = line
            .as_object()
            .expect("an object")
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(
            members,
            ["topic", "partition", "offset", "ts", "reason", "detail"]
        );
        assert_eq!(line["reason"], reason, "{line} {:?}", values[i]);
        assert_eq!(line["topic"], topic);
        assert_eq!(line["partition"], 0);
        assert_eq!(line["offset"], offset);
        assert_eq!(line["ts"], ts);
        assert!(
            line["detail"]
                .as_str()
                .is_some_and(|detail| !detail.is_empty())
        );
    }
    assert_eq!(written.summary["credited"], 1);
    assert_eq!(written.summary["payments"], 1);
    assert_eq!(records(&written, topic)[4], values.len() as u64);
    assert!(written.alerts.is_empty(), "{:?}", written.alerts);
}

/// Payments with one member changed to each of these values.
fn payments(member: &str, values: &[&str]) -> Vec<Vec<u8>> {
    let payment = |value: &&str| payment(&[(member, value), ("payment_id", "\"P2\"")]).into_bytes();
    values.iter().map(payment).collect()
}

fn texts(values: &[&str]) -> Vec<Vec<u8>> {
    values
        .iter()
        .map(|value| value.as_bytes().to_vec())
        .collect()
}

#[test]
fn what_is_not_one_json_object() {
    let values = [
        " ",
        "{",
        "}",
        "[]",
        "null",
        "7",
        "\"x\"",
        "{}{}",
        "{} x",
        "{\"a\"}",
        "{\"a\":1,}",
        "{'a':1}",
        "{\"a\":01}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\t\"}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\udc00\\ud800\"}",
        "\u{feff}{}",
        "{\"type\":\"payment.succeeded\"",
    ];
    rejects("bad_json", "payments", &texts(&values));
}

#[test]
fn no_value() {
    let mut tape = Tape::new();
    tape.null("payments").put("credits", "").null("terminals");
    let written = tape.play();
    let rejected = rejections(&written);
    assert_eq!(rejected.len(), 3);
    assert!(rejected.iter().all(|line| line["reason"] == "null_value"));
    assert_eq!(written.summary["payments"], 0);
}

#[test]
fn bytes_that_are_not_utf_8() {
    let broken: [&[u8]; 4] = [b"\xff\xfe", b"\xc3(", b"\xed\xa0\x80", b"\xf5\x80\x80\x80"];
    let within = |bytes: &&[u8]| {
        let (head, tail) = ("{\"type\":\"payment.succeeded\",\"payment_id\":\"", "\"}");
        [head.as_bytes(), bytes, tail.as_bytes()].concat()
    };
    let values: Vec<Vec<u8>> = broken.iter().map(within).collect();
    rejects("bad_utf8", "payments", &values);
}

#[test]
fn nesting_without_end() {
    let nested = |levels: usize, open: &str, close: &str| {
        let value = format!("{}0{}", open.repeat(levels), close.repeat(levels));
        payment(&[("payment_id", "\"P2\""), ("deep", &value)]).into_bytes()
    };
    let values = [
        nested(64, "[", "]"),
        nested(10_000, "[", "]"),
        nested(10_000, "{\"a\":", "}"),
    ];
    rejects("too_deep", "payments", &values);
    let unclosed = format!("{{\"a\":{}", "[".repeat(10_000));
    rejects("bad_json", "payments", &texts(&[&unclosed]));
}

#[test]
fn ten_megabytes() {
    let long = |bytes: usize| {
        let value = format!("\"{}\"", "x".repeat(bytes));
        payment(&[("payment_id", "\"P2\""), ("note", &value)]).into_bytes()
    };
    let values = [long(1 << 20), long(10_000_000)];
    rejects("too_large", "payments", &values);
    rejects("bad_json", "payments", &[vec![b'x'; 10_000_000]]);
}

#[test]
fn types_that_are_not_in_the_table() {
    let types = [
        "\"payment.lost\"",
        "\"PAYMENT.SUCCEEDED\"",
        "\"payment.succeeded \"",
        "\"支付\"",
    ];
    rejects("unknown_type", "payments", &payments("type", &types));
}

#[test]
fn required_members_that_are_absent_or_null() {
    let required = [
        "event_id",
        "occurred_at",
        "payment_id",
        "channel",
        "merchant_id",
        "terminal_id",
        "amount_minor",
        "currency",
    ];
    for member in required {
        rejects(
            "missing_field",
            "payments",
            &payments(member, &["", "null"]),
        );
    }
}

#[test]
fn members_of_another_type() {
    let long = format!("\"{}\"", "é".repeat(129));
    let ids = ["\"\"", "7", "true", "[\"P2\"]", "{}", long.as_str()];
    rejects("bad_type", "payments", &payments("payment_id", &ids));
    rejects(
        "bad_type",
        "payments",
        &payments("amount_minor", &["\"100\"", "true", "[1]"]),
    );
    rejects(
        "bad_type",
        "payments",
        &payments("currency", &["156", "\"\""]),
    );
    rejects(
        "bad_type",
        "payments",
        &payments("occurred_at", &["1772452800000", "\"\""]),
    );
    let words = [
        event("payment.refunded", "x1", &[("status", "\"maybe\"")]),
        event("payment.refunded", "x2", &[("status", "1")]),
        event("terminal.credited", "x3", &[("partial", "\"true\"")]),
        event("payment.stage", "x4", &[("stage", "\"moon\"")]),
    ];
    let words: Vec<Vec<u8>> = words.into_iter().map(String::into_bytes).collect();
    rejects("bad_type", "lifecycle", &words);
}

#[test]
fn money_that_is_no_positive_integer_of_63_bits() {
    let amounts = [
        "0",
        "-0",
        "-1",
        "1.5",
        "100.0",
        "1e3",
        "1E+2",
        "9223372036854775808",
        "18446744073709551617",
        "340282366920938463463374607431768211457",
        "1e400",
    ];
    rejects("bad_money", "payments", &payments("amount_minor", &amounts));
    let fees = ["-1", "0.5", "1e1", "9223372036854775808"];
    rejects("bad_money", "payments", &payments("fee_minor", &fees));
    rejects(
        "bad_money",
        "payments",
        &payments("order_amount_minor", &amounts),
    );
}

#[test]
fn currencies_that_do_not_exist() {
    let codes = [
        "\"cny\"", "\"Cny\"", "\"RMB\"", "\"CN\"", "\"CNYY\"", "\"ZZZ\"", "\"元\"", "\" CNY\"",
    ];
    rejects("bad_currency", "payments", &payments("currency", &codes));
}

#[test]
fn times_without_an_offset_or_a_place_in_the_calendar() {
    let times = [
        "\"2026-03-02T12:00:00\"",
        "\"2026-03-02\"",
        "\"yesterday\"",
        "\"1772452800\"",
        "\"2026-02-29T12:00:00Z\"",
        "\"2026-03-02T24:00:00Z\"",
        "\"2026-03-02T12:00:00+08\"",
        "\"2026-03-02T12:00:00+24:00\"",
        "\"12026-03-02T12:00:00Z\"",
    ];
    rejects("bad_time", "payments", &payments("occurred_at", &times));
    rejects(
        "bad_time",
        "payments",
        &payments("expected_credit_by", &times),
    );
}

#[test]
fn events_of_a_payment_on_a_stream_of_other_keys() {
    let values = [
        payment(&[("payment_id", "\"P2\"")]),
        event("terminal.credited", "x1", &[]),
        event("payment.declined", "x2", &[]),
    ];
    let values: Vec<Vec<u8>> = values.into_iter().map(String::into_bytes).collect();
    rejects("wrong_stream", "terminals", &values);
}

#[test]
fn of_several_reasons_the_first_in_order_is_named() {
    let several = |changes: &[(&str, &str)]| vec![payment(changes).into_bytes()];
    let time_and_money = [("occurred_at", "\"now\""), ("amount_minor", "-1")];
    rejects("bad_money", "payments", &several(&time_and_money));
    let currency_and_absent = [("currency", "\"XXQ\""), ("channel", "")];
    rejects("missing_field", "payments", &several(&currency_and_absent));
    let unknown_and_absent = [("type", "\"payment.lost\""), ("event_id", "")];
    rejects("unknown_type", "payments", &several(&unknown_and_absent));
    rejects(
        "bad_time",
        "terminals",
        &several(&[("occurred_at", "\"now\"")]),
    );
}

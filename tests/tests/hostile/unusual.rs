//! Records that look wrong and are right: each is used.

use serde_json::Value;

use crate::tape::{Tape, event, payment, records, rejections};

/// Payments that nobody credits; each must raise its alert with this payment id.
#[track_caller]
fn alerts_for(values: &[(&str, String)]) -> Vec<Value> {
    let mut tape = Tape::new();
    for (_, value) in values {
        tape.put("payments", value);
    }
    let written = tape.play();
    assert!(
        rejections(&written).is_empty(),
        "{:?}",
        rejections(&written)
    );
    let opened: Vec<Value> = written
        .alerts
        .into_iter()
        .filter(|alert| alert["state"] == "open")
        .collect();
    let ids: Vec<&str> = opened
        .iter()
        .filter_map(|alert| alert["payment_id"].as_str())
        .collect();
    let expected: Vec<&str> = values.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, expected);
    opened
}

#[test]
fn ids_of_256_bytes_in_any_script() {
    let long = "9".repeat(256);
    let script = "支付宝".repeat(28);
    let ids = [
        long.as_str(),
        script.as_str(),
        "💴",
        "a b",
        "a/b",
        "..",
        "\u{202e}evil",
        "'; --",
    ];
    let named: Vec<(&str, String)> = ids
        .iter()
        .map(|id| (*id, payment(&[("payment_id", &format!("\"{id}\""))])))
        .collect();
    alerts_for(&named);
}

#[test]
fn escapes_in_names_and_values() {
    let escaped = payment(&[
        ("payment_id", ""),
        ("p\\u0061yment_id", "\"P\\u0031\\n\\ud83d\\udcb4\""),
    ]);
    let quoted = payment(&[("payment_id", "\"say \\\"1\\\" \\\\ \\/ \\u0000\"")]);
    alerts_for(&[("P1\n💴", escaped), ("say \"1\" \\ / \0", quoted)]);
}

#[test]
fn amounts_at_their_bounds() {
    let amount = |id: &str, amount: &str| {
        payment(&[
            ("payment_id", &format!("\"{id}\"")),
            ("amount_minor", amount),
        ])
    };
    let alerts = alerts_for(&[
        ("P1", amount("P1", "1")),
        ("P2", amount("P2", "9223372036854775807")),
        ("P3", amount("P3", "9223372036854775807")),
    ]);
    assert_eq!(alerts[0]["amount_minor"], 1);
    assert_eq!(alerts[1]["amount_minor"], 9_223_372_036_854_775_807_i64);
}

#[test]
fn business_times_of_any_year() {
    let paid = |id: &str, time: &str| {
        payment(&[
            ("payment_id", &format!("\"{id}\"")),
            ("occurred_at", &format!("\"{time}\"")),
        ])
    };
    let alerts = alerts_for(&[
        ("P1", paid("P1", "1970-01-01T00:00:00Z")),
        ("P2", paid("P2", "2099-12-31T23:59:59.999+14:00")),
        ("P3", paid("P3", "0001-01-01T00:00:00Z")),
        ("P4", paid("P4", "9999-12-31T23:59:59Z")),
        ("P5", paid("P5", "0000-01-01T00:00:00+23:59")),
        ("P6", paid("P6", "9999-12-31T23:59:59-23:59")),
    ]);
    assert_eq!(alerts[0]["paid_at"], "1970-01-01T00:00:00.000Z");
    assert_eq!(alerts[1]["paid_at"], "2099-12-31T09:59:59.999Z");
    assert_eq!(alerts[2]["paid_at"], "0001-01-01T00:00:00.000Z");
    assert_eq!(alerts[3]["paid_at"], "9999-12-31T23:59:59.000Z");
}

#[test]
fn a_credit_ten_thousand_years_before_its_payment() {
    let mut tape = Tape::new();
    tape.put(
        "payments",
        payment(&[("occurred_at", "\"9999-12-31T23:59:59Z\"")]),
    );
    tape.ts += 30_000;
    let at = ("occurred_at", "\"0001-01-01T00:00:00Z\"");
    tape.put("credits", event("terminal.credited", "c1", &[at]));
    let written = tape.play();
    assert_eq!(written.summary["credited"], 1);
    assert_eq!(written.alerts.len(), 2);
    assert_eq!(written.alerts[1]["lag_ms"], -315_537_897_599_000_i64);
}

#[test]
fn due_times_of_any_year() {
    let due = |time: &str| {
        let settle_mode = ("settle_mode", "\"t1\"");
        payment(&[settle_mode, ("expected_credit_by", &format!("\"{time}\""))])
    };
    for time in ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"] {
        alerts_for(&[("P1", due(time))]);
    }
    for time in ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59"] {
        let release = ("expected_release_at", format!("\"{time}\""));
        let mut tape = Tape::new();
        tape.put("payments", payment(&[]));
        tape.put(
            "lifecycle",
            event("payment.held", "h1", &[(release.0, &release.1)]),
        );
        let written = tape.play();
        assert_eq!(written.alerts[0]["kind"], "hold_overdue");
        assert_eq!(written.summary["written_off"], 1);
    }
}

#[test]
fn optional_members_that_are_malformed_count_as_absent() {
    let malformed = [
        ("settle_mode", "\"someday\""),
        ("payer_hash", "7"),
        ("gateway", "[]"),
        ("region", "\"\""),
        ("mcc", "5411"),
        ("attrs", "[1,2]"),
        ("tenant", "{}"),
        ("unheard_of", "{\"a\":[1,null,{\"b\":1e999}]}"),
    ];
    alerts_for(&[("P1", payment(&malformed))]);
    let nothing = [
        "fee_minor",
        "order_amount_minor",
        "expected_credit_by",
        "payer_hash",
        "attrs",
        "tenant",
    ];
    let nothing = nothing.map(|member| (member, "null"));
    alerts_for(&[("P1", payment(&nothing))]);
}

#[test]
fn sixty_four_levels_and_a_thousand_unknown_members() {
    let deep = format!("{}0{}", "[".repeat(63), "]".repeat(63));
    let names: Vec<String> = (0..1000).map(|i| format!("unknown_{i}")).collect();
    let mut members: Vec<(&str, &str)> =
        names.iter().map(|name| (name.as_str(), "\"x\"")).collect();
    members.push(("deep", &deep));
    alerts_for(&[("P1", payment(&members))]);
}

#[test]
fn contradictory_duplicates_change_nothing() {
    let mut tape = Tape::new();
    tape.put("payments", payment(&[]));
    tape.put(
        "payments",
        payment(&[
            ("amount_minor", "7"),
            ("currency", "\"USD\""),
            ("event_id", "\"e2\""),
        ]),
    );
    tape.put(
        "payments",
        payment(&[
            ("merchant_id", "\"M2\""),
            ("occurred_at", "\"1999-01-01T00:00:00Z\""),
        ]),
    );
    let id = ("credit_id", "\"C1\"");
    tape.put(
        "credits",
        event("terminal.credited", "c1", &[id, ("amount_minor", "10000")]),
    );
    tape.put(
        "credits",
        event("terminal.credited", "c2", &[id, ("amount_minor", "9")]),
    );
    tape.put(
        "credits",
        event("terminal.credited", "c3", &[id, ("currency", "\"USD\"")]),
    );
    let written = tape.play();
    assert!(written.alerts.is_empty(), "{:?}", written.alerts);
    assert_eq!(records(&written, "payments"), [1, 2, 0, 0, 0]);
    assert_eq!(records(&written, "credits"), [1, 2, 0, 0, 0]);
    assert_eq!(written.summary["amount_minor"]["CNY"]["credited"], "10000");
}

#[test]
fn a_member_that_stands_twice_is_read_once() {
    let mut tape = Tape::new();
    let twice = payment(&[]).replace(
        "{\"type\"",
        "{\"payment_id\":\"P0\",\"amount_minor\":1,\"type\"",
    );
    tape.put("payments", twice);
    let written = tape.play();
    assert_eq!(written.summary["payments"], 1);
    assert_eq!(records(&written, "payments"), [1, 0, 0, 0, 0]);
}

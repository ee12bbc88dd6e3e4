//! Which records are rejected, for which reason, and what is read of those that are not.

mod support;

use settlewatch_join::Timestamp;
use settlewatch_join::event::{Body, RefundStatus, RefusalClass, SettleMode};
use settlewatch_wire::{Limits, Reason, check_stream, decode};
use support::{VALID, reason, valid, with};

const PAID: &str = "payment.succeeded";
const CREDIT: &str = "terminal.credited";
const ALL_TYPES: usize = 14;

fn body(value: &str) -> Body<'_> {
    decode(Some(value.as_bytes()), &Limits::default())
        .expect("a valid record")
        .body
}

/// Checks one change to the valid record of a type.
fn check(type_name: &str, name: &str, value: &str, expected: Option<Reason>) {
    let record = with(type_name, &[(name, value)]);
    assert_eq!(reason(&record), expected, "{type_name}: {name} = {value}");
}

#[test]
fn every_type_of_the_table_is_read() {
    let mut names: Vec<_> = VALID
        .iter()
        .map(|record| body(record).type_name())
        .collect();
    for (record, name) in VALID.iter().zip(&names) {
        assert!(record.contains(&format!(r#""type":"{name}""#)));
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), ALL_TYPES);
}

#[test]
fn a_payment_is_read_whole() {
    let event = decode(Some(VALID[0].as_bytes()), &Limits::default()).expect("a valid record");
    assert_eq!(event.tenant.as_deref(), Some("t1"));
    assert_eq!(event.event_id, "e1");
    assert_eq!(event.occurred_at, Timestamp::from_millis(1_772_328_600_000));
    let Body::Succeeded(paid) = event.body else {
        panic!("a payment")
    };
    assert_eq!(
        (paid.amount_minor, paid.fee_minor, paid.order_amount_minor),
        (12800, Some(0), Some(12800))
    );
    assert_eq!(paid.currency.as_str(), "CNY");
    assert_eq!(paid.settle_mode, SettleMode::T1);
    assert_eq!(
        paid.expected_credit_by,
        Some(Timestamp::from_millis(1_772_445_600_000))
    );
    let read = [
        (&paid.payer_hash, "ph"),
        (&paid.gateway, "gw"),
        (&paid.acquirer, "acq"),
        (&paid.connector, "con"),
        (&paid.store_id, "st"),
        (&paid.region, "north"),
        (&paid.carrier, "car"),
        (&paid.terminal_model, "mod"),
        (&paid.pos_vendor, "ven"),
        (&paid.app_version, "1.2"),
        (&paid.method, "nfc"),
        (&paid.mcc, "5411"),
    ];
    for (text, expected) in read {
        assert_eq!(text.as_deref(), Some(expected));
    }
    let required = [
        &paid.payment_id,
        &paid.channel,
        &paid.merchant_id,
        &paid.terminal_id,
    ];
    assert_eq!(
        required.map(|text| text.as_ref()),
        ["pay-1", "qr", "mer-1", "term-1"]
    );
    assert_eq!(
        paid.attrs,
        [("lane".into(), "7".into()), ("shop".into(), "西湖".into())]
    );
}

#[test]
fn every_required_field_is_required_and_null_is_absent() {
    let common = ["event_id", "occurred_at"];
    let rows: &[(&str, &[&str])] = &[
        (
            PAID,
            &[
                "payment_id",
                "channel",
                "merchant_id",
                "terminal_id",
                "amount_minor",
                "currency",
            ],
        ),
        (CREDIT, &["payment_id"]),
        ("payment.authorized", &["payment_id"]),
        ("payment.refunded", &["payment_id"]),
        ("payment.reversed", &["payment_id"]),
        ("payment.held", &["payment_id"]),
        ("payment.released", &["payment_id"]),
        ("payment.declined", &["payment_id"]),
        ("credit.rejected", &["payment_id"]),
        ("payment.stage", &["payment_id", "stage"]),
        ("terminal.heartbeat", &["terminal_id"]),
        ("account.status", &["merchant_id", "status"]),
        ("batch.settled", &["channel", "batch_id"]),
        ("marker", &["kind"]),
    ];
    assert_eq!(rows.len(), ALL_TYPES);
    for (type_name, required) in rows {
        for name in common.iter().chain(*required) {
            check(type_name, name, "", Some(Reason::MissingField));
            check(type_name, name, "null", Some(Reason::MissingField));
            let record = with(type_name, &[(name, "null")]);
            let rejection =
                decode(Some(record.as_bytes()), &Limits::default()).expect_err("incomplete");
            assert!(
                rejection.detail.starts_with(&format!("{name}: ")),
                "{rejection}"
            );
            for value in ["true", "{}", "[]", r#""""#] {
                check(type_name, name, value, Some(Reason::BadType));
            }
        }
        for name in valid(type_name)
            .keys()
            .filter(|name| *name != "type" && !common.contains(&name.as_str()))
        {
            if !required.contains(&name.as_str()) {
                check(type_name, name, "", None);
                check(type_name, name, "null", None);
            }
        }
    }
}

#[test]
fn strings_have_1_to_256_bytes_after_unescaping() {
    let fits = format!("\"{}\"", "x".repeat(256));
    let escaped = format!("\"{}\"", r"\u0078".repeat(256));
    let wide = format!("\"{}\"", "掉".repeat(86));
    let long = format!("\"{}\"", "x".repeat(257));
    for (value, expected) in [
        (fits.as_str(), None),
        (escaped.as_str(), None),
        (wide.as_str(), Some(Reason::BadType)),
        (long.as_str(), Some(Reason::BadType)),
    ] {
        check(PAID, "payment_id", value, expected);
        check(PAID, "event_id", value, expected);
        // Of the optional ones it counts as absent.
        check(PAID, "gateway", value, None);
        let record = with(PAID, &[("gateway", value)]);
        let Body::Succeeded(paid) = body(&record) else {
            panic!("a payment")
        };
        assert_eq!(paid.gateway.is_none(), expected.is_some());
    }
}

#[test]
fn a_type_that_is_not_in_the_table_is_unknown_whatever_it_is() {
    for value in [
        "",
        "null",
        "5",
        r#""""#,
        r#""payment.succeeded ""#,
        r#""Payment.Succeeded""#,
        r#""payment""#,
    ] {
        check(PAID, "type", value, Some(Reason::UnknownType));
    }
}

#[test]
fn money_is_an_integer_in_its_range() {
    let bad = [
        "-1",
        "1.0",
        "1e3",
        "0.5",
        "9223372036854775808",
        "1e999",
        "99999999999999999999999999999999999999999",
    ];
    let amounts = [
        (PAID, "order_amount_minor"),
        (CREDIT, "amount_minor"),
        ("payment.refunded", "amount_minor"),
        ("payment.reversed", "amount_minor"),
        ("payment.declined", "amount_minor"),
        ("credit.rejected", "amount_minor"),
        (PAID, "amount_minor"),
    ];
    let may_be_zero = [
        (PAID, "fee_minor"),
        (CREDIT, "fee_minor"),
        ("batch.settled", "total_minor"),
    ];
    for (type_name, name) in amounts.into_iter().chain(may_be_zero) {
        for value in bad {
            check(type_name, name, value, Some(Reason::BadMoney));
        }
        check(type_name, name, "9223372036854775807", None);
        check(type_name, name, "1", None);
        let required = (type_name, name) == (PAID, "amount_minor");
        for value in [r#""100""#, "true", "[1]", "{}"] {
            check(
                type_name,
                name,
                value,
                Some(if required {
                    Reason::BadType
                } else {
                    Reason::BadMoney
                }),
            );
        }
    }
    for (type_name, name) in amounts {
        check(type_name, name, "0", Some(Reason::BadMoney));
        check(type_name, name, "-0", Some(Reason::BadMoney));
    }
    for (type_name, name) in may_be_zero {
        check(type_name, name, "0", None);
        check(type_name, name, "-0", None);
    }
}

#[test]
fn currencies_and_times_reject_wherever_they_are_present() {
    for type_name in [PAID, CREDIT, "payment.declined", "credit.rejected"] {
        for value in [r#""cny""#, r#""RMB""#, r#""156""#, r#""CNYX""#, r#"" CNY""#] {
            check(type_name, "currency", value, Some(Reason::BadCurrency));
        }
        check(type_name, "currency", r#""\u0043NY""#, None);
        let other = if type_name == PAID {
            Reason::BadType
        } else {
            Reason::BadCurrency
        };
        check(type_name, "currency", "156", Some(other));
        check(type_name, "currency", r#""""#, Some(other));
    }
    for (type_name, name) in [
        (PAID, "expected_credit_by"),
        ("payment.held", "expected_release_at"),
        ("marker", "starts_at"),
        ("marker", "ends_at"),
    ] {
        for value in [
            r#""2026-03-01T00:00:00""#,
            "1772328600000",
            r#""""#,
            "{}",
            r#""tomorrow""#,
        ] {
            check(type_name, name, value, Some(Reason::BadTime));
        }
    }
    check(
        PAID,
        "occurred_at",
        r#""2026-03-01 00:00:00Z""#,
        Some(Reason::BadTime),
    );
    check(PAID, "occurred_at", "1772328600000", Some(Reason::BadType));
    for year in ["0000", "1970", "2099", "9999"] {
        check(
            PAID,
            "occurred_at",
            &format!(r#""{year}-01-01T00:00:00Z""#),
            None,
        );
    }
}

#[test]
fn a_marker_of_any_kind_is_a_marker() {
    check("marker", "kind", r#""stocktaking""#, None);
    for value in ["true", "1", r#""""#, "[]"] {
        check("marker", "kind", value, Some(Reason::BadType));
    }
}

#[test]
fn words_that_decide_reject_and_others_count_as_absent() {
    for value in [r#""done""#, "true", "1", r#""""#, "[]"] {
        check("payment.refunded", "status", value, Some(Reason::BadType));
        check("payment.reversed", "status", value, Some(Reason::BadType));
        check("account.status", "status", value, Some(Reason::BadType));
        check("payment.stage", "stage", value, Some(Reason::BadType));
        check("payment.held", "reason", value, None);
        check(PAID, "settle_mode", value, None);
    }
    for value in [r#""true""#, "1", "0", "{}"] {
        check(CREDIT, "partial", value, Some(Reason::BadType));
    }
    let record = with(PAID, &[("settle_mode", r#""t7""#)]);
    let Body::Succeeded(paid) = body(&record) else {
        panic!("a payment")
    };
    assert_eq!(paid.settle_mode, SettleMode::Realtime);
    for value in [r#""solar_flare""#, "7", ""] {
        let record = with("credit.rejected", &[("class", value)]);
        let Body::Rejected(refusal) = body(&record) else {
            panic!("a refusal")
        };
        assert_eq!(refusal.class, RefusalClass::Other);
    }
    let record = with("payment.refunded", &[("status", "")]);
    let Body::Refunded(refund) = body(&record) else {
        panic!("a refund")
    };
    assert_eq!(refund.status, RefundStatus::Succeeded);
}

#[test]
fn other_malformed_optional_fields_count_as_absent() {
    let values = ["7", "1.5", "{}", "[]", r#""""#, "false"];
    for name in [
        "tenant",
        "payer_hash",
        "gateway",
        "mcc",
        "attrs",
        "app_version",
    ] {
        for value in values {
            check(PAID, name, value, None);
        }
    }
    for name in [
        "credit_id",
        "channel",
        "terminal_id",
        "merchant_id",
        "batch_id",
    ] {
        for value in values {
            check(CREDIT, name, value, None);
        }
    }
    let nonsense: Vec<_> = [
        "network",
        "rssi_dbm",
        "queue_depth",
        "error_code",
        "uptime_s",
        "signed_in",
    ]
    .map(|name| (name, "1.5"))
    .into();
    let record = with("terminal.heartbeat", &nonsense);
    let Body::Heartbeat(beat) = body(&record) else {
        panic!("a heartbeat")
    };
    assert_eq!(
        (
            beat.rssi_dbm,
            beat.queue_depth,
            beat.uptime_s,
            beat.signed_in
        ),
        (None, None, None, None)
    );
    assert_eq!((beat.network, beat.error_code), (None, None));
    for value in [r#""2026-02-30""#, "20260301", r#""2026-03-01T00:00:00Z""#] {
        let record = with("batch.settled", &[("settle_date", value), ("count", "-4")]);
        let Body::BatchSettled(batch) = body(&record) else {
            panic!("a batch")
        };
        assert_eq!((batch.settle_date, batch.count), (None, None));
    }
}

#[test]
fn fields_of_other_types_are_unknown_and_ignored() {
    for (type_name, name, value) in [
        ("payment.stage", "amount_minor", "-1"),
        ("payment.stage", "status", "7"),
        ("payment.authorized", "currency", r#""rmb""#),
        ("terminal.heartbeat", "partial", "7"),
        ("terminal.heartbeat", "payment_id", r#""""#),
        (PAID, "stage", "7"),
        (PAID, "starts_at", "7"),
        (CREDIT, "order_amount_minor", "-7"),
        (CREDIT, "expected_credit_by", "7"),
    ] {
        check(type_name, name, value, None);
    }
}

#[test]
fn attributes_are_strings_and_the_last_of_a_name_wins() {
    let attrs = r#"{"a":"1","b":2,"c":"3","d":"","e":null,"f":["x"],"":"g","c":"4","a":5,"\u0068":"\u4e2d","i":{"c":"no"}}"#;
    let record = with(PAID, &[("attrs", attrs)]);
    let Body::Succeeded(paid) = body(&record) else {
        panic!("a payment")
    };
    assert_eq!(
        paid.attrs,
        [("c".into(), "4".into()), ("h".into(), "中".into())]
    );

    // Many names are told apart in another way.
    let many: Vec<_> = (0..40_000)
        .map(|n| format!(r#""k{}":"{n}""#, n % 20_000))
        .collect();
    let record = with(PAID, &[("attrs", &format!("{{{}}}", many.join(",")))]);
    let Body::Succeeded(paid) = body(&record) else {
        panic!("a payment")
    };
    assert_eq!(paid.attrs.len(), 20_000);
    assert!(paid.attrs.contains(&("k7".into(), "20007".into())));

    let record = with(
        "marker",
        &[("scope", r#"{"gateway":"gw","region":["a","b"]}"#)],
    );
    let Body::Marker(marker) = body(&record) else {
        panic!("a marker")
    };
    assert_eq!(marker.scope, [("gateway".into(), "gw".into())]);
}

#[test]
fn the_last_of_duplicate_members_wins_and_names_may_be_escaped() {
    let record = r#"{"type":"marker","event_id":"","event_id":"e1","occurred_at":7,"type":"payment.released","occurred_at":"2026-03-01T00:00:00Z","payment_id":"first","payment_\u0069d":"second"}"#;
    let Body::Released { payment_id } = body(record) else {
        panic!("a release")
    };
    assert_eq!(payment_id, "second");
    let record = r#"{"type":"payment.released","event_id":"e1","occurred_at":"2026-03-01T00:00:00Z","payment_\u0069d":"first","payment_id":null}"#;
    assert_eq!(reason(record), Some(Reason::MissingField));
}

#[test]
fn strings_borrow_unless_they_are_escaped() {
    let record = with(
        "payment.released",
        &[("payment_id", r#""a\"b\\c\/d\u00e9\ud83d\ude00\n""#)],
    );
    let event = decode(Some(record.as_bytes()), &Limits::default()).expect("a valid record");
    assert_eq!(event.body.payment_id(), Some("a\"b\\c/dé😀\n"));
    assert!(matches!(event.event_id, std::borrow::Cow::Borrowed(_)));
}

#[test]
fn of_several_reasons_the_first_in_order_is_reported() {
    let limits = Limits { record_bytes: 2000 };
    let deep = format!("{}{}", "[".repeat(70), "]".repeat(70));
    let large = format!("\"{}\"", " ".repeat(2000));
    // One change for each reason that a single record can show at once with any later one.
    let faults: &[(Reason, &str, &str)] = &[
        (Reason::TooDeep, "x_deep", &deep),
        (Reason::TooLarge, "x_large", &large),
        (Reason::UnknownType, "type", r#""payment.sung""#),
        (Reason::MissingField, "terminal_id", ""),
        (Reason::BadType, "channel", "7"),
        (Reason::BadMoney, "fee_minor", "-1"),
        (Reason::BadCurrency, "currency", r#""rmb""#),
        (Reason::BadTime, "occurred_at", r#""today""#),
    ];
    for (first, (reason, name, value)) in faults.iter().enumerate() {
        for (_, other, other_value) in &faults[first + 1..] {
            let record = with(PAID, &[(name, value), (other, other_value)]);
            let decoded =
                decode(Some(record.as_bytes()), &limits).map_err(|rejection| rejection.reason);
            assert_eq!(decoded.err(), Some(*reason), "{name} and {other}");
        }
        let mut record = with(PAID, &[(name, value)]).into_bytes();
        record.extend(b" x");
        let not_json = decode(Some(&record), &limits).map_err(|rejection| rejection.reason);
        assert_eq!(
            not_json.err(),
            Some(Reason::BadJson),
            "{name} and broken JSON"
        );
        record.push(0xff);
        let not_utf8 = decode(Some(&record), &limits).map_err(|rejection| rejection.reason);
        assert_eq!(
            not_utf8.err(),
            Some(Reason::BadUtf8),
            "{name} and bad UTF-8"
        );
    }
    assert!(Reason::ALL.is_sorted());
}

#[test]
fn a_record_at_the_limit_is_not_too_large() {
    let record = VALID[2].as_bytes();
    for (spare, expected) in [(0, None), (-1, Some(Reason::TooLarge))] {
        let limits = Limits {
            record_bytes: record.len().saturating_add_signed(spare),
        };
        assert_eq!(
            decode(Some(record), &limits)
                .err()
                .map(|rejection| rejection.reason),
            expected
        );
    }
}

#[test]
fn payments_do_not_belong_on_other_streams() {
    for record in VALID {
        let event = decode(Some(record.as_bytes()), &Limits::default()).expect("a valid record");
        assert_eq!(check_stream(&event, false), Ok(()));
        let other = check_stream(&event, true).map_err(|rejection| rejection.reason);
        assert_eq!(other.is_err(), event.body.payment_id().is_some());
        assert!(other.is_ok() || other == Err(Reason::WrongStream));
    }
}

#[test]
fn no_detail_quotes_a_value() {
    const SECRET: &str = "payer 6222 0000";
    let secret = format!("\"{SECRET}\"");
    for record in VALID {
        let fields: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(record).expect("a record");
        let type_name = fields["type"].as_str().expect("a type");
        for name in fields.keys() {
            let record = with(type_name, &[(name, &secret)]);
            if let Err(rejection) = decode(Some(record.as_bytes()), &Limits::default()) {
                assert!(!rejection.detail.contains("6222"), "{rejection}");
            }
        }
    }
}

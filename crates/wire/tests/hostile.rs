//! Records that are made to hurt: each is rejected with its reason or read, in bounded time and memory.

mod support;

use std::time::{Duration, Instant};

use settlewatch_wire::{Limits, Reason, decode};
use support::{VALID, reason, with};

const MEGA: usize = 1_000_000;

/// Without the limit of length, so that the scan itself is what stands the test.
fn unlimited(value: &[u8]) -> Option<Reason> {
    let limits = Limits {
        record_bytes: usize::MAX,
    };
    decode(Some(value), &limits)
        .err()
        .map(|rejection| rejection.reason)
}

#[test]
fn null_and_empty_values_are_null() {
    let limits = Limits::default();
    for value in [None, Some(&b""[..])] {
        assert_eq!(
            decode(value, &limits)
                .map_err(|rejection| rejection.reason)
                .err(),
            Some(Reason::NullValue)
        );
    }
}

#[test]
fn what_is_not_one_json_object_is_bad_json() {
    let cases = [
        " ",
        "null",
        "true",
        "7",
        "\"x\"",
        "[]",
        "[{}]",
        "{",
        "}",
        "{}{}",
        "{},",
        "{} x",
        "{]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{,\"a\":1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1;\"b\":2}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":'x'}",
        "{\"a\":01}",
        "{\"a\":-}",
        "{\"a\":+1}",
        "{\"a\":1.}",
        "{\"a\":.5}",
        "{\"a\":1e}",
        "{\"a\":1e+}",
        "{\"a\":0x1}",
        "{\"a\":NaN}",
        "{\"a\":Infinity}",
        "{\"a\":tru}",
        "{\"a\":truex}",
        "{\"a\":nul}",
        "{\"a\":TRUE}",
        "{\"a\":\"x}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"\\",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\0\"}",
        "{\"a\":\"\t\"}",
        "{\"a\n\":1}",
        "{\"a\":[}",
        "{\"a\":[1,]}",
        "{\"a\":[,1]}",
        "{\"a\":[1 2]}",
        "{\"a\":[1}]",
        "{\"a\":{\"b\":1,}}",
        "{\"a\":{\"b\"}}",
        "{\"a\":{1:2}}",
        "{\"a\":{]}",
        "{\"a\":1}/*x*/",
        "//x\n{}",
        "\u{feff}{}",
        "\u{a0}{}",
        "{}\u{2028}",
        "{}\0",
        "\u{c}{}",
        "{\"a\":\"\\U0041\"}",
        "{\"a\":\"\\u+041\"}",
    ];
    for case in cases {
        assert_eq!(reason(case), Some(Reason::BadJson), "{case:?}");
    }
    for record in VALID {
        for length in 1..record.len() {
            if record.is_char_boundary(length) {
                assert_eq!(
                    reason(&record[..length]),
                    Some(Reason::BadJson),
                    "cut at {length}"
                );
            }
        }
    }
}

#[test]
fn white_space_between_tokens_is_json() {
    let record = " {\r\n\t\"a\" : [ ] , \"b\" : { } , \"c\" : [ 1 , { \"d\" : null } , [ [ ] , -0.5E+7 ] ] } \n";
    assert_eq!(reason(record), Some(Reason::UnknownType));
    assert_eq!(reason("{}"), Some(Reason::UnknownType));
    assert_eq!(reason(with("marker", &[("extra", "1e999")])), None);
}

#[test]
fn half_a_surrogate_pair_anywhere_is_bad_json() {
    for half in [
        r"\ud800",
        r"\udfff",
        r"\ud83dx",
        r"\ud83d\u0041",
        r"\ude00\ud83d",
    ] {
        for extra in [
            format!(r#""{half}""#),
            format!(r#"["a",{{"b":"{half}"}}]"#),
            format!(r#"{{"{half}":1}}"#),
        ] {
            assert_eq!(
                reason(with("marker", &[("extra", &extra)])),
                Some(Reason::BadJson),
                "{extra}"
            );
            assert_eq!(
                reason(with("marker", &[("scope", &extra)])),
                Some(Reason::BadJson),
                "{extra}"
            );
        }
        let record = VALID[2].replacen("\"payment_id\"", &format!("\"payment_id{half}\""), 1);
        assert_eq!(reason(record), Some(Reason::BadJson));
        let record = with(
            "payment.released",
            &[("payment_id", &format!("\"{half}\""))],
        );
        assert_eq!(reason(record), Some(Reason::BadJson));
    }
    assert_eq!(
        reason(with("marker", &[("extra", r#""\ud83d\ude00""#)])),
        None
    );
}

#[test]
fn bad_utf8_anywhere_is_bad_utf8() {
    for bytes in [
        &b"\xff"[..],
        b"\xc3",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xe4\xb8",
    ] {
        let mut record = VALID[2].as_bytes().to_vec();
        let middle = record.len() - 4;
        record.splice(middle..middle, bytes.iter().copied());
        assert_eq!(reason(&record), Some(Reason::BadUtf8));
        assert_eq!(reason(bytes), Some(Reason::BadUtf8));
    }
}

#[test]
fn nesting_is_counted_and_never_exhausts_the_stack() {
    for (extra, expected) in [
        (63, None),
        (64, Some(Reason::TooDeep)),
        (65, Some(Reason::TooDeep)),
        (10_000, Some(Reason::TooDeep)),
    ] {
        // The outer object is the first level.
        let arrays = format!("{}{}", "[".repeat(extra), "]".repeat(extra));
        let objects = format!(
            "{}{{{}{}",
            "{\"a\":".repeat(extra - 1),
            "}".repeat(extra - 1),
            "}"
        );
        for value in [arrays, objects] {
            assert_eq!(
                reason(with("marker", &[("extra", &value)])),
                expected,
                "{extra} levels"
            );
        }
    }
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(5 * MEGA), "]".repeat(5 * MEGA));
    assert_eq!(reason(&deep), Some(Reason::TooDeep));
    assert_eq!(reason(&deep[..deep.len() - 1]), Some(Reason::BadJson));
    // Mixed kinds must close in the order they opened, also below the 64 that fit one word.
    let mixed = format!(
        "{{\"a\":{}{}}}",
        "[{\"b\":".repeat(5000) + "1",
        "}]".repeat(5000)
    );
    assert_eq!(reason(&mixed), Some(Reason::TooDeep));
    assert_eq!(reason(mixed.replacen("}]", "]}", 1)), Some(Reason::BadJson));
    assert_eq!(reason("[".repeat(10 * MEGA)), Some(Reason::BadJson));
}

#[test]
fn ten_megabytes_are_scanned_and_are_too_large() {
    let long = format!("\"{}\"", "x".repeat(10 * MEGA));
    for name in ["payment_id", "gateway", "extra"] {
        assert_eq!(
            reason(with("payment.succeeded", &[(name, &long)])),
            Some(Reason::TooLarge)
        );
    }
    assert_eq!(reason("x".repeat(10 * MEGA)), Some(Reason::BadJson));
    assert_eq!(reason(vec![0xff; 10 * MEGA]), Some(Reason::BadUtf8));
    let record = with("payment.succeeded", &[("payment_id", &long)]);
    assert_eq!(unlimited(record.as_bytes()), Some(Reason::BadType));
    let digits = "7".repeat(10 * MEGA);
    let record = with("payment.succeeded", &[("amount_minor", &digits)]);
    assert_eq!(unlimited(record.as_bytes()), Some(Reason::BadMoney));
}

#[test]
fn many_members_cost_no_more_than_their_length() {
    let members: Vec<_> = (0..MEGA).map(|n| format!("\"k{}\":\"v\"", n / 2)).collect();
    let members = format!("{{{}}}", members.join(","));
    let escapes = format!("\"{}\"", r"\u0000".repeat(MEGA));
    for (name, value) in [
        ("attrs", &members),
        ("extra", &members),
        ("gateway", &escapes),
    ] {
        let record = with("payment.succeeded", &[(name, value)]);
        let started = Instant::now();
        assert_eq!(unlimited(record.as_bytes()), None);
        // Comparing each member with each would take minutes.
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "{name} took {:?}",
            started.elapsed()
        );
    }
}

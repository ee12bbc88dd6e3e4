//! Lines of a recording: envelopes as kcat prints them, bare events, and everything else.

use settlewatch_wire::{BadLine, Envelope, Line, Scratch, parse_line, parse_line_into};

const LINE: &str = r#"{"topic":"payments","partition":5,"offset":42,"tstype":"logappend","ts":1772328600123,"broker":1,"headers":["trace","x"],"key":"pay-1","payload":"{\"type\":\"payment.released\"}"}"#;

/// Reads a line by both functions, which must agree.
fn parse(line: &[u8]) -> Result<Line<'_>, BadLine> {
    let mut scratch = Scratch::default();
    // What an earlier line left must not show.
    let earlier = br#"{"topic":"t","partition":0,"offset":0,"key":"\n\n\n\n","payload":"\"earlier\" and longer than what follows"}"#;
    assert!(parse_line_into(earlier, &mut scratch).is_ok());
    let lent = parse_line_into(line, &mut scratch).map(|line| format!("{line:?}"));
    let owned = parse_line(line);
    assert_eq!(
        lent,
        owned
            .as_ref()
            .map(|line| format!("{line:?}"))
            .map_err(|error| *error)
    );
    owned
}

fn envelope(line: &[u8]) -> Envelope<'_> {
    match parse(line) {
        Ok(Line::Envelope(envelope)) => envelope,
        other => panic!("an envelope, not {other:?}"),
    }
}

/// The line with the JSON text of one member replaced.
fn with(name: &str, value: &str) -> Vec<u8> {
    let start = LINE.find(&format!("\"{name}\":")).expect("a member") + name.len() + 3;
    let end = match name {
        "payload" => LINE.len() - 1,
        _ => start + LINE[start..].find(",\"").expect("another member"),
    };
    [&LINE[..start], value, &LINE[end..]].concat().into_bytes()
}

#[test]
fn an_envelope_is_read_whole() {
    let envelope = envelope(LINE.as_bytes());
    assert_eq!(envelope.topic, "payments");
    assert_eq!(
        (envelope.partition, envelope.offset, envelope.ts),
        (5, 42, 1_772_328_600_123)
    );
    assert_eq!(envelope.key.as_deref(), Some(&b"pay-1"[..]));
    assert_eq!(
        envelope.payload.as_deref(),
        Some(&br#"{"type":"payment.released"}"#[..])
    );
}

#[test]
fn a_tombstone_has_no_payload() {
    assert_eq!(envelope(&with("payload", "null")).payload, None);
    assert_eq!(
        envelope(br#"{"topic":"t","partition":0,"offset":0}"#).payload,
        None
    );
    assert_eq!(envelope(&with("key", "null")).key, None);
    assert_eq!(
        envelope(&with("payload", "\"\"")).payload.as_deref(),
        Some(&b""[..])
    );
}

#[test]
fn payload_and_key_keep_the_bytes_they_had() {
    for name in ["payload", "key"] {
        let mut line = with(name, "\"<>\"");
        let at = line
            .windows(2)
            .position(|pair| pair == b"<>")
            .expect("the mark")
            + 1;
        line.splice(at..at, *b"\xff\xc3\xe6\x8e\x89\\u0000\\ud800\\\"");
        let envelope = envelope(&line);
        let bytes = if name == "payload" {
            envelope.payload
        } else {
            envelope.key
        };
        assert_eq!(
            bytes.as_deref(),
            Some(&b"<\xff\xc3\xe6\x8e\x89\0\xed\xa0\x80\">"[..])
        );
    }
}

#[test]
fn a_timestamp_that_is_no_integer_is_none() {
    for value in [
        "null",
        "\"1772328600123\"",
        "1.5",
        "1e12",
        "{}",
        "99999999999999999999",
    ] {
        assert_eq!(envelope(&with("ts", value)).ts, Envelope::NO_TS);
    }
    for (value, ts) in [
        ("0", 0),
        ("-5", -5),
        ("1772328600", 1_772_328_600),
        ("9223372036854775807", i64::MAX),
    ] {
        assert_eq!(envelope(&with("ts", value)).ts, ts);
    }
}

#[test]
fn malformed_members_make_a_bad_line() {
    for (member, values) in [
        ("topic", &["7", "{}", "\"\u{1}\"", "true"][..]),
        ("partition", &["-1", "2147483648", "\"5\"", "1.0", "[]"]),
        ("offset", &["-1", "9223372036854775808", "\"42\"", "4e1"]),
        (
            "payload",
            &[
                "7",
                "{}",
                "{\"type\":\"x\"}",
                "[]",
                "true",
                "\"x",
                "\"\\x\"",
                "\"\n\"",
            ],
        ),
    ] {
        for value in values {
            assert!(parse(&with(member, value)).is_err(), "{member} = {value}");
        }
    }
    let mut line = with("topic", "\"t\"");
    line[10] = 0xff;
    assert!(matches!(
        parse(&line),
        Err(BadLine::Member {
            member: "topic",
            ..
        })
    ));
}

#[test]
fn bare_events_are_told_from_other_objects() {
    let bare = [
        r#"{"type":"marker"}"#,
        r#" { "event_id" : null } "#,
        r#"{"payment_id":"p","topic":"t","partition":3}"#,
        r#"{"t\u0079pe":7}"#,
        "{\"type\":\"marker\"}\r",
    ];
    for line in bare {
        assert_eq!(parse(line.as_bytes()), Ok(Line::Bare(line.as_bytes())));
    }
    assert_eq!(
        parse(b"{\"type\":\"\xff\\ud800\"}"),
        Ok(Line::Bare(b"{\"type\":\"\xff\\ud800\"}"))
    );
    for line in [
        "{}",
        r#"{"topic":"t","partition":3}"#,
        r#"{"topic":"t","partition":3,"offset":null}"#,
        r#"{"a":{"type":1}}"#,
    ] {
        assert_eq!(parse(line.as_bytes()), Err(BadLine::Neither));
    }
    for line in [
        "",
        " ",
        "x",
        "[]",
        "null",
        "\"type\"",
        "{\"type\":\"marker\"",
        "{\"type\":1}{}",
        "{\"type\":1} x",
    ] {
        assert!(
            matches!(parse(line.as_bytes()), Err(BadLine::NotJson { .. })),
            "{line}"
        );
    }
    for length in 0..LINE.len() {
        assert!(parse(&LINE.as_bytes()[..length]).is_err());
    }
}

#[test]
fn the_order_of_members_and_what_else_there_is_do_not_matter() {
    let line = r#"{"payload":"x","type":"y","offset":1,"offset":2,"top\u0069c":"a\u002db","extra":[{"topic":"z"}],"partition":0}"#;
    let envelope = envelope(line.as_bytes());
    assert_eq!(
        (envelope.topic.as_ref(), envelope.offset, envelope.ts),
        ("a-b", 2, Envelope::NO_TS)
    );
    let deep = format!(
        "{{\"headers\":{}{},{}",
        "[".repeat(100_000),
        "]".repeat(100_000),
        &LINE[1..]
    );
    let deep = deep.replace(r#""headers":["trace","x"],"#, "");
    assert!(matches!(parse(deep.as_bytes()), Ok(Line::Envelope(_))));
}

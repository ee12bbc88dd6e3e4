//! Files that are not quite recordings.

use settlewatch_replay::Until;

use crate::tape::{Tape, bench, counted, event, payment, rejections};

fn story() -> Tape {
    let mut tape = Tape::new();
    tape.put("payments", payment(&[]));
    tape.ts += 31_000;
    tape.put("credits", event("terminal.credited", "c1", &[]));
    tape
}

#[test]
fn lines_that_are_no_records_are_named_and_the_others_are_read() {
    let bad: [&[u8]; 17] = [
        b"hello",
        b"[]",
        b"{}",
        b"null",
        b"{\"topic\":\"payments\"}",
        b"{\"topic\":\"elsewhere\",\"partition\":0,\"offset\":0,\"ts\":1772452800000,\"payload\":\"{}\"}",
        b"{\"topic\":\"payments\",\"partition\":-1,\"offset\":0,\"ts\":1772452800000,\"payload\":\"{}\"}",
        b"{\"topic\":\"payments\",\"partition\":4294967296,\"offset\":0,\"ts\":1,\"payload\":\"{}\"}",
        b"{\"topic\":\"payments\",\"partition\":0,\"offset\":\"7\",\"ts\":1772452800000,\"payload\":\"{}\"}",
        b"{\"topic\":\"payments\",\"partition\":0,\"offset\":9223372036854775808,\"ts\":1,\"payload\":\"{}\"}",
        b"{\"topic\":\"payments\",\"partition\":0,\"offset\":1.5,\"ts\":1772452800000,\"payload\":\"{}\"}",
        b"{\"topic\":\"payments\",\"partition\":0,\"offset\":70,\"ts\":1772452800000,\"payload\":{}}",
        b"{\"topic\":[],\"partition\":0,\"offset\":71,\"ts\":1772452800000,\"payload\":\"{}\"}",
        b"{\"topic\":\"payments\",\"partition\":0,\"offset\":72,\"ts\":1772452800000,\"payload\":\"{}",
        b"{\"topic\":\"payments\",\"partition\":0,\"offset\":73,\"payload\":\"\\x\"}",
        b"\xff\xfe\x00\x01",
        b"% Reached end of topic payments [0] at offset 3",
    ];
    let mut tape = Tape::new();
    tape.put("payments", payment(&[]));
    for line in bad {
        tape.line(line);
    }
    tape.put("credits", event("terminal.credited", "c1", &[]));
    let written = tape.play();
    let rejected = rejections(&written);
    assert_eq!(rejected.len(), bad.len(), "{rejected:?}");
    for (i, line) in rejected.iter().enumerate() {
        let members: Vec<&str> = line
            .as_object()
            .expect("an object")
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(members, ["file", "line", "reason"]);
        assert_eq!(line["line"], i + 2);
        assert_eq!(line["reason"], "bad_line");
        assert!(
            line["file"]
                .as_str()
                .is_some_and(|file| file.ends_with("0.ndjson"))
        );
    }
    assert_eq!(written.bad_lines, bad.len() as u64);
    assert_eq!(written.summary["credited"], 1);
}

#[test]
fn nothing_at_all_gives_an_empty_summary() {
    let empty: [&[u8]; 4] = [b"", b"\n", b"\n\r\n  \n", b"\xef\xbb\xbf"];
    for until in [Until::LastRecord, Until::Drained] {
        for bytes in empty {
            let written = bench()
                .until(until)
                .bytes(&[bytes])
                .expect("it is replayed");
            assert_eq!(counted(&written), 0, "{bytes:?}");
            assert_eq!(written.summary["payments"], 0);
            assert!(written.summary["from"].is_null());
            assert!(written.alerts.is_empty());
        }
    }
    let written = bench().bytes(&[]).expect("it is replayed");
    assert_eq!(counted(&written), 0);
}

#[test]
fn line_ends_of_any_kind_give_the_same_bytes() {
    let tape = story();
    let text = String::from_utf8(tape.bytes().to_vec()).expect("UTF-8");
    let plain = tape.play_until(Until::LastRecord);
    assert_eq!(plain.alerts.len(), 2);
    let variants = [
        text.trim_end().to_owned(),
        text.replace('\n', "\r\n"),
        text.replace('\n', "\n\n\r\n"),
        format!("\u{feff}{text}"),
    ];
    for variant in variants {
        let written = bench()
            .bytes(&[variant.as_bytes()])
            .expect("it is replayed");
        assert_eq!(plain.difference(&written), None, "{variant:?}");
    }
}

#[test]
fn a_record_that_is_recorded_twice_is_one_record() {
    let tape = story();
    let once = tape.play_until(Until::LastRecord);
    let twice = bench()
        .bytes(&[tape.bytes(), tape.bytes()])
        .expect("it is replayed");
    assert_eq!(once.alerts, twice.alerts);
    assert_eq!(once.summary["records"], twice.summary["records"]);
}

#[test]
fn bare_events_without_an_envelope_are_read_and_rejected_alike() {
    let mut tape = Tape::new();
    tape.line(payment(&[]));
    tape.line(payment(&[("payment_id", "\"P2\""), ("amount_minor", "-1")]));
    tape.line(payment(&[
        ("payment_id", "\"P3\""),
        ("occurred_at", "\"now\""),
    ]));
    let later = ("occurred_at", "\"2026-03-02T12:01:00Z\"");
    tape.line(event("terminal.credited", "c1", &[later]));
    let written = tape.play();
    let reasons: Vec<String> = rejections(&written)
        .iter()
        .map(|line| line["reason"].as_str().expect("a reason").to_owned())
        .collect();
    assert_eq!(reasons, ["bad_money", "bad_time"]);
    assert_eq!(written.alerts.len(), 2, "{:?}", written.alerts);
}

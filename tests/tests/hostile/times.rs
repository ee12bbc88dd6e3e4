//! Timestamps that no clock should believe.

use serde_json::Value;
use settlewatch_join::Timestamp;
use settlewatch_replay::Until;
use settlewatch_tests::harness::Written;
use settlewatch_tests::story::clock;

use crate::tape::{Tape, event, noon, payment, records, rejections};

/// A second past midnight, 1970.
const IN_1970: i64 = 1_000;

/// The first millisecond of 2099.
fn in_2099() -> i64 {
    clock("2099-01-01T00:00:00Z")
}

/// Five payments a second apart, the third credited; the one at `odd` has the timestamp `ts`.
fn tape(odd: usize, ts: i64) -> Tape {
    let mut tape = Tape::new();
    for i in 0..5 {
        let id = format!("\"P{i}\"");
        let at = if i == odd {
            ts
        } else {
            noon() + 1000 * i as i64
        };
        tape.put_at(at, "payments", payment(&[("payment_id", &id)]));
    }
    tape.put_at(
        noon() + 5000,
        "credits",
        event("terminal.credited", "c1", &[("payment_id", "\"P2\"")]),
    );
    tape
}

/// Payment and moment of each missing credit.
fn missing(written: &Written) -> Vec<(String, i64)> {
    let moment = |alert: &Value| {
        let text = |member: &str| alert[member].as_str().expect("a string").to_owned();
        (text("payment_id"), clock(&text("decided_at")) - noon())
    };
    written.alerts.iter().map(moment).collect()
}

fn until_a_minute_past() -> Until {
    Until::Time(Timestamp::from_millis(noon() + 60_000))
}

/// The deadlines of the payments that are not credited, when they are appended at these seconds.
fn deadlines(appended: [i64; 5]) -> Vec<(String, i64)> {
    let due = |i: &usize| (format!("P{i}"), (appended[*i] + 30) * 1000);
    let mut due: Vec<_> = [0, 1, 3, 4].iter().map(due).collect();
    due.sort_by_key(|(_, at)| *at);
    due
}

#[track_caller]
fn check(odd: usize, ts: i64, appended: [i64; 5]) {
    let written = tape(odd, ts).play_until(until_a_minute_past());
    let mut found = missing(&written);
    found.sort();
    let mut expected = deadlines(appended);
    expected.sort();
    assert_eq!(found, expected, "the payment {odd} at {ts}");
    assert_eq!(written.summary["credited"], 1);
    assert_eq!(
        written.summary["from"],
        "2026-03-02T12:00:0".to_owned() + if odd == 0 { "1.000Z" } else { "0.000Z" }
    );
    assert!(rejections(&written).is_empty());
}

#[test]
fn the_first_record_takes_the_time_of_the_one_after_it() {
    check(0, IN_1970, [1, 1, 2, 3, 4]);
    check(0, in_2099(), [1, 1, 2, 3, 4]);
    check(0, -1, [1, 1, 2, 3, 4]);
    check(0, i64::MAX, [1, 1, 2, 3, 4]);
    check(0, i64::MIN, [1, 1, 2, 3, 4]);
}

#[test]
fn one_in_the_middle_takes_the_time_of_the_one_before_it() {
    check(3, IN_1970, [0, 1, 2, 2, 4]);
    check(3, in_2099(), [0, 1, 2, 2, 4]);
    check(3, i64::MAX, [0, 1, 2, 2, 4]);
    check(3, i64::MIN, [0, 1, 2, 2, 4]);
}

#[test]
fn the_last_record_takes_the_time_of_the_one_before_it_where_it_lies_in_the_past() {
    check(4, IN_1970, [0, 1, 2, 3, 3]);
    check(4, -1, [0, 1, 2, 3, 3]);
}

#[test]
fn a_last_record_of_the_future_is_believed_for_nothing_gainsays_it() {
    let written = tape(4, in_2099()).play_until(Until::LastRecord);
    assert_eq!(written.summary["to"], "2099-01-01T00:00:00.000Z");
    assert_eq!(written.summary["payments"], 5);
    assert_eq!(written.summary["written_off"], 3);
}

#[test]
fn a_partition_without_one_plausible_timestamp_is_replayed_all_the_same() {
    for ts in [IN_1970, -1, i64::MIN] {
        let mut tape = Tape::new();
        tape.put_at(ts, "payments", payment(&[]));
        tape.put_at(ts, "credits", event("terminal.credited", "c1", &[]));
        let written = tape.play();
        assert_eq!(written.summary["credited"], 1, "{ts}");
        assert_eq!(records(&written, "payments"), [1, 0, 0, 0, 0]);
    }
}

#[test]
fn time_at_its_very_end_stops_nothing() {
    let mut tape = Tape::new();
    tape.put_at(i64::MAX, "payments", payment(&[]));
    tape.put_at(
        i64::MAX,
        "credits",
        event("terminal.credited", "c1", &[("payment_id", "\"P2\"")]),
    );
    let written = tape.play_until(Until::LastRecord);
    assert_eq!(written.summary["payments"], 1);
}

#[test]
fn a_partition_whose_time_goes_back_does_not_take_the_clock_with_it() {
    let mut tape = Tape::new();
    tape.put_at(noon() + 10_000, "payments", payment(&[]));
    tape.put_at(noon(), "payments", payment(&[("payment_id", "\"P2\"")]));
    let written = tape.play_until(until_a_minute_past());
    let expected = [("P1".to_owned(), 40_000), ("P2".to_owned(), 40_000)];
    let mut found = missing(&written);
    found.sort();
    assert_eq!(found, expected);
}

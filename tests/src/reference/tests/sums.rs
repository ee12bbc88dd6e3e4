//! Every payment and every record is counted once.

use super::*;
use crate::reference::{Counts, Sums};

#[test]
fn payments_and_money_are_summed_by_currency() {
    let story = Story::new()
        .pay("P1")
        .credit("P1")
        .pay("P2")
        .amount(7)
        .currency("JPY")
        .pay("P3")
        .pay("P4");
    let outcome = story.reverse("P4").judged(&usual(), "12:00:30");
    let counts = Sums {
        payments: 4,
        credited: 1,
        explained: 1,
        written_off: 0,
        pending: 2,
        overdue: 2,
    };
    assert_eq!(outcome.counts, counts);
    let yen = Sums {
        payments: 7,
        pending: 7,
        overdue: 7,
        ..Sums::default()
    };
    assert_eq!(outcome.amounts["JPY"], yen);
    assert_eq!(outcome.amounts["CNY"].payments, 30_000);
}

#[test]
fn what_comes_again_is_duplicate_and_what_comes_after_the_close_is_late() {
    let story = Story::new()
        .pay("P1")
        .again()
        .hold("P1")
        .again()
        .stage("P1", "gateway_in")
        .again();
    let story = story.release("P1").credit("P1").again();
    let story = story
        .at("12:00:01")
        .stage("P1", "merchant_ack")
        .reject("P1", "limit")
        .hold("P1");
    let outcome = story.judged(&usual(), "13:00:00");
    assert!(outcome.revisions.is_empty());
    let counts = |used, duplicate, late| Counts {
        used,
        duplicate,
        late,
        before_horizon: 0,
    };
    assert_eq!(outcome.records[0], counts(1, 1, 0));
    assert_eq!(outcome.records[1], counts(1, 1, 0));
    // In one millisecond the credit is judged before the lifecycle: hold and release are late.
    assert_eq!(outcome.records[2], counts(2, 2, 4));
}

#[test]
fn the_first_record_of_a_payment_stands() {
    let story = Story::new()
        .pay("P1")
        .at("12:00:05")
        .pay("P1")
        .amount(1)
        .at("12:00:06");
    let outcome = story
        .credit("P1")
        .with("amount_minor", 10_000)
        .judged(&usual(), "13:00:00");
    assert!(outcome.revisions.is_empty());
    assert_eq!(outcome.amounts["CNY"].payments, 10_000);
}

#[test]
fn tenants_do_not_share_ids() {
    let story = Story::new()
        .pay("P1")
        .with("tenant", "a")
        .credit("P1")
        .with("tenant", "b");
    let outcome = story.judged(&usual(), "12:02:00");
    let kinds: Vec<_> = outcome.revisions.iter().map(|it| it.kind).collect();
    assert_eq!(kinds, ["credit_missing", "credit_missing", "orphan_credit"]);
}

#[test]
fn waits_without_payments_are_shown() {
    let story = Story::new()
        .authorize("P1")
        .stage("P2", "gateway_in")
        .decline("P2")
        .with("class", "auth_incomplete");
    let waits: Vec<_> = story
        .judged(&usual(), "13:00:00")
        .waits
        .into_iter()
        .collect();
    assert_eq!(waits, [("AUTH_INCOMPLETE", 1), ("USER_INCOMPLETE", 1)]);
}

#[test]
fn a_heartbeat_that_is_not_newer_is_duplicate() {
    let story = Story::new()
        .heartbeat("T1")
        .heartbeat("T1")
        .at("12:00:01")
        .heartbeat("T1");
    let records = story.judged(&usual(), "13:00:00").records[3];
    // One more is the beginning of every story.
    assert_eq!((records.used, records.duplicate), (3, 1));
}

//! Records that retention took unread: blindness, not a storm.

use super::common::{Bench, told, usual};
use settlewatch_join::Outcome;

#[test]
fn payments_whose_credit_may_lie_in_the_hole_are_written_off_without_an_alert() {
    let mut bench = Bench::new(&usual(), 0);
    bench.pay("BEFORE", 9_500, "a");
    let (lost, alerts) = bench.hole(10_000, 60_000);
    assert_eq!((lost, told(&alerts)), (1, vec![]));
    assert!(bench.known(1_000_000).is_empty());
    let books = bench.partition.ledger().books();
    assert_eq!(
        (books[0].1.written_off.count, books[0].1.pending.count),
        (1, 0)
    );
}

#[test]
fn a_payment_of_the_hole_is_written_off_when_it_is_read() {
    let mut bench = Bench::new(&usual(), 0);
    bench.hole(10_000, 60_000);
    assert!(bench.pay("WITHIN", 30_000, "a").is_empty());
    assert!(bench.known(1_000_000).is_empty());
    let books = bench.partition.ledger().books();
    assert_eq!(books[0].1.written_off.count, 1);
}

#[test]
fn a_payment_that_was_overdue_before_the_hole_stays_open() {
    let mut bench = Bench::new(&usual(), 0);
    bench.pay("OVERDUE", 5_000, "a");
    let (lost, alerts) = bench.hole(10_000, 60_000);
    assert_eq!(lost, 0);
    assert_eq!(
        told(&alerts),
        [
            "6000 OVERDUE credit_missing warn",
            "8000 OVERDUE credit_missing breach"
        ]
    );
}

#[test]
fn a_credit_for_a_payment_of_the_hole_is_no_orphan() {
    let mut bench = Bench::new(&usual(), 0);
    bench.hole(10_000, 60_000);
    bench.credit("LOST", 60_500, 59_000);
    assert!(bench.known(100_000).is_empty());
    assert_eq!(
        bench.partition.ledger().records(1, Outcome::BeforeHorizon),
        1
    );
}

#[test]
fn payments_after_the_hole_are_judged_as_ever() {
    let mut bench = Bench::new(&usual(), 0);
    bench.hole(10_000, 60_000);
    bench.pay("P1", 61_000, "a");
    assert_eq!(told(&bench.known(62_001)), ["62000 P1 credit_missing warn"]);
}

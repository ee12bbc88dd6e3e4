//! Known time is the only clock: deadlines pass when it has, and not before.

use super::common::{Bench, told, usual};
use settlewatch_join::Outcome;

#[test]
fn while_known_time_stands_every_deadline_is_held() {
    let mut bench = Bench::new(&usual(), 0);
    bench.pay("P1", 10_000, "a");
    for _ in 0..3 {
        assert!(
            bench.known(11_000).is_empty(),
            "a credit may still be appended at the deadline"
        );
    }
    assert_eq!(told(&bench.known(11_001)), ["11000 P1 credit_missing warn"]);
}

#[test]
fn a_deadline_fires_when_known_time_moves_on_though_no_record_comes() {
    let mut bench = Bench::new(&usual(), 0);
    bench.pay("P1", 10_000, "a");
    assert_eq!(
        told(&bench.known(1_000_000)),
        [
            "11000 P1 credit_missing warn",
            "13000 P1 credit_missing breach",
            "113000 P1 credit_missing written_off",
        ]
    );
}

#[test]
fn a_credit_read_an_hour_late_but_appended_in_time_raises_nothing() {
    let mut bench = Bench::new(&usual(), 0);
    bench.pay("P1", 10_000, "a");
    assert!(bench.credit("P1", 11_000, 10_500).is_empty());
    assert!(bench.known(10_000_000).is_empty());
}

#[test]
fn a_late_credit_opens_and_resolves_though_both_are_read_at_once() {
    let mut bench = Bench::new(&usual(), 0);
    bench.pay("P1", 10_000, "a");
    assert_eq!(
        told(&bench.credit("P1", 11_001, 10_500)),
        [
            "11000 P1 credit_missing warn",
            "11001 P1 credit_missing credited_late"
        ]
    );
}

#[test]
fn what_refers_to_before_the_beginning_is_no_orphan() {
    let mut bench = Bench::new(&usual(), 10_000);
    bench.credit("OLD", 10_100, 9_999);
    bench.credit("NEW", 10_200, 10_000);
    assert_eq!(
        told(&bench.known(20_000)),
        ["12200 NEW orphan_credit breach"]
    );
    assert_eq!(
        bench.partition.ledger().records(1, Outcome::BeforeHorizon),
        1
    );
    assert_eq!(bench.partition.ledger().records(1, Outcome::Used), 1);
}

#[test]
fn a_credit_of_before_the_beginning_still_counts_for_its_payment() {
    let mut bench = Bench::new(&usual(), 10_000);
    bench.credit("P1", 10_100, 9_000);
    assert!(bench.pay("P1", 10_900, "a").is_empty());
    assert!(bench.known(100_000).is_empty());
    assert_eq!(bench.partition.ledger().records(1, Outcome::Used), 1);
}

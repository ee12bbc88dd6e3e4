//! Payments made twice.

use super::*;

fn twins(first: &str, second: &str) -> Story {
    let story = Story::new().at(first).pay("P1").with("payer_hash", "h");
    story.at(second).pay("P2").with("payer_hash", "h")
}

#[test]
fn the_same_payer_within_the_window_paid_twice() {
    let story = twins("12:00:00", "12:10:00");
    assert_eq!(
        told(&story, "12:10:00").last().expect("an alert"),
        "12:10:00 P1 credit_missing#3 escalate"
    );
    let twin = "12:10:00 P2 duplicate_payment#1 breach with P1";
    assert!(told(&story, "12:10:00").contains(&twin.to_owned()));
    let apart = twins("12:00:00", "12:10:00.001");
    assert!(
        !told(&apart, "12:11:00")
            .iter()
            .any(|it| it.contains("duplicate_payment"))
    );
}

#[test]
fn the_end_of_either_resolves_it() {
    for id in ["P1", "P2"] {
        let story = twins("12:00:00", "12:00:01").at("12:00:02").decline(id);
        let expected = [
            "12:00:01 P2 duplicate_payment#1 breach with P1",
            "12:00:02 P2 duplicate_payment#2 declined with P1",
        ];
        assert_eq!(told(&story, "12:00:10"), expected);
    }
}

#[test]
fn an_earlier_payment_that_was_given_back_is_no_twin() {
    let story = Story::new()
        .pay("P1")
        .with("payer_hash", "h")
        .at("12:00:01")
        .reverse("P1");
    let gone = story
        .clone()
        .at("12:00:02")
        .pay("P2")
        .with("payer_hash", "h");
    assert!(told(&gone, "12:00:10").is_empty());
    let tie = story.pay("P2").with("payer_hash", "h");
    assert_eq!(
        told(&tie, "12:00:10").len(),
        2,
        "the payment is judged before the reversal"
    );
}

#[test]
fn another_payer_amount_or_place_is_no_twin() {
    let first = || Story::new().pay("P1").with("payer_hash", "h").pay("P2");
    assert!(told(&first(), "12:00:10").is_empty());
    let twin = || first().with("payer_hash", "h");
    assert_eq!(told(&twin(), "12:00:10").len(), 1);
    assert!(told(&twin().amount(9), "12:00:10").is_empty());
    assert!(told(&twin().place("M1", "T2"), "12:00:10").is_empty());
    assert!(told(&twin().with("tenant", "other"), "12:00:10").is_empty());
}

#[test]
fn of_several_twins_the_latest_is_named() {
    let story = twins("12:00:00", "12:00:01")
        .at("12:00:02")
        .pay("P3")
        .with("payer_hash", "h");
    let last = told(&story, "12:00:10").pop();
    assert_eq!(
        last.as_deref(),
        Some("12:00:02 P3 duplicate_payment#1 breach with P2")
    );
}

//! Refunds, reversals and declines.

use super::*;

#[test]
fn what_is_given_back_in_time_needs_no_credit() {
    let story = Story::new().pay("P1").pay("P2").pay("P3").at("12:00:30");
    let story = story
        .refund("P1", "R1", "succeeded")
        .reverse("P2")
        .decline("P3");
    let outcome = story.judged(&usual(), "13:00:00");
    assert!(outcome.revisions.is_empty());
    assert_eq!(outcome.counts.explained, 3);
    let waits: Vec<_> = outcome.waits.into_iter().collect();
    assert_eq!(waits, [("DECLINED", 1), ("REFUNDED", 1), ("REVERSED", 1)]);
}

#[test]
fn an_overdue_payment_resolves_by_what_closes_it() {
    let story = Story::new().pay("P1").pay("P2").pay("P3").at("12:01:00");
    let story = story
        .refund("P1", "R1", "succeeded")
        .reverse("P2")
        .decline("P3");
    let expected = [
        "12:01:00 P1 credit_missing#2 refunded",
        "12:01:00 P2 credit_missing#2 reversed",
        "12:01:00 P3 credit_missing#2 declined",
    ];
    assert_eq!(told(&story, "13:00:00")[3..], expected);
}

#[test]
fn refunds_add_up_and_each_counts_once() {
    let refund = |story: Story, id: &str, amount: i64| {
        story
            .refund("P1", id, "succeeded")
            .with("amount_minor", amount)
    };
    let story = refund(refund(Story::new().pay("P1"), "R1", 6_000), "R1", 6_000);
    assert_eq!(story.judged(&usual(), "12:00:01").counts.pending, 1);
    let story = refund(story, "R2", 4_000);
    assert_eq!(story.judged(&usual(), "12:00:01").counts.explained, 1);
}

#[test]
fn a_failed_reversal_and_an_earlier_decline_close_nothing() {
    let story = Story::new()
        .pay("P1")
        .reverse("P1")
        .with("status", "failed");
    let story = story
        .decline("P1")
        .occurred("11:59:59.999")
        .refund("P1", "R1", "failed");
    let outcome = story.judged(&usual(), "12:00:30");
    assert_eq!(said(&outcome), ["12:00:30 P1 credit_missing#1 warn"]);
    assert_eq!(outcome.records[2].used, 3);
}

#[test]
fn a_reversal_that_is_only_asked_for_closes() {
    let story = Story::new()
        .pay("P1")
        .reverse("P1")
        .with("status", "created");
    assert_eq!(story.judged(&usual(), "13:00:00").counts.explained, 1);
}

#[test]
fn a_credit_after_the_end_is_an_alert_until_that_is_given_back_too() {
    let story = Story::new()
        .pay("P1")
        .at("12:00:05")
        .decline("P1")
        .at("12:00:06")
        .credit("P1");
    let story = story.at("12:00:09").reverse("P1");
    let outcome = story.judged(&usual(), "13:00:00");
    let expected = [
        "12:00:06 P1 credit_after_reversal#1 breach lag 6000",
        "12:00:09 P1 credit_after_reversal#2 reversed",
    ];
    assert_eq!(said(&outcome), expected);
    assert_eq!(outcome.revisions[0].verdict, None);
    assert_eq!((outcome.counts.explained, outcome.counts.credited), (1, 0));
}

#[test]
fn what_came_before_the_payment_is_judged_with_it() {
    let story = Story::new()
        .reverse("P1")
        .at("12:00:01")
        .credit("P1")
        .at("12:00:07")
        .pay("P1");
    let expected = ["12:00:07 P1 credit_after_reversal#1 breach lag -6000"];
    assert_eq!(told(&story, "13:00:00"), expected);
}

#[test]
fn only_as_much_again_as_the_whole_answers_a_credit_after_a_refund() {
    let story = Story::new().pay("P1").refund("P1", "R1", "succeeded");
    let story = story.at("12:01:00").credit("P1").at("12:02:00");
    let some = story.refund("P1", "R2", "succeeded").amount(2_500);
    let raised = "12:01:00 P1 credit_after_reversal#1 breach lag 60000";
    assert_eq!(told(&some, "13:00:00"), [raised]);
    let all = some.at("12:03:00").refund("P1", "R3", "succeeded");
    let all = all.amount(7_500);
    let expected = [raised, "12:03:00 P1 credit_after_reversal#2 refunded"];
    assert_eq!(told(&all, "13:00:00"), expected);
}

#[test]
fn a_credit_after_the_reversal_of_what_was_given_up_is_told() {
    let config = with(|config| config.give_up_ms = 1_000);
    let story = Story::new().pay("P1").at("12:20:00").reverse("P1");
    let outcome = story
        .at("12:30:00")
        .credit("P1")
        .judged(&config, "13:00:00");
    let told = said(&outcome);
    let expected = "12:30:00 P1 credit_after_reversal#1 breach lag 1800000";
    assert_eq!(told.last().map(String::as_str), Some(expected));
}

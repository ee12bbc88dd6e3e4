//! Deadlines, tiers and giving up.

use settlewatch_tests::story::Story;

use crate::tell::tell;

#[test]
fn a_credit_at_the_deadline_is_in_time_and_a_millisecond_later_is_late() {
    let story = Story::new()
        .at("12:00:30.001")
        .pay("P1")
        .pay("P2")
        .pay("P3")
        .at("12:01:00")
        .credit("P1")
        .at("12:01:00.001")
        .credit("P2")
        .at("12:01:00.002")
        .credit("P3");
    tell(story)
        .until("12:30:00")
        .says(&[
            "12:01:00.001 | P3 credit_missing open warn 10000 CNY",
            "12:01:00.002 | P3 credit_missing resolved credited_late warn 10000 CNY due 12:01:00.001 lag 30001",
        ])
        .counts([3, 0, 0, 0, 0]);
}

#[test]
fn every_tier_passed_is_a_revision_with_its_own_deadline() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .at("12:15:00")
        .credit("P1");
    tell(story).says(&[
        "12:00:30 | P1 credit_missing open warn 10000 CNY",
        "12:02:00 | P1 credit_missing open breach 10000 CNY",
        "12:10:00 | P1 credit_missing open escalate 10000 CNY",
        "12:15:00 | P1 credit_missing resolved credited_late escalate 10000 CNY due 12:10:00 lag 900000",
    ]);
}

#[test]
fn a_clock_that_stops_at_a_deadline_has_passed_it_and_a_millisecond_before_has_not() {
    let story = || Story::new().at("12:00:00").pay("P1");
    tell(story())
        .until("12:00:29.999")
        .says(&[])
        .counts([0, 0, 0, 1, 0]);
    tell(story())
        .until("12:00:30")
        .says(&["12:00:30 | P1 credit_missing open warn 10000 CNY"])
        .counts([0, 0, 0, 1, 1]);
}

#[test]
fn a_record_of_the_last_millisecond_is_applied_before_its_deadlines() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .pay("P2")
        .at("12:00:30")
        .heartbeat("T1")
        .credit("P2")
        .heartbeat("T2")
        .reverse("P1");
    tell(story).says(&[]).counts([1, 1, 0, 0, 0]);
}

#[test]
fn a_payment_is_written_off_when_patience_ends_after_its_last_tier() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .at("2026-03-03T12:10:00Z")
        .heartbeat("T1");
    tell(story)
        .says(&[
            "12:00:30 | P1 credit_missing open warn 10000 CNY",
            "12:02:00 | P1 credit_missing open breach 10000 CNY",
            "12:10:00 | P1 credit_missing open escalate 10000 CNY",
            "03-03 12:10:00 | P1 credit_missing resolved written_off escalate 10000 CNY due 12:10:00",
        ])
        .counts([0, 0, 1, 0, 0]);
}

#[test]
fn what_comes_for_a_payment_that_was_written_off_is_late_and_no_alert() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .at("2026-03-03T12:10:00.001Z")
        .credit("P1")
        .with("amount_minor", 10_000);
    tell(story)
        .says(&[
            "12:00:30 | P1 credit_missing open warn 10000 CNY",
            "12:02:00 | P1 credit_missing open breach 10000 CNY",
            "12:10:00 | P1 credit_missing open escalate 10000 CNY",
            "03-03 12:10:00 | P1 credit_missing resolved written_off escalate 10000 CNY due 12:10:00",
        ])
        .counts([0, 0, 1, 0, 0])
        .records("credits", [0, 0, 1, 0, 0]);
}

#[test]
fn a_credit_in_the_millisecond_of_giving_up_still_counts() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .at("2026-03-03T12:10:00Z")
        .credit("P1");
    tell(story)
        .says(&[
            "12:00:30 | P1 credit_missing open warn 10000 CNY",
            "12:02:00 | P1 credit_missing open breach 10000 CNY",
            "12:10:00 | P1 credit_missing open escalate 10000 CNY",
            "03-03 12:10:00 | P1 credit_missing resolved credited_late escalate 10000 CNY due 12:10:00 lag 87000000",
        ])
        .counts([1, 0, 0, 0, 0]);
}

#[test]
fn draining_lets_time_pass_until_the_last_payment_is_written_off() {
    let story = Story::new().at("12:00:00").pay("P1");
    let told = tell(story).drained().says(&[
        "12:00:30 | P1 credit_missing open warn 10000 CNY",
        "12:02:00 | P1 credit_missing open breach 10000 CNY",
        "12:10:00 | P1 credit_missing open escalate 10000 CNY",
        "03-03 12:10:00 | P1 credit_missing resolved written_off escalate 10000 CNY due 12:10:00",
    ]);
    assert_eq!(told.summary("/from"), "2026-03-02T11:00:00.000Z");
    assert_eq!(told.summary("/to"), "2026-03-03T12:10:00.000Z");
    assert_eq!(told.summary("/alerts/credit_missing/resolved"), 1);
    assert_eq!(told.summary("/alerts/credit_missing/open"), 0);
}

#[test]
fn business_time_moves_no_deadline_and_may_make_the_lag_negative() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .occurred("11:20:00")
        .pay("P2")
        .occurred("12:00:45")
        .at("12:00:40")
        .credit("P2");
    tell(story).says(&[
        "12:00:30 | P1 credit_missing open warn 10000 CNY",
        "12:00:30 | P2 credit_missing open warn 10000 CNY",
        "12:00:40 | P2 credit_missing resolved credited_late warn 10000 CNY due 12:00:30 lag -5000",
    ]);
}

#[test]
fn a_payment_redelivered_keeps_its_first_deadline() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .at("12:00:20")
        .again()
        .at("12:00:31")
        .credit("P1");
    tell(story)
        .says(&[
            "12:00:30 | P1 credit_missing open warn 10000 CNY",
            "12:00:31 | P1 credit_missing resolved credited_late warn 10000 CNY due 12:00:30 lag 31000",
        ])
        .records("payments", [1, 1, 0, 0, 0]);
}

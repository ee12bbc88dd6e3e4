//! Holds stop the clock, releases start it anew.

use settlewatch_tests::story::Story;

use crate::tell::tell;

#[test]
fn a_hold_by_the_first_deadline_stops_the_clock_until_the_release() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .at("12:00:30")
        .hold("P1")
        .with("expected_release_at", "2026-03-02T12:20:00Z")
        .at("12:15:00")
        .release("P1")
        .at("12:15:31")
        .credit("P1");
    tell(story).says(&[
        "12:15:30 | P1 credit_missing open warn 10000 CNY",
        "12:15:31 | P1 credit_missing resolved credited_late warn 10000 CNY due 12:15:30 lag 931000",
    ]);
}

#[test]
fn a_hold_beyond_its_release_time_is_overdue_until_the_release() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .at("12:00:10")
        .hold("P1")
        .with("expected_release_at", "2026-03-02T12:05:00Z")
        .at("12:05:00.001")
        .release("P1")
        .at("12:05:20")
        .credit("P1");
    tell(story)
        .says(&[
            "12:05:00 | P1 hold_overdue open breach RISK_HOLD_OVERDUE 10000 CNY",
            "12:05:00.001 | P1 hold_overdue resolved completed breach RISK_HOLD_OVERDUE 10000 CNY due 12:05:00",
        ])
        .counts([1, 0, 0, 0, 0]);
}

#[test]
fn a_release_in_the_millisecond_of_the_release_time_is_in_time() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .at("12:00:10")
        .hold("P1")
        .with("expected_release_at", "2026-03-02T12:05:00Z")
        .at("12:05:00")
        .release("P1");
    tell(story).says(&[]);
}

#[test]
fn a_hold_without_a_release_time_lasts_for_the_limit_and_is_then_given_up() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .at("12:00:10")
        .hold("P1");
    tell(story)
        .drained()
        .says(&[
            "13:00:10 | P1 hold_overdue open breach RISK_HOLD_OVERDUE 10000 CNY",
            "03-03 13:00:10 | P1 hold_overdue resolved written_off breach RISK_HOLD_OVERDUE 10000 CNY due 13:00:10",
        ])
        .counts([0, 0, 1, 0, 0]);
}

#[test]
fn a_hold_whose_release_time_has_gone_by_is_overdue_at_once() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .at("12:00:10")
        .hold("P1")
        .with("expected_release_at", "2026-03-02T11:00:00Z");
    tell(story)
        .until("12:30:00")
        .says(&["12:00:10 | P1 hold_overdue open breach RISK_HOLD_OVERDUE 10000 CNY"])
        .counts([0, 0, 0, 1, 0]);
}

#[test]
fn a_hold_before_its_payment_counts_from_the_hold() {
    let story = Story::new()
        .at("11:59:50")
        .hold("P1")
        .at("12:00:00")
        .pay("P1");
    tell(story)
        .until("13:30:00")
        .says(&["12:59:50 | P1 hold_overdue open breach RISK_HOLD_OVERDUE 10000 CNY"]);
}

#[test]
fn a_hold_that_is_overdue_resolves_by_what_closes_the_payment() {
    let held = || {
        Story::new()
            .at("12:00:00")
            .pay("P1")
            .at("12:00:10")
            .hold("P1")
            .with("expected_release_at", "2026-03-02T12:05:00Z")
            .at("12:06:00")
    };
    let open = "12:05:00 | P1 hold_overdue open breach RISK_HOLD_OVERDUE 10000 CNY";
    let resolved = |how: &str, rest: &str| {
        format!(
            "12:06:00 | P1 hold_overdue resolved {how} breach RISK_HOLD_OVERDUE 10000 CNY due 12:05:00{rest}"
        )
    };
    tell(held().credit("P1")).says(&[open, &resolved("credited_late", " lag 360000")]);
    tell(held().refund("P1", "R1", "succeeded")).says(&[open, &resolved("refunded", "")]);
    tell(held().reverse("P1")).says(&[open, &resolved("reversed", "")]);
    tell(held().decline("P1")).says(&[open, &resolved("declined", "")]);
}

#[test]
fn a_hold_after_the_first_deadline_changes_only_the_verdict() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .at("12:00:30.001")
        .hold("P1")
        .at("12:03:00")
        .release("P1");
    tell(story).until("12:10:00").says(&[
        "12:00:30 | P1 credit_missing open warn 10000 CNY",
        "12:00:30.001 | P1 credit_missing open warn RISK_HOLD 10000 CNY due 12:00:30",
        "12:02:00 | P1 credit_missing open breach RISK_HOLD 10000 CNY",
        "12:03:00 | P1 credit_missing open breach 10000 CNY due 12:02:00",
        "12:10:00 | P1 credit_missing open escalate 10000 CNY",
    ]);
}

#[test]
fn a_held_payment_is_an_explained_wait_before_its_release_time() {
    let story = || {
        let story = Story::new().at("12:00:00").pay("P1").at("12:00:10");
        story.hold("P1")
    };
    let told = tell(story()).until("13:00:09").says(&[]);
    assert_eq!(told.summary("/waits/RISK_HOLD"), 1);
    let told = tell(story())
        .until("13:00:10")
        .says(&["13:00:10 | P1 hold_overdue open breach RISK_HOLD_OVERDUE 10000 CNY"]);
    assert!(told.summary("/waits/RISK_HOLD").is_null());
}

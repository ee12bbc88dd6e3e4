//! The verdict of a missing credit.

use super::*;

#[test]
fn a_changed_verdict_is_a_revision_at_its_cause() {
    let story = Story::new().pay("P1").at("12:00:10").reject("P1", "limit");
    let story = story
        .at("12:00:40")
        .reject("P1", "frozen")
        .at("12:00:50")
        .hold("P1");
    let story = story
        .at("12:00:55")
        .refund("P1", "R1", "created")
        .at("12:00:56")
        .reject("P1", "format");
    let story = story
        .at("12:00:57")
        .release("P1")
        .at("12:00:58")
        .refund("P1", "R1", "failed");
    let story = story
        .at("12:00:59")
        .reject("P1", "system")
        .at("12:01:00")
        .credit("P1");
    let expected = [
        "12:00:30 P1 credit_missing#1 warn LIMIT_EXCEEDED",
        "12:00:40 P1 credit_missing#2 warn ACCOUNT_FROZEN",
        "12:00:50 P1 credit_missing#3 warn RISK_HOLD",
        "12:00:55 P1 credit_missing#4 warn REFUND_IN_FLIGHT",
        "12:00:58 P1 credit_missing#5 warn INTERFACE_FAULT",
        "12:00:59 P1 credit_missing#6 warn",
        "12:01:00 P1 credit_missing#7 credited_late lag 60000",
    ];
    assert_eq!(told(&story, "13:00:00"), expected);
}

#[test]
fn a_late_hold_stops_no_tier() {
    let story = Story::new().pay("P1").at("12:00:30.001").hold("P1");
    let expected = [
        "12:00:30 P1 credit_missing#1 warn",
        "12:00:30.001 P1 credit_missing#2 warn RISK_HOLD",
        "12:02:00 P1 credit_missing#3 breach RISK_HOLD",
    ];
    assert_eq!(told(&story, "12:09:00"), expected);
}

#[test]
fn the_event_that_closes_changes_no_verdict() {
    let story = Story::new().pay("P1").refund("P1", "R1", "created");
    let story = story.at("12:01:00").refund("P1", "R1", "succeeded");
    let expected = [
        "12:00:30 P1 credit_missing#1 warn REFUND_IN_FLIGHT",
        "12:01:00 P1 credit_missing#2 refunded REFUND_IN_FLIGHT",
    ];
    assert_eq!(told(&story, "13:00:00"), expected);
}

#[test]
fn a_cause_in_the_millisecond_of_a_tier_comes_before_it() {
    let story = Story::new().pay("P1").at("12:02:00").reject("P1", "limit");
    let expected = [
        "12:00:30 P1 credit_missing#1 warn",
        "12:02:00 P1 credit_missing#2 warn LIMIT_EXCEEDED",
        "12:02:00 P1 credit_missing#3 breach LIMIT_EXCEEDED",
    ];
    assert_eq!(told(&story, "12:09:00"), expected);
}

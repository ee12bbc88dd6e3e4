//! When deadlines pass.

use super::*;
use crate::reference::{Calendar, Day, Due, Rule, Tier};
use crate::story::clock;

#[test]
fn a_credit_at_the_deadline_is_in_time() {
    let story = Story::new().pay("P1").at("12:00:30").credit("P1");
    assert!(told(&story, "13:00:00").is_empty());
}

#[test]
fn a_credit_a_millisecond_after_the_deadline_opens_and_resolves() {
    let story = Story::new().pay("P1").at("12:00:30.001").credit("P1");
    let expected = [
        "12:00:30 P1 credit_missing#1 warn",
        "12:00:30.001 P1 credit_missing#2 credited_late lag 30001",
    ];
    assert_eq!(told(&story, "13:00:00"), expected);
}

#[test]
fn a_credit_before_its_payment_is_in_time() {
    let story = Story::new().credit("P1").at("12:00:10").pay("P1");
    assert!(told(&story, "13:00:00").is_empty());
}

#[test]
fn every_tier_passes_and_then_the_payment_is_written_off() {
    let config = with(|config| config.give_up_ms = 1000);
    let story = Story::new().pay("P1").at("12:10:01.001").credit("P1");
    let outcome = story.judged(&config, "13:00:00");
    let expected = [
        "12:00:30 P1 credit_missing#1 warn",
        "12:02:00 P1 credit_missing#2 breach",
        "12:10:00 P1 credit_missing#3 escalate",
        "12:10:01 P1 credit_missing#4 written_off",
    ];
    assert_eq!(said(&outcome), expected);
    assert_eq!(outcome.revisions[3].tier, "escalate");
    assert_eq!(outcome.revisions[3].deadline_ms, Some(clock("12:10:00")));
    assert_eq!(outcome.records[1].late, 1);
    assert_eq!(outcome.counts.written_off, 1);
}

#[test]
fn business_time_moves_no_deadline_and_lag_may_be_negative() {
    let story = Story::new().pay("P1").occurred("11:59:00");
    let story = story.at("12:00:31").credit("P1").occurred("11:58:59.500");
    let expected = [
        "12:00:30 P1 credit_missing#1 warn",
        "12:00:31 P1 credit_missing#2 credited_late lag -500",
    ];
    assert_eq!(told(&story, "13:00:00"), expected);
}

#[test]
fn the_clock_passes_its_last_moment() {
    let story = Story::new().pay("P1");
    assert_eq!(told(&story, "12:00:29.999").len(), 0);
    assert_eq!(told(&story, "12:00:30").len(), 1);
}

#[test]
fn the_first_rule_that_matches_decides() {
    let rule = |name: &str, after_ms| Rule {
        name: name.into(),
        tiers: vec![Tier {
            name: "breach".into(),
            after_ms,
        }],
        ..Rule::default()
    };
    let config = with(|config| {
        config.rules = vec![
            Rule {
                amount_min: Some(10_000),
                ..rule("large", 5000)
            },
            Rule {
                fields: vec![("settle_mode".into(), vec!["realtime".into()])],
                ..rule("now", 7000)
            },
            rule("rest", 9000),
        ];
    });
    let story = Story::new()
        .pay("P1")
        .pay("P2")
        .amount(9_999)
        .pay("P3")
        .amount(1)
        .with("settle_mode", "t1");
    let expected = [
        "12:00:05 P1 credit_missing#1 breach",
        "12:00:07 P2 credit_missing#1 breach",
        "12:00:09 P3 credit_missing#1 breach",
    ];
    assert_eq!(said(&story.judged(&config, "12:01:00")), expected);
}

fn batch() -> Config {
    let day = |date: &str, business| Day {
        cut_off_ms: clock(&format!("{date}T23:00:00Z")),
        credit_by_ms: clock(&format!("{date}T18:00:00Z")),
        business,
    };
    let days = vec![
        day("2026-03-02", true),
        day("2026-03-03", false),
        day("2026-03-04", true),
    ];
    let due = Due {
        calendar: Calendar {
            name: "c".into(),
            yaml: String::new(),
            days,
        },
        business_days: 1,
    };
    let tiers = vec![Tier {
        name: "breach".into(),
        after_ms: 0,
    }];
    with(|config| {
        config.rules = vec![Rule {
            due: Some(due),
            tiers,
            ..Rule::default()
        }]
    })
}

#[test]
fn a_batch_is_due_on_the_next_business_day() {
    let story = Story::new().pay("P1");
    let outcome = story.judged(&batch(), "2026-03-04T18:00:00Z");
    assert_eq!(said(&outcome), ["18:00:00 P1 credit_missing#1 breach"]);
    assert_eq!(
        outcome.revisions[0].deadline_ms,
        Some(clock("2026-03-04T18:00:00Z"))
    );
    let before = story.judged(&batch(), "2026-03-04T17:59:59.999Z");
    assert_eq!(before.waits.get("BANK_BATCH_WAIT"), Some(&1));
}

#[test]
fn an_expected_credit_time_wins_over_the_calendar_but_not_over_the_append_time() {
    let story = Story::new()
        .pay("P1")
        .with("expected_credit_by", "2026-03-02T15:00:00+02:00");
    let story = story
        .pay("P2")
        .with("expected_credit_by", "2026-03-02T11:00:00Z");
    let expected = [
        "12:00:00 P2 credit_missing#1 breach",
        "13:00:00 P1 credit_missing#1 breach",
    ];
    assert_eq!(said(&story.judged(&batch(), "14:00:00")), expected);
}

#[test]
fn a_hold_by_the_first_deadline_stops_the_clock_and_the_release_starts_it_anew() {
    let story = Story::new()
        .pay("P1")
        .at("12:00:30")
        .hold("P1")
        .at("12:05:00")
        .release("P1");
    let outcome = story.judged(&usual(), "12:05:30");
    assert_eq!(said(&outcome), ["12:05:30 P1 credit_missing#1 warn"]);
    let held = story.judged(&usual(), "12:04:59.999").waits;
    assert_eq!(held.get("RISK_HOLD"), Some(&1));
    assert!(story.judged(&usual(), "12:05:00").waits.is_empty());
}

#[test]
fn a_hold_is_overdue_at_the_release_it_promised_and_then_given_up() {
    let config = with(|config| config.give_up_ms = 60_000);
    let story = Story::new().pay("P1").at("12:00:10").hold("P1");
    let story = story.with("expected_release_at", "2026-03-02T12:20:00Z");
    let outcome = story.judged(&config, "13:00:00");
    let expected = [
        "12:20:00 P1 hold_overdue#1 breach RISK_HOLD_OVERDUE",
        "12:21:00 P1 hold_overdue#2 written_off RISK_HOLD_OVERDUE",
    ];
    assert_eq!(said(&outcome), expected);
    assert_eq!(outcome.revisions[0].deadline_ms, Some(clock("12:20:00")));
    assert_eq!(
        story.judged(&config, "12:19:59.999").waits.get("RISK_HOLD"),
        Some(&1)
    );
}

#[test]
fn a_release_completes_an_overdue_hold_and_another_hold_reopens_it() {
    let config = with(|config| config.hold_limit_ms = 60_000);
    let story = Story::new()
        .pay("P1")
        .hold("P1")
        .at("12:02:00")
        .release("P1");
    let story = story.at("12:02:10").hold("P1").at("12:04:00").credit("P1");
    let expected = [
        "12:01:00 P1 hold_overdue#1 breach RISK_HOLD_OVERDUE",
        "12:02:00 P1 hold_overdue#2 completed RISK_HOLD_OVERDUE",
        "12:03:10 P1 hold_overdue#3 breach RISK_HOLD_OVERDUE",
        "12:04:00 P1 hold_overdue#4 credited_late RISK_HOLD_OVERDUE lag 240000",
    ];
    assert_eq!(said(&story.judged(&config, "13:00:00")), expected);
}

#[test]
fn a_hold_that_should_have_been_released_before_it_began_is_overdue_at_once() {
    let story = Story::new().pay("P1").at("12:00:10").hold("P1");
    let story = story.with("expected_release_at", "2026-03-02T11:00:00Z");
    let expected = ["12:00:10 P1 hold_overdue#1 breach RISK_HOLD_OVERDUE"];
    assert_eq!(told(&story, "13:00:00"), expected);
}

#[test]
fn a_second_hold_replaces_the_release_time() {
    let hold = |story: Story, until: &str| story.hold("P1").with("expected_release_at", until);
    let story = hold(Story::new().pay("P1"), "2026-03-02T12:05:00Z").at("12:01:00");
    let story = hold(story, "2026-03-02T12:07:00Z");
    let expected = ["12:07:00 P1 hold_overdue#1 breach RISK_HOLD_OVERDUE"];
    assert_eq!(told(&story, "12:30:00"), expected);
}

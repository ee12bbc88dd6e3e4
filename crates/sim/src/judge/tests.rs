//! Lives whose alerts are plain to see.

use std::sync::Arc;

use super::*;
use crate::channels;
use crate::event::Topic;

/// Long before everything.
const START: i64 = -3_600_000;
/// Long after everything, but before anything is given up.
const END: i64 = 3_600_000;

fn draft(at: i64, what: What) -> Draft {
    Draft {
        at,
        occurred_at: at,
        topic: Topic::Lifecycle,
        key: "P1".into(),
        event_id: format!("e{at}"),
        again: false,
        what,
    }
}

/// A payment of 100.00 with a fee of 0.60, appended at 0.
fn payment() -> Payment {
    Payment {
        id: "P1".into(),
        channel: channels::find("wechat_pay").expect("a channel"),
        terminal: 0,
        terminal_id: "T1".into(),
        merchant_id: "M1".into(),
        amount_minor: 10_000,
        currency: "CNY",
        fee_minor: Some(60),
        order_amount_minor: None,
        settle_mode: "realtime",
        expected_credit_by: None,
        payer_hash: "f00d".into(),
        route: channels::CHANNELS[0].routes[0],
        acquirer: channels::CHANNELS[0].acquirers[0],
        method: "face",
    }
}

fn paid() -> Draft {
    draft(0, What::Paid(Arc::new(payment())))
}

fn credit(at: i64, amount_minor: u64) -> Draft {
    let credit = Credit {
        amount_minor: Some(amount_minor),
        ..Credit::default()
    };
    draft(at, What::Credited(credit))
}

fn part(at: i64, amount_minor: u64) -> Draft {
    let credit = Credit {
        amount_minor: Some(amount_minor),
        partial: true,
        ..Credit::default()
    };
    draft(at, What::Credited(credit))
}

fn refund(at: i64, amount_minor: u64, status: &'static str) -> Draft {
    draft(
        at,
        What::Refunded {
            refund_id: "r".into(),
            amount_minor,
            status,
        },
    )
}

/// What `drafts` come to: the outcome, then kind, opening, tiers, resolution and last verdict of each alert.
fn told(drafts: &[Draft]) -> String {
    let found = judge(drafts, START, END);
    let mut text = format!("{:?}", found.outcome.map(|(outcome, _, _)| outcome));
    for alert in &found.alerts {
        let tiers: Vec<_> = alert
            .tiers
            .iter()
            .map(|(name, at)| format!("{name}@{at}"))
            .collect();
        let resolved = alert
            .resolved
            .map_or("open".into(), |(how, at)| format!("{how}@{at}"));
        let verdict = alert.verdicts.last().map_or("-", |(_, verdict)| verdict);
        text += &format!(
            "; {} {} [{}] {resolved} {verdict}",
            alert.kind,
            alert.opens_at,
            tiers.join(" ")
        );
    }
    text
}

#[track_caller]
fn check(drafts: &[Draft], expected: &str) {
    assert_eq!(told(drafts), expected);
}

#[test]
fn a_credit_on_the_deadline_is_in_time() {
    check(&[paid(), credit(30_000, 10_000)], "Some(Credited)");
    check(
        &[paid(), credit(30_001, 9940)],
        "Some(Credited); credit_missing 30000 [warn@30000] credited_late@30001 -",
    );
}

#[test]
fn a_payment_that_is_never_credited_passes_every_tier() {
    check(
        &[paid()],
        "Some(Rest); credit_missing 30000 [warn@30000 breach@120000 escalate@600000] open -",
    );
}

#[test]
fn a_payment_is_written_off_three_days_after_its_last_tier() {
    let found = judge(&[paid()], START, 4 * 86_400_000);
    assert_eq!(
        found.alerts[0].resolved,
        Some(("written_off", 600_000 + 3 * 86_400_000))
    );
}

#[test]
fn parts_close_when_they_add_up() {
    check(
        &[paid(), part(1000, 4000), part(2000, 6000)],
        "Some(Credited)",
    );
    check(
        &[paid(), part(1000, 4000), part(2000, 5940)],
        "Some(Credited)",
    );
    check(
        &[paid(), part(1000, 6000), part(2000, 6000)],
        "Some(Credited); amount_mismatch 2000 [] open AMOUNT_MISMATCH",
    );
}

#[test]
fn a_partial_refund_lowers_what_fits() {
    let part = refund(500, 2500, "succeeded");
    check(
        &[paid(), part.clone(), credit(1000, 7500)],
        "Some(Credited)",
    );
    check(
        &[paid(), part.clone(), credit(1000, 7440)],
        "Some(Credited)",
    );
    check(
        &[paid(), part, credit(1000, 10_000)],
        "Some(Credited); amount_mismatch 1000 [] open AMOUNT_MISMATCH",
    );
}

#[test]
fn a_refund_on_its_way_is_the_verdict_and_its_success_the_resolution() {
    check(
        &[
            paid(),
            refund(1000, 10_000, "created"),
            refund(40_000, 10_000, "succeeded"),
        ],
        "Some(Explained); credit_missing 30000 [warn@30000] refunded@40000 REFUND_IN_FLIGHT",
    );
}

#[test]
fn a_credit_after_a_reversal_is_a_case() {
    check(
        &[paid(), draft(500, What::Reversed), credit(900, 10_000)],
        "Some(Explained); credit_after_reversal 900 [] open -",
    );
}

#[test]
fn a_decline_from_before_the_payment_closes_nothing() {
    let declined = |occurred_at| Draft {
        occurred_at,
        ..draft(
            400,
            What::Declined {
                channel: "wechat_pay",
                code: "05",
                class: "other",
            },
        )
    };
    check(
        &[paid(), declined(-1), credit(900, 10_000)],
        "Some(Credited)",
    );
    check(&[paid(), declined(0)], "Some(Explained)");
}

#[test]
fn a_hold_stops_the_clock_and_a_release_starts_it_anew() {
    let held = draft(
        500,
        What::Held {
            reason: "risk",
            release_by: Some(20_000),
        },
    );
    check(
        &[
            paid(),
            held.clone(),
            draft(50_000, What::Released),
            credit(80_000, 10_000),
        ],
        "Some(Credited); hold_overdue 20000 [] completed@50000 RISK_HOLD_OVERDUE",
    );
    check(
        &[
            paid(),
            held,
            draft(10_000, What::Released),
            credit(40_001, 10_000),
        ],
        "Some(Credited); credit_missing 40000 [warn@40000] credited_late@40001 -",
    );
}

#[test]
fn a_rejected_credit_names_the_cause() {
    let rejected = What::Rejected {
        channel: "wechat_pay",
        code: "61",
        class: "limit",
    };
    check(
        &[
            paid(),
            draft(700, rejected),
            refund(40_000, 10_000, "succeeded"),
        ],
        "Some(Explained); credit_missing 30000 [warn@30000] refunded@40000 LIMIT_EXCEEDED",
    );
}

#[test]
fn a_fee_that_explains_the_amount_is_a_fee_mismatch() {
    let own_fee = Credit {
        amount_minor: Some(9900),
        fee_minor: Some(100),
        ..Credit::default()
    };
    check(
        &[paid(), draft(1000, What::Credited(own_fee))],
        "Some(Credited); amount_mismatch 1000 [] open FEE_MISMATCH",
    );
}

#[test]
fn amounts_of_different_currencies_are_not_compared() {
    let dollars = Credit {
        amount_minor: Some(1400),
        currency: Some("USD"),
        ..Credit::default()
    };
    check(
        &[paid(), draft(1000, What::Credited(dollars))],
        "Some(Credited); currency_mismatch 1000 [] open CURRENCY_MISMATCH",
    );
}

#[test]
fn a_credit_waits_two_minutes_for_its_payment() {
    let later = |at| Draft { at, ..paid() };
    check(&[credit(0, 10_000), later(120_000)], "Some(Credited)");
    check(
        &[credit(0, 10_000), later(120_001)],
        "Some(Credited); orphan_credit 120000 [] completed@120001 ORPHAN_CREDIT",
    );
    check(
        &[credit(0, 10_000)],
        "None; orphan_credit 120000 [] open ORPHAN_CREDIT",
    );
}

#[test]
fn a_second_credit_is_one_too_many_and_a_second_delivery_is_not() {
    let again = Draft {
        again: true,
        ..credit(2000, 10_000)
    };
    check(&[paid(), credit(1000, 10_000), again], "Some(Credited)");
    check(
        &[
            paid(),
            credit(1000, 10_000),
            credit(2000, 10_000),
            refund(9000, 10_000, "succeeded"),
        ],
        "Some(Credited); duplicate_credit 2000 [] refunded@9000 DUPLICATE_CREDIT",
    );
}

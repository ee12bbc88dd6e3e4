//! Why a payment did or did not alert, in one sentence.

use settlewatch_config::Config;
use settlewatch_join::{Alert, AlertKind, PaymentState, Resolution, Timestamp, Verdict};
use settlewatch_wire::format_time;

use super::{Findings, is_closed};

/// The sentence.
pub(super) fn sentence(found: &Findings, config: &Config) -> String {
    let alerts = found.last_revisions();
    if alerts.is_empty() {
        return format!("It did not alert: {}.", silent(found));
    }
    let reasons: Vec<String> = alerts
        .into_iter()
        .map(|alert| format!("{}{}", raised(found, config, alert), ended(alert)))
        .collect();
    format!("It alerted: {}.", reasons.join("; "))
}

/// Why an alert was raised.
fn raised(found: &Findings, config: &Config, alert: &Alert) -> String {
    match alert.kind {
        AlertKind::CreditMissing => credit_missing(found, alert),
        AlertKind::OrphanCredit => format!(
            "a credit came, but no payment.succeeded within {} s after it",
            config.settings.orphan_after.millis() / 1000
        ),
        AlertKind::AmountMismatch if alert.verdict == Some(Verdict::UserAmountError) => {
            "the payer paid another amount than the order asked for".into()
        }
        AlertKind::AmountMismatch => {
            "the credited amount is neither the payment's nor that less its fee".into()
        }
        AlertKind::CurrencyMismatch => "the credit has another currency than the payment".into(),
        AlertKind::TerminalMismatch => {
            "the credit went to another terminal or merchant than the payment names".into()
        }
        AlertKind::DuplicateCredit => "it was credited more than once".into(),
        AlertKind::DuplicatePayment => format!(
            "the same payer paid the same at the same terminal shortly before, with payment {}",
            alert.related_payment_id.as_deref().unwrap_or("unknown")
        ),
        AlertKind::CreditAfterReversal => {
            "it was credited although it had been given back or declined".into()
        }
        AlertKind::HoldOverdue => "the hold was not released by its time".into(),
    }
}

fn credit_missing(found: &Findings, alert: &Alert) -> String {
    let first = found
        .alerts
        .iter()
        .find(|other| other.kind == AlertKind::CreditMissing);
    let deadline = first
        .and_then(|first| first.deadline)
        .unwrap_or(alert.decided_at);
    let mut text = format!(
        "nothing had closed it by {}, its first deadline",
        format_time(deadline)
    );
    if alert.verdict == Some(Verdict::IdCorrupted) {
        let other = alert.related_payment_id.as_deref().unwrap_or("unknown");
        text += &format!("; a credit for the id {other} is probably its own");
    }
    text
}

/// How an alert ended, where it did.
fn ended(alert: &Alert) -> String {
    let at = format_time(alert.decided_at);
    match alert.resolution {
        None => ", and that is still so".into(),
        Some(Resolution::CreditedLate) => format!(", and the credit was appended too late, {at}"),
        Some(Resolution::CreditedInTime) => {
            ", though the credit had been appended in time and was readable only later".into()
        }
        Some(Resolution::WrittenOff) => format!(", until it was given up, {at}"),
        Some(resolution) => format!(", and it was resolved {at} ({resolution})"),
    }
}

/// Why there was no alert.
fn silent(found: &Findings) -> String {
    let Some(accepted) = &found.accepted else {
        return no_payment(found);
    };
    if let Some((place, applied)) = found.closing() {
        let slack = found
            .dated()
            .and_then(|dated| dated.deadlines.first())
            .map(|(tier, deadline)| (tier, deadline.since(place.at)));
        let after = span(place.at.since(accepted.at));
        let closed = match applied.kind {
            "payment.succeeded" => "what closed it had come before it".into(),
            kind => format!("{kind} closed it {after} after it was appended"),
        };
        return match slack {
            Some((tier, left)) if left >= 0 => {
                format!(
                    "{closed}, {} before its first deadline ({tier})",
                    span(left)
                )
            }
            _ => closed,
        };
    }
    waiting(found)
}

fn no_payment(found: &Findings) -> String {
    let kinds: Vec<&str> = found.applied().map(|(_, applied)| applied.kind).collect();
    if kinds.is_empty() {
        return "every record that mentions it was rejected".into();
    }
    if kinds.contains(&"terminal.credited") {
        return "its credit still has its grace, or speaks of what was before the recording".into();
    }
    if kinds.contains(&"payment.authorized") {
        return "it was authorised only, so no credit is due".into();
    }
    "no payment.succeeded was accepted, so no credit is due".into()
}

fn waiting(found: &Findings) -> String {
    let standing = found.standing();
    let state = standing.map(|standing| standing.state);
    if let (Some(PaymentState::Held), Some(until)) =
        (state, standing.and_then(|standing| standing.held_until))
    {
        return format!(
            "it is held, which stops its clock, and its release is expected by {}",
            format_time(until)
        );
    }
    if state.is_some_and(is_closed) {
        return "it was closed in time".into();
    }
    let first = found.dated().and_then(|dated| dated.deadlines.first());
    match first {
        Some((_, Timestamp::MAX)) => "its calendar ends before it is due".into(),
        Some((tier, at)) => format!(
            "it waits, and its first deadline ({tier}, {}) has not passed when the clock stops",
            format_time(*at)
        ),
        None => "nothing is due".into(),
    }
}

/// Milliseconds in words.
fn span(millis: i64) -> String {
    let whole = millis / 1000;
    match whole {
        0..60 => format!("{whole}.{:03} s", millis % 1000),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        3600..86_400 => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
        _ => format!("{} d {} h", whole / 86_400, whole % 86_400 / 3600),
    }
}

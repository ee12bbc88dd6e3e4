//! What the contract says of two ids together.

use crate::judgement::Judgement;
use crate::policy::DUPLICATE_WINDOW_MS;
use crate::truth::Expected;

/// Judges `later` as a second payment of the payer of `earlier`, known under `earlier_id` and `later_id`.
pub(crate) fn twins(earlier: &Judgement, earlier_id: &str, later: &mut Judgement, later_id: &str) {
    let (Some(first_at), Some(at)) = (earlier.paid_at, later.paid_at) else {
        return;
    };
    let was_undone = earlier.undone.is_some_and(|(when, _)| when <= at);
    if at - first_at > DUPLICATE_WINDOW_MS || was_undone {
        return;
    }
    let undone = [earlier.undone, later.undone].into_iter().flatten().min();
    later.alerts.push(Expected {
        payment_id: later_id.to_owned(),
        kind: "duplicate_payment",
        opens_at: at,
        tiers: Vec::new(),
        resolved: undone.map(|(when, how)| (how, when)),
        verdicts: vec![(at, "DUPLICATE_PAYMENT")],
        related: Some((at, earlier_id.to_owned())),
        amount_minor: later.outcome.map(|(_, amount, _)| amount),
        currency: later.outcome.map(|(_, _, currency)| currency),
    });
}

/// Judges `stray`, a credit without a payment, as the credit of `waiting` under an id that is nearly its own.
pub(crate) fn near_id(
    waiting: &mut Judgement,
    waiting_id: &str,
    stray: &mut Judgement,
    stray_id: &str,
) {
    let Some(first_deadline) = waiting.first_deadline else {
        return;
    };
    let Some(orphan) = stray.alert("orphan_credit") else {
        return;
    };
    let Some(missing) = waiting.alert("credit_missing") else {
        return;
    };
    let known_at = first_deadline.max(orphan.opens_at);
    let is_open = |alert: &Expected| alert.resolved.is_none_or(|(_, when)| when > known_at);
    if !is_open(missing) || !is_open(orphan) {
        return;
    }
    for (alert, other) in [(missing, stray_id), (orphan, waiting_id)] {
        alert.verdicts.push((known_at, "ID_CORRUPTED"));
        alert.related = Some((known_at, other.to_owned()));
    }
}

//! A case as it is kept, and the verdict under which it is.

use std::sync::Arc;

use settlewatch_join::event::Currency;
use settlewatch_join::{AlertKind, Verdict};

use crate::detect::values::{TupleId, ValueId, Values};
use crate::incident::cause::Cause;
use crate::keep::keep;
use crate::pulse::{
    APP, CARRIER, CHANNEL, Case, MERCHANT, MODE, MODEL, REGION, STORE, TERMINAL, VENDOR,
};
use crate::terminals::Terminals;

/// A case of one verdict.
pub(super) struct Kept {
    pub(super) cause: Cause,
    /// When it became known.
    pub(super) second: i64,
    /// When it happened, in milliseconds.
    pub(super) since_ms: i64,
    pub(super) values: Box<[ValueId]>,
    pub(super) id: Arc<str>,
    pub(super) amount_minor: u128,
    pub(super) currency: Option<Currency>,
    /// Minor units due and credited.
    pub(super) amounts: Option<(u64, u64)>,
    /// Whether it is settled by now.
    pub(super) resolved: bool,
}

impl Kept {
    pub(super) fn new(case: &Case, cause: Cause, values: Box<[ValueId]>, second: i64) -> Self {
        Self {
            cause,
            second,
            since_ms: case.since.millis(),
            values,
            id: Arc::clone(&case.id),
            amount_minor: case.amount_minor,
            currency: case.currency,
            amounts: case.amounts,
            resolved: false,
        }
    }
}

/// The verdict under which a case is kept.
pub(super) fn cause_of(case: &Case) -> Option<Cause> {
    let by_kind = match case.kind {
        // The payment's own alert tells of it: it knows the attributes.
        AlertKind::CreditMissing => {
            return (case.verdict == Some(Verdict::IdCorrupted)).then_some(Cause::IdCorrupted);
        }
        AlertKind::OrphanCredit => Cause::OrphanCredit,
        AlertKind::AmountMismatch => Cause::AmountMismatch,
        AlertKind::CurrencyMismatch => Cause::CurrencyMismatch,
        AlertKind::TerminalMismatch => Cause::TerminalMismatch,
        AlertKind::DuplicateCredit => Cause::DuplicateCredit,
        AlertKind::DuplicatePayment => Cause::DuplicatePayment,
        AlertKind::CreditAfterReversal => Cause::CreditAfterReversal,
        AlertKind::HoldOverdue => Cause::RiskHoldOverdue,
    };
    let by_verdict = case
        .verdict
        .and_then(|verdict| Cause::parse(verdict.as_str()));
    Some(by_verdict.unwrap_or(by_kind))
}

/// The values of a case. A credit without a payment names a terminal at most: what its terminal's payments have in
/// common is taken from the latest of them, and the way that they go where it is of the same channel.
pub(super) fn values_of(
    case: &Case,
    tuple: TupleId,
    values: &Values,
    terminals: &Terminals,
) -> Box<[ValueId]> {
    const TERMINALS_OWN: [usize; 7] = [REGION, CARRIER, STORE, MERCHANT, MODEL, VENDOR, APP];
    let mut own: Box<[ValueId]> = values.of(tuple).into();
    if case.kind != AlertKind::OrphanCredit {
        return own;
    }
    let terminal = case.tuple.get(TERMINAL).and_then(|id| terminals.get(id));
    let Some(latest) = terminal.and_then(|terminal| terminal.tuple) else {
        return own;
    };
    let latest = values.of(latest);
    let same_way = own[CHANNEL] != ValueId::NONE && own[CHANNEL] == latest[CHANNEL];
    for (dim, value) in own.iter_mut().enumerate() {
        let known = TERMINALS_OWN.contains(&dim) || same_way && dim < MODE;
        if *value == ValueId::NONE && known {
            *value = latest[dim];
        }
    }
    own
}

keep!(Kept {
    cause,
    second,
    since_ms,
    values,
    id,
    amount_minor,
    currency,
    amounts,
    resolved,
});

//! Refunds, reversals, declines and rejected credits of a payment that waits.

use crate::alert::Resolution;
use crate::effect::Effects;
use crate::event::{Refund, RefundStatus, RefusalClass};
use crate::extras::RefundState;
use crate::identity::Fingerprint;
use crate::table::{FORGOTTEN, Phase, Slot};
use crate::time::Timestamp;

use super::Partition;

impl Partition {
    pub(super) fn refund(
        &mut self,
        slot: Slot,
        refund: &Refund<'_>,
        at: Timestamp,
        effects: &mut Effects,
    ) {
        if self.note_refund(slot, refund) {
            self.close(slot, Phase::Refunded, None, at, effects);
            return;
        }
        // What was refunded is no longer due: the parts that came may be all that is. A closing is no
        // change of the verdict.
        self.close_if_parts_add_up(slot, at, effects);
        self.reconsider(slot, at, effects);
    }

    /// Brings the refund's state up to date; whether the payment is now refunded in full.
    pub(super) fn note_refund(&mut self, slot: Slot, refund: &Refund<'_>) -> bool {
        let entry = self.table.get_mut(slot);
        let whole = entry.amount_minor;
        let forgotten = entry.has(FORGOTTEN);
        let extras = entry.extras_mut();
        let id = refund
            .refund_id
            .as_ref()
            .map(|id| Fingerprint::of_parts(b'r', [id.as_bytes()]));
        let known = extras.refunds.iter_mut().find(|known| known.id == id);
        let succeeded_before = match known {
            Some(known) => {
                let before = known.status == RefundStatus::Succeeded && id.is_some();
                // However late it is told that it was asked for: what is done or failed is not in flight.
                if !before && refund.status != RefundStatus::Created {
                    known.status = refund.status;
                }
                before
            }
            None => {
                extras.refunds.push(RefundState {
                    id,
                    status: refund.status,
                });
                false
            }
        };
        if refund.status != RefundStatus::Succeeded || succeeded_before {
            return false;
        }
        if forgotten {
            // Its amount is not at hand: only a refund of the whole is known to be one.
            return refund.amount_minor.is_none();
        }
        extras.refunded_minor += u128::from(refund.amount_minor.unwrap_or(whole));
        extras.refunded_minor >= u128::from(whole)
    }

    pub(super) fn reverse(
        &mut self,
        slot: Slot,
        refund: &Refund<'_>,
        at: Timestamp,
        effects: &mut Effects,
    ) {
        if refund.status != RefundStatus::Failed {
            self.close(slot, Phase::Reversed, None, at, effects);
        }
    }

    /// A decline dated before the payment is an earlier attempt and closes nothing.
    pub(super) fn decline(
        &mut self,
        slot: Slot,
        occurred_at: Timestamp,
        at: Timestamp,
        effects: &mut Effects,
    ) {
        if occurred_at >= self.table.get(slot).occurred_at {
            self.close(slot, Phase::Declined, None, at, effects);
        }
    }

    pub(super) fn reject_credit(
        &mut self,
        slot: Slot,
        class: RefusalClass,
        at: Timestamp,
        effects: &mut Effects,
    ) {
        self.extras_mut(slot).rejection = Some(class);
        self.reconsider(slot, at, effects);
    }
}

/// The resolution that a closing brings.
pub(super) fn resolution_of(phase: Phase) -> Resolution {
    match phase {
        Phase::Credited => Resolution::CreditedLate,
        Phase::Refunded => Resolution::Refunded,
        Phase::Reversed => Resolution::Reversed,
        Phase::Declined => Resolution::Declined,
        Phase::WrittenOff => Resolution::WrittenOff,
        Phase::Unknown | Phase::Waiting => unreachable!("a payment closes into a closed phase"),
    }
}

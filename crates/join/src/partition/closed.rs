//! Events about a payment that is closed.

use crate::alert::{AlertKind, CreditSum, Resolution, Verdict};
use crate::effect::Effects;
use crate::event::{Body, Credited, Event, RefundStatus};
use crate::table::{FORGOTTEN, Phase, Slot};
use crate::time::Timestamp;

use super::raise::Case;
use super::{Moment, Partition};

impl Partition {
    /// Judges an event about a closed payment; whether it changed anything.
    pub(super) fn fold_closed(
        &mut self,
        slot: Slot,
        event: &Event<'_>,
        moment: Moment,
        effects: &mut Effects,
    ) -> bool {
        let at = moment.at;
        let changed = match &event.body {
            Body::Credited(credit) => {
                self.extra_credit(slot, credit, event.occurred_at, at, effects)
            }
            Body::Refunded(refund) => {
                let full = self.note_refund(slot, refund);
                let counts = refund.status == RefundStatus::Succeeded && self.has_open_alert(slot);
                (full && self.end_closed(slot, Resolution::Refunded, at, effects)) || counts
            }
            Body::Reversed(refund) => {
                refund.status != RefundStatus::Failed
                    && self.end_closed(slot, Resolution::Reversed, at, effects)
            }
            Body::Declined(_) => {
                event.occurred_at >= self.table.get(slot).occurred_at
                    && self.end_closed(slot, Resolution::Declined, at, effects)
            }
            _ => false,
        };
        self.reschedule(slot, at);
        changed
    }

    fn has_open_alert(&self, slot: Slot) -> bool {
        self.extras(slot)
            .is_some_and(|extras| extras.alerts.iter().any(|alert| alert.is_open()))
    }

    /// A closed payment was refunded in full, reversed or declined; whether that changed an alert.
    fn end_closed(
        &mut self,
        slot: Slot,
        resolution: Resolution,
        at: Timestamp,
        effects: &mut Effects,
    ) -> bool {
        let answers = self.has_open_alert(slot)
            || self
                .extras(slot)
                .is_some_and(|extras| !extras.twins.is_empty());
        self.end(slot, resolution, at, effects);
        answers
    }

    /// A credit of a payment that is closed already.
    fn extra_credit(
        &mut self,
        slot: Slot,
        credit: &Credited<'_>,
        occurred_at: Timestamp,
        at: Timestamp,
        effects: &mut Effects,
    ) -> bool {
        let entry = self.table.get(slot);
        let lag_ms = (!entry.has(FORGOTTEN)).then(|| occurred_at.since(entry.occurred_at));
        let given_back = self
            .extras(slot)
            .is_some_and(|extras| extras.ended.is_some());
        match entry.phase {
            _ if given_back => {
                let case = Case {
                    lag_ms,
                    ..Case::default()
                };
                self.open(slot, AlertKind::CreditAfterReversal, case, at, effects);
                true
            }
            Phase::Credited => {
                let credits = Some(self.extra_sum(slot, credit));
                let case = Case {
                    lag_ms,
                    credits,
                    ..Case::with_verdict(Verdict::DuplicateCredit)
                };
                self.open(slot, AlertKind::DuplicateCredit, case, at, effects);
                true
            }
            _ => false,
        }
    }

    /// The sum of the extra credits so far and this one, in the currency of the first.
    fn extra_sum(&self, slot: Slot, credit: &Credited<'_>) -> CreditSum {
        let refs = self.table.get(slot).attributes();
        let due = self
            .attributes
            .channel_and_currency(refs)
            .map(|(_, currency)| currency);
        let currency = credit.currency.or(due);
        let earlier = self
            .extras(slot)
            .and_then(|extras| extras.alert(AlertKind::DuplicateCredit))
            .and_then(|alert| alert.credits.as_deref().copied());
        let amount = credit.amount_minor.map(u128::from);
        match earlier {
            None => CreditSum { amount, currency },
            Some(sum) if sum.currency == currency => CreditSum {
                amount: match (sum.amount, amount) {
                    (Some(sum), Some(amount)) => Some(sum + amount),
                    (sum, amount) => sum.or(amount),
                },
                currency,
            },
            // One currency is never added to another.
            Some(sum) => sum,
        }
    }
}

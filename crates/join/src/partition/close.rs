//! A payment is closed.

use crate::alert::{AlertKind, Resolution};
use crate::effect::{Closing, Effect, Effects, Flow};
use crate::event::Place;
use crate::pairs::{Message, MessageBody, twin_key};
use crate::table::{Phase, Slot};
use crate::time::Timestamp;

use super::Partition;
use super::end::resolution_of;

impl Partition {
    /// Closes a waiting payment: counts it, resolves what its closing answers, and tells whoever waits for
    /// it. `lag_ms` is the business lag where a credit closes it.
    pub(super) fn close(
        &mut self,
        slot: Slot,
        phase: Phase,
        lag_ms: Option<i64>,
        at: Timestamp,
        effects: &mut Effects,
    ) {
        self.count_closing(slot, phase, at, effects);
        let resolution = resolution_of(phase);
        self.leave_seekers(slot, at, effects);
        let entry = self.table.get_mut(slot);
        entry.phase = phase;
        let occurred_at = entry.occurred_at;
        if self.extras(slot).is_some() {
            let (missing, decided_at) = self.credited_in_time(slot, at).unwrap_or((resolution, at));
            self.resolve(
                slot,
                AlertKind::CreditMissing,
                missing,
                lag_ms,
                decided_at,
                effects,
            );
            self.resolve(
                slot,
                AlertKind::HoldOverdue,
                resolution,
                lag_ms,
                at,
                effects,
            );
        }
        if matches!(phase, Phase::Refunded | Phase::Reversed | Phase::Declined) {
            self.end(slot, resolution, at, effects);
        }
        let fingerprint = self.fingerprint(slot);
        self.finished.insert(fingerprint, occurred_at);
        self.reschedule(slot, at);
    }

    /// A credit that was appended in time became readable only after the deadline had passed: the alert was
    /// ours alone. It is taken back at the moment it was raised for.
    fn credited_in_time(&self, slot: Slot, at: Timestamp) -> Option<(Resolution, Timestamp)> {
        // The alert knows the deadline that passed; under new rules the tiers may lie elsewhere.
        let raised_for = self.extras(slot)?.missing()?.deadline?;
        let credited = self.table.get(slot).phase == Phase::Credited;
        let in_time = credited && at <= self.tier_deadline(slot, 0).min(raised_for);
        in_time.then_some((Resolution::CreditedInTime, raised_for))
    }

    fn count_closing(&mut self, slot: Slot, phase: Phase, at: Timestamp, effects: &mut Effects) {
        let entry = self.table.get(slot);
        let (amount_minor, accepted_at) = (entry.amount_minor, entry.appended_at);
        let overdue = entry.tier > 0;
        let held = entry.extras.as_ref().is_some_and(|it| it.was_held());
        let Some((channel, currency)) = self.attributes.channel_and_currency(entry.attributes())
        else {
            return;
        };
        self.ledger.close(currency, amount_minor, phase, overdue);
        effects.push(Effect::Flow(Flow::Closed {
            payment: self.fingerprint(slot),
            channel,
            closing: match phase {
                Phase::Credited => Closing::Credited,
                Phase::WrittenOff => Closing::WrittenOff,
                _ => Closing::Explained,
            },
            accepted_at,
            at,
            timed: self.is_timed(slot),
            lag_ms: at.since(accepted_at).max(0).unsigned_abs(),
            overdue,
            held,
            amount_minor,
            currency,
        }));
    }

    /// The payment was given back in full, reversed or declined: what that answers is resolved, its twins
    /// hear of it, and a refund after this counts anew.
    pub(super) fn end(
        &mut self,
        slot: Slot,
        resolution: Resolution,
        at: Timestamp,
        effects: &mut Effects,
    ) {
        let extras = self.extras_mut(slot);
        extras.refunded_minor = 0;
        let first = extras.ended.is_none();
        extras.ended.get_or_insert((at, resolution));
        self.resolve_answered(slot, resolution, at, effects);
        if first {
            self.tell_twins(slot, resolution, at, effects);
            self.tell_pairs(slot, at, effects);
        }
    }

    /// Resolves what a full refund, a reversal or a decline answers; whether there was anything.
    pub(super) fn resolve_answered(
        &mut self,
        slot: Slot,
        resolution: Resolution,
        at: Timestamp,
        effects: &mut Effects,
    ) -> bool {
        let by_decline = resolution == Resolution::Declined;
        let mut answered = false;
        for kind in [
            AlertKind::AmountMismatch,
            AlertKind::CurrencyMismatch,
            AlertKind::TerminalMismatch,
            AlertKind::DuplicateCredit,
            AlertKind::CreditAfterReversal,
            AlertKind::DuplicatePayment,
        ] {
            if !by_decline || kind == AlertKind::DuplicatePayment {
                answered |= self.resolve(slot, kind, resolution, None, at, effects);
            }
        }
        answered
    }

    /// Later payments of the same payer do not count as duplicates of this one any more.
    fn tell_pairs(&self, slot: Slot, at: Timestamp, effects: &mut Effects) {
        let entry = self.table.get(slot);
        let Some((_, currency)) = self.attributes.channel_and_currency(entry.attributes()) else {
            return;
        };
        if entry.appended_at + self.settings.duplicate_window < at {
            return;
        }
        let (merchant, terminal) = self.attributes.merchant_and_terminal(entry.attributes());
        let tenant = self.tenant(slot).map(AsRef::as_ref);
        let key = twin_key(tenant, merchant, terminal, entry.amount_minor, currency);
        let body = MessageBody::Ended {
            payment: self.payment_ref(slot),
        };
        let place = self.current_place(at);
        effects.push(Effect::Pair(Message { key, place, body }.into()));
    }

    /// The place of the record that is being applied; of a deadline, after every record of its millisecond.
    pub(super) fn current_place(&self, at: Timestamp) -> Place {
        match self.applying {
            Some(place) if place.at == at => place,
            _ => Place {
                at,
                stream: u8::MAX,
                partition: i32::MAX,
                offset: i64::MAX,
            },
        }
    }
}

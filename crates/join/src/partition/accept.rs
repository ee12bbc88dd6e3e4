//! A payment arrives.

use crate::alert::{AlertKind, Resolution, Verdict};
use crate::attributes::{Facts, PlaceTuple};
use crate::effect::{Effect, Effects, Flow};
use crate::event::{Event, Record, Succeeded};
use crate::identity::Fingerprint;
use crate::ledger::Outcome;
use crate::pairs::{Message, MessageBody, twin_key};
use crate::settings::Rule;
use crate::table::{Phase, Slot};
use crate::time::Timestamp;

use super::raise::Case;
use super::{Key, Moment, Partition};

impl Partition {
    pub(super) fn payment(
        &mut self,
        key: Key,
        slot: Option<Slot>,
        record: &Record<'_>,
        (payment, place): (&Succeeded<'_>, PlaceTuple),
        effects: &mut Effects,
    ) -> Outcome {
        let known = slot.is_some_and(|slot| self.table.get(slot).is_accepted());
        if known
            || self
                .finished
                .contains(key.fingerprint, record.event.occurred_at)
        {
            return Outcome::Duplicate;
        }
        let slot = slot.unwrap_or_else(|| self.insert(key, record.place.at));
        self.accept(slot, record, (payment, place), effects);
        Outcome::Used
    }

    fn accept(
        &mut self,
        slot: Slot,
        record: &Record<'_>,
        (payment, place): (&Succeeded<'_>, PlaceTuple),
        effects: &mut Effects,
    ) {
        let at = record.place.at;
        let refs = self.attributes.acquire(payment, place, &self.settings);
        let rule = self.rule_of(payment);
        let entry = self.table.get_mut(slot);
        entry.phase = Phase::Waiting;
        entry.occurred_at = record.event.occurred_at;
        entry.appended_at = at;
        entry.amount_minor = payment.amount_minor;
        entry.set_fee_minor(payment.fee_minor);
        entry.set_attributes(refs);
        entry.rule = rule;
        entry.clock = clock(
            &self.settings.rules[usize::from(rule)],
            payment.expected_credit_by,
            at,
        );
        if payment.expected_credit_by.is_some() {
            self.keep_due(slot, payment.expected_credit_by);
        }
        self.ledger.accept(payment.currency, payment.amount_minor);
        self.announce(slot, record, payment, effects);
        self.reschedule(slot, at);
        self.check_order(slot, payment, at, effects);
        self.fold_early(slot, at, effects);
        if at < self.hole_until && self.table.get(slot).phase == Phase::Waiting {
            self.close(slot, Phase::WrittenOff, None, at, effects);
        }
    }

    /// A due time that the payment names is kept only where a release or reload could need it again: where
    /// any rule asks for one.
    fn keep_due(&mut self, slot: Slot, due: Option<Timestamp>) {
        if self.settings.rules.iter().any(|rule| rule.due.is_some()) {
            self.extras_mut(slot).expected_credit_by = due;
        }
    }

    fn announce(
        &self,
        slot: Slot,
        record: &Record<'_>,
        payment: &Succeeded<'_>,
        effects: &mut Effects,
    ) {
        let (amount_minor, currency) = (payment.amount_minor, payment.currency);
        if let Some(channel) = self.channel(slot) {
            let (at, timed) = (record.place.at, self.is_timed(slot));
            effects.push(Effect::Flow(Flow::Accepted {
                payment: self.fingerprint(slot),
                channel,
                at,
                timed,
                due: self.tier_deadline(slot, 0),
                amount_minor,
                currency,
            }));
        }
        let Some(payer) = &payment.payer_hash else {
            return;
        };
        let tenant = record.event.tenant.as_deref();
        let key = twin_key(
            tenant,
            &payment.merchant_id,
            &payment.terminal_id,
            amount_minor,
            currency,
        );
        let payer = Fingerprint::of_parts(b'h', [payer.as_bytes()]);
        let body = MessageBody::Paid {
            payer,
            payment: self.payment_ref(slot),
        };
        effects.push(Effect::Pair(
            Message {
                key,
                place: record.place,
                body,
            }
            .into(),
        ));
    }

    /// The payer paid another amount than the order asks for.
    fn check_order(
        &mut self,
        slot: Slot,
        payment: &Succeeded<'_>,
        at: Timestamp,
        effects: &mut Effects,
    ) {
        if payment
            .order_amount_minor
            .is_some_and(|order| order != payment.amount_minor)
        {
            let case = Case::with_verdict(Verdict::UserAmountError);
            self.open(slot, AlertKind::AmountMismatch, case, at, effects);
        }
    }

    /// What came before the payment takes effect now, in the order in which it came.
    fn fold_early(&mut self, slot: Slot, at: Timestamp, effects: &mut Effects) {
        let Some(extras) = self.table.get_mut(slot).extras.as_mut() else {
            return;
        };
        if extras.rare.is_none() {
            return;
        }
        let early = core::mem::take(&mut extras.early);
        // An id that was near the orphan's says nothing about the payment that came after all.
        extras.near = None;
        let orphan = early
            .iter()
            .rev()
            .find(|early| early.decided)
            .map(|early| &early.event);
        self.resolve_orphan(slot, orphan, at, effects);
        for early in &early {
            if early.uncounted {
                self.ledger.count(early.stream, Outcome::Used);
            }
            let moment = Moment {
                appended_at: early.at,
                at,
            };
            self.fold(slot, &early.event, moment, effects);
        }
    }

    fn resolve_orphan(
        &mut self,
        slot: Slot,
        credit: Option<&Event<'_>>,
        at: Timestamp,
        effects: &mut Effects,
    ) {
        let paid_at = self.table.get(slot).occurred_at;
        let lag_ms = credit.map(|credit| credit.occurred_at.since(paid_at));
        if self.resolve(
            slot,
            AlertKind::OrphanCredit,
            Resolution::Completed,
            lag_ms,
            at,
            effects,
        ) {
            self.stop_seeking(slot, at, effects);
        }
    }

    fn rule_of(&self, payment: &Succeeded<'_>) -> u16 {
        let facts = Facts::of(payment);
        let matching = self
            .settings
            .rules
            .iter()
            .position(|rule| facts.match_all(&rule.matcher, Some(payment)));
        // The last rule matches everything; there are at most 65,535 (checked by the configuration).
        matching.unwrap_or(self.settings.rules.len() - 1) as u16
    }
}

/// What the tiers of a payment count from: its start, or for a batch the due time, but never before the
/// start.
pub(super) fn clock(rule: &Rule, expected: Option<Timestamp>, start: Timestamp) -> Timestamp {
    let Some(due) = &rule.due else { return start };
    expected
        .unwrap_or_else(|| due.calendar.due(start, due.business_days))
        .max(start)
}

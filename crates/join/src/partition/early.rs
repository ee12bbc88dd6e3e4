//! Records about a payment that has not come.

use alloc::borrow::Cow;

use crate::alert::{AlertKind, CreditSum, Verdict};
use crate::effect::Effects;
use crate::event::{Body, Event, Record, RefusalClass, Text};
use crate::extras::Early;
use crate::identity::Fingerprint;
use crate::ledger::{Outcome, Wait};
use crate::table::{AUTHORIZED, OTHER_EVENTS, Phase, Slot};
use crate::time::{Span, Timestamp};

use super::raise::Case;
use super::{Key, Partition};

/// Early records kept for one payment; further ones are counted late.
const EARLY_PER_PAYMENT: usize = 256;

/// How long an entry is kept that only authorisations, stages and incomplete declines spoke of: they change
/// nothing about a payment that comes after all.
const INCOMPLETE_KEPT: Span = Span::from_secs(3600);

impl Partition {
    /// Keeps a record until its payment comes. `None`: what it counts as is open until then.
    pub(super) fn remember_early(
        &mut self,
        slot: Slot,
        identity: Fingerprint,
        record: &Record<'_>,
    ) -> Option<Outcome> {
        let early = self.extras_mut(slot);
        if early.early.len() >= EARLY_PER_PAYMENT {
            return Some(Outcome::Late);
        }
        early.first_sight(identity);
        let event = &record.event;
        let uncounted = follows_a_payment(&event.body)
            && self
                .knows_since
                .before_horizon(event.occurred_at, self.settings.beginning);
        let entry = self.table.get_mut(slot);
        entry.flags |= match &event.body {
            Body::Authorized { .. } => AUTHORIZED,
            Body::Declined(refusal) if refusal.class == RefusalClass::AuthIncomplete => 0,
            _ => OTHER_EVENTS,
        };
        entry.extras_mut().early.push(Early {
            at: record.place.at,
            stream: record.place.stream,
            uncounted,
            decided: false,
            passed: false,
            event: owned(event),
        });
        self.reschedule(slot, record.place.at);
        (!uncounted).then_some(Outcome::Used)
    }

    /// When an unknown payment's entry has something to decide or is forgotten.
    pub(super) fn next_early(&self, slot: Slot) -> Timestamp {
        let entry = self.table.get(slot);
        let grace = self.settings.orphan_after;
        let extras = entry.extras.as_deref();
        let open = extras
            .into_iter()
            .flat_map(|extras| &extras.early)
            .filter(|early| is_open(early));
        let decision = open
            .map(|early| early.at + grace)
            .min()
            .unwrap_or(Timestamp::MAX);
        decision.min(entry.appended_at + self.kept_unknown(slot))
    }

    fn kept_unknown(&self, slot: Slot) -> Span {
        let entry = self.table.get(slot);
        if entry
            .extras
            .as_ref()
            .is_some_and(|extras| !extras.alerts.is_empty())
        {
            super::REMEMBERED
        } else if entry.has(OTHER_EVENTS) {
            // At least the grace: a credit is decided before it is forgotten.
            self.settings
                .redelivery_horizon
                .max(self.settings.orphan_after)
        } else {
            INCOMPLETE_KEPT.max(self.settings.orphan_after)
        }
    }

    /// The grace of an early record ended, or the entry's time did.
    pub(super) fn fire_unknown(&mut self, slot: Slot, at: Timestamp, effects: &mut Effects) {
        let grace = self.settings.orphan_after;
        while let Some(i) = self.next_open_early(slot, at, grace) {
            let early = &mut self.extras_mut(slot).early[i];
            let uncounted = core::mem::take(&mut early.uncounted);
            let stream = early.stream;
            let credit = matches!(early.event.body, Body::Credited(_));
            early.decided = credit && !uncounted;
            // A credit of before the horizon is no orphan: its payment may lie there too.
            if uncounted {
                self.ledger.count(stream, Outcome::BeforeHorizon);
                self.extras_mut(slot).early[i].passed = true;
            } else if credit {
                self.orphan(slot, i, at, effects);
            }
        }
        if self.table.get(slot).appended_at + self.kept_unknown(slot) <= at {
            self.forget_unknown(slot);
        } else {
            self.reschedule(slot, at);
        }
    }

    fn next_open_early(&self, slot: Slot, at: Timestamp, grace: Span) -> Option<usize> {
        let early = &self.extras(slot)?.early;
        early
            .iter()
            .position(|early| is_open(early) && early.at + grace <= at)
    }

    fn orphan(&mut self, slot: Slot, i: usize, at: Timestamp, effects: &mut Effects) {
        let early = &self.extras_mut(slot).early[i];
        let Body::Credited(credit) = &early.event.body else {
            return;
        };
        let credits = CreditSum {
            amount: credit.amount_minor.map(u128::from),
            currency: credit.currency,
        };
        let appended_at = early.at;
        // A further orphan of an id that found its payment is the same damage again.
        let related = self.extras(slot).and_then(|extras| extras.near.clone());
        let verdict = if related.is_some() {
            Verdict::IdCorrupted
        } else {
            Verdict::OrphanCredit
        };
        let case = Case {
            credits: Some(credits),
            related,
            ..Case::with_verdict(verdict)
        };
        self.open(slot, AlertKind::OrphanCredit, case, at, effects);
        self.seek_payment(slot, appended_at, at, effects);
    }

    fn forget_unknown(&mut self, slot: Slot) {
        if let Some(wait) = self.incomplete(slot) {
            self.ledger.count_wait(wait);
        }
        self.drop_entry(slot);
    }

    /// What an unknown payment's entry counts as among the explained waits.
    pub(super) fn incomplete(&self, slot: Slot) -> Option<Wait> {
        let entry = self.table.get(slot);
        let before_horizon = |early: &Early| early.uncounted || early.passed;
        let known = entry.stages != 0
            || self
                .extras(slot)
                .is_some_and(|extras| !extras.early.iter().all(before_horizon));
        if entry.phase != Phase::Unknown || entry.has(OTHER_EVENTS) || !known {
            None
        } else if entry.has(AUTHORIZED) {
            Some(Wait::AuthIncomplete)
        } else {
            Some(Wait::UserIncomplete)
        }
    }

    /// An event about a payment that is known by its fingerprint alone.
    pub(super) fn forgotten(
        &mut self,
        key: Key,
        event: &Event<'_>,
        at: Timestamp,
        effects: &mut Effects,
    ) -> Outcome {
        if !matches!(event.body, Body::Credited(_)) {
            return Outcome::Late;
        }
        let slot = self.revive(key, at);
        let moment = super::Moment {
            appended_at: at,
            at,
        };
        self.fold(slot, event, moment, effects)
    }

    /// An entry for a payment that was credited and forgotten.
    pub(super) fn revive(&mut self, key: Key, at: Timestamp) -> Slot {
        let slot = self.insert(key, at);
        let entry = self.table.get_mut(slot);
        entry.phase = Phase::Credited;
        entry.flags |= crate::table::FORGOTTEN;
        slot
    }

    /// Counts what is still open when knowledge ends: nothing will come any more.
    pub fn finish(&mut self) {
        let table = &self.table;
        let ledger = &mut self.ledger;
        for (_, entry) in table.iter() {
            let early = entry.extras.iter().flat_map(|extras| &extras.early);
            for early in early.filter(|early| early.uncounted) {
                ledger.count(early.stream, Outcome::BeforeHorizon);
            }
        }
    }
}

/// Whether such a record comes after its payment by nature: where it is dated before knowledge began, its
/// payment lies there too.
fn follows_a_payment(body: &Body<'_>) -> bool {
    matches!(
        body,
        Body::Credited(_) | Body::Refunded(_) | Body::Reversed(_)
    )
}

/// Whether the end of the grace decides something about it.
fn is_open(early: &Early) -> bool {
    early.uncounted
        || (!early.decided && !early.passed && matches!(early.event.body, Body::Credited(_)))
}

fn text(text: &Text<'_>) -> Text<'static> {
    Cow::Owned(text.as_ref().into())
}

fn some_text(field: Option<&Text<'_>>) -> Option<Text<'static>> {
    field.map(text)
}

/// A copy that outlives its record.
fn owned(event: &Event<'_>) -> Event<'static> {
    Event {
        tenant: some_text(event.tenant.as_ref()),
        event_id: text(&event.event_id),
        occurred_at: event.occurred_at,
        body: owned_body(&event.body),
    }
}

fn owned_body(body: &Body<'_>) -> Body<'static> {
    use crate::event::{Credited, Refund, Refusal};
    let refund = |refund: &Refund<'_>| Refund {
        payment_id: text(&refund.payment_id),
        refund_id: some_text(refund.refund_id.as_ref()),
        amount_minor: refund.amount_minor,
        status: refund.status,
    };
    let refusal = |refusal: &Refusal<'_>| Refusal {
        payment_id: text(&refusal.payment_id),
        channel: some_text(refusal.channel.as_ref()),
        merchant_id: some_text(refusal.merchant_id.as_ref()),
        terminal_id: some_text(refusal.terminal_id.as_ref()),
        amount_minor: refusal.amount_minor,
        currency: refusal.currency,
        code: some_text(refusal.code.as_ref()),
        class: refusal.class,
    };
    match body {
        Body::Credited(credit) => Body::Credited(Credited {
            payment_id: text(&credit.payment_id),
            credit_id: some_text(credit.credit_id.as_ref()),
            channel: some_text(credit.channel.as_ref()),
            amount_minor: credit.amount_minor,
            currency: credit.currency,
            fee_minor: credit.fee_minor,
            terminal_id: some_text(credit.terminal_id.as_ref()),
            merchant_id: some_text(credit.merchant_id.as_ref()),
            mcc: some_text(credit.mcc.as_ref()),
            partial: credit.partial,
            batch_id: some_text(credit.batch_id.as_ref()),
        }),
        Body::Authorized { payment_id } => Body::Authorized {
            payment_id: text(payment_id),
        },
        Body::Refunded(body) => Body::Refunded(refund(body)),
        Body::Reversed(body) => Body::Reversed(refund(body)),
        Body::Held {
            payment_id,
            reason,
            expected_release_at,
        } => Body::Held {
            payment_id: text(payment_id),
            reason: some_text(reason.as_ref()),
            expected_release_at: *expected_release_at,
        },
        Body::Released { payment_id } => Body::Released {
            payment_id: text(payment_id),
        },
        Body::Declined(body) => Body::Declined(refusal(body)),
        Body::Rejected(body) => Body::Rejected(refusal(body)),
        Body::Succeeded(_)
        | Body::Stage { .. }
        | Body::Heartbeat(_)
        | Body::AccountStatus { .. }
        | Body::BatchSettled(_)
        | Body::Marker(_) => unreachable!("only events that wait for a payment are kept"),
    }
}

//! One partition of payments: the state machine that joins, times and judges them.
//!
//! The contract, in one sentence: the caller applies records in canonical order, says how far they are
//! known, and drains the effects.
//!
//! 1. [`Partition::apply`] folds a record in, after deciding every deadline dated before it.
//! 2. [`Partition::advance`] decides every deadline before the known time K; while K stands, none passes.
//! 3. [`Partition::notes`] takes what the pairs stage and other partitions say.
//!
//! It knows nothing of Kafka, of other partitions or of the wall clock.

mod accept;
mod ahead;
mod close;
mod closed;
mod credit;
mod deadline;
mod early;
mod end;
mod hold;
mod hole;
mod inspect;
mod notes;
mod raise;
mod reload;
mod stage;

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::attributes::Attributes;
use crate::auxiliary::Auxiliary;
use crate::effect::{ChannelIndex, Effects};
use crate::event::{Body, Event, Place, Record};
use crate::extras::Extras;
use crate::finished::Finished;
use crate::identity::Fingerprint;
use crate::ledger::{Ledger, Outcome};
use crate::packed::PackedId;
use crate::pairs::PaymentRef;
use crate::settings::{KnowsSince, Settings};
use crate::table::{Entry, Phase, Slot, Table};
use crate::time::{Span, Timestamp};

use ahead::Ahead;

pub use inspect::{Inspection, PaymentState};
pub use reload::{Reload, ReloadRefused};

/// How long alert ids, and payments that closed otherwise than by a credit, are remembered.
const REMEMBERED: Span = Span::from_secs(35 * 24 * 3600);

/// Identities kept beside one entry; further ones are known by the finished ids alone.
const SEEN_PER_PAYMENT: usize = 256;

/// One partition of payments.
pub struct Partition {
    /// Its number.
    pub(crate) home: u32,
    pub(crate) settings: Arc<Settings>,
    pub(crate) knows_since: KnowsSince,
    /// Where the last hole of the inputs ended: a payment appended before it may have been credited in it.
    pub(crate) hole_until: Timestamp,
    /// Every deadline before it is decided.
    pub(crate) known: Timestamp,
    pub(crate) table: Table,
    pub(crate) attributes: Attributes,
    pub(crate) tenants: Vec<Arc<str>>,
    pub(crate) finished: Finished,
    pub(crate) auxiliary: Auxiliary,
    pub(crate) ledger: Ledger,
    /// The record that is being applied.
    applying: Option<Place>,
    /// The entry that was found last, and its fingerprint: most of what follows is about it.
    at_hand: Option<(Slot, Fingerprint)>,
}

/// What identifies a payment inside its partition.
struct Key {
    fingerprint: Fingerprint,
    tenant: u16,
    id: PackedId,
}

/// A moment of judgement: when something was appended, and when it takes effect (later than that where its
/// payment came after it).
#[derive(Clone, Copy)]
struct Moment {
    appended_at: Timestamp,
    at: Timestamp,
}

impl Partition {
    /// An empty partition that knows its inputs from `knows_since` on.
    pub fn new(settings: Arc<Settings>, knows_since: KnowsSince) -> Self {
        Self {
            home: 0,
            table: Table::new(knows_since.0),
            attributes: Attributes::default(),
            tenants: Vec::new(),
            finished: Finished::new(settings.redelivery_horizon),
            auxiliary: Auxiliary::new(settings.redelivery_horizon),
            ledger: Ledger::default(),
            applying: None,
            at_hand: None,
            hole_until: Timestamp::MIN,
            known: knows_since.0,
            knows_since,
            settings,
        }
    }

    /// Gives it its number: what it says to others carries it, so that answers find back.
    #[must_use]
    pub fn with_home(mut self, home: u32) -> Self {
        self.home = home;
        self
    }

    /// Folds a record in. Records must come in canonical order (see [`Place`](crate::Place)); every
    /// deadline dated before the record is decided first.
    ///
    /// Returns what the record counts as; `None` where that is open until its payment comes or the grace ends.
    pub fn apply(&mut self, record: &Record<'_>, effects: &mut Effects) -> Option<Outcome> {
        self.attributes.forget_written();
        let ahead = self.ahead(&record.event);
        self.apply_ahead(ahead, record, effects)
    }

    fn apply_ahead(
        &mut self,
        ahead: Option<Ahead>,
        record: &Record<'_>,
        effects: &mut Effects,
    ) -> Option<Outcome> {
        self.advance(record.place.at, effects);
        self.applying = Some(record.place);
        let outcome = self.judge(ahead, record, effects);
        if let Some(outcome) = outcome {
            self.ledger.count(record.place.stream, outcome);
        }
        self.applying = None;
        outcome
    }

    /// Counts a record that is no valid event.
    pub fn reject(&mut self, stream: u8) {
        self.ledger.count(stream, Outcome::Rejected);
    }

    /// Decides every deadline dated before `known`: up to there, everything appended has been applied.
    pub fn advance(&mut self, known: Timestamp, effects: &mut Effects) {
        // At the same moment again there may be something new: a note can set a timer that is due.
        if known < self.known {
            return;
        }
        let last = known - Span::from_millis(1);
        while let Some((slot, at)) = self.table.pop_due(last) {
            self.fire(slot, at, effects);
        }
        self.known = known;
        self.finished.advance(known);
        self.auxiliary.advance(known);
    }

    /// A lower bound of the next moment at which something is decided, exact when it is near; `None` when
    /// nothing is timed. Advancing to it brings a better bound.
    pub fn next_decision(&self) -> Option<Timestamp> {
        self.table.next_time()
    }

    /// Up to when deadlines are decided.
    pub fn known(&self) -> Timestamp {
        self.known
    }

    /// Its accounts.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The name of a channel of this partition's effects.
    pub fn channel_name(&self, channel: ChannelIndex) -> &str {
        self.attributes.channel_name(channel)
    }

    /// Payments in the table: the waiting, the unknown, and the closed that are still at hand.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether the table is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `None`: it is counted later, when its payment comes or the grace ends.
    fn judge(
        &mut self,
        ahead: Option<Ahead>,
        record: &Record<'_>,
        effects: &mut Effects,
    ) -> Option<Outcome> {
        let event = &record.event;
        let Some(Ahead {
            key,
            identity,
            place,
        }) = ahead
        else {
            return Some(self.auxiliary.apply(event));
        };
        let slot = self.table.find(key.fingerprint, key.tenant, &key.id);
        self.at_hand = slot.map(|slot| (slot, key.fingerprint));
        match (&event.body, place, identity) {
            (Body::Succeeded(payment), Some(place), _) => {
                Some(self.payment(key, slot, record, (payment, place), effects))
            }
            (Body::Stage { stage, .. }, ..) => self.stage(key, slot, record, *stage),
            (_, _, Some(identity)) => self.event(key, slot, record, identity, effects),
            _ => unreachable!("payments have attributes, and other events an identity"),
        }
    }

    /// A credit or another event about a payment.
    fn event(
        &mut self,
        key: Key,
        slot: Option<Slot>,
        record: &Record<'_>,
        identity: Fingerprint,
        effects: &mut Effects,
    ) -> Option<Outcome> {
        let event = &record.event;
        let forgotten = slot.is_none()
            && self
                .finished
                .contains_up_to(key.fingerprint, event.occurred_at);
        let seen = self.seen_beside(slot, forgotten, identity);
        // Both must be asked: the entry remembers while its payment waits, the finished ids for the horizon.
        let new = self.finished.insert(identity, event.occurred_at);
        if seen || !new {
            return Some(Outcome::Duplicate);
        }
        let at = record.place.at;
        match slot {
            Some(slot) if self.table.get(slot).is_accepted() => {
                let moment = Moment {
                    appended_at: at,
                    at,
                };
                let outcome = self.fold(slot, event, moment, effects);
                self.remember(slot, identity);
                Some(outcome)
            }
            Some(slot) => self.remember_early(slot, identity, record),
            None if forgotten => Some(self.forgotten(key, event, at, effects)),
            None => {
                let slot = self.insert(key, at);
                self.remember_early(slot, identity, record)
            }
        }
    }

    /// Whether an event was seen before, as far as its payment's entry knows, or once the payment is closed,
    /// where the same again may name another hour: what is that rare may be looked for in all of them.
    fn seen_beside(&self, slot: Option<Slot>, forgotten: bool, identity: Fingerprint) -> bool {
        let beside = slot
            .and_then(|slot| self.extras(slot))
            .is_some_and(|extras| extras.seen.contains(&identity));
        let closed = slot.map_or(forgotten, |slot| self.table.get(slot).is_closed());
        beside || (closed && self.finished.contains_ever(identity))
    }

    /// Judges an event about an accepted payment.
    fn fold(
        &mut self,
        slot: Slot,
        event: &Event<'_>,
        moment: Moment,
        effects: &mut Effects,
    ) -> Outcome {
        if let Body::Credited(_) = &event.body
            && let Some(channel) = self.channel(slot)
        {
            let at = moment.appended_at;
            effects.push(crate::Effect::Flow(crate::Flow::Credit { channel, at }));
        }
        if self.table.get(slot).phase == Phase::Waiting {
            self.fold_waiting(slot, event, moment, effects);
            Outcome::Used
        } else if self.fold_closed(slot, event, moment, effects) {
            Outcome::Used
        } else {
            Outcome::Late
        }
    }

    fn fold_waiting(
        &mut self,
        slot: Slot,
        event: &Event<'_>,
        moment: Moment,
        effects: &mut Effects,
    ) {
        let at = moment.at;
        match &event.body {
            Body::Credited(credit) => self.credit(slot, credit, event.occurred_at, at, effects),
            Body::Refunded(refund) => self.refund(slot, refund, at, effects),
            Body::Reversed(refund) => self.reverse(slot, refund, at, effects),
            Body::Declined(_) => self.decline(slot, event.occurred_at, at, effects),
            Body::Rejected(refusal) => self.reject_credit(slot, refusal.class, at, effects),
            Body::Held {
                expected_release_at,
                ..
            } => {
                self.hold(slot, *expected_release_at, moment, effects);
            }
            Body::Released { .. } => self.release(slot, at, effects),
            // Says nothing about the credit: the payer's side is done.
            Body::Authorized { .. } => {}
            Body::Succeeded(_)
            | Body::Stage { .. }
            | Body::Heartbeat(_)
            | Body::AccountStatus { .. }
            | Body::BatchSettled(_)
            | Body::Marker(_) => unreachable!("handled before the fold"),
        }
    }

    fn key_of(&mut self, tenant: Option<&str>, id: PackedId) -> Key {
        Key {
            fingerprint: Fingerprint::of_packed(tenant, &id),
            tenant: tenant.map_or(0, |tenant| self.tenant_index(tenant)),
            id,
        }
    }

    pub(crate) fn tenant_index(&mut self, tenant: &str) -> u16 {
        let found = self.tenants.iter().position(|name| **name == *tenant);
        let at = found.unwrap_or_else(|| {
            self.tenants.push(tenant.into());
            self.tenants.len() - 1
        });
        // The limit on tenants is checked where they are configured; the last index stands for the rest.
        u16::try_from(at + 1).unwrap_or(u16::MAX)
    }

    fn tenant(&self, slot: Slot) -> Option<&Arc<str>> {
        let index = usize::from(self.table.get(slot).tenant);
        self.tenants.get(index.checked_sub(1)?)
    }

    fn insert(&mut self, key: Key, at: Timestamp) -> Slot {
        let entry = Entry::new(key.id, key.tenant, at);
        let slot = self.table.insert(key.fingerprint, entry);
        self.at_hand = Some((slot, key.fingerprint));
        slot
    }

    fn extras(&self, slot: Slot) -> Option<&Extras> {
        self.table.get(slot).extras.as_deref()
    }

    fn extras_mut(&mut self, slot: Slot) -> &mut Extras {
        self.table.get_mut(slot).extras_mut()
    }

    fn channel(&self, slot: Slot) -> Option<ChannelIndex> {
        let refs = self.table.get(slot).attributes();
        self.attributes
            .channel_and_currency(refs)
            .map(|(channel, _)| channel)
    }

    fn payment_ref(&self, slot: Slot) -> PaymentRef {
        PaymentRef {
            tenant: self.tenant(slot).cloned(),
            id: self.table.get(slot).id.clone(),
            home: self.home,
        }
    }

    fn fingerprint(&self, slot: Slot) -> Fingerprint {
        if let Some((at_hand, fingerprint)) = self.at_hand
            && at_hand == slot
        {
            return fingerprint;
        }
        let tenant = self.tenant(slot).map(AsRef::as_ref);
        Fingerprint::of_packed(tenant, &self.table.get(slot).id)
    }

    fn slot_of(&mut self, payment: &PaymentRef) -> Option<Slot> {
        let key = self.key_of(payment.tenant(), payment.id.clone());
        self.table.find(key.fingerprint, key.tenant, &key.id)
    }

    /// Keeps an identity beside the entry, where it has extras or waits on.
    fn remember(&mut self, slot: Slot, identity: Fingerprint) {
        let entry = self.table.get_mut(slot);
        let keeps = entry.extras.is_some() || entry.phase == Phase::Waiting;
        if keeps
            && entry
                .extras
                .as_ref()
                .is_none_or(|extras| extras.seen.len() < SEEN_PER_PAYMENT)
        {
            entry.extras_mut().first_sight(identity);
        }
    }
}

//! Reading ahead: what the next records need is asked of memory together, so that one wait serves them all.
//!
//! With millions of payments at hand nearly every look at one misses the caches, and a record needs several
//! that follow from each other. For a few records at once each level is a loop of its own (group prefetching,
//! Chen, Ailamaki, Gibbons and Mowry 2007). Nothing is decided here: every record is still judged alone.

use crate::attributes::PlaceTuple;
use crate::dictionary::TupleRef;
use crate::effect::Effects;
use crate::event::{Body, Event, Record};
use crate::identity::Fingerprint;
use crate::ledger::Outcome;
use crate::packed::PackedId;
use crate::table::Slot;

use super::{Key, Partition};

/// Records that are read ahead together.
const TOGETHER: usize = 16;

/// What a record says by itself, worked out before it is judged.
pub(super) struct Ahead {
    /// The payment it is about.
    pub(super) key: Key,
    /// The event's identity, where events of its kind are told apart by it.
    pub(super) identity: Option<Fingerprint>,
    /// The attributes of a payment, written out.
    pub(super) place: Option<PlaceTuple>,
}

impl Partition {
    /// [`apply`](Self::apply)s records one after the other, faster than one at a time. `counted` is told for
    /// each what `apply` would return.
    pub fn apply_all(
        &mut self,
        records: &[Record<'_>],
        effects: &mut Effects,
        mut counted: impl FnMut(Option<Outcome>),
    ) {
        for records in records.chunks(TOGETHER) {
            self.attributes.forget_written();
            let mut ahead = [const { None }; TOGETHER];
            for (ahead, record) in ahead.iter_mut().zip(records) {
                *ahead = self.ahead(&record.event);
            }
            self.touch(records, &ahead);
            for (ahead, record) in ahead.iter_mut().zip(records) {
                counted(self.apply_ahead(ahead.take(), record, effects));
            }
        }
    }

    /// Works out what a record says by itself; `None` where it is about no payment.
    pub(super) fn ahead(&mut self, event: &Event<'_>) -> Option<Ahead> {
        let id = PackedId::pack(event.body.payment_id()?);
        let key = self.key_of(event.tenant.as_deref(), id);
        let identity = match &event.body {
            Body::Succeeded(_) | Body::Stage { .. } => None,
            _ => Some(identity(key.fingerprint, event)),
        };
        let place = match &event.body {
            Body::Succeeded(payment) => Some(self.attributes.write(payment)),
            _ => None,
        };
        Some(Ahead {
            key,
            identity,
            place,
        })
    }

    /// Looks at everything that the records will need, one level after the other.
    fn touch(&self, records: &[Record<'_>], ahead: &[Option<Ahead>; TOGETHER]) {
        for (ahead, record) in ahead.iter().zip(records) {
            let Some(ahead) = ahead else { continue };
            let at = record.event.occurred_at;
            self.table.touch(ahead.key.fingerprint);
            self.finished.touch(ahead.key.fingerprint, at);
            if let Some(identity) = ahead.identity {
                self.finished.touch(identity, at);
            }
            if let Some(place) = ahead.place {
                self.attributes.touch(place);
            }
        }
        let mut slots = [None; TOGETHER];
        let mut places = [None; TOGETHER];
        for (i, ahead) in ahead.iter().enumerate() {
            let Some(ahead) = ahead else { continue };
            slots[i] = self.table.likely(ahead.key.fingerprint);
            places[i] = ahead.place.and_then(|place| self.attributes.likely(place));
        }
        self.touch_likely(&slots, &places);
    }

    /// Looks at what the records are likely about.
    fn touch_likely(&self, slots: &[Option<Slot>], places: &[Option<TupleRef>]) {
        for &slot in slots.iter().flatten() {
            self.table.touch_entry(slot);
        }
        for &place in places.iter().flatten() {
            self.attributes.touch_place(place);
        }
        for &slot in slots.iter().flatten() {
            self.table.touch_neighbours(slot);
            let refs = self.table.get(slot).attributes();
            self.attributes.touch_place(refs.place);
        }
        for &place in places.iter().flatten() {
            self.attributes.touch_text(place);
        }
    }
}

/// The identity of an event about a payment: of a credit its credit id, of the others type and event id.
fn identity(payment: Fingerprint, event: &Event<'_>) -> Fingerprint {
    match &event.body {
        Body::Credited(credit) => match &credit.credit_id {
            Some(credit_id) => payment.event("credit_id", credit_id),
            None => payment.event("credit event_id", &event.event_id),
        },
        body => payment.event(body.type_name(), &event.event_id),
    }
}

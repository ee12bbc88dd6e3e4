//! The table of payments: one entry each, found by fingerprint, timed by the wheel.

use alloc::boxed::Box;
use alloc::vec::Vec;

use hashbrown::HashTable;

use crate::attributes::AttributeRefs;
use crate::dictionary::TupleRef;
use crate::extras::Extras;
use crate::identity::Fingerprint;
use crate::packed::PackedId;
use crate::slab::Slab;
use crate::time::{Span, Timestamp};
use crate::wheel::{Timer, Timers, Wheel};

/// Where an entry lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(pub(crate) u32);

/// What an entry stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Something spoke of the payment, but no `payment.succeeded` was accepted.
    Unknown,
    /// Accepted; a credit is due.
    Waiting,
    /// Closed by a credit.
    Credited,
    /// Closed by a full refund.
    Refunded,
    /// Closed by a reversal.
    Reversed,
    /// Closed by a decline.
    Declined,
    /// Given up.
    WrittenOff,
}

/// The value of `fee` where the payment names none.
const NO_FEE: u64 = u64::MAX;

/// One payment.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) id: PackedId,
    /// Business time of the payment.
    pub(crate) occurred_at: Timestamp,
    /// Append time of the payment; of an unknown one, of the first record that spoke of it.
    pub(crate) appended_at: Timestamp,
    /// What the tiers count from: the append or release time, or the due time of a batch.
    pub(crate) clock: Timestamp,
    pub(crate) amount_minor: u64,
    fee_minor: u64,
    pub(crate) timer: Timer,
    place: TupleRef,
    route: TupleRef,
    pub(crate) rule: u16,
    /// 0 where the payment has no tenant, else its index + 1.
    pub(crate) tenant: u16,
    /// Tiers passed.
    pub(crate) tier: u8,
    pub(crate) phase: Phase,
    /// Stages seen, a bit each.
    pub(crate) stages: u8,
    pub(crate) flags: u8,
    pub(crate) extras: Option<Box<Extras>>,
}

/// The payment is known by its fingerprint alone: amount, attributes and times are not at hand.
pub(crate) const FORGOTTEN: u8 = 1;
/// `payment.authorized` was seen.
pub(crate) const AUTHORIZED: u8 = 2;
/// The entry counts as an incomplete payment no longer: something else than stages was seen.
pub(crate) const OTHER_EVENTS: u8 = 4;

impl Entry {
    pub(crate) fn new(id: PackedId, tenant: u16, at: Timestamp) -> Self {
        Self {
            id,
            occurred_at: at,
            appended_at: at,
            clock: at,
            amount_minor: 0,
            fee_minor: NO_FEE,
            timer: Timer::IDLE,
            place: TupleRef::NONE,
            route: TupleRef::NONE,
            rule: 0,
            tenant,
            tier: 0,
            phase: Phase::Unknown,
            stages: 0,
            flags: 0,
            extras: None,
        }
    }

    pub(crate) fn fee_minor(&self) -> Option<u64> {
        (self.fee_minor != NO_FEE).then_some(self.fee_minor)
    }

    pub(crate) fn set_fee_minor(&mut self, fee_minor: Option<u64>) {
        // A fee is at most 2^63 − 1 (contract), so the sentinel is free.
        self.fee_minor = fee_minor.unwrap_or(NO_FEE);
    }

    pub(crate) fn attributes(&self) -> AttributeRefs {
        AttributeRefs {
            place: self.place,
            route: self.route,
        }
    }

    pub(crate) fn set_attributes(&mut self, refs: AttributeRefs) {
        self.place = refs.place;
        self.route = refs.route;
    }

    pub(crate) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The details that few payments need; made on first use.
    pub(crate) fn extras_mut(&mut self) -> &mut Extras {
        self.extras.get_or_insert_default()
    }

    /// Whether the payment itself is known.
    pub(crate) fn is_accepted(&self) -> bool {
        self.phase != Phase::Unknown
    }

    pub(crate) fn is_closed(&self) -> bool {
        !matches!(self.phase, Phase::Unknown | Phase::Waiting)
    }
}

impl Timers for Slab<Entry> {
    fn timer(&mut self, at: u32) -> &mut Timer {
        &mut self.get_mut(at).timer
    }
}

/// The index keeps 32 bits of the fingerprint beside the slot: a miss costs no look at the entry, and
/// growing none at all.
#[derive(Clone, Copy, Debug)]
struct Key {
    check: u32,
    at: u32,
}

/// The table.
pub(crate) struct Table {
    slab: Slab<Entry>,
    index: HashTable<Key>,
    wheel: Wheel,
}

/// The hash that the index places a key by. Only the upper half of the fingerprint is kept in the key, so
/// only it may decide the place.
fn place(check: u32) -> u64 {
    u64::from(check).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn check(fingerprint: Fingerprint) -> u32 {
    (fingerprint.0 >> 32) as u32
}

impl Table {
    pub(crate) fn new(origin: Timestamp) -> Self {
        Self {
            slab: Slab::default(),
            index: HashTable::new(),
            wheel: Wheel::new(origin),
        }
    }

    pub(crate) fn find(
        &self,
        fingerprint: Fingerprint,
        tenant: u16,
        id: &PackedId,
    ) -> Option<Slot> {
        let check = check(fingerprint);
        let found = self.index.find(place(check), |key| {
            key.check == check && {
                let entry = self.slab.get(key.at);
                entry.tenant == tenant && entry.id == *id
            }
        });
        found.map(|key| Slot(key.at))
    }

    /// Looks at where a payment would be found, so that it is in the cache.
    pub(crate) fn touch(&self, fingerprint: Fingerprint) {
        core::hint::black_box(self.index.iter_hash(place(check(fingerprint))));
    }

    /// An entry whose fingerprint may be this one, found without looking at it.
    pub(crate) fn likely(&self, fingerprint: Fingerprint) -> Option<Slot> {
        let check = check(fingerprint);
        let found = self.index.find(place(check), |key| key.check == check);
        found.map(|key| Slot(key.at))
    }

    /// Looks at all of an entry, so that it is in the cache.
    pub(crate) fn touch_entry(&self, at: Slot) {
        let entry = self.get(at);
        core::hint::black_box((entry.occurred_at, entry.timer, entry.phase, entry.rule));
        core::hint::black_box((&entry.id, entry.extras.is_some()));
    }

    /// Looks at an entry's timer and at those beside it, which change when it is moved.
    pub(crate) fn touch_neighbours(&self, at: Slot) {
        for beside in self.get(at).timer.beside() {
            core::hint::black_box(self.slab.at(beside).map(|entry| entry.timer));
        }
    }

    pub(crate) fn insert(&mut self, fingerprint: Fingerprint, entry: Entry) -> Slot {
        let at = Slot(self.slab.insert(entry));
        self.enter(fingerprint, at);
        at
    }

    fn enter(&mut self, fingerprint: Fingerprint, at: Slot) {
        let check = check(fingerprint);
        self.index
            .insert_unique(place(check), Key { check, at: at.0 }, |key| {
                place(key.check)
            });
    }

    pub(crate) fn remove(&mut self, fingerprint: Fingerprint, at: Slot) -> Entry {
        self.wheel.cancel(&mut self.slab, at.0);
        let found = self
            .index
            .find_entry(place(check(fingerprint)), |key| key.at == at.0);
        found.expect("every entry is in the index").remove();
        self.slab.remove(at.0)
    }

    pub(crate) fn get(&self, at: Slot) -> &Entry {
        self.slab.get(at.0)
    }

    pub(crate) fn get_mut(&mut self, at: Slot) -> &mut Entry {
        self.slab.get_mut(at.0)
    }

    pub(crate) fn set_timer(&mut self, at: Slot, when: Timestamp) {
        self.wheel.set(&mut self.slab, at.0, when);
    }

    /// When the timer of an entry fires; `None` where it is not set.
    pub(crate) fn due(&self, at: Slot) -> Option<Timestamp> {
        let (origin, elapsed) = self.wheel.position();
        let ahead = self.wheel.ahead(&self.get(at).timer)?;
        Some(origin + Span::from_millis(elapsed + ahead))
    }

    /// The next entry whose timer fires at or before `until`, in the order of time.
    pub(crate) fn pop_due(&mut self, until: Timestamp) -> Option<(Slot, Timestamp)> {
        self.wheel
            .pop(&mut self.slab, until)
            .map(|(at, when)| (Slot(at), when))
    }

    /// A lower bound of the time of the next timer.
    pub(crate) fn next_time(&self) -> Option<Timestamp> {
        self.wheel.next_time()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Slot, &Entry)> {
        self.slab.iter().map(|(at, entry)| (Slot(at), entry))
    }

    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// The wheel that times the entries.
    pub(crate) fn wheel(&self) -> &Wheel {
        &self.wheel
    }

    /// An empty table over a wheel that has turned.
    pub(crate) fn restoring(wheel: Wheel) -> Self {
        Self {
            slab: Slab::default(),
            index: HashTable::new(),
            wheel,
        }
    }

    /// Adds the next slot of a table that is being restored: an entry, or `None` where it is free.
    pub(crate) fn restore_slot(&mut self, tenant: Option<&str>, entry: Option<Entry>) {
        let fingerprint = entry
            .as_ref()
            .map(|entry| Fingerprint::of_packed(tenant, &entry.id));
        let at = Slot(self.slab.append(entry));
        if let Some(fingerprint) = fingerprint {
            self.enter(fingerprint, at);
        }
    }

    /// Says in which order the free slots will be used, the next last.
    pub(crate) fn restore_free(&mut self, free: Vec<u32>) {
        self.slab.free = free;
    }

    /// Sets the timer of a restored entry; `false` where there is no such entry, or it is set already, or
    /// the time is beyond the wheel.
    pub(crate) fn restore_timer(&mut self, at: u32, ahead: u64) -> bool {
        let idle = self
            .slab
            .at(at)
            .is_some_and(|entry| self.wheel.ahead(&entry.timer).is_none());
        idle && self.wheel.set_ahead(&mut self.slab, at, ahead)
    }

    /// Whether the timer of an entry is set for `when`.
    pub(crate) fn is_due_at(&self, at: Slot, when: Timestamp) -> bool {
        self.wheel.stands_at(&self.get(at).timer, when)
    }

    /// Slots that are free, the next to be used last.
    pub(crate) fn free(&self) -> &[u32] {
        &self.slab.free
    }

    /// Slots, used and free.
    pub(crate) fn slots(&self) -> u32 {
        self.slab.numbers()
    }

    /// Every timer that is set, in an order that makes the same lists again when they are set anew.
    pub(crate) fn timers(&self) -> Vec<Slot> {
        let mut timers = Vec::with_capacity(self.len());
        for head in self.wheel.heads() {
            let list = core::iter::successors(Some(head), |&at| self.get(Slot(at)).timer.next());
            let start = timers.len();
            timers.extend(list.map(Slot));
            // A timer is linked before those that are there: the last of the list comes first.
            timers[start..].reverse();
        }
        timers
    }

    /// Bytes of memory, about.
    pub(crate) fn bytes(&self) -> usize {
        self.slab.bytes() + self.index.capacity() * (size_of::<Key>() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_takes_at_most_112_bytes() {
        assert!(
            size_of::<Option<Entry>>() <= 112,
            "{}",
            size_of::<Option<Entry>>()
        );
    }
}

//! The inbox of a partition number: records of several sources, read in any interleaving, come out in
//! canonical order as far as they are known.
//!
//! A record may leave when known time K has passed its append time: then nothing can still come before it.
//! So the decision sees one order whatever the order of reading, and a restart needs only the positions up
//! to which records have left.

use alloc::collections::BinaryHeap;
use core::cmp::{Ordering, Reverse};

use crate::event::Place;
use crate::time::Timestamp;

/// Records that were read and are not known to be next.
pub struct Inbox<T> {
    waiting: BinaryHeap<Reverse<Waiting<T>>>,
}

struct Waiting<T> {
    place: Place,
    record: T,
}

impl<T> PartialEq for Waiting<T> {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl<T> Eq for Waiting<T> {}

impl<T> PartialOrd for Waiting<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Waiting<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place.cmp(&other.place)
    }
}

impl<T> Default for Inbox<T> {
    fn default() -> Self {
        Self {
            waiting: BinaryHeap::new(),
        }
    }
}

impl<T> Inbox<T> {
    /// Takes a record in. How many may wait is for the reader to say: it stops reading at its limit.
    pub fn put(&mut self, place: Place, record: T) {
        self.waiting.push(Reverse(Waiting { place, record }));
    }

    /// The next record in canonical order, and where it stands.
    pub fn next(&self) -> Option<(Place, &T)> {
        let Reverse(next) = self.waiting.peek()?;
        Some((next.place, &next.record))
    }

    /// The next record in canonical order whose append time is before `known`.
    pub fn take(&mut self, known: Timestamp) -> Option<(Place, T)> {
        self.next().filter(|(place, _)| place.at < known)?;
        let Reverse(next) = self.waiting.pop()?;
        Some((next.place, next.record))
    }

    /// Records held.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn place(at: i64, stream: u8, offset: i64) -> Place {
        Place {
            at: Timestamp::from_millis(at),
            stream,
            partition: 0,
            offset,
        }
    }

    #[test]
    fn records_leave_in_canonical_order_and_only_when_known() {
        let records = [
            place(10, 1, 0),
            place(9, 2, 0),
            place(10, 0, 4),
            place(12, 0, 5),
        ];
        for first in 0..records.len() {
            let mut inbox = Inbox::default();
            for i in 0..records.len() {
                let place = records[(first + i) % records.len()];
                inbox.put(place, ());
            }
            let known = Timestamp::from_millis(11);
            let left: Vec<Place> = core::iter::from_fn(|| inbox.take(known))
                .map(|(place, ())| place)
                .collect();
            assert_eq!(left, [place(9, 2, 0), place(10, 0, 4), place(10, 1, 0)]);
            assert_eq!(inbox.len(), 1);
        }
    }

    #[test]
    fn a_record_of_the_known_millisecond_stays_because_another_may_still_be_appended() {
        let mut inbox = Inbox::default();
        inbox.put(place(10, 0, 0), ());
        assert!(inbox.take(Timestamp::from_millis(10)).is_none());
        assert!(inbox.take(Timestamp::from_millis(11)).is_some());
    }
}

//! Finished ids: what was seen before and is no longer in the table.
//!
//! A redelivered record carries its original business time, so fingerprints lie in hour segments by the
//! record's own business time and a lookup asks one segment. The current hours are exact tables; older
//! ones become binary fuse filters (Graf and Lemire 2022) of 32 bits, 4.5 bytes an id, dropped after the
//! horizon.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use hashbrown::HashTable;

use crate::fuse::Fuse;
use crate::identity::Fingerprint;
use crate::time::{Span, Timestamp};

const HOUR_MS: i64 = 3_600_000;

/// Below this, a sealed hour keeps its exact table: a filter would not be smaller.
const WORTH_SEALING: usize = 512;

#[derive(Default)]
pub(crate) struct Segment {
    /// Exact, while the hour is young or few were added since it was sealed.
    pub(crate) exact: HashTable<u64>,
    pub(crate) sealed: Vec<Fuse>,
    pub(crate) sealed_len: usize,
}

impl Segment {
    /// A segment of what another one held.
    pub(crate) fn restored(keys: &[u64], sealed: Vec<Fuse>, sealed_len: usize) -> Self {
        let mut exact = HashTable::with_capacity(keys.len());
        for &key in keys {
            exact.insert_unique(key, key, |&key| key);
        }
        Self {
            exact,
            sealed,
            sealed_len,
        }
    }

    fn contains(&self, key: u64) -> bool {
        self.exact.find(key, |&other| other == key).is_some()
            || self.sealed.iter().any(|filter| filter.contains(key))
    }

    fn insert(&mut self, key: u64) {
        self.exact.insert_unique(key, key, |&key| key);
    }

    /// Turns the exact table into a filter. A filter that cannot be built leaves the table as it is.
    fn seal(&mut self) {
        if self.exact.len() < WORTH_SEALING {
            self.exact.shrink_to_fit(|&key| key);
            return;
        }
        let mut keys: Vec<u64> = self.exact.iter().copied().collect();
        // The table's order depends on its history; the filter must not.
        keys.sort_unstable();
        if let Some(filter) = Fuse::build(&keys) {
            self.sealed_len += keys.len();
            self.sealed.push(filter);
            self.exact = HashTable::new();
        }
    }

    fn bytes(&self) -> usize {
        let sealed: usize = self.sealed.iter().map(Fuse::bytes).sum();
        self.exact.capacity() * 9 + sealed
    }
}

/// The finished ids of a partition.
pub(crate) struct Finished {
    /// By hour of business time. Records whose business time is out of reach lie in `odd`.
    pub(crate) hours: BTreeMap<i64, Segment>,
    /// By hour of append time: records dated before the horizon or after the next hour.
    pub(crate) odd: BTreeMap<i64, Segment>,
    horizon_hours: i64,
    /// Hour of the clock.
    pub(crate) now: i64,
}

fn hour(at: Timestamp) -> i64 {
    at.millis().div_euclid(HOUR_MS)
}

impl Finished {
    pub(crate) fn new(horizon: Span) -> Self {
        let horizon_hours = horizon.millis().div_ceil(HOUR_MS as u64) as i64;
        Self {
            hours: BTreeMap::new(),
            odd: BTreeMap::new(),
            horizon_hours,
            now: i64::MIN,
        }
    }

    /// Moves the clock: seals and drops hours that have passed.
    pub(crate) fn advance(&mut self, clock: Timestamp) {
        // Asked for every record: a multiplication is cheaper than the division of `hour`.
        if clock.millis() < self.now.saturating_add(1).saturating_mul(HOUR_MS) {
            return;
        }
        let now = hour(clock);
        self.now = now;
        let oldest = now - self.horizon_hours - 1;
        for segments in [&mut self.hours, &mut self.odd] {
            *segments = segments.split_off(&oldest);
            for segment in segments.range_mut(..now - 1).map(|(_, segment)| segment) {
                segment.seal();
            }
        }
    }

    /// Whether a business time has a segment of its own. It depends on the record alone as long as the
    /// clock stays within the hour; `odd` is asked for the others.
    fn is_odd(&self, hour: i64) -> bool {
        hour < self.now - self.horizon_hours - 1 || hour > self.now + 1
    }

    /// Looks at where `key` would be found, so that it is in the cache.
    pub(crate) fn touch(&self, key: Fingerprint, occurred_at: Timestamp) {
        if let Some(segment) = self.hours.get(&hour(occurred_at)) {
            core::hint::black_box(segment.exact.iter_hash(key.0));
        }
    }

    /// Whether `key`, dated `occurred_at`, was finished within the horizon.
    pub(crate) fn contains(&self, key: Fingerprint, occurred_at: Timestamp) -> bool {
        let at = hour(occurred_at);
        self.hours
            .get(&at)
            .is_some_and(|segment| segment.contains(key.0))
            || (!self.odd.is_empty() && self.odd.values().any(|segment| segment.contains(key.0)))
    }

    /// Whether `key` was finished with any business time up to `occurred_at` and within the horizon.
    pub(crate) fn contains_up_to(&self, key: Fingerprint, occurred_at: Timestamp) -> bool {
        // A payment may be dated after its credit where clocks differ: an hour of grace.
        let last = hour(occurred_at).saturating_add(1);
        self.hours
            .range(..=last)
            .any(|(_, segment)| segment.contains(key.0))
            || self.odd.values().any(|segment| segment.contains(key.0))
    }

    /// Whether `key` was finished with any business time and within the horizon.
    pub(crate) fn contains_ever(&self, key: Fingerprint) -> bool {
        let mut segments = self.hours.values().chain(self.odd.values());
        segments.any(|segment| segment.contains(key.0))
    }

    /// Notes `key`; `false` when it was there.
    pub(crate) fn insert(&mut self, key: Fingerprint, occurred_at: Timestamp) -> bool {
        if self.contains(key, occurred_at) {
            return false;
        }
        let at = hour(occurred_at);
        let segment = if self.is_odd(at) {
            self.odd.entry(self.now).or_default()
        } else {
            self.hours.entry(at).or_default()
        };
        segment.insert(key.0);
        true
    }

    /// Ids held.
    pub(crate) fn len(&self) -> usize {
        let segments = self.hours.values().chain(self.odd.values());
        segments
            .map(|segment| segment.exact.len() + segment.sealed_len)
            .sum()
    }

    /// Bytes of memory, about.
    pub(crate) fn bytes(&self) -> usize {
        self.hours
            .values()
            .chain(self.odd.values())
            .map(Segment::bytes)
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_millis(1_775_700_000_000 + hours * HOUR_MS)
    }

    fn key(i: u64) -> Fingerprint {
        Fingerprint(i.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    #[test]
    fn a_finished_id_is_known_through_sealing_until_the_horizon() {
        let mut finished = Finished::new(Span::from_secs(26 * 3600));
        finished.advance(at(0));
        for i in 0..2000 {
            assert!(finished.insert(key(i), at(0)));
        }
        for hours in 0..=26 {
            finished.advance(at(hours));
            assert!(
                (0..2000).all(|i| finished.contains(key(i), at(0))),
                "after {hours} h"
            );
            assert!(!finished.contains(key(9999), at(0)));
        }
        finished.advance(at(28));
        assert!(!finished.contains(key(1), at(0)));
        assert_eq!(finished.len(), 0);
    }

    #[test]
    fn an_id_that_finishes_hours_late_is_known_too() {
        let mut finished = Finished::new(Span::from_secs(26 * 3600));
        finished.advance(at(10));
        assert!(finished.insert(key(1), at(3)));
        finished.advance(at(12));
        assert!(finished.contains(key(1), at(3)));
        assert!(finished.contains_up_to(key(1), at(5)));
        assert!(!finished.contains_up_to(key(1), at(1)));
    }

    #[test]
    fn business_times_in_1970_and_2099_are_recognised_again() {
        let mut finished = Finished::new(Span::from_secs(26 * 3600));
        finished.advance(at(0));
        for odd in [Timestamp::from_millis(0), at(1_000_000)] {
            finished.insert(key(7), odd);
            assert!(finished.contains(key(7), odd));
        }
        finished.advance(at(20));
        assert!(finished.contains(key(7), Timestamp::from_millis(0)));
    }
}

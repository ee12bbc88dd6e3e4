//! The payments of the last minutes by their attributes: what cases are counted against.

use std::collections::{BTreeMap, VecDeque};

use crate::detect::values::TupleId;
use crate::keep::keep;

/// Payments are remembered so long, in seconds.
pub(super) const KEPT_S: i64 = 1800;

/// Payments by tuple and time.
#[derive(Default)]
pub(super) struct Payments {
    /// One map a second.
    seconds: VecDeque<(i64, BTreeMap<TupleId, u32>)>,
    /// How many there ever were.
    pub(super) ever: u64,
}

impl Payments {
    /// A payment became known in the second `second`.
    pub(super) fn add(&mut self, tuple: TupleId, second: i64) {
        if self.seconds.back().is_none_or(|(last, _)| *last < second) {
            self.seconds.push_back((second, BTreeMap::new()));
        }
        if let Some((_, counts)) = self.seconds.back_mut() {
            *counts.entry(tuple).or_default() += 1;
        }
        self.ever += 1;
    }

    pub(super) fn forget(&mut self, second: i64) {
        while self
            .seconds
            .front()
            .is_some_and(|(at, _)| *at <= second - KEPT_S)
        {
            self.seconds.pop_front();
        }
    }

    /// Payments that became known in the seconds from `from` until `until`, both inclusive, of those tuples.
    pub(super) fn between(&self, from: i64, until: i64, of: impl Fn(TupleId) -> bool) -> u64 {
        let start = self.seconds.partition_point(|(at, _)| *at < from);
        let seconds = self.seconds.range(start..);
        let counts = seconds.take_while(|(at, _)| *at <= until);
        let counts = counts.flat_map(|(_, counts)| counts);
        counts
            .filter(|(tuple, _)| of(**tuple))
            .map(|(_, count)| u64::from(*count))
            .sum()
    }

    /// Payments by tuple that became known after the second `after`.
    pub(super) fn since(&self, after: i64) -> BTreeMap<TupleId, u32> {
        let start = self.seconds.partition_point(|(at, _)| *at <= after);
        let mut sums = BTreeMap::new();
        for (_, counts) in self.seconds.range(start..) {
            for (tuple, count) in counts {
                *sums.entry(*tuple).or_default() += count;
            }
        }
        sums
    }
}

keep!(Payments { seconds, ever });

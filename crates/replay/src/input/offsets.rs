//! Which offsets of a partition were met, in memory that does not grow with them.

use std::collections::BTreeMap;

/// Runs of offsets kept apart. Beyond, the lowest two become one: a record that arrives so late that it falls
/// between them counts as met.
const MAX_RUNS: usize = 4096;

/// A set of offsets as runs without a gap.
#[derive(Debug, Default)]
pub(crate) struct SeenOffsets {
    /// First and last offset of each run.
    runs: BTreeMap<i64, i64>,
}

impl SeenOffsets {
    /// Adds `offset`; whether it is new.
    pub(crate) fn insert(&mut self, offset: i64) -> bool {
        let below = self
            .runs
            .range(..=offset)
            .next_back()
            .map(|(&first, &last)| (first, last));
        if below.is_some_and(|(_, last)| last >= offset) {
            return false;
        }
        let follower = offset.checked_add(1);
        let last = follower
            .and_then(|next| self.runs.remove(&next))
            .unwrap_or(offset);
        match below {
            Some((first, end)) if end.checked_add(1) == Some(offset) => {
                self.runs.insert(first, last)
            }
            _ => self.runs.insert(offset, last),
        };
        if self.runs.len() > MAX_RUNS {
            self.join_lowest();
        }
        true
    }

    fn join_lowest(&mut self) {
        if let Some((first, _)) = self.runs.pop_first()
            && let Some((_, last)) = self.runs.pop_first()
        {
            self.runs.insert(first, last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_new_once_in_any_order() {
        let mut seen = SeenOffsets::default();
        for offset in [5, 3, 4, i64::MAX, i64::MIN, 0, 6, i64::MAX - 1] {
            assert!(seen.insert(offset), "{offset} is new");
            assert!(!seen.insert(offset), "{offset} was met");
        }
        assert_eq!(seen.runs.len(), 4);
    }

    #[test]
    fn gaps_without_end_do_not_grow_it() {
        let mut seen = SeenOffsets::default();
        assert!((0..100_000).all(|n| seen.insert(n * 2)));
        assert!(seen.runs.len() <= MAX_RUNS);
        assert!(seen.insert(199_997), "a gap near the end is known as one");
        assert!(!seen.insert(1), "one far back counts as met");
    }
}

//! Since when payments wait: how many by the second of their append time.

use std::collections::VecDeque;

use settlewatch_join::Timestamp;

/// Seconds without a payment that are kept among those with one, before the list is made shorter.
const EMPTY: usize = 1024;

/// The second that a moment lies in.
pub(crate) fn second_of(at: Timestamp) -> i64 {
    at.millis().div_euclid(1000)
}

/// Where a rank stands or belongs among ascending ones. Most of the time there is no gap, and its distance from
/// the first says it; a search would cost more than all the rest.
pub(crate) fn place_of<T>(list: &VecDeque<T>, rank: i64, rank_of: impl Fn(&T) -> i64) -> usize {
    let Some(first) = list.front().map(&rank_of) else {
        return 0;
    };
    let guess = usize::try_from(rank - first).unwrap_or(0);
    match list.get(guess) {
        Some(found) if rank_of(found) == rank => guess,
        _ => list.partition_point(|item| rank_of(item) < rank),
    }
}

/// Counts by second, ascending; at most one entry for every second in which a waiting payment was appended,
/// and some that are empty.
#[derive(Debug, Default)]
pub(crate) struct Ages {
    seconds: VecDeque<(i64, u32)>,
    empty: usize,
}

impl Ages {
    pub(crate) fn add(&mut self, second: i64) {
        let at = self.place(second);
        match self.seconds.get_mut(at) {
            Some((at, count)) if *at == second => {
                self.empty -= usize::from(*count == 0);
                *count = count.saturating_add(1);
            }
            _ => self.seconds.insert(at, (second, 1)),
        }
    }

    /// Takes one away; `false` where there is none.
    pub(crate) fn remove(&mut self, second: i64) -> bool {
        let at = self.place(second);
        let Some((found, count)) = self.seconds.get_mut(at) else {
            return false;
        };
        if *found != second || *count == 0 {
            return false;
        }
        *count -= 1;
        if *count == 0 {
            self.empty += 1;
            self.drop_empty();
        }
        true
    }

    /// The second of the oldest.
    pub(crate) fn oldest(&self) -> Option<i64> {
        self.seconds.front().map(|&(second, _)| second)
    }

    /// Seconds from `first` on with their counts.
    pub(crate) fn since(&self, first: i64) -> impl Iterator<Item = (i64, u32)> + '_ {
        let from = self.seconds.partition_point(|&(second, _)| second < first);
        let seconds = self.seconds.range(from..).copied();
        seconds.filter(|&(_, count)| count > 0)
    }

    /// Where a second stands or belongs.
    fn place(&self, second: i64) -> usize {
        place_of(&self.seconds, second, |&(second, _)| second)
    }

    fn drop_empty(&mut self) {
        while self
            .seconds
            .pop_front_if(|&mut (_, count)| count == 0)
            .is_some()
        {
            self.empty -= 1;
        }
        if self.empty > EMPTY && self.empty > self.seconds.len() / 2 {
            self.seconds.retain(|&(_, count)| count > 0);
            self.empty = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_the_oldest_that_still_waits() {
        let mut ages = Ages::default();
        for second in [5, 7, 6, 7] {
            ages.add(second);
        }
        assert_eq!(ages.oldest(), Some(5));
        assert!(ages.remove(6) && ages.remove(5));
        assert_eq!(ages.oldest(), Some(7));
        assert_eq!(ages.since(0).collect::<Vec<_>>(), [(7, 2)]);
        assert!(!ages.remove(6), "it is gone");
        assert!(ages.remove(7) && ages.remove(7));
        assert_eq!(ages.oldest(), None);
    }

    #[test]
    fn one_that_waits_for_days_keeps_no_seconds_of_the_others() {
        let mut ages = Ages::default();
        ages.add(0);
        for second in 1..200_000 {
            ages.add(second);
            assert!(ages.remove(second));
        }
        assert!(ages.seconds.len() < 3000, "{}", ages.seconds.len());
        assert_eq!(ages.oldest(), Some(0));
    }
}

//! How long credits took lately: counts by lag, for the payments of the last minutes.
//!
//! The watch's own cohorts keep every millisecond; this one is for the hot path of a lane, where a payment
//! may cost a few nanoseconds: it adds to plain arrays, and who asks gets their sum.

use std::collections::VecDeque;

use crate::ages::place_of;

/// How far back the quantiles look, in seconds of append time.
pub(crate) const WINDOW_S: i64 = 300;

/// Payments are forgotten together, by so many seconds of append time.
const COHORT_S: i64 = 10;

/// Buckets of an octave.
const SUB: u32 = 32;
const SUB_BITS: u32 = 5;

/// The longest lag that is told apart: 7 days.
const MAX_LAG_MS: u64 = 7 * 24 * 3600 * 1000;

/// Buckets, at most 3 % wide.
const BUCKETS: usize = bucket(MAX_LAG_MS) + 1;

/// The bucket of a lag: exact below 64 ms, then 32 for every doubling.
const fn bucket(lag_ms: u64) -> usize {
    let lag_ms = if lag_ms > MAX_LAG_MS {
        MAX_LAG_MS
    } else {
        lag_ms
    };
    if lag_ms < SUB as u64 {
        return lag_ms as usize;
    }
    let shift = lag_ms.ilog2() - SUB_BITS;
    (shift * SUB) as usize + (lag_ms >> shift) as usize
}

/// The middle of a bucket.
fn middle_ms(bucket: usize) -> u64 {
    let sub = SUB as usize;
    if bucket < 2 * sub {
        return bucket as u64;
    }
    let shift = bucket / sub - 1;
    let low = ((bucket - shift * sub) as u64) << shift;
    low + (1 << shift) / 2
}

/// Lags by bucket.
#[derive(Clone, Debug, Default)]
pub(crate) struct LagCounts {
    /// Ended by a credit; empty or one for every bucket.
    credited: Vec<u32>,
    /// Ended otherwise: few.
    otherwise: Vec<(u16, u32)>,
}

impl LagCounts {
    fn add(&mut self, lag_ms: u64, credited: bool) {
        let bucket = bucket(lag_ms);
        if credited {
            if self.credited.is_empty() {
                self.credited.resize(BUCKETS, 0);
            }
            self.credited[bucket] += 1;
            return;
        }
        let bucket = bucket as u16;
        match self.otherwise.binary_search_by_key(&bucket, |&(at, _)| at) {
            Ok(at) => self.otherwise[at].1 += 1,
            Err(at) => self.otherwise.insert(at, (bucket, 1)),
        }
    }

    fn merge(&mut self, other: &Self) {
        if self.credited.is_empty() {
            self.credited.clone_from(&other.credited);
        } else {
            for (sum, count) in self.credited.iter_mut().zip(&other.credited) {
                *sum += count;
            }
        }
        for &(bucket, count) in &other.otherwise {
            match self.otherwise.binary_search_by_key(&bucket, |&(at, _)| at) {
                Ok(at) => self.otherwise[at].1 += count,
                Err(at) => self.otherwise.insert(at, (bucket, count)),
            }
        }
    }

    fn clear(&mut self) {
        self.credited.fill(0);
        self.otherwise.clear();
    }

    /// Lags in milliseconds with how many were credited.
    pub(crate) fn credited(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let counts = self.credited.iter().enumerate();
        counts
            .filter(|&(_, &count)| count > 0)
            .map(|(bucket, &count)| (middle_ms(bucket), u64::from(count)))
    }

    /// Lags in milliseconds with how many were closed otherwise.
    pub(crate) fn otherwise(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let counts = self.otherwise.iter();
        counts.map(|&(bucket, count)| (middle_ms(usize::from(bucket)), u64::from(count)))
    }
}

/// The payments of the last minutes that ended, by the time that they were appended.
#[derive(Debug, Default)]
pub(crate) struct Lags {
    /// Ascending by the rank of their ten seconds.
    cohorts: VecDeque<(i64, LagCounts)>,
    /// Of cohorts that are over: their memory is used again.
    spare: Vec<LagCounts>,
}

impl Lags {
    /// A payment appended in `second` ended after `lag_ms`.
    pub(crate) fn ended(&mut self, second: i64, lag_ms: u64, credited: bool) {
        let rank = second.div_euclid(COHORT_S);
        let newest = self.cohorts.back().map_or(rank, |&(newest, _)| newest);
        if rank < newest - WINDOW_S / COHORT_S {
            return;
        }
        let at = place_of(&self.cohorts, rank, |&(rank, _)| rank);
        if self.cohorts.get(at).is_none_or(|&(found, _)| found != rank) {
            let counts = self.spare.pop().unwrap_or_default();
            self.cohorts.insert(at, (rank, counts));
        }
        self.cohorts[at].1.add(lag_ms, credited);
    }

    /// The first second that still counts when everything is known up to `end`: a multiple of ten.
    pub(crate) fn first_second(end: i64) -> i64 {
        (end - WINDOW_S).div_euclid(COHORT_S) * COHORT_S
    }

    /// Forgets what lies before `first`, and sums up the rest.
    pub(crate) fn sum_since(&mut self, first: i64, sum: &mut LagCounts) {
        let rank = first.div_euclid(COHORT_S);
        while let Some((_, mut counts)) = self.cohorts.pop_front_if(|&mut (at, _)| at < rank) {
            counts.clear();
            self.spare.push(counts);
        }
        self.spare.truncate(2);
        sum.clear();
        for (_, counts) in &self.cohorts {
            sum.merge(counts);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_a_bucket_is_within_two_per_cent_of_every_lag_in_it() {
        let mut last = 0;
        for lag_ms in (0..10_000).chain((0..4000).map(|i| 10_000 + i * 151_201)) {
            let bucket = bucket(lag_ms);
            assert!(bucket >= last && bucket < BUCKETS, "{lag_ms}");
            last = bucket;
            let middle = middle_ms(bucket);
            assert!(middle.abs_diff(lag_ms) * 50 <= lag_ms, "{lag_ms}: {middle}");
        }
    }

    #[test]
    fn what_is_older_than_the_window_is_forgotten() {
        let mut lags = Lags::default();
        let mut sum = LagCounts::default();
        lags.ended(1000, 2000, true);
        lags.ended(1200, 3000, true);
        lags.ended(1200, 4000, false);
        lags.sum_since(Lags::first_second(1300), &mut sum);
        assert_eq!(sum.credited().map(|(_, count)| count).sum::<u64>(), 2);
        lags.sum_since(Lags::first_second(1310), &mut sum);
        assert_eq!(sum.credited().map(|(_, count)| count).sum::<u64>(), 1);
        assert_eq!(sum.otherwise().count(), 1);
        lags.sum_since(Lags::first_second(9000), &mut sum);
        assert_eq!(sum.credited().count() + sum.otherwise().count(), 0);
    }
}

//! The payments of a channel's last minutes: who waits since when, and who ended after how long.

use std::collections::{BTreeMap, VecDeque};

use settlewatch_join::{Span, Timestamp};

use crate::lag::LagBuckets;
use crate::survival::Survival;

/// How far back the quantiles look.
pub(crate) const WINDOW: Span = Span::from_secs(5 * 60);

const SECOND_MS: i64 = 1000;

/// Payments that were appended in one second and no longer wait.
#[derive(Debug)]
struct Ended {
    second: i64,
    /// Lag bucket, by its lowest lag: credited, and closed otherwise.
    lags: BTreeMap<u64, (u64, u64)>,
}

/// The payments of one channel whose lag counts.
#[derive(Debug, Default)]
pub(crate) struct Cohort {
    /// Append times of payments that wait.
    waiting: BTreeMap<Timestamp, u64>,
    ended: VecDeque<Ended>,
}

impl Cohort {
    pub(crate) fn accepted(&mut self, at: Timestamp) {
        *self.waiting.entry(at).or_default() += 1;
    }

    /// A payment ended `lag_ms` after its append time; `credited`, or otherwise.
    pub(crate) fn closed(
        &mut self,
        accepted_at: Timestamp,
        lag_ms: u64,
        credited: bool,
        buckets: &LagBuckets,
    ) {
        match self.waiting.get_mut(&accepted_at) {
            Some(1) => drop(self.waiting.remove(&accepted_at)),
            Some(count) => *count -= 1,
            // It is older than the window.
            None => return,
        }
        let counts = self
            .ended_in(accepted_at)
            .lags
            .entry(buckets.lowest(lag_ms))
            .or_default();
        if credited {
            counts.0 += 1;
        } else {
            counts.1 += 1;
        }
    }

    fn ended_in(&mut self, accepted_at: Timestamp) -> &mut Ended {
        let second = accepted_at.millis().div_euclid(SECOND_MS);
        let at = self.ended.partition_point(|ended| ended.second < second);
        if self
            .ended
            .get(at)
            .is_none_or(|ended| ended.second != second)
        {
            self.ended.insert(
                at,
                Ended {
                    second,
                    lags: BTreeMap::new(),
                },
            );
        }
        &mut self.ended[at]
    }

    /// The lag of the payments appended after `end − window`, as far as it is known at `end`.
    pub(crate) fn survival(&self, end: Timestamp, buckets: &LagBuckets) -> Survival {
        let from = end - WINDOW;
        let mut survival = Survival::new();
        let first_second = from.millis().div_euclid(SECOND_MS);
        for ended in self
            .ended
            .iter()
            .filter(|ended| ended.second >= first_second)
        {
            for (&lag_ms, &(credited, otherwise)) in &ended.lags {
                let lag_ms = buckets.middle(lag_ms);
                if credited > 0 {
                    survival.event(lag_ms, credited);
                }
                if otherwise > 0 {
                    survival.censored(lag_ms, otherwise);
                }
            }
        }
        for (&at, &count) in self.waiting.range(from..) {
            let age_ms = end.since(at).max(0).unsigned_abs();
            survival.censored(buckets.middle(age_ms), count);
        }
        survival
    }

    /// Forgets what no later end looks back to.
    pub(crate) fn forget_before(&mut self, end: Timestamp) {
        let from = end - WINDOW;
        self.waiting = self.waiting.split_off(&from);
        let second = from.millis().div_euclid(SECOND_MS);
        while self
            .ended
            .front()
            .is_some_and(|ended| ended.second < second)
        {
            self.ended.pop_front();
        }
    }
}

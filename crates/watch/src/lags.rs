//! How long credits take in each channel, over all partitions, those that still wait counted.
//!
//! It says how things are and decides nothing: whoever begins knows the payments from then on.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::cohort::WINDOW;
use crate::lag::LagBuckets;
use crate::pulse::{ChannelCount, Ended, Pulse};
use crate::survival::{QUANTILES, Survival};

/// Payments that ended are forgotten together, by so many seconds of the time that they were accepted.
const COHORT_S: i64 = 20;

/// Seconds of partitions and channels in which payments wait. Beyond it nothing is known of a channel until all of it
/// is forgotten: about 20 MB.
const WAITING_LIMIT: usize = 400_000;

/// Lag, by the lowest of its bucket: credited, and ended otherwise.
type Lags = BTreeMap<u64, (u64, u64)>;

/// One channel.
#[derive(Debug, Default)]
struct Channel {
    /// Payments that wait, by partition and second.
    waiting: BTreeMap<(i32, i64), u64>,
    /// Those that ended, by the rank of the seconds in which they were accepted, ascending.
    ended: VecDeque<(i64, Lags)>,
    /// The last second of which a payment was left out.
    left_out_s: Option<i64>,
}

impl Channel {
    fn end(&mut self, partition: i32, ended: &Ended) -> usize {
        let mut left = ended.credited + ended.otherwise;
        let mut gone = 0;
        // Where time steps back a payment counts in a later second than its own.
        while left > 0 {
            let from = (partition, ended.accepted_s)..=(partition, i64::MAX);
            let Some((&key, waiting)) = self.waiting.range_mut(from).next() else {
                break;
            };
            let taken = left.min(*waiting);
            *waiting -= taken;
            left -= taken;
            if *waiting == 0 {
                self.waiting.remove(&key);
                gone += 1;
            }
        }
        let rank = ended.accepted_s.div_euclid(COHORT_S);
        let at = self.ended.partition_point(|(known, _)| *known < rank);
        if self.ended.get(at).is_none_or(|(known, _)| *known != rank) {
            self.ended.insert(at, (rank, Lags::new()));
        }
        let counts = self.ended[at].1.entry(ended.lag_ms).or_default();
        counts.0 += ended.credited;
        counts.1 += ended.otherwise;
        gone
    }

    /// Forgets who was accepted before `first_s`; returns how many seconds that were.
    fn forget_before(&mut self, first_s: i64) -> usize {
        let rank = first_s.div_euclid(COHORT_S);
        while self
            .ended
            .pop_front_if(|(known, _)| *known < rank)
            .is_some()
        {}
        let before = self.waiting.len();
        self.waiting.retain(|(_, second), _| *second >= first_s);
        self.left_out_s.take_if(|second| *second < first_s);
        before - self.waiting.len()
    }

    fn is_over(&self) -> bool {
        self.waiting.is_empty() && self.ended.is_empty() && self.left_out_s.is_none()
    }

    fn add_to(&self, survival: &mut Survival, known_s: &impl Fn(i32) -> i64, buckets: &LagBuckets) {
        for (&lag_ms, &(credited, otherwise)) in self.ended.iter().flat_map(|(_, lags)| lags) {
            let lag_ms = buckets.middle(lag_ms);
            if credited > 0 {
                survival.event(lag_ms, credited);
            }
            if otherwise > 0 {
                survival.censored(lag_ms, otherwise);
            }
        }
        for (&(partition, second), &count) in &self.waiting {
            let age_s = known_s(partition) - second;
            if age_s >= 0 {
                let age_ms = age_s.unsigned_abs().saturating_mul(1000);
                survival.censored(buckets.middle(age_ms), count);
            }
        }
    }
}

/// The quantiles of a channel's lag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LagQuantiles {
    /// The channel, or what several are called together.
    pub channel: String,
    /// 50 %, 95 %, 99 % in milliseconds, over the payments of the last 5 minutes; `None` where one cannot be known yet.
    pub lag_ms: [Option<u64>; 3],
}

/// All channels.
#[derive(Debug, Default)]
pub struct ChannelLags {
    buckets: LagBuckets,
    channels: BTreeMap<Arc<str>, Channel>,
    /// The first second that was heard of each partition: who was accepted before counts nowhere.
    since_s: BTreeMap<i32, i64>,
    /// Seconds in which payments wait, of all channels.
    cells: usize,
    /// Whether a payment was left out since somebody asked.
    left_out: bool,
}

impl ChannelLags {
    /// Takes in what a partition says of a second.
    pub fn heard(&mut self, partition: i32, pulse: &Pulse) {
        let since_s = *self.since_s.entry(partition).or_insert(pulse.second);
        for count in &pulse.channels {
            self.count(partition, since_s, pulse.second, count);
        }
    }

    fn count(&mut self, partition: i32, since_s: i64, second: i64, count: &ChannelCount) {
        if !self.channels.contains_key(&count.channel) {
            let name = Arc::clone(&count.channel);
            self.channels.insert(name, Channel::default());
        }
        let Some(channel) = self.channels.get_mut(&count.channel) else {
            return;
        };
        if count.accepted > 0 {
            let key = (partition, second);
            if self.cells < WAITING_LIMIT || channel.waiting.contains_key(&key) {
                let waiting = channel.waiting.entry(key).or_insert(0);
                self.cells += usize::from(*waiting == 0);
                *waiting += count.accepted;
            } else {
                channel.left_out_s = channel.left_out_s.max(Some(second));
                self.left_out = true;
            }
        }
        let ended = count.ended.iter();
        for ended in ended.filter(|it| it.accepted_s >= since_s) {
            self.cells -= channel.end(partition, ended);
        }
    }

    /// Whether payments were left out since it was asked last: more wait than are told apart.
    pub fn leaves_out(&mut self) -> bool {
        std::mem::take(&mut self.left_out)
    }

    /// The quantiles of every channel when the second `second` ends, by name. A partition is known up to the second
    /// `known_s`: who waits there has that age. Channels of one `label` are taken together.
    pub fn quantiles<'a>(
        &'a mut self,
        second: i64,
        known_s: impl Fn(i32) -> i64,
        label: impl Fn(&'a str) -> &'a str,
    ) -> Vec<LagQuantiles> {
        let first_s = second - WINDOW.millis() as i64 / 1000;
        for channel in self.channels.values_mut() {
            self.cells -= channel.forget_before(first_s);
        }
        self.channels.retain(|_, channel| !channel.is_over());
        let mut labelled: BTreeMap<&str, (Survival, bool)> = BTreeMap::new();
        for (name, channel) in &self.channels {
            let (survival, is_known) = labelled
                .entry(label(name))
                .or_insert_with(|| (Survival::new(), true));
            channel.add_to(survival, &known_s, &self.buckets);
            *is_known &= channel.left_out_s.is_none();
        }
        let all = labelled.into_iter();
        all.map(|(channel, (survival, is_known))| LagQuantiles {
            channel: channel.to_owned(),
            lag_ms: QUANTILES.map(|q| survival.quantile(q).filter(|_| is_known)),
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second of a partition: how many were accepted, and who ended.
    fn pulse(second: i64, accepted: u64, ended: &[(i64, u64)]) -> Pulse {
        let mut count = ChannelCount {
            accepted,
            credited: ended.len() as u64,
            ..ChannelCount::of("qr".into())
        };
        for &(accepted_s, lag_ms) in ended {
            count.end(Ended {
                accepted_s,
                lag_ms,
                credited: 1,
                otherwise: 0,
            });
        }
        Pulse {
            second,
            channels: vec![count],
            ..Pulse::default()
        }
    }

    fn quantiles(lags: &mut ChannelLags, second: i64) -> [Option<u64>; 3] {
        let all = lags.quantiles(second, |_| second, |name| name);
        all.first().map_or([None; 3], |it| it.lag_ms)
    }

    #[test]
    fn they_are_those_of_all_partitions_together() {
        let mut lags = ChannelLags::default();
        for second in 0..100 {
            // One partition takes 1 s, the other 3 s.
            for (partition, lag_s) in [(0, 1), (7, 3)] {
                let ended = [(second - lag_s, lag_s as u64 * 1000)];
                lags.heard(partition, &pulse(second, 1, &ended));
            }
        }
        let [p50, p95, p99] = quantiles(&mut lags, 99).map(|it| it.expect("it is known"));
        assert!(p50.abs_diff(1000) <= 10, "{p50}");
        assert!(
            p95.abs_diff(3000) <= 30 && p99.abs_diff(3000) <= 30,
            "{p95} {p99}"
        );
    }

    #[test]
    fn those_that_wait_make_them_unknown_and_time_makes_them_known_again() {
        let mut lags = ChannelLags::default();
        for second in 0..60 {
            let ended = [(second - 1, 1000)];
            let is_credited = second < 20;
            lags.heard(0, &pulse(second, 1, if is_credited { &ended } else { &[] }));
        }
        assert_eq!(quantiles(&mut lags, 59), [None; 3], "two of three wait");
        for second in 60..420 {
            lags.heard(0, &pulse(second, 1, &[(second - 1, 1000)]));
        }
        let known = quantiles(&mut lags, 419);
        assert!(known.iter().all(Option::is_some), "{known:?}");
        assert_eq!(quantiles(&mut lags, 2000), [None; 3]);
        assert!(lags.channels.is_empty() && lags.cells == 0);
    }

    #[test]
    fn who_was_accepted_before_it_began_counts_nowhere() {
        let mut lags = ChannelLags::default();
        lags.heard(0, &pulse(100, 0, &[(40, 60_000), (99, 1000)]));
        assert_eq!(quantiles(&mut lags, 100), [None; 3]);
        lags.heard(0, &pulse(101, 1, &[]));
        lags.heard(0, &pulse(103, 0, &[(101, 2000)]));
        let [p50, ..] = quantiles(&mut lags, 103);
        assert!(p50.is_some_and(|it| it.abs_diff(2000) <= 20), "{p50:?}");
    }

    #[test]
    fn who_waits_in_a_partition_that_is_behind_is_no_older_than_is_known_of_it() {
        let mut lags = ChannelLags::default();
        for second in 0..50 {
            lags.heard(0, &pulse(second, 1, &[(second - 2, 2000)]));
        }
        for second in 40..50 {
            lags.heard(1, &pulse(second, 8, &[]));
        }
        let of = |lags: &mut ChannelLags, behind_s| {
            let known = move |partition| if partition == 1 { behind_s } else { 49 };
            lags.quantiles(49, known, |name| name)[0].lag_ms[0]
        };
        assert!(of(&mut lags, 41).is_some(), "more is not known of it");
        assert_eq!(of(&mut lags, 49), None, "nobody was credited there");
    }

    #[test]
    fn where_time_steps_back_nobody_is_left_over() {
        let mut lags = ChannelLags::default();
        lags.heard(0, &pulse(10, 0, &[]));
        // They count in the second in which they came.
        lags.heard(0, &pulse(12, 2, &[(11, 500), (12, 500)]));
        assert_eq!(lags.cells, 0);
    }

    #[test]
    fn beyond_the_limit_nothing_is_known_until_it_is_forgotten() {
        let mut lags = ChannelLags {
            cells: WAITING_LIMIT,
            ..ChannelLags::default()
        };
        lags.heard(0, &pulse(10, 1, &[]));
        lags.heard(0, &pulse(12, 0, &[(10, 1000)]));
        assert_eq!(quantiles(&mut lags, 12), [None; 3]);
        assert!(lags.leaves_out() && !lags.leaves_out());
    }
}

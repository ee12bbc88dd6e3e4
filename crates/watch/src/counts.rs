//! Records by second, and the instant from which nearly none come.

use std::collections::VecDeque;

use crate::keep::keep;

/// What is usual is what was seen in so many seconds.
const USUAL_S: i64 = 180;

/// The same of late: loads drift, and the lower of the two counts.
const RECENT_S: i64 = 30;

/// So many standard deviations below the mean of Poisson counts a rate is surely.
const SURE: f64 = 2.0;

/// A source that says less than this share of what is usual is silent: a few records may still trickle in.
const TRICKLE: f64 = 0.05;

/// A source that says more than this share is not silent.
const MOST_TRICKLE: f64 = 2.0 * TRICKLE;

/// A source that says this share of what is usual speaks again.
const SPEAKS: f64 = 0.25;

/// Evidence in natural units that it speaks again, rather than that the most goes on that is silence.
const SPEAKS_NATS: f64 = 8.0;

/// More evidence than that is not kept: it must be undone by records that come again.
const MOST_NATS: f64 = 100.0;

/// Silence must last so long, in seconds.
const LEAST_S: i64 = 5;

/// What may be a silence and is none by now, in seconds, is looked at afresh: the load changed.
const UNDECIDED_S: i64 = 60;

/// How clustered records are is seen by sums of so many seconds.
const CLUSTER_S: i64 = 5;

/// Below what was seen of clusters by so much the truth is surely: the lower bound of 95 % of a variance of 36 sums.
const SURE_OF_CLUSTERS: f64 = 0.66;

/// Records of clusters say less each, but not less than this part.
const MOST_CLUSTERED: f64 = 3.3;

/// What one record says, in natural units, for that `share` of what is usual comes, and against that `trickle` does.
fn worth(share: f64, trickle: f64) -> f64 {
    (share / trickle).ln()
}

/// Counts by second.
///
/// Silence is found by cumulative sums (Page 1954): of the likelihood of Poisson counts at a trickle against counts
/// as usual.
#[derive(Default)]
pub(crate) struct Counts {
    seconds: VecDeque<(i64, u64)>,
    first_s: Option<i64>,
    /// Evidence that nearly nothing comes, in natural units.
    nats: f64,
    /// The last second in which records came as usual, and how many a second that was.
    since: (i64, f64),
}

impl Counts {
    pub(crate) fn add(&mut self, second: i64, count: u64) {
        if count == 0 {
            return;
        }
        self.first_s.get_or_insert(second);
        match self.seconds.back_mut() {
            // What was read late counts where it can still be seen.
            Some((last, known)) if *last >= second => *known += count,
            _ => self.seconds.push_back((second, count)),
        }
        let kept = second - 3 * USUAL_S;
        while self.seconds.front().is_some_and(|(at, _)| *at < kept) {
            self.seconds.pop_front();
        }
    }

    /// How many between two seconds, both inclusive.
    pub(crate) fn between(&self, from: i64, until: i64) -> u64 {
        let start = self.seconds.partition_point(|(second, _)| *second < from);
        self.seconds
            .range(start..)
            .take_while(|(second, _)| *second <= until)
            .map(|(_, count)| count)
            .sum()
    }

    /// Records a second in the minutes before and with `until`: at least so many, as far as few records tell.
    pub(crate) fn rate(&self, until: i64) -> f64 {
        let Some(first) = self.first_s else {
            return 0.0;
        };
        // Where nothing is known yet, nothing came.
        let seen = |span: i64| {
            let from = first.max(until - span + 1);
            let span = (until - from + 1).max(RECENT_S) as f64;
            (self.between(from, until) as f64, span)
        };
        let (count, span) = seen(USUAL_S);
        let usual = (count - SURE * count.sqrt()).max(0.0) / span;
        let (count, span) = seen(RECENT_S);
        usual.min(count / span)
    }

    /// The second ended.
    pub(crate) fn end_second(&mut self, second: i64) {
        if self.nats <= 0.0 {
            self.since = (second - 1, self.rate(second - 1));
        }
        let (since_s, rate) = self.since;
        let count = self.between(second, second) as f64;
        self.nats += (1.0 - TRICKLE) * rate - worth(1.0, TRICKLE) * count;
        let undecided = second - since_s > UNDECIDED_S && !self.is_trickle(second);
        self.nats = if undecided {
            0.0
        } else {
            self.nats.clamp(0.0, MOST_NATS)
        };
    }

    /// What was missing says nothing any more.
    pub(crate) fn forget_silence(&mut self) {
        self.nats = 0.0;
    }

    /// The last second before a silence that goes on at `now`, which `nats` must show.
    pub(crate) fn silent_since(&self, now: i64, nats: f64) -> Option<i64> {
        let silent = self.nats >= nats && now - self.since.0 >= LEAST_S && self.is_trickle(now);
        silent.then_some(self.since.0)
    }

    /// The same where records may come in clusters, as the stages of one payment do: each says less of a silence then.
    pub(crate) fn surely_silent_since(&self, now: i64, nats: f64) -> Option<i64> {
        let since_s = self.silent_since(now, nats)?;
        let enough = self.nats >= nats * self.clustering(since_s);
        enough.then_some(since_s)
    }

    /// Index of dispersion (variance by mean, Fisher 1925) in the minutes until `since_s`, at least 1: quasi-likelihood
    /// divides by it (Wedderburn 1974).
    fn clustering(&self, since_s: i64) -> f64 {
        let first = self.first_s.unwrap_or(since_s);
        let blocks = (since_s - first).clamp(0, USUAL_S) / CLUSTER_S;
        let sum = |block: i64| {
            let until = since_s - block * CLUSTER_S;
            self.between(until - CLUSTER_S + 1, until) as f64
        };
        let sums: Vec<f64> = (0..blocks).map(sum).collect();
        let all: f64 = sums.iter().sum();
        if blocks < 2 || all <= 0.0 {
            return 1.0;
        }
        let mean = all / blocks as f64;
        let squares: f64 = sums.iter().map(|sum| (sum - mean).powi(2)).sum();
        let seen = squares / (blocks - 1) as f64 / mean;
        (SURE_OF_CLUSTERS * seen).clamp(1.0, MOST_CLUSTERED)
    }

    fn is_trickle(&self, now: i64) -> bool {
        let (since_s, rate) = self.since;
        let usual = rate * (now - since_s) as f64;
        self.between(since_s + 1, now) as f64 <= MOST_TRICKLE * usual
    }

    /// When it spoke again after it was found silent in `found_s`; before the silence `rate` records a second came.
    pub(crate) fn spoke(&self, found_s: i64, rate: f64, now: i64) -> Option<i64> {
        let (mut nats, mut from) = (0.0, found_s + 1);
        for second in (found_s + 1).max(now - 2 * UNDECIDED_S)..=now {
            let count = self.between(second, second) as f64;
            if nats <= 0.0 {
                from = second;
            }
            nats = (nats + worth(SPEAKS, MOST_TRICKLE) * count - (SPEAKS - MOST_TRICKLE) * rate)
                .max(0.0);
            if nats >= SPEAKS_NATS {
                return Some(from);
            }
        }
        None
    }
}

keep!(Counts {
    seconds,
    first_s,
    nats,
    since,
});

#[cfg(test)]
mod tests {
    use super::*;

    fn steady(rate: u64, until: i64) -> Counts {
        let mut counts = Counts::default();
        for second in 0..until {
            counts.add(second, rate);
            counts.end_second(second);
        }
        counts
    }

    #[test]
    fn a_trickle_is_silence_and_a_third_is_not() {
        let mut counts = steady(40, 200);
        for second in 200..210 {
            counts.add(second, 2);
            counts.end_second(second);
        }
        assert_eq!(counts.silent_since(209, 25.0), Some(199));
        let mut counts = steady(40, 200);
        for second in 200..400 {
            counts.add(second, 13);
            counts.end_second(second);
            assert_eq!(counts.silent_since(second, 25.0), None);
        }
    }

    /// Seconds of a source where now and then a payment says five things at once.
    fn clustered(seconds: i64, mut each: impl FnMut(i64, &Counts)) -> Counts {
        let mut counts = Counts::default();
        let mut drawn = 1_u64;
        for second in 0..seconds {
            for _ in 0..4 {
                drawn = drawn
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                counts.add(second, if drawn >> 62 == 0 { 5 } else { 0 });
            }
            counts.end_second(second);
            each(second, &counts);
        }
        counts
    }

    #[test]
    fn few_clusters_by_chance_are_no_silence_and_none_at_all_is_one() {
        let (mut seems, mut is) = (0, 0);
        let mut counts = clustered(20_000, |second, counts| {
            seems += i32::from(counts.silent_since(second, 25.0).is_some());
            is += i32::from(counts.surely_silent_since(second, 25.0).is_some());
        });
        assert!(seems > 0, "nothing was to be told apart");
        assert_eq!(is, 0);
        for second in 20_000..20_025 {
            counts.end_second(second);
        }
        let since_s = counts.surely_silent_since(20_024, 25.0);
        assert!(since_s.is_some_and(|it| (19_990..20_000).contains(&it)));
    }

    #[test]
    fn records_that_come_one_by_one_are_not_clustered() {
        let counts = steady(7, 400);
        assert_eq!(counts.clustering(399).to_bits(), 1.0_f64.to_bits());
    }

    #[test]
    fn it_speaks_again_when_more_than_a_trickle_comes() {
        let mut counts = steady(40, 200);
        for second in 200..300 {
            counts.add(second, if second < 250 { 1 } else { 30 });
            counts.end_second(second);
        }
        assert_eq!(counts.spoke(199, 40.0, 249), None);
        assert_eq!(counts.spoke(199, 40.0, 299), Some(250));
    }

    #[test]
    fn a_load_that_falls_slowly_is_no_silence() {
        let mut counts = steady(40, 200);
        for second in 200..600 {
            counts.add(second, 40 - ((second - 200) / 10).min(40) as u64);
            counts.end_second(second);
            let rate = counts.rate(second - 30);
            assert!(
                rate < 2.0 || counts.silent_since(second, 25.0).is_none(),
                "{second}"
            );
        }
    }
}

//! What is usual: how long a channel's credits take, and how often a value's payments take long.

use super::rates::shrunk;
use super::values::ValueId;

/// Buckets of lag grow by this factor.
const GROWTH: f64 = 1.05;

/// Lags up to 10 ms are one bucket.
const LEAST_MS: f64 = 10.0;

/// Enough for 7 days.
const BUCKETS: usize = 370;

/// Half of what was learned is forgotten in so many seconds.
const HALF_LIFE_S: f64 = 900.0;

/// Observations that make a channel's lags known.
const ENOUGH: f64 = 60.0;

/// When a payment of a channel takes long, and how often that is usual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Thresholds {
    /// Longer than most: in milliseconds.
    pub(crate) slow_ms: u64,
    /// The share that is usually slow.
    pub(crate) slow_share: f64,
    /// Longer than nearly all: in milliseconds.
    pub(crate) lost_ms: u64,
    /// The share that usually takes even longer, or never comes.
    pub(crate) lost_share: f64,
}

impl Thresholds {
    /// Before anything is known of a channel.
    pub(crate) const UNKNOWN: Self = Self {
        slow_ms: 15_000,
        slow_share: 0.05,
        lost_ms: 25_000,
        lost_share: 0.01,
    };
}

/// The lags of a channel's payments, the recent ones weighing more.
#[derive(Clone, Debug)]
pub(crate) struct Lags {
    counts: Vec<f64>,
    /// Payments that were not credited by the time they were counted.
    never: f64,
    total: f64,
    updated_s: i64,
}

impl Default for Lags {
    fn default() -> Self {
        Self {
            counts: vec![0.0; BUCKETS],
            never: 0.0,
            total: 0.0,
            updated_s: i64::MIN,
        }
    }
}

fn bucket(lag_ms: u64) -> usize {
    let scaled = (lag_ms as f64 / LEAST_MS).max(1.0).ln() / GROWTH.ln();
    (scaled as usize).min(BUCKETS - 1)
}

/// The upper end of a bucket.
fn upper_ms(bucket: usize) -> u64 {
    (LEAST_MS * GROWTH.powi(bucket as i32 + 1)).ceil() as u64
}

impl Lags {
    /// A payment took `lag_ms`; `None` where it was not credited in the time that was given to it.
    pub(crate) fn learn(&mut self, lag_ms: Option<u64>, now_s: i64) {
        self.decay(now_s);
        self.total += 1.0;
        match lag_ms {
            Some(lag_ms) => self.counts[bucket(lag_ms)] += 1.0,
            None => self.never += 1.0,
        }
    }

    fn decay(&mut self, now_s: i64) {
        // Often enough that the steps are small, seldom enough that they cost nothing.
        const EVERY_S: i64 = 15;
        if self.updated_s == i64::MIN {
            self.updated_s = now_s;
        }
        let passed = now_s - self.updated_s;
        if passed < EVERY_S {
            return;
        }
        let keep = 0.5_f64.powf(passed as f64 / HALF_LIFE_S);
        self.counts.iter_mut().for_each(|count| *count *= keep);
        self.never *= keep;
        self.total *= keep;
        self.updated_s = now_s;
    }

    /// The lag that a share of `above` exceeds, and the share that does.
    fn exceeded_by(&self, above: f64) -> (u64, f64) {
        let mut rest = self.total;
        for (at, count) in self.counts.iter().enumerate() {
            rest -= count;
            if rest <= self.total * above {
                return (upper_ms(at), (rest / self.total).max(0.0));
            }
        }
        (upper_ms(BUCKETS - 1), self.never / self.total)
    }

    /// When a payment takes long here.
    pub(crate) fn thresholds(&self) -> Thresholds {
        if self.total < ENOUGH {
            return Thresholds::UNKNOWN;
        }
        let (slow_ms, slow) = self.exceeded_by(0.03);
        let (lost_ms, lost) = self.exceeded_by(0.004);
        let (slow_ms, lost_ms) = (slow_ms.max(300), lost_ms.max(1000));
        Thresholds {
            slow_ms,
            slow_share: shrunk(slow * self.total, self.total, 0.03, 100.0).max(0.015),
            lost_ms: (lost_ms + lost_ms / 4).max(slow_ms),
            lost_share: shrunk(lost * self.total, self.total, 0.006, 200.0).max(0.003),
        }
    }

    /// How many payments it knows, the recent ones weighing more.
    pub(crate) fn known(&self) -> f64 {
        self.total
    }
}

/// How often each value's payments were slow and lost, the recent ones weighing more.
#[derive(Clone, Debug, Default)]
pub(crate) struct Usual {
    totals: Vec<f32>,
    slow: Vec<f32>,
    lost: Vec<f32>,
    updated_s: i64,
}

/// Observations that weigh as much as what is known of the channel.
const PRIOR_WEIGHT: f64 = 60.0;

impl Usual {
    /// A payment of these values was counted.
    pub(crate) fn learn(&mut self, values: &[ValueId], slow: bool, lost: bool, now_s: i64) {
        self.decay(now_s);
        for value in values {
            let at = value.index();
            if self.totals.len() <= at {
                self.totals.resize(at + 1, 0.0);
                self.slow.resize(at + 1, 0.0);
                self.lost.resize(at + 1, 0.0);
            }
            self.totals[at] += 1.0;
            self.slow[at] += f32::from(u8::from(slow));
            self.lost[at] += f32::from(u8::from(lost));
        }
    }

    fn decay(&mut self, now_s: i64) {
        const EVERY_S: i64 = 60;
        if self.updated_s == 0 {
            self.updated_s = now_s;
        }
        let passed = now_s - self.updated_s;
        if passed < EVERY_S {
            return;
        }
        let keep = 0.5_f64.powf(passed as f64 / (2.0 * HALF_LIFE_S)) as f32;
        for counts in [&mut self.totals, &mut self.slow, &mut self.lost] {
            counts.iter_mut().for_each(|count| *count *= keep);
        }
        self.updated_s = now_s;
    }

    /// The usual share of slow payments of a value whose payments should have `prior`.
    pub(crate) fn slow_share(&self, value: ValueId, prior: f64) -> f64 {
        self.share(&self.slow, value, prior)
    }

    /// The usual share of lost payments of a value whose payments should have `prior`.
    pub(crate) fn lost_share(&self, value: ValueId, prior: f64) -> f64 {
        self.share(&self.lost, value, prior)
    }

    fn share(&self, counts: &[f32], value: ValueId, prior: f64) -> f64 {
        let get = |list: &[f32]| f64::from(list.get(value.index()).copied().unwrap_or(0.0));
        shrunk(get(counts), get(&self.totals), prior, PRIOR_WEIGHT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_follow_the_lags() {
        let mut lags = Lags::default();
        for i in 0..1000 {
            lags.learn(Some(1000 + i), 0);
        }
        let found = lags.thresholds();
        assert!((1950..=2100).contains(&found.slow_ms), "{found:?}");
        assert!(found.lost_ms >= found.slow_ms, "{found:?}");
    }

    #[test]
    fn half_is_forgotten_in_a_quarter_of_an_hour() {
        let mut lags = Lags::default();
        (0..100).for_each(|_| lags.learn(Some(1000), 0));
        lags.learn(Some(1000), 900);
        assert!((lags.known() - 51.0).abs() < 1e-9);
    }
}

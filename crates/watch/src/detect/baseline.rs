//! What is usual: how long a channel's credits take, and how often a value's payments take long.

use std::collections::BTreeMap;

use super::rates::{shrunk, wilson};
use super::rows::Row;
use super::values::ValueId;
use crate::keep::{Keep, Reader, Unreadable, Writer, keep};
use crate::pulse::CHANNEL;

/// Buckets of lag grow by this factor.
const GROWTH: f64 = 1.05;

/// Lags up to 10 ms are one bucket.
const LEAST_MS: f64 = 10.0;

/// Enough for 7 days.
const BUCKETS: usize = 370;

/// Credits that make a channel's lags known.
const ENOUGH: u64 = 60;

/// Ages of which the share that is credited is asked, in seconds.
const SHARES_S: u64 = 120;

/// Longer than most: the share of payments that take even longer.
const SLOW: f64 = 0.03;

/// Longer than many.
const LONG: f64 = 0.2;

/// Longer than nearly all.
const LOST: f64 = 0.004;

/// Shares are believed to be so many standard deviations above what was seen: few payments prove little.
const DOUBT: f64 = 2.0;

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
    /// One in five takes longer: in milliseconds.
    pub(crate) long_ms: u64,
}

impl Thresholds {
    /// Before anything is known of a channel: only what passes its deadline takes long.
    pub(crate) const UNKNOWN: Self = Self {
        slow_ms: NEVER_MS,
        slow_share: 0.03,
        lost_ms: NEVER_MS,
        lost_share: 0.01,
        long_ms: NEVER_MS,
    };

    /// Whether lags are known.
    pub(crate) fn is_known(&self) -> bool {
        self.slow_ms < NEVER_MS
    }
}

/// Longer than any lag.
const NEVER_MS: u64 = 1 << 40;

/// What a payment taught, to be taken back when it is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taught {
    bucket: u16,
    credited: bool,
    slow: bool,
    lost: bool,
}

impl Taught {
    /// A payment that was credited after `lag_ms`, or waits at the age of `age_ms`.
    pub(crate) fn new(lag_ms: Option<u64>, age_ms: u64, slow: bool, lost: bool) -> Self {
        Self {
            bucket: bucket(lag_ms.unwrap_or(age_ms)) as u16,
            credited: lag_ms.is_some(),
            slow,
            lost,
        }
    }

    /// What a row teaches at `now_ms`.
    pub(crate) fn of(row: &Row, now_ms: i64) -> Self {
        let age_ms = (now_ms - row.accepted_ms).max(0) as u64;
        Self::new(row.lag_ms, age_ms, row.slow, row.lost)
    }
}

/// The lags of a channel's payments; those that wait count with their ages (Kaplan & Meier 1958).
#[derive(Clone, Debug)]
struct Lags {
    credited: Vec<u32>,
    waiting: Vec<u32>,
    known: u64,
}

impl Default for Lags {
    fn default() -> Self {
        Self {
            credited: vec![0; BUCKETS],
            waiting: vec![0; BUCKETS],
            known: 0,
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
    fn counts(&mut self, taught: Taught) -> &mut u32 {
        let counts = if taught.credited {
            &mut self.credited
        } else {
            &mut self.waiting
        };
        &mut counts[usize::from(taught.bucket)]
    }

    fn add(&mut self, taught: Taught) {
        *self.counts(taught) += 1;
        self.known += u64::from(taught.credited);
    }

    fn remove(&mut self, taught: Taught) {
        let count = self.counts(taught);
        *count = count.saturating_sub(1);
        self.known = self.known.saturating_sub(u64::from(taught.credited));
    }

    /// The lag that a share of `above` exceeds, and the share that does; the longest one seen if more do.
    fn exceeded_by(&self, above: f64) -> (u64, f64) {
        let sum = |counts: &[u32]| counts.iter().map(|count| f64::from(*count)).sum::<f64>();
        let mut at_risk = sum(&self.credited) + sum(&self.waiting);
        let (mut survival, mut last) = (1.0, (upper_ms(0), 1.0));
        for (at, (credited, waiting)) in self.credited.iter().zip(&self.waiting).enumerate() {
            if *credited > 0 {
                survival *= 1.0 - f64::from(*credited) / at_risk;
                last = (upper_ms(at), survival.max(0.0));
            }
            at_risk -= f64::from(*credited) + f64::from(*waiting);
            if survival <= above {
                break;
            }
        }
        last
    }

    /// The share that is credited by the age of 0, 1, 2 … seconds.
    fn shares(&self) -> Option<Vec<f64>> {
        if self.known < ENOUGH {
            return None;
        }
        let sum = |counts: &[u32]| counts.iter().map(|count| f64::from(*count)).sum::<f64>();
        let mut at_risk = sum(&self.credited) + sum(&self.waiting);
        let (mut survival, mut bucket) = (1.0, 0);
        let shares = (0..SHARES_S).map(|second| {
            while bucket < BUCKETS && upper_ms(bucket) <= second * 1000 {
                let (credited, waiting) = (self.credited[bucket], self.waiting[bucket]);
                if credited > 0 {
                    survival *= 1.0 - f64::from(credited) / at_risk;
                }
                at_risk -= f64::from(credited) + f64::from(waiting);
                bucket += 1;
            }
            1.0 - survival
        });
        Some(shares.collect())
    }

    fn thresholds(&self) -> Option<Thresholds> {
        if self.known < ENOUGH {
            return None;
        }
        let (slow_ms, slow) = self.exceeded_by(SLOW);
        let (lost_ms, lost) = self.exceeded_by(LOST);
        let (slow_ms, lost_ms) = (slow_ms.max(300), lost_ms.max(1000));
        let total = self.known as f64;
        let upper = |share: f64| wilson(share * total, total, DOUBT).1;
        Some(Thresholds {
            slow_ms,
            slow_share: upper(slow).max(0.015),
            lost_ms: (lost_ms + lost_ms / 4).max(slow_ms),
            lost_share: upper(lost).max(0.003),
            long_ms: self.exceeded_by(LONG).0,
        })
    }
}

/// How often each value's payments were slow and lost.
#[derive(Clone, Debug, Default)]
struct Usual {
    counts: Vec<[u32; 3]>,
}

/// Observations that weigh as much as what is known of the channel.
const PRIOR_WEIGHT: f64 = 60.0;

impl Usual {
    fn add(&mut self, values: &[ValueId], taught: Taught) {
        for value in values {
            let at = value.index();
            if self.counts.len() <= at {
                self.counts.resize(at + 1, [0; 3]);
            }
            let counts = &mut self.counts[at];
            counts[0] += 1;
            counts[1] += u32::from(taught.slow);
            counts[2] += u32::from(taught.lost);
        }
    }

    fn remove(&mut self, values: &[ValueId], taught: Taught) {
        for value in values {
            if let Some([total, slow, lost]) = self.counts.get_mut(value.index()) {
                *total = total.saturating_sub(1);
                *slow = slow.saturating_sub(u32::from(taught.slow));
                *lost = lost.saturating_sub(u32::from(taught.lost));
            }
        }
    }

    fn share(&self, value: ValueId, prior: f64, lost: bool) -> f64 {
        let known = self.counts.get(value.index()).copied().unwrap_or_default();
        let bad = if lost { known[2] } else { known[1] };
        shrunk(f64::from(bad), f64::from(known[0]), prior, PRIOR_WEIGHT)
    }
}

/// What the payments of the last minutes taught.
#[derive(Clone, Debug, Default)]
pub(crate) struct Learned {
    lags: BTreeMap<ValueId, Lags>,
    usual: Usual,
}

impl Learned {
    pub(crate) fn add(&mut self, values: &[ValueId], taught: Taught) {
        self.lags.entry(values[CHANNEL]).or_default().add(taught);
        self.usual.add(values, taught);
    }

    pub(crate) fn remove(&mut self, values: &[ValueId], taught: Taught) {
        if let Some(lags) = self.lags.get_mut(&values[CHANNEL]) {
            lags.remove(taught);
        }
        self.usual.remove(values, taught);
    }

    /// When payments take long, of each channel of which enough is known.
    pub(crate) fn thresholds(&self) -> impl Iterator<Item = (ValueId, Thresholds)> + '_ {
        let lags = self.lags.iter();
        lags.filter_map(|(channel, lags)| Some((*channel, lags.thresholds()?)))
    }

    /// The share of payments that is credited by the age of 0, 1, 2 … seconds, of the same channels.
    pub(crate) fn shares(&self) -> impl Iterator<Item = (ValueId, Vec<f64>)> + '_ {
        let lags = self.lags.iter();
        lags.filter_map(|(channel, lags)| Some((*channel, lags.shares()?)))
    }

    /// The usual share of bad payments of a value whose channels should have `prior`.
    pub(crate) fn share(&self, value: ValueId, prior: f64, lost: bool) -> f64 {
        self.usual.share(value, prior, lost)
    }
}

keep!(Thresholds {
    slow_ms,
    slow_share,
    lost_ms,
    lost_share,
    long_ms,
});
keep!(Taught {
    bucket,
    credited,
    slow,
    lost,
});
keep!(Learned { lags, usual });

impl Keep for Lags {
    fn write(&self, to: &mut Writer) {
        let Self {
            credited,
            waiting,
            known,
        } = self;
        credited.write(to);
        waiting.write(to);
        known.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let lags = Self {
            credited: Keep::read(from)?,
            waiting: Keep::read(from)?,
            known: Keep::read(from)?,
        };
        let whole = lags.credited.len() == BUCKETS && lags.waiting.len() == BUCKETS;
        whole.then_some(lags).ok_or(Unreadable::Malformed)
    }
}

/// By value: what was never seen is not written.
impl Keep for Usual {
    fn write(&self, to: &mut Writer) {
        let counts = (0..).zip(&self.counts);
        let counts = counts.filter(|(_, counts)| **counts != [0; 3]);
        let counts: Vec<_> = counts.map(|(at, counts)| (ValueId(at), *counts)).collect();
        counts.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let known: Vec<(ValueId, [u32; 3])> = Keep::read(from)?;
        let mut counts = Vec::new();
        for (value, seen) in known {
            if counts.len() <= value.index() {
                counts.resize(value.index() + 1, [0; 3]);
            }
            counts[value.index()] = seen;
        }
        Ok(Self { counts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learned(lags: impl Iterator<Item = Option<u64>>) -> Lags {
        let mut known = Lags::default();
        lags.for_each(|lag_ms| known.add(Taught::new(lag_ms, 60_000, false, false)));
        known
    }

    #[test]
    fn thresholds_follow_the_lags() {
        let found = learned((0..1000).map(|i| Some(1000 + i)))
            .thresholds()
            .expect("enough");
        assert!((1950..=2100).contains(&found.slow_ms), "{found:?}");
        assert!(found.lost_ms >= found.slow_ms, "{found:?}");
    }

    #[test]
    fn what_usually_never_comes_is_usual() {
        let lags = (0..1000).map(|i| (i % 10 != 0).then_some(1000 + i));
        let found = learned(lags).thresholds().expect("enough");
        assert!((0.1..0.13).contains(&found.lost_share), "{found:?}");
        assert!(found.lost_ms < 3000, "{found:?}");
    }

    #[test]
    fn what_is_forgotten_leaves_nothing() {
        let mut known = learned((0..100).map(|i| Some(1000 + i)));
        for i in 0..100 {
            known.remove(Taught::new(Some(1000 + i), 0, false, false));
        }
        assert_eq!(known.thresholds(), None);
        assert!(known.credited.iter().all(|count| *count == 0));
    }
}

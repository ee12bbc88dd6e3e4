//! How many of the payments that wait will miss their first deadline, if credits go on as they do now.
//!
//! The chance that a payment is missed which has waited so long comes from a period life table (Chiang 1984): what
//! happened at each age in the last moments, among those who were exposed to it then. A table of those who were paid
//! together would still believe in the credits of before the fault. Each payment enters at the age that it had when
//! the period began, and leaves at its lag or, still waiting, at its age (Kaplan & Meier 1958 with delayed entry);
//! the uncertainty of the table is Greenwood's (1926). Where few were exposed at an age, what is usual at that age counts
//! like a few more: else an age that nobody has reached of late would be one at which nobody is credited.

use std::collections::{BTreeMap, BTreeSet};

use settlewatch_join::event::Currency;

/// A standard normal variable lies within so many deviations with 95 % probability.
const Z: f64 = 1.96;

/// Credits go on a little faster or slower than they did: one standard deviation of the cumulative hazard, as a share of
/// it. Without it, intervals held what came in 84 % of moments within steady faults of recordings.
const DRIFT: f64 = 0.15;

/// Where all were credited so many are thought of that were not. With half a payment, as usual for tables, twice as many
/// misses were expected in clean hours as came, where few waited.
const LEFT: f64 = 0.2;

/// What is usual counts like so many payments more at each age.
const USUAL: f64 = 4.0;

/// What is usual is forgotten by half in so many minutes.
const HALF_MINUTES: u32 = 30;

/// A payment of what is usual, so that halves of it are whole.
const WHOLE: u64 = 1 << 20;

/// Chances are kept in millionths, so that money is a sum of integers.
const PPM: u128 = 1_000_000;

/// Ages are told apart by so many parts of themselves at least: 1 %.
const STEP_PARTS: u64 = 100;

/// What was seen of payments during a period.
#[derive(Clone, Debug, Default)]
pub(crate) struct Period {
    /// By age in milliseconds: payments that entered, that ended, that still wait.
    steps: BTreeMap<u64, Step>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Step {
    entered: u64,
    ended: u64,
    left: u64,
}

/// The step of an age: the greatest power of two that is at most a hundredth of it is its width.
fn age_step(age_ms: u64) -> u64 {
    let width = 1 << (age_ms / STEP_PARTS).max(1).ilog2();
    age_ms / width * width
}

impl Period {
    /// Payments of the age `entered_ms` when the period began, or when they came, that ended or, where `ended` is not
    /// said, were only seen, at the age of `until_ms`.
    pub(crate) fn add(&mut self, entered_ms: u64, until_ms: u64, ended: bool, count: u64) {
        self.steps.entry(age_step(entered_ms)).or_default().entered += count;
        let last = self.steps.entry(age_step(until_ms)).or_default();
        if ended {
            last.ended += count;
        } else {
            last.left += count;
        }
    }

    /// The table.
    pub(crate) fn table(&self) -> LifeTable {
        self.table_beside(&Self::default())
    }

    /// The table, where few were exposed with the help of what is `usual`.
    pub(crate) fn table_beside(&self, usual: &Self) -> LifeTable {
        let mut points = Vec::new();
        let (mut at_risk, mut usually, mut log, mut variance) = (0_u64, 0_u64, 0.0_f64, 0.0_f64);
        let ages: BTreeSet<u64> = self
            .steps
            .keys()
            .chain(usual.steps.keys())
            .copied()
            .collect();
        for age_ms in ages {
            let step = self.steps.get(&age_ms).copied().unwrap_or_default();
            let then = usual.steps.get(&age_ms).copied().unwrap_or_default();
            at_risk += step.entered;
            usually += then.entered;
            let (events, all) = if usually > 0 {
                let hazard = then.ended as f64 / usually as f64;
                (step.ended as f64 + USUAL * hazard, at_risk as f64 + USUAL)
            } else {
                (step.ended as f64, at_risk as f64)
            };
            if events > 0.0 && all > 0.0 {
                // A chance of nought is not known.
                let rest = (all - events).max(LEFT);
                log += (rest / all).ln();
                variance += events / (all * rest);
            }
            at_risk = at_risk.saturating_sub(step.ended + step.left);
            usually = usually.saturating_sub(then.ended + then.left);
            points.push((age_ms, log, variance));
        }
        LifeTable { points }
    }
}

/// What is usual: the periods of the past, the nearest most.
#[derive(Debug, Default)]
pub(crate) struct Usual {
    period: Period,
    minutes: u32,
}

impl Usual {
    pub(crate) fn period(&self) -> &Period {
        &self.period
    }

    /// One more minute is over.
    pub(crate) fn add(&mut self, minute: Period) {
        self.minutes += 1;
        if self.minutes == HALF_MINUTES {
            self.minutes = 0;
            for step in self.period.steps.values_mut() {
                *step = Step {
                    entered: step.entered / 2,
                    ended: step.ended / 2,
                    left: step.left / 2,
                };
            }
            self.period
                .steps
                .retain(|_, step| step.entered + step.ended + step.left > 0);
        }
        for (age_ms, step) in minute.steps {
            let sum = self.period.steps.entry(age_ms).or_default();
            sum.entered += step.entered * WHOLE;
            sum.ended += step.ended * WHOLE;
            sum.left += step.left * WHOLE;
        }
    }
}

/// The chance to be still waiting at each age.
#[derive(Clone, Debug, Default)]
pub(crate) struct LifeTable {
    /// Age in milliseconds, logarithm of the chance to wait longer, its variance.
    points: Vec<(u64, f64, f64)>,
}

impl LifeTable {
    fn at(&self, age_ms: u64) -> (f64, f64) {
        let after = self.points.partition_point(|(age, ..)| *age <= age_ms);
        match after.checked_sub(1).map(|at| self.points[at]) {
            Some((_, log, variance)) => (log, variance),
            None => (0.0, 0.0),
        }
    }

    /// The chance that who waits at `age_ms` still waits at `until_ms`, and the variance of its logarithm: of the table,
    /// and of what may change.
    pub(crate) fn missed(&self, age_ms: u64, until_ms: u64) -> (f64, f64) {
        let (now, then) = (self.at(age_ms), self.at(until_ms.max(age_ms)));
        let log = then.0 - now.0;
        let drift = DRIFT * log;
        (
            log.exp().min(1.0),
            (then.1 - now.1).max(0.0) + drift * drift,
        )
    }
}

/// Payments that wait and have the same prospects.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    pub(crate) age_ms: u64,
    /// Age at which they pass their first deadline.
    pub(crate) due_ms: u64,
    pub(crate) currency: Currency,
    pub(crate) count: u64,
    pub(crate) amount_minor: u128,
}

/// How many of the waiting payments will miss their first deadline.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expected {
    /// Payments that wait and have not passed it.
    pub of: u64,
    /// Most likely.
    pub count: f64,
    /// With 95 % probability at least.
    pub low: f64,
    /// With 95 % probability at most.
    pub high: f64,
    /// Minor units that will be missing, most likely.
    pub amount_minor: BTreeMap<Currency, u128>,
}

/// What is to be expected of payments that wait.
pub(crate) fn expected(table: &LifeTable, waiting: impl Iterator<Item = Waiting>) -> Expected {
    let (mut mean, mut chance, mut doubt, mut of) = (0.0, 0.0, 0.0, 0);
    let mut money: BTreeMap<Currency, u128> = BTreeMap::new();
    for group in waiting {
        let (missed, variance) = table.missed(group.age_ms, group.due_ms);
        let count = group.count as f64;
        of += group.count;
        mean += count * missed;
        chance += count * missed * (1.0 - missed);
        // The table errs for all alike.
        doubt += count * missed * variance.sqrt();
        let ppm = (missed * PPM as f64).round() as u128;
        *money.entry(group.currency).or_default() += group.amount_minor * ppm;
    }
    money.retain(|_, sum| {
        *sum = (*sum + PPM / 2) / PPM;
        *sum > 0
    });
    // Of rare misses, and of rare credits, none or one more is seen: the interval of a share (Wilson 1927).
    let spread = (Z * Z * (chance + doubt * doubt) + Z.powi(4) / 4.0).sqrt();
    let scale = 1.0 + Z * Z / (of as f64).max(1.0);
    let (centre, spread) = ((mean + Z * Z / 2.0) / scale, spread / scale);
    Expected {
        of,
        count: mean,
        low: (centre - spread).max(0.0).min(mean),
        high: (centre + spread).min(of as f64).max(mean),
        amount_minor: money,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::survival::Survival;

    fn waiting(age_ms: u64, due_ms: u64, count: u64) -> Waiting {
        Waiting {
            age_ms,
            due_ms,
            currency: Currency::new(*b"CNY").expect("a currency"),
            count,
            amount_minor: u128::from(count) * 1000,
        }
    }

    #[test]
    fn when_credits_stop_all_that_wait_are_missed_at_once() {
        let mut period = Period::default();
        // In the last half minute nobody was credited, at whatever age.
        (0..30).for_each(|second| period.add(0, second * 1000, false, 10));
        let table = period.table();
        let expected = expected(&table, (0..30).map(|age| waiting(age * 1000, 30_000, 10)));
        assert!((expected.count - 300.0).abs() < 1e-9);
        assert_eq!(expected.amount_minor.values().sum::<u128>(), 300_000);
    }

    #[test]
    fn the_share_that_is_lost_is_missed_whatever_waits() {
        let mut period = Period::default();
        // A tenth is never credited, the others after two seconds.
        period.add(0, 2000, true, 900);
        period.add(0, 30_000, false, 100);
        let table = period.table();
        let young = expected(&table, [waiting(0, 30_000, 100)].into_iter());
        assert!((young.count - 10.0).abs() < 0.1, "{young:?}");
        assert!(young.low < 7.0 && young.high > 14.0, "{young:?}");
        // Who has waited longer than two seconds is lost.
        let old = expected(&table, [waiting(5000, 30_000, 7)].into_iter());
        assert!((old.count - 7.0).abs() < 1e-9, "{old:?}");
    }

    #[test]
    fn of_rare_credits_some_may_come_as_of_rare_misses() {
        let mut period = Period::default();
        period.add(0, 2000, true, 1000);
        let few = expected(&period.table(), [waiting(0, 30_000, 100)].into_iter());
        assert!(few.low < 0.01 && few.high > 3.0, "{few:?}");
        let mut period = Period::default();
        period.add(0, 30_000, false, 1000);
        let all = expected(&period.table(), [waiting(0, 30_000, 100)].into_iter());
        assert!(all.low < 97.0 && all.high >= 100.0, "{all:?}");
    }

    #[test]
    fn who_came_before_the_period_counts_from_the_age_that_it_had_then() {
        let mut period = Period::default();
        period.add(0, 2000, true, 100);
        // Of those who had waited ten seconds when it began half were credited in it.
        period.add(10_000, 15_000, true, 50);
        period.add(10_000, 40_000, false, 50);
        let (missed, _) = period.table().missed(10_000, 30_000);
        assert!((missed - 0.5).abs() < 0.01, "{missed}");
    }

    /// SplitMix64.
    struct Draw(u64);

    impl Draw {
        fn unit(&mut self) -> f64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
        }

        /// Lags between a quarter of a second and a quarter of an hour: exponential, with a tail, or of two kinds.
        fn lag_ms(&mut self, family: u64) -> u64 {
            let exponential = -(1.0 - self.unit()).ln();
            let lag_ms = match family % 3 {
                0 => 250.0 + 3000.0 * exponential,
                1 => 400.0 * (0.7 * exponential).exp(),
                _ if self.unit() < 0.8 => 900.0 + 300.0 * exponential,
                _ => 20_000.0 + 9000.0 * exponential,
            };
            lag_ms.min(900_000.0) as u64
        }
    }

    #[test]
    fn who_all_came_in_the_period_have_the_table_of_kaplan_and_meier() {
        let mut compared = 0;
        for seed in 0..30 {
            let mut draw = Draw(seed);
            let (mut period, mut exact) = (Period::default(), Survival::new());
            for _ in 0..20_000 {
                let (lag_ms, age_ms) = (draw.lag_ms(seed), (draw.unit() * 120_000.0) as u64);
                period.add(0, lag_ms.min(age_ms), lag_ms <= age_ms, 1);
                if lag_ms <= age_ms {
                    exact.event(lag_ms, 1);
                } else {
                    exact.censored(age_ms, 1);
                }
            }
            let table = period.table();
            for q in [0.5, 0.9, 0.95, 0.99] {
                let Some(at_ms) = exact.quantile(q) else {
                    continue;
                };
                // The age by which the table has it must not be more than two per cent off.
                let missed = |ms: f64| table.missed(0, ms as u64).0;
                let (before, after) = (at_ms as f64 * 0.98, at_ms as f64 * 1.02);
                assert!(
                    missed(before) >= 1.0 - q - 1e-9 && missed(after) <= 1.0 - q + 1e-9,
                    "seed {seed}, {q} at {at_ms}: {} to {}",
                    missed(before),
                    missed(after)
                );
                compared += 1;
            }
        }
        assert!(compared > 90, "{compared} quantiles compared");
    }

    /// The product over all ages in milliseconds, by counting those at risk anew at each: entered, until, credited. Where
    /// all are credited a part of one is left, as in the table.
    fn naive(payments: &[(u64, u64, bool)], from_ms: u64, to_ms: u64) -> f64 {
        let mut ages: Vec<u64> = payments
            .iter()
            .filter(|(_, until, credited)| *credited && (from_ms + 1..=to_ms).contains(until))
            .map(|(_, until, _)| *until)
            .collect();
        ages.sort_unstable();
        ages.dedup();
        ages.into_iter().fold(1.0, |survival, age_ms| {
            let there = payments
                .iter()
                .filter(|(entered, until, _)| *entered <= age_ms && *until >= age_ms);
            let events = there
                .clone()
                .filter(|(_, until, credited)| *credited && *until == age_ms);
            let (events, all) = (events.count() as f64, there.count() as f64);
            survival * (all - events).max(LEFT) / all
        })
    }

    #[test]
    fn who_came_before_the_period_changes_the_table_as_the_product_over_those_at_risk_says() {
        let mut compared = 0;
        for seed in 100..120 {
            let mut draw = Draw(seed);
            let mut payments = Vec::new();
            for _ in 0..1500 {
                // The period is the last half minute of two.
                let age_ms = (draw.unit() * 120_000.0) as u64;
                let lag_ms = draw.lag_ms(seed);
                let entered_ms = age_ms.saturating_sub(30_000);
                if lag_ms >= entered_ms {
                    payments.push((entered_ms, lag_ms.min(age_ms), lag_ms <= age_ms));
                }
            }
            let mut period = Period::default();
            for &(entered_ms, until_ms, credited) in &payments {
                period.add(entered_ms, until_ms, credited, 1);
            }
            let table = period.table();
            for (from_ms, to_ms) in [(0, 5000), (2000, 30_000), (5000, 60_000)] {
                let (missed, _) = table.missed(from_ms, to_ms);
                let exact = naive(&payments, from_ms, to_ms);
                assert!(
                    (missed - exact).abs() < 0.03,
                    "seed {seed}, {from_ms} to {to_ms}: {missed}, not {exact}"
                );
                compared += 1;
            }
        }
        assert_eq!(compared, 60);
    }
}

//! The Kaplan–Meier estimate (Kaplan and Meier 1958): how long it takes to be credited, with those who still
//! wait counted as waiting at least as long as they have.

use std::collections::BTreeMap;

/// Slack for products of fractions that should be equal to a probability.
const EPSILON: f64 = 1e-12;

/// The quantiles that are told of every lag: 50 %, 95 %, 99 %.
pub(crate) const QUANTILES: [f64; 3] = [0.5, 0.95, 0.99];

#[derive(Clone, Copy, Debug, Default)]
struct Step {
    events: u64,
    censored: u64,
}

/// Times in any unit: those at which something happened, and those up to which it had not.
#[derive(Clone, Debug, Default)]
pub struct Survival {
    steps: BTreeMap<u64, Step>,
}

impl Survival {
    /// No observation.
    pub fn new() -> Self {
        Self::default()
    }

    /// It happened after `time`, `count` times.
    pub fn event(&mut self, time: u64, count: u64) {
        self.steps.entry(time).or_default().events += count;
    }

    /// It had not happened after `time`, `count` times.
    pub fn censored(&mut self, time: u64, count: u64) {
        self.steps.entry(time).or_default().censored += count;
    }

    /// The curve: after each time at which something happened, the probability that it has not yet.
    pub fn curve(&self) -> impl Iterator<Item = (u64, f64)> + '_ {
        let mut at_risk: u64 = self
            .steps
            .values()
            .map(|step| step.events + step.censored)
            .sum();
        let mut survival = 1.0;
        self.steps.iter().filter_map(move |(&time, step)| {
            let risk = at_risk;
            at_risk -= step.events + step.censored;
            if step.events == 0 {
                return None;
            }
            survival *= (risk - step.events) as f64 / risk as f64;
            Some((time, survival))
        })
    }

    /// The probability that it has not happened after `time`; `None` where nobody was seen so long.
    pub fn after(&self, time: u64) -> Option<f64> {
        let until = self.curve().take_while(|(at, _)| *at <= time).last();
        let survival = until.map_or(1.0, |(_, survival)| survival);
        let last = self.steps.keys().next_back();
        let seen = last.is_some_and(|last| *last >= time);
        (seen || survival <= EPSILON).then_some(survival)
    }

    /// The earliest time by which it has happened with probability `q`; `None` where it cannot be known yet.
    pub fn quantile(&self, q: f64) -> Option<u64> {
        self.curve()
            .find(|&(_, survival)| survival <= 1.0 - q + EPSILON)
            .map(|(time, _)| time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_waiting_the_quantiles_are_those_of_the_sample() {
        let mut survival = Survival::new();
        (1..=100).for_each(|time| survival.event(time, 1));
        assert_eq!(survival.quantile(0.5), Some(50));
        assert_eq!(survival.quantile(0.95), Some(95));
        assert_eq!(survival.quantile(0.99), Some(99));
    }

    #[test]
    fn the_textbook_sample_gives_the_textbook_curve() {
        // Remission times of the treated group of Freireich et al. (1963), as Kalbfleisch and Prentice print
        // them: 6, 6, 6, 7, 10, 13, 16, 22, 23 weeks; censored 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35.
        let mut survival = Survival::new();
        for time in [6, 6, 6, 7, 10, 13, 16, 22, 23] {
            survival.event(time, 1);
        }
        for time in [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35] {
            survival.censored(time, 1);
        }
        let expected = [
            (6, 0.857_142_857),
            (7, 0.806_722_689),
            (10, 0.752_941_176),
            (13, 0.690_196_078),
            (16, 0.627_450_980),
            (22, 0.537_815_126),
            (23, 0.448_179_271),
        ];
        let curve: Vec<_> = survival.curve().collect();
        assert_eq!(curve.len(), expected.len());
        for ((time, at), (expected_time, expected_at)) in curve.iter().zip(expected) {
            assert_eq!(*time, expected_time);
            assert!((at - expected_at).abs() < 1e-8, "{time}: {at}");
        }
        assert_eq!(survival.quantile(0.5), Some(23));
        assert_eq!(survival.quantile(0.95), None);
    }

    #[test]
    fn when_credits_stop_the_quantile_cannot_be_known() {
        let mut survival = Survival::new();
        survival.event(2000, 10);
        survival.censored(30_000, 90);
        assert_eq!(survival.quantile(0.5), None);
    }

    #[test]
    fn what_nobody_was_seen_long_enough_for_is_not_known() {
        let mut survival = Survival::new();
        survival.event(2000, 3);
        survival.censored(10_000, 1);
        assert_eq!(survival.after(1999), Some(1.0));
        assert_eq!(survival.after(2000), Some(0.25));
        assert_eq!(survival.after(10_000), Some(0.25));
        assert_eq!(survival.after(10_001), None);
        // Where it has happened to all, it stays so.
        let mut all = Survival::new();
        all.event(2000, 3);
        assert_eq!(all.after(30_000), Some(0.0));
    }

    #[test]
    fn nobody_gives_nothing() {
        assert_eq!(Survival::new().after(0), None);
        assert_eq!(Survival::new().quantile(0.5), None);
    }
}

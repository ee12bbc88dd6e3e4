//! The Kaplan–Meier estimate is that of the Python package lifelines, on the data sets that it ships; in buckets, it is
//! near the one without.

use settlewatch_watch::{LagBuckets, Survival};

/// A data set with what lifelines says of it.
#[derive(Default)]
struct Set {
    name: String,
    quantiles: Vec<(f64, Option<u64>)>,
    /// Time, how often it happened, how often it was censored, survival after it.
    steps: Vec<(u64, u64, u64, f64)>,
}

fn sets() -> Vec<Set> {
    let mut sets: Vec<Set> = Vec::new();
    let lines = include_str!("expected.txt").lines();
    for line in lines.filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        if let ["set", name, _] = words[..] {
            let name = name.to_owned();
            sets.push(Set {
                name,
                ..Set::default()
            });
            continue;
        }
        let set = sets.last_mut().expect("a set comes first");
        match words[..] {
            ["quantile", q, at] => {
                let at = (at != "-").then(|| at.parse().expect("a time"));
                set.quantiles.push((q.parse().expect("a share"), at));
            }
            [time, events, censored, survival] => set.steps.push((
                time.parse().expect("a time"),
                events.parse().expect("a count"),
                censored.parse().expect("a count"),
                survival.parse().expect("a probability"),
            )),
            _ => panic!("{line}"),
        }
    }
    sets
}

#[test]
fn the_estimate_is_that_of_lifelines() {
    let sets = sets();
    let mut compared = 0;
    for set in &sets {
        let mut estimate = Survival::new();
        for &(time, events, censored, _) in &set.steps {
            (events > 0).then(|| estimate.event(time, events));
            (censored > 0).then(|| estimate.censored(time, censored));
        }
        let happened = set.steps.iter().filter(|(_, events, ..)| *events > 0);
        let curve: Vec<(u64, f64)> = estimate.curve().collect();
        assert_eq!(curve.len(), happened.clone().count(), "{}", set.name);
        for ((time, survival), &(at, _, _, expected)) in curve.into_iter().zip(happened) {
            assert_eq!(time, at, "{}", set.name);
            let error = (survival - expected).abs();
            assert!(
                error < 1e-9,
                "{} at {at}: {survival}, not {expected}",
                set.name
            );
            compared += 1;
        }
        for &(q, at) in &set.quantiles {
            assert_eq!(estimate.quantile(q), at, "{}: quantile {q}", set.name);
        }
    }
    assert!(
        sets.len() >= 14 && compared > 1000,
        "{compared} points compared"
    );
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

    fn exponential(&mut self) -> f64 {
        -(1.0 - self.unit()).ln()
    }

    fn normal(&mut self) -> f64 {
        (2.0 * self.exponential()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }

    fn log_between(&mut self, low: f64, high: f64) -> f64 {
        (low.ln() + (high / low).ln() * self.unit()).exp()
    }
}

/// How lags of one channel are drawn, in milliseconds.
struct Family {
    name: &'static str,
    scale: f64,
    shape: f64,
}

impl Family {
    const NAMES: [&'static str; 5] = ["lognormal", "Weibull", "gamma", "Pareto", "mixture"];

    fn draw(&self, draw: &mut Draw) -> f64 {
        let spread = 0.2 + self.shape;
        self.scale
            * match self.name {
                "lognormal" => (spread * draw.normal()).exp(),
                "Weibull" => draw.exponential().powf(spread),
                "gamma" => (0..3).map(|_| draw.exponential()).sum(),
                "Pareto" => (draw.exponential() * spread).exp(),
                _ if draw.unit() < 0.8 => (0.3 * draw.normal()).exp(),
                _ => 20.0 * (spread * draw.normal()).exp(),
            }
    }
}

#[test]
fn in_buckets_the_quantiles_are_at_most_two_per_cent_off() {
    let buckets = LagBuckets::default();
    let mut compared = 0;
    for name in Family::NAMES {
        for seed in 0..20 {
            let mut draw = Draw(seed);
            let (scale, shape) = (draw.log_between(200.0, 20_000.0), draw.unit());
            let family = Family { name, scale, shape };
            let window_ms = draw.log_between(30.0, 2000.0) * scale;
            let (mut exact, mut bucketed) = (Survival::new(), Survival::new());
            for _ in 0..30_000 {
                let lag_ms = family.draw(&mut draw).round() as u64;
                let age_ms = (window_ms * draw.unit()) as u64;
                let middle = |ms| buckets.middle(ms);
                if lag_ms <= age_ms {
                    exact.event(lag_ms, 1);
                    bucketed.event(middle(lag_ms), 1);
                } else {
                    exact.censored(age_ms, 1);
                    bucketed.censored(middle(age_ms), 1);
                }
            }
            for q in [0.5, 0.95, 0.99] {
                let (Some(exact), Some(bucketed)) = (exact.quantile(q), bucketed.quantile(q))
                else {
                    continue;
                };
                let error = (bucketed as f64 / exact as f64 - 1.0).abs();
                assert!(
                    error <= 0.02,
                    "{name}, seed {seed}: quantile {q} is {bucketed} ms, not {exact} ms"
                );
                compared += 1;
            }
        }
    }
    assert!(compared >= 280, "only {compared} quantiles are known");
}

//! Evidence: the log-likelihood ratio, its greatest possible value in a part, and a bound of what chance gives.

use std::ops::AddAssign;

/// Outcomes, and how many of them were bad.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Counts {
    pub(super) total: f64,
    pub(super) bad: f64,
}

impl Counts {
    pub(super) fn rate(self) -> f64 {
        if self.total > 0.0 {
            self.bad / self.total
        } else {
            0.0
        }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.total += other.total;
        self.bad += other.bad;
    }
}

/// The whole, which every part is judged against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whole {
    pub(super) counts: Counts,
    /// Divides the evidence.
    design: f64,
    null: f64,
}

impl Whole {
    pub(super) fn new(counts: Counts, design: f64) -> Self {
        Self {
            counts,
            design: design.max(1.0),
            null: log_likelihood(counts),
        }
    }

    pub(super) fn outside(&self, inside: Counts) -> Counts {
        Counts {
            total: (self.counts.total - inside.total).max(0.0),
            bad: (self.counts.bad - inside.bad).max(0.0),
        }
    }

    /// Log-likelihood ratio of a higher rate inside (Kulldorff 1997), 0 where it is not higher.
    pub(super) fn llr(&self, inside: Counts) -> f64 {
        let outside = self.outside(inside);
        if inside.bad * outside.total <= outside.bad * inside.total {
            return 0.0;
        }
        let gain = log_likelihood(inside) + log_likelihood(outside) - self.null;
        gain.max(0.0) / self.design
    }

    /// Evidence times the square root of the logarithm of the ratio of rates. Rates are never quite even; where they
    /// are not, a large part that differs a little has more evidence than a small one that differs much, which is
    /// the fault.
    pub(super) fn strength(&self, inside: Counts) -> f64 {
        // Half an outcome more keeps an outside without bad outcomes finite.
        let smooth = |counts: Counts| (counts.bad + 0.5) / (counts.total + 1.0);
        let contrast = (smooth(inside) / smooth(self.outside(inside))).ln();
        self.llr(inside) * contrast.max(0.0).sqrt()
    }

    /// The greatest ratio that any part with at most this much bad can have: all of it bad.
    pub(super) fn bound(&self, bad: f64) -> f64 {
        self.llr(Counts { total: bad, bad })
    }

    /// Logarithm of an upper bound of the probability that a part of this size, chosen before looking, is as bad as
    /// this by chance: how many of its outcomes are bad is hypergeometric then, and Hoeffding's bound (1963, section
    /// 6: drawing without replacement) is exp(−n KL(rate inside ‖ overall rate)). The same holds of the outside being
    /// as good as it is, so the better of both is valid.
    pub(super) fn log_chance(&self, inside: Counts) -> f64 {
        let overall = self.counts.rate();
        let outside = self.outside(inside);
        if inside.rate() <= overall {
            return 0.0;
        }
        -divergence(inside, overall).max(divergence(outside, overall)) / self.design
    }
}

/// Maximum of the Bernoulli log-likelihood.
fn log_likelihood(counts: Counts) -> f64 {
    let good = counts.total - counts.bad;
    x_ln(counts.bad, counts.bad / counts.total) + x_ln(good, good / counts.total)
}

/// n KL(rate ‖ reference).
fn divergence(counts: Counts, reference: f64) -> f64 {
    let rate = counts.rate();
    x_ln(counts.bad, rate / reference)
        + x_ln(counts.total - counts.bad, (1.0 - rate) / (1.0 - reference))
}

/// `x ln y`, 0 where `x` is.
fn x_ln(x: f64, y: f64) -> f64 {
    if x > 0.0 { x * y.ln() } else { 0.0 }
}

/// Logarithm of what a place must pay for having been looked for: a share of the error allowed goes to each number of
/// conditions, of that to each set of as many dimensions, and of that to each combination of values, of which there are
/// no more than rows (a union bound with weights). None of it depends on outcomes. `chosen` has for each condition how many
/// values its dimension has, and how many of them share the place.
pub(super) fn log_price(
    chosen: &[(usize, usize)],
    dims: usize,
    rows: usize,
    conditions: usize,
) -> f64 {
    let sets: f64 = (0..chosen.len())
        .map(|at| (dims - at) as f64 / (at + 1) as f64)
        .product();
    let combinations: f64 = chosen.iter().map(|(count, _)| *count as f64).product();
    let further = chosen.iter().map(|(count, values)| {
        let further = values.saturating_sub(1) as f64;
        further * (*count as f64).ln()
    });
    let sum = conditions.clamp(1, dims.max(1)) as f64 * sets * combinations.min(rows as f64);
    sum.max(1.0).ln() + further.sum::<f64>()
}

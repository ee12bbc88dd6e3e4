//! Rows of attribute values with counts.

use super::score::Counts;

/// Counts are multiples of 2⁻¹⁶, so that sums of up to 10¹¹ are exact and do not depend on the order of rows.
const GRAIN: f64 = 65_536.0;

/// Attribute tuples with weighted counts of outcomes.
#[derive(Clone, Debug, Default)]
pub struct Table {
    pub(super) dims: usize,
    /// Row by row.
    pub(super) values: Vec<u32>,
    pub(super) counts: Vec<Counts>,
    /// Sum over rows of bad times the weight of one seen outcome.
    weighted_bad: f64,
}

impl Table {
    /// An empty table of so many dimensions.
    pub fn new(dims: usize) -> Self {
        Self {
            dims,
            ..Self::default()
        }
    }

    /// Adds a row: a value id for each dimension, 0 where it is not known, and of `total` outcomes how many were
    /// bad. Missing values are unknown; what is negative or no number counts as nothing. The same tuple may come
    /// again.
    pub fn push(&mut self, values: &[u32], total: f64, bad: f64) {
        self.push_sampled(values, total, bad, 1.0);
    }

    /// Adds a row whose counts were scaled up: each outcome that was seen stands for `weight`, at least 1.
    pub fn push_sampled(&mut self, values: &[u32], total: f64, bad: f64, weight: f64) {
        let total = grains(total);
        let bad = grains(bad).min(total);
        if total <= 0.0 {
            return;
        }
        let known = values.iter().take(self.dims).copied();
        let unknown = self.dims.saturating_sub(values.len());
        self.values.extend(known);
        self.values.extend(std::iter::repeat_n(0, unknown));
        self.counts.push(Counts { total, bad });
        self.weighted_bad += grains(bad * weight.max(1.0));
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Dimensions.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// The values of a row.
    pub(super) fn row(&self, row: usize) -> &[u32] {
        &self.values[row * self.dims..][..self.dims]
    }

    /// By how much sampling widens the evidence (Kish 1965): the mean weight of a bad outcome. Where bad is rare,
    /// the bad outcomes hold the information, and the good ones may be sampled at no loss.
    pub(super) fn design(&self) -> f64 {
        let bad: f64 = self.counts.iter().map(|counts| counts.bad).sum();
        if bad > 0.0 {
            (self.weighted_bad / bad).max(1.0)
        } else {
            1.0
        }
    }
}

fn grains(count: f64) -> f64 {
    if count.is_finite() {
        (count.max(0.0) * GRAIN).round() / GRAIN
    } else {
        0.0
    }
}

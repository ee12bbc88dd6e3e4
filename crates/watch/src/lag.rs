//! Buckets of lag: HDR histogram buckets of two significant digits from 1 ms to 7 days.

use hdrhistogram::Histogram;

/// The longest lag that is told apart, in milliseconds: 7 days.
pub const MAX_LAG_MS: u64 = 7 * 24 * 3600 * 1000;

/// Significant decimal digits of a lag: buckets are at most 1 % wide.
const DIGITS: u8 = 2;

/// The buckets, without counts.
#[derive(Clone, Debug)]
pub struct LagBuckets(Histogram<u64>);

impl Default for LagBuckets {
    fn default() -> Self {
        Self(Self::histogram())
    }
}

impl LagBuckets {
    /// An empty histogram with these buckets.
    pub fn histogram() -> Histogram<u64> {
        Histogram::new_with_bounds(1, MAX_LAG_MS, DIGITS).expect("the bounds and digits are valid")
    }

    /// The lowest lag of the bucket of `lag_ms`. Longer lags than 7 days are 7 days.
    pub fn lowest(&self, lag_ms: u64) -> u64 {
        self.0.lowest_equivalent(lag_ms.min(MAX_LAG_MS))
    }

    /// The middle of the bucket of `lag_ms`: at most half a per cent from every lag in it.
    pub fn middle(&self, lag_ms: u64) -> u64 {
        self.0.median_equivalent(lag_ms.min(MAX_LAG_MS))
    }
}

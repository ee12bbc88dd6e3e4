//! Upper bounds of the credit lag: the usual ones, and one on every configured deadline.

use settlewatch_join::{Settings, Span};

/// What is always told apart, in milliseconds.
const USUAL_MS: &[u64] = &[
    100, 250, 500, 1_000, 2_000, 3_000, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000,
    600_000, 1_800_000, 3_600_000, 21_600_000, 86_400_000,
];

/// Deadlines that get an edge, the earliest first: every edge is a series of every channel.
const DEADLINES: usize = 64;

/// The upper bounds.
pub(crate) struct Edges {
    /// Ascending, in seconds.
    pub(crate) seconds: Vec<f64>,
    /// Deadlines that got none.
    pub(crate) left_out: usize,
}

/// A credit that is appended at its deadline is in time, and a bucket holds its upper bound: the bucket of a
/// tier counts exactly the payments that were credited within it.
pub(crate) fn edges(settings: &Settings) -> Edges {
    let timed = settings.rules.iter().filter(|rule| rule.due.is_none());
    let mut tiers: Vec<u64> = timed
        .flat_map(|rule| rule.tiers.iter().map(|tier| tier.after))
        .map(Span::millis)
        .collect();
    tiers.sort_unstable();
    tiers.dedup();
    let left_out = tiers.len().saturating_sub(DEADLINES);
    tiers.truncate(DEADLINES);
    tiers.extend(USUAL_MS);
    tiers.sort_unstable();
    tiers.dedup();
    Edges {
        seconds: tiers.into_iter().map(seconds).collect(),
        left_out,
    }
}

/// Milliseconds as the seconds of a metric.
pub(crate) fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

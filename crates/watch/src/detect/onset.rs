//! When a fault began: the point from which bad payments prevail (cumulative sums, Page 1954).

use super::rows::Row;

/// The append time, in milliseconds, of the first payment that the fault touched, among a scope's rows.
pub(crate) fn onset_ms<'a>(rows: impl Iterator<Item = &'a Row>, lost: bool) -> Option<i64> {
    let mut rows: Vec<(i64, bool)> = rows.map(|row| (row.accepted_ms, row.is_bad(lost))).collect();
    rows.sort_unstable();
    let total = rows.len() as f64;
    let bad = rows.iter().filter(|(_, bad)| *bad).count() as f64;
    if bad == 0.0 {
        return None;
    }
    // The gain of a bad one and the loss of a good one: halfway between what is usual and what is seen lately.
    let tail = rows.iter().rev().take(30);
    let recent = tail.filter(|(_, bad)| *bad).count() as f64 / total.min(30.0);
    let inside = recent.max(bad / total).clamp(0.05, 0.98);
    let outside = (inside / 8.0).min(0.05);
    let gain = (inside / outside).ln();
    let loss = ((1.0 - outside) / (1.0 - inside)).ln();
    let (mut sum, mut least, mut start, mut best) = (0.0, 0.0, 0, (f64::MIN, 0));
    for (at, (_, bad)) in rows.iter().enumerate() {
        if sum < least {
            least = sum;
            start = at;
        }
        sum += if *bad { gain } else { -loss };
        if sum - least > best.0 {
            best = (sum - least, start);
        }
    }
    let first_bad = rows[best.1..].iter().find(|(_, bad)| *bad);
    first_bad.map(|(at, _)| *at)
}

//! When a fault began: the point from which bad payments prevail (cumulative sums, Page 1954).

use super::rows::{Bad, Row};

/// The append time, in milliseconds, of the first payment that the fault touched, among a scope's rows: from there
/// on the likelihood that they are bad more often than `usual` says grows the most.
pub(crate) fn onset_ms<'a>(
    rows: impl Iterator<Item = &'a Row>,
    usual: impl Fn(&Row) -> f64,
    bad: Bad,
) -> Option<i64> {
    let mut rows: Vec<(i64, bool, f64)> = rows
        .map(|row| (row.accepted_ms, row.is_bad(bad), usual(row)))
        .collect();
    rows.sort_unstable_by_key(|(at, bad, _)| (*at, *bad));
    let bad = rows.iter().filter(|(_, bad, _)| *bad).count();
    if bad == 0 {
        return None;
    }
    let recent = rows.iter().rev().take(RECENT);
    let recent = recent.filter(|(_, bad, _)| *bad).count() as f64 / rows.len().min(RECENT) as f64;
    let inside = recent.max(bad as f64 / rows.len() as f64);
    let (mut sum, mut start, mut best) = (0.0_f64, 0, (f64::MIN, 0));
    for (at, (_, bad, usual)) in rows.iter().enumerate() {
        if sum <= 0.0 {
            (sum, start) = (0.0, at);
        }
        let outside = usual.clamp(0.002, 0.3);
        let inside = inside.max(2.5 * outside).min(0.98);
        sum += if *bad {
            (inside / outside).ln()
        } else {
            ((1.0 - inside) / (1.0 - outside)).ln()
        };
        if sum > best.0 {
            best = (sum, start);
        }
    }
    let first_bad = rows[best.1..].iter().find(|(_, bad, _)| *bad);
    first_bad.map(|(at, ..)| *at)
}

/// Payments that say how bad it is by now.
const RECENT: usize = 30;

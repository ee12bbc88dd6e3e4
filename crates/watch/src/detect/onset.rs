//! When a fault began: the point from which bad payments prevail (cumulative sums, Page 1954).

use super::rows::{Bad, Row};

/// Where all was well again so long ago, in milliseconds, what was bad before that is of another fault.
const WELL_MS: i64 = 300_000;

/// Evidence in natural units that what was well must outweigh before a fault is over.
const MOST_LEFT: f64 = 40.0;

/// The append time, in milliseconds, of the first payment that the fault touched, among a scope's rows as they are known
/// at `now_ms`: from there on the likelihood that they are bad more often than `usual` says grows the most.
pub(crate) fn onset_ms<'a>(
    now_ms: i64,
    rows: impl Iterator<Item = &'a Row>,
    usual: impl Fn(&Row) -> f64,
    bad: Bad,
) -> Option<i64> {
    let rows = rows.map(|row| (row.accepted_ms, row.is_bad(bad), usual(row)));
    began(now_ms, rows.collect())
}

/// The same of append times, whether they are bad, and how often that is usual.
fn began(now_ms: i64, mut rows: Vec<(i64, bool, f64)>) -> Option<i64> {
    rows.sort_unstable_by_key(|(at, bad, _)| (*at, *bad));
    let bad = rows.iter().filter(|(_, bad, _)| *bad).count();
    if bad == 0 {
        return None;
    }
    let recent = rows.iter().rev().take(RECENT);
    let recent = recent.filter(|(_, bad, _)| *bad).count() as f64 / rows.len().min(RECENT) as f64;
    let inside = recent.max(bad as f64 / rows.len() as f64);
    // What has grown since the start, and how much of it is left after what was well: of a great fault as of a small one.
    let (mut sum, mut left) = (0.0_f64, 0.0_f64);
    let (mut start, mut best) = (0, (f64::MIN, 0));
    for (at, (paid_ms, bad, usual)) in rows.iter().enumerate() {
        if left <= 0.0 {
            (sum, left, start) = (0.0, 0.0, at);
            if now_ms - paid_ms > WELL_MS {
                best = (f64::MIN, at);
            }
        }
        let grows = evidence(*bad, *usual, inside);
        sum += grows;
        left = (left + grows).min(MOST_LEFT);
        if sum > best.0 {
            best = (sum, start);
        }
    }
    let first_bad = rows[best.1..].iter().find(|(_, bad, _)| *bad);
    first_bad.map(|(at, ..)| *at)
}

/// What a payment says, in natural units, for that as many are bad as `inside` a fault, and against that as many are as is
/// `usual`.
pub(crate) fn evidence(bad: bool, usual: f64, inside: f64) -> f64 {
    let outside = usual.clamp(0.002, 0.3);
    let inside = inside.max(2.5 * outside).min(0.98);
    if bad {
        (inside / outside).ln()
    } else {
        ((1.0 - inside) / (1.0 - outside)).ln()
    }
}

/// Payments that say how bad it is by now.
const RECENT: usize = 30;

#[cfg(test)]
mod tests {
    use super::*;

    /// One payment a second; those of `bad` are lost.
    fn onset(now_s: i64, bad: impl Fn(i64) -> bool) -> Option<i64> {
        let rows = (0..now_s).map(|second| (second * 1000, bad(second), 0.01));
        began(now_s * 1000, rows.collect()).map(|at| at / 1000)
    }

    #[test]
    fn it_is_where_bad_payments_begin_to_prevail() {
        assert_eq!(
            onset(400, |second| second >= 370 || second == 40),
            Some(370)
        );
        assert_eq!(
            onset(400, |second| second >= 200 && second % 3 == 0),
            Some(201)
        );
        assert_eq!(onset(400, |_| false), None);
    }

    #[test]
    fn a_greater_fault_that_was_over_long_ago_is_another_one() {
        let twice = |second: i64| (100..300).contains(&second) || second >= 880;
        assert_eq!(onset(890, twice), Some(880));
        // Of what was over a moment ago it may be the rest.
        let again = |second: i64| (600..700).contains(&second) || second >= 780;
        assert_eq!(onset(790, again), Some(600));
    }
}

//! Whether the credits of a place stopped altogether, rather than came slowly.

use crate::detect::Detector;
use crate::detect::rows::Row;
use crate::detect::scope::Scope;

/// What was usual is seen in so long before a fault, in milliseconds.
const BEFORE_MS: i64 = 120_000;

/// The last moments before it may belong to it already.
const UNSURE_MS: i64 = 10_000;

/// A pause must last so long, in milliseconds.
const LEAST_MS: i64 = 6_000;

/// Credits this many times as far apart as usual are alone.
const NEAR: f64 = 3.0;

/// Credits that must be missing in a pause.
const MISSING: f64 = 12.0;

/// Where more than this share of them comes all the same, one by one, credits are fewer, but have not stopped.
const TRICKLE: f64 = 0.1;

/// Of the credits that are missing in a pause so many payments must have been made in it: who pays nothing is credited
/// nothing.
const PAID: f64 = 0.3;

/// A time without any credit, where many were due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    /// The last credit before it, in milliseconds.
    pub(crate) since_ms: i64,
    /// The first one after it, if there is one by now.
    until_ms: Option<i64>,
}

impl Stop {
    /// The longest pause in the credits of `scope` that ends after `onset_ms`.
    pub(crate) fn of(
        detector: &Detector,
        scope: &Scope,
        onset_ms: i64,
        now_ms: i64,
    ) -> Option<Self> {
        let first_ms = onset_ms - BEFORE_MS;
        let rows = detector.rows.since(first_ms.div_euclid(1000) - 10);
        let rows: Vec<&Row> = rows
            .filter(|row| row.timed && scope.holds(detector.values.of(row.tuple)))
            .collect();
        let mut times: Vec<i64> = rows.iter().filter_map(|row| credited_ms(row)).collect();
        times.retain(|at| *at >= first_ms);
        times.sort_unstable();
        let unsure_ms = onset_ms - UNSURE_MS;
        let usual = times.iter().filter(|at| **at < unsure_ms).count() as f64;
        let from_ms = (*times.first()?).max(first_ms);
        let span_ms = (unsure_ms - from_ms).max(1);
        let busy = busy(&times, span_ms as f64 / usual.max(1.0));
        let (gap_ms, stop) = longest(&busy, onset_ms, now_ms)?;
        let missing = usual * gap_ms as f64 / span_ms as f64;
        let trickle = times.iter().filter(|at| stop.is_during(**at)).count() as f64;
        let stopped = gap_ms >= LEAST_MS && span_ms >= UNSURE_MS && missing >= MISSING;
        let stopped = stopped && trickle <= TRICKLE * missing;
        let stopped = stopped && stop.paid(detector, scope, &rows) >= PAID * missing;
        (stopped && !stop.resumes_slowly(&rows)).then_some(stop)
    }

    fn is_during(&self, at_ms: i64) -> bool {
        at_ms > self.since_ms && self.until_ms.is_none_or(|until_ms| at_ms < until_ms)
    }

    /// Payments of the scope that were made in the pause.
    fn paid(&self, detector: &Detector, scope: &Scope, rows: &[&Row]) -> f64 {
        let pause = self.since_ms..self.until_ms.unwrap_or(i64::MAX);
        let known = rows.iter().filter(|row| pause.contains(&row.accepted_ms));
        let waiting = detector.rows.without_row();
        let waiting = waiting.filter(|(tuple, accepted_ms)| {
            pause.contains(accepted_ms) && scope.holds(detector.values.of(*tuple))
        });
        (known.count() + waiting.count()) as f64
    }

    /// Whether what is accepted after the pause is slow as well: then credits were late, not stopped.
    fn resumes_slowly(&self, rows: &[&Row]) -> bool {
        let Some(until_ms) = self.until_ms else {
            return false;
        };
        let after = rows.iter().filter(|row| row.accepted_ms >= until_ms - 1000);
        let (mut total, mut slow) = (0, 0);
        for row in after.take(40) {
            total += 1;
            slow += u32::from(row.slow);
        }
        total >= 5 && slow * 2 >= total
    }
}

fn credited_ms(row: &Row) -> Option<i64> {
    Some(row.accepted_ms + row.lag_ms? as i64)
}

/// The times that are not alone: where a few credits trickle, they have stopped all the same.
fn busy(times: &[i64], usual_apart_ms: f64) -> Vec<i64> {
    let near_ms = ((NEAR * usual_apart_ms) as i64).clamp(300, 20_000);
    let is_near = |at: usize, other: Option<usize>| {
        let other = other.and_then(|other| times.get(other));
        other.is_some_and(|other| (times[at] - other).abs() <= near_ms)
    };
    (0..times.len())
        .filter(|at| is_near(*at, at.checked_sub(1)) || is_near(*at, Some(at + 1)))
        .map(|at| times[at])
        .collect()
}

fn longest(times: &[i64], onset_ms: i64, now_ms: i64) -> Option<(i64, Stop)> {
    let ends = times.iter().skip(1).map(|at| Some(*at)).chain([None]);
    let gaps = times.iter().zip(ends).map(|(since_ms, until_ms)| {
        let stop = Stop {
            since_ms: *since_ms,
            until_ms,
        };
        (until_ms.unwrap_or(now_ms) - since_ms, stop)
    });
    gaps.filter(|(_, stop)| stop.until_ms.is_none_or(|until| until > onset_ms))
        .max_by_key(|(gap_ms, _)| *gap_ms)
}

//! Whether the credits of a place stopped altogether, rather than came slowly.

use crate::detect::Detector;
use crate::detect::rates::at_most;
use crate::detect::rows::Row;
use crate::detect::scope::Scope;
use crate::maintenance::Maintenance;
use crate::pulse::CHANNEL;

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

/// Where one in five comes, chance may make a pause of a few: it must be as unlikely as one in twenty.
const FEW: (f64, f64) = (0.2, 0.05);

/// Beside a pause that was one of many chance ones, fewer credits come than this share of those that are usual.
const THIN: f64 = 0.4;

/// So long before a pause is looked at, in milliseconds: when it began to be thin is not known.
const SIDES_MS: [i64; 4] = [10_000, 20_000, 40_000, 80_000];

/// Usual credits of a time that tell whether it is thin.
const TELLING: f64 = 4.0;

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
    /// The longest pause in the credits of `scope` that ends after `onset_ms`; where nothing is known of what was usual
    /// because of maintenance that is over, the pause since then.
    pub(crate) fn of(
        detector: &Detector,
        scope: &Scope,
        maintenance: &Maintenance,
        onset_ms: i64,
        now_ms: i64,
    ) -> Option<Self> {
        let before_ms = onset_ms - BEFORE_MS;
        let ended_ms = maintenance.ended(scope, before_ms, now_ms);
        // What came during the maintenance, or did not, is not usual.
        let first_ms = ended_ms.filter(|ended_ms| *ended_ms <= onset_ms);
        let usual = (first_ms.unwrap_or(before_ms), onset_ms);
        let since_ms = || ended_ms.or_else(|| while_late(detector, scope, usual));
        Self::in_usual(detector, scope, usual, now_ms)
            .or_else(|| Self::of_what_was_paid(detector, scope, since_ms()?, now_ms))
    }

    /// Whether no credits came of what was paid since then, though it was due: payments say what to expect where no
    /// credits before do.
    fn of_what_was_paid(
        detector: &Detector,
        scope: &Scope,
        since_ms: i64,
        now_ms: i64,
    ) -> Option<Self> {
        let rows = detector.rows.since(since_ms.div_euclid(1000) - 1);
        let rows: Vec<&Row> = rows
            .filter(|row| {
                let counts = row.counts() && row.accepted_ms > since_ms;
                counts && scope.holds(detector.values.of(row.tuple))
            })
            .collect();
        let mut times: Vec<i64> = rows.iter().filter_map(|row| credited_ms(row)).collect();
        times.sort_unstable();
        let apart_ms = (now_ms - since_ms) as f64 / rows.len().max(1) as f64;
        let stop = Stop {
            since_ms,
            until_ms: busy(&times, apart_ms).first().copied(),
        };
        let until_ms = stop.until_ms.unwrap_or(now_ms);
        let due = rows
            .iter()
            .filter(|row| row.slow && row.accepted_ms < until_ms);
        let due = due.count() as f64;
        let mut came = times.iter().filter(|at| **at < until_ms).count() as f64;
        // What was held back before may be credited first: then it has not stopped.
        if let [(CHANNEL, channels)] = scope.0.as_slice() {
            let span_s = (since_ms.div_euclid(1000) + 1, until_ms.div_euclid(1000) - 1);
            came = came.max(detector.flows.credited(channels, span_s));
        }
        let stopped = until_ms - since_ms >= LEAST_MS && due >= MISSING && came <= TRICKLE * due;
        (stopped && !stop.resumes_slowly(&rows)).then_some(stop)
    }

    /// The longest pause that ends after `onset_ms`, where what is usual came since `first_ms`.
    fn in_usual(
        detector: &Detector,
        scope: &Scope,
        (first_ms, onset_ms): (i64, i64),
        now_ms: i64,
    ) -> Option<Self> {
        let rows = detector.rows.since(first_ms.div_euclid(1000) - 10);
        let rows: Vec<&Row> = rows
            .filter(|row| row.timed && scope.holds(detector.values.of(row.tuple)))
            .collect();
        let mut times: Vec<i64> = rows.iter().filter_map(|row| credited_ms(row)).collect();
        times.retain(|at| *at >= first_ms);
        times.sort_unstable();
        let unsure_ms = onset_ms - UNSURE_MS;
        // What another fault held back came at once, which is not usual.
        let in_time = rows.iter().filter(|row| !row.slow);
        let in_time = in_time.filter_map(|row| credited_ms(row));
        let in_time: Vec<i64> = in_time.filter(|at| *at >= first_ms).collect();
        let usual = in_time.iter().filter(|at| **at < unsure_ms).count() as f64;
        let from_ms = *in_time.iter().min()?;
        let span_ms = (unsure_ms - from_ms).max(1);
        let busy = busy(&times, span_ms as f64 / usual.max(1.0));
        let (gap_ms, stop) = longest(&busy, onset_ms, now_ms)?;
        let rate = usual / span_ms as f64;
        let missing = rate * gap_ms as f64;
        let stopped = gap_ms >= LEAST_MS && span_ms >= UNSURE_MS && missing >= MISSING;
        let stopped = stopped && stop.is_still(&times, rate, now_ms);
        let stopped = stopped && stop.paid(detector, scope, &rows) >= PAID * missing;
        (stopped && !stop.resumes_slowly(&rows)).then_some(stop)
    }

    /// Whether hardly anything is credited where `rate` a millisecond is usual: in the pause, and on a side of it where
    /// credits are so few that it may be a pause by chance.
    fn is_still(&self, times: &[i64], rate: f64, now_ms: i64) -> bool {
        let until_ms = self.until_ms.unwrap_or(now_ms);
        // Of the time before the first credit nothing is known.
        let first_ms = times.first().map_or(self.since_ms, |first| first - 1);
        let within = |from_ms: i64, to_ms: i64| {
            let credits = times.iter().filter(|at| **at > from_ms && **at < to_ms);
            (
                credits.count() as f64,
                rate * (to_ms - from_ms).max(0) as f64,
            )
        };
        let is_thin = |(credits, usual): &(f64, f64)| *usual >= TELLING && *credits < THIN * usual;
        let side = |span_ms: i64| within((self.since_ms - span_ms).max(first_ms), self.since_ms);
        let before = SIDES_MS.map(side);
        let after = within(until_ms, now_ms);
        let thin = before.into_iter().rfind(is_thin).into_iter();
        let thin = thin.chain(Some(after).filter(is_thin));
        let (came, due) = thin.fold(within(self.since_ms, until_ms), |sum, side| {
            (sum.0 + side.0, sum.1 + side.1)
        });
        came <= TRICKLE * due && at_most(came as u32, FEW.0 * due) <= FEW.1
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

/// Since when a channel stopped whose credits all came late before: what was usual is not known then.
fn while_late(detector: &Detector, scope: &Scope, (first_ms, onset_ms): (i64, i64)) -> Option<i64> {
    let is_channel = matches!(scope.0.as_slice(), [(CHANNEL, _)]);
    let rows = detector.rows.since(first_ms.div_euclid(1000) - 10);
    let mut own = rows.filter(|row| row.timed && scope.holds(detector.values.of(row.tuple)));
    let in_time = |row: &Row| !row.slow && credited_ms(row).is_some_and(|at| at >= first_ms);
    (is_channel && !own.any(in_time)).then_some(onset_ms)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a pause from `since_s` to 100 s is a stop, where two credits a second are usual from 0 s on and those of
    /// `comes` come.
    fn is_still(since_s: i64, comes: impl Fn(i64) -> bool) -> bool {
        let times: Vec<i64> = (0..200)
            .filter(|at| comes(*at))
            .map(|at| at * 500)
            .collect();
        let stop = Stop {
            since_ms: since_s * 1000,
            until_ms: None,
        };
        stop.is_still(&times, 0.002, 100_000)
    }

    #[test]
    fn a_stop_soon_after_the_first_credit_is_one() {
        assert!(is_still(60, |at| (100..120).contains(&at)));
    }

    #[test]
    fn a_pause_among_credits_that_are_few_is_no_stop() {
        assert!(is_still(60, |at| at < 120));
        assert!(
            is_still(60, |at| at < 120 || at == 150),
            "one comes all the same"
        );
        let one_in_five = |at: i64| at < 60 || at < 160 && at % 5 == 0;
        assert!(!is_still(80, one_in_five));
        assert!(!is_still(94, |at| at < 188), "six seconds are by chance");
    }
}

//! When a fault ended: the point from which payments are as usual again (cumulative sums, Page 1954).

use crate::detect::Detector;
use crate::detect::onset::evidence;
use crate::detect::rates::{excess, wilson};
use crate::detect::rows::Bad;
use crate::detect::values::ValueId;
use crate::pulse::CHANNEL;

use super::fault::Fault;

/// Evidence in natural units that all is well.
const WELL_NATS: f64 = 12.0;

/// More evidence than that is not kept: it must be undone by payments that are bad again.
const MOST_NATS: f64 = 30.0;

/// So many bad payments say how bad it is.
const ENOUGH: usize = 5;

/// A loss of at least this share is seen among the slow ones.
const MANY: f64 = 0.2;

/// Evidence in natural units that any are lost.
const LOST_NATS: f64 = 10.0;

/// How sure that is, in standard deviations.
const CERTAIN_Z: f64 = 1.0;

/// What is known of a payment: its append time in milliseconds, whether it is bad, and how often that is usual.
type Known = (i64, bool, f64);

/// The append time, in milliseconds, of the first payment of a fault from which on they are as usual again, as is known at
/// the end of `second`; `None` while it goes on.
pub(super) fn ended_ms(detector: &Detector, fault: &Fault, second: i64) -> Option<i64> {
    if fault.bad == Bad::Long {
        return ended(known(detector, fault, second, Bad::Long));
    }
    let lost = known(detector, fault, second, Bad::Lost);
    let bad = lost.iter().filter(|(_, bad, _)| *bad).count() as f64;
    let usual: f64 = lost.iter().map(|(.., usual)| usual).sum();
    // Where few are lost, nobody sees them among those that are slow as ever.
    let few = bad < MANY * lost.len() as f64 && excess(bad, usual) > LOST_NATS;
    // Who was lost before is slow before all is well.
    ended(if few {
        lost
    } else {
        known(detector, fault, second, Bad::Slow)
    })
}

/// The payments of a fault of which is known whether they are `bad`.
fn known(detector: &Detector, fault: &Fault, second: i64, bad: Bad) -> Vec<Known> {
    let onset_ms = fault.onset_ms;
    let now_ms = (second + 1) * 1000;
    // Of younger ones only those are known that are well.
    let told_ms = |channel: ValueId| {
        let thresholds = detector.thresholds(channel);
        thresholds.is_known().then(|| {
            let after_ms = match bad {
                Bad::Long => thresholds.long_ms,
                Bad::Slow => thresholds.slow_ms,
                Bad::Lost => thresholds.lost_ms,
            };
            now_ms - after_ms as i64 - 1000
        })
    };
    let rows = detector.rows.since(onset_ms.div_euclid(1000) - 1);
    let rows = rows.filter(|row| {
        let values = detector.values.of(row.tuple);
        row.counts()
            && row.accepted_ms >= onset_ms
            && fault.scope.holds(values)
            && !fault.leaves(row.accepted_ms, values)
            && told_ms(values[CHANNEL]).is_some_and(|told_ms| row.accepted_ms <= told_ms)
    });
    let usual = |row| detector.usual_share(row, bad);
    rows.map(|row| (row.accepted_ms, row.is_bad(bad), usual(row)))
        .collect()
}

fn ended(mut known: Vec<Known>) -> Option<i64> {
    known.sort_unstable_by_key(|(at, bad, _)| (*at, *bad));
    let inside = during(&known)?;
    let (mut sum, mut start_ms) = (0.0_f64, None);
    for (at_ms, bad, usual) in &known {
        sum = (sum - evidence(*bad, *usual, inside)).min(MOST_NATS);
        if sum <= 0.0 {
            (sum, start_ms) = (0.0, None);
        } else {
            start_ms = start_ms.or(Some(*at_ms));
        }
    }
    start_ms.filter(|_| sum >= WELL_NATS)
}

/// The share of bad payments while it lasted, at least: until the last but a tenth of them. A fault is found where many
/// are bad by chance, too; what is usual for it is not its end.
fn during(known: &[Known]) -> Option<f64> {
    let bad = known.iter().enumerate().filter(|(_, (_, bad, _))| *bad);
    let bad: Vec<usize> = bad.map(|(at, _)| at).collect();
    if bad.len() < ENOUGH {
        return None;
    }
    let last = (bad.len() - 1) * 9 / 10;
    let (at_least, _) = wilson((last + 1) as f64, (bad[last] + 1) as f64, CERTAIN_Z);
    Some(at_least)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One payment a second; those of `bad` are lost.
    fn end(now_s: i64, bad: impl Fn(i64) -> bool) -> Option<i64> {
        let rows = (0..now_s).map(|second| (second * 1000, bad(second), 0.01));
        ended(rows.collect()).map(|at| at / 1000)
    }

    #[test]
    fn it_is_where_payments_are_as_usual_again() {
        assert_eq!(end(200, |second| second < 150), Some(150));
        assert_eq!(end(152, |second| second < 150), None);
        // One in five takes longer to tell.
        assert_eq!(end(180, |second| second < 150 && second % 5 == 0), None);
        assert_eq!(
            end(240, |second| second < 150 && second % 5 == 0),
            Some(146)
        );
    }

    #[test]
    fn what_is_bad_again_has_not_ended() {
        let again = |second: i64| second < 100 || (160..170).contains(&second);
        assert_eq!(end(160, again), Some(100));
        assert_eq!(end(170, again), None);
    }

    #[test]
    fn now_and_then_one_is_bad_as_ever() {
        assert_eq!(end(300, |second| second < 100 || second == 220), Some(100));
    }
}

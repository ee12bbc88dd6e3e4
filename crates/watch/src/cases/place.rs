//! Where cases are more frequent than elsewhere, held against all payments, and since when.

use std::collections::BTreeMap;

use super::case::Kept;
use crate::detect::Detector;
use crate::detect::counted::{Counted, Part};
use crate::detect::rates::excess;
use crate::detect::scope::Scope;
use crate::detect::values::{TupleId, ValueId};
use crate::keep::keep;
use crate::pulse::{ACQUIRER, CHANNEL, CONNECTOR, DimIndex, GATEWAY};
use crate::scan::ScanOptions;

/// Evidence in natural units with which a place stands out, beyond what its choice among all places costs.
const NATS: f64 = 9.0;

/// Cases must be so many times as frequent as outside.
const TIMES: f64 = 3.0;

/// A place, and how frequent cases are in it and outside.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) scope: Scope,
    pub(super) inside: Part,
    pub(super) outside: Part,
}

/// Payments and cases by their values.
pub(super) type Lines = BTreeMap<Box<[ValueId]>, Part>;

/// Each case is one of the payments, or one more where so many with its attributes are not known.
pub(super) fn lines(
    payments: &BTreeMap<TupleId, u32>,
    cases: &[&Kept],
    detector: &Detector,
) -> Lines {
    let mut lines = Lines::new();
    for (tuple, count) in payments {
        let values: Box<[ValueId]> = detector.values.of(*tuple).into();
        lines.entry(values).or_default().total += f64::from(*count);
    }
    for case in cases {
        let part = lines.entry(case.values.clone()).or_default();
        part.bad += 1.0;
        part.long += 1.0;
        part.total = part.total.max(part.bad);
    }
    lines
}

/// As they are counted.
pub(super) fn counted(lines: &Lines) -> Counted<'_> {
    Counted::new(
        lines
            .iter()
            .map(|(values, part)| (&**values, *part))
            .collect(),
    )
}

/// The places where cases are significantly more frequent than outside, at most `most`.
pub(super) fn places(
    counted: &Counted<'_>,
    detector: &Detector,
    least: usize,
    most: usize,
) -> Vec<Place> {
    let options = ScanOptions {
        // What stands out is judged here: the bound of the scan holds for all conjunctions alike.
        significance: 1.0,
        min_bad: least as f64,
        min_ratio: TIMES,
        causes: most,
        ..ScanOptions::default()
    };
    let causes = counted.causes(&detector.dims, options).into_iter();
    causes
        .filter(|(scope, _)| !scope.is_everything())
        .map(|(scope, _)| Place::of(counted, scope))
        .filter(|place| place.stands_out(counted, detector, least))
        .collect()
}

impl Place {
    /// How frequent cases are in a scope and outside.
    pub(super) fn of(counted: &Counted<'_>, scope: Scope) -> Self {
        let (inside, all) = (counted.inside(&scope), counted.total());
        Self {
            scope,
            inside,
            outside: all - inside,
        }
    }

    /// Whether so many of all cases lie in it that chance does not explain it.
    fn stands_out(&self, counted: &Counted<'_>, detector: &Detector, least: usize) -> bool {
        let (inside, outside, all) = (self.inside, self.outside, counted.total());
        // Given how many cases there are, how many of them lie inside is nearly binomial.
        let chance = binomial(inside.bad, all.bad, inside.total / all.total.max(1.0));
        let dims = detector.dims.localised().len().max(1) as f64;
        let price = detector.values.choices(&self.scope) + self.scope.0.len() as f64 * dims.ln();
        let frequent = inside.bad * outside.total >= TIMES * outside.bad * inside.total;
        frequent && inside.bad >= least as f64 && chance >= NATS + price
    }
}

/// −ln of a bound on the probability that of `all` outcomes at least `count` are of a kind whose share is `share`
/// (Chernoff 1952).
fn binomial(count: f64, all: f64, share: f64) -> f64 {
    if all <= 0.0 || count <= all * share {
        return 0.0;
    }
    let part = |count: f64, mean: f64| {
        if count > 0.0 {
            count * (count / mean.max(1e-9)).ln()
        } else {
            0.0
        }
    };
    part(count, all * share) + part(all - count, all * (1.0 - share))
}

/// The source that all cases share: the narrowest one value of a connector, gateway, acquirer or channel.
pub(super) fn source_of(cases: &[&Kept]) -> Option<Scope> {
    const SOURCES: [DimIndex; 4] = [CONNECTOR, GATEWAY, ACQUIRER, CHANNEL];
    SOURCES.into_iter().find_map(|dim| {
        let mut values = cases.iter().map(|case| case.values[dim]);
        let first = values.next().filter(|value| *value != ValueId::NONE)?;
        values
            .all(|value| value == first)
            .then(|| Scope::one(dim, first))
    })
}

/// Whether so many cases are more than what was usual before, of which `usual` would be expected.
pub(super) fn is_unusual(count: usize, usual: f64) -> bool {
    excess(count as f64, usual) >= NATS || usual <= 0.0
}

/// When cases became frequent, in milliseconds: the most likely change of a Poisson rate at the time of one of them,
/// from the beginning of the window on.
pub(super) fn onset_ms(mut times_ms: Vec<i64>, from_ms: i64, now_ms: i64) -> Option<i64> {
    times_ms.sort_unstable();
    let all = times_ms.len() as f64;
    let likelihood = |count: f64, ms: i64| {
        let seconds = (ms.max(1) as f64 / 1000.0).max(1.0);
        if count > 0.0 {
            count * (count / seconds).ln()
        } else {
            0.0
        }
    };
    times_ms
        .iter()
        .enumerate()
        .map(|(at, time_ms)| {
            let before = likelihood(at as f64, time_ms - from_ms);
            let after = likelihood(all - at as f64, now_ms - time_ms);
            (before + after, *time_ms)
        })
        .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))
        .map(|(_, time_ms)| time_ms)
}

keep!(Place {
    scope,
    inside,
    outside,
});

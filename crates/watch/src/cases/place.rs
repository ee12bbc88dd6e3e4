//! Where cases are more frequent than elsewhere, held against all payments, and since when.

use std::collections::BTreeMap;

use super::case::Kept;
use crate::detect::Detector;
use crate::detect::localise::PREFERRED;
use crate::detect::rates::{excess, shortfall};
use crate::detect::scope::Scope;
use crate::detect::values::{TupleId, ValueId};
use crate::keep::keep;
use crate::pulse::{ACQUIRER, CHANNEL, CONNECTOR, DimIndex, GATEWAY};
use crate::scan::{ScanOptions, Table, scan};

/// Evidence in natural units with which a place stands out, beyond what its choice among all places costs.
const NATS: f64 = 9.0;

/// Cases must be so many times as frequent as outside.
const TIMES: f64 = 3.0;

/// Evidence in natural units that what a condition excludes is better than what it includes.
const PROVEN_NATS: f64 = 4.0;

/// A place, and how frequent cases are in it and outside.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) scope: Scope,
    pub(super) inside: (f64, f64),
    pub(super) outside: (f64, f64),
}

/// Payments and cases by their values.
pub(super) struct Counted {
    lines: BTreeMap<Box<[ValueId]>, (f64, f64)>,
    total: f64,
    bad: f64,
}

impl Counted {
    /// Each case is one of the payments, or one more where so many with its attributes are not known.
    pub(super) fn new(
        payments: &BTreeMap<TupleId, u32>,
        cases: &[&Kept],
        detector: &Detector,
    ) -> Self {
        let mut lines: BTreeMap<Box<[ValueId]>, (f64, f64)> = BTreeMap::new();
        for (tuple, count) in payments {
            let values: Box<[ValueId]> = detector.values.of(*tuple).into();
            lines.entry(values).or_default().0 += f64::from(*count);
        }
        for case in cases {
            let sums = lines.entry(case.values.clone()).or_default();
            sums.1 += 1.0;
            sums.0 = sums.0.max(sums.1);
        }
        let (total, bad) = sum(lines.values());
        Self { lines, total, bad }
    }

    fn inside(&self, scope: &Scope) -> (f64, f64) {
        let lines = self.lines.iter().filter(|(values, _)| scope.holds(values));
        sum(lines.map(|(_, sums)| sums))
    }

    /// The places where cases are significantly more frequent than outside, at most `most`.
    pub(super) fn places(&self, detector: &Detector, least: usize, most: usize) -> Vec<Place> {
        let dims = detector.dims.localised();
        let mut table = Table::new(dims.len());
        let mut line = vec![0; dims.len()];
        for (values, (total, bad)) in &self.lines {
            for (place, dim) in line.iter_mut().zip(dims) {
                *place = values[*dim].0;
            }
            table.push(&line, *total, *bad);
        }
        let place = |dim: &DimIndex| dims.iter().position(|known| known == dim);
        let options = ScanOptions {
            order: PREFERRED.iter().filter_map(place).collect(),
            // What stands out is judged here: the bound of the scan holds for all conjunctions alike.
            significance: 1.0,
            min_bad: least as f64,
            min_ratio: TIMES,
            causes: most,
            alternatives: 0,
            ..ScanOptions::default()
        };
        scan(&table, &options)
            .into_iter()
            .filter(|cause| !cause.finding.conditions.is_empty())
            .filter_map(|cause| {
                let conditions = cause.finding.conditions.iter();
                let mut scope: Vec<_> = conditions
                    .map(|(at, any)| (dims[*at], any.iter().map(|&value| ValueId(value)).collect()))
                    .collect();
                scope.sort_unstable();
                self.judged(self.simplified(Scope(scope)), detector, least)
            })
            .collect()
    }

    /// The scope without the conditions that exclude nothing which is known to be better: chance finds those.
    fn simplified(&self, mut scope: Scope) -> Scope {
        while scope.0.len() > 1 {
            let (total, bad) = self.inside(&scope);
            let rate = bad / total.max(1.0);
            let wider = (0..scope.0.len()).rev().find_map(|at| {
                let mut wider = scope.clone();
                wider.0.remove(at);
                let (all, all_bad) = self.inside(&wider);
                let missing = shortfall(all_bad - bad, (all - total) * rate);
                (missing < PROVEN_NATS).then_some(wider)
            });
            match wider {
                Some(wider) => scope = wider,
                None => break,
            }
        }
        scope
    }

    /// Whether so many of all cases lie in a scope that chance does not explain it.
    fn judged(&self, scope: Scope, detector: &Detector, least: usize) -> Option<Place> {
        let inside = self.inside(&scope);
        let outside = (self.total - inside.0, self.bad - inside.1);
        let share = inside.0 / self.total.max(1.0);
        // Given how many cases there are, how many of them lie inside is nearly binomial.
        let chance = binomial(inside.1, self.bad, share);
        let choices = |(dim, any): &(DimIndex, Vec<ValueId>)| {
            any.len() as f64 * f64::from(detector.values.count(*dim).max(2)).ln()
        };
        let price = scope.0.iter().map(choices).sum::<f64>()
            + scope.0.len() as f64 * (detector.dims.localised().len().max(1) as f64).ln();
        let frequent = inside.1 * outside.0 >= TIMES * outside.1 * inside.0;
        let stands_out = frequent && inside.1 >= least as f64 && chance >= NATS + price;
        stands_out.then_some(Place {
            scope,
            inside,
            outside,
        })
    }

    /// How frequent cases are in a scope and outside.
    pub(super) fn place(&self, scope: Scope) -> Place {
        let inside = self.inside(&scope);
        let outside = (self.total - inside.0, self.bad - inside.1);
        Place {
            scope,
            inside,
            outside,
        }
    }

    /// How many payments there are.
    pub(super) fn total(&self) -> f64 {
        self.total
    }
}

fn sum<'a>(sums: impl Iterator<Item = &'a (f64, f64)>) -> (f64, f64) {
    sums.fold((0.0, 0.0), |all, (total, bad)| (all.0 + total, all.1 + bad))
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

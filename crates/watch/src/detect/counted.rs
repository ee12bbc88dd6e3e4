//! Payments and bad ones by their values: where bad ones concentrate, in the fewest words.

use std::collections::BTreeMap;

use super::localise::PREFERRED;
use super::rates::{excess, shortfall};
use super::scope::Scope;
use super::values::ValueId;
use crate::pulse::{DimIndex, Dims, TERMINAL};
use crate::scan::{Finding, ScanOptions, Table, scan};

/// Evidence in natural units that what a condition excludes is better than what it includes.
const PROVEN_NATS: f64 = 4.0;

/// The same where the place is one terminal, which seldom chooses: its few payments are of channels that differ.
const PROVEN_OF_TERMINAL_NATS: f64 = 12.0;

/// A value of what a condition excludes is as bad as the fault makes it from so many times the usual share on, with so
/// much evidence in natural units.
const SPREAD: (f64, f64) = (3.0, 2.0);

/// The fault goes beyond a condition where this share of what it excludes is of such values.
const SPREAD_SHARE: f64 = 0.7;

/// All and bad ones.
pub(crate) type Sums = (f64, f64);

/// The values of payments, how many have them, and how many of those are bad.
pub(crate) struct Counted<'a> {
    lines: Vec<(&'a [ValueId], Sums)>,
    total: Sums,
}

impl<'a> Counted<'a> {
    pub(crate) fn new(lines: Vec<(&'a [ValueId], Sums)>) -> Self {
        let total = sum(lines.iter().map(|(_, sums)| sums));
        Self { lines, total }
    }

    /// All payments.
    pub(crate) fn total(&self) -> Sums {
        self.total
    }

    /// Those in a scope.
    pub(crate) fn inside(&self, scope: &Scope) -> Sums {
        let lines = self.lines.iter().filter(|(values, _)| scope.holds(values));
        sum(lines.map(|(_, sums)| sums))
    }

    /// The causes that a scan finds by `options`, each in the simplest scope that says the same.
    pub(crate) fn causes(&self, dims: &Dims, options: ScanOptions) -> Vec<(Scope, Finding)> {
        let localised = dims.localised();
        let mut table = Table::new(localised.len());
        let mut line = vec![0; localised.len()];
        for (values, (total, bad)) in &self.lines {
            for (place, dim) in line.iter_mut().zip(localised) {
                *place = values[*dim].0;
            }
            table.push(&line, *total, *bad);
        }
        let place = |dim: &DimIndex| localised.iter().position(|known| known == dim);
        let options = ScanOptions {
            order: PREFERRED.iter().filter_map(place).collect(),
            alternatives: 0,
            ..options
        };
        let causes = scan(&table, &options).into_iter();
        let scoped = causes.map(|cause| {
            let conditions = cause.finding.conditions.iter();
            let mut scope: Vec<_> = conditions
                .map(|(at, any)| {
                    let any = any.iter().map(|&value| ValueId(value)).collect();
                    (localised[*at], any)
                })
                .collect();
            scope.sort_unstable();
            (self.simplified(Scope(scope), localised), cause.finding)
        });
        scoped.collect()
    }

    /// The scope without the conditions that exclude nothing which is known to be better, chance finds those; and one
    /// value in place of several that it holds.
    fn simplified(&self, mut scope: Scope, localised: &[DimIndex]) -> Scope {
        while scope.0.len() > 1 {
            let inside = self.inside(&scope);
            // The last condition first: the first ones are preferred.
            let wider = (0..scope.0.len()).rev().find_map(|at| {
                let mut wider = scope.clone();
                let (dim, _) = wider.0.remove(at);
                let needless = self.is_alike(inside, &wider) || self.spreads(&scope, &wider, dim);
                needless.then_some(wider)
            });
            match wider {
                Some(wider) => scope = wider,
                None => break,
            }
        }
        self.in_one_value(&scope, localised).unwrap_or(scope)
    }

    /// Whether what a wider scope holds beside those `inside` is as bad, as far as is known.
    fn is_alike(&self, inside: Sums, wider: &Scope) -> bool {
        let rate = inside.1 / inside.0.max(1.0);
        let all = self.inside(wider);
        let proven = if wider.has(TERMINAL) {
            PROVEN_OF_TERMINAL_NATS
        } else {
            PROVEN_NATS
        };
        shortfall(all.1 - inside.1, (all.0 - inside.0) * rate) < proven
    }

    /// Whether most of what `wider` holds beside `scope`, seen by the values of `dim`, is far worse than what lies
    /// outside: a fault that slows all of a gateway touches those channels less that are slow anyway.
    fn spreads(&self, scope: &Scope, wider: &Scope, dim: DimIndex) -> bool {
        let inside = self.inside(wider);
        let (total, bad) = (self.total.0 - inside.0, self.total.1 - inside.1);
        let usual = (bad + 0.5) / (total + 1.0);
        let mut beside: BTreeMap<ValueId, Sums> = BTreeMap::new();
        let lines = self.lines.iter();
        for (values, sums) in lines.filter(|(values, _)| wider.holds(values)) {
            if !scope.holds(values) {
                let known = beside.entry(values[dim]).or_default();
                *known = (known.0 + sums.0, known.1 + sums.1);
            }
        }
        let (times, nats) = SPREAD;
        let is_worse = |(total, bad): &Sums| {
            *bad >= times * usual * total && excess(*bad, 2.0 * usual * total) >= nats
        };
        let worse = beside.values().filter(|sums| is_worse(sums));
        let worse: f64 = worse.map(|sums| sums.0).sum();
        let all: f64 = beside.values().map(|sums| sums.0).sum();
        all > 0.0 && worse >= SPREAD_SHARE * all
    }

    /// The place that two places share, where all of it suffers as they do.
    pub(crate) fn joined(&self, one: &Scope, other: &Scope, dims: &Dims) -> Option<Scope> {
        let ([(dim, some)], [(same, more)]) = (&one.0[..], &other.0[..]) else {
            return None;
        };
        let mut any = some.clone();
        any.extend(more);
        any.sort_unstable();
        any.dedup();
        let both = Scope(vec![(*dim, any)]);
        if dim == same {
            self.in_one_value(&both, dims.localised())
        } else {
            None
        }
    }

    /// Several values of a dimension may be all that one value of another has: connectors of a gateway.
    fn in_one_value(&self, scope: &Scope, localised: &[DimIndex]) -> Option<Scope> {
        let at = scope.0.iter().position(|(_, any)| any.len() > 1)?;
        let several = scope.0[at].0;
        let inside = self.inside(scope);
        let free = PREFERRED.iter().chain(localised).copied();
        let free = free.filter(|dim| localised.contains(dim) && !scope.has(*dim));
        for dim in free {
            let Some(value) = self.common(scope, dim) else {
                continue;
            };
            let mut wider = scope.clone();
            wider.0[at] = (dim, vec![value]);
            wider.0.sort_unstable();
            if self.is_alike(inside, &wider) || self.spreads(scope, &wider, several) {
                return Some(wider);
            }
        }
        None
    }

    /// The value of a dimension that everything in a scope has.
    fn common(&self, scope: &Scope, dim: DimIndex) -> Option<ValueId> {
        let inside = self.lines.iter().filter(|(values, _)| scope.holds(values));
        let mut values = inside.map(|(values, _)| values[dim]);
        let first = values.next().filter(|value| *value != ValueId::NONE)?;
        values.all(|value| value == first).then_some(first)
    }
}

fn sum<'a>(sums: impl Iterator<Item = &'a Sums>) -> Sums {
    sums.fold((0.0, 0.0), |all, (total, bad)| (all.0 + total, all.1 + bad))
}

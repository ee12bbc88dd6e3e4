//! Payments and bad ones by their values: where bad ones concentrate, in the fewest words.

use std::collections::BTreeMap;

use super::LONG_SHARE;
use super::localise::PREFERRED;
use super::rates::{excess, shortfall};
use super::scope::Scope;
use super::values::{ValueId, common};
use crate::keep::keep;
use crate::pulse::{DimIndex, Dims, TERMINAL};
use crate::scan::{Finding, ScanOptions, Table, scan};

/// Evidence in natural units that what a condition excludes is better than what it includes.
const PROVEN_NATS: f64 = 4.0;

/// The same where the place is one terminal, which seldom chooses: its few payments are of channels that differ.
const PROVEN_OF_TERMINAL_NATS: f64 = 12.0;

/// What a condition excludes suffers as well where so many times the usual share of it takes long, with so much
/// evidence in natural units.
const SPREAD: (f64, f64) = (2.0, 4.0);

/// The fault goes beyond a condition where this share of what it excludes is of such values.
const SPREAD_SHARE: f64 = 0.7;

/// Payments of a part of all.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Part {
    /// All.
    pub(crate) total: f64,
    /// Bad ones: slow, lost, or cases.
    pub(crate) bad: f64,
    /// Those that take longer than many of their channel: they show what slows all, bad or not.
    pub(crate) long: f64,
}

impl Part {
    pub(crate) fn rate(self) -> f64 {
        self.bad / self.total.max(1.0)
    }
}

keep!(Part { total, bad, long });

impl std::ops::AddAssign for Part {
    fn add_assign(&mut self, other: Self) {
        self.total += other.total;
        self.bad += other.bad;
        self.long += other.long;
    }
}

impl std::ops::Sub for Part {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            total: self.total - other.total,
            bad: self.bad - other.bad,
            long: self.long - other.long,
        }
    }
}

/// The values of payments, how many have them, and how many of those are bad.
pub(crate) struct Counted<'a> {
    lines: Vec<(&'a [ValueId], Part)>,
    total: Part,
}

impl<'a> Counted<'a> {
    pub(crate) fn new(lines: Vec<(&'a [ValueId], Part)>) -> Self {
        let total = sum(lines.iter().map(|(_, sums)| sums));
        Self { lines, total }
    }

    /// All payments.
    pub(crate) fn total(&self) -> Part {
        self.total
    }

    /// Those in a scope.
    pub(crate) fn inside(&self, scope: &Scope) -> Part {
        let lines = self.lines.iter().filter(|(values, _)| scope.holds(values));
        sum(lines.map(|(_, sums)| sums))
    }

    /// The causes that a scan finds by `options`, each in the simplest scope that says the same.
    pub(crate) fn causes(&self, dims: &Dims, options: ScanOptions) -> Vec<(Scope, Finding)> {
        let localised = dims.localised();
        let mut table = Table::new(localised.len());
        let mut line = vec![0; localised.len()];
        for (values, part) in &self.lines {
            for (place, dim) in line.iter_mut().zip(localised) {
                *place = values[*dim].0;
            }
            table.push(&line, part.total, part.bad);
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
            let scope = self.simplified(Scope(scope), localised);
            if self.is_everywhere(&scope) {
                return (Scope::default(), cause.finding);
            }
            (scope, cause.finding)
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
        let scope = self.in_one_value(&scope, localised).unwrap_or(scope);
        self.widened(&scope, localised).unwrap_or(scope)
    }

    /// Whether a scope is no place: it excludes nothing that says where it is, or most of what it excludes takes long as
    /// well. What slows all makes those channels bad first, and most, that are slow anyway.
    fn is_everywhere(&self, scope: &Scope) -> bool {
        let [(dim, _)] = &scope.0[..] else {
            return false;
        };
        let beside = self.beside(scope, &Scope::default(), *dim);
        if beside.keys().all(|value| *value == ValueId::NONE) {
            return !PREFERRED.contains(dim);
        }
        suffers_mostly(beside.values(), LONG_SHARE)
    }

    /// The place of which a scope of one value is a part, where the other parts take long as well.
    fn widened(&self, scope: &Scope, localised: &[DimIndex]) -> Option<Scope> {
        let [(own, _)] = &scope.0[..] else {
            return None;
        };
        let dims = PREFERRED.into_iter().filter(|dim| localised.contains(dim));
        dims.filter(|dim| dim != own).find_map(|dim| {
            let wider = Scope::one(dim, self.common(scope, dim)?);
            self.spreads(scope, &wider, *own).then_some(wider)
        })
    }

    /// Whether what a wider scope holds beside those `inside` is as bad, as far as is known.
    fn is_alike(&self, inside: Part, wider: &Scope) -> bool {
        let beside = self.inside(wider) - inside;
        let proven = if wider.has(TERMINAL) {
            PROVEN_OF_TERMINAL_NATS
        } else {
            PROVEN_NATS
        };
        shortfall(beside.bad, beside.total * inside.rate()) < proven
    }

    /// Whether most of what `wider` holds beside `scope`, seen by the values of `dim`, takes long as well: a fault that
    /// slows all of a gateway makes those channels bad first that are fast.
    fn spreads(&self, scope: &Scope, wider: &Scope, dim: DimIndex) -> bool {
        let outside = self.total - self.inside(wider);
        let usual = (outside.long + 0.5) / (outside.total + 1.0);
        suffers_mostly(self.beside(scope, wider, dim).values(), usual)
    }

    /// What `wider` holds beside `scope`, by the values of a dimension.
    fn beside(&self, scope: &Scope, wider: &Scope, dim: DimIndex) -> BTreeMap<ValueId, Part> {
        let mut beside: BTreeMap<ValueId, Part> = BTreeMap::new();
        for (values, part) in self.lines.iter().filter(|(values, _)| wider.holds(values)) {
            if !scope.holds(values) {
                *beside.entry(values[dim]).or_default() += *part;
            }
        }
        beside
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
        common(inside.map(|(values, _)| values[dim]))
    }
}

/// Whether most payments are of parts that take long by far more often than is `usual`.
fn suffers_mostly<'a>(parts: impl Iterator<Item = &'a Part>, usual: f64) -> bool {
    let (times, nats) = SPREAD;
    let (mut suffering, mut all) = (0.0, 0.0);
    for part in parts {
        let mean = usual * part.total;
        all += part.total;
        if part.long >= times * mean && excess(part.long, mean) >= nats {
            suffering += part.total;
        }
    }
    all > 0.0 && suffering >= SPREAD_SHARE * all
}

fn sum<'a>(parts: impl Iterator<Item = &'a Part>) -> Part {
    parts.fold(Part::default(), |mut all, part| {
        all += *part;
        all
    })
}

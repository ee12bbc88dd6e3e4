//! Which explanation comes first: a condition must pay for itself.

use super::grid::{Grid, Slot};
use super::score::{Counts, Whole, log_price};
use super::search::{Candidate, Search};
use super::subset::Subset;

use super::{Finding, ScanOptions};

/// Share of its evidence that each further condition must add: models are never quite true, and with many outcomes
/// the smallest difference of rates is evidence.
const FURTHER: f64 = 0.03;

/// Single values that may be parts of a cause of several: so many are tried.
const PARTS: usize = 8;

/// Candidates in order, and what they are judged against.
pub(super) struct Ranked {
    pub(super) candidates: Vec<Candidate>,
    /// Single values that do not stand out by themselves: where most values of a dimension suffer, each has the others
    /// outside.
    pub(super) parts: Vec<Candidate>,
    pub(super) whole: Whole,
    /// What a condition costs: the logarithm of how many values it was chosen from.
    pub(super) price: f64,
    slots: Vec<Slot>,
    /// By dimension, how many values it has.
    cardinalities: Vec<usize>,
    rows: usize,
    most_conditions: usize,
}

impl Ranked {
    pub(super) fn new(grid: &Grid, options: &ScanOptions) -> Self {
        let whole = Whole::new(grid.sum(), grid.design * options.design.max(1.0));
        let cardinalities = &grid.cardinalities;
        let price = (cardinalities.iter().sum::<usize>().max(1) as f64).ln();
        let mut ranked = Self {
            candidates: Vec::new(),
            parts: Vec::new(),
            whole,
            price,
            slots: grid.slots.clone(),
            cardinalities: cardinalities.clone(),
            rows: grid.counts.len(),
            most_conditions: options.max_conditions.clamp(1, super::search::DEPTH),
        };
        let mut search = Search::new(grid, whole, options);
        let found = search.run().into_iter();
        let (mut candidates, mut parts): (Vec<_>, Vec<_>) =
            found.partition(|candidate| ranked.stands_out(candidate.counts, options));
        ranked.sort(&mut candidates, options);
        parts.retain(|part| options.values > 1 && part.slots().len() == 1);
        ranked.sort(&mut parts, options);
        parts.truncate(PARTS);
        ranked.parts = parts;
        ranked.candidates = distinct(&search, candidates, 1 + options.alternatives);
        ranked
    }

    /// Whether its rate is that many times the rate outside.
    pub(super) fn stands_out(&self, inside: Counts, options: &ScanOptions) -> bool {
        inside.rate() >= options.min_ratio * self.whole.outside(inside).rate()
    }

    /// Strength less what the conditions and their values cost.
    pub(super) fn score(&self, inside: Counts, conditions: usize, values: usize) -> f64 {
        let further = conditions.saturating_sub(1) as f64;
        self.whole.strength(inside) * (1.0 - FURTHER * further) - self.price * values as f64
    }

    fn sort(&self, candidates: &mut [Candidate], options: &ScanOptions) {
        let place = |slot: u32| {
            let dim = self.slots[slot as usize].dim;
            let named = options.order.iter().position(|&named| named == dim);
            named.unwrap_or(options.order.len() + dim)
        };
        let places = |candidate: &Candidate| {
            let mut places: Vec<usize> = candidate.slots().iter().copied().map(place).collect();
            places.sort_unstable();
            places
        };
        candidates.sort_by(|a, b| {
            let score = |c: &Candidate| self.score(c.counts, c.slots().len(), c.slots().len());
            score(b)
                .total_cmp(&score(a))
                .then_with(|| places(a).cmp(&places(b)))
                .then_with(|| a.slots().cmp(b.slots()))
        });
    }

    fn log_price(&self, subset: &Subset) -> f64 {
        let chosen = subset.conditions.iter();
        let chosen: Vec<(usize, usize)> = chosen
            .map(|(dim, slots)| (self.cardinalities[*dim], slots.len()))
            .collect();
        let dims = self.cardinalities.len();
        log_price(&chosen, dims, self.rows, self.most_conditions)
    }

    /// A subset and what is inside as a finding; `all_bad` is that of the table.
    pub(super) fn finding(&self, subset: &Subset, inside: Counts, all_bad: f64) -> Finding {
        let outside = self.whole.outside(inside);
        let names = |slots: &Vec<u32>| {
            let values = slots.iter().map(|&slot| self.slots[slot as usize].value);
            values.collect()
        };
        Finding {
            conditions: subset
                .conditions
                .iter()
                .map(|(dim, slots)| (*dim, names(slots)))
                .collect(),
            total: inside.total,
            bad: inside.bad,
            outside_total: outside.total,
            outside_bad: outside.bad,
            llr: self.whole.llr(inside),
            p_value: (self.log_price(subset) + self.whole.log_chance(inside))
                .min(0.0)
                .exp(),
            coverage: super::ratio(inside.bad, all_bad),
        }
    }
}

/// The first `most`, without what covers the same rows as one before it in more words.
fn distinct(search: &Search, candidates: Vec<Candidate>, most: usize) -> Vec<Candidate> {
    let mut kept: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        let shorter = |before: &Candidate| before.slots().len() < candidate.slots().len();
        let mut before = kept.iter().filter(|before| shorter(before));
        if !before.any(|before| search.have_same_rows(before, &candidate)) {
            kept.push(candidate);
        }
        if kept.len() == most {
            break;
        }
    }
    kept
}

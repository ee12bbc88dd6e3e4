//! Several values of one dimension that share a fault.

use super::ScanOptions;
use super::rank::Ranked;
use super::score::Counts;
use super::search::Candidate;
use super::subset::Subset;
use super::table::Grid;

/// A further value's rate, as a share of the first's, from which on it may be the same fault.
const ALIKE: f64 = 0.5;
/// Share of the evidence that further values must add.
const MATERIAL: f64 = 0.05;

/// The candidate, with further values for one of its conditions where they pay for themselves. Among the subsets of a
/// dimension's values the strongest is made of those with the highest rates (Neill 2012), so only as many sets as
/// values need be tried.
pub(super) fn widened(
    grid: &Grid,
    candidate: &Candidate,
    ranked: &Ranked,
    options: &ScanOptions,
) -> Subset {
    let plain = Subset::of(grid, candidate);
    let mut best = plain.clone();
    let mut score = ranked.score(
        candidate.llr,
        plain.conditions.len(),
        plain.conditions.len(),
    ) + MATERIAL * candidate.llr;
    if options.values < 2 {
        return best;
    }
    for at in 0..plain.conditions.len() {
        let (slots, wider) = widest(grid, &plain, at, ranked, options);
        if slots.len() > 1 && wider > score {
            score = wider;
            best = plain.clone();
            best.conditions[at].1 = slots;
        }
    }
    best
}

/// The best set of values for one condition, and its score.
fn widest(
    grid: &Grid,
    plain: &Subset,
    at: usize,
    ranked: &Ranked,
    options: &ScanOptions,
) -> (Vec<u32>, f64) {
    let (dim, own) = (plain.conditions[at].0, plain.conditions[at].1[0]);
    let mut sums = by_value(grid, plain, at);
    let Some(first) = sums.iter().find(|(slot, _)| *slot == own).copied() else {
        return (vec![own], f64::NEG_INFINITY);
    };
    sums.retain(|(slot, sum)| *slot != own && sum.rate() >= ALIKE * first.1.rate());
    sums.sort_by(|a, b| b.1.rate().total_cmp(&a.1.rate()).then(a.0.cmp(&b.0)));
    let mut inside = first.1;
    let mut best = (vec![own], f64::NEG_INFINITY);
    let mut slots = vec![own];
    debug_assert_eq!(grid.slots[own as usize].dim, dim);
    for (slot, sum) in sums.into_iter().take(options.values - 1) {
        inside += sum;
        slots.push(slot);
        let values = plain.conditions.len() - 1 + slots.len();
        let llr = ranked.whole.llr(inside);
        let score = ranked.score(llr, plain.conditions.len(), values);
        if score > best.1 {
            best = (slots.clone(), score);
        }
    }
    best.0.sort_unstable();
    best
}

/// Counts of each value of a condition's dimension, where the other conditions hold.
fn by_value(grid: &Grid, plain: &Subset, at: usize) -> Vec<(u32, Counts)> {
    let mut others = plain.clone();
    let (dim, _) = others.conditions.remove(at);
    let mut sums = vec![Counts::default(); grid.slots.len()];
    for row in grid.rows().filter(|&row| others.holds(grid, row)) {
        sums[grid.row(row)[dim] as usize] += grid.counts[row as usize];
    }
    let values = sums.into_iter().enumerate().skip(1);
    values
        .filter(|(_, sum)| sum.bad > 0.0)
        .map(|(slot, sum)| (slot as u32, sum))
        .collect()
}

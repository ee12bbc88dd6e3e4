//! Several values of one dimension that share a fault.

use super::ScanOptions;
use super::grid::Grid;
use super::rank::Ranked;
use super::score::Counts;
use super::search::Candidate;
use super::subset::Subset;

/// A further value's rate, as a share of the first's, from which on it may be the same fault.
const ALIKE: f64 = 0.5;
/// Share of the evidence that further values must add.
const MATERIAL: f64 = 0.05;

/// The strongest set of several values of which none stands out by itself.
pub(super) fn of_parts(
    grid: &Grid,
    ranked: &Ranked,
    options: &ScanOptions,
) -> Option<(Subset, Counts)> {
    let sets = ranked.parts.iter();
    let sets = sets.map(|part| widened(grid, part, ranked, options));
    let standing = sets.filter(|(_, inside)| ranked.stands_out(*inside, options));
    let score = |(subset, inside): &(Subset, Counts)| {
        let values = subset.conditions.iter().map(|(_, slots)| slots.len());
        ranked.score(*inside, subset.conditions.len(), values.sum())
    };
    standing.max_by(|a, b| score(a).total_cmp(&score(b)))
}

/// The candidate and what is inside, with further values for one of its conditions where they pay for themselves. Among the subsets of a
/// dimension's values the strongest is made of those with the highest rates (Neill 2012), so only as many sets as
/// values need be tried.
pub(super) fn widened(
    grid: &Grid,
    candidate: &Candidate,
    ranked: &Ranked,
    options: &ScanOptions,
) -> (Subset, Counts) {
    let plain = Subset::of(grid, candidate);
    let mut best = (plain.clone(), candidate.counts);
    let conditions = plain.conditions.len();
    let mut score = ranked.score(candidate.counts, conditions, conditions)
        + MATERIAL * ranked.whole.strength(candidate.counts);
    if options.values < 2 {
        return best;
    }
    for at in 0..plain.conditions.len() {
        if let Some((slots, inside, wider)) = widest(grid, &plain, at, ranked, options)
            && wider > score
        {
            score = wider;
            best = (plain.clone(), inside);
            best.0.conditions[at].1 = slots;
        }
    }
    best
}

/// The best set of several values for one condition, what is inside, and its score.
fn widest(
    grid: &Grid,
    plain: &Subset,
    at: usize,
    ranked: &Ranked,
    options: &ScanOptions,
) -> Option<(Vec<u32>, Counts, f64)> {
    let own = *plain.conditions[at].1.first()?;
    let mut sums = by_value(grid, plain, at);
    let (_, mut inside) = *sums.iter().find(|(slot, _)| *slot == own)?;
    let least = ALIKE * inside.rate();
    sums.retain(|(slot, sum)| *slot != own && sum.rate() >= least);
    sums.sort_by(|a, b| b.1.rate().total_cmp(&a.1.rate()).then(a.0.cmp(&b.0)));
    let mut best: Option<(Vec<u32>, Counts, f64)> = None;
    let mut slots = vec![own];
    let conditions = plain.conditions.len();
    for (slot, sum) in sums.into_iter().take(options.values - 1) {
        inside += sum;
        slots.push(slot);
        let score = ranked.score(inside, conditions, conditions - 1 + slots.len());
        if best.as_ref().is_none_or(|(.., other)| score > *other) {
            best = Some((slots.clone(), inside, score));
        }
    }
    best.map(|(mut slots, inside, score)| {
        slots.sort_unstable();
        (slots, inside, score)
    })
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

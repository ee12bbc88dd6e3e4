//! The search: conjunctions grow by one condition at a time, the strongest first.
//!
//! To extend a conjunction its rows are visited once, and every value in them is counted: the cost is rows times
//! dimensions, whatever the number of values. The work allowed is shared by the first two extensions; once it is
//! spent, weaker conjunctions are not extended any more (a beam search).

use super::ScanOptions;
use super::grid::Grid;
use super::score::{Counts, Whole};

/// Most conditions of a conjunction.
pub(super) const DEPTH: usize = 3;
/// Most pairs that wait to be extended.
const FRONTIER: usize = 1 << 16;
/// Rows of a pair that is worth the work, about: with less work allowed, fewer pairs wait.
const WORTHWHILE: u64 = 8;

/// A conjunction with its counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Candidate {
    slots: [u32; DEPTH],
    len: usize,
    pub(super) counts: Counts,
    pub(super) llr: f64,
}

impl Candidate {
    /// The slots of the conditions, in order of dimensions.
    pub(super) fn slots(&self) -> &[u32] {
        &self.slots[..self.len]
    }

    fn with(&self, slot: u32, counts: Counts, llr: f64) -> Self {
        let mut slots = self.slots;
        slots[self.len] = slot;
        slots[..=self.len].sort_unstable();
        Self {
            slots,
            len: self.len + 1,
            counts,
            llr,
        }
    }

    /// The strongest first; what is equally strong in an order that does not depend on how it was found.
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        let by_evidence = other.llr.total_cmp(&self.llr);
        by_evidence.then_with(|| self.slots.cmp(&other.slots))
    }
}

/// The strongest candidates, a limited number.
#[derive(Debug)]
struct Best {
    most: usize,
    found: Vec<Candidate>,
    /// Weaker ones do not get in any more.
    threshold: f64,
}

impl Best {
    fn new(most: usize) -> Self {
        Self {
            most,
            found: Vec::new(),
            threshold: 0.0,
        }
    }

    fn push(&mut self, candidate: Candidate) {
        if candidate.llr < self.threshold {
            return;
        }
        self.found.push(candidate);
        if self.found.len() >= 2 * self.most {
            self.shrink();
        }
    }

    fn shrink(&mut self) {
        self.found.sort_unstable_by(Candidate::order);
        self.found.dedup_by_key(|candidate| candidate.slots);
        if self.found.len() >= self.most {
            self.found.truncate(self.most);
            self.threshold = self.found.last().map_or(0.0, |last| last.llr);
        }
    }

    fn sorted(mut self) -> Vec<Candidate> {
        self.shrink();
        self.found
    }
}

/// The search over one grid.
pub(super) struct Search<'a> {
    grid: &'a Grid,
    whole: Whole,
    options: &'a ScanOptions,
    /// Counts of each slot in the conjunction that is being extended.
    sums: Vec<Counts>,
    touched: Vec<u32>,
    work: u64,
    best: [Best; DEPTH],
}

impl<'a> Search<'a> {
    /// Nothing searched yet.
    pub(super) fn new(grid: &'a Grid, whole: Whole, options: &'a ScanOptions) -> Self {
        Self {
            grid,
            whole,
            options,
            sums: vec![Counts::default(); grid.slots.len()],
            touched: Vec::new(),
            work: 0,
            best: [32 + 8 * options.alternatives; DEPTH].map(Best::new),
        }
    }

    /// The strongest conjunctions of each number of conditions, one after the other.
    pub(super) fn run(&mut self) -> Vec<Candidate> {
        let conditions = self.options.max_conditions.clamp(1, DEPTH);
        let singles = self.singles();
        if conditions > 1 {
            self.work = self.options.work / 2;
            let pairs = self.extend_all(singles);
            if conditions > 2 {
                self.work += self.options.work / 2;
                self.extend_all(pairs);
            }
        }
        let best = std::mem::replace(&mut self.best, [0; DEPTH].map(Best::new));
        best.into_iter().flat_map(Best::sorted).collect()
    }

    /// Whether two conjunctions that were found have the same rows.
    pub(super) fn have_same_rows(&self, a: &Candidate, b: &Candidate) -> bool {
        // The counts of rows are positive, so of two that are as many none can be a part of the other.
        let meets = |row: u32| a.slots().iter().all(|&slot| self.grid.has(row, slot));
        a.counts == b.counts && self.rows(b).into_iter().all(meets)
    }

    /// The values that can be conditions.
    fn singles(&mut self) -> Vec<Candidate> {
        let root = Candidate {
            slots: [0; DEPTH],
            len: 0,
            counts: self.whole.counts,
            llr: 0.0,
        };
        let sums = self.grid.sums.iter().enumerate().skip(1);
        let sums = sums.filter(|(_, sum)| self.options.suffices(**sum));
        let mut singles: Vec<Candidate> = sums
            .map(|(slot, &sum)| root.with(slot as u32, sum, self.whole.llr(sum)))
            .collect();
        singles.sort_unstable_by(Candidate::order);
        let with_evidence = singles.iter().filter(|single| single.llr > 0.0);
        with_evidence.for_each(|&single| self.best[0].push(single));
        singles
    }

    /// The condition of a conjunction that the fewest rows meet.
    fn rarest(&self, candidate: &Candidate) -> u32 {
        let slots = candidate.slots().iter().copied();
        slots
            .min_by_key(|&slot| self.grid.rows_of(slot).len())
            .unwrap_or(0)
    }

    /// The rows of a conjunction: those of its rarest value that have the others.
    fn rows(&self, candidate: &Candidate) -> Vec<u32> {
        let rarest = self.rarest(candidate);
        let mut others = candidate.slots().iter().filter(|&&slot| slot != rarest);
        let rows = self.grid.rows_of(rarest).iter().copied();
        let (one, other) = (others.next(), others.next());
        let has = |row: u32, slot: Option<&u32>| slot.is_none_or(|&slot| self.grid.has(row, slot));
        rows.filter(|&row| has(row, one) && has(row, other))
            .collect()
    }

    /// Extends the conjunctions by one condition, the strongest first, until the work is spent.
    fn extend_all(&mut self, parents: Vec<Candidate>) -> Vec<Candidate> {
        let dims = self.grid.dims as u64;
        let most = self.work / (dims * WORTHWHILE).max(1);
        let mut children = Best::new((most as usize).clamp(64, FRONTIER));
        for parent in parents {
            let limit = self.best[parent.len].threshold;
            if self.whole.bound(parent.counts.bad) < limit {
                continue;
            }
            // One that costs too much is left out; a weaker one may cost less.
            let looked_at = self.grid.rows_of(self.rarest(&parent)).len() as u64;
            if looked_at > self.work {
                continue;
            }
            self.work -= looked_at;
            let rows = self.rows(&parent);
            let cost = rows.len() as u64 * dims;
            if cost <= self.work {
                self.work -= cost;
                self.extend(&parent, &rows, &mut children);
            }
        }
        children.sorted()
    }

    fn extend(&mut self, parent: &Candidate, rows: &[u32], children: &mut Best) {
        self.count(rows);
        let own_dims = |slot: u32| {
            let dim = self.grid.slots[slot as usize].dim;
            let mut own = parent.slots().iter();
            own.any(|&slot| self.grid.slots[slot as usize].dim == dim)
        };
        for &slot in &self.touched {
            let counts = self.sums[slot as usize];
            // What all of the rows have says nothing, and no row has two values of a dimension.
            if !self.options.suffices(counts) || counts == parent.counts || own_dims(slot) {
                continue;
            }
            let child = parent.with(slot, counts, self.whole.llr(counts));
            if child.llr > 0.0 {
                self.best[parent.len].push(child);
            }
            children.push(child);
        }
        self.forget(rows);
    }

    /// Counts the live values of the rows; those with bad outcomes are `touched`.
    fn count(&mut self, rows: &[u32]) {
        let dims = self.grid.dims;
        let bad = rows.partition_point(|&row| (row as usize) < self.grid.bad_rows);
        self.touched.clear();
        for &row in &rows[..bad] {
            let counts = self.grid.counts[row as usize];
            for &slot in &self.grid.cells[row as usize * dims..][..dims] {
                let sum = &mut self.sums[slot as usize];
                if sum.bad <= 0.0 && slot != 0 {
                    self.touched.push(slot);
                }
                *sum += counts;
            }
        }
        for &row in &rows[bad..] {
            let total = self.grid.counts[row as usize].total;
            for &slot in &self.grid.cells[row as usize * dims..][..dims] {
                self.sums[slot as usize].total += total;
            }
        }
    }

    fn forget(&mut self, rows: &[u32]) {
        let dims = self.grid.dims;
        if rows.len() * dims > self.sums.len() {
            self.sums.fill(Counts::default());
            return;
        }
        for &row in rows {
            for &slot in &self.grid.cells[row as usize * dims..][..dims] {
                self.sums[slot as usize] = Counts::default();
            }
        }
    }
}

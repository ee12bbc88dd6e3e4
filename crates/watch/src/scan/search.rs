//! The search: conjunctions grow by one condition at a time, the strongest first.
//!
//! To extend a conjunction its rows are visited once, and every value in them is counted: the cost is rows times
//! dimensions, whatever the number of values. The work allowed is shared by the first two extensions; once it is
//! spent, weaker conjunctions are not extended any more (a beam search). Values with too few bad outcomes can be part
//! of no candidate and are left out before.

use super::ScanOptions;
use super::score::{Counts, Whole};
use super::table::Grid;

/// Most conditions of a conjunction.
pub(super) const DEPTH: usize = 3;
/// The strongest conjunctions kept of each number of conditions.
const KEPT: usize = 128;
/// Most pairs that wait to be extended.
const FRONTIER: usize = 1 << 16;

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
struct Search<'a> {
    grid: &'a Grid,
    whole: Whole,
    options: &'a ScanOptions,
    /// Slots whose bad outcomes suffice; others are counted as unknown.
    cells: Vec<u32>,
    /// The rows of each live slot: where its rows begin, and all rows one slot after the other.
    starts: Vec<u32>,
    postings: Vec<u32>,
    /// Counts of each slot in the conjunction that is being extended.
    sums: Vec<Counts>,
    touched: Vec<u32>,
    work: u64,
    best: [Best; DEPTH],
}

/// The strongest conjunctions of each number of conditions, one after the other.
pub(super) fn search(grid: &Grid, whole: Whole, options: &ScanOptions) -> Vec<Candidate> {
    let mut search = Search::new(grid, whole, options);
    let conditions = options.max_conditions.clamp(1, DEPTH);
    let singles = search.singles();
    if conditions > 1 {
        search.work = options.work / 2;
        let pairs = search.extend_all(singles);
        if conditions > 2 {
            search.work += options.work / 2;
            search.extend_all(pairs);
        }
    }
    search.best.into_iter().flat_map(Best::sorted).collect()
}

impl<'a> Search<'a> {
    fn new(grid: &'a Grid, whole: Whole, options: &'a ScanOptions) -> Self {
        Self {
            grid,
            whole,
            options,
            cells: Vec::new(),
            starts: Vec::new(),
            postings: Vec::new(),
            sums: vec![Counts::default(); grid.slots.len()],
            touched: Vec::new(),
            work: 0,
            best: [KEPT; DEPTH].map(Best::new),
        }
    }

    /// Counts every value, keeps those that can be conditions, and lists their rows.
    fn singles(&mut self) -> Vec<Candidate> {
        let mut rows = vec![0_u32; self.grid.slots.len() + 1];
        for row in self.grid.rows() {
            let counts = self.grid.counts[row as usize];
            for &slot in self.grid.row(row) {
                self.sums[slot as usize] += counts;
                rows[slot as usize] += 1;
            }
        }
        let live: Vec<bool> = self
            .sums
            .iter()
            .enumerate()
            .map(|(slot, sum)| slot > 0 && self.suffices(*sum))
            .collect();
        self.list_rows(&live, &rows);
        let root = Candidate {
            slots: [0; DEPTH],
            len: 0,
            counts: self.whole.counts,
            llr: 0.0,
        };
        let mut singles: Vec<Candidate> = (1..live.len())
            .filter(|&slot| live[slot])
            .map(|slot| {
                let counts = self.sums[slot];
                root.with(slot as u32, counts, self.whole.llr(counts))
            })
            .collect();
        self.sums.fill(Counts::default());
        singles.sort_unstable_by(Candidate::order);
        singles
            .iter()
            .filter(|single| single.llr > 0.0)
            .for_each(|&single| self.best[0].push(single));
        singles
    }

    fn suffices(&self, counts: Counts) -> bool {
        counts.bad > 0.0
            && counts.bad >= self.options.min_bad
            && counts.total >= self.options.min_total
    }

    fn list_rows(&mut self, live: &[bool], rows: &[u32]) {
        let mut end = 0;
        self.starts = Vec::with_capacity(live.len() + 1);
        for (slot, &is_live) in live.iter().enumerate() {
            self.starts.push(end);
            end += if is_live { rows[slot] } else { 0 };
        }
        self.starts.push(end);
        self.postings = vec![0; end as usize];
        let mut next = self.starts.clone();
        self.cells = Vec::with_capacity(self.grid.counts.len() * self.grid.dims);
        for row in self.grid.rows() {
            for &slot in self.grid.row(row) {
                if live[slot as usize] {
                    let at = &mut next[slot as usize];
                    self.postings[*at as usize] = row;
                    *at += 1;
                    self.cells.push(slot);
                } else {
                    self.cells.push(0);
                }
            }
        }
    }

    fn rows_of(&self, slot: u32) -> &[u32] {
        let range = self.starts[slot as usize] as usize..self.starts[slot as usize + 1] as usize;
        &self.postings[range]
    }

    /// The rows of a conjunction: those of its rarest value that have the others.
    fn rows(&self, candidate: &Candidate) -> Vec<u32> {
        let slots = candidate.slots();
        let rarest = slots
            .iter()
            .copied()
            .min_by_key(|&slot| self.rows_of(slot).len());
        let Some(rarest) = rarest else {
            return Vec::new();
        };
        let others: Vec<u32> = slots.iter().copied().filter(|&s| s != rarest).collect();
        let meets = |row: &u32| others.iter().all(|&slot| self.grid.has(*row, slot));
        self.rows_of(rarest).iter().copied().filter(meets).collect()
    }

    /// Extends the conjunctions by one condition, the strongest first, until the work is spent.
    fn extend_all(&mut self, parents: Vec<Candidate>) -> Vec<Candidate> {
        let mut children = Best::new(FRONTIER);
        for parent in parents {
            let limit = self.best[parent.len].threshold;
            if self.whole.bound(parent.counts.bad) < limit {
                continue;
            }
            let rows = self.rows(&parent);
            let least = rows.len() as u64;
            let cost = least * self.grid.dims as u64;
            if cost > self.work {
                // A weaker one may be smaller.
                self.work = self.work.saturating_sub(least);
                continue;
            }
            self.work -= cost;
            self.extend(&parent, &rows, &mut children);
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
            if !self.suffices(counts) || own_dims(slot) {
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
            for &slot in &self.cells[row as usize * dims..][..dims] {
                let sum = &mut self.sums[slot as usize];
                if sum.bad <= 0.0 && slot != 0 {
                    self.touched.push(slot);
                }
                *sum += counts;
            }
        }
        for &row in &rows[bad..] {
            let total = self.grid.counts[row as usize].total;
            for &slot in &self.cells[row as usize * dims..][..dims] {
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
            for &slot in &self.cells[row as usize * dims..][..dims] {
                self.sums[slot as usize] = Counts::default();
            }
        }
    }
}

//! Rows of attribute values with counts, and their compact form for the search.

use super::Finding;
use super::score::Counts;
use super::subset::Subset;

/// Counts are multiples of 2⁻¹⁶, so that sums of up to 10¹¹ are exact and do not depend on the order of rows.
const GRAIN: f64 = 65_536.0;

/// Value ids that are this many times as many as the rows are looked up directly; larger ones are sorted.
const DIRECT: usize = 16;

/// Attribute tuples with weighted counts of outcomes.
#[derive(Clone, Debug, Default)]
pub struct Table {
    dims: usize,
    /// Row by row.
    pub(super) values: Vec<u32>,
    pub(super) counts: Vec<Counts>,
    /// Sum over rows of bad times the weight of one seen outcome.
    weighted_bad: f64,
}

impl Table {
    /// An empty table of so many dimensions.
    pub fn new(dims: usize) -> Self {
        Self {
            dims,
            ..Self::default()
        }
    }

    /// Adds a row: a value id for each dimension, 0 where it is not known, and of `total` outcomes how many were
    /// bad. Missing values are unknown; what is negative or no number counts as nothing. The same tuple may come
    /// again.
    pub fn push(&mut self, values: &[u32], total: f64, bad: f64) {
        self.push_sampled(values, total, bad, 1.0);
    }

    /// Adds a row whose counts were scaled up: each outcome that was seen stands for `weight`, at least 1.
    pub fn push_sampled(&mut self, values: &[u32], total: f64, bad: f64, weight: f64) {
        let total = grains(total);
        let bad = grains(bad).min(total);
        if total <= 0.0 {
            return;
        }
        let known = values.iter().take(self.dims).copied();
        let unknown = self.dims.saturating_sub(values.len());
        self.values.extend(known);
        self.values.extend(std::iter::repeat_n(0, unknown));
        self.counts.push(Counts { total, bad });
        self.weighted_bad += grains(bad * weight.max(1.0));
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Dimensions.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// By how much sampling widens the evidence (Kish 1965): the mean weight of a bad outcome. Where bad is rare,
    /// the bad outcomes hold the information, and the good ones may be sampled at no loss.
    fn design(&self) -> f64 {
        let bad: f64 = self.counts.iter().map(|counts| counts.bad).sum();
        if bad > 0.0 {
            (self.weighted_bad / bad).max(1.0)
        } else {
            1.0
        }
    }
}

fn grains(count: f64) -> f64 {
    if count.is_finite() {
        (count.max(0.0) * GRAIN).round() / GRAIN
    } else {
        0.0
    }
}

/// A value of a dimension: what a condition names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) dim: usize,
    pub(super) value: u32,
}

/// The table with each value of each dimension as one small number, and the rows with bad outcomes first.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    pub(super) dims: usize,
    /// Slot 0 is what is not known; the others are ordered by dimension and value.
    pub(super) slots: Vec<Slot>,
    /// Row by row, a slot for each dimension.
    cells: Vec<u32>,
    pub(super) counts: Vec<Counts>,
    /// How many rows, the first ones, have bad outcomes.
    pub(super) bad_rows: usize,
    /// Divides the evidence.
    pub(super) design: f64,
}

impl Grid {
    pub(super) fn new(table: &Table) -> Self {
        let mut rows: Vec<u32> = (0..table.len() as u32).collect();
        let bad = |row: u32| table.counts[row as usize].bad > 0.0;
        rows.sort_by_key(|&row| !bad(row));
        let mut grid = Self {
            dims: table.dims,
            slots: vec![Slot { dim: 0, value: 0 }],
            cells: vec![0; table.values.len()],
            counts: rows.iter().map(|&row| table.counts[row as usize]).collect(),
            bad_rows: rows.partition_point(|&row| bad(row)),
            design: table.design(),
        };
        let dims = if rows.is_empty() { 0 } else { table.dims };
        for dim in 0..dims {
            let column = rows
                .iter()
                .map(|&row| table.values[row as usize * table.dims + dim]);
            grid.add_column(dim, &column.collect::<Vec<_>>());
        }
        grid
    }

    /// Gives every value of a dimension its slot.
    fn add_column(&mut self, dim: usize, column: &[u32]) {
        let most = column.iter().copied().max().unwrap_or(0) as usize;
        let first = self.slots.len();
        if most <= DIRECT * (column.len() + 1024) {
            let mut slot_of = vec![0_u32; most + 1];
            column.iter().for_each(|&value| slot_of[value as usize] = 1);
            slot_of[0] = 0;
            for (value, slot) in slot_of.iter_mut().enumerate().skip(1) {
                if *slot != 0 {
                    *slot = self.slots.len() as u32;
                    let value = value as u32;
                    self.slots.push(Slot { dim, value });
                }
            }
            let cells = self.cells[dim..].iter_mut().step_by(self.dims);
            cells.zip(column).for_each(|(cell, &value)| {
                *cell = slot_of[value as usize];
            });
            return;
        }
        let mut values: Vec<u32> = column.iter().copied().filter(|&value| value != 0).collect();
        values.sort_unstable();
        values.dedup();
        let slots = values.iter().map(|&value| Slot { dim, value });
        self.slots.extend(slots);
        let cells = self.cells[dim..].iter_mut().step_by(self.dims);
        cells.zip(column).for_each(|(cell, value)| {
            *cell = values
                .binary_search(value)
                .map_or(0, |at| (first + at) as u32);
        });
    }

    /// The slots of a row.
    pub(super) fn row(&self, row: u32) -> &[u32] {
        let first = row as usize * self.dims;
        &self.cells[first..first + self.dims]
    }

    /// Whether the row has the value.
    pub(super) fn has(&self, row: u32, slot: u32) -> bool {
        let dim = self.slots[slot as usize].dim;
        self.cells[row as usize * self.dims + dim] == slot
    }

    pub(super) fn rows(&self) -> std::ops::Range<u32> {
        0..self.counts.len() as u32
    }

    /// Everything.
    pub(super) fn sum(&self) -> Counts {
        let mut sum = Counts::default();
        self.counts.iter().for_each(|&counts| sum += counts);
        sum
    }

    /// Distinct known values of each dimension.
    pub(super) fn cardinalities(&self) -> Vec<usize> {
        let mut counts = vec![0; self.dims];
        self.slots[1..]
            .iter()
            .for_each(|slot| counts[slot.dim] += 1);
        counts
    }

    /// The rows outside of a subset.
    pub(super) fn without(&self, subset: &Subset) -> Self {
        let mut rest = Self {
            cells: Vec::with_capacity(self.cells.len()),
            counts: Vec::with_capacity(self.counts.len()),
            slots: self.slots.clone(),
            bad_rows: 0,
            ..*self
        };
        for row in self.rows() {
            if !subset.holds(self, row) {
                let counts = self.counts[row as usize];
                rest.cells.extend_from_slice(self.row(row));
                rest.counts.push(counts);
                rest.bad_rows += usize::from(counts.bad > 0.0);
            }
        }
        rest
    }

    /// The finding that is everything.
    pub(super) fn everything(&self) -> Finding {
        let Counts { total, bad } = self.sum();
        Finding {
            conditions: Vec::new(),
            total,
            bad,
            outside_total: 0.0,
            outside_bad: 0.0,
            llr: 0.0,
            p_value: 1.0,
            coverage: 1.0,
        }
    }
}

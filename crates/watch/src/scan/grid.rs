//! A table made ready for the search: values that can be conditions as small numbers, rows with bad outcomes first,
//! and the rows of each value.

use super::score::Counts;
use super::subset::Subset;
use super::table::Table;
use super::{Finding, ScanOptions};

/// Value ids up to this many times the number of rows are looked up directly; larger ones are searched for.
const DIRECT: usize = 16;

/// A value of a dimension: what a condition names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) dim: usize,
    pub(super) value: u32,
}

/// Rows and the values that can be conditions. The others are as good as unknown: those with too few bad outcomes
/// can be part of no candidate, and those that every row has say nothing.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    pub(super) dims: usize,
    /// Slot 0 is what is not known; the others are ordered by dimension and value.
    pub(super) slots: Vec<Slot>,
    /// Distinct known values of each dimension, those that cannot be conditions too.
    pub(super) cardinalities: Vec<usize>,
    /// Row by row, a slot for each dimension.
    pub(super) cells: Vec<u32>,
    pub(super) counts: Vec<Counts>,
    /// How many rows, the first ones, have bad outcomes.
    pub(super) bad_rows: usize,
    /// Divides the evidence.
    pub(super) design: f64,
    /// Counts of each slot.
    pub(super) sums: Vec<Counts>,
    /// Where the rows of each slot begin in `postings`.
    starts: Vec<u32>,
    postings: Vec<u32>,
}

impl Grid {
    pub(super) fn new(table: &Table, options: &ScanOptions) -> Self {
        let numbers = Numbers::new(table);
        let mut sums = vec![Counts::default(); numbers.len()];
        let mut whole = Counts::default();
        for (row, &counts) in table.counts.iter().enumerate() {
            whole += counts;
            for (dim, &value) in table.row(row).iter().enumerate() {
                sums[numbers.of(dim, value)] += counts;
            }
        }
        let mut grid = Self {
            dims: table.dims,
            slots: vec![Slot { dim: 0, value: 0 }],
            cardinalities: Vec::with_capacity(table.dims),
            cells: Vec::with_capacity(table.values.len()),
            counts: Vec::with_capacity(table.len()),
            bad_rows: 0,
            design: table.design(),
            sums: Vec::new(),
            starts: Vec::new(),
            postings: Vec::new(),
        };
        let slot_of = grid.choose_slots(&numbers, &sums, whole, options);
        for is_bad in [true, false] {
            for (row, &counts) in table.counts.iter().enumerate() {
                if (counts.bad > 0.0) == is_bad {
                    let values = table.row(row).iter().enumerate();
                    let cells = values.map(|(dim, &value)| slot_of[numbers.of(dim, value)]);
                    grid.cells.extend(cells);
                    grid.counts.push(counts);
                    grid.bad_rows += usize::from(is_bad);
                }
            }
        }
        grid.list_rows();
        grid
    }

    /// Gives a slot to each value that can be a condition; the slot of every number.
    fn choose_slots(
        &mut self,
        numbers: &Numbers,
        sums: &[Counts],
        whole: Counts,
        options: &ScanOptions,
    ) -> Vec<u32> {
        let mut slot_of = vec![0; sums.len()];
        for dim in 0..self.dims {
            let mut known = 0;
            for (number, value) in numbers.of_dim(dim) {
                let sum = sums[number];
                known += usize::from(sum.total > 0.0);
                if options.suffices(sum) && sum != whole {
                    slot_of[number] = self.slots.len() as u32;
                    self.slots.push(Slot { dim, value });
                }
            }
            self.cardinalities.push(known);
        }
        slot_of
    }

    /// Lists the rows of each slot and sums them up.
    fn list_rows(&mut self) {
        let mut next = vec![0_u32; self.slots.len() + 1];
        self.cells.iter().for_each(|&slot| next[slot as usize] += 1);
        let mut end = 0;
        for (slot, next) in next.iter_mut().enumerate() {
            // Nobody asks for the rows of what is not known.
            let rows = if slot == 0 { 0 } else { *next };
            *next = end;
            end += rows;
        }
        self.starts = next.clone();
        self.postings.clear();
        self.postings.resize(end as usize, 0);
        self.sums = vec![Counts::default(); self.slots.len()];
        for (row, cells) in self.cells.chunks_exact(self.dims.max(1)).enumerate() {
            for &slot in cells.iter().filter(|&&slot| slot != 0) {
                let at = &mut next[slot as usize];
                self.postings[*at as usize] = row as u32;
                *at += 1;
                self.sums[slot as usize] += self.counts[row];
            }
        }
    }

    /// The rows of a slot, in order.
    pub(super) fn rows_of(&self, slot: u32) -> &[u32] {
        let slot = slot as usize;
        &self.postings[self.starts[slot] as usize..self.starts[slot + 1] as usize]
    }

    /// The slots of a row.
    pub(super) fn row(&self, row: u32) -> &[u32] {
        &self.cells[row as usize * self.dims..][..self.dims]
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

    /// Takes the rows of a subset away.
    pub(super) fn remove(&mut self, subset: &Subset) {
        let (mut kept, mut bad_rows) = (0, 0);
        for row in self.rows() {
            if subset.holds(self, row) {
                continue;
            }
            let from = row as usize * self.dims;
            self.cells
                .copy_within(from..from + self.dims, kept * self.dims);
            self.counts[kept] = self.counts[row as usize];
            bad_rows += usize::from(self.counts[kept].bad > 0.0);
            kept += 1;
        }
        self.cells.truncate(kept * self.dims);
        self.counts.truncate(kept);
        self.bad_rows = bad_rows;
        self.list_rows();
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

/// A number for each value of each dimension; that of what is not known is the first of its dimension.
struct Numbers {
    firsts: Vec<usize>,
    /// The known values in order, where ids are too large to be looked up.
    searched: Vec<Option<Vec<u32>>>,
}

impl Numbers {
    fn new(table: &Table) -> Self {
        let mut most = vec![0_u32; table.dims];
        for row in 0..table.len() {
            let values = table.row(row).iter();
            most.iter_mut()
                .zip(values)
                .for_each(|(most, &value)| *most = value.max(*most));
        }
        let direct = DIRECT * (table.len() + 1024);
        let mut numbers = Self {
            firsts: vec![0],
            searched: Vec::new(),
        };
        for (dim, most) in most.into_iter().enumerate() {
            let searched = (most as usize > direct).then(|| distinct(table, dim));
            let count = searched.as_ref().map_or(most as usize, Vec::len);
            numbers.firsts.push(numbers.firsts[dim] + 1 + count);
            numbers.searched.push(searched);
        }
        numbers
    }

    fn len(&self) -> usize {
        self.firsts.last().copied().unwrap_or(0)
    }

    fn of(&self, dim: usize, value: u32) -> usize {
        let at = match &self.searched[dim] {
            None => value as usize,
            Some(values) => values.binary_search(&value).map_or(0, |at| at + 1),
        };
        self.firsts[dim] + at
    }

    /// Numbers and values of a dimension, without that of what is not known.
    fn of_dim(&self, dim: usize) -> impl Iterator<Item = (usize, u32)> + '_ {
        let first = self.firsts[dim];
        (first + 1..self.firsts[dim + 1]).map(move |number| {
            let at = number - first;
            let value = self.searched[dim]
                .as_ref()
                .map_or(at as u32, |values| values[at - 1]);
            (number, value)
        })
    }
}

/// The known values of a dimension, in order.
fn distinct(table: &Table, dim: usize) -> Vec<u32> {
    let values = (0..table.len()).map(|row| table.row(row)[dim]);
    let mut values: Vec<u32> = values.filter(|&value| value != 0).collect();
    values.sort_unstable();
    values.dedup();
    values
}

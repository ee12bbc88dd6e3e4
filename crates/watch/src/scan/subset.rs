//! Conditions that rows meet or not.

use super::grid::Grid;
use super::search::Candidate;

/// For some dimensions, the values of which one must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subset {
    /// By dimension; the slots of each in order.
    pub(super) conditions: Vec<(usize, Vec<u32>)>,
}

impl Subset {
    /// One value for each condition.
    pub(super) fn of(grid: &Grid, candidate: &Candidate) -> Self {
        let one = |&slot: &u32| (grid.slots[slot as usize].dim, vec![slot]);
        Self {
            conditions: candidate.slots().iter().map(one).collect(),
        }
    }

    /// Whether a row meets every condition.
    pub(super) fn holds(&self, grid: &Grid, row: u32) -> bool {
        self.conditions
            .iter()
            .all(|(dim, slots)| slots.contains(&grid.row(row)[*dim]))
    }
}

//! Allocations an event in steady state, by a counting allocator.

use stats_alloc::Stats;

use settlewatch_join::Span;

use crate::bed::Bed;
use crate::traffic::Shape;

/// What was counted while payments passed through a warm partition.
#[derive(Debug)]
pub struct Counted {
    /// Events applied.
    pub events: u64,
    /// Allocations and reallocations while they were applied.
    pub allocations: u64,
}

impl Counted {
    /// Allocations an event.
    pub fn per_event(&self) -> f64 {
        self.allocations as f64 / self.events as f64
    }
}

/// Counts the allocations of a steady stretch with `shape`.
pub fn count(shape: Shape, closed_keep: Span, payments: u64, stats: fn() -> Stats) -> Counted {
    let mut bed = Bed::new(shape, closed_keep);
    bed.run(4 * shape.waiting + 400_000);
    let mut counted = Counted {
        events: 0,
        allocations: 0,
    };
    bed.run_watched(payments, |events, apply| {
        let before = stats();
        apply();
        let after = stats();
        counted.events += events;
        counted.allocations += (after.allocations - before.allocations) as u64
            + (after.reallocations - before.reallocations) as u64;
    });
    counted
}

//! Events a CPU-second of the core alone, at a hundred thousand waiting and over the ladder.

use settlewatch_join::Span;

use crate::bed::Bed;
use crate::table::{Row, median};
use crate::traffic::Shape;

/// Payments of one measured stretch.
const STRETCH: u64 = 100_000;
/// Stretches, of which the median counts.
const STRETCHES: usize = 7;
/// Payments that are finished before the measuring begins: as many on every rung, so that only the waiting differ.
const FINISHED: u64 = 500_000;

/// Events a CPU-second, the median of several stretches in steady state.
fn speed(waiting: u64, stages: bool, closed_keep: Span) -> f64 {
    let shape = Shape {
        waiting,
        per_ms: 10,
        stages,
        payer: false,
    };
    let mut bed = Bed::new(shape, closed_keep);
    bed.run(waiting + FINISHED);
    let rates = (0..STRETCHES)
        .map(|_| bed.run(STRETCH).per_second())
        .collect();
    assert_eq!(bed.kinds().others, 0, "steady traffic raises no alert");
    median(rates)
}

/// How many times as fast records are applied together as one by one.
fn gain(waiting: u64) -> Row {
    let shape = Shape {
        waiting,
        per_ms: 10,
        stages: false,
        payer: false,
    };
    let mut bed = Bed::new(shape, Span::ZERO);
    bed.run(waiting + FINISHED);
    let gains = (0..STRETCHES).map(|_| bed.gain_of_together(STRETCH));
    let name = format!("records together against one by one, {waiting} waiting");
    Row::shown(&name, median(gains.collect()), "times as fast")
}

/// The core at 100 k waiting.
pub fn core() -> Vec<Row> {
    let budget = 3e6;
    let kept = Span::from_secs(600);
    let mut rows: Vec<Row> = [
        ("core, payments + credits", false, Span::ZERO),
        ("core, with two stages", true, Span::ZERO),
        ("core, closed kept 10 min", false, kept),
        ("core, with two stages, closed kept 10 min", true, kept),
    ]
    .map(|(name, stages, kept)| {
        let rate = speed(100_000, stages, kept);
        Row::at_least(name, budget / 1e6, rate / 1e6, "M events/CPU-s")
    })
    .into();
    rows.extend([gain(100_000), gain(1_000_000)]);
    rows
}

/// From 10 k to 3 M waiting: the slowest against the fastest.
pub fn ladder() -> Vec<Row> {
    let mut rows = Vec::new();
    for (stages, what) in [(false, "payments + credits"), (true, "with two stages")] {
        let rungs = [10_000, 100_000, 1_000_000, 3_000_000];
        let rates = rungs.map(|waiting| speed(waiting, stages, Span::ZERO));
        for (waiting, rate) in rungs.iter().zip(rates) {
            let name = format!("{what}, {waiting} waiting");
            rows.push(Row::shown(&name, rate / 1e6, "M events/CPU-s"));
        }
        let slowest = rates.into_iter().fold(f64::INFINITY, f64::min);
        let fastest = rates.into_iter().fold(0.0, f64::max);
        let name = format!("{what}, slowest / fastest");
        rows.push(Row::at_least(&name, 0.85, slowest / fastest, ""));
    }
    rows
}

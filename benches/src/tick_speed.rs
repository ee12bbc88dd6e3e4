//! How long a second of the watch takes, over 64 channels and a hundred thousand distinct attribute tuples.

use anyhow::{Result, ensure};

use crate::bed::thread_cpu;
use crate::memory::resident;
use crate::table::Row;
use crate::watched::{Crowd, Watched};

/// Rows are kept for twenty minutes: then there are as many as there ever will be.
const FULL_S: i64 = 1_300;
/// From then on a channel credits nothing, and another one takes longer.
const FAULT_S: i64 = FULL_S + 120;
const END_S: i64 = FAULT_S + 180;
const BUDGET_MS: f64 = 100.0;

const CROWD: Crowd = Crowd {
    terminals: 40_000,
    merchants: 6_000,
    fault_s: FAULT_S,
};

/// Evaluations of every second, in milliseconds of CPU time, and what the watch holds at the end.
///
/// # Errors
/// The faults are not found, or the kernel does not tell the memory.
pub fn ticks() -> Result<Vec<Row>> {
    let mut watched = Watched::new(CROWD, None);
    let before = resident()?;
    let mut rows = Vec::new();
    for second in 0..FULL_S {
        second_of(&mut watched, second);
    }
    for (name, from_s, until_s) in [
        ("nothing happens", FULL_S, FAULT_S),
        ("two faults begin", FAULT_S, FAULT_S + 60),
        ("two faults go on", FAULT_S + 60, END_S),
    ] {
        let mut taken: Vec<f64> = (from_s..until_s)
            .map(|second| second_of(&mut watched, second))
            .collect();
        taken.sort_by(f64::total_cmp);
        let at = |share: f64| taken[((taken.len() - 1) as f64 * share).round() as usize];
        rows.push(Row::shown(
            &format!("a second, {name}: median"),
            at(0.5),
            "ms",
        ));
        rows.push(Row::shown(
            &format!("a second, {name}: p99"),
            at(0.99),
            "ms",
        ));
        let worst = format!("a second, {name}: the longest");
        rows.push(Row::at_most(&worst, BUDGET_MS, at(1.0), "ms"));
    }
    ensure!(watched.said >= 2, "the faults are found");
    let grown = (resident()? - before) as f64 / 1_048_576.0;
    rows.push(Row::shown("memory of the watch at the end", grown, "MiB"));
    Ok(rows)
}

/// Milliseconds that a second takes, its notes taken in.
fn second_of(watched: &mut Watched, second: i64) -> f64 {
    let pulse = watched.pulse(second);
    let before = thread_cpu();
    watched.judge(second, pulse);
    (thread_cpu() - before).as_secs_f64() * 1000.0
}

//! Over random worlds, a replay writes what the naive reference says.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use settlewatch_tests::check::{check, seeds};
use settlewatch_tests::harness::Bench;

/// How many worlds an ordinary run looks at; `SETTLEWATCH_SEEDS` names another number.
const SEEDS: u64 = 500;

/// How many failures are told in full.
const TOLD: usize = 3;

#[test]
fn a_replay_writes_what_the_reference_says() {
    let seeds = seeds(SEEDS);
    let next = AtomicU64::new(seeds.start);
    let run = |lines: &[String], yaml: &str| {
        let written = Bench::new(yaml).lines(lines).expect("a replay ends");
        (written.alerts, written.summary)
    };
    let work = || {
        let mut failures = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return failures;
            }
            if let Err(report) = check(seed, &run) {
                failures.push((seed, report));
            }
        }
    };
    let mut failures = thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        let joined = threads.into_iter().map(|it| it.join().expect("no panic"));
        joined.flatten().collect::<Vec<_>>()
    });
    failures.sort();
    for (_, report) in failures.iter().take(TOLD) {
        println!("{report}");
    }
    let failed: Vec<u64> = failures.iter().map(|(seed, _)| *seed).collect();
    assert!(failed.is_empty(), "{} seeds fail: {failed:?}", failed.len());
}

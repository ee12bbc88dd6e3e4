//! The protocol against a model of Kafka: it holds over many seeds, the oracle finds every break of it, and the model
//! answers as a real broker did.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use serde_json::Value;
use settlewatch_tests::check::seeds;
use settlewatch_tests::harness::root;
use settlewatch_tests::model::{Coverage, Mutation, Options, Report, Watched, answers, run};

/// How many seeds an ordinary run looks at; `SETTLEWATCH_SEEDS` names another number.
const SEEDS: u64 = 1000;

/// Every break is found within so many seeds.
const FOUND_WITHIN: u64 = 1500;

/// Fewer seeds need not meet every fault in every phase.
const COVERS: u64 = 1000;

fn simulate(seed: u64, mutation: Option<Mutation>) -> Report {
    run(Options {
        seed,
        mutation,
        verbose: false,
    })
}

#[test]
fn the_protocol_holds_whatever_goes_wrong() {
    let seeds = seeds(SEEDS);
    let (next, sum) = (AtomicU64::new(seeds.start), Mutex::new(Sum::default()));
    thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let report = simulate(seed, None);
                    sum.lock().expect("nobody panics").add(seed, report);
                }
            });
        }
    });
    let sum = sum.into_inner().expect("nobody panics");
    println!("{}\nThe watch:\n{}", sum.coverage, sum.watched.coverage);
    println!(
        "{} alerts compared, {} held against the invariants alone, {} plain payments, {} rounds",
        sum.compared, sum.excused, sum.plain, sum.rounds
    );
    println!("The watch: {}", sum.watched);
    assert!(sum.failures.is_empty(), "{}", sum.failures.join("\n"));
    if seeds.end - seeds.start >= COVERS {
        let missing = sum.coverage.missing();
        assert!(missing.is_empty(), "never met: {missing:?}");
        assert!(sum.compared > 10 * sum.excused && sum.plain > 0);
        sum.watched_enough();
    }
}

#[derive(Default)]
struct Sum {
    coverage: Coverage,
    failures: Vec<String>,
    compared: usize,
    excused: usize,
    plain: usize,
    watched: Watched,
    rounds: u64,
}

impl Sum {
    fn add(&mut self, seed: u64, report: Report) {
        self.coverage.merge(&report.coverage);
        self.compared += report.compared;
        self.excused += report.excused;
        self.plain += report.plain;
        self.watched.merge(&report.watched);
        self.rounds += report.rounds;
        let told = report.violations.iter();
        self.failures
            .extend(told.map(|text| format!("seed {seed}: {text}")));
    }

    /// The watch met every fault in every phase, and judged seconds of every kind.
    fn watched_enough(&self) {
        let watched = &self.watched;
        let missing = watched.coverage.missing();
        assert!(missing.is_empty(), "the watch never met {missing:?}");
        let most = watched.seconds;
        let some = [watched.blind, watched.withheld, watched.heard];
        assert!(some.iter().all(|&it| it > most / 100), "{watched}");
        assert!(watched.compared > most / 2, "{watched}");
        assert!(most - watched.blind > most / 4, "{watched}");
    }
}

#[test]
fn every_break_of_the_protocol_is_found() {
    let mut missed = Vec::new();
    for &mutation in Mutation::ALL {
        // What the watch does must be found by its own part of the oracle.
        let found = if mutation.is_of_watch() {
            first(mutation, is_of_watch)
        } else {
            first(mutation, |_| true)
        };
        match found {
            Some((needed, how)) => {
                let how = how.lines().next().unwrap_or_default();
                println!("{:<40} {needed:>5}  {how:.80}", mutation.name());
            }
            None => missed.push(mutation.name()),
        }
    }
    assert!(missed.is_empty(), "not found: {missed:?}");
}

#[test]
fn a_pulse_outside_transactions_is_found_by_the_watch_too() {
    let found = first(Mutation::PulseOutside, is_of_watch);
    let (needed, how) = found.expect("the watch judges what no lane had committed");
    println!("{needed:>5}  {how:.120}");
}

fn is_of_watch(violation: &str) -> bool {
    violation.starts_with("watch: ")
}

/// How many seeds a break needs until it is found in this way, and what is told of it.
fn first(mutation: Mutation, way: fn(&str) -> bool) -> Option<(u64, String)> {
    (0..FOUND_WITHIN).find_map(|seed| {
        let report = simulate(seed, Some(mutation));
        let first = report.violations.into_iter().find(|text| way(text))?;
        Some((seed + 1, first))
    })
}

#[test]
fn a_seed_gives_the_same_history_every_time() {
    let told = |seed| {
        let report = run(Options {
            seed,
            mutation: None,
            verbose: true,
        });
        report.history
    };
    assert_eq!(told(7), told(7));
    assert_ne!(told(7), told(8));
}

#[test]
fn the_model_answers_as_a_real_broker_did() {
    let path = root().join("tests/data/kafka/history.ndjson");
    let text = std::fs::read_to_string(path).expect("the history was recorded");
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect();
    let acts: Vec<Value> = lines.iter().map(|line| line["act"].clone()).collect();
    assert!(acts.len() > 50, "only {} acts", acts.len());
    for (at, (line, answer)) in lines.iter().zip(answers(&acts)).enumerate() {
        let answer = answer.expect("the model knows the act");
        assert_eq!(answer, line["answer"], "line {}: {}", at + 1, line["act"]);
    }
}

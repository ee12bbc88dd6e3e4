//! Over random worlds, a replay writes what the naive reference says, and accounts for every payment and
//! every line, for any number of partitions.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use serde_json::{Value, json};
use settlewatch_replay::{ReplayError, Until};
use settlewatch_tests::check::{check, seeds};
use settlewatch_tests::generate::{Rng, World, interleave};
use settlewatch_tests::harness::{Bench, Written};
use settlewatch_tests::render;

/// How many worlds an ordinary run looks at; `SETTLEWATCH_SEEDS` names another number.
const SEEDS: u64 = 500;

/// How many worlds the smaller properties look at.
const FEW: u64 = 100;

/// A topic that no stream reads.
const ELSEWHERE: &str = "elsewhere";

/// How many failures are told in full.
const TOLD: usize = 3;

/// One replay over one partition; another, cut into two files over more partitions, must write the same.
fn replayed(lines: &[String], yaml: &str) -> (Vec<Value>, Value) {
    let bench = Bench::new(yaml);
    let written = bench.lines(lines).expect("a replay ends");
    let (head, tail) = lines.split_at(lines.len() / 2);
    let partitions = if lines.len().is_multiple_of(2) { 7 } else { 48 };
    let many = bench.partitions(partitions).parts(&[tail, head]);
    let difference = written.difference(&many.expect("a replay ends"));
    assert_eq!(difference, None, "{partitions} partitions differ from one");
    assert_accounted(&written, lines.len() as u64);
    (written.alerts, written.summary)
}

/// Payments are what became of them, in number and in every currency; lines are counted once.
fn assert_accounted(written: &Written, lines: u64) {
    let summary = &written.summary;
    let number = |of: &Value, field: &str| -> i128 {
        let text = of[field].as_str().map(str::to_owned);
        let text = text.unwrap_or_else(|| of[field].to_string());
        text.parse().expect("a whole number")
    };
    let currencies = summary["amount_minor"].as_object().expect("money");
    for sums in currencies.values().chain([summary]) {
        let parts = ["credited", "explained", "written_off", "pending"];
        let became: i128 = parts.iter().map(|part| number(sums, part)).sum();
        assert_eq!(number(sums, "payments"), became, "{sums}");
        assert!(number(sums, "overdue") <= number(sums, "pending"), "{sums}");
    }
    assert_eq!(counted(written), lines, "lines counted");
}

/// Lines that are counted as something.
fn counted(written: &Written) -> u64 {
    let streams = written.summary["records"].as_object().expect("streams");
    let outcomes = streams.values().filter_map(Value::as_object);
    let counts = outcomes
        .flat_map(|it| it.values())
        .filter_map(Value::as_u64);
    counts.sum::<u64>() + written.bad_lines
}

#[test]
fn a_replay_writes_what_the_reference_says() {
    let seeds = seeds(SEEDS);
    let next = AtomicU64::new(seeds.start);
    let work = || {
        let mut failures = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return failures;
            }
            if let Err(report) = check(seed, &replayed) {
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

#[test]
fn what_is_damaged_or_repeated_is_counted_too() {
    for seed in 0..FEW {
        let world = World::new(seed);
        let mut rng = Rng::new(seed);
        let mut lines = interleave(&world.records(3), &mut rng);
        for line in &mut lines {
            if rng.chance(25) {
                *line = damaged(line, &mut rng);
            }
        }
        let bench = Bench::new(&render::yaml(&world.config));
        let once = bench.lines(&lines).expect("a replay ends");
        assert_accounted(&once, lines.len() as u64);
        // The same place in the log again is the same record: it is not counted a second time.
        let records: Vec<String> = lines
            .iter()
            .filter(|line| line.ends_with('}') && !line.contains(ELSEWHERE))
            .cloned()
            .collect();
        let twice = bench.parts(&[&lines, &records]).expect("a replay ends");
        assert_eq!(counted(&twice), lines.len() as u64, "seed {seed}");
        assert_eq!(once.alerts, twice.alerts, "seed {seed}");
    }
}

/// A line whose record is rejected, or that is none.
fn damaged(line: &str, rng: &mut Rng) -> String {
    let mut envelope: Value = serde_json::from_str(line).expect("a line is JSON");
    let payload = envelope["payload"].as_str().unwrap_or_default().to_owned();
    let payloads = [
        Value::Null,
        json!(""),
        json!(format!("{payload}}}")),
        json!(payload.replacen("event_id", "id", 1)),
        json!(payload.replace(".000Z", "")),
        json!(payload.replacen("payment.", "payments.", 1)),
    ];
    match rng.between(0, 7) {
        6 => envelope["topic"] = ELSEWHERE.into(),
        7 => return "{\"topic\":".to_owned(),
        other => envelope["payload"] = payloads[other as usize].clone(),
    }
    envelope.to_string()
}

#[test]
fn nothing_waits_once_time_has_passed_for_everything() {
    for seed in 0..FEW {
        let world = World::new(seed);
        let lines = render::lines(&world.records(3));
        let bench = Bench::new(&render::yaml(&world.config)).until(Until::Drained);
        let written = bench.partitions(7).lines(&lines).expect("a replay ends");
        assert_accounted(&written, lines.len() as u64);
        assert_eq!(written.summary["pending"], 0, "seed {seed}");
        assert_eq!(written.summary["overdue"], 0, "seed {seed}");
        let engine = written.engine.expect("there were records");
        assert_eq!(engine.waiting(), 0, "seed {seed}");
        assert!(!engine.is_undecided(), "seed {seed}");
    }
}

#[test]
fn no_more_payments_wait_than_the_configuration_allows() {
    let mut refused = 0;
    for seed in 0..FEW {
        let world = World::new(seed);
        let lines = render::lines(&world.records(1));
        let rules = render::yaml(&world.config);
        let yaml = |limit| format!("{rules}limits: {{waiting_payments: {limit}}}\n");
        let result = Bench::new(&yaml(2)).lines(&lines);
        match result {
            Ok(written) => assert_accounted(&written, lines.len() as u64),
            Err(ReplayError::TooManyWaiting { limit, .. }) => {
                assert_eq!(limit, 2);
                refused += 1;
            }
            Err(other) => panic!("seed {seed}: {other}"),
        }
    }
    assert!(refused > 0, "no world has three payments that wait");
}

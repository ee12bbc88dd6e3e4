//! A partition that was written and read back goes on as if nothing had happened.

use std::sync::Arc;

use settlewatch_join::event::SettleMode;
use settlewatch_join::settings::{Due, Matcher};
use settlewatch_join::snapshot::{CHUNK_BYTES, SnapshotError};
use settlewatch_join::{AlertKind, Calendar, Day, Pairs, Partition, Resolution, Settings};

use super::common::{Bench, at, payment, rule, settings, told, usual};
use super::random::{Random, START_MS, World, records};

/// Batch payments by a calendar, the rest at once.
fn with_batches() -> Arc<Settings> {
    let batches = Matcher {
        settle_mode: vec![SettleMode::T1],
        ..Matcher::default()
    };
    let mut batch = rule("batch", batches, &[("warn", 0), ("breach", 60_000)]);
    batch.due = Some(Due {
        calendar: Arc::new(calendar()),
        business_days: 1,
    });
    let now = rule(
        "default",
        Matcher::default(),
        &[("warn", 1_000), ("breach", 3_000), ("escalate", 40_000)],
    );
    settings(1, vec![batch, now])
}

/// Sixty days from the start; every seventh is no business day.
fn calendar() -> Calendar {
    let day_ms = 86_400_000;
    let days = (0..60).map(|i| Day {
        cut_off: at(START_MS + (i + 1) * day_ms),
        credit_by: at(START_MS + i * day_ms + 9 * 3_600_000),
        business: i % 7 != 6,
    });
    Calendar::new(days.collect()).expect("cut-offs increase")
}

fn bytes_of(partition: &Partition) -> Vec<u8> {
    let mut bytes = Vec::new();
    partition.snapshot(&mut |chunk| bytes.extend_from_slice(chunk));
    bytes
}

fn chunks_of(chunk_bytes: usize, write: impl FnOnce(usize, &mut dyn FnMut(&[u8]))) -> Vec<Vec<u8>> {
    let mut chunks = Vec::new();
    write(chunk_bytes, &mut |chunk| chunks.push(chunk.to_vec()));
    assert!(
        chunks
            .iter()
            .all(|chunk| !chunk.is_empty() && chunk.len() <= chunk_bytes)
    );
    chunks
}

/// Writes everything, throws it away and reads it back.
fn restarted(world: &World, settings: &Arc<Settings>, chunk_bytes: usize) -> World {
    let partition = chunks_of(chunk_bytes, |size, out| {
        world.partition.snapshot_chunks(size, out);
    });
    let pairs = chunks_of(chunk_bytes, |size, out| {
        world.pairs.snapshot_chunks(size, out);
    });
    World {
        partition: Partition::restore(Arc::clone(settings), &partition).expect("it was written so"),
        pairs: Pairs::restore(settings.duplicate_window, &pairs).expect("it was written so"),
        now: world.now,
        told: Vec::new(),
    }
}

/// What it went on to say, with the accounts and the final states.
fn outcome(mut world: World) -> (Vec<String>, String, Vec<u8>, Vec<u8>) {
    world.settle(at(START_MS + 40 * 86_400_000));
    let mut pairs = Vec::new();
    world
        .pairs
        .snapshot(&mut |chunk| pairs.extend_from_slice(chunk));
    let ledger = format!("{:?}", world.partition.ledger());
    let partition = bytes_of(&world.partition);
    (world.told, ledger, partition, pairs)
}

#[test]
fn a_restart_at_any_point_changes_nothing() {
    let settings = with_batches();
    let mut lines = Vec::new();
    for seed in 1..=120 {
        let mut random = Random::new(seed);
        let records = records(&mut random, 250);
        let cut = random.below(records.len() as u64) as usize;
        let mut world = World::new(&settings);
        for record in &records[..cut] {
            world.apply(record);
        }
        let chunk_bytes = [1, 7, 4096, CHUNK_BYTES][random.below(4) as usize];
        let mut restarted = restarted(&world, &settings, chunk_bytes);
        assert!(
            bytes_of(&restarted.partition) == bytes_of(&world.partition),
            "seed {seed}: written again, it differs"
        );
        world.told.clear();
        for record in &records[cut..] {
            world.apply(record);
            restarted.apply(record);
            assert_eq!(
                restarted.partition.next_decision(),
                world.partition.next_decision(),
                "seed {seed}"
            );
        }
        let (told, ledger, partition, pairs) = outcome(world);
        let again = outcome(restarted);
        assert_eq!(again.0, told, "seed {seed}, cut at {cut}");
        assert_eq!(again.1, ledger, "seed {seed}, cut at {cut}");
        assert!(again.2 == partition, "seed {seed}: the partitions differ");
        assert!(again.3 == pairs, "seed {seed}: the pairs differ");
        lines.extend(told);
    }
    let alerts: Vec<_> = lines
        .iter()
        .filter(|line| line.starts_with("Alert"))
        .collect();
    assert!(alerts.len() > 5_000, "only {} alerts", alerts.len());
    for kind in AlertKind::ALL {
        let name = format!("kind: {kind:?},");
        assert!(alerts.iter().any(|line| line.contains(&name)), "no {kind}");
    }
    for resolution in [
        Resolution::Completed,
        Resolution::WrittenOff,
        Resolution::Declined,
    ] {
        let name = format!("resolution: Some({resolution:?})");
        assert!(
            alerts.iter().any(|line| line.contains(&name)),
            "never {resolution}"
        );
    }
    assert!(
        alerts
            .iter()
            .any(|line| line.contains("verdict: Some(IdCorrupted)"))
    );
}

#[test]
fn the_same_history_gives_the_same_bytes() {
    let records = records(&mut Random::new(7), 300);
    let run = || {
        let mut world = World::new(&usual());
        for record in &records {
            world.apply(record);
        }
        bytes_of(&world.partition)
    };
    assert!(run() == run());
}

#[test]
fn holes_and_reloads_after_a_restart_are_judged_as_without_it() {
    for seed in 200..230 {
        let mut random = Random::new(seed);
        let records = records(&mut random, 150);
        let mut world = World::new(&usual());
        records.iter().for_each(|record| world.apply(record));
        let mut restarted = restarted(&world, &usual(), 4096);
        world.told.clear();
        for world in [&mut world, &mut restarted] {
            world.partition.reload(&with_batches());
            let now = world.now.millis();
            world.hole(at(now + 700), at(now + 60_000));
        }
        assert_eq!(outcome(restarted), outcome(world), "seed {seed}");
    }
}

#[test]
fn a_payment_whose_rule_is_gone_is_dated_by_the_rules_in_force() {
    let quick = Matcher {
        channel: vec!["quick".into()],
        ..Matcher::default()
    };
    let before = settings(
        1,
        vec![
            rule("quick", quick, &[("warn", 500)]),
            rule("default", Matcher::default(), &[("warn", 5_000)]),
        ],
    );
    let mut bench = Bench::new(&before, 0);
    bench.pay("P1", 10_000, "quick");
    bench.pay("P2", 10_000, "slow");
    let bytes = bytes_of(&bench.partition);
    bench.partition = Partition::restore(usual(), [bytes]).expect("it was written so");
    let told = told(&bench.known(11_001));
    assert_eq!(
        told,
        [
            "11000 P1 credit_missing warn",
            "11000 P2 credit_missing warn"
        ]
    );
}

#[test]
fn rules_that_moved_keep_their_payments() {
    let slow = Matcher {
        channel: vec!["slow".into()],
        ..Matcher::default()
    };
    let rules = [
        rule(
            "other",
            Matcher {
                channel: vec!["other".into()],
                ..Matcher::default()
            },
            &[("warn", 1)],
        ),
        rule("slow", slow, &[("warn", 9_000)]),
        rule("default", Matcher::default(), &[("warn", 5_000)]),
    ];
    let mut bench = Bench::new(&settings(1, rules[1..].to_vec()), 0);
    bench.pay("P1", 10_000, "slow");
    let bytes = bytes_of(&bench.partition);
    let after = settings(2, rules.to_vec());
    bench.partition = Partition::restore(after, [bytes]).expect("it was written so");
    let seen = bench.partition.inspect(None, "P1").expect("it waits");
    assert_eq!(seen.rule.as_deref(), Some("slow"));
    assert!(bench.known(19_000).is_empty());
    assert_eq!(bench.known(19_001).len(), 1);
}

#[test]
fn counters_follow_their_stream_when_streams_are_reordered() {
    let mut bench = Bench::new(&usual(), 0);
    bench.pay("P1", 10_000, "a");
    bench.credit("P1", 10_100, 10_100);
    bench.credit("P1", 10_200, 10_200);
    let mut after = (*usual()).clone();
    after.streams = vec!["credits".into(), "payments".into()];
    let bytes = bytes_of(&bench.partition);
    let restored = Partition::restore(Arc::new(after), [bytes]).expect("it was written so");
    let of = |stream| {
        settlewatch_join::Outcome::ALL
            .iter()
            .map(|&outcome| restored.ledger().records(stream, outcome))
            .sum::<u64>()
    };
    assert_eq!((of(0), of(1)), (2, 1));
}

#[test]
fn an_hour_that_was_sealed_is_known_after_a_restart() {
    let mut bench = Bench::new(&usual(), START_MS);
    let hour = 3_600_000;
    for i in 0..2_000 {
        let id = format!("P{i}");
        bench.pay(&id, START_MS + i, "a");
        bench.credit(&id, START_MS + i, START_MS + i);
    }
    bench.known(START_MS + 3 * hour);
    let bytes = bytes_of(&bench.partition);
    bench.partition = Partition::restore(usual(), [bytes]).expect("it was written so");
    let sizes = bench.partition.sizes();
    assert_eq!(sizes[0], 0, "no payment is at hand");
    let later = START_MS + 4 * hour;
    bench.apply(
        0,
        later,
        START_MS + 77,
        "P77",
        settlewatch_join::Body::Succeeded(payment("P77", "a")),
    );
    let duplicate = settlewatch_join::Outcome::Duplicate;
    assert_eq!(bench.partition.ledger().records(0, duplicate), 1);
    assert!(bench.known(later + 200_000).is_empty());
}

fn sample() -> Vec<u8> {
    let mut world = World::new(&with_batches());
    for record in &records(&mut Random::new(3), 200) {
        world.apply(record);
    }
    bytes_of(&world.partition)
}

fn restore(bytes: &[u8]) -> Result<Partition, SnapshotError> {
    Partition::restore(with_batches(), [bytes])
}

#[test]
fn damaged_bytes_are_refused_and_never_panic() {
    let bytes = sample();
    let mut random = Random::new(11);
    for _ in 0..4_000 {
        let mut damaged = bytes.clone();
        for _ in 0..=random.below(3) {
            let i = random.below(damaged.len() as u64) as usize;
            match random.below(3) {
                0 => damaged[i] ^= 1 << random.below(8),
                1 => damaged[i] = random.below(256) as u8,
                _ => {
                    damaged.remove(i);
                }
            }
        }
        if damaged != bytes {
            assert!(restore(&damaged).is_err());
        }
    }
}

#[test]
fn a_snapshot_that_ends_early_is_truncated_and_one_that_goes_on_is_corrupt() {
    let bytes = sample();
    for len in (0..bytes.len()).step_by(97) {
        assert_eq!(restore(&bytes[..len]).err(), Some(SnapshotError::Truncated));
    }
    let longer = [bytes, vec![0]].concat();
    assert_eq!(restore(&longer).err(), Some(SnapshotError::Corrupt));
}

#[test]
fn bytes_of_another_kind_or_version_are_told_apart() {
    let mut bytes = sample();
    assert_eq!(
        restore(b"{\"json\":1}").err(),
        Some(SnapshotError::NotASnapshot)
    );
    assert_eq!(
        Pairs::restore(usual().duplicate_window, [&bytes]).err(),
        Some(SnapshotError::NotASnapshot)
    );
    // Magic, kind, then the version in two bytes.
    bytes[5] = 9;
    let version = SnapshotError::Version {
        found: 9,
        supported: 1,
    };
    assert_eq!(restore(&bytes).err(), Some(version));
    assert!(version.to_string().contains('9'));
}

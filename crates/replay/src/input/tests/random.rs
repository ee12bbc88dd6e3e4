//! Random recordings against a sorter written from the contract alone.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const YEAR_2000: i64 = 946_684_800_000;
const DAY: i64 = 86_400_000;

#[derive(Clone, Debug)]
pub(super) struct Record {
    topic: usize,
    partition: i32,
    offset: i64,
    ts: i64,
    payload: String,
}

/// The canonical order, slowly and obviously.
fn reference(records: &[Record]) -> Vec<Seen> {
    let mut partitions: BTreeMap<(usize, i32), BTreeMap<i64, &Record>> = BTreeMap::new();
    for record in records {
        let partition = partitions
            .entry((record.topic, record.partition))
            .or_default();
        partition.entry(record.offset).or_insert(record);
    }
    let mut queues: Vec<Vec<Seen>> = partitions
        .values()
        .map(|one| judged(&one.values().copied().collect::<Vec<_>>()))
        .collect();
    let earliest = queues
        .iter()
        .flatten()
        .filter(|one| one.plausible)
        .map(|one| one.at)
        .min();
    for one in queues.iter_mut().flatten().filter(|one| one.at == i64::MIN) {
        one.at = earliest.unwrap_or(0);
    }
    let mut merged = Vec::new();
    while let Some(queue) = queues
        .iter_mut()
        .filter(|queue| !queue.is_empty())
        .min_by_key(|queue| {
            let first = &queue[0];
            (first.at, first.stream, first.partition, first.offset)
        })
    {
        merged.push(queue.remove(0));
    }
    merged
}

/// One partition with its append times; `i64::MIN` where it has no plausible record.
fn judged(records: &[&Record]) -> Vec<Seen> {
    let believed = |at: usize| {
        let next = records[at + 1..].iter().take(16).map(|one| one.ts);
        let smallest = next.filter(|&ts| ts >= YEAR_2000).min().unwrap_or(i64::MAX);
        records[at].ts >= YEAR_2000 && records[at].ts <= smallest.saturating_add(DAY)
    };
    let first = (0..records.len())
        .find(|&at| believed(at))
        .map(|at| records[at].ts);
    let at_of = |at: usize| {
        (0..=at)
            .filter(|&before| believed(before))
            .map(|before| records[before].ts)
            .max()
    };
    let seen = |(at, record): (usize, &&Record)| Seen {
        at: at_of(at).or(first).unwrap_or(i64::MIN),
        stream: record.topic as u8,
        partition: record.partition,
        offset: record.offset,
        ts: record.ts,
        plausible: believed(at),
        payload: Some(record.payload.clone().into_bytes()),
    };
    records.iter().enumerate().map(seen).collect()
}

fn a_timestamp() -> impl Strategy<Value = i64> {
    prop_oneof![
        20 => (0..5000_i64).prop_map(|ms| NOW + ms),
        1 => Just(0_i64),
        1 => Just(-1_i64),
        1 => Just(4_070_908_800_000),
        1 => (0..4_i64).prop_map(|days| NOW + days * DAY),
        1 => any::<i64>(),
    ]
}

pub(super) fn a_record() -> impl Strategy<Value = Record> {
    let offset = prop_oneof![0..60_i64, any::<i64>().prop_map(|any| any & i64::MAX)];
    (0..4_usize, 0..3_i32, offset, a_timestamp(), 0..300_usize).prop_map(
        |(topic, partition, offset, ts, len)| Record {
            topic,
            partition,
            offset,
            ts,
            // Of equal coordinates the contents are equal, whichever is read first.
            payload: format!("{topic}/{partition}/{offset}/").repeat(len / 10),
        },
    )
}

/// Makes records of equal coordinates equal.
pub(super) fn consistent(mut records: Vec<Record>) -> Vec<Record> {
    let mut timestamps = BTreeMap::new();
    for record in &mut records {
        let place = (record.topic, record.partition, record.offset);
        let (ts, payload) = timestamps
            .entry(place)
            .or_insert((record.ts, record.payload.clone()));
        (record.ts, record.payload) = (*ts, payload.clone());
    }
    records
}

const NAMES: [&str; 5] = [
    "a.ndjson",
    "b.ndjson.gz",
    "c.ndjson.zst",
    "d/a.ndjson",
    "e.ndjson",
];

/// The records spread over files as `files` says.
pub(super) fn spread(records: &[Record], files: &[usize]) -> Dump {
    let mut texts = vec![String::new(); NAMES.len()];
    for (record, file) in records.iter().zip(files.iter().cycle()) {
        let Record {
            topic,
            partition,
            offset,
            ts,
            payload,
        } = record;
        texts[*file] += &line(TOPICS[*topic], *partition, *offset, *ts, payload);
        texts[*file] += "\n";
    }
    let mut dump = Dump::new();
    for (name, text) in NAMES.iter().zip(&texts) {
        dump.file(name, text.as_bytes());
    }
    dump
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn any_recording_comes_in_canonical_order_in_memory_and_from_disk(
        records in prop::collection::vec(a_record(), 0..400).prop_map(consistent),
        files in prop::collection::vec(0..NAMES.len(), 1..40),
        memory_bytes in prop_oneof![Just(1_usize), 1_usize..60_000],
    ) {
        let expected = reference(&records);
        let mut dump = spread(&records, &files);
        prop_assert_eq!(&dump.read(), &expected);
        dump.files.reverse();
        let mut sorted = dump.open(within(memory_bytes)).unwrap();
        prop_assert_eq!(&read_all(&mut sorted), &expected);
        prop_assert_eq!(sorted.counters().repeated as usize, records.len() - expected.len());
        let implausible = expected.iter().filter(|one| !one.plausible).count();
        prop_assert_eq!(sorted.counters().implausible.iter().sum::<u64>() as usize, implausible);
    }
}

#[test]
fn thousands_of_partitions_are_sorted_within_a_small_budget() {
    let mut dump = Dump::new();
    for part in 0..4_i64 {
        let lines = (0..10_000_i64).map(|n| {
            let partition = ((n * 7) % 2500) as i32;
            let offset = 3 - (n / 2500 + part) % 4 + 4 * part;
            line(
                "pay",
                partition,
                offset,
                NOW + offset * 1000 + i64::from(partition),
                "x",
            ) + "\n"
        });
        dump.file(
            &format!("{part}.ndjson"),
            lines.collect::<String>().as_bytes(),
        );
    }
    let mut sorted = dump.open(within(256 << 10)).unwrap();
    assert!(sorted.on_disk());
    let seen = read_all(&mut sorted);
    assert_eq!(seen.len(), 40_000);
    assert!(seen.is_sorted(), "append time, stream, partition, offset");
    assert_eq!(seen, dump.read());
}

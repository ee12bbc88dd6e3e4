//! The same input gives the same bytes: for any number of partitions, any order and cutting of files, any
//! compression, however little memory there is.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use settlewatch_replay::Until;
use settlewatch_tests::generate::{Rng, World};
use settlewatch_tests::harness::{Bench, Written};
use settlewatch_tests::render;

/// Worlds that are replayed together.
const WORLDS: u64 = 60;

/// Partitions of the recording.
const RECORDED: u64 = 5;

/// The records of many worlds under the rules of one, each world with its own payments.
fn recording() -> (Bench, Vec<String>) {
    let mut drafts = Vec::new();
    for seed in 0..WORLDS {
        let mut world = World::new(seed);
        for draft in &mut world.drafts {
            if let Some(id) = draft.value["payment_id"].as_str() {
                draft.value["payment_id"] = format!("{id}-{seed}").into();
            }
        }
        drafts.append(&mut world.drafts);
    }
    let bench = Bench::new(&render::yaml(&World::new(1).config));
    let lines = render::lines(&render::place(&drafts, RECORDED));
    assert!(lines.len() > 1000, "too few records to show anything");
    (bench, lines)
}

fn shuffled(lines: &[String], rng: &mut Rng) -> Vec<String> {
    let mut lines: Vec<(u64, &String)> = lines.iter().map(|line| (rng.bits(), line)).collect();
    lines.sort();
    lines.into_iter().map(|(_, line)| line.clone()).collect()
}

fn text(lines: &[String]) -> Vec<u8> {
    (lines.join("\n") + "\n").into_bytes()
}

fn assert_same(expected: &Written, got: &Written, what: &str) {
    if let Some(difference) = expected.difference(got) {
        panic!("{what}: {difference}");
    }
}

#[test]
fn one_seven_and_forty_eight_partitions_write_the_same_bytes() {
    let (bench, lines) = recording();
    for until in [Until::LastRecord, Until::Drained] {
        let bench = bench.clone().until(until);
        let of = |partitions| {
            let bench = bench.clone().partitions(partitions);
            bench.lines(&lines).expect("a replay ends")
        };
        let one = of(1);
        assert!(!one.alerts.is_empty(), "nothing is compared");
        for partitions in [7, 48] {
            assert_same(&one, &of(partitions), &format!("{partitions} partitions"));
        }
    }
}

#[test]
fn lines_may_stand_in_any_order_in_any_files() {
    let (bench, lines) = recording();
    let expected = bench.lines(&lines).expect("a replay ends");
    let mut rng = Rng::new(4);
    for files in [1, 2, 9] {
        let lines = shuffled(&lines, &mut rng);
        let parts: Vec<&[String]> = lines.chunks(lines.len().div_ceil(files)).collect();
        let got = bench.parts(&parts).expect("a replay ends");
        assert_same(&expected, &got, &format!("{files} files"));
    }
}

#[test]
fn records_sorted_on_disk_come_out_the_same() {
    let (bench, lines) = recording();
    let expected = bench.lines(&lines).expect("a replay ends");
    let lines = shuffled(&lines, &mut Rng::new(9));
    for memory_bytes in [1, 20_000] {
        let little = bench.clone().memory_bytes(memory_bytes);
        let got = little.lines(&lines).expect("a replay ends");
        assert_same(&expected, &got, &format!("{memory_bytes} bytes of memory"));
    }
}

#[test]
fn compressed_files_come_out_the_same() {
    let (bench, lines) = recording();
    let expected = bench.lines(&lines).expect("a replay ends");
    let (head, tail) = lines.split_at(lines.len() / 3);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&text(head)).expect("memory can be written");
    let gzip = gzip.finish().expect("memory can be written");
    let zstd = zstd::encode_all(text(tail).as_slice(), 1).expect("memory can be written");
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let paths = ["head.ndjson.gz", "tail.ndjson.zst"].map(|name| folder.path().join(name));
    for (path, bytes) in paths.iter().zip([&gzip, &zstd]) {
        std::fs::write(path, bytes).expect("a temporary file can be written");
    }
    let got = bench.paths(paths.into()).expect("a replay ends");
    assert_same(&expected, &got, "gzip and zstd");
}

#[test]
fn standard_input_fed_quickly_writes_the_same_alerts_as_files() {
    let (bench, lines) = recording();
    let expected = bench.lines(&lines).expect("a replay ends");
    let live = bench.partitions(7).live(Cursor::new(text(&lines)));
    let live = live.expect("a replay ends");
    assert_same(&expected, &live, "standard input");
}

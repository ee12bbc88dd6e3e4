//! Recordings in which bytes were changed, dropped and doubled by chance.

use settlewatch_join::Timestamp;
use settlewatch_replay::Until;
use settlewatch_tests::generate::Rng;
use settlewatch_tests::reference::STREAMS;
use settlewatch_tests::story::{Story, clock};

use crate::tape::{Tape, bench, counted};

/// An hour's ordinary troubles.
fn story() -> Story {
    Story::new()
        .at("12:00:00")
        .pay("P1001")
        .with("payer_hash", "payer-1")
        .with("fee_minor", 60)
        .pay("P1002")
        .with("payer_hash", "payer-1")
        .at("12:00:05")
        .credit("P1001")
        .amount(9_940)
        .part("P1002", 4_000)
        .hold("P1002")
        .with("expected_release_at", "2026-03-02T12:10:00Z")
        .at("12:00:40")
        .release("P1002")
        .reject("P1002", "limit")
        .stage("P1001", "merchant_ack")
        .refund("P1001", "R1", "succeeded")
        .credit("P1003")
        .amount(5)
}

/// One to three changes at random places.
fn mutate(bytes: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..rng.between(1, 3) {
        let last = i64::try_from(bytes.len()).expect("it is short") - 1;
        let at = usize::try_from(rng.between(0, last)).expect("within the line");
        match rng.between(0, 3) {
            0 => bytes[at] = rng.bits() as u8,
            1 => bytes.truncate(at.max(1)),
            2 => bytes.insert(at, rng.pick(b"\"\\{}[],:-0e.\xff")),
            _ => {
                let piece = bytes[at..(at + 9).min(bytes.len())].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

/// An hour later.
fn end() -> Until {
    Until::Time(Timestamp::from_millis(clock("13:00:00")))
}

#[test]
fn whatever_becomes_of_values_every_record_is_counted_once() {
    let records = story().records(1);
    for seed in 0..400 {
        let mut rng = Rng::new(seed);
        let mut tape = Tape::new();
        for record in &records {
            let mut value = record.value.to_string().into_bytes();
            if rng.chance(40) {
                value = mutate(&value, &mut rng);
            }
            tape.put_at(record.at_ms, STREAMS[record.stream], value);
        }
        println!("seed {seed}");
        tape.play_until(end());
    }
}

#[test]
fn whatever_becomes_of_lines_replay_comes_to_its_end() {
    let lines = story().lines(2);
    for seed in 0..400 {
        let mut rng = Rng::new(seed);
        let mut bytes = Vec::new();
        for line in &lines {
            let line = line.as_bytes();
            let changed = if rng.chance(40) {
                mutate(line, &mut rng)
            } else {
                line.to_vec()
            };
            bytes.extend_from_slice(&changed);
            bytes.push(b'\n');
        }
        let written = bench()
            .until(end())
            .bytes(&[&bytes])
            .expect("it is replayed");
        // A place that became another record's, or a time beyond the end, makes one fewer.
        let written_lines = bytes.split(|&byte| byte == b'\n').count() as u64;
        assert!(counted(&written) <= written_lines, "seed {seed}");
    }
}

//! Standard input: at its end, and while nothing comes.

use std::io::{self, Cursor, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use proptest::prelude::*;

use super::random::{a_record, consistent, spread};
use super::*;

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(3600);

fn start(source: impl Read + Send + 'static, hold: Duration) -> LiveInput {
    let options = LiveOptions {
        hold,
        ..LiveOptions::default()
    };
    LiveInput::start(source, Path::new("-"), &streams(), options).unwrap()
}

/// Everything up to the end of an input that ends by itself.
fn read_to_end(live: &mut LiveInput) -> Vec<Seen> {
    let mut seen = Vec::new();
    loop {
        match live.next(LONG).unwrap() {
            Live::Record(raw) => seen.push(Seen::of(raw)),
            Live::End => return seen,
            Live::Clock(_) | Live::Quiet => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn an_input_that_ends_in_time_gives_what_the_files_give(
        records in prop::collection::vec(a_record(), 0..300).prop_map(consistent),
    ) {
        let dump = spread(&records, &[0]);
        let text = std::fs::read(&dump.files[0]).unwrap();
        let mut live = start(Cursor::new(text), LONG);
        prop_assert_eq!(read_to_end(&mut live), dump.read());
    }
}

#[test]
fn bare_events_bad_lines_and_counts() {
    let event = r#"{"type":"terminal.credited","occurred_at":"2026-04-09T02:00:00Z"}"#;
    let text = format!(
        "nothing\n\n{event}\n{}\n{}",
        line("pay", 0, 0, 0, "x"),
        line("elsewhere", 0, 0, NOW, "x")
    );
    let mut live = start(Cursor::new(text), LONG);
    let seen = read_to_end(&mut live);
    assert_eq!((seen[1].stream, seen[1].offset, seen[1].at), (1, 3, NOW));
    let bad: Vec<_> = live.bad_lines().map(|bad| (bad.file, bad.line)).collect();
    assert_eq!(bad, [(Path::new("-"), 1), (Path::new("-"), 5)]);
    assert_eq!(live.counters().lines, 5);
    assert_eq!(live.counters().implausible, [1, 0, 0, 0]);
    assert_eq!(live.next(LONG).unwrap(), Live::End, "the end stays the end");
}

/// An input that goes on for as long as the other end does.
struct Pipe(Receiver<String>);

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let text = self.0.recv().unwrap_or_default();
        into[..text.len()].copy_from_slice(text.as_bytes());
        Ok(text.len())
    }
}

#[test]
fn between_records_there_is_a_clock_and_before_the_first_there_is_none() {
    let (sender, receiver) = channel();
    let mut live = start(Pipe(receiver), Duration::ZERO);
    assert_eq!(live.next(Duration::ZERO).unwrap(), Live::Quiet);
    sender.send(line("pay", 0, 0, NOW, "x") + "\n").unwrap();
    let Live::Record(raw) = live.next(LONG).unwrap() else {
        panic!("no record");
    };
    assert_eq!(raw.place.at.millis(), NOW);
    let Live::Clock(clock) = live.next(Duration::ZERO).unwrap() else {
        panic!("no clock");
    };
    assert!(clock.millis() >= NOW);
    drop(sender);
    assert_eq!(live.next(LONG).unwrap(), Live::End);
}

#[test]
fn more_than_may_be_held_waits_outside() {
    let text: String = (0..100)
        .map(|n| line("pay", 0, n, NOW + n, "value") + "\n")
        .collect();
    let options = LiveOptions {
        hold: Duration::from_millis(1),
        memory_bytes: 10,
        ..LiveOptions::default()
    };
    let mut live =
        LiveInput::start(Cursor::new(text), Path::new("-"), &streams(), options).unwrap();
    assert_eq!(read_to_end(&mut live).len(), 100);
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

#[test]
fn an_input_that_breaks_says_how_far_it_came() {
    let text = line("pay", 0, 0, NOW, "x") + "\n";
    let mut live = start(Cursor::new(text.clone()).chain(Broken), LONG);
    let error = live.next(LONG).unwrap_err().to_string();
    let expected = format!(
        "cannot read - beyond line 1 (byte {} uncompressed)",
        text.len()
    );
    assert!(error.starts_with(&expected), "{error}");
}

#[test]
fn one_from_the_future_is_used_and_counted_and_moves_no_clock() {
    let text = [
        line("pay", 0, 0, NOW, "x"),
        line("pay", 0, 1, 4_070_908_800_000, "x"),
    ];
    let options = LiveOptions {
        hold: Duration::ZERO,
        real_time: Some(Timestamp::from_millis(NOW)),
        ..LiveOptions::default()
    };
    let text = Cursor::new(text.join("\n"));
    let mut live = LiveInput::start(text, Path::new("-"), &streams(), options).unwrap();
    let seen: Vec<_> = read_to_end(&mut live)
        .iter()
        .map(|one| (one.at, one.plausible))
        .collect();
    assert_eq!(seen, [(NOW, true), (NOW, false)]);
    assert_eq!(live.counters().implausible, [1, 0, 0, 0]);
}

//! Which order the records come in, and at which append time.

use super::*;

/// Append time relative to now, stream, partition and offset of all.
fn places(seen: &[Seen]) -> Vec<(i64, u8, i32, i64)> {
    seen.iter()
        .map(|one| (one.at - NOW, one.stream, one.partition, one.offset))
        .collect()
}

#[test]
fn ties_go_by_stream_then_partition_then_offset() {
    let dump = Dump::of(&[
        line("life", 0, 0, NOW, "a"),
        line("credit", 1, 5, NOW, "b"),
        line("credit", 1, 6, NOW, "c"),
        line("credit", 0, 9, NOW, "d"),
        line("pay", 7, 0, NOW, "e"),
        line("term", 0, 0, NOW - 1, "f"),
    ]);
    let expected = [
        (-1, 3, 0, 0),
        (0, 0, 7, 0),
        (0, 1, 0, 9),
        (0, 1, 1, 5),
        (0, 1, 1, 6),
        (0, 2, 0, 0),
    ];
    assert_eq!(places(&dump.read()), expected);
}

#[test]
fn a_partition_keeps_its_order_and_its_time_never_decreases() {
    let dump = Dump::of(&[
        line("pay", 0, 2, NOW + 3, "third"),
        line("pay", 0, 0, NOW + 9, "first"),
        line("pay", 0, 1, NOW + 1, "second"),
        line("credit", 0, 0, NOW + 5, "between"),
    ]);
    let expected = [(5, 1, 0, 0), (9, 0, 0, 0), (9, 0, 0, 1), (9, 0, 0, 2)];
    assert_eq!(places(&dump.read()), expected);
}

#[test]
fn implausible_timestamps_take_the_time_before_them_and_are_counted() {
    let dump = Dump::of(&[
        line("pay", 0, 0, 4_070_908_800_000, "2099 first"),
        line("pay", 0, 1, NOW, "now"),
        line("pay", 0, 2, 0, "1970"),
        line("pay", 0, 3, 4_070_908_800_000, "2099"),
        line("pay", 0, 4, NOW + 1, "after"),
        line("credit", 0, 0, -1, "no time at all"),
        line("credit", 1, 0, NOW - 7, "earliest"),
    ]);
    let mut sorted = dump.open(Options::default()).unwrap();
    let seen = read_all(&mut sorted);
    let expected = [
        (-7, 1, 0, 0),
        (-7, 1, 1, 0),
        (0, 0, 0, 0),
        (0, 0, 0, 1),
        (0, 0, 0, 2),
        (0, 0, 0, 3),
        (1, 0, 0, 4),
    ];
    assert_eq!(places(&seen), expected);
    assert_eq!(sorted.counters().implausible, [3, 1, 0, 0]);
    let believed: Vec<_> = seen.iter().map(|one| one.plausible).collect();
    assert_eq!(believed, [false, true, false, true, false, false, true]);
}

#[test]
fn a_recording_without_a_plausible_time_stands_at_the_beginning_of_time() {
    let dump = Dump::of(&[line("credit", 0, 0, -1, "a"), line("pay", 0, 0, 5, "b")]);
    let at: Vec<_> = dump.read().iter().map(|one| (one.at, one.stream)).collect();
    assert_eq!(at, [(0, 0), (0, 1)]);
}

#[test]
fn a_record_met_twice_is_one_and_counted() {
    let first = line("pay", 0, 0, NOW, "a");
    let mut dump = Dump::of(&[first.clone(), line("pay", 0, 1, NOW, "b"), first.clone()]);
    dump.file("again.ndjson", first.as_bytes());
    for memory_bytes in [1 << 20, 1] {
        let mut sorted = dump.open(within(memory_bytes)).unwrap();
        assert_eq!(sorted.on_disk(), memory_bytes == 1);
        assert_eq!(places(&read_all(&mut sorted)), [(0, 0, 0, 0), (0, 0, 0, 1)]);
        assert_eq!(sorted.counters().repeated, 2);
    }
}

#[test]
fn of_contradictory_copies_the_first_in_the_order_of_files_stands() {
    let mut dump = Dump::new();
    dump.file("b.ndjson", line("pay", 0, 7, NOW, "second").as_bytes());
    dump.file(
        "c.ndjson",
        (line("pay", 0, 6, NOW, "x") + "\n" + &line("pay", 0, 7, NOW, "third")).as_bytes(),
    );
    dump.file(
        "a.ndjson",
        (line("pay", 0, 7, NOW, "first") + "\n" + &line("pay", 0, 8, NOW, "x")).as_bytes(),
    );
    for memory_bytes in [1 << 20, 1] {
        let seen = dump.read_within(memory_bytes);
        let values: Vec<_> = seen
            .iter()
            .filter_map(|one| one.payload.as_deref())
            .collect();
        assert_eq!(values, [&b"x"[..], b"first", b"x"]);
        dump.files.reverse();
        assert_eq!(dump.read_within(memory_bytes), seen);
    }
}

#[test]
fn nothing_appended_after_the_end_is_returned() {
    let lines: Vec<_> = (0..9)
        .map(|n| line("pay", n % 2, n.into(), NOW + i64::from(n), "x"))
        .collect();
    let options = Options {
        until: Some(Timestamp::from_millis(NOW + 4)),
        ..Options::default()
    };
    let mut sorted = Dump::of(&lines).open(options).unwrap();
    let seen = read_all(&mut sorted);
    assert_eq!(seen.last().map(|last| last.at), Some(NOW + 4));
    assert_eq!(seen.len(), 5);
    assert!(sorted.next().unwrap().is_none(), "the end stays the end");
}

fn bare(kind: &str, second: u32) -> String {
    format!(r#"{{"type":"{kind}","event_id":"e","occurred_at":"2026-04-09T02:00:{second:02}Z"}}"#)
}

#[test]
fn bare_events_of_a_file_are_one_partition_in_the_order_of_their_lines() {
    let mut dump = Dump::new();
    let second = [
        bare("terminal.credited", 9),
        bare("payment.succeeded", 3),
        String::new(),
        bare("marker", 10),
    ];
    dump.file("z/2.ndjson", second.join("\n").as_bytes());
    dump.file("a/3.ndjson", line("pay", 0, 0, NOW, "enveloped").as_bytes());
    dump.file("b/4.ndjson", bare("payment.refunded", 4).as_bytes());
    let at_two = 1_775_700_000_000 - NOW;
    let expected = [
        (0, 0, 0, 0),
        (at_two + 4000, 2, 1, 1),
        (at_two + 9000, 1, 0, 1),
        (at_two + 9000, 0, 0, 2),
        (at_two + 10_000, 3, 0, 4),
    ];
    let seen = dump.read();
    assert_eq!(places(&seen), expected);
    assert_eq!(seen[2].payload.as_deref(), Some(second[0].as_bytes()));
    dump.files.reverse();
    dump.files.push(dump.files[0].clone());
    assert_eq!(
        dump.read(),
        seen,
        "the order of the arguments changes nothing"
    );
}

#[test]
fn a_bare_event_without_a_time_is_used_at_the_time_of_the_line_before() {
    let broken = r#"{"type":"payment.held","occurred_at":"yesterday"}"#;
    let dump = Dump::of(&[bare("payment.succeeded", 5), broken.into()]);
    let seen = dump.read();
    assert_eq!(
        (seen[1].at, seen[1].ts, seen[1].plausible),
        (seen[0].at, -1, false)
    );
}

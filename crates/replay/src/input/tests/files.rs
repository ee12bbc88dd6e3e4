//! What files may look like, and what is said of those that cannot be read.

use super::*;

fn failure(dump: &Dump, options: Options<'_>) -> String {
    match dump.open(options) {
        Ok(_) => String::from("no failure"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn plain_gzip_and_zstd_say_the_same() {
    let text: String = (0..5000)
        .map(|n| line("pay", n % 5, n.into(), NOW + i64::from(n), "x") + "\n")
        .collect();
    let read = |name: &str| {
        let mut dump = Dump::new();
        dump.file(name, text.as_bytes());
        dump.read()
    };
    let plain = read("one.ndjson");
    assert_eq!(plain.len(), 5000);
    assert_eq!(read("one.ndjson.gz"), plain);
    assert_eq!(read("one.ndjson.zst"), plain);
}

#[test]
fn line_ends_blank_lines_and_marks_do_not_matter() {
    let lines = [line("pay", 0, 0, NOW, "a"), line("pay", 0, 1, NOW, "b")];
    let mut dump = Dump::new();
    let text = format!("\u{feff}{}\r\n\r\n   \n{}", lines[0], lines[1]);
    dump.file("dos.ndjson", text.as_bytes());
    dump.file("empty.ndjson", b"");
    let mut sorted = dump.open(Options::default()).unwrap();
    assert_eq!(read_all(&mut sorted), Dump::of(&lines).read());
    assert_eq!(sorted.bad_lines().count(), 0);
    assert_eq!(sorted.counters().lines, 4);
    assert_eq!(sorted.counters().bytes, text.len() as u64);
}

#[test]
fn what_is_no_record_or_of_an_unknown_topic_is_a_bad_line() {
    let good = line("pay", 0, 0, NOW, "a");
    let unknown = line("payments", 0, 0, NOW, "a");
    let mut dump = Dump::new();
    dump.file(
        "b.ndjson",
        format!("[]\n{good}\n{unknown}\n{{}}\nx").as_bytes(),
    );
    dump.file("a.ndjson", b"\n\xff\xfe\n{\"topic\":\"pay\"}");
    let mut sorted = dump.open(Options::default()).unwrap();
    assert_eq!(read_all(&mut sorted).len(), 1);
    let bad = sorted
        .bad_lines()
        .map(|bad| (bad.file.file_name().unwrap().to_str().unwrap(), bad.line));
    let expected = [
        ("a.ndjson", 2),
        ("a.ndjson", 3),
        ("b.ndjson", 1),
        ("b.ndjson", 3),
        ("b.ndjson", 4),
        ("b.ndjson", 5),
    ];
    assert_eq!(bad.collect::<Vec<_>>(), expected);
}

#[test]
fn a_line_beyond_the_limit_is_bad_and_the_rest_is_read() {
    let long = line("pay", 0, 0, NOW, &"x".repeat(5000));
    let dump = Dump::of(&[long.clone(), line("pay", 0, 1, NOW, "short")]);
    let read = |line_limit_bytes| {
        let options = Options {
            line_limit_bytes,
            ..Options::default()
        };
        let mut sorted = dump.open(options).unwrap();
        (read_all(&mut sorted).len(), sorted.bad_lines().count())
    };
    assert_eq!(read(long.len()), (1, 1));
    assert_eq!(read(long.len() + 1), (2, 0));
}

#[test]
fn values_keep_their_bytes() {
    let long = "long".repeat(100_000);
    let payloads = [
        long.as_str(),
        "",
        "\"quoted\" \\ \n \u{1} 掉单 \u{1F600}",
        "x",
    ];
    let mut lines: Vec<_> = payloads
        .iter()
        .zip(0..)
        .map(|(text, at)| line("pay", 0, at, NOW, text))
        .collect();
    lines.push(
        r#"{"topic":"pay","partition":0,"offset":4,"ts":1775700000000,"key":null,"payload":null}"#
            .into(),
    );
    for memory_bytes in [1 << 20, 1] {
        let values: Vec<_> = Dump::of(&lines)
            .read_within(memory_bytes)
            .into_iter()
            .map(|one| one.payload)
            .collect();
        let expected = payloads
            .map(|text| Some(text.as_bytes().to_vec()))
            .into_iter()
            .chain([None]);
        assert_eq!(values, expected.collect::<Vec<_>>());
    }
}

#[test]
fn a_missing_file_is_named() {
    let mut dump = Dump::new();
    dump.files.push(dump.dir.path().join("nowhere.ndjson"));
    let message = failure(&dump, Options::default());
    assert!(
        message.contains("cannot open") && message.contains("nowhere.ndjson"),
        "{message}"
    );
}

#[test]
fn a_broken_file_is_named_with_how_far_it_was_read() {
    let text: String = (0..9000)
        .map(|n| line("pay", 0, n, NOW + n, "x") + "\n")
        .collect();
    for name in ["cut.ndjson.gz", "cut.ndjson.zst"] {
        let mut dump = Dump::new();
        dump.file(name, text.as_bytes());
        let whole = std::fs::read(&dump.files[0]).unwrap();
        std::fs::write(&dump.files[0], &whole[..whole.len() * 2 / 3]).unwrap();
        let message = failure(&dump, Options::default());
        assert!(
            message.contains("beyond line ") && message.contains(name),
            "{message}"
        );
        std::fs::write(&dump.files[0], "not compressed at all").unwrap();
        let message = failure(&dump, Options::default());
        assert!(message.contains("beyond line 0 (byte 0"), "{message}");
    }
}

#[test]
fn a_place_for_sorting_that_does_not_exist_is_named() {
    let dump = Dump::of(&[line("pay", 0, 0, NOW, "a")]);
    let options = Options {
        memory_bytes: 1,
        temp_dir: Some(dump.dir.path().join("nowhere")),
        ..Options::default()
    };
    let message = failure(&dump, options);
    assert!(
        message.contains("cannot sort on disk") && message.contains("nowhere"),
        "{message}"
    );
}

#[test]
fn without_streams_nothing_is_read() {
    let opened = open(&Sources::default(), &[], Options::default());
    assert!(matches!(opened.err(), Some(InputError::NoStreams)));
    assert!(
        Dump::new().read().is_empty(),
        "without files there is just nothing"
    );
}

#[test]
fn progress_ends_with_everything() {
    let text: String = (0..40_000)
        .map(|n| line("pay", 0, n, NOW + n, "x") + "\n")
        .collect();
    let mut dump = Dump::new();
    dump.file("one.ndjson.gz", text.as_bytes());
    let mut reports = Vec::new();
    let options = Options {
        memory_bytes: 1 << 20,
        progress: Some(&mut |progress| reports.push(progress)),
        ..Options::default()
    };
    dump.open(options).unwrap();
    let last = reports.last().unwrap();
    assert_eq!(
        (last.lines, last.file_bytes, last.on_disk),
        (40_000, last.total_bytes, true)
    );
    assert!(reports.len() >= 3 && reports.is_sorted_by_key(|one| one.lines));
}

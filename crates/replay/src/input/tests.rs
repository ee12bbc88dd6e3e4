//! The public contract of the input, on files.
#![allow(clippy::unwrap_used)]

mod files;
mod live;
mod order;
mod random;

use std::io::Write;
use std::path::PathBuf;

use settlewatch_join::Timestamp;
use tempfile::TempDir;

use super::*;

/// 2026-04-09T02:00:00Z.
const NOW: i64 = 1_775_700_000_000;

const TOPICS: [&str; 4] = ["pay", "credit", "life", "term"];

fn streams() -> Vec<StreamSpec> {
    let names = ["payments", "credits", "lifecycle", "terminals"];
    let ranked = names.iter().zip(TOPICS).zip(0..);
    let spec = |((name, topic), rank): ((&&str, &str), u8)| StreamSpec {
        name: (*name).into(),
        topic: topic.into(),
        rank,
        keyed_other: rank == 3,
    };
    ranked.map(spec).collect()
}

/// A line as kcat prints it.
fn line(topic: &str, partition: i32, offset: i64, ts: i64, payload: &str) -> String {
    let payload = serde_json::to_string(payload).unwrap();
    format!(
        r#"{{"topic":"{topic}","partition":{partition},"offset":{offset},"tstype":"logappend","ts":{ts},"broker":1,"key":"k","payload":{payload}}}"#
    )
}

/// A record as the tests compare it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    at: i64,
    stream: u8,
    partition: i32,
    offset: i64,
    ts: i64,
    plausible: bool,
    payload: Option<Vec<u8>>,
}

impl Seen {
    fn of(raw: Raw<'_>) -> Self {
        Self {
            at: raw.place.at.millis(),
            stream: raw.place.stream,
            partition: raw.place.partition,
            offset: raw.place.offset,
            ts: raw.ts,
            plausible: raw.plausible,
            payload: raw.payload.map(<[u8]>::to_vec),
        }
    }
}

/// A directory of files to be read.
struct Dump {
    dir: TempDir,
    files: Vec<PathBuf>,
}

impl Dump {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir, files: vec![] }
    }

    /// A dump of one plain file with these lines.
    fn of(lines: &[String]) -> Self {
        let mut dump = Self::new();
        dump.file("all.ndjson", (lines.join("\n") + "\n").as_bytes());
        dump
    }

    fn file(&mut self, name: &str, bytes: &[u8]) {
        let file = self.dir.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, compress(name, bytes)).unwrap();
        self.files.push(file);
    }

    fn sources(&self) -> Sources {
        Sources {
            files: self.files.clone(),
        }
    }

    fn open(&self, options: Options<'_>) -> Result<Sorted, InputError> {
        open(&self.sources(), &streams(), options)
    }

    fn read(&self) -> Vec<Seen> {
        read_all(&mut self.open(Options::default()).unwrap())
    }

    fn read_within(&self, memory_bytes: usize) -> Vec<Seen> {
        let mut sorted = self.open(within(memory_bytes)).unwrap();
        read_all(&mut sorted)
    }
}

fn within(memory_bytes: usize) -> Options<'static> {
    Options {
        memory_bytes,
        ..Options::default()
    }
}

fn read_all(sorted: &mut Sorted) -> Vec<Seen> {
    let mut all = Vec::new();
    while let Some(raw) = sorted.next().unwrap() {
        all.push(Seen::of(raw));
    }
    all
}

fn compress(name: &str, bytes: &[u8]) -> Vec<u8> {
    if name.ends_with(".gz") {
        // Two members, as `cat a.gz b.gz` makes them.
        let (first, second) = bytes.split_at(bytes.len() / 2);
        [gzip(first), gzip(second)].concat()
    } else if name.ends_with(".zst") {
        zstd::encode_all(bytes, 1).unwrap()
    } else {
        bytes.to_vec()
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

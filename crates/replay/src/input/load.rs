//! Reads files into sorted partitions: in memory as far as it reaches, in runs on disk beyond.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use settlewatch_wire::Scratch;

use super::Options;
use super::chunk::{Body, Chunk, Head};
use super::error::InputError;
use super::files::{self, Taken};
use super::lines::{Line, Lines};
use super::parse::{Parsed, Parser, is_blank};
use super::report::{BadLines, Counters, Progress};
use super::spill::{Segment, Spill};

/// Lines between two reports of progress.
const PROGRESS_LINES: u64 = 1 << 14;

/// Room for an arena block, in bytes: large enough to be rare, small against the budget.
const BLOCK_BYTES: (usize, usize) = (1024, 4 << 20);

/// A partition: of a topic, or the bare events of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Origin {
    /// Rank of the stream and number of the partition.
    Topic(u8, i32),
    /// Index of the file among all files in order.
    File(usize),
}

/// Everything that was read, by partition.
pub(crate) struct Loaded {
    /// The partitions in the order they were met.
    pub(crate) origins: Vec<Origin>,
    /// Their records.
    pub(crate) stored: Stored,
    pub(crate) counters: Counters,
    pub(crate) bad: BadLines,
}

/// Where the records are.
pub(crate) enum Stored {
    /// In a sorted chunk.
    Memory(Chunk),
    /// On disk, each partition as segments.
    Disk(Spill, Vec<Vec<Segment>>),
}

/// Reads all files.
pub(crate) fn load(
    files: &[PathBuf],
    parser: &Parser,
    options: &mut Options<'_>,
) -> Result<Loaded, InputError> {
    let block_bytes = (options.memory_bytes / 32).clamp(BLOCK_BYTES.0, BLOCK_BYTES.1);
    let mut loader = Loader {
        parser,
        memory_bytes: options.memory_bytes,
        dir: options.temp_dir.clone().unwrap_or_else(std::env::temp_dir),
        chunk: Chunk::new(block_bytes),
        spill: None,
        sequences: HashMap::new(),
        origins: Vec::new(),
        latest: None,
        counters: Counters {
            implausible: vec![0; parser.ranks()],
            ..Counters::default()
        },
        bad: BadLines::default(),
    };
    let mut scratch = Scratch::default();
    let taken = Taken::default();
    let total_bytes = files::total_bytes(files);
    for (index, file) in files.iter().enumerate() {
        let progress = |loader: &Loader<'_>, options: &mut Options<'_>| {
            options.report(Progress {
                lines: loader.counters.lines,
                file_bytes: taken.bytes(),
                total_bytes,
                on_disk: loader.spill.is_some(),
            });
        };
        let source = files::open(file, &taken)?;
        let mut lines = Lines::new(source, options.max_line_bytes());
        while loader.read_line(index, file, &mut lines, &mut scratch)? {
            if loader.counters.lines.is_multiple_of(PROGRESS_LINES) {
                progress(&loader, options);
            }
        }
        loader.counters.bytes += lines.consumed();
        progress(&loader, options);
    }
    loader.finish()
}

struct Loader<'p> {
    parser: &'p Parser,
    memory_bytes: usize,
    dir: PathBuf,
    chunk: Chunk,
    spill: Option<(Spill, Vec<Vec<Segment>>)>,
    sequences: HashMap<Origin, usize>,
    origins: Vec<Origin>,
    /// The partition of the latest record, which is often that of the next one too.
    latest: Option<(Origin, usize)>,
    counters: Counters,
    bad: BadLines,
}

impl Loader<'_> {
    /// Reads one line of the file numbered `index`; `false` at its end.
    fn read_line<R: io::Read>(
        &mut self,
        index: usize,
        file: &Path,
        lines: &mut Lines<R>,
        scratch: &mut Scratch,
    ) -> Result<bool, InputError> {
        let broken = (lines.number(), lines.consumed());
        let line = lines.next().map_err(|source| InputError::Read {
            file: file.to_path_buf(),
            line: broken.0,
            byte: broken.1,
            source,
        })?;
        let Some(line) = line else { return Ok(false) };
        self.counters.lines += 1;
        let number = broken.0 + 1;
        let parsed = match line {
            Line::Text(text) => match without_mark(number, text) {
                text if is_blank(text) => return Ok(true),
                text => self.parser.parse(text, scratch),
            },
            Line::TooLong => None,
        };
        match parsed {
            Some(parsed) => self.add(index, number, &parsed)?,
            None => self.bad.add(file, number),
        }
        Ok(true)
    }

    fn add(&mut self, file: usize, line: u64, parsed: &Parsed<'_>) -> Result<(), InputError> {
        let origin = match parsed.partition {
            Some(partition) => Origin::Topic(parsed.stream, partition),
            None => Origin::File(file),
        };
        let sequence = self.sequence(origin);
        let body = match &parsed.payload {
            Some(payload) => self.chunk.arena.push(payload),
            None => Body::NULL,
        };
        let head = Head {
            offset: parsed.offset.unwrap_or(line as i64),
            ts_ms: parsed.ts_ms,
            body,
            stream: parsed.stream,
        };
        self.chunk.push(sequence, head);
        if self.chunk.bytes() > self.memory_bytes {
            self.write_run()?;
        }
        Ok(())
    }

    fn sequence(&mut self, origin: Origin) -> usize {
        if let Some((latest, sequence)) = self.latest
            && latest == origin
        {
            return sequence;
        }
        let sequence = *self.sequences.entry(origin).or_insert_with(|| {
            self.origins.push(origin);
            self.origins.len() - 1
        });
        self.latest = Some((origin, sequence));
        sequence
    }

    /// Moves what is in memory to disk.
    fn write_run(&mut self) -> Result<(), InputError> {
        let dir = self.dir.clone();
        let cannot_spill = |source| InputError::Spill { dir, source };
        self.chunk.sort();
        let written = match &mut self.spill {
            Some((spill, segments)) => spill.write_run(&self.chunk, segments),
            none => Spill::new(&self.dir).and_then(|spill| {
                let (spill, segments) = none.insert((spill, Vec::new()));
                spill.write_run(&self.chunk, segments)
            }),
        };
        self.chunk.clear();
        written.map_err(cannot_spill)
    }

    fn finish(mut self) -> Result<Loaded, InputError> {
        if self.spill.is_some() && !self.chunk.is_empty() {
            self.write_run()?;
        }
        self.bad.sort();
        let stored = match self.spill {
            Some((spill, segments)) => Stored::Disk(spill, segments),
            None => {
                self.chunk.sort();
                Stored::Memory(self.chunk)
            }
        };
        Ok(Loaded {
            origins: self.origins,
            stored,
            counters: self.counters,
            bad: self.bad,
        })
    }
}

/// The first line of a file without the byte order mark that some editors put there.
pub(crate) fn without_mark(number: u64, text: &[u8]) -> &[u8] {
    match number {
        1 => text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text),
        _ => text,
    }
}

//! One stream of records in canonical order, merged from partitions that keep their own order.
//!
//! 1. Each partition yields its records by offset; one that was met before is dropped and counted.
//! 2. The partition's clock gives each its append time (see `clock`).
//! 3. Of the partitions' next records, the smallest by (append time, stream, partition, offset) is returned.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::io;

use settlewatch_join::{Place, Timestamp};

use super::chunk::{Arena, Body, Head};
use super::clock::{Judged, Window};
use super::error::InputError;
use super::load::{Loaded, Origin, Stored};
use super::report::{BadLine, BadLines, Counters};
use super::sequence::{Chain, Heads, Located, OpenBodies, compact, depth};
use super::spill::{Segment, Spill};

/// A record as it was recorded, at its canonical place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw<'a> {
    /// Where it stands; `stream` is the rank of its stream.
    pub place: Place,
    /// The timestamp as recorded, in milliseconds since 1970; -1 where there was none.
    pub ts: i64,
    /// Whether that timestamp was believed.
    pub plausible: bool,
    /// The record's value; `None` where it was null.
    pub payload: Option<&'a [u8]>,
}

/// The records of a recording in canonical order.
pub struct Sorted {
    sequences: Vec<Sequence>,
    queue: BinaryHeap<Reverse<Next>>,
    bytes: Bytes,
    until: Timestamp,
    counters: Counters,
    bad: BadLines,
}

/// A partition's next record: its place, whether its partition is one of bare events, the partition's index.
type Next = (Place, bool, usize);

/// Where the bodies are.
enum Bytes {
    Memory(Arena),
    Disk { spill: Spill, buffer_bytes: usize },
}

impl Bytes {
    fn spill(&self) -> Option<&Spill> {
        match self {
            Self::Memory(_) => None,
            Self::Disk { spill, .. } => Some(spill),
        }
    }

    /// What went wrong with the files on disk.
    fn error(&self, source: io::Error) -> InputError {
        let dir = self
            .spill()
            .map(|spill| spill.dir.clone())
            .unwrap_or_default();
        InputError::Spill { dir, source }
    }
}

impl Sorted {
    /// Merges what was loaded, with buffers that share `memory_bytes`.
    pub(crate) fn new(
        loaded: Loaded,
        memory_bytes: usize,
        until: Option<Timestamp>,
    ) -> Result<Self, InputError> {
        let (heads, bytes) = open_heads(loaded.stored, memory_bytes)?;
        let labels = labels(&loaded.origins);
        let mut sequences: Vec<_> = heads
            .into_iter()
            .zip(labels)
            .map(|(heads, (partition, bare))| Sequence::new(heads, partition, bare))
            .collect();
        begin_clocks(&mut sequences, bytes.spill()).map_err(|source| bytes.error(source))?;
        let mut sorted = Self {
            sequences,
            queue: BinaryHeap::new(),
            bytes,
            until: until.unwrap_or(Timestamp::MAX),
            counters: loaded.counters,
            bad: loaded.bad,
        };
        for index in 0..sorted.sequences.len() {
            if let Some(next) = sorted.advance(index)? {
                sorted.queue.push(Reverse(next));
            }
        }
        Ok(sorted)
    }

    /// The next record; `None` after the last one, or after the last one appended at or before `until`.
    #[expect(
        clippy::should_implement_trait,
        reason = "the record is lent, which an iterator cannot do"
    )]
    pub fn next(&mut self) -> Result<Option<Raw<'_>>, InputError> {
        let Some(&Reverse((place, _, index))) = self.queue.peek() else {
            return Ok(None);
        };
        if place.at > self.until {
            return Ok(None);
        }
        let Some(judged) = self.sequences[index].next.take() else {
            return Ok(None);
        };
        let follower = self.advance(index)?;
        if let Some(mut first) = self.queue.peek_mut() {
            match follower {
                Some(next) => first.0 = next,
                None => {
                    PeekMut::pop(first);
                }
            }
        }
        if !judged.plausible {
            self.counters.implausible[usize::from(place.stream)] += 1;
        }
        let payload = self.payload(index, judged.record)?;
        Ok(Some(Raw {
            place,
            ts: judged.record.head.ts_ms,
            plausible: judged.plausible,
            payload,
        }))
    }

    /// Lines that were no records, by file and line.
    pub fn bad_lines(&self) -> impl Iterator<Item = BadLine<'_>> {
        self.bad.iter()
    }

    /// Counts; of what is found while records are returned, up to the last one returned.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Whether the recording was too large for memory.
    pub fn on_disk(&self) -> bool {
        self.bytes.spill().is_some()
    }

    /// Judges the next record of a partition.
    fn advance(&mut self, index: usize) -> Result<Option<Next>, InputError> {
        let sequence = &mut self.sequences[index];
        let next = sequence.advance(self.bytes.spill(), &mut self.counters.repeated);
        let next = next.map_err(|source| self.bytes.error(source))?;
        Ok(next.map(|place| (place, sequence.bare, index)))
    }

    fn payload(&mut self, index: usize, located: Located) -> Result<Option<&[u8]>, InputError> {
        let body = located.head.body;
        if body.len == Body::NULL_LEN {
            return Ok(None);
        }
        let sequence = &mut self.sequences[index];
        match (&self.bytes, &sequence.heads) {
            (Bytes::Memory(arena), _) => Ok(Some(arena.get(body))),
            (
                Bytes::Disk {
                    spill,
                    buffer_bytes,
                },
                Heads::Disk(chain),
            ) => {
                let read = sequence.bodies.get(chain, spill, located, *buffer_bytes);
                read.map(Some).map_err(|source| self.bytes.error(source))
            }
            (Bytes::Disk { .. }, Heads::Memory(..)) => Ok(None),
        }
    }
}

/// Number of each partition, and whether it is one of bare events: these are numbered in the order of their
/// files.
fn labels(origins: &[Origin]) -> Vec<(i32, bool)> {
    let mut files: Vec<_> = origins
        .iter()
        .filter_map(|origin| match origin {
            Origin::File(index) => Some(*index),
            Origin::Topic(..) => None,
        })
        .collect();
    files.sort_unstable();
    let label = |origin: &Origin| match origin {
        Origin::Topic(_, partition) => (*partition, false),
        Origin::File(index) => (files.partition_point(|file| file < index) as i32, true),
    };
    origins.iter().map(label).collect()
}

/// The least a cursor may buffer of heads and of bodies, in bytes.
const BUFFER_BYTES: (usize, usize) = (4 * 1024, 4 * 1024);

/// The most that pays for a cursor, in bytes.
const MAX_BUFFER_BYTES: usize = 512 * 1024;

/// The heads of each partition, and where the bodies are.
fn open_heads(stored: Stored, memory_bytes: usize) -> Result<(Vec<Heads>, Bytes), InputError> {
    match stored {
        Stored::Memory(chunk) => {
            let heads = chunk.heads.into_iter().map(|heads| Heads::Memory(heads, 0));
            Ok((heads.collect(), Bytes::Memory(chunk.arena)))
        }
        Stored::Disk(mut spill, mut segments) => {
            let least = BUFFER_BYTES.0 + BUFFER_BYTES.1;
            let open = |segments: &[Vec<Segment>]| -> usize {
                segments.iter().map(|one| depth(one)).sum()
            };
            if open(&segments) * least > memory_bytes {
                compact_all(&mut spill, &mut segments)?;
            }
            let share = memory_bytes / open(&segments).max(1);
            let heads_bytes = (share / 16).clamp(BUFFER_BYTES.0, MAX_BUFFER_BYTES / 16);
            let buffer_bytes = (share - share / 16).clamp(BUFFER_BYTES.1, MAX_BUFFER_BYTES);
            let heads = segments
                .into_iter()
                .map(|one| Heads::Disk(Chain::new(one, heads_bytes)));
            Ok((
                heads.collect(),
                Bytes::Disk {
                    spill,
                    buffer_bytes,
                },
            ))
        }
    }
}

/// Makes one segment of each partition that has overlapping ones, where all of them at once would need too
/// many buffers.
fn compact_all(spill: &mut Spill, segments: &mut [Vec<Segment>]) -> Result<(), InputError> {
    for one in segments.iter_mut().filter(|one| depth(one) > 1) {
        let merged = compact(spill, std::mem::take(one), BUFFER_BYTES.1);
        one.push(merged.map_err(|source| InputError::Spill {
            dir: spill.dir.clone(),
            source,
        })?);
    }
    Ok(())
}

/// A partition on its way through its clock.
struct Sequence {
    partition: i32,
    bare: bool,
    heads: Heads,
    bodies: OpenBodies,
    window: Window<Located>,
    latest: Option<i64>,
    next: Option<Judged<Located>>,
}

impl Sequence {
    fn new(heads: Heads, partition: i32, bare: bool) -> Self {
        Self {
            partition,
            bare,
            heads,
            bodies: OpenBodies::default(),
            window: Window::new(0),
            latest: None,
            next: None,
        }
    }

    /// Moves on to the next record, and says where it stands.
    fn advance(&mut self, spill: Option<&Spill>, repeated: &mut u64) -> io::Result<Option<Place>> {
        while !self.window.is_full() {
            let Some(located) = self.heads.next(spill)? else {
                break;
            };
            if self.latest == Some(located.head.offset) {
                *repeated += 1;
                continue;
            }
            self.latest = Some(located.head.offset);
            self.window.push(located);
        }
        self.next = self.window.pop();
        Ok(self.next.as_ref().map(|judged| self.place(judged)))
    }

    fn place(&self, judged: &Judged<Located>) -> Place {
        let Head { offset, stream, .. } = judged.record.head;
        Place {
            at: Timestamp::from_millis(judged.at_ms),
            stream,
            partition: self.partition,
            offset,
        }
    }

    /// The first plausible timestamp, in milliseconds since 1970, and back to the beginning.
    fn first_plausible(&mut self, spill: Option<&Spill>) -> io::Result<Option<i64>> {
        let mut first = None;
        while self.advance(spill, &mut 0)?.is_some() && first.is_none() {
            let plausible = self.next.as_ref().filter(|judged| judged.plausible);
            first = plausible.map(|judged| judged.at_ms);
        }
        self.restart(0);
        Ok(first)
    }

    /// Back to the beginning, with the append time that holds before the first plausible record.
    fn restart(&mut self, before_ms: i64) {
        self.heads.rewind();
        self.window = Window::new(before_ms);
        self.latest = None;
        self.next = None;
    }
}

/// Gives each partition the append time of what stands before its first plausible record: that record's, or
/// the smallest of all partitions where it has none, or 1970 where no partition has one.
fn begin_clocks(sequences: &mut [Sequence], spill: Option<&Spill>) -> io::Result<()> {
    let firsts: Vec<_> = sequences
        .iter_mut()
        .map(|sequence| sequence.first_plausible(spill))
        .collect::<io::Result<_>>()?;
    let earliest = firsts.iter().flatten().min().copied();
    for (sequence, first) in sequences.iter_mut().zip(firsts) {
        sequence.restart(first.or(earliest).unwrap_or(0));
    }
    Ok(())
}

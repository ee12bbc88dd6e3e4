//! The heads of one partition in the order of their offsets, from memory or from overlapping segments.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::io;

use super::chunk::Head;
use super::clock::Stamped;
use super::spill::{BodyCursor, HeadCursor, Segment, Spill};

/// A head, and the segment that its body lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Located {
    pub(crate) head: Head,
    /// Index among the segments of its partition; nothing in memory.
    pub(crate) segment: u32,
}

impl Stamped for Located {
    fn ts_ms(&self) -> i64 {
        self.head.ts_ms
    }
}

/// Where the heads of a partition come from.
pub(crate) enum Heads {
    /// Sorted, all in memory; the number is that of the next one.
    Memory(Vec<Head>, usize),
    /// Merged from disk.
    Disk(Chain),
}

impl Heads {
    /// The next head, repeated offsets included.
    pub(crate) fn next(&mut self, spill: Option<&Spill>) -> io::Result<Option<Located>> {
        match (self, spill) {
            (Self::Memory(heads, next), _) => {
                let head = heads.get(*next).copied();
                *next += 1;
                Ok(head.map(|head| Located { head, segment: 0 }))
            }
            (Self::Disk(chain), Some(spill)) => chain.next(spill),
            (Self::Disk(_), None) => Ok(None),
        }
    }

    /// Starts again at the first head.
    pub(crate) fn rewind(&mut self) {
        match self {
            Self::Memory(_, next) => *next = 0,
            Self::Disk(chain) => {
                *chain = Chain::new(std::mem::take(&mut chain.segments), chain.buffer_bytes);
            }
        }
    }
}

/// Segments of one partition, merged by offset; each is opened when its first offset comes up.
pub(crate) struct Chain {
    /// In the order of their first offsets.
    segments: Vec<Segment>,
    opened: usize,
    open: BinaryHeap<Reverse<Opened>>,
    buffer_bytes: usize,
}

/// An open segment, ordered by its next head.
struct Opened {
    /// Offset, then run: of equal offsets the one read first comes first.
    key: (i64, u32),
    head: Head,
    segment: u32,
    cursor: HeadCursor,
}

impl PartialEq for Opened {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Opened {}

impl PartialOrd for Opened {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Opened {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

impl Chain {
    /// A chain over `segments` whose cursors buffer about `buffer_bytes` each.
    pub(crate) fn new(mut segments: Vec<Segment>, buffer_bytes: usize) -> Self {
        segments.sort_by_key(|segment| (segment.first, segment.run));
        Self {
            segments,
            opened: 0,
            open: BinaryHeap::new(),
            buffer_bytes,
        }
    }

    /// A cursor over the bodies of a segment.
    pub(crate) fn bodies(&self, segment: u32, buffer_bytes: usize) -> BodyCursor {
        BodyCursor::new(&self.segments[segment as usize], buffer_bytes)
    }

    fn next(&mut self, spill: &Spill) -> io::Result<Option<Located>> {
        self.open_due(spill)?;
        let Some(mut first) = self.open.peek_mut() else {
            return Ok(None);
        };
        let opened = &mut first.0;
        let located = Located {
            head: opened.head,
            segment: opened.segment,
        };
        match opened.cursor.next(spill)? {
            Some(head) => {
                opened.key.0 = head.offset;
                opened.head = head;
            }
            None => {
                PeekMut::pop(first);
            }
        }
        Ok(Some(located))
    }

    /// Opens the segments that may hold the next head.
    fn open_due(&mut self, spill: &Spill) -> io::Result<()> {
        while let Some(segment) = self.segments.get(self.opened) {
            let next = self.open.peek().map(|first| first.0.key.0);
            if next.is_some_and(|offset| offset < segment.first) {
                break;
            }
            let mut cursor = HeadCursor::new(segment, self.buffer_bytes);
            if let Some(head) = cursor.next(spill)? {
                self.open.push(Reverse(Opened {
                    key: (head.offset, segment.run),
                    head,
                    segment: self.opened as u32,
                    cursor,
                }));
            }
            self.opened += 1;
        }
        Ok(())
    }
}

/// How many of `segments` are open at once when they are merged.
pub(crate) fn depth(segments: &[Segment]) -> usize {
    let mut sorted: Vec<_> = segments
        .iter()
        .map(|segment| (segment.first, segment.last))
        .collect();
    sorted.sort_unstable();
    let mut open: BinaryHeap<Reverse<i64>> = BinaryHeap::new();
    let mut deepest = 0;
    for (first, last) in sorted {
        while open.peek().is_some_and(|ends| ends.0 < first) {
            open.pop();
        }
        open.push(Reverse(last));
        deepest = deepest.max(open.len());
    }
    deepest
}

/// Rewrites `segments` as one, so that merging the partition needs one cursor.
pub(crate) fn compact(
    spill: &mut Spill,
    segments: Vec<Segment>,
    buffer_bytes: usize,
) -> io::Result<Segment> {
    let mut chain = Chain::new(segments, buffer_bytes);
    let mut bodies = OpenBodies::default();
    let mut copy = Vec::new();
    let mut merged = spill.begin_segment(0);
    while let Some(located) = chain.next(spill)? {
        copy.clear();
        copy.extend_from_slice(bodies.get(&chain, spill, located, buffer_bytes)?);
        spill.append(&mut merged, located.head, &copy)?;
    }
    spill.flush()?;
    Ok(merged)
}

/// The body cursors of one partition that are in use.
#[derive(Default)]
pub(crate) struct OpenBodies {
    cursors: Vec<(u32, BodyCursor)>,
    large: Vec<u8>,
}

impl OpenBodies {
    /// The bytes of a record of `chain`, whose records come in order.
    pub(crate) fn get(
        &mut self,
        chain: &Chain,
        spill: &Spill,
        located: Located,
        buffer_bytes: usize,
    ) -> io::Result<&[u8]> {
        let Located { head, segment } = located;
        self.large = Vec::new();
        self.cursors
            .retain(|(_, cursor)| cursor.last >= head.offset);
        let found = self.cursors.iter().position(|(of, _)| *of == segment);
        let index = found.unwrap_or(self.cursors.len());
        if found.is_none() {
            self.cursors
                .push((segment, chain.bodies(segment, buffer_bytes)));
        }
        self.cursors[index].1.get(spill, head.body, &mut self.large)
    }
}

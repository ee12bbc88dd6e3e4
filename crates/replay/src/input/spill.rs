//! Sorted runs on disk: two unnamed files, one of heads and one of bodies, that vanish with the process.
//!
//! A run writes a segment for each partition it has records of. Heads lie apart from bodies, so that the
//! clock of a partition can look ahead without touching a body.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::chunk::{Body, Chunk, Head};

/// A head on disk, in bytes.
const HEAD_BYTES: usize = 29;

/// Written to a file at once, in bytes.
const WRITE_BYTES: usize = 256 * 1024;

/// The records of one partition in one run, in the order of their offsets.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) first: i64,
    pub(crate) last: i64,
    /// Position among the runs: of two records with one offset, the earlier run's was read first.
    pub(crate) run: u32,
    heads: Range<u64>,
    bodies: Range<u64>,
}

/// A file written at its end and read anywhere.
struct Store {
    file: File,
    /// Bytes on disk.
    written: u64,
    pending: Vec<u8>,
}

impl Store {
    fn new(dir: &Path) -> io::Result<Self> {
        Ok(Self {
            file: tempfile::tempfile_in(dir)?,
            written: 0,
            pending: Vec::with_capacity(WRITE_BYTES),
        })
    }

    /// Where the next byte goes.
    fn end(&self) -> u64 {
        self.written + self.pending.len() as u64
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.pending.len() + bytes.len() > WRITE_BYTES {
            self.flush()?;
        }
        if bytes.len() > WRITE_BYTES {
            return self.write(bytes);
        }
        self.pending.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        let pending = std::mem::take(&mut self.pending);
        self.write(&pending)?;
        self.pending = pending;
        self.pending.clear();
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.written))?;
        self.file.write_all(bytes)?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(into)
    }
}

/// The two files, and where they lie.
pub(crate) struct Spill {
    pub(crate) dir: PathBuf,
    heads: Store,
    bodies: Store,
    runs: u32,
}

impl Spill {
    pub(crate) fn new(dir: &Path) -> io::Result<Self> {
        Ok(Self {
            dir: dir.to_path_buf(),
            heads: Store::new(dir)?,
            bodies: Store::new(dir)?,
            runs: 0,
        })
    }

    /// Writes a sorted `chunk` as one run and adds its segments to their partitions.
    pub(crate) fn write_run(
        &mut self,
        chunk: &Chunk,
        segments: &mut Vec<Vec<Segment>>,
    ) -> io::Result<()> {
        segments.resize_with(segments.len().max(chunk.heads.len()), Vec::new);
        for (sequence, heads) in chunk
            .heads
            .iter()
            .enumerate()
            .filter(|(_, heads)| !heads.is_empty())
        {
            let mut segment = self.begin_segment(self.runs);
            for &head in heads {
                self.append(&mut segment, head, chunk.arena.get(head.body))?;
            }
            segments[sequence].push(segment);
        }
        self.runs += 1;
        self.flush()
    }

    /// An empty segment at the end of the files.
    pub(crate) fn begin_segment(&self, run: u32) -> Segment {
        let (heads, bodies) = (self.heads.end(), self.bodies.end());
        Segment {
            first: i64::MAX,
            last: i64::MIN,
            run,
            heads: heads..heads,
            bodies: bodies..bodies,
        }
    }

    /// Adds a record to `segment`, which was begun last; its offset is not below those before it.
    pub(crate) fn append(
        &mut self,
        segment: &mut Segment,
        head: Head,
        body: &[u8],
    ) -> io::Result<()> {
        let stored = Body {
            at: self.bodies.end(),
            len: head.body.len,
        };
        self.bodies.append(body)?;
        self.heads.append(&encode(Head {
            body: stored,
            ..head
        }))?;
        segment.first = segment.first.min(head.offset);
        segment.last = segment.last.max(head.offset);
        segment.heads.end = self.heads.end();
        segment.bodies.end = self.bodies.end();
        Ok(())
    }

    /// Makes everything appended readable.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.heads.flush()?;
        self.bodies.flush()
    }
}

fn encode(head: Head) -> [u8; HEAD_BYTES] {
    let mut bytes = [0; HEAD_BYTES];
    bytes[0..8].copy_from_slice(&head.offset.to_le_bytes());
    bytes[8..16].copy_from_slice(&head.ts_ms.to_le_bytes());
    bytes[16..24].copy_from_slice(&head.body.at.to_le_bytes());
    bytes[24..28].copy_from_slice(&head.body.len.to_le_bytes());
    bytes[28] = head.stream;
    bytes
}

fn decode(bytes: &[u8; HEAD_BYTES]) -> Head {
    let word = |from: usize| {
        let mut word = [0; 8];
        word.copy_from_slice(&bytes[from..from + 8]);
        word
    };
    let mut len = [0; 4];
    len.copy_from_slice(&bytes[24..28]);
    Head {
        offset: i64::from_le_bytes(word(0)),
        ts_ms: i64::from_le_bytes(word(8)),
        body: Body {
            at: u64::from_le_bytes(word(16)),
            len: u32::from_le_bytes(len),
        },
        stream: bytes[28],
    }
}

/// Reads the heads of a segment in order.
pub(crate) struct HeadCursor {
    /// What is still on disk.
    rest: Range<u64>,
    buffer: Vec<u8>,
    at: usize,
    buffer_bytes: usize,
}

impl HeadCursor {
    /// A cursor at the first head of `segment` that buffers about `buffer_bytes`.
    pub(crate) fn new(segment: &Segment, buffer_bytes: usize) -> Self {
        Self {
            rest: segment.heads.clone(),
            buffer: Vec::new(),
            at: 0,
            buffer_bytes: buffer_bytes.max(HEAD_BYTES) / HEAD_BYTES * HEAD_BYTES,
        }
    }

    pub(crate) fn next(&mut self, spill: &Spill) -> io::Result<Option<Head>> {
        if self.at == self.buffer.len() {
            let read = (self.buffer_bytes as u64).min(self.rest.end - self.rest.start);
            self.buffer.resize(read as usize, 0);
            spill.heads.read_at(self.rest.start, &mut self.buffer)?;
            self.rest.start += read;
            self.at = 0;
        }
        let Some(bytes) = self.buffer[self.at..].first_chunk() else {
            return Ok(None);
        };
        self.at += HEAD_BYTES;
        Ok(Some(decode(bytes)))
    }
}

/// Reads the bodies of a segment, mostly in order.
pub(crate) struct BodyCursor {
    /// Offset of the segment's last record: after it, the cursor is of no use.
    pub(crate) last: i64,
    end: u64,
    start: u64,
    window: Vec<u8>,
    buffer_bytes: usize,
}

impl BodyCursor {
    /// A cursor over the bodies of `segment` that buffers about `buffer_bytes`.
    pub(crate) fn new(segment: &Segment, buffer_bytes: usize) -> Self {
        Self {
            last: segment.last,
            end: segment.bodies.end,
            start: segment.bodies.start,
            window: Vec::new(),
            buffer_bytes,
        }
    }

    /// The bytes of `body`; one that is larger than the buffer is read into `large`.
    pub(crate) fn get<'a>(
        &'a mut self,
        spill: &Spill,
        body: Body,
        large: &'a mut Vec<u8>,
    ) -> io::Result<&'a [u8]> {
        let len = body.bytes();
        if len > self.buffer_bytes {
            large.resize(len, 0);
            spill.bodies.read_at(body.at, large)?;
            return Ok(large);
        }
        let held = self.start..self.start + self.window.len() as u64;
        if body.at < held.start || body.at + len as u64 > held.end {
            let read = (self.buffer_bytes as u64).min(self.end - body.at);
            self.window.resize(read as usize, 0);
            spill.bodies.read_at(body.at, &mut self.window)?;
            self.start = body.at;
        }
        let from = (body.at - self.start) as usize;
        Ok(&self.window[from..from + len])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_survive_the_disk() {
        let extremes = [
            (i64::MIN, i64::MAX, Body::NULL, 0),
            (
                i64::MAX,
                -1,
                Body {
                    at: u64::MAX,
                    len: 7,
                },
                255,
            ),
        ];
        for (offset, ts_ms, body, stream) in extremes {
            let head = Head {
                offset,
                ts_ms,
                body,
                stream,
            };
            assert_eq!(decode(&encode(head)), head);
        }
    }
}

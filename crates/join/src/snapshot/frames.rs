//! The envelope of a snapshot: header, frames, checksum, cut into chunks anywhere.

use alloc::vec::Vec;
use core::hash::Hasher;

use siphasher::sip::SipHasher13;

use super::SnapshotError;
use super::codec::Malformed;

/// First bytes of every snapshot.
const MAGIC: [u8; 4] = *b"SWJ\x1a";
/// Format version that is written.
pub(super) const VERSION: u16 = 1;
/// Oldest format version that is still read.
const OLDEST: u16 = 1;

const HEADER: usize = MAGIC.len() + 1 + size_of::<u16>();
const FRAME_HEADER: usize = 1 + size_of::<u32>();

/// The last frame: the checksum of all bytes before it.
const END: u8 = 0xff;

/// A frame is closed when it holds this much, so that neither side needs more at once.
const FRAME_BYTES: usize = 32 << 10;

/// Keys of the checksum. It guards against accidents, not against forgers.
const KEYS: (u64, u64) = (0x736e_6170_7368_6f74, 0x6368_6563_6b73_756d);

/// What a snapshot is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Partition = b'P' as isize,
    Pairs = b'N' as isize,
}

/// Writes frames and gives chunks away.
pub(super) struct FrameWriter<'a> {
    out: &'a mut dyn FnMut(&[u8]),
    chunk_bytes: usize,
    chunk: Vec<u8>,
    frame: Vec<u8>,
    hasher: SipHasher13,
}

impl<'a> FrameWriter<'a> {
    pub(super) fn new(kind: Kind, chunk_bytes: usize, out: &'a mut dyn FnMut(&[u8])) -> Self {
        let mut writer = Self {
            out,
            chunk_bytes: chunk_bytes.max(1),
            chunk: Vec::new(),
            frame: Vec::new(),
            hasher: SipHasher13::new_with_keys(KEYS.0, KEYS.1),
        };
        let mut header = MAGIC.to_vec();
        header.push(kind as u8);
        header.extend_from_slice(&VERSION.to_le_bytes());
        writer.put(&header);
        writer
    }

    /// Writes one frame.
    pub(super) fn one(&mut self, tag: u8, fill: impl FnOnce(&mut Vec<u8>)) {
        let mut frame = core::mem::take(&mut self.frame);
        fill(&mut frame);
        self.flush(tag, &mut frame);
        self.frame = frame;
    }

    /// Writes items into as many frames as they need; none is cut in two.
    pub(super) fn many<T>(
        &mut self,
        tag: u8,
        items: impl Iterator<Item = T>,
        mut fill: impl FnMut(&mut Vec<u8>, T),
    ) {
        let mut frame = core::mem::take(&mut self.frame);
        for item in items {
            fill(&mut frame, item);
            if frame.len() >= FRAME_BYTES {
                self.flush(tag, &mut frame);
            }
        }
        if !frame.is_empty() {
            self.flush(tag, &mut frame);
        }
        self.frame = frame;
    }

    fn flush(&mut self, tag: u8, frame: &mut Vec<u8>) {
        let len = u32::try_from(frame.len()).expect("one item is far below 4 GiB");
        self.put(&[tag]);
        self.put(&len.to_le_bytes());
        self.put(frame);
        frame.clear();
    }

    fn put(&mut self, bytes: &[u8]) {
        self.hasher.write(bytes);
        self.chop(bytes);
    }

    fn chop(&mut self, mut bytes: &[u8]) {
        while self.chunk.len() + bytes.len() >= self.chunk_bytes {
            let (now, later) = bytes.split_at(self.chunk_bytes - self.chunk.len());
            self.chunk.extend_from_slice(now);
            (self.out)(&self.chunk);
            self.chunk.clear();
            bytes = later;
        }
        self.chunk.extend_from_slice(bytes);
    }

    /// Writes the checksum and gives the last chunk away.
    pub(super) fn finish(mut self) {
        let sum = self.hasher.finish().to_le_bytes();
        let mut end = alloc::vec![END];
        end.extend_from_slice(&(sum.len() as u32).to_le_bytes());
        end.extend_from_slice(&sum);
        self.chop(&end);
        if !self.chunk.is_empty() {
            (self.out)(&self.chunk);
        }
    }
}

/// What gets the tag and payload of each frame.
pub(super) type Take<'a> = dyn FnMut(u8, &[u8]) -> Result<(), Malformed> + 'a;

/// How far the reader is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Header,
    Frames,
    End,
}

/// Takes chunks and gives frames.
pub(super) struct FrameReader {
    kind: Kind,
    at: At,
    /// What does not make a whole frame yet.
    pending: Vec<u8>,
    hasher: SipHasher13,
}

impl FrameReader {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            at: At::Header,
            pending: Vec::new(),
            hasher: SipHasher13::new_with_keys(KEYS.0, KEYS.1),
        }
    }

    /// Takes a chunk; `take` gets the tag and payload of each frame that it completes.
    pub(super) fn push(&mut self, chunk: &[u8], take: &mut Take<'_>) -> Result<(), SnapshotError> {
        let mut pending = core::mem::take(&mut self.pending);
        pending.extend_from_slice(chunk);
        let mut read = 0;
        while let Some(len) = self.step(&pending[read..], take)? {
            read += len;
        }
        pending.drain(..read);
        self.pending = pending;
        Ok(())
    }

    /// Reads what stands in front; its length, or `None` where it is not complete.
    fn step(&mut self, bytes: &[u8], take: &mut Take<'_>) -> Result<Option<usize>, SnapshotError> {
        match self.at {
            At::Header => self.header(bytes),
            At::Frames => self.frame(bytes, take),
            At::End if bytes.is_empty() => Ok(None),
            At::End => Err(SnapshotError::Corrupt),
        }
    }

    fn header(&mut self, bytes: &[u8]) -> Result<Option<usize>, SnapshotError> {
        let known = bytes.len().min(MAGIC.len());
        if bytes[..known] != MAGIC[..known] {
            return Err(SnapshotError::NotASnapshot);
        }
        let Some(&[.., kind, low, high]) = bytes.first_chunk::<HEADER>() else {
            return Ok(None);
        };
        if kind != self.kind as u8 {
            return Err(SnapshotError::NotASnapshot);
        }
        let found = u16::from_le_bytes([low, high]);
        if !(OLDEST..=VERSION).contains(&found) {
            return Err(SnapshotError::Version {
                found,
                supported: VERSION,
            });
        }
        self.hasher.write(&bytes[..HEADER]);
        self.at = At::Frames;
        Ok(Some(HEADER))
    }

    fn frame(&mut self, bytes: &[u8], take: &mut Take<'_>) -> Result<Option<usize>, SnapshotError> {
        let Some((&[tag, a, b, c, d], rest)) = bytes.split_first_chunk::<FRAME_HEADER>() else {
            return Ok(None);
        };
        let len = u32::from_le_bytes([a, b, c, d]) as usize;
        let Some(payload) = rest.get(..len) else {
            return Ok(None);
        };
        if tag == END {
            if payload != self.hasher.finish().to_le_bytes() {
                return Err(SnapshotError::Corrupt);
            }
            self.at = At::End;
        } else {
            self.hasher.write(&bytes[..FRAME_HEADER + len]);
            take(tag, payload).map_err(|Malformed| SnapshotError::Corrupt)?;
        }
        Ok(Some(FRAME_HEADER + len))
    }

    /// Whether everything came.
    pub(super) fn finish(&self) -> Result<(), SnapshotError> {
        if self.at == At::End {
            Ok(())
        } else {
            Err(SnapshotError::Truncated)
        }
    }
}

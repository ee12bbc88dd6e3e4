//! Finished ids in a snapshot: young hours as their hashes, older ones as the filters they are.
//!
//! Frames follow each other: the head of an hour, its hashes, then the head of each filter and its words.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::finished::{Finished, Segment};
use crate::fuse::Fuse;
use crate::time::Span;

use super::codec::{Coded, Input, Malformed};
use super::frames::FrameWriter;
use super::tags;

/// The families of hours.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    /// By business time.
    Hours = 0,
    /// By append time, of what is dated out of reach.
    Odd = 1,
}

/// Writes all hours of `owner`.
pub(super) fn write(frames: &mut FrameWriter<'_>, owner: u8, finished: &Finished) {
    frames.one(tags::FINISHED, |out| {
        owner.write(out);
        finished.now.write(out);
    });
    let families = [
        (Family::Hours, &finished.hours),
        (Family::Odd, &finished.odd),
    ];
    for (family, segments) in families {
        for (hour, segment) in segments {
            write_segment(frames, family, *hour, segment);
        }
    }
}

fn write_segment(frames: &mut FrameWriter<'_>, family: Family, hour: i64, segment: &Segment) {
    frames.one(tags::HOUR, |out| {
        (family as u8).write(out);
        hour.write(out);
        segment.sealed_len.write(out);
    });
    let mut keys: Vec<u64> = segment.exact.iter().copied().collect();
    // The table's order depends on its history; the snapshot must not. In the order of their places in a
    // table of just this size they are put back without jumping about in memory.
    let places = (keys.len() * 8 / 7).next_power_of_two().trailing_zeros();
    keys.sort_unstable_by_key(|key| key.rotate_right(places));
    frames.many(tags::KEYS, keys.iter(), |out, key| {
        out.extend_from_slice(&key.to_le_bytes());
    });
    for filter in &segment.sealed {
        frames.one(tags::FILTER, |out| {
            filter.seed.write(out);
            filter.segment_length.write(out);
            filter.segment_count_length.write(out);
        });
        frames.many(tags::WORDS, filter.fingerprints.iter(), |out, word| {
            out.extend_from_slice(&word.to_le_bytes());
        });
    }
}

/// Puts hours together again.
pub(super) struct FinishedReader {
    pub(super) owner: u8,
    finished: Finished,
    hour: Option<Hour>,
}

struct Hour {
    family: u8,
    at: i64,
    sealed_len: usize,
    keys: Vec<u64>,
    sealed: Vec<Fuse>,
    filter: Option<Filter>,
}

struct Filter {
    seed: u64,
    segment_length: u32,
    segment_count_length: u32,
    words: Vec<u32>,
}

impl FinishedReader {
    pub(super) fn new(mut input: Input<'_>, horizon: Span) -> Result<Self, Malformed> {
        let owner = input.read()?;
        let mut empty = Finished::new(horizon);
        empty.now = input.read()?;
        Ok(Self {
            owner,
            finished: empty,
            hour: None,
        })
    }

    pub(super) fn hour(&mut self, mut input: Input<'_>) -> Result<(), Malformed> {
        self.close_hour()?;
        self.hour = Some(Hour {
            family: input.read()?,
            at: input.read()?,
            sealed_len: input.read()?,
            keys: Vec::new(),
            sealed: Vec::new(),
            filter: None,
        });
        Ok(())
    }

    pub(super) fn keys(&mut self, input: Input<'_>) -> Result<(), Malformed> {
        let (keys, rest) = input.0.as_chunks();
        let hour = self.hour.as_mut().ok_or(Malformed)?;
        hour.keys
            .extend(keys.iter().map(|key| u64::from_le_bytes(*key)));
        rest.is_empty().then_some(()).ok_or(Malformed)
    }

    pub(super) fn filter(&mut self, mut input: Input<'_>) -> Result<(), Malformed> {
        let hour = self.hour.as_mut().ok_or(Malformed)?;
        hour.close_filter()?;
        hour.filter = Some(Filter {
            seed: input.read()?,
            segment_length: input.read()?,
            segment_count_length: input.read()?,
            words: Vec::new(),
        });
        Ok(())
    }

    pub(super) fn words(&mut self, input: Input<'_>) -> Result<(), Malformed> {
        let (words, rest) = input.0.as_chunks();
        let hour = self.hour.as_mut().ok_or(Malformed)?;
        let filter = hour.filter.as_mut().ok_or(Malformed)?;
        let words = words.iter().map(|word| u32::from_le_bytes(*word));
        filter.words.extend(words);
        rest.is_empty().then_some(()).ok_or(Malformed)
    }

    fn close_hour(&mut self) -> Result<(), Malformed> {
        let Some(mut hour) = self.hour.take() else {
            return Ok(());
        };
        hour.close_filter()?;
        let families = [&mut self.finished.hours, &mut self.finished.odd];
        let segments: &mut BTreeMap<_, _> = families
            .into_iter()
            .nth(usize::from(hour.family))
            .ok_or(Malformed)?;
        let segment = Segment::restored(&hour.keys, hour.sealed, hour.sealed_len);
        let twice = segments.insert(hour.at, segment).is_some();
        (!twice).then_some(()).ok_or(Malformed)
    }

    pub(super) fn finish(mut self) -> Result<Finished, Malformed> {
        self.close_hour()?;
        Ok(self.finished)
    }
}

impl Hour {
    fn close_filter(&mut self) -> Result<(), Malformed> {
        if let Some(filter) = self.filter.take() {
            let words = filter.words.into_boxed_slice();
            let fuse = Fuse::new(
                filter.seed,
                filter.segment_length,
                filter.segment_count_length,
                words,
            );
            self.sealed.push(fuse.ok_or(Malformed)?);
        }
        Ok(())
    }
}

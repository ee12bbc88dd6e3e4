//! Records of the state topic: claims, steps, and the chunks of snapshots.
//!
//! The topic must not be compacted: a key says of what kind a record is, and for people where it belongs, but two
//! snapshots may share the keys of their chunks.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use settlewatch_join::Timestamp;

use crate::bytes::{Malformed, Reader, Writer};
use crate::io::{Produce, SourceId, Topic};

/// Version of these formats. A reader refuses versions it does not know.
pub(crate) const FORMAT: u8 = 1;

/// What a state topic counts: each step follows the one before it, and is written and read as a whole.
pub(crate) trait Counted: Clone + Sized {
    /// Counts the steps, without a gap.
    fn sequence(&self) -> u64;

    fn write(&self, to: &mut Writer);

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed>;
}

/// What one transaction did to a partition number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Step {
    /// Counts the steps of a partition number, without a gap.
    pub(crate) sequence: u64,
    /// Decided up to here.
    pub(crate) known: Timestamp,
    /// First offset that was not applied, by source; the pairs topic last.
    pub(crate) positions: Vec<i64>,
    /// Append times that do not follow from the records.
    pub(crate) append_times: Vec<(SourceId, i64, Timestamp)>,
    /// Records of inputs that were lost unread. Every step from the one that met a hole on says so, until one knows when
    /// it ended: whoever restores in between hears of it.
    pub(crate) holes: Vec<HoleStep>,
    /// Rules that apply from this step on, where they are others than before.
    pub(crate) rules: Option<Arc<[u8]>>,
}

/// A hole: `to` is the first offset that is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HoleStep {
    pub(crate) source: SourceId,
    /// The first offset that was not read: what stands before it was applied, in this step or a later one.
    pub(crate) from: i64,
    pub(crate) to: i64,
    /// Known time when it was met.
    pub(crate) from_time: Timestamp,
    /// When it ended; `None` while that is not known.
    pub(crate) to_time: Option<Timestamp>,
}

/// The end of a snapshot: in the transaction of its last chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manifest<S = Step> {
    pub(crate) generation: u64,
    pub(crate) chunks: u64,
    /// The step that the snapshot includes; its positions are where reading goes on.
    pub(crate) step: S,
    /// Append time of the last record of every source.
    pub(crate) clocks: Vec<Timestamp>,
    /// Whose state it is: cluster, topics, group.
    pub(crate) identity: Arc<[u8]>,
}

/// A record of the state topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StateRecord<'a, S = Step> {
    /// Somebody owns the partition number now.
    Claim {
        /// Who, unique for each claim.
        token: u64,
    },
    Step(S),
    Chunk {
        generation: u64,
        index: u64,
        bytes: &'a [u8],
    },
    Manifest(Manifest<S>),
}

impl Counted for Step {
    fn sequence(&self) -> u64 {
        self.sequence
    }

    fn write(&self, to: &mut Writer) {
        to.u64(self.sequence)
            .i64(self.known.millis())
            .len(self.positions.len());
        for &position in &self.positions {
            to.i64(position);
        }
        to.len(self.append_times.len());
        for &(source, offset, at) in &self.append_times {
            to.u8(source.0).i64(offset).i64(at.millis());
        }
        to.len(self.holes.len());
        for hole in &self.holes {
            hole.write(to);
        }
        to.u8(u8::from(self.rules.is_some()));
        if let Some(rules) = &self.rules {
            to.bytes(rules);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let sequence = from.u64()?;
        let known = time(from)?;
        let positions = list(from, 8, Reader::i64)?;
        let append_times = list(from, 17, |from| {
            Ok((SourceId(from.u8()?), from.i64()?, time(from)?))
        })?;
        let holes = list(from, HoleStep::BYTES, HoleStep::read)?;
        let rules = match from.u8()? {
            0 => None,
            1 => Some(from.bytes()?.into()),
            _ => return Err(Malformed),
        };
        Ok(Self {
            sequence,
            known,
            positions,
            append_times,
            holes,
            rules,
        })
    }
}

impl HoleStep {
    /// Of one that is open.
    const BYTES: usize = 26;

    fn write(&self, to: &mut Writer) {
        to.u8(self.source.0).i64(self.from).i64(self.to);
        to.i64(self.from_time.millis());
        to.u8(u8::from(self.to_time.is_some()));
        if let Some(at) = self.to_time {
            to.i64(at.millis());
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            source: SourceId(from.u8()?),
            from: from.i64()?,
            to: from.i64()?,
            from_time: time(from)?,
            to_time: match from.u8()? {
                0 => None,
                1 => Some(time(from)?),
                _ => return Err(Malformed),
            },
        })
    }
}

pub(crate) fn time(from: &mut Reader<'_>) -> Result<Timestamp, Malformed> {
    from.i64().map(Timestamp::from_millis)
}

pub(crate) fn list<'a, T>(
    from: &mut Reader<'a>,
    size: usize,
    read: impl Fn(&mut Reader<'a>) -> Result<T, Malformed>,
) -> Result<Vec<T>, Malformed> {
    let len = from.len(size)?;
    (0..len).map(|_| read(from)).collect()
}

const CLAIM: u8 = b'c';
const STEP: u8 = b'd';
const CHUNK: u8 = b's';
const MANIFEST: u8 = b'm';

impl<S: Counted> StateRecord<'_, S> {
    /// The record as it is written to a partition number.
    pub(crate) fn produce(&self, partition: i32) -> Produce {
        let mut value = Writer::default();
        value.u8(FORMAT);
        let (kind, key) = match self {
            Self::Claim { token } => {
                value.u64(*token);
                (CLAIM, String::from("c/owner"))
            }
            Self::Step(step) => {
                step.write(&mut value);
                (STEP, format!("d/{}", step.sequence() % 65_536))
            }
            Self::Chunk {
                generation,
                index,
                bytes,
            } => {
                value.u64(*generation).u64(*index).bytes(bytes);
                (CHUNK, format!("s/{}/{index}", generation % 2))
            }
            Self::Manifest(manifest) => {
                value.u64(manifest.generation).u64(manifest.chunks);
                manifest.step.write(&mut value);
                value.len(manifest.clocks.len());
                for clock in &manifest.clocks {
                    value.i64(clock.millis());
                }
                value.bytes(&manifest.identity);
                (MANIFEST, String::from("m"))
            }
        };
        debug_assert_eq!(key.as_bytes()[0], kind);
        Produce {
            topic: Topic::State,
            partition,
            key: Some(key.into_bytes().into()),
            value: Some(value.finish()),
            headers: Vec::new(),
            decided_at: None,
        }
    }
}

impl<'a, S: Counted> StateRecord<'a, S> {
    /// Reads a record of the state topic.
    pub(crate) fn read(key: &[u8], value: &'a [u8]) -> Result<Self, Malformed> {
        let mut from = Reader(value);
        if from.u8()? != FORMAT {
            return Err(Malformed);
        }
        let record = match key.first() {
            Some(&CLAIM) => Self::Claim { token: from.u64()? },
            Some(&STEP) => Self::Step(S::read(&mut from)?),
            Some(&CHUNK) => Self::Chunk {
                generation: from.u64()?,
                index: from.u64()?,
                bytes: from.bytes()?,
            },
            Some(&MANIFEST) => Self::Manifest(Manifest {
                generation: from.u64()?,
                chunks: from.u64()?,
                step: S::read(&mut from)?,
                clocks: list(&mut from, 8, time)?,
                identity: from.bytes()?.into(),
            }),
            _ => return Err(Malformed),
        };
        from.end()?;
        Ok(record)
    }
}

/// A chunk on its way to the state topic.
pub(crate) fn chunk(partition: i32, generation: u64, index: u64, bytes: &[u8]) -> Produce {
    let chunk: StateRecord<'_> = StateRecord::Chunk {
        generation,
        index,
        bytes,
    };
    chunk.produce(partition)
}

/// The record that says that somebody owns a partition number.
pub(crate) fn claim(partition: i32, token: u64) -> Produce {
    let claim: StateRecord<'_> = StateRecord::Claim { token };
    claim.produce(partition)
}

/// Bytes that a record takes in a transaction, about.
pub(crate) fn size(produce: &Produce) -> usize {
    let length = |bytes: &Option<Box<[u8]>>| bytes.as_ref().map_or(0, |bytes| bytes.len());
    length(&produce.key) + length(&produce.value) + 64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step() -> Step {
        Step {
            sequence: 7,
            known: Timestamp::from_millis(12),
            positions: [1, 2, 3].into(),
            append_times: [(SourceId(1), 5, Timestamp::from_millis(9))].into(),
            holes: [None, Some(Timestamp::from_millis(2))]
                .map(|to_time| HoleStep {
                    source: SourceId(0),
                    from: 90,
                    to: 99,
                    from_time: Timestamp::from_millis(1),
                    to_time,
                })
                .into(),
            rules: Some(b"rules"[..].into()),
        }
    }

    #[test]
    fn every_record_comes_back_as_it_was() {
        let manifest = Manifest {
            generation: 3,
            chunks: 2,
            step: step(),
            clocks: [Timestamp::from_millis(4)].into(),
            identity: b"cluster"[..].into(),
        };
        for record in [
            StateRecord::Claim { token: 42 },
            StateRecord::Step(step()),
            StateRecord::Chunk {
                generation: 3,
                index: 1,
                bytes: b"abc",
            },
            StateRecord::Manifest(manifest),
        ] {
            let produce = record.produce(5);
            let (key, value) = (produce.key.expect("a key"), produce.value.expect("a value"));
            assert_eq!(StateRecord::read(&key, &value), Ok(record));
        }
    }

    #[test]
    fn a_cut_or_damaged_record_is_refused_and_costs_no_memory() {
        let produce = StateRecord::Step(step()).produce(0);
        let (key, value) = (produce.key.expect("a key"), produce.value.expect("a value"));
        for len in 0..value.len() {
            let read: Result<StateRecord<'_>, _> = StateRecord::read(&key, &value[..len]);
            assert_eq!(read, Err(Malformed));
        }
        let mut huge = value.clone();
        huge[17..25].copy_from_slice(&u64::MAX.to_le_bytes());
        let read: Result<StateRecord<'_>, _> = StateRecord::read(&key, &huge);
        assert_eq!(read, Err(Malformed));
    }
}

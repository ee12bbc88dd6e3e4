//! From the records of the state topic to the last snapshot and the steps after it.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::step::{Counted, Manifest, StateRecord, Step};

/// Why a partition number's state cannot be restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreError {
    /// A record is malformed, or of a version that this program does not know.
    Malformed {
        /// Its offset.
        offset: i64,
    },
    /// Steps or chunks do not follow each other: a transaction was torn, or records are missing.
    Gap {
        /// The offset after the gap.
        offset: i64,
    },
}

impl core::fmt::Display for RestoreError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Malformed { offset } => write!(
                f,
                "the record at offset {offset} is malformed or of a version that this program does not know"
            ),
            Self::Gap { offset } => write!(f, "records are missing before offset {offset}"),
        }
    }
}

/// A complete snapshot.
#[derive(Debug)]
pub(crate) struct Snapshot<S = Step> {
    pub(crate) manifest: Manifest<S>,
    pub(crate) chunks: Vec<Box<[u8]>>,
    /// Offset of its first chunk.
    pub(crate) begins_at: i64,
}

/// A snapshot whose manifest has not come.
#[derive(Debug)]
struct Building {
    generation: u64,
    chunks: Vec<Box<[u8]>>,
    begins_at: i64,
}

/// What the state topic of a partition number says so far.
#[derive(Debug)]
pub(crate) struct Restorer<S = Step> {
    building: Option<Building>,
    pub(crate) snapshot: Option<Snapshot<S>>,
    /// Steps after the snapshot.
    pub(crate) steps: Vec<S>,
}

impl<S> Default for Restorer<S> {
    fn default() -> Self {
        Self {
            building: None,
            snapshot: None,
            steps: Vec::new(),
        }
    }
}

impl<S: Counted> Restorer<S> {
    /// Takes the next record; returns the token of a claim.
    pub(crate) fn push(
        &mut self,
        offset: i64,
        key: &[u8],
        value: &[u8],
    ) -> Result<Option<u64>, RestoreError> {
        let record =
            StateRecord::read(key, value).map_err(|_| RestoreError::Malformed { offset })?;
        match record {
            StateRecord::Claim { token } => return Ok(Some(token)),
            StateRecord::Step(step) => self.step(offset, step)?,
            StateRecord::Chunk {
                generation,
                index,
                bytes,
            } => {
                self.chunk(offset, generation, index, bytes)?;
            }
            StateRecord::Manifest(manifest) => self.manifest(offset, manifest)?,
        }
        Ok(None)
    }

    fn step(&mut self, offset: i64, step: S) -> Result<(), RestoreError> {
        let last = self.steps.last().map(S::sequence);
        let last = last.or(self
            .snapshot
            .as_ref()
            .map(|snapshot| snapshot.manifest.step.sequence()));
        // Before the first snapshot there may be steps that belong to one that was truncated away.
        if last.is_some_and(|last| step.sequence() != last + 1) {
            return Err(RestoreError::Gap { offset });
        }
        self.steps.push(step);
        Ok(())
    }

    fn chunk(
        &mut self,
        offset: i64,
        generation: u64,
        index: u64,
        bytes: &[u8],
    ) -> Result<(), RestoreError> {
        if index == 0 {
            let chunks = Vec::new();
            self.building = Some(Building {
                generation,
                chunks,
                begins_at: offset,
            });
        }
        let building = self.building.as_mut().filter(|building| {
            building.generation == generation && building.chunks.len() as u64 == index
        });
        match building {
            Some(building) => building.chunks.push(bytes.into()),
            // The beginning of a snapshot that was truncated away; another one follows.
            None if self.snapshot.is_none() => {}
            None => return Err(RestoreError::Gap { offset }),
        }
        Ok(())
    }

    fn manifest(&mut self, offset: i64, manifest: Manifest<S>) -> Result<(), RestoreError> {
        let complete = self.building.take().filter(|building| {
            building.generation == manifest.generation
                && building.chunks.len() as u64 == manifest.chunks
        });
        let Some(building) = complete else {
            return if self.snapshot.is_none() {
                Ok(())
            } else {
                Err(RestoreError::Gap { offset })
            };
        };
        let covered = manifest.step.sequence();
        self.steps.retain(|step| step.sequence() > covered);
        if self
            .steps
            .first()
            .is_some_and(|step| step.sequence() != covered + 1)
        {
            return Err(RestoreError::Gap { offset });
        }
        self.snapshot = Some(Snapshot {
            manifest,
            chunks: building.chunks,
            begins_at: building.begins_at,
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::Produce;

    fn step(sequence: u64) -> Step {
        Step {
            sequence,
            positions: [0].into(),
            ..Step::default()
        }
    }

    fn manifest(generation: u64, chunks: u64, sequence: u64) -> StateRecord<'static> {
        let step = step(sequence);
        StateRecord::Manifest(Manifest {
            generation,
            chunks,
            step,
            clocks: Vec::new(),
            identity: [].into(),
        })
    }

    fn feed(restorer: &mut Restorer, records: &[StateRecord<'_>]) -> Result<(), RestoreError> {
        for (record, offset) in records.iter().zip(0..) {
            let Produce { key, value, .. } = record.produce(0);
            restorer.push(offset, &key.expect("a key"), &value.expect("a value"))?;
        }
        Ok(())
    }

    #[test]
    fn steps_that_were_taken_while_a_snapshot_was_written_are_kept() {
        let mut restorer: Restorer = Restorer::default();
        let chunk = |index| StateRecord::Chunk {
            generation: 1,
            index,
            bytes: b"x",
        };
        let records = [
            chunk(0),
            StateRecord::Step(step(5)),
            StateRecord::Step(step(6)),
            chunk(1),
            StateRecord::Step(step(7)),
            manifest(1, 2, 5),
            StateRecord::Step(step(8)),
        ];
        feed(&mut restorer, &records).expect("it is whole");
        let sequences: Vec<u64> = restorer.steps.iter().map(|step| step.sequence).collect();
        assert_eq!(sequences, [6, 7, 8]);
        assert_eq!(restorer.snapshot.expect("complete").chunks.len(), 2);
    }

    #[test]
    fn a_missing_step_is_found() {
        let mut restorer: Restorer = Restorer::default();
        let chunk = StateRecord::Chunk {
            generation: 1,
            index: 0,
            bytes: b"x",
        };
        let records = [chunk, manifest(1, 1, 5), StateRecord::Step(step(7))];
        assert_eq!(
            feed(&mut restorer, &records),
            Err(RestoreError::Gap { offset: 2 })
        );
    }

    #[test]
    fn a_snapshot_without_its_manifest_does_not_count() {
        let mut restorer: Restorer = Restorer::default();
        let chunk = |generation| StateRecord::Chunk {
            generation,
            index: 0,
            bytes: b"x",
        };
        let records = [
            chunk(1),
            manifest(1, 1, 5),
            StateRecord::Step(step(6)),
            chunk(2),
        ];
        feed(&mut restorer, &records).expect("it is whole");
        assert_eq!(restorer.snapshot.expect("the first").manifest.generation, 1);
        assert_eq!(restorer.steps.len(), 1);
    }
}

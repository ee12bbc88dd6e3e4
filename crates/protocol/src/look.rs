//! The state of a partition number, looked at from outside: what it says, and whether it is whole.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use settlewatch_join::{Settings, Timestamp};

use crate::assembly::unpack;
use crate::restore::Restorer;
use crate::step::{FORMAT, StateRecord, Step};

/// What the state topic of one partition number says.
#[derive(Debug, Default)]
pub struct StateLook {
    pub(crate) restorer: Restorer,
    /// Records, and their bytes.
    pub records: u64,
    /// Bytes of their values.
    pub bytes: u64,
    /// How many claims are there.
    pub claims: u64,
    /// Offset, append time in milliseconds and token of the last one.
    pub claim: Option<(i64, i64, u64)>,
    /// The latest known time of any step that can be read, also where others cannot.
    pub known: Option<Timestamp>,
    /// The first thing that is wrong.
    pub broken: Option<String>,
}

/// The last complete snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotLook {
    /// The step that it includes.
    pub sequence: u64,
    /// Its chunks.
    pub chunks: usize,
    /// Their bytes.
    pub bytes: usize,
    /// Offset of the first.
    pub begins_at: i64,
    /// Decided up to here.
    pub known: Timestamp,
    /// Whose state it is: cluster, group, topics.
    pub identity: Arc<[u8]>,
}

/// What a snapshot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    /// Payments that wait.
    pub waiting: usize,
    /// Payments at hand, those that are closed too.
    pub payments: usize,
    /// Finished ids.
    pub finished: usize,
    /// Payments and ids in the pairs stage.
    pub pairs: usize,
    /// Names the rules.
    pub rules: u64,
}

impl StateLook {
    /// Version of the format that this program writes, and the only one that it reads.
    pub const FORMAT: u8 = FORMAT;

    /// Takes the next record of the topic, in the order of offsets, read committed.
    pub fn push(&mut self, offset: i64, ts: i64, key: &[u8], value: &[u8]) {
        self.records += 1;
        self.bytes += value.len() as u64;
        match StateRecord::<'_, Step>::read(key, value) {
            Ok(StateRecord::Claim { token }) => {
                self.claims += 1;
                self.claim = Some((offset, ts, token));
            }
            Ok(StateRecord::Step(step)) => self.known = self.known.max(Some(step.known)),
            Ok(StateRecord::Manifest(manifest)) => {
                self.known = self.known.max(Some(manifest.step.known));
            }
            _ => {}
        }
        if self.broken.is_none()
            && let Err(error) = self.restorer.push(offset, key, value)
        {
            self.broken = Some(error.to_string());
        }
    }

    /// The last complete snapshot.
    pub fn snapshot(&self) -> Option<SnapshotLook> {
        let snapshot = self.restorer.snapshot.as_ref()?;
        Some(SnapshotLook {
            sequence: snapshot.manifest.step.sequence,
            chunks: snapshot.chunks.len(),
            bytes: snapshot.chunks.iter().map(|chunk| chunk.len()).sum(),
            begins_at: snapshot.begins_at,
            known: snapshot.manifest.step.known,
            identity: Arc::clone(&snapshot.manifest.identity),
        })
    }

    /// Steps since the snapshot.
    pub fn steps(&self) -> usize {
        self.restorer.steps.len()
    }

    /// The last step.
    pub fn sequence(&self) -> Option<u64> {
        let last = self.restorer.steps.last().map(|step| step.sequence);
        last.or_else(|| Some(self.snapshot()?.sequence))
    }

    /// First offset that was not applied, by input; the pairs topic last.
    pub fn positions(&self) -> &[i64] {
        let of_snapshot = || Some(&self.restorer.snapshot.as_ref()?.manifest.step);
        let last = self.restorer.steps.last().or_else(of_snapshot);
        last.map_or(&[], |step| &step.positions)
    }

    /// Whether nothing was ever decided here.
    pub fn is_empty(&self) -> bool {
        self.restorer.snapshot.is_none() && self.restorer.steps.is_empty()
    }

    /// What the snapshot holds; `compile` says what rules mean.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn contents(
        &self,
        compile: impl Fn(&[u8]) -> Result<Arc<Settings>, String>,
    ) -> Result<Contents, String> {
        let chunks = self.chunks().ok_or("there is no complete snapshot")?;
        let unpacked = unpack(chunks, &compile)?;
        let mut waiting = 0;
        unpacked.partition.each_waiting(&mut |_| waiting += 1);
        let [_, finished] = unpacked.partition.sizes();
        Ok(Contents {
            waiting,
            payments: unpacked.partition.len(),
            finished,
            pairs: unpacked.post.pairs.len(),
            rules: unpacked.rules.id(),
        })
    }

    fn chunks(&self) -> Option<&Vec<Box<[u8]>>> {
        Some(&self.restorer.snapshot.as_ref()?.chunks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::Manifest;

    fn push(look: &mut StateLook, offset: i64, record: &StateRecord<'_>) {
        let produce = record.produce(0);
        let (key, value) = (produce.key.expect("a key"), produce.value.expect("a value"));
        look.push(offset, 1000 + offset, &key, &value);
    }

    fn step(sequence: u64) -> Step {
        Step {
            sequence,
            known: Timestamp::from_millis(sequence as i64 * 10),
            positions: [sequence as i64, 0].into(),
            ..Step::default()
        }
    }

    #[test]
    fn what_is_whole_is_shown_and_what_is_broken_still_tells_how_far_it_was() {
        let mut look = StateLook::default();
        assert!(look.is_empty());
        push(&mut look, 0, &StateRecord::Claim { token: 42 });
        let chunk = StateRecord::Chunk {
            generation: 1,
            index: 0,
            bytes: b"xyz",
        };
        push(&mut look, 1, &chunk);
        let manifest = Manifest {
            generation: 1,
            chunks: 1,
            step: step(1),
            clocks: Vec::new(),
            identity: b"cluster"[..].into(),
        };
        push(&mut look, 2, &StateRecord::Manifest(manifest));
        push(&mut look, 3, &StateRecord::Step(step(2)));
        assert_eq!(look.claim, Some((0, 1000, 42)));
        let snapshot = look.snapshot().expect("it is complete");
        assert_eq!(
            (snapshot.sequence, snapshot.bytes, snapshot.begins_at),
            (1, 3, 1)
        );
        assert_eq!((look.steps(), look.sequence()), (1, Some(2)));
        assert_eq!(look.positions(), [2, 0]);
        assert_eq!(look.broken, None);
        // A step is missing; the one after it is known all the same.
        push(&mut look, 5, &StateRecord::Step(step(4)));
        assert!(look.broken.is_some());
        assert_eq!(look.known, Some(Timestamp::from_millis(40)));
    }
}

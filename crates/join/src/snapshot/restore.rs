//! A partition from its snapshot, chunk by chunk.

use alloc::sync::Arc;

use crate::partition::Partition;
use crate::settings::Settings;

use super::SnapshotError;
use super::building::Building;
use super::codec::{Input, Malformed};
use super::frames::{FrameReader, Kind};

/// Puts a partition together again from the chunks of its snapshot.
pub struct Restorer {
    frames: FrameReader,
    building: Building,
}

impl Restorer {
    /// A restorer under `settings`. Where the rules differ from those of the snapshot, what waits is dated
    /// anew, as [`Partition::reload`] does, without asking how many alert at once: who wants to ask restores
    /// under the old rules and reloads.
    pub fn new(settings: Arc<Settings>) -> Self {
        Self {
            frames: FrameReader::new(Kind::Partition),
            building: Building::new(settings),
        }
    }

    /// Takes the next chunk.
    ///
    /// # Errors
    /// [`SnapshotError`] when the bytes are not those of a snapshot that can be read here.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), SnapshotError> {
        let building = &mut self.building;
        self.frames.push(chunk, &mut |tag, payload| {
            building.frame(tag, Input(payload))
        })
    }

    /// The partition, after the last chunk.
    ///
    /// # Errors
    /// [`SnapshotError`] when chunks are missing or do not belong together.
    pub fn finish(self) -> Result<Partition, SnapshotError> {
        self.frames.finish()?;
        self.building
            .finish()
            .map_err(|Malformed| SnapshotError::Corrupt)
    }
}

impl Partition {
    /// A partition from the chunks of its snapshot, see [`Restorer`].
    ///
    /// # Errors
    /// [`SnapshotError`] when they are not the whole snapshot of a partition that can be read here.
    pub fn restore<C: AsRef<[u8]>>(
        settings: Arc<Settings>,
        chunks: impl IntoIterator<Item = C>,
    ) -> Result<Self, SnapshotError> {
        let mut restorer = Restorer::new(settings);
        for chunk in chunks {
            restorer.push(chunk.as_ref())?;
        }
        restorer.finish()
    }
}

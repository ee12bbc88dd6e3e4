//! The state as versioned bytes, so that a restarted process goes on exactly where the other one stood.
//!
//! A snapshot is a byte stream that may be cut into chunks anywhere:
//!
//! 1. a header: four magic bytes, what it is of, the format version (16 bits, little endian);
//! 2. frames: a tag, the payload's length (32 bits, little endian), the payload. A long list takes several
//!    frames of its tag; each item lies in one;
//! 3. the last frame: a SipHash of all bytes before it.
//!
//! How versions live together: a reader skips frames whose tag it does not know and what stands behind the
//! fields that it knows in a record. So a version that only adds keeps its number and appends: fields to the
//! end of a record, words to the end of their enum, new tags; reading, it takes a record that ends early as
//! one whose further fields have their default. Where an older reader would decide otherwise than the writer
//! for not knowing the addition, or where a layout changes, the number rises, and the new version reads the
//! one before it by its number. Versions beyond those it knows are refused, never guessed at.
//!
//! Equal states give equal bytes: slots, lists of timers and everything else whose order decides something
//! come back in their order; tables are written sorted.

mod building;
mod codec;
mod entry;
mod exchange;
mod extras;
mod finished;
mod frames;
mod ledger;
mod pairs;
mod partition;
mod restore;
mod tags;
mod tuples;

#[cfg(test)]
mod tests;

use core::fmt;

pub use exchange::Parcel;
pub use pairs::PairsRestorer;
pub use restore::Restorer;

/// Size of a chunk where none is asked for: half of what a record of the state may hold.
pub const CHUNK_BYTES: usize = 256 << 10;

/// Why bytes cannot be restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotError {
    /// They are no snapshot, or one of something else.
    NotASnapshot,
    /// They are of a format version that cannot be read here.
    Version {
        /// The version of the bytes.
        found: u16,
        /// The newest version that can be read.
        supported: u16,
    },
    /// They end before the snapshot does.
    Truncated,
    /// They are not what was written.
    Corrupt,
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotASnapshot => f.write_str("not a snapshot of this kind"),
            Self::Version { found, supported } => write!(
                f,
                "the snapshot has format version {found}, but versions up to {supported} can be read: \
                 it was written by a newer release"
            ),
            Self::Truncated => f.write_str("the snapshot is not complete"),
            Self::Corrupt => {
                f.write_str("the snapshot is damaged: its content and checksum disagree")
            }
        }
    }
}

impl core::error::Error for SnapshotError {}

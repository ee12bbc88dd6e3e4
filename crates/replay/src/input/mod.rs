//! Recorded files as one stream of records in canonical order.

mod ahead;
mod bare;
mod chunk;
mod clock;
mod error;
mod files;
mod hold;
mod lines;
mod live;
mod load;
mod offsets;
mod parse;
mod report;
mod sequence;
mod sorted;
mod spill;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use settlewatch_join::Timestamp;

pub use error::InputError;
pub use live::{Live, LiveInput, LiveOptions};
pub use report::{BadLine, Counters, Progress};
pub use sorted::{Raw, Sorted};

/// No longer line is read, in bytes: every length fits what is stored of it.
const MAX_LINE_BYTES: usize = i32::MAX as usize;

/// A topic that is read, and the stream it carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamSpec {
    /// The stream's name in the configuration.
    pub name: String,
    /// The topic of its records.
    pub topic: String,
    /// Its rank in ties of append time: [`Place::stream`](settlewatch_join::Place).
    pub rank: u8,
    /// Whether its records have other keys than payment ids.
    pub keyed_other: bool,
}

/// The files of a recording, in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// Decompressed by their endings `.gz` and `.zst`.
    pub files: Vec<PathBuf>,
}

/// How files are read.
pub struct Options<'p> {
    /// Bytes of records held in memory; what is beyond is sorted on disk.
    pub memory_bytes: usize,
    /// Where it is sorted; by default where the system keeps temporary files.
    pub temp_dir: Option<PathBuf>,
    /// Records appended later are not returned.
    pub until: Option<Timestamp>,
    /// Length in bytes from which a line is bad instead of read.
    pub line_limit_bytes: usize,
    /// Told from time to time how far the reading is.
    pub progress: Option<&'p mut dyn FnMut(Progress)>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            memory_bytes: 256 << 20,
            temp_dir: None,
            until: None,
            line_limit_bytes: 64 << 20,
            progress: None,
        }
    }
}

impl Options<'_> {
    /// The longest line that is read, in bytes.
    fn max_line_bytes(&self) -> usize {
        self.line_limit_bytes.saturating_sub(1).min(MAX_LINE_BYTES)
    }

    fn report(&mut self, progress: Progress) {
        if let Some(report) = &mut self.progress {
            report(progress);
        }
    }
}

/// Reads `sources` to the end, sorts what was read, and stands before the first record. Blocks while it reads.
pub fn open(
    sources: &Sources,
    streams: &[StreamSpec],
    mut options: Options<'_>,
) -> Result<Sorted, InputError> {
    let parser = parse::Parser::new(streams).ok_or(InputError::NoStreams)?;
    let files = files::in_order(&sources.files);
    let loaded = load::load(&files, &parser, &mut options)?;
    Sorted::new(loaded, options.memory_bytes, options.until)
}

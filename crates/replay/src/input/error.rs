//! What can go wrong while a recording is read.

use std::io;
use std::path::PathBuf;

/// A recording cannot be read, or cannot be sorted.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The file does not exist or may not be read.
    #[error("cannot open {}: {source}", file.display())]
    Open {
        /// The file as it was named.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file broke off, or what it is compressed with is corrupt.
    #[error("cannot read {} beyond line {line} (byte {byte} uncompressed): {source}", file.display())]
    Read {
        /// The file as it was named; `-` is standard input.
        file: PathBuf,
        /// The last whole line, counted from 1; 0 where there was none.
        line: u64,
        /// Bytes after decompression that were read.
        byte: u64,
        /// Why.
        source: io::Error,
    },
    /// What does not fit in memory could not be written to disk, or not be read back.
    #[error("cannot sort on disk in {}: {source}; `temp_dir` names another place", dir.display())]
    Spill {
        /// The directory of the temporary files.
        dir: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is nothing to read into.
    #[error("no stream is configured, so no record can belong to one")]
    NoStreams,
}

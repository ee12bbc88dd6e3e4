//! Recorded files: their order, and their bytes after decompression.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::ahead::Ahead;
use super::error::InputError;

/// Read from a compressed file at once, in bytes.
const COMPRESSED_BYTES: usize = 128 * 1024;

/// The files in the order of (file name, full path): however they are named on a command line, they are read
/// and numbered alike. A path that is given twice is one file.
pub(crate) fn in_order(files: &[PathBuf]) -> Vec<PathBuf> {
    let mut named: Vec<_> = files
        .iter()
        .map(|file| {
            let full = std::path::absolute(file).unwrap_or_else(|_| file.clone());
            (file.file_name().map(ToOwned::to_owned), full, file.clone())
        })
        .collect();
    named.sort();
    named.dedup_by(|later, earlier| later.1 == earlier.1);
    named.into_iter().map(|(_, _, file)| file).collect()
}

/// Bytes taken from a file as it lies on disk, shared with whoever shows the progress.
#[derive(Clone, Default)]
pub(crate) struct Taken(Arc<AtomicU64>);

impl Taken {
    pub(crate) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

struct Counted {
    file: File,
    taken: Taken,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        self.taken.0.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Opens `file`, decompressing by its ending: `.gz` (of any number of members), `.zst`, anything else plain.
pub(crate) fn open(file: &Path, taken: &Taken) -> Result<Box<dyn Read + Send>, InputError> {
    let cannot_open = |source| InputError::Open {
        file: file.to_path_buf(),
        source,
    };
    let opened = File::open(file).map_err(cannot_open)?;
    if opened.metadata().map_err(cannot_open)?.is_dir() {
        return Err(cannot_open(io::ErrorKind::IsADirectory.into()));
    }
    let counted = Counted {
        file: opened,
        taken: taken.clone(),
    };
    let ending = file.extension().map(|ending| ending.to_ascii_lowercase());
    Ok(match ending.as_ref().and_then(|ending| ending.to_str()) {
        Some("gz") => {
            let compressed = BufReader::with_capacity(COMPRESSED_BYTES, counted);
            Box::new(
                Ahead::of(flate2::bufread::MultiGzDecoder::new(compressed)).map_err(cannot_open)?,
            )
        }
        Some("zst") => {
            let decoder = zstd::Decoder::new(counted).map_err(cannot_open)?;
            Box::new(Ahead::of(decoder).map_err(cannot_open)?)
        }
        _ => Box::new(counted),
    })
}

/// Size of the files on disk, in bytes; what cannot be asked counts as nothing.
pub(crate) fn total_bytes(files: &[PathBuf]) -> u64 {
    files
        .iter()
        .filter_map(|file| file.metadata().ok())
        .map(|metadata| metadata.len())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_ordered_by_name_then_path_and_named_once() {
        let given = [
            "/b/2.ndjson",
            "/z/1.ndjson",
            "/a/2.ndjson",
            "/b/2.ndjson",
            "/b/../b/2.ndjson",
        ];
        let ordered = in_order(&given.map(PathBuf::from));
        let expected = [
            "/z/1.ndjson",
            "/a/2.ndjson",
            "/b/../b/2.ndjson",
            "/b/2.ndjson",
        ];
        assert_eq!(ordered, expected.map(PathBuf::from));
    }

    #[test]
    fn a_directory_and_a_missing_file_are_named() {
        let error = |path: &str| match open(Path::new(path), &Taken::default()) {
            Ok(_) => String::from("opened"),
            Err(error) => error.to_string(),
        };
        assert!(error("/").starts_with("cannot open /: "), "{}", error("/"));
        assert!(error("/nowhere.gz").starts_with("cannot open /nowhere.gz: "));
    }
}

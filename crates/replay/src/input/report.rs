//! What reading a recording found besides its records.

use std::path::{Path, PathBuf};

/// A line that is neither a record of a known topic nor a bare event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BadLine<'a> {
    /// The file as it was named; `-` is standard input.
    pub file: &'a Path,
    /// Number of the line, counted from 1.
    pub line: u64,
}

/// Counts of what was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Lines, blank and bad ones included.
    pub lines: u64,
    /// Bytes of lines after decompression, line ends included.
    pub bytes: u64,
    /// Records returned so far whose timestamp was not believed, by rank of the stream.
    pub implausible: Vec<u64>,
    /// Records met so far whose topic, partition and offset had been met before.
    pub repeated: u64,
}

/// How far the reading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Lines read.
    pub lines: u64,
    /// Bytes read of the files as they lie on disk.
    pub file_bytes: u64,
    /// Size of the files on disk in bytes, as far as they say.
    pub total_bytes: u64,
    /// Whether part of the recording was written to disk to be sorted there.
    pub on_disk: bool,
}

/// Bad lines in the order of file and line; neighbours are kept as one.
#[derive(Debug, Default)]
pub(crate) struct BadLines {
    /// Files by name, each with its runs of lines: first line and how many.
    files: Vec<(PathBuf, Vec<(u64, u64)>)>,
}

impl BadLines {
    /// Notes a line; the lines of one file come in order and without others between.
    pub(crate) fn add(&mut self, file: &Path, line: u64) {
        if self.files.last().is_none_or(|(last, _)| last != file) {
            self.files.push((file.to_path_buf(), Vec::new()));
        }
        let Some((_, runs)) = self.files.last_mut() else {
            return;
        };
        match runs.last_mut() {
            Some((first, count)) if *first + *count == line => *count += 1,
            _ => runs.push((line, 1)),
        }
    }

    /// Puts the files into the order of their names.
    pub(crate) fn sort(&mut self) {
        self.files.sort();
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = BadLine<'_>> {
        self.files.iter().flat_map(|(file, runs)| {
            let lines = runs.iter().flat_map(|&(first, count)| first..first + count);
            lines.map(move |line| BadLine { file, line })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_lines_come_by_file_and_line_and_neighbours_cost_nothing() {
        let mut bad = BadLines::default();
        (1..=1000).for_each(|line| bad.add(Path::new("b"), line));
        bad.add(Path::new("b"), 2000);
        bad.add(Path::new("a"), 7);
        bad.sort();
        let all: Vec<_> = bad.iter().map(|one| (one.file, one.line)).collect();
        assert_eq!(all.len(), 1002);
        assert_eq!(all[0], (Path::new("a"), 7));
        assert_eq!(all[1001], (Path::new("b"), 2000));
        assert_eq!(bad.files[1].1.len(), 2);
    }
}

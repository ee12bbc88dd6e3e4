//! Where text came from: files and environment variables, and places within them.

use std::sync::Arc;

/// Index of a [`Source`] in the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SourceId(pub(crate) u32);

/// A place in a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    /// The source.
    pub(crate) source: SourceId,
    /// Line, from 1.
    pub(crate) line: u32,
    /// Column in characters, from 1.
    pub(crate) column: u32,
    /// Characters to underline, at least 1.
    pub(crate) width: u32,
}

impl Mark {
    /// The first character of a source.
    pub(crate) const fn start(source: SourceId) -> Self {
        Self {
            source,
            line: 1,
            column: 1,
            width: 1,
        }
    }
}

/// A text that configuration is read from.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// What people call it: a path, or `environment variable NAME`.
    pub(crate) name: String,
    /// Its whole text; of a variable, `NAME=value`.
    pub(crate) text: Arc<str>,
}

impl Source {
    /// Line `line` (from 1) without its end; empty past the last one.
    pub(crate) fn line(&self, line: u32) -> &str {
        self.text
            .lines()
            .nth(line.saturating_sub(1) as usize)
            .unwrap_or("")
    }
}

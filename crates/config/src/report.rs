//! Collects what is found while a configuration is read.

use crate::diagnostic::{Diagnostic, Severity};
use crate::secret;
use crate::source::{Mark, Source, SourceId};

/// Problems beyond this many are not told: nobody reads them.
const MAX_FOUND: usize = 200;

/// What is wrong with a value, before its place is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    /// What is wrong, to follow the name of the key.
    pub(crate) what: String,
    /// What to do.
    pub(crate) remedy: String,
}

impl Flaw {
    pub(crate) fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            remedy: remedy.into(),
        }
    }
}

/// The texts read so far and the problems found in them.
#[derive(Debug, Default)]
pub(crate) struct Report {
    sources: Vec<Source>,
    found: Vec<(Mark, Diagnostic)>,
}

impl Report {
    /// Registers a text.
    pub(crate) fn add_source(&mut self, name: impl Into<String>, text: &str) -> SourceId {
        let id = SourceId(u32::try_from(self.sources.len()).expect("fewer sources than 2^32"));
        self.sources.push(Source {
            name: name.into(),
            text: text.into(),
        });
        id
    }

    pub(crate) fn source(&self, id: SourceId) -> &Source {
        &self.sources[id.0 as usize]
    }

    pub(crate) fn error(
        &mut self,
        mark: Mark,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.add(Severity::Error, mark, message.into(), None, remedy.into());
    }

    pub(crate) fn warning(
        &mut self,
        mark: Mark,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.add(Severity::Warning, mark, message.into(), None, remedy.into());
    }

    /// A flaw of the value named `place`.
    pub(crate) fn flaw(&mut self, mark: Mark, place: &str, flaw: Flaw, note: Option<String>) {
        self.add(
            Severity::Error,
            mark,
            format!("`{place}` {}", flaw.what),
            note,
            flaw.remedy,
        );
    }

    fn add(
        &mut self,
        severity: Severity,
        mark: Mark,
        message: String,
        note: Option<String>,
        remedy: String,
    ) {
        if self.found.len() >= MAX_FOUND {
            return;
        }
        let source = self.source(mark.source);
        let found = Diagnostic {
            severity,
            file: source.name.clone(),
            line: mark.line,
            column: mark.column,
            width: mark.width,
            source_line: secret::mask(source.line(mark.line)),
            message,
            note,
            remedy,
        };
        // An alias shows the same flaw wherever it is used; once is enough.
        if !self.found.iter().any(|(_, other)| *other == found) {
            self.found.push((mark, found));
        }
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.found
            .iter()
            .any(|(_, found)| found.severity == Severity::Error)
    }

    /// Everything found, in the order of the text.
    pub(crate) fn into_list(mut self) -> Vec<Diagnostic> {
        self.found.sort_by_key(|(mark, _)| *mark);
        self.found.into_iter().map(|(_, found)| found).collect()
    }
}

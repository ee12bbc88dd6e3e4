//! What is wrong with a configuration, where, and what to do about it.

use std::fmt;

use crate::render;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// It can be used, but probably does not say what was meant.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// One problem, with its place and its remedy. Secrets are masked in every field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The file, or `environment variable NAME`.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// Characters concerned, at least 1.
    pub width: u32,
    /// The line itself; empty when the file could not be read.
    pub source_line: String,
    /// What is wrong.
    pub message: String,
    /// What a value became by interpolation, where that matters.
    pub note: Option<String>,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        render::write(self, f)
    }
}

/// Every problem found in one pass, at least one of them an error, in the order of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics(pub(crate) Vec<Diagnostic>);

impl Diagnostics {
    /// The problems, in the order of the text.
    pub fn list(&self) -> &[Diagnostic] {
        &self.0
    }

    fn count(&self, severity: Severity) -> usize {
        self.0
            .iter()
            .filter(|found| found.severity == severity)
            .count()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for found in &self.0 {
            writeln!(f, "{found}\n")?;
        }
        let errors = self.count(Severity::Error);
        write!(f, "{errors} error{}", if errors == 1 { "" } else { "s" })?;
        match self.count(Severity::Warning) {
            0 => Ok(()),
            1 => f.write_str(", 1 warning"),
            many => write!(f, ", {many} warnings"),
        }
    }
}

impl std::error::Error for Diagnostics {}

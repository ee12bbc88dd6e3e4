//! Other YAML documents read the same way: a tree that knows its places, and diagnostics that show them.

use std::cell::RefCell;
use std::path::Path;

use settlewatch_join::Span;

use crate::diagnostic::Diagnostics;
use crate::node::{Node, Value};
use crate::report::Report;
use crate::source::Mark;
use crate::{durations, files, suggest, syntax};

/// Names beyond this many are not listed beside the one that was probably meant.
const FEW: usize = 20;

/// A YAML document and what is found to be wrong with it.
#[derive(Debug)]
pub struct Document {
    root: Node,
    report: RefCell<Report>,
}

/// A place in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot(Mark);

/// A value of a document.
#[derive(Clone, Copy, Debug)]
pub struct Part<'d>(&'d Node);

/// A key of a map, and its value.
#[derive(Clone, Copy, Debug)]
pub struct Field<'d> {
    /// The key.
    pub key: &'d str,
    /// Where the key stands.
    pub spot: Spot,
    /// The value.
    pub value: Part<'d>,
}

impl Document {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// It cannot be read, or is not one YAML document.
    pub fn read(path: &Path) -> Result<Self, Diagnostics> {
        let name = path.display().to_string();
        match files::read_text(path) {
            Ok(text) => Self::parse(&name, &text),
            Err(what) => {
                let mut report = Report::default();
                let source = report.add_source(&name, "");
                let message = format!("cannot read the file: {what}");
                report.error(
                    Mark::start(source),
                    message,
                    "name a YAML file that you may read",
                );
                Err(Diagnostics(report.into_list()))
            }
        }
    }

    /// Parses `text`, which diagnostics call `name`.
    ///
    /// # Errors
    /// It is not one YAML document.
    pub fn parse(name: &str, text: &str) -> Result<Self, Diagnostics> {
        let mut report = Report::default();
        let source = report.add_source(name, text);
        match syntax::parse(&mut report, source, 0) {
            Some(root) => Ok(Self {
                root,
                report: RefCell::new(report),
            }),
            None => Err(Diagnostics(report.into_list())),
        }
    }

    /// Its value.
    pub fn root(&self) -> Part<'_> {
        Part(&self.root)
    }

    /// Notes an error.
    pub fn error(&self, spot: Spot, message: impl Into<String>, remedy: impl Into<String>) {
        self.report.borrow_mut().error(spot.0, message, remedy);
    }

    /// Notes that the key of `field` is none of `known`.
    pub fn unknown_key(&self, field: &Field<'_>, known: &[&str]) {
        let remedy = match suggest::nearest(field.key, known) {
            Some(near) if known.len() > FEW => format!("did you mean `{near}`?"),
            _ => suggest::remedy(field.key, known, "the keys are"),
        };
        self.error(field.spot, format!("unknown key `{}`", field.key), remedy);
    }

    /// Notes that `word` at `spot` is none of `known`.
    pub fn unknown_word(&self, spot: Spot, what: &str, word: &str, known: &[&str]) {
        let remedy = suggest::remedy(word, known, "there are");
        self.error(spot, format!("unknown {what} `{word}`"), remedy);
    }

    /// What was found.
    ///
    /// # Errors
    /// Every error that was noted, in the order of the text.
    pub fn check(&self) -> Result<(), Diagnostics> {
        if !self.report.borrow().has_errors() {
            return Ok(());
        }
        Err(Diagnostics(self.report.take().into_list()))
    }
}

impl<'d> Part<'d> {
    /// Where it stands.
    pub fn spot(self) -> Spot {
        Spot(self.0.mark)
    }

    /// Line of its first character, from 1.
    pub fn line(self) -> u32 {
        self.0.mark.line
    }

    /// Whether nothing is written here.
    pub fn is_null(self) -> bool {
        self.0.is_null()
    }

    /// The text of a single value; `None` for lists and maps.
    pub fn text(self) -> Option<&'d str> {
        match &self.0.value {
            Value::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// The values of a list; `None` for anything else.
    pub fn items(self) -> Option<impl Iterator<Item = Part<'d>>> {
        match &self.0.value {
            Value::List(items) => Some(items.iter().map(Part)),
            _ => None,
        }
    }

    /// The fields of a map; `None` for anything else.
    pub fn fields(self) -> Option<impl Iterator<Item = Field<'d>>> {
        match &self.0.value {
            Value::Map(entries) => Some(entries.iter().map(|entry| Field {
                key: &entry.key,
                spot: Spot(entry.mark),
                value: Part(&entry.node),
            })),
            _ => None,
        }
    }

    /// The value of a key; `None` unless this is a map that has it.
    pub fn get(self, key: &str) -> Option<Part<'d>> {
        self.0.get(key).map(Part)
    }

    /// What it is, in words.
    pub fn kind(self) -> &'static str {
        self.0.kind()
    }
}

/// The length of a duration as configurations write it: `90s`, `1h30m`; `None` when it is none.
pub fn parse_duration(text: &str) -> Option<Span> {
    durations::duration(text, 0, u64::MAX).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_error_names_its_place_and_shows_the_line() {
        let document = Document::parse("t.yaml", "cases:\n  - nmae: x\n").unwrap();
        let case = document.root().get("cases").unwrap();
        let case = case.items().unwrap().next().unwrap();
        let field = case.fields().unwrap().next().unwrap();
        document.unknown_key(&field, &["name", "events"]);
        let shown = document.check().unwrap_err().to_string();
        assert!(shown.contains("t.yaml:2:5"), "{shown}");
        assert!(shown.contains("did you mean `name`?"), "{shown}");
    }

    #[test]
    fn durations_are_those_of_the_configuration() {
        assert_eq!(parse_duration("1m30s"), Some(Span::from_secs(90)));
        assert_eq!(parse_duration("90"), None);
    }
}

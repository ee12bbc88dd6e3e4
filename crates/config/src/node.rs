//! A YAML document as a tree that knows where each part stands.

use crate::source::Mark;

/// A value and its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) mark: Mark,
    pub(crate) value: Value,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A scalar as written; what it means is for the key to say.
#[derive(Clone, Debug)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    /// Written in quotes or as a block: never null, a number or a flag.
    pub(crate) quoted: bool,
    /// Came from the environment: `$` has no meaning in it.
    pub(crate) verbatim: bool,
}

/// A key and its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) mark: Mark,
    pub(crate) node: Node,
}

impl Node {
    pub(crate) fn empty_map(mark: Mark) -> Self {
        Self {
            mark,
            value: Value::Map(Vec::new()),
        }
    }

    /// Whether nothing is written here.
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.is_null())
    }

    /// The node at `key`; `None` unless this is a map that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Map(entries) => entries
                .iter()
                .find(|entry| entry.key == key)
                .map(|entry| &entry.node),
            _ => None,
        }
    }

    /// The same values, all of them standing at `mark`.
    pub(crate) fn moved_to(mut self, mark: Mark) -> Self {
        self.mark = mark;
        match &mut self.value {
            Value::Scalar(_) => {}
            Value::List(items) => {
                *items = items.drain(..).map(|item| item.moved_to(mark)).collect()
            }
            Value::Map(entries) => {
                for entry in entries.iter_mut() {
                    entry.mark = mark;
                }
                let moved = entries.drain(..).map(|entry| Entry {
                    node: entry.node.moved_to(mark),
                    ..entry
                });
                *entries = moved.collect();
            }
        }
        self
    }

    /// What it is, in words.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Scalar(_) => "a single value",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

impl Scalar {
    pub(crate) fn is_null(&self) -> bool {
        !self.quoted && !self.verbatim && reads_as_null(&self.text)
    }
}

/// Whether this means nothing where it stands without quotes.
pub(crate) fn reads_as_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

//! `SETTLEWATCH__SECTION__KEY`: values from the environment, put into the tree before it is checked.

use crate::env::Env;
use crate::keys;
use crate::model::Purpose;
use crate::node::{Entry, Node, Scalar, Value};
use crate::report::Report;
use crate::source::Mark;
use crate::table::{Names, Section, Shape};
use crate::{suggest, syntax};

/// What the names of such variables begin with.
pub(crate) const PREFIX: &str = "SETTLEWATCH__";

/// Applies every override in `env` to the tree.
pub(crate) fn apply(root: &mut Node, env: &Env, purpose: Purpose, report: &mut Report) {
    let mut found: Vec<(&str, &str)> = env
        .iter()
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect();
    // A whole before its parts, element 2 before element 10.
    found.sort_by_key(|(name, _)| (name.len(), *name));
    for (name, value) in found {
        let source = report.add_source(
            format!("environment variable {name}"),
            &format!("{name}={value}"),
        );
        let mark = Mark {
            width: u32::try_from(name.len()).unwrap_or(1),
            ..Mark::start(source)
        };
        let segments: Vec<&str> = name[PREFIX.len()..].split("__").collect();
        if purpose == Purpose::Replay && is_run_only(segments[0]) {
            continue;
        }
        let target = Override { name, value, mark };
        let section = Shape::Section(&keys::ROOT);
        // A refused override must leave nothing behind that would be reported again.
        let mut changed = root.clone();
        match target.descend(&section, &mut changed, &segments, report) {
            Ok(true) => *root = changed,
            Ok(false) => {}
            Err((message, remedy)) => report.error(mark, message, remedy),
        }
    }
}

fn is_run_only(segment: &str) -> bool {
    let key = keys::ROOT
        .keys
        .iter()
        .find(|key| key.name.eq_ignore_ascii_case(segment));
    key.is_some_and(|key| key.run_only)
}

/// Message and remedy.
type Refusal = (String, String);

struct Override<'a> {
    name: &'a str,
    value: &'a str,
    mark: Mark,
}

impl Override<'_> {
    /// Sets what the segments name below `node`; `false` when the value is not YAML, which is reported.
    fn descend(
        &self,
        shape: &Shape,
        node: &mut Node,
        segments: &[&str],
        report: &mut Report,
    ) -> Result<bool, Refusal> {
        let Some((first, rest)) = segments.split_first() else {
            let value = self.parse(shape, report);
            let parsed = value.is_some();
            *node = value.unwrap_or_else(|| self.nothing());
            return Ok(parsed);
        };
        match shape {
            Shape::Section(section) | Shape::Switch(section) => {
                let (key, shape) = self.key_of(section, first)?;
                self.descend(&shape, self.child(node, key)?, rest, report)
            }
            Shape::Map { keys, of, .. } => {
                let key = map_key(node, first, *keys);
                self.descend(of, self.child(node, key)?, rest, report)
            }
            Shape::Properties => {
                let key = property_key(node, first);
                self.descend(
                    &Shape::Text {
                        min_bytes: 0,
                        max_bytes: usize::MAX,
                    },
                    self.child(node, key)?,
                    rest,
                    report,
                )
            }
            Shape::List { of, .. } | Shape::OneOrMany(of) => {
                self.descend(of, self.element(node, first)?, rest, report)
            }
            _ => Err((
                format!(
                    "the variable `{}` goes one level too deep: `{first}`",
                    self.name
                ),
                format!("end the name before `__{first}`"),
            )),
        }
    }

    /// The key of a section that a segment names, and its shape.
    fn key_of(&self, section: &'static Section, segment: &str) -> Result<(String, Shape), Refusal> {
        if let Some(key) = section
            .keys
            .iter()
            .find(|key| key.name.eq_ignore_ascii_case(segment))
        {
            return Ok((key.name.to_owned(), key.shape));
        }
        let lower = segment.to_ascii_lowercase();
        if let Some(open) = section.open {
            // Shells allow no dot in a name.
            let prefix = open.prefix.trim_end_matches('.');
            let name = lower
                .strip_prefix(prefix)
                .and_then(|name| name.strip_prefix(['_', '.']));
            if let Some(name) = name.filter(|name| !name.is_empty()) {
                return Ok((format!("{}{name}", open.prefix), open.shape));
            }
        }
        let message = format!("the variable `{}` names no key: `{lower}`", self.name);
        Err((
            message,
            suggest::remedy(&lower, &section.names(), "the keys there are"),
        ))
    }

    /// The value at `key`, made if there is none.
    fn child<'n>(&self, node: &'n mut Node, key: String) -> Result<&'n mut Node, Refusal> {
        // `feeds.heartbeat: false` and the like give way to the keys below them.
        if matches!(&node.value, Value::Scalar(scalar) if scalar.is_null() || scalar.text == "false")
        {
            *node = Node::empty_map(self.mark);
        }
        let kind = node.kind();
        let Value::Map(entries) = &mut node.value else {
            return Err(self.not_below(kind));
        };
        let at = entries
            .iter()
            .position(|entry| entry.key == key)
            .unwrap_or_else(|| {
                entries.push(Entry {
                    key,
                    mark: self.mark,
                    node: self.nothing(),
                });
                entries.len() - 1
            });
        Ok(&mut entries[at].node)
    }

    /// The list element that a segment names; the one after the last is made.
    fn element<'n>(&self, node: &'n mut Node, segment: &str) -> Result<&'n mut Node, Refusal> {
        if node.is_null() {
            node.value = Value::List(Vec::new());
        }
        let kind = node.kind();
        let Value::List(items) = &mut node.value else {
            return Err(self.not_below(kind));
        };
        let last = items.len();
        let at = segment
            .parse::<usize>()
            .ok()
            .filter(|at| *at <= last)
            .ok_or_else(|| {
                let message = format!("the variable `{}` names no element: `{segment}`", self.name);
                (
                    message,
                    format!("elements count from 0; {last} appends one"),
                )
            })?;
        if at == last {
            items.push(self.nothing());
        }
        Ok(&mut items[at])
    }

    fn not_below(&self, kind: &str) -> Refusal {
        (
            format!("the variable `{}` names a key below {kind}", self.name),
            "override the whole value, or write it as a map or list in the file".into(),
        )
    }

    fn nothing(&self) -> Node {
        let scalar = Scalar {
            text: String::new(),
            quoted: false,
            verbatim: false,
        };
        Node {
            mark: self.mark,
            value: Value::Scalar(scalar),
        }
    }

    /// The value: of collections YAML, otherwise the text as it is. `None`: not YAML, reported.
    fn parse(&self, shape: &Shape, report: &mut Report) -> Option<Node> {
        let collection = matches!(
            shape,
            Shape::Properties
                | Shape::List { .. }
                | Shape::OneOrMany(_)
                | Shape::Map { .. }
                | Shape::Section(_)
                | Shape::Switch(_)
        );
        let in_quotes = self.value.len() > 1 && self.value.starts_with(['"', '\'']);
        if collection || in_quotes {
            let node = syntax::parse(report, self.mark.source, self.name.len() + 1)?;
            if collection || matches!(node.value, Value::Scalar(_)) {
                return Some(verbatim(node));
            }
        }
        let column = u32::try_from(self.name.chars().count() + 2).unwrap_or(1);
        let width = u32::try_from(self.value.chars().count().max(1)).unwrap_or(1);
        let scalar = Scalar {
            text: self.value.to_owned(),
            quoted: false,
            verbatim: true,
        };
        Some(Node {
            mark: Mark {
                column,
                width,
                ..self.mark
            },
            value: Value::Scalar(scalar),
        })
    }
}

/// The same tree with `$` as plain text: the environment has been read already.
fn verbatim(mut node: Node) -> Node {
    match &mut node.value {
        Value::Scalar(scalar) => scalar.verbatim = !scalar.is_null(),
        Value::List(items) => *items = items.drain(..).map(verbatim).collect(),
        Value::Map(entries) => {
            *entries = entries
                .drain(..)
                .map(|entry| Entry {
                    node: verbatim(entry.node),
                    ..entry
                })
                .collect();
        }
    }
    node
}

/// The key of a map that a segment names: one that is there, whatever its case and punctuation, or a new one.
fn map_key(node: &Node, segment: &str, names: Names) -> String {
    existing(node, segment).unwrap_or_else(|| match names {
        Names::Words => segment.to_ascii_lowercase(),
        Names::Currencies => segment.to_ascii_uppercase(),
    })
}

/// Properties of the client have dots where a shell allows none.
fn property_key(node: &Node, segment: &str) -> String {
    existing(node, segment).unwrap_or_else(|| {
        let lower = segment.to_ascii_lowercase();
        match lower.strip_suffix("_file") {
            Some(name) => format!("{}_file", name.replace('_', ".")),
            None => lower.replace('_', "."),
        }
    })
}

fn existing(node: &Node, segment: &str) -> Option<String> {
    let fold = |name: &str| name.to_ascii_lowercase().replace(['.', '-'], "_");
    let wanted = fold(segment);
    match &node.value {
        Value::Map(entries) => entries
            .iter()
            .find(|entry| fold(&entry.key) == wanted)
            .map(|entry| entry.key.clone()),
        _ => None,
    }
}

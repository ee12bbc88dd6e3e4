//! Checks a tree against the table and fills in defaults.

use std::path::PathBuf;

use crate::env::Env;
use crate::item::{Fields, Item, Kind, Named};
use crate::model::Purpose;
use crate::node::{Node, Value};
use crate::report::{Flaw, Report};
use crate::source::Mark;
use crate::table::{Key, Names, OpenKeys, Presence, Section, Shape};
use crate::{leaf, properties, suggest, syntax};

/// Checks one configuration; problems go to the report.
pub(crate) struct Walker<'a> {
    pub(crate) report: &'a mut Report,
    pub(crate) env: &'a Env,
    pub(crate) purpose: Purpose,
    /// Directory of relative paths.
    pub(crate) base: PathBuf,
}

impl Walker<'_> {
    /// Checks `node`, called `place`, against `shape`.
    pub(crate) fn item(&mut self, shape: &Shape, node: &Node, place: &str) -> Item {
        let kind = match shape {
            Shape::Section(section) => self.section_node(section, node, place),
            Shape::Switch(section) if matches!(node.value, Value::Scalar(_)) => {
                self.switch(section, node, place)
            }
            Shape::Switch(section) => self.section_node(section, node, place),
            Shape::List { of, min } => self.list(of, *min, node, place),
            Shape::OneOrMany(of) => self.one_or_many(of, node, place),
            Shape::Map { keys, of, min } => self.map(*keys, of, *min, node, place),
            Shape::Properties => properties::read(self, node, place),
            _ => leaf::read(self, shape, node, place),
        };
        Item {
            mark: node.mark,
            kind,
        }
    }

    /// Reports that the node is of the wrong kind.
    pub(crate) fn wrong_kind(
        &mut self,
        must: &str,
        node: &Node,
        place: &str,
        remedy: &str,
    ) -> Kind {
        let found = if node.is_null() { "empty" } else { node.kind() };
        let message = format!("`{}` must be {must}, not {found}", shown(place));
        self.report.error(node.mark, message, remedy);
        Kind::Bad
    }

    fn section_node(&mut self, section: &'static Section, node: &Node, place: &str) -> Kind {
        if node.is_null() || matches!(node.value, Value::Map(_)) {
            if section.must_say() && matches!(&node.value, Value::Map(keys) if keys.is_empty()) {
                let remedy = format!("give one of {}", crate::table::list(section.names()));
                self.report
                    .error(node.mark, format!("`{place}` is empty"), remedy);
                return Kind::Bad;
            }
            return self.section(section, node, place);
        }
        let remedy = format!(
            "write keys below it: {}",
            crate::table::list(section.names())
        );
        self.wrong_kind("a map of keys", node, place, &remedy)
    }

    /// Every key of a section.
    pub(crate) fn section(&mut self, section: &'static Section, node: &Node, place: &str) -> Kind {
        let mut open = Vec::new();
        if let Value::Map(entries) = &node.value {
            for entry in entries {
                if section.key(&entry.key).is_some() {
                    continue;
                }
                match section.open.filter(|open| is_open(open, &entry.key)) {
                    Some(keys) => open.push(self.named(&keys.shape, entry, place)),
                    None => self.unknown_key(section, &entry.key, entry.mark, place),
                }
            }
        }
        let fixed = section
            .keys
            .iter()
            .map(|key| (key.name, self.field(section, key, node, place)))
            .collect();
        Kind::Fields(Fields { fixed, open })
    }

    fn unknown_key(&mut self, section: &Section, key: &str, mark: Mark, place: &str) {
        let remedy = suggest::remedy(key, &section.names(), "the keys here are");
        self.report.error(
            mark,
            format!("unknown key `{key}`{}", inside(place)),
            remedy,
        );
    }

    fn field(&mut self, section: &Section, key: &'static Key, node: &Node, place: &str) -> Item {
        if key.run_only && self.purpose == Purpose::Replay {
            return Item {
                mark: node.mark,
                kind: Kind::Absent,
            };
        }
        let path = join(place, key.name);
        let written = node.get(key.name);
        match (written.filter(|value| !value.is_null()), key.presence) {
            (Some(value), _) => self.item(&key.shape, value, &path),
            (None, Presence::Optional) if written.is_some() => self.empty(node, key, &path),
            (None, Presence::Optional) => Item {
                mark: node.mark,
                kind: Kind::Absent,
            },
            (None, Presence::Default(yaml)) => self.default(&key.shape, yaml, node.mark, &path),
            (None, Presence::Required) => self.missing(section, key, node, place),
        }
    }

    /// A key without a default says nothing. Left out it would mean nothing as well, but nobody writes a
    /// condition or a limit for that.
    fn empty(&mut self, node: &Node, key: &Key, place: &str) -> Item {
        let mark = node.get(key.name).map_or(node.mark, |empty| empty.mark);
        let remedy = format!("give it {}, or remove the key", key.shape.describe());
        self.report
            .error(mark, format!("`{place}` has no value"), remedy);
        Item {
            mark,
            kind: Kind::Bad,
        }
    }

    /// A required key is not written. Where a key was misspelt, one complaint is enough.
    fn missing(&mut self, section: &Section, key: &Key, node: &Node, place: &str) -> Item {
        let mark = node.get(key.name).map_or(node.mark, |empty| empty.mark);
        if !is_misspelt(section, key, node) {
            let message = format!("the key `{}` is missing{}", key.name, inside(place));
            self.report.error(
                mark,
                message,
                format!("add `{}`: {}", key.name, lower_first(key.doc)),
            );
        }
        Item {
            mark,
            kind: Kind::Bad,
        }
    }

    /// The default of a key, checked like what people write.
    fn default(&mut self, shape: &Shape, yaml: &str, mark: Mark, place: &str) -> Item {
        let mut aside = Report::default();
        let source = aside.add_source(place, yaml);
        let node = syntax::parse(&mut aside, source, 0).expect("defaults in the table are YAML");
        self.item(shape, &node.moved_to(mark), place)
    }

    fn switch(&mut self, section: &'static Section, node: &Node, place: &str) -> Kind {
        match leaf::read(self, &Shape::Flag, node, place) {
            Kind::Flag(false) => Kind::Flag(false),
            Kind::Flag(true) => self.section(section, &Node::empty_map(node.mark), place),
            _ => Kind::Bad,
        }
    }

    fn list(&mut self, of: &Shape, min: usize, node: &Node, place: &str) -> Kind {
        let Value::List(items) = &node.value else {
            return self.wrong_kind(
                "a list",
                node,
                place,
                "put it in brackets: `[…]`, or on lines that begin with `- `",
            );
        };
        if items.len() < min {
            self.report.error(
                node.mark,
                format!("`{place}` is an empty list"),
                "give at least one, or remove the key",
            );
            return Kind::Bad;
        }
        Kind::List(
            items
                .iter()
                .enumerate()
                .map(|(at, item)| self.item(of, item, &format!("{place}[{at}]")))
                .collect(),
        )
    }

    fn one_or_many(&mut self, of: &Shape, node: &Node, place: &str) -> Kind {
        match &node.value {
            Value::List(_) => self.list(of, 1, node, place),
            _ => match self.item(of, node, place) {
                Item {
                    kind: Kind::Bad, ..
                } => Kind::Bad,
                item => Kind::List(vec![item]),
            },
        }
    }

    fn map(&mut self, names: Names, of: &Shape, min: usize, node: &Node, place: &str) -> Kind {
        let Value::Map(entries) = &node.value else {
            return self.wrong_kind("a map", node, place, "write `NAME: value` below it");
        };
        if entries.len() < min {
            self.report.error(
                node.mark,
                format!("`{place}` is empty"),
                "give at least one `NAME: value`",
            );
            return Kind::Bad;
        }
        for entry in entries.iter().filter(|entry| !names.allow(&entry.key)) {
            let message = format!("`{}` cannot be a key of `{place}`", entry.key);
            self.report
                .error(entry.mark, message, format!("use {}", names.describe()));
        }
        Kind::Map(
            entries
                .iter()
                .map(|entry| self.named(of, entry, place))
                .collect(),
        )
    }

    fn named(&mut self, of: &Shape, entry: &crate::node::Entry, place: &str) -> Named {
        let item = self.item(of, &entry.node, &join(place, &entry.key));
        Named {
            name: entry.key.clone(),
            mark: entry.mark,
            item,
        }
    }

    /// Reports a flaw of `node`.
    pub(crate) fn flaw(
        &mut self,
        node: &Node,
        place: &str,
        flaw: Flaw,
        note: Option<String>,
    ) -> Kind {
        self.report.flaw(node.mark, shown(place), flaw, note);
        Kind::Bad
    }
}

/// Whether an unknown key looks as if it were meant to be this one.
fn is_misspelt(section: &Section, key: &Key, node: &Node) -> bool {
    let Value::Map(entries) = &node.value else {
        return false;
    };
    let names = section.names();
    let mut unknown = entries
        .iter()
        .filter(|entry| section.key(&entry.key).is_none());
    unknown.any(|entry| suggest::nearest(&entry.key, &names) == Some(key.name))
}

fn inside(place: &str) -> String {
    if place.is_empty() {
        String::new()
    } else {
        format!(" in `{place}`")
    }
}

fn is_open(open: &OpenKeys, key: &str) -> bool {
    key.strip_prefix(open.prefix)
        .is_some_and(|name| !name.is_empty() && name.len() <= 256)
}

fn shown(place: &str) -> &str {
    if place.is_empty() {
        "the configuration"
    } else {
        place
    }
}

/// `place.key`.
pub(crate) fn join(place: &str, key: &str) -> String {
    if place.is_empty() {
        key.to_owned()
    } else {
        format!("{place}.{key}")
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    let keep = text.starts_with("IANA") || text.starts_with("A ");
    match chars.next() {
        Some(first) if !keep => first.to_lowercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}

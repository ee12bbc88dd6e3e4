//! Settings of the Kafka client: any name, and values that are never printed.

use crate::interpolate::secret_file;
use crate::item::{Item, Kind, Named};
use crate::leaf;
use crate::node::{Entry, Node, Value};
use crate::secret::{Secret, is_secret_key};
use crate::table;
use crate::walk::{Walker, join};

/// A property whose value is read from a file.
const FILE_SUFFIX: &str = "_file";

/// What the protocol depends on; a value here would be ignored.
const OURS: [&str; 13] = [
    "bootstrap.servers",
    "metadata.broker.list",
    "group.id",
    "group.instance.id",
    "session.timeout.ms",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "auto.offset.reset",
    "isolation.level",
    "partition.assignment.strategy",
    "transactional.id",
    "enable.idempotence",
    "enable.partition.eof",
];

/// Checks a map of properties.
pub(crate) fn read(walker: &mut Walker<'_>, node: &Node, place: &str) -> Kind {
    let Value::Map(entries) = &node.value else {
        return walker.wrong_kind("a map", node, place, "write `NAME: value` below it");
    };
    let mut named: Vec<Named> = Vec::new();
    for entry in entries {
        let Some(property) = property(walker, entry, place) else {
            continue;
        };
        if named.iter().any(|other| other.name == property.name) {
            let message = format!("the property `{}` is set twice", property.name);
            walker
                .report
                .error(entry.mark, message, "keep either the value or the file");
        }
        named.push(property);
    }
    Kind::Map(named)
}

fn property(walker: &mut Walker<'_>, entry: &Entry, place: &str) -> Option<Named> {
    let path = join(place, &entry.key);
    let name = entry.key.strip_suffix(FILE_SUFFIX).unwrap_or(&entry.key);
    warn_ours(walker, name, entry);
    let resolved = leaf::resolve(walker, "text", &entry.node, &path, true)?;
    let from_elsewhere = resolved.verbatim || !resolved.value.references.is_empty();
    let text = if name.len() < entry.key.len() {
        match secret_file(&walker.base, &resolved.value.text) {
            Ok(text) => text,
            Err(flaw) => {
                walker.flaw(&entry.node, &path, flaw, None);
                return None;
            }
        }
    } else if is_secret_key(name) && !from_elsewhere {
        walker.flaw(&entry.node, &path, leaf::literal_secret(), None);
        return None;
    } else {
        resolved.value.text
    };
    let item = Item {
        mark: entry.node.mark,
        kind: Kind::Secret(Secret::new(text)),
    };
    Some(Named {
        name: name.to_owned(),
        mark: entry.mark,
        item,
    })
}

fn warn_ours(walker: &mut Walker<'_>, name: &str, entry: &Entry) {
    if OURS.contains(&name) {
        let message = format!("the property `{name}` has no effect: settlewatch sets it itself");
        let remedy = format!("remove it; settlewatch sets {}", table::list(OURS));
        walker.report.warning(entry.mark, message, remedy);
    }
}

//! Settings of the Kafka client: any name, and values that are never printed.

use crate::interpolate::secret_file;
use crate::item::{Item, Kind, Named};
use crate::leaf;
use crate::node::{Entry, Node, Value};
use crate::property_names::{ELSEWHERE, NAMES};
use crate::secret::{Secret, is_secret_key};
use crate::suggest;
use crate::table;
use crate::walk::{Walker, join};

/// A property whose value is read from a file.
const FILE_SUFFIX: &str = "_file";

/// A value that is the path of a file; relative ones start from the directory of the configuration.
const PATH_SUFFIX: &str = ".location";

/// What the protocol depends on, and the key that says it, if any; a value here would be ignored.
const OURS: [(&str, Option<&str>); 20] = [
    ("bootstrap.servers", Some("kafka.bootstrap_servers")),
    ("metadata.broker.list", Some("kafka.bootstrap_servers")),
    ("group.id", Some("kafka.group_id")),
    ("group.instance.id", Some("kafka.instance_id")),
    ("session.timeout.ms", Some("kafka.session_timeout")),
    ("auto.offset.reset", Some("kafka.start_at")),
    ("transaction.timeout.ms", Some("kafka.transaction_timeout")),
    ("enable.auto.commit", None),
    ("enable.auto.offset.store", None),
    ("isolation.level", None),
    ("partition.assignment.strategy", None),
    ("group.protocol", None),
    ("group.remote.assignor", None),
    ("transactional.id", None),
    ("enable.idempotence", None),
    ("enable.gapless.guarantee", None),
    ("enable.partition.eof", None),
    ("acks", None),
    ("request.required.acks", None),
    ("allow.auto.create.topics", None),
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
    check_name(walker, name, entry);
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
    } else if name.ends_with(PATH_SUFFIX) {
        path_of(walker, &resolved.value.text, entry, &path)?
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

/// A file or folder that must be there; `ssl.ca.location` may also be `probe`, which looks for the system's.
fn path_of(walker: &mut Walker<'_>, text: &str, entry: &Entry, place: &str) -> Option<String> {
    if text == "probe" || text.is_empty() {
        return Some(text.to_owned());
    }
    match leaf::readable(&walker.base, text) {
        Ok(full) => Some(full),
        Err(flaw) => {
            walker.flaw(&entry.node, place, flaw, None);
            None
        }
    }
}

/// A name that the client does not know, or that is ours to set.
fn check_name(walker: &mut Walker<'_>, name: &str, entry: &Entry) {
    if let Some((_, key)) = OURS.iter().find(|(ours, _)| *ours == name) {
        let message = format!("the property `{name}` has no effect: settlewatch sets it itself");
        let remedy = match key {
            Some(key) => format!("remove it; `{key}` is the key for it"),
            None => format!(
                "remove it; settlewatch sets {}",
                table::list(OURS.map(|(ours, _)| ours))
            ),
        };
        walker.report.warning(entry.mark, message, remedy);
        return;
    }
    let message = format!("the client knows no property `{name}`");
    if let Some((_, instead)) = ELSEWHERE.iter().find(|(other, _)| *other == name) {
        let remedy = format!("that is what other clients call it; write {instead}");
        walker.report.error(entry.mark, message, remedy);
    } else if NAMES.binary_search(&name).is_err() {
        let remedy = match suggest::nearest(name, &NAMES) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "the names are those of librdkafka's CONFIGURATION.md".to_owned(),
        };
        walker.report.error(entry.mark, message, remedy);
    }
}

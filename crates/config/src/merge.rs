//! Merge keys: `<<: *base` takes the entries of a map that are not written out.

use crate::node::{Entry, Node, Value};
use crate::report::Report;

/// The merge key.
pub(crate) const KEY: &str = "<<";

/// Resolves the merge keys of a map: the merged entries come first, in their order; what is written out wins.
pub(crate) fn resolve(node: &mut Node, report: &mut Report) {
    let Value::Map(entries) = &mut node.value else {
        return;
    };
    if !entries.iter().any(|entry| entry.key == KEY) {
        return;
    }
    let (merges, own): (Vec<Entry>, Vec<Entry>) =
        entries.drain(..).partition(|entry| entry.key == KEY);
    let mut all: Vec<Entry> = Vec::new();
    for merge in merges {
        let sources = match merge.node.value {
            Value::List(items) => items,
            _ => vec![merge.node],
        };
        for source in sources {
            take(&mut all, source, report);
        }
    }
    for entry in own {
        match all.iter_mut().find(|other| other.key == entry.key) {
            Some(merged) => *merged = entry,
            None => all.push(entry),
        }
    }
    *entries = all;
}

/// Adds the entries of a merged map; of several maps, the first that has a key counts.
fn take(all: &mut Vec<Entry>, source: Node, report: &mut Report) {
    let Value::Map(entries) = source.value else {
        let remedy = "name an anchor of a map: `<<: *base`";
        report.error(source.mark, "`<<` merges maps only", remedy);
        return;
    };
    for entry in entries {
        if !all.iter().any(|other| other.key == entry.key) {
            all.push(entry);
        }
    }
}

//! Merge keys: `<<: *base` takes the entries of a map that are not written out.

use crate::node::{Entry, Node, Value};
use crate::report::Report;

/// The merge key.
pub(crate) const KEY: &str = "<<";

/// Resolves the merge keys of a map; what is written out wins.
pub(crate) fn resolve(node: &mut Node, report: &mut Report) {
    let Value::Map(entries) = &mut node.value else {
        return;
    };
    if !entries.iter().any(|entry| entry.key == KEY) {
        return;
    }
    let (merges, mut own): (Vec<Entry>, Vec<Entry>) =
        entries.drain(..).partition(|entry| entry.key == KEY);
    for merge in merges {
        let sources = match merge.node.value {
            Value::List(items) => items,
            _ => vec![merge.node],
        };
        for source in sources {
            take(&mut own, source, report);
        }
    }
    *entries = own;
}

fn take(own: &mut Vec<Entry>, source: Node, report: &mut Report) {
    let Value::Map(entries) = source.value else {
        report.error(
            source.mark,
            "`<<` merges maps only",
            "name an anchor of a map: `<<: *base`",
        );
        return;
    };
    for entry in entries {
        if !own.iter().any(|other| other.key == entry.key) {
            own.push(entry);
        }
    }
}

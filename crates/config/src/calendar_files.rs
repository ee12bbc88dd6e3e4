//! `file:` in a calendar: the keys of other files, merged before anything is checked.

use std::path::Path;

use crate::interpolate::{Scope, interpolate};
use crate::node::{Entry, Node, Value};
use crate::report::Report;
use crate::walk::Walker;
use crate::{files, syntax};

/// The key that names files; it stays in the tree, to be checked like the others.
const FILE: &str = "file";
/// Lists that add up.
const LISTS: [&str; 2] = ["holidays", "workdays"];

/// Merges the files of every calendar into the tree.
pub(crate) fn merge(root: &mut Node, walker: &mut Walker<'_>) {
    let Value::Map(top) = &mut root.value else {
        return;
    };
    let Some(calendars) = top.iter_mut().find(|entry| entry.key == "calendars") else {
        return;
    };
    let Value::Map(calendars) = &mut calendars.node.value else {
        return;
    };
    for calendar in calendars {
        for file in names(&calendar.node) {
            if let Some(other) = read(&file, walker) {
                add(&mut calendar.node, other);
            }
        }
    }
}

/// The nodes that name files.
fn names(calendar: &Node) -> Vec<Node> {
    match calendar.get(FILE) {
        Some(Node {
            value: Value::List(items),
            ..
        }) => items.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    }
}

/// The map in a file. Problems with the name itself are left to the check.
fn read(file: &Node, walker: &mut Walker<'_>) -> Option<Node> {
    let Value::Scalar(scalar) = &file.value else {
        return None;
    };
    let scope = Scope {
        env: walker.env,
        files: None,
    };
    let name = if scalar.verbatim {
        scalar.text.clone()
    } else {
        interpolate(&scalar.text, scope).ok()?.text
    };
    if name.is_empty() {
        return None;
    }
    let path = walker.base.join(&name);
    let node = load(&path, file, walker.report)?;
    if !matches!(node.value, Value::Map(_)) {
        walker.report.error(
            node.mark,
            "a calendar's file must be a map of keys",
            "write `holidays: […]` and the like",
        );
        return None;
    }
    if let Some(inner) = node.get(FILE) {
        walker.report.error(
            inner.mark,
            "a calendar's file cannot name another file",
            "list both in the configuration: `file: [a, b]`",
        );
    }
    Some(node)
}

fn load(path: &Path, file: &Node, report: &mut Report) -> Option<Node> {
    match files::read_text(path) {
        Ok(text) => {
            let source = report.add_source(path.display().to_string(), &text);
            syntax::parse(report, source, 0)
        }
        Err(what) => {
            let message = format!("cannot read the calendar `{}`: {what}", path.display());
            report.error(
                file.mark,
                message,
                "paths are relative to the configuration's directory",
            );
            None
        }
    }
}

/// Adds the keys of `other` that are not written, and the elements of its lists.
fn add(calendar: &mut Node, other: Node) {
    let (Value::Map(own), Value::Map(others)) = (&mut calendar.value, other.value) else {
        return;
    };
    for entry in others.into_iter().filter(|entry| entry.key != FILE) {
        match own.iter_mut().find(|mine| mine.key == entry.key) {
            None => own.push(entry),
            Some(mine) if LISTS.contains(&entry.key.as_str()) => join(mine, entry),
            Some(_) => {}
        }
    }
}

fn join(mine: &mut Entry, other: Entry) {
    if mine.node.is_null() {
        mine.node = other.node;
        return;
    }
    match (&mut mine.node.value, other.node.value) {
        (Value::List(items), Value::List(more)) => items.extend(more),
        // Whichever is no list is for the check to report.
        (Value::List(_), Value::Scalar(scalar)) if scalar.is_null() => {}
        (Value::List(items), value) => items.push(Node {
            mark: other.node.mark,
            value,
        }),
        _ => {}
    }
}

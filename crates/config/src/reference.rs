//! The reference of the configuration, for people.

use std::fmt::Write;

use crate::keys;
use crate::table::{Key, Presence, Section, Shape};

/// Every key with its type, default and meaning, as Markdown.
pub fn reference_markdown() -> String {
    let mut out = String::from("# Configuration reference\n");
    section(&mut out, "", &keys::ROOT);
    out
}

fn section(out: &mut String, place: &str, section: &'static Section) {
    if place.is_empty() {
        let _ = write!(out, "\n{}\n", section.doc);
    } else {
        let _ = write!(out, "\n## `{place}`\n\n{}\n", section.doc);
    }
    let _ = write!(
        out,
        "\n| key | type | default | meaning |\n| --- | --- | --- | --- |\n"
    );
    for key in section.keys {
        row(out, key.name, &key.shape, &default(key), key.doc);
    }
    if let Some(open) = section.open {
        row(
            out,
            &format!("{}NAME", open.prefix),
            &open.shape,
            "",
            open.doc,
        );
    }
    for key in section.keys {
        if let Some((below, inner)) = inner(&key.shape) {
            let path = crate::walk::join(place, &format!("{}{below}", key.name));
            self::section(out, &path, inner);
        }
    }
}

fn row(out: &mut String, name: &str, shape: &Shape, default: &str, doc: &str) {
    let _ = writeln!(
        out,
        "| `{name}` | {} | {default} | {doc}{} |",
        shape.describe(),
        words(shape)
    );
}

fn default(key: &Key) -> String {
    match key.presence {
        Presence::Required if key.run_only => "required by `run`".into(),
        Presence::Required => "required".into(),
        Presence::Optional | Presence::Default("{}") => String::new(),
        Presence::Default(yaml) => format!("`{yaml}`"),
    }
}

/// The meaning of each word of a choice.
fn words(shape: &Shape) -> String {
    let meanings: Vec<String> = shape
        .words()
        .iter()
        .map(|(word, meaning)| format!("`{word}`: {meaning}"))
        .collect();
    if meanings.is_empty() {
        String::new()
    } else {
        format!(" {}.", meanings.join("; "))
    }
}

/// The section below a key, and how its path goes on.
fn inner(shape: &Shape) -> Option<(&'static str, &'static Section)> {
    match shape {
        Shape::Section(section) | Shape::Switch(section) => Some(("", section)),
        Shape::List { of, .. } => of.section().map(|section| ("[]", section)),
        Shape::Map { of, .. } => of.section().map(|section| (".NAME", section)),
        _ => None,
    }
}

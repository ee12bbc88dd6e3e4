//! The JSON Schema of the configuration, for editors.

use serde_json::{Map, Value, json};

use crate::durations::PATTERN as DURATION_PATTERN;
use crate::keys;
use crate::leaf::DIMENSIONS;
use crate::node::{self, Node};
use crate::report::Report;
use crate::syntax;
use crate::table::{Key, OpenKeys, Presence, Section, Shape};

/// The JSON Schema (draft 2020-12) of the configuration.
pub fn schema() -> Value {
    let mut root = object(&keys::ROOT);
    let mut schema = Map::new();
    schema.insert(
        "$schema".into(),
        json!("https://json-schema.org/draft/2020-12/schema"),
    );
    schema.insert("title".into(), json!("settlewatch"));
    schema.append(&mut root);
    // `kafka` is needed by the service only.
    schema.insert("required".into(), json!(required(&keys::ROOT, false)));
    let variable = json!({
        "type": "string",
        "pattern": "\\$\\{",
        "description": "Taken from the environment: `${VAR}` or `${VAR:-default}`."
    });
    schema.insert("$defs".into(), json!({ "variable": variable }));
    Value::Object(schema)
}

fn required(section: &Section, run: bool) -> Vec<&'static str> {
    let is_required = |key: &&Key| key.presence == Presence::Required && (run || !key.run_only);
    section
        .keys
        .iter()
        .filter(is_required)
        .map(|key| key.name)
        .collect()
}

fn object(section: &Section) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("type".into(), json!("object"));
    object.insert("description".into(), json!(section.doc));
    let properties: Map<String, Value> = section
        .keys
        .iter()
        .map(|key| (key.name.to_owned(), property(key)))
        .collect();
    object.insert("properties".into(), Value::Object(properties));
    if let Some(open) = section.open {
        object.insert("patternProperties".into(), open_property(&open));
    }
    object.insert("additionalProperties".into(), json!(false));
    if section.must_say() {
        object.insert("minProperties".into(), json!(1));
    }
    // A calendar may have its keys from a file.
    let in_files = section.key("file").is_some();
    let required = if in_files {
        Vec::new()
    } else {
        required(section, true)
    };
    if !required.is_empty() {
        object.insert("required".into(), json!(required));
    }
    object
}

fn open_property(open: &OpenKeys) -> Value {
    let mut value = of(&open.shape);
    value.insert("description".into(), json!(open.doc));
    json!({ format!("^{}.+", open.prefix.replace('.', "\\.")): value })
}

fn property(key: &Key) -> Value {
    let mut value = of(&key.shape);
    value.insert("description".into(), json!(describe(key)));
    if let Presence::Default(yaml) = key.presence {
        value.insert("default".into(), yaml_to_json(yaml));
    }
    Value::Object(value)
}

/// The meaning of a key, and of its words where they are few.
fn describe(key: &Key) -> String {
    let meanings: Vec<String> = key
        .shape
        .words()
        .iter()
        .map(|(word, meaning)| format!("`{word}`: {meaning}"))
        .collect();
    if meanings.is_empty() {
        key.doc.to_owned()
    } else {
        format!("{} {}.", key.doc, meanings.join("; "))
    }
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => Map::from_iter([("const".to_owned(), other)]),
    }
}

/// The same, or a variable in its place.
fn or_variable(value: Value) -> Map<String, Value> {
    map(json!({ "anyOf": [value, { "$ref": "#/$defs/variable" }] }))
}

/// The schema of a shape.
fn of(shape: &Shape) -> Map<String, Value> {
    match shape {
        Shape::Section(section) => object(section),
        Shape::Switch(section) => map(json!({ "anyOf": [object(section), { "type": "boolean" }] })),
        Shape::List { of: element, min } => {
            map(json!({ "type": "array", "items": of(element), "minItems": min }))
        }
        Shape::OneOrMany(element) => {
            let one = of(element);
            map(json!({ "anyOf": [one.clone(), { "type": "array", "items": one, "minItems": 1 }] }))
        }
        Shape::Map {
            keys,
            of: value,
            min,
        } => map(json!({
            "type": "object",
            "propertyNames": { "pattern": keys.pattern() },
            "additionalProperties": of(value),
            "minProperties": min
        })),
        Shape::Properties => map(
            json!({ "type": "object", "additionalProperties": { "type": ["string", "number", "boolean"] } }),
        ),
        _ => scalar(shape),
    }
}

fn scalar(shape: &Shape) -> Map<String, Value> {
    match shape {
        Shape::Version => or_variable(json!({ "const": 1 })),
        Shape::Flag => or_variable(json!({ "type": "boolean" })),
        Shape::Count { min, max } => {
            or_variable(json!({ "type": "integer", "minimum": min, "maximum": max }))
        }
        Shape::Minor => {
            or_variable(json!({ "type": "integer", "minimum": 0, "maximum": i64::MAX }))
        }
        Shape::Duration { .. } => or_variable(json!({
            "anyOf": [{ "type": "string", "pattern": DURATION_PATTERN }, { "const": 0 }],
            "examples": ["90s", "1h30m"]
        })),
        Shape::Rate => {
            or_variable(json!({ "type": ["string", "number"], "pattern": "^0\\.[0-9]{1,6}0*$" }))
        }
        Shape::Share => or_variable(
            json!({ "type": ["string", "number"], "pattern": "^(0\\.[0-9]{1,6}0*|1(\\.0+)?)$" }),
        ),
        Shape::Date => text("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "2026-10-01"),
        Shape::TimeOfDay => text(
            "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$|^24:00(:00)?$",
            "23:00",
        ),
        Shape::Currency => text("^[A-Z]{3}$", "CNY"),
        Shape::Topic => text("^[A-Za-z0-9._-]{1,249}$", "payments"),
        Shape::Listen => text(":[0-9]{1,5}$", "127.0.0.1:9464"),
        Shape::Servers => text(":[0-9]{1,5}$", "127.0.0.1:9092"),
        Shape::Zone => map(json!({ "type": "string", "examples": ["Asia/Shanghai", "UTC"] })),
        Shape::StartAt => map(
            json!({ "type": "string", "examples": ["latest", "earliest", "2026-04-01T00:00:00+08:00"] }),
        ),
        Shape::Choice(words) => {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            or_variable(json!({ "enum": words }))
        }
        Shape::Dimension => {
            let names = DIMENSIONS
                .iter()
                .filter(|name| !name.contains('.'))
                .collect::<Vec<_>>();
            let any = json!({ "anyOf": [{ "enum": names }, { "type": "string", "pattern": "^attrs\\..+" }] });
            or_variable(any)
        }
        Shape::Text { min_bytes: 0, .. } => map(json!({ "type": ["string", "number", "boolean"] })),
        _ => map(json!({ "type": ["string", "number", "boolean"], "minLength": 1 })),
    }
}

fn text(pattern: &str, example: &str) -> Map<String, Value> {
    or_variable(json!({ "type": "string", "pattern": pattern, "examples": [example] }))
}

/// A default of the table as JSON.
pub(crate) fn yaml_to_json(yaml: &str) -> Value {
    let mut aside = Report::default();
    let source = aside.add_source("default", yaml);
    json_of(&syntax::parse(&mut aside, source, 0).expect("defaults in the table are YAML"))
}

fn json_of(node: &Node) -> Value {
    match &node.value {
        node::Value::List(items) => items.iter().map(json_of).collect(),
        node::Value::Map(entries) => entries
            .iter()
            .map(|entry| (entry.key.clone(), json_of(&entry.node)))
            .collect(),
        node::Value::Scalar(scalar) if scalar.is_null() => Value::Null,
        node::Value::Scalar(scalar) if scalar.quoted => json!(scalar.text),
        node::Value::Scalar(scalar) => match (scalar.text.parse::<u64>(), scalar.text.as_str()) {
            (Ok(number), _) => json!(number),
            (_, "true") => json!(true),
            (_, "false") => json!(false),
            (_, text) => json!(text),
        },
    }
}

#[cfg(test)]
mod tests;

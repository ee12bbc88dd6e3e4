//! The schema and the check agree about every key.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::{json_of, schema};
use crate::report::Report;
use crate::{Env, Purpose, load_str, syntax};

const EXAMPLE: &str = include_str!("../../../../examples/settlewatch.yaml");

fn example() -> Value {
    let mut report = Report::default();
    let source = report.add_source("example", EXAMPLE);
    json_of(&syntax::parse(&mut report, source, 0).expect("the example is YAML"))
}

/// Whether `value` is valid, as far as keys and types go. Patterns are for editors.
fn valid(value: &Value, schema: &Value, root: &Value) -> bool {
    if let Some(reference) = schema.get("$ref") {
        let name = reference.as_str().unwrap().rsplit('/').next().unwrap();
        return valid(value, &root["$defs"][name], root)
            && value.as_str().is_some_and(|text| text.contains("${"));
    }
    let any = schema.get("anyOf").is_none_or(|any| {
        any.as_array()
            .unwrap()
            .iter()
            .any(|one| valid(value, one, root))
    });
    let constant = schema.get("const").is_none_or(|constant| constant == value);
    let listed = schema
        .get("enum")
        .is_none_or(|words| words.as_array().unwrap().contains(value));
    any && constant && listed && typed(value, schema) && children(value, schema, root)
}

fn typed(value: &Value, schema: &Value) -> bool {
    let is = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64(),
        "number" => value.is_number(),
        other => panic!("unknown type {other}"),
    };
    match schema.get("type") {
        None => true,
        Some(Value::String(name)) => is(name),
        Some(names) => names
            .as_array()
            .unwrap()
            .iter()
            .any(|name| is(name.as_str().unwrap())),
    }
}

fn children(value: &Value, schema: &Value, root: &Value) -> bool {
    let least = |name: &str| schema.get(name).and_then(Value::as_u64).unwrap_or(0);
    if let Some(items) = value.as_array() {
        if (items.len() as u64) < least("minItems") {
            return false;
        }
        return schema
            .get("items")
            .is_none_or(|of| items.iter().all(|item| valid(item, of, root)));
    }
    let Some(map) = value.as_object() else {
        return true;
    };
    if (map.len() as u64) < least("minProperties") {
        return false;
    }
    let required = schema
        .get("required")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let complete = required
        .iter()
        .all(|key| map.contains_key(key.as_str().unwrap()));
    complete
        && map
            .iter()
            .all(|(key, value)| key_schema(key, schema).is_none_or(|of| valid(value, of, root)))
}

/// The schema of a key; `None` where anything goes.
fn key_schema<'s>(key: &str, schema: &'s Value) -> Option<&'s Value> {
    static NEVER: std::sync::LazyLock<Value> = std::sync::LazyLock::new(|| json!({ "enum": [] }));
    if let Some(found) = schema.get("properties").and_then(|keys| keys.get(key)) {
        return Some(found);
    }
    if let Some(open) = schema
        .get("patternProperties")
        .filter(|_| key.starts_with("attrs."))
    {
        return open.as_object().unwrap().values().next();
    }
    match schema.get("additionalProperties") {
        Some(Value::Bool(false)) => Some(&NEVER),
        other => other,
    }
}

#[test]
fn the_example_is_valid() {
    let schema = schema();
    for (key, value) in example().as_object().unwrap() {
        assert!(
            valid(value, &schema["properties"][key], &schema),
            "{key}: {value}"
        );
    }
    assert!(valid(&example(), &schema, &schema));
}

/// Paths to every map in `value`.
fn maps(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            found.push(path.to_owned());
            map.iter()
                .for_each(|(key, value)| maps(value, &format!("{path}/{key}"), found));
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(at, item)| maps(item, &format!("{path}/{at}"), found)),
        _ => {}
    }
}

fn accepts(value: &Value) -> bool {
    // JSON is YAML.
    load_str("s.yaml", &value.to_string(), Purpose::Run, &Env::empty()).is_ok()
}

#[test]
fn an_unknown_key_anywhere_is_refused_by_both() {
    let (schema, example) = (schema(), example());
    assert!(accepts(&example));
    let mut paths = Vec::new();
    maps(&example, "", &mut paths);
    let free = ["/kafka/properties"];
    for path in paths.iter().filter(|path| !free.contains(&path.as_str())) {
        let mut changed = example.clone();
        let map = changed.pointer_mut(path).unwrap().as_object_mut().unwrap();
        map.insert("zzz".into(), json!([["no"]]));
        assert!(!accepts(&changed), "the check accepts zzz in {path}");
        assert!(
            !valid(&changed, &schema, &schema),
            "the schema accepts zzz in {path}"
        );
    }
}

#[test]
fn a_missing_key_is_refused_by_both_or_neither() {
    let (schema, example) = (schema(), example());
    let mut paths = Vec::new();
    maps(&example, "", &mut paths);
    for path in &paths {
        let keys: Vec<String> = example
            .pointer(path)
            .unwrap()
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        for key in keys {
            let mut changed = example.clone();
            changed
                .pointer_mut(path)
                .unwrap()
                .as_object_mut()
                .unwrap()
                .shift_remove(&key);
            // What only several keys together can get wrong, and keys that may come from a file.
            let beyond = [
                "/calendars/cn/time_zone",
                "/calendars/cn",
                "/calendars",
                "/kafka",
                "/notify/sinks/0/url",
                "/notify/sinks/1/url",
            ];
            let place = format!("{path}/{key}");
            if !beyond.contains(&place.as_str()) {
                assert_eq!(
                    accepts(&changed),
                    valid(&changed, &schema, &schema),
                    "without {place}"
                );
            }
        }
    }
}

/// Every property of the schema, with an example that has it.
fn unused(schema: &Value, examples: &[&Value], path: &str, found: &mut Vec<String>) {
    for one in schema
        .get("anyOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        unused(one, examples, path, found);
    }
    if let Some(items) = schema.get("items") {
        let inner: Vec<&Value> = examples
            .iter()
            .filter_map(|value| value.as_array())
            .flatten()
            .collect();
        unused(items, &inner, &format!("{path}[]"), found);
    }
    if let Some(values) = schema
        .get("additionalProperties")
        .filter(|of| of.is_object())
    {
        let inner: Vec<&Value> = examples
            .iter()
            .filter_map(|value| value.as_object())
            .flat_map(|map| map.values())
            .collect();
        unused(values, &inner, &format!("{path}.*"), found);
    }
    for (key, of) in schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let inner: Vec<&Value> = examples.iter().filter_map(|value| value.get(key)).collect();
        let path = format!("{path}.{key}");
        if inner.is_empty() {
            found.push(path);
        } else {
            unused(of, &inner, &path, found);
        }
    }
}

#[test]
fn the_example_shows_every_key_that_needs_no_other_file() {
    let mut found = Vec::new();
    unused(&schema(), &[&example()], "", &mut found);
    let others = [
        ".kafka.oauth_token_file",
        ".calendars.*.file",
        ".notify.sinks[].url_file",
        ".notify.sinks[].secret",
        ".notify.sinks[].secret_file",
    ];
    assert_eq!(found, others);
}

#[test]
fn every_key_is_explained() {
    fn walk(schema: &Value, path: &str) {
        for (key, of) in schema
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let explained = of["description"]
                .as_str()
                .is_some_and(|text| text.ends_with('.'));
            assert!(explained, "{path}.{key}");
            walk(of, &format!("{path}.{key}"));
        }
        for inner in ["items", "additionalProperties"]
            .iter()
            .filter_map(|name| schema.get(name))
        {
            walk(inner, path);
        }
    }
    walk(&schema(), "");
}

#[test]
fn defaults_are_what_the_table_says() {
    let schema = schema();
    assert_eq!(schema["properties"]["give_up"]["default"], json!("3d"));
    assert_eq!(
        schema["properties"]["limits"]["properties"]["record_bytes"]["default"],
        json!(1_048_576)
    );
    assert_eq!(
        schema["properties"]["fees"]["properties"]["contract_rates"]["default"][0],
        json!("0.0060")
    );
    assert_eq!(schema["required"], json!(["version", "streams", "rules"]));
}

#[test]
fn a_condition_that_says_nothing_is_refused_by_both() {
    let (schema, example) = (schema(), example());
    let mut conditions: Vec<(String, Value)> = crate::keys::ROOT
        .key("rules")
        .into_iter()
        .flat_map(|rules| match rules.shape {
            crate::table::Shape::List { of, .. } => section_of(of).key("match"),
            _ => None,
        })
        .flat_map(|key| section_of(&key.shape).names())
        .map(|name| (name, Value::Null))
        .collect();
    assert!(conditions.len() >= 10, "{conditions:?}");
    conditions.push(("amount_minor".into(), json!({})));
    conditions.push(("amount_minor".into(), json!({"min": null})));
    conditions.push(("amount_minor".into(), json!({"max": null})));
    for (name, nothing) in conditions {
        let mut changed = example.clone();
        changed["rules"][0]["match"] = json!({ name.clone(): nothing });
        assert!(!accepts(&changed), "the check accepts {name}: {nothing}");
        assert!(
            !valid(&changed, &schema, &schema),
            "the schema accepts {name}: {nothing}"
        );
    }
    let mut changed = example.clone();
    changed["rules"][0]["match"] = Value::Null;
    assert!(!accepts(&changed) && !valid(&changed, &schema, &schema));
}

fn section_of(shape: &crate::table::Shape) -> &'static crate::table::Section {
    match shape {
        crate::table::Shape::Section(section) => section,
        other => panic!("{other:?} is no section"),
    }
}

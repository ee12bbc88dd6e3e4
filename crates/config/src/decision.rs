//! The part of a configuration that decisions depend on, as a text that stands alone: calendars from files, values
//! from the environment and overrides are in it; whatever belongs to `run` alone, secrets above all, is not.

use std::fmt::Write;

use crate::env::Env;
use crate::interpolate::{Scope, interpolate};
use crate::keys;
use crate::node::{Node, Scalar, Value, reads_as_null};

/// Sections that detection uses and no decision about a payment.
const WATCH_ONLY: [&str; 1] = ["incidents"];

/// What decisions about payments depend on, as YAML in its flow style.
pub(crate) fn text(root: &Node, env: &Env) -> String {
    rendered(root, env, &WATCH_ONLY)
}

/// The same, and what detection depends on besides.
pub(crate) fn watch_text(root: &Node, env: &Env) -> String {
    rendered(root, env, &[])
}

fn rendered(root: &Node, env: &Env, without: &[&str]) -> String {
    let mut out = String::new();
    if let Value::Map(entries) = &root.value {
        for entry in entries {
            let known = keys::ROOT.keys.iter().find(|key| key.name == entry.key);
            let kept =
                known.is_some_and(|key| !key.run_only) && !without.contains(&entry.key.as_str());
            if kept {
                write(&entry.key, &entry.node, env, &mut out);
                out.push('\n');
            }
        }
    }
    out
}

fn write(key: &str, node: &Node, env: &Env, out: &mut String) {
    quoted(key, out);
    out.push_str(": ");
    value(node, env, out);
}

fn value(node: &Node, env: &Env, out: &mut String) {
    match &node.value {
        Value::Scalar(it) => scalar(it, env, out),
        Value::List(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i == 0 { "" } else { ", " });
                value(item, env, out);
            }
            out.push(']');
        }
        Value::Map(entries) => {
            out.push('{');
            for (i, entry) in entries.iter().enumerate() {
                out.push_str(if i == 0 { "" } else { ", " });
                write(&entry.key, &entry.node, env, out);
            }
            out.push('}');
        }
    }
}

fn scalar(scalar: &Scalar, env: &Env, out: &mut String) {
    let scope = Scope { env, files: None };
    let text = if scalar.verbatim {
        scalar.text.clone()
    } else {
        // What cannot be replaced was reported when the value was checked.
        interpolate(&scalar.text, scope).map_or_else(|_| scalar.text.clone(), |done| done.text)
    };
    let is_word = |c: char| c.is_ascii_alphanumeric() || "+-._".contains(c);
    if scalar.is_null() {
        out.push_str("null");
    } else if !scalar.quoted && text.chars().all(is_word) && !reads_as_null(&text) {
        // Numbers, flags and durations stay what they are.
        out.push_str(&text);
    } else {
        quoted(&text.replace('$', "$$"), out);
    }
}

fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\x{:02x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use crate::{Env, Purpose, load_str};

    const TEXT: &str = r#"
version: 1
kafka: {bootstrap_servers: "127.0.0.1:9092", properties: {sasl.password: "${PASSWORD}"}}
streams: {payments: {topic: "${TOPIC:-payments}"}, credits: {topic: credits}}
calendars:
  cn: {time_zone: Asia/Shanghai, weekend: [sat, sun], holidays: [2026-10-01], cut_off: "23:00", credit_by: "18:00"}
rules:
  - {name: batch, match: {settle_mode: [d0, t1]}, due: {calendar: cn, business_days: 1}, tiers: {breach: 0s}}
  - {name: "odd \"$$\" name", match: {amount_minor: {min: 5000000}, channel: "a, b: [c]"}, tiers: {warn: 30s}}
  - name: silent
    match:
      channel: "${CHANNEL}"
      region: ${CHANNEL}
    tiers: {warn: 30s}
  - {name: default, tiers: {warn: 30s, breach: 120s}}
fees: {contract_rates: ["0.0060"]}
incidents: {reopen_within: 7m}
"#;

    #[test]
    fn the_text_alone_means_the_same_and_holds_no_secret() {
        let env = Env::from_iter([
            ("PASSWORD", "hunter2"),
            ("TOPIC", "paid"),
            ("CHANNEL", "null"),
            ("SETTLEWATCH__GIVE_UP", "2d"),
        ]);
        let loaded = load_str("a.yaml", TEXT, Purpose::Run, &env).expect("it is valid");
        assert!(!loaded.decision.contains("hunter2") && !loaded.decision.contains("kafka"));
        let alone = load_str("b.yaml", &loaded.decision, Purpose::Replay, &Env::empty())
            .unwrap_or_else(|told| panic!("{told}\n{}", loaded.decision));
        // A service may begin in the middle; the text does not say what it is read for.
        let mut settings = alone.config.settings;
        settings.beginning = loaded.config.settings.beginning;
        assert_eq!(settings, loaded.config.settings);
        assert_eq!(alone.config.streams, loaded.config.streams);
        assert_eq!(alone.decision, loaded.decision);
        let watch = load_str("c.yaml", &loaded.watch, Purpose::Replay, &Env::empty());
        let watch = watch.unwrap_or_else(|told| panic!("{told}\n{}", loaded.watch));
        assert_eq!(watch.config.incidents, loaded.config.incidents);
        assert_ne!(watch.config.incidents, alone.config.incidents);
        assert!(!loaded.watch.contains("hunter2"));
    }
}

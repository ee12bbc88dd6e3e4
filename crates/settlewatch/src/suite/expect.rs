//! Expectations of a case: fields that an alert revision must have.

use serde_json::Value;
use settlewatch_config::{Config, Document, Part};

use super::Expected;
use super::clock::Clock;
use super::fields::{self, OF_ALERTS};

/// The expectation that `part` writes; `None` where it is wrong, which has been noted.
pub(crate) fn expected(
    document: &Document,
    config: &Config,
    clock: &Clock,
    part: Part<'_>,
) -> Option<Expected> {
    let Some(written) = part.fields() else {
        document.error(
            part.spot(),
            format!("an expected alert must be a map, not {}", part.kind()),
            "write `{at: \"12:02:00\", kind: credit_missing, payment_id: P1, tier: breach}`",
        );
        return None;
    };
    let mut fields = Vec::new();
    let mut fine = true;
    for field in written {
        let name = if field.key == "at" {
            "decided_at"
        } else {
            field.key
        };
        let Some((name, kind)) = OF_ALERTS.iter().find(|(known, _)| *known == name) else {
            let known: Vec<&str> = std::iter::once("at")
                .chain(OF_ALERTS.iter().map(|(name, _)| *name))
                .collect();
            document.unknown_key(&field, &known);
            fine = false;
            continue;
        };
        match fields::value(document, clock, &field, *kind) {
            Some(value) => fields.push((*name, value)),
            None => fine = false,
        }
    }
    fine &= has_kind(document, part) & knows_tier(document, config, part);
    let at = part
        .get("at")
        .or_else(|| part.get("decided_at"))
        .and_then(|at| clock.time(at.text()?));
    fine.then_some(Expected { at, fields })
}

fn has_kind(document: &Document, part: Part<'_>) -> bool {
    let has = part.get("kind").is_some();
    if !has {
        document.error(
            part.spot(),
            "an expected alert must name its `kind`",
            "add `kind: credit_missing`, or another kind",
        );
    }
    has
}

/// Whether the tier is one that a rule has: an expectation that can never hold is a mistake in the file.
fn knows_tier(document: &Document, config: &Config, part: Part<'_>) -> bool {
    let Some(tier) = part.get("tier").filter(|tier| !tier.is_null()) else {
        return true;
    };
    let mut names = vec!["breach"];
    for rule in &config.settings.rules {
        names.extend(rule.tiers.iter().map(|tier| tier.name.as_ref()));
    }
    names.sort_unstable();
    names.dedup();
    let name = tier.text().unwrap_or_default();
    let known = names.contains(&name);
    if !known {
        document.unknown_word(tier.spot(), "tier", name, &names);
    }
    known
}

/// The fields of `alert` that are not as expected.
pub(crate) fn differences(expected: &Expected, alert: &Value) -> Vec<&'static str> {
    let differing = expected
        .fields
        .iter()
        .filter(|(name, value)| !holds(name, value, &alert[*name]));
    differing.map(|(name, _)| *name).collect()
}

fn holds(name: &str, expected: &Value, got: &Value) -> bool {
    match (name, expected, got) {
        // The dimensions that are named must be so; the others are the configuration's.
        ("dimensions", Value::Object(expected), Value::Object(got)) => expected
            .iter()
            .all(|(name, value)| got.get(name) == Some(value)),
        _ => expected == got,
    }
}

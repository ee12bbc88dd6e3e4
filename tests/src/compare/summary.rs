//! The sums, as paths and values.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Lateness;
use crate::reference::{Counts, Outcome, STREAMS, Sums, rfc3339};

/// A path in the summary and the value there.
type Paths = BTreeMap<String, String>;

/// Payments, money, alerts and times that differ.
pub(super) fn sums(expected: &Outcome, summary: &Value) -> String {
    let mut paths = Paths::new();
    put_sums(&mut paths, "", &expected.counts);
    for (currency, sums) in &expected.amounts {
        put_sums(&mut paths, &format!("/amount_minor/{currency}"), sums);
    }
    paths.insert("/from".to_owned(), rfc3339(expected.from_ms));
    paths.insert("/to".to_owned(), rfc3339(expected.to_ms));
    for (path, count) in alert_states(expected) {
        paths.insert(path, count.to_string());
    }
    let nested = ["/amount_minor", "/alerts"].into_iter();
    nested.for_each(|group| default_groups(&mut paths, group, summary));
    differing(&paths, summary)
}

/// Records that became something else.
pub(super) fn records(expected: &Outcome, summary: &Value, lateness: Lateness) -> String {
    let mut text = String::new();
    for (stream, counts) in STREAMS.iter().zip(&expected.records) {
        let got = |class: &str| summary["records"][stream][class].as_u64().unwrap_or(0);
        let Counts {
            used,
            duplicate,
            late,
            before_horizon,
        } = *counts;
        let mut check = |class: &str, expected: u64, got: u64| {
            if expected != got {
                text.push_str(&format!(
                    "/records/{stream}/{class}: {expected} expected, {got} written\n"
                ));
            }
        };
        match lateness {
            Lateness::Exact => {
                check("used", used, got("used"));
                check("late", late, got("late"));
            }
            Lateness::Summed => check("used + late", used + late, got("used") + got("late")),
        }
        check("duplicate", duplicate, got("duplicate"));
        check("before_horizon", before_horizon, got("before_horizon"));
        check("rejected", 0, got("rejected"));
    }
    text
}

/// Waits that differ.
pub(super) fn waits(expected: &Outcome, summary: &Value) -> String {
    let said = expected
        .waits
        .iter()
        .map(|(wait, count)| (format!("/waits/{wait}"), count.to_string()));
    let mut paths: Paths = said.collect();
    default_leaves(&mut paths, "/waits", summary);
    differing(&paths, summary)
}

fn put_sums(paths: &mut Paths, group: &str, sums: &Sums) {
    let values = [
        ("payments", sums.payments),
        ("credited", sums.credited),
        ("explained", sums.explained),
        ("written_off", sums.written_off),
        ("pending", sums.pending),
        ("overdue", sums.overdue),
    ];
    paths.extend(values.map(|(name, value)| (format!("{group}/{name}"), value.to_string())));
}

/// How many alerts of each kind are open and resolved in the end.
fn alert_states(expected: &Outcome) -> BTreeMap<String, u64> {
    let mut last = BTreeMap::new();
    for it in &expected.revisions {
        last.insert((&it.tenant, &it.payment_id, it.kind), it.state);
    }
    let mut states = BTreeMap::new();
    for ((_, _, kind), state) in last {
        *states.entry(format!("/alerts/{kind}/{state}")).or_insert(0) += 1;
    }
    states
}

/// What the summary has in the groups of a group, and the reference does not name, is expected to be zero.
fn default_groups(paths: &mut Paths, group: &str, summary: &Value) {
    let members = summary.pointer(group).and_then(Value::as_object);
    for name in members.into_iter().flat_map(serde_json::Map::keys) {
        default_leaves(paths, &format!("{group}/{name}"), summary);
    }
}

fn default_leaves(paths: &mut Paths, group: &str, summary: &Value) {
    let members = summary.pointer(group).and_then(Value::as_object);
    for name in members.into_iter().flat_map(serde_json::Map::keys) {
        paths
            .entry(format!("{group}/{name}"))
            .or_insert_with(|| "0".to_owned());
    }
}

fn differing(paths: &Paths, summary: &Value) -> String {
    let mut text = String::new();
    for (path, expected) in paths {
        let got = match summary.pointer(path) {
            None => "0".to_owned(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        if *expected != got {
            text.push_str(&format!("{path}: {expected} expected, {got} written\n"));
        }
    }
    text
}

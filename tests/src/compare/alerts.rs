//! Revisions as lines of text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use serde_json::Value;

use crate::reference::{Paid, Revision, rfc3339};

/// The revisions of one payment and kind: those expected and those written.
type Sides = (Vec<String>, Vec<String>);

/// The alerts whose revisions differ, with all their revisions.
pub(super) fn content(expected: &[Revision], alerts: &[Value]) -> String {
    let mut by_alert = BTreeMap::<(String, String), Sides>::new();
    for revision in expected {
        let key = (revision.payment_id.clone(), revision.kind.to_owned());
        by_alert
            .entry(key)
            .or_default()
            .0
            .push(expected_line(revision));
    }
    for alert in alerts {
        let text = |field: &str| alert[field].as_str().unwrap_or("?").to_owned();
        let key = (text("payment_id"), text("kind"));
        by_alert.entry(key).or_default().1.push(written_line(alert));
    }
    by_alert
        .into_iter()
        .map(|(key, sides)| sided(&key, sides))
        .collect()
}

/// Both sides of one alert as a difference; empty when they are equal.
fn sided((payment_id, kind): &(String, String), (mut expected, mut written): Sides) -> String {
    // Two tenants may share a payment id.
    expected.sort();
    written.sort();
    if expected == written {
        return String::new();
    }
    let mut lines = BTreeSet::new();
    lines.extend(
        expected
            .iter()
            .map(|line| (line, if written.contains(line) { ' ' } else { '-' })),
    );
    lines.extend(
        written
            .iter()
            .map(|line| (line, if expected.contains(line) { ' ' } else { '+' })),
    );
    let body: String = lines
        .iter()
        .map(|(line, side)| format!("  {side} {line}\n"))
        .collect();
    format!(
        "{payment_id} {kind}: {} expected, {} written\n{body}",
        expected.len(),
        written.len()
    )
}

fn or_dash(value: Option<impl Display>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

fn expected_line(it: &Revision) -> String {
    let place = |it: &Paid| {
        let at = rfc3339(it.at_ms);
        format!("{at}/{}/{}/{}", it.channel, it.merchant_id, it.terminal_id)
    };
    let paid = or_dash(it.paid.as_ref().map(place));
    let fields = [
        ("verdict", or_dash(it.verdict.as_ref())),
        ("resolution", or_dash(it.resolution)),
        ("with", or_dash(it.related_payment_id.as_ref())),
        ("amount", or_dash(it.amount_minor)),
        ("currency", or_dash(it.currency.as_ref())),
        ("deadline", or_dash(it.deadline_ms.map(rfc3339))),
        ("lag", or_dash(it.lag_ms)),
        ("paid", paid),
    ];
    let head = format!(
        "{} #{} {} {}",
        rfc3339(it.decided_at_ms),
        it.revision,
        it.state,
        it.tier
    );
    line(&head, &fields)
}

fn written_line(alert: &Value) -> String {
    let said = |field: &str| match &alert[field] {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    // What an orphan's alert says of its payment is not compared.
    let paid = match alert["kind"].as_str() {
        Some("orphan_credit") => "-".to_owned(),
        _ => ["paid_at", "channel", "merchant_id", "terminal_id"]
            .map(said)
            .join("/"),
    };
    let fields = [
        ("verdict", said("verdict")),
        ("resolution", said("resolution")),
        ("with", said("related_payment_id")),
        ("amount", said("amount_minor")),
        ("currency", said("currency")),
        ("deadline", said("deadline")),
        ("lag", said("lag_ms")),
        ("paid", paid),
    ];
    let head = format!(
        "{} #{} {} {}",
        said("decided_at"),
        said("revision"),
        said("state"),
        said("tier")
    );
    line(&head, &fields)
}

fn line(head: &str, fields: &[(&str, String)]) -> String {
    let said: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    format!("{head} {}", said.join(" "))
}

/// What is wrong with the order of lines, with alert ids or with the numbers of revisions.
pub(super) fn order(alerts: &[Value]) -> String {
    let mut wrong = String::new();
    let place = |alert: &Value| {
        let text = |field: &str| alert[field].as_str().unwrap_or_default().to_owned();
        (
            text("decided_at"),
            text("alert_id"),
            alert["revision"].as_u64(),
        )
    };
    for pair in alerts.windows(2) {
        if place(&pair[0]) >= place(&pair[1]) {
            wrong.push_str(&format!(
                "line {:?} stands before {:?}\n",
                place(&pair[0]),
                place(&pair[1])
            ));
        }
    }
    let mut revisions = BTreeMap::<String, (String, u64)>::new();
    for alert in alerts {
        let subject = format!("{} {}", alert["payment_id"], alert["kind"]);
        let seen = revisions
            .entry(place(alert).1)
            .or_insert((subject.clone(), 0));
        seen.1 += 1;
        if (seen.0.as_str(), Some(seen.1)) != (subject.as_str(), alert["revision"].as_u64()) {
            wrong.push_str(&format!(
                "expected revision {} of {}, not {alert}\n",
                seen.1, seen.0
            ));
        }
    }
    wrong
}

//! What was found, for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::text::{grouped, money};

use super::compare::{Change, Difference, Found, Money, Sum};
use super::read::Revision;

/// Differences that are listed unless all are wanted.
const LISTED: usize = 20;

pub(super) fn text(found: &Found, all: bool) -> String {
    let mut text = format!(
        "{:<22} {:<12} {:>8} {:>9}  money\n",
        "kind", "", "alerts", "payments"
    );
    for ((kind, change), sum) in &found.sums {
        line(&mut text, kind, *change, sum);
    }
    for change in Change::ALL {
        let total = found.total(change);
        if total.alerts > 0 {
            line(&mut text, "all", change, &total);
        }
    }
    let listed = if all { usize::MAX } else { LISTED };
    if found.differs() {
        text.push('\n');
    }
    for one in found.differences.iter().take(listed) {
        describe(&mut text, one);
    }
    let more = found.differences.len().saturating_sub(listed);
    if more > 0 {
        let _ = writeln!(text, "… and {} more; --all lists them", grouped(more));
    }
    text
}

fn line(text: &mut String, kind: &str, change: Change, sum: &Sum) {
    let (alerts, payments) = (grouped(sum.alerts), grouped(sum.payments.len()));
    let _ = writeln!(
        text,
        "{kind:<22} {:<12} {alerts:>8} {payments:>9}  {}",
        change.as_str(),
        shown(&sum.money)
    );
}

fn shown(sums: &Money) -> String {
    let sums = sums.iter().map(|(currency, &amount)| {
        let amount = i128::try_from(amount).unwrap_or(i128::MAX);
        money(amount, currency)
    });
    let sums: Vec<String> = sums.collect();
    if sums.is_empty() {
        "-".into()
    } else {
        sums.join("  ")
    }
}

fn describe(text: &mut String, one: &Difference) {
    let _ = writeln!(
        text,
        "{} {}: {}",
        one.key.payment_id,
        one.key.kind,
        one.change.as_str()
    );
    let sides = [("-", &one.before), ("+", &one.after)];
    for (sign, side) in sides {
        if let Some(revision) = side {
            let _ = writeln!(text, "  {sign} {}", revision_line(revision));
        }
    }
    if one.change == Change::Changed {
        let _ = writeln!(text, "    {}", one.fields.join(", "));
    }
}

fn revision_line(revision: &Revision) -> String {
    let amount = match (revision.amount_minor, &revision.currency) {
        (Some(amount), Some(currency)) => {
            money(i128::try_from(amount).unwrap_or(i128::MAX), currency)
        }
        _ => "-".into(),
    };
    let state = revision.resolution.as_deref().unwrap_or(&revision.tier);
    format!(
        "revision {} {} {state} at {}  {amount}  {}",
        revision.revision,
        revision.state,
        revision.decided_at,
        revision.verdict.as_deref().unwrap_or("")
    )
    .trim_end()
    .to_owned()
}

pub(super) fn json(found: &Found) -> String {
    let sums = found.sums.iter().map(|((kind, change), sum)| {
        let amounts = sum
            .money
            .iter()
            .map(|(currency, amount)| (currency.clone(), Value::from(amount.to_string())));
        json!({
            "kind": kind,
            "change": change.as_str(),
            "alerts": sum.alerts,
            "payments": sum.payments.len(),
            "amount_minor": Value::Object(amounts.collect()),
        })
    });
    let differences = found.differences.iter().map(|one| {
        json!({
            "payment_id": one.key.payment_id,
            "tenant": one.key.tenant,
            "kind": one.key.kind,
            "change": one.change.as_str(),
            "fields": one.fields,
            "before": one.before.as_ref().map(revision_line),
            "after": one.after.as_ref().map(revision_line),
        })
    });
    let value = json!({
        "schema": "settlewatch.diff/1",
        "sums": sums.collect::<Vec<_>>(),
        "differences": differences.collect::<Vec<_>>(),
    });
    format!("{value:#}\n")
}

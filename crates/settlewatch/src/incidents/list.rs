//! `incidents list`: the last revision of each incident, a line each, what matters most first.

use serde_json::Value;

use super::covers::covering;
use super::read::{Source, json_line};
use super::told::{Told, latest};
use super::words::{Language, line};
use crate::cli::{IncidentsListArgs, IncidentsSource};
use crate::exit::Failed;

pub(super) fn text(told: &IncidentsSource, args: &IncidentsListArgs) -> anyhow::Result<String> {
    let source = Source::of(told)?;
    let incidents = source.incidents()?;
    let mut listed = latest(&incidents);
    if let Some(payment_id) = &args.payment {
        let alerts = source.alerts_of(payment_id, args.tenant.as_deref())?;
        if !alerts.is_empty() {
            listed = covering(listed, &alerts);
        } else {
            // Slow as it was, it was credited before its deadline: an incident may name it all the same.
            listed.retain(|told| told.samples().any(|sample| sample == payment_id));
            if listed.is_empty() {
                let why = format!("payment `{payment_id}` has no alert, and no incident names it");
                return Err(Failed(why).into());
            }
        }
    }
    listed.retain(|told| !args.open || told.is_open());
    if told.json {
        return Ok(listed.iter().map(|told| json_line(&told.json)).collect());
    }
    Ok(table(&listed, told.language()))
}

fn table(listed: &[&Told], language: Language) -> String {
    if listed.is_empty() {
        return format!("{}\n", language.of("no incident", "没有事件"));
    }
    listed
        .iter()
        .map(|told| line(told, language) + "\n")
        .collect()
}

/// Whether an alert is of this payment.
pub(super) fn is_of(alert: &Value, payment_id: &str, tenant: Option<&str>) -> bool {
    alert["payment_id"] == payment_id && alert["tenant"].as_str() == tenant
}

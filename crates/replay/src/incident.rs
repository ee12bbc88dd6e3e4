//! Incidents as JSON: one line a revision.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use settlewatch_join::event::Currency;
use settlewatch_watch::incident::Incident;
use settlewatch_watch::{Burn, BurnRate, Expected};
use settlewatch_wire::format_time;

/// A revision of an incident as it is written.
pub fn incident_json(incident: &Incident) -> Value {
    let time = |at| format_time(at).to_string();
    let row = incident.finding.cause.row();
    let state = if incident.resolved_at.is_some() {
        "resolved"
    } else {
        "open"
    };
    json!({
        "schema": "settlewatch.incident/1",
        "incident_id": incident.id,
        "revision": incident.revision,
        "state": state,
        "severity": incident.severity.as_str(),
        "verdict": row.label,
        "basis": incident.finding.basis.as_str(),
        "confidence": incident.finding.confidence,
        "scope": scope(incident),
        "opened_at": time(incident.opened_at),
        "started_at": time(incident.started_at),
        "updated_at": time(incident.updated_at),
        "resolved_at": incident.resolved_at.map(time),
        "evidence": evidence(incident),
        "action": {"code": row.code, "en": row.en, "zh": row.zh},
        "samples": incident.samples,
    })
}

/// A value alone stands as a string, several as an array.
fn scope(incident: &Incident) -> Value {
    let conditions = incident.scope.iter().map(|(name, values)| {
        let value = match values.as_slice() {
            [value] => json!(value),
            _ => json!(values),
        };
        (name.clone(), value)
    });
    Value::Object(conditions.collect())
}

fn money_json(money: &BTreeMap<Currency, u128>) -> Value {
    let sums = money.iter();
    let sums: Map<_, _> = sums
        .map(|(currency, sum)| (currency.as_str().to_owned(), sum.to_string().into()))
        .collect();
    Value::Object(sums)
}

/// A share as it is written: to a hundredth of a per cent.
pub(crate) fn share(share: f64) -> f64 {
    (share * 10_000.0).round() / 10_000.0
}

/// How fast an error budget is spent.
fn burn_json(burn: &Burn) -> Value {
    let pace = |rate: &BurnRate| {
        let times = rate.times.map(|times| (times * 10.0).round() / 10.0);
        json!({"times": times, "burns": rate.burns})
    };
    json!({"channel": burn.channel, "fast": pace(&burn.fast), "slow": pace(&burn.slow)})
}

/// Credits that are expected to be missing.
pub(crate) fn expected_json(expected: &Expected) -> Value {
    let rounded = |count: f64| (count * 10.0).round() / 10.0;
    json!({
        "of": expected.of,
        "count": rounded(expected.count),
        "low": rounded(expected.low),
        "high": rounded(expected.high),
        "amount_minor": money_json(&expected.amount_minor),
    })
}

fn evidence(incident: &Incident) -> Value {
    let evidence = &incident.evidence;
    let mut json = json!({
        "open": evidence.open,
        "amount_minor": money_json(&evidence.amount_minor),
        "merchants": evidence.merchants,
        "terminals": evidence.terminals,
        "rate_inside": share(evidence.rate_inside),
        "rate_outside": share(evidence.rate_outside),
        "explains": share(evidence.explains),
        "lag_p95_ms": evidence.lag_p95_ms,
        "touched": evidence.touched,
        "touched_minor": money_json(&evidence.touched_minor),
        "credited_late": evidence.credited_late,
        "ruled_out": incident.finding.ruled_out,
    });
    if let Some(amount) = evidence.amount_above_minor {
        json["amount_above_minor"] = amount.into();
    }
    if let Some(signature) = &evidence.signature {
        json["signature"] = signature.as_str().into();
    }
    if let Some(expected) = &evidence.expected_missing {
        json["expected_missing"] = expected_json(expected);
    }
    if let Some(burn) = &evidence.burn {
        json["burn"] = burn_json(burn);
    }
    json
}

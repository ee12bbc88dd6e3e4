//! Incidents as JSON: one line a revision.

use serde_json::{Map, Value, json};
use settlewatch_watch::incident::Incident;
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

fn evidence(incident: &Incident) -> Value {
    let evidence = &incident.evidence;
    let money = evidence.amount_minor.iter();
    let money: Map<_, _> = money
        .map(|(currency, sum)| (currency.as_str().to_owned(), sum.to_string().into()))
        .collect();
    let rounded = |share: f64| (share * 10_000.0).round() / 10_000.0;
    let mut json = json!({
        "open": evidence.open,
        "amount_minor": money,
        "merchants": evidence.merchants,
        "terminals": evidence.terminals,
        "rate_inside": rounded(evidence.rate_inside),
        "rate_outside": rounded(evidence.rate_outside),
        "explains": rounded(evidence.explains),
        "lag_p95_ms": evidence.lag_p95_ms,
        "touched": evidence.touched,
        "credited_late": evidence.credited_late,
        "ruled_out": incident.finding.ruled_out,
    });
    if let Some(amount) = evidence.amount_above_minor {
        json["amount_above_minor"] = amount.into();
    }
    if let Some(signature) = &evidence.signature {
        json["signature"] = signature.as_str().into();
    }
    json
}

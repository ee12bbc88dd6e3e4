//! Which incident covers an alert: the kind fits the verdict, the payment lies in its place, and it came while the fault
//! lasted.

use serde_json::Value;
use settlewatch_wire::parse_time;

use super::told::Told;

/// A payment that came so long before the onset may wait because of it.
const LEAD_MS: i64 = 30_000;

/// Fields of an alert that are not among its dimensions.
const OWN: [&str; 4] = ["channel", "merchant_id", "terminal_id", "currency"];

/// Verdicts that say why a payment waits: they count towards no incident.
const EXPLAINED: [&str; 2] = ["REFUND_IN_FLIGHT", "RISK_HOLD"];

/// Whether `incident` covers the payment of `alert`, a line of the alerts topic.
pub(crate) fn covers(incident: &Told, alert: &Value) -> bool {
    fits(incident.text("verdict"), alert) && is_during(incident, alert) && lies_in(incident, alert)
}

/// Those of `incidents` that cover any of `alerts`.
pub(crate) fn covering<'a>(
    incidents: impl IntoIterator<Item = &'a Told>,
    alerts: &[Value],
) -> Vec<&'a Told> {
    let covers_one = |told: &&Told| alerts.iter().any(|alert| covers(told, alert));
    incidents.into_iter().filter(covers_one).collect()
}

/// Whether alerts of this kind are what such a fault does.
fn fits(verdict: &str, alert: &Value) -> bool {
    let kind = alert["kind"].as_str().unwrap_or_default();
    let said = alert["verdict"].as_str();
    match verdict {
        // What we have not read accuses nobody; acknowledgements and clocks leave no credit missing.
        "MONITOR_BEHIND" | "MERCHANT_BACKEND_SLOW" | "CLOCK_SKEW" => false,
        "AMOUNT_MISMATCH" | "USER_AMOUNT_ERROR" => {
            kind == "amount_mismatch" && said == Some(verdict)
        }
        "FEE_MISMATCH" => kind == "amount_mismatch" && said != Some("USER_AMOUNT_ERROR"),
        "CURRENCY_MISMATCH" => kind == "currency_mismatch",
        "TERMINAL_MISMATCH" => kind == "terminal_mismatch",
        "ORPHAN_CREDIT" => kind == "orphan_credit",
        "DUPLICATE_CREDIT" => kind == "duplicate_credit",
        "DUPLICATE_PAYMENT" => kind == "duplicate_payment" || said == Some(verdict),
        "RISK_HOLD_OVERDUE" => kind == "hold_overdue",
        "ID_CORRUPTED" => said == Some(verdict) || (kind == "credit_missing" && said.is_none()),
        _ => kind == "credit_missing" && !said.is_some_and(|said| EXPLAINED.contains(&said)),
    }
}

fn ms(value: &Value) -> Option<i64> {
    parse_time(value.as_str()?).map(|at| at.millis())
}

fn is_during(incident: &Told, alert: &Value) -> bool {
    let Some(from_ms) = ms(&incident.json["started_at"]) else {
        return false;
    };
    let until_ms = ms(&incident.json["resolved_at"]).unwrap_or(i64::MAX);
    // A missing credit is missing since it was paid; everything else is known when it is decided.
    let paid = (alert["kind"] == "credit_missing").then(|| ms(&alert["paid_at"]));
    let at_ms = paid.flatten().or_else(|| ms(&alert["decided_at"]));
    at_ms.is_some_and(|at_ms| (from_ms - LEAD_MS..=until_ms).contains(&at_ms))
}

/// All conditions hold. Of a stream as a whole everybody is a part; in which partition a payment lies, an alert does not
/// say.
fn lies_in(incident: &Told, alert: &Value) -> bool {
    incident.scope().iter().all(|(field, values)| {
        if *field == "stream" {
            return true;
        }
        let value = if OWN.contains(field) {
            &alert[*field]
        } else {
            &alert["dimensions"][*field]
        };
        value.as_str().is_some_and(|value| values.contains(&value))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn incident(change: impl Fn(&mut Value)) -> Told {
        let mut json = json!({
            "verdict": "CHANNEL_DOWN",
            "scope": {"channel": "visa", "region": ["east", "west"]},
            "started_at": "2026-03-02T04:00:00.000Z",
            "resolved_at": "2026-03-02T04:10:00.000Z",
        });
        change(&mut json);
        Told { json }
    }

    fn alert(change: impl Fn(&mut Value)) -> Value {
        let mut json = json!({
            "kind": "credit_missing",
            "channel": "visa",
            "paid_at": "2026-03-02T04:05:00.000Z",
            "decided_at": "2026-03-02T04:05:30.000Z",
            "verdict": null,
            "dimensions": {"region": "west"},
        });
        change(&mut json);
        json
    }

    #[test]
    fn place_time_and_kind_decide() {
        let same = |_: &mut Value| {};
        assert!(covers(&incident(same), &alert(same)));
        let elsewhere: [fn(&mut Value); 7] = [
            |alert| alert["channel"] = "alipay".into(),
            |alert| alert["dimensions"]["region"] = "north".into(),
            |alert| alert["dimensions"] = Value::Null,
            |alert| alert["kind"] = "amount_mismatch".into(),
            |alert| alert["verdict"] = "REFUND_IN_FLIGHT".into(),
            |alert| alert["paid_at"] = "2026-03-02T03:59:29.000Z".into(),
            |alert| alert["paid_at"] = "2026-03-02T04:10:00.001Z".into(),
        ];
        for (number, change) in elsewhere.into_iter().enumerate() {
            assert!(!covers(&incident(same), &alert(change)), "{number}");
        }
    }

    #[test]
    fn while_it_is_open_it_has_no_end_and_a_stream_is_everybody() {
        let open = incident(|it| it["resolved_at"] = Value::Null);
        let later = alert(|it| it["paid_at"] = "2026-03-03T00:00:00.000Z".into());
        assert!(covers(&open, &later));
        let silent = incident(|it| {
            it["verdict"] = "SOURCE_SILENT".into();
            it["scope"] = json!({"stream": "credits"});
        });
        assert!(covers(&silent, &alert(|it| it["channel"] = "any".into())));
        let one = incident(|it| it["scope"] = json!({"stream": "credits", "partition": "3"}));
        assert!(!covers(&one, &alert(|_| {})));
        for nobody in ["MONITOR_BEHIND", "MERCHANT_BACKEND_SLOW"] {
            let told = incident(|it| it["verdict"] = nobody.into());
            assert!(!covers(&told, &alert(|_| {})), "{nobody}");
        }
    }

    #[test]
    fn cases_are_covered_by_the_pattern_that_they_make() {
        let place = |it: &mut Value| it["scope"] = json!({"channel": "visa"});
        for (verdict, kind, said, covered) in [
            (
                "AMOUNT_MISMATCH",
                "amount_mismatch",
                "AMOUNT_MISMATCH",
                true,
            ),
            (
                "AMOUNT_MISMATCH",
                "amount_mismatch",
                "USER_AMOUNT_ERROR",
                false,
            ),
            ("FEE_MISMATCH", "amount_mismatch", "AMOUNT_MISMATCH", true),
            ("ORPHAN_CREDIT", "orphan_credit", "ORPHAN_CREDIT", true),
            ("ORPHAN_CREDIT", "credit_missing", "ID_CORRUPTED", false),
            ("ID_CORRUPTED", "credit_missing", "ID_CORRUPTED", true),
        ] {
            let incident = incident(|it| {
                place(it);
                it["verdict"] = verdict.into();
            });
            let alert = alert(|it| {
                it["kind"] = kind.into();
                it["verdict"] = said.into();
            });
            assert_eq!(
                covers(&incident, &alert),
                covered,
                "{verdict} {kind} {said}"
            );
        }
    }
}

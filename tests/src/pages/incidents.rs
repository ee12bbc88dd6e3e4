//! The reference of incidents: the table of causes of the watch, and the fields of a line as it is serialised.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use settlewatch_join::Timestamp;
use settlewatch_join::event::Currency;
use settlewatch_replay::incident_json;
use settlewatch_watch::incident::cause::{Cause, Route};
use settlewatch_watch::incident::{Basis, Evidence, Finding, Incident, Severity};
use settlewatch_watch::{Burn, BurnRate, Expected};

use super::rows;

const HEAD: &str = "\
# Incidents

One JSON object a revision, in the topic `output.incidents` and in `incidents.ndjson` of a replay. An incident is one
fault: where it is, since when, how much money, and what to do. People are paged on incidents, once each, never once per payment. It speaks again only when
its cause, place or severity changed or three times as much was touched, resolves by itself, and is opened again when the
same comes back within `incidents.reopen_within`.

An example:

";

/// What the fields of a line mean.
const FIELDS: &[(&str, &str)] = &[
    (
        "incident_id",
        "Its identity over all revisions; the same in every replay.",
    ),
    ("revision", "1, 2, 3, … without a gap."),
    ("state", "`open` or `resolved`."),
    (
        "severity",
        "`critical` and `warning` page, once; `info` never does.",
    ),
    ("verdict", "The cause, below."),
    (
        "basis",
        "`confirmed`: an auxiliary event says so; `inferred`: the statistics show it; `guess`: what would tell more is missing.",
    ),
    ("confidence", "From 0 to 1."),
    (
        "scope",
        "Fields of `payment.succeeded` with a value or several, all of which hold; `{}` is everything. `stream` and `partition` where a source is silent or unread.",
    ),
    ("opened_at", "When it was raised."),
    ("started_at", "When the fault began, as estimated."),
    ("updated_at", "When this revision was made."),
    ("resolved_at", "When it was over; `null` while it lasts."),
    (
        "evidence.open",
        "Payments that were missing at `updated_at`, and `evidence.amount_minor` in minor units.",
    ),
    (
        "evidence.merchants",
        "Merchants, and `evidence.terminals` terminals, that are touched.",
    ),
    (
        "evidence.rate_inside",
        "Share of slow or missing payments in the scope since the onset; `evidence.rate_outside` elsewhere.",
    ),
    (
        "evidence.explains",
        "Share of all that is slow or missing since the onset that lies in the scope.",
    ),
    (
        "evidence.lag_p95_ms",
        "95 % were credited within so long, the waiting counted; `null` where that cannot be known yet.",
    ),
    (
        "evidence.touched",
        "Payments that were touched in all; of them `evidence.credited_late`.",
    ),
    (
        "evidence.ruled_out",
        "What it is not, and what could not be told and why.",
    ),
    (
        "evidence.amount_above_minor",
        "Only where misses occur above an amount.",
    ),
    (
        "evidence.signature",
        "Only where cases differ in one way: an offset, a factor, a rate.",
    ),
    (
        "evidence.expected_missing",
        "Only while a fault of credits lasts: of the payments in the scope that wait and are not overdue (`of`), how many will miss their first deadline if credits go on as they did in the last moments; `low` to `high` holds the number with 95 %. `amount_minor` is the money that will be missing.",
    ),
    (
        "evidence.burn",
        "Only of faults of credits: how fast the `channel` that suffers most spends its error budget (`incidents.objective`), as `times` the rate that would spend the budget of a day in a day, over two minutes (`fast`) and twelve (`slow`); `null` where nothing was decided. `burns` above 14.4 times and 6 times, as long as it goes on. It opens no incident.",
    ),
    ("action", "A suggestion; nothing acts on it by itself."),
    ("samples", "A few of the payments."),
];

pub(super) fn page() -> String {
    let line = incident_json(&example());
    for (name, _) in FIELDS {
        let path = format!("/{}", name.replace('.', "/"));
        assert!(line.pointer(&path).is_some(), "{name} is in no line");
    }
    let mut page = String::from(HEAD);
    let text = serde_json::to_string_pretty(&line).expect("an incident is JSON");
    let _ = write!(
        page,
        "```json\n{text}\n```\n\n| field | meaning |\n| --- | --- |\n{}",
        rows(FIELDS)
    );
    page += "\n## `verdict`\n\nThose of the finance team are queued, not paged, unless they are `warning`.\n\n";
    page += "| verdict | told | action | |\n| --- | --- | --- | --- |\n";
    for cause in Cause::ALL {
        let row = cause.row();
        let told = match row.route {
            Route::OnCall => "on call",
            Route::Finance => "finance",
        };
        let _ = writeln!(
            page,
            "| `{}` | {told} | {} | {} |",
            row.label, row.en, row.zh
        );
    }
    page
}

/// An incident in which nothing is absent.
fn example() -> Incident {
    let at = |seconds: i64| Timestamp::from_millis(1_772_424_000_000 + seconds * 1000);
    let currency = Currency::new(*b"CNY").expect("it is a currency");
    Incident {
        id: "inc-5d2f0f6a3c1b7e94".into(),
        revision: 3,
        severity: Severity::Critical,
        finding: Finding {
            cause: Cause::ChannelDown,
            basis: Basis::Inferred,
            confidence: 0.93,
            ruled_out: vec!["no peak: payments come at their usual rate".into()],
        },
        scope: vec![("channel".into(), vec!["unionpay_qr".into()])],
        opened_at: at(8),
        started_at: at(0),
        updated_at: at(240),
        resolved_at: Some(at(240)),
        evidence: Evidence {
            open: 12,
            amount_minor: BTreeMap::from([(currency, 128_000)]),
            merchants: 62,
            terminals: 97,
            rate_inside: 0.98,
            rate_outside: 0.004,
            explains: 0.87,
            lag_p95_ms: Some(41_200),
            touched: 412,
            credited_late: 400,
            amount_above_minor: Some(500_000),
            signature: Some("offset -1".into()),
            expected_missing: Some(Expected {
                of: 40,
                count: 38.2,
                low: 33.1,
                high: 40.0,
                amount_minor: BTreeMap::from([(currency, 4_231_000)]),
            }),
            burn: Some(Burn {
                channel: "unionpay_qr".into(),
                fast: BurnRate {
                    times: Some(812.5),
                    burns: true,
                },
                slow: BurnRate {
                    times: Some(94.0),
                    burns: true,
                },
            }),
        },
        samples: vec!["P1".into(), "P2".into()],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn every_field_of_a_line_is_said() {
        let line = incident_json(&example());
        let text = page();
        for (name, value) in line.as_object().expect("an object") {
            assert!(text.contains(&format!("`{name}")) || name == "schema" || name == "evidence");
            if name == "evidence" {
                let Value::Object(fields) = value else {
                    panic!("evidence is an object")
                };
                for field in fields.keys() {
                    assert!(text.contains(&format!("`evidence.{field}`")), "{field}");
                }
            }
        }
    }
}

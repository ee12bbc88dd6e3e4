//! The reference of incidents: the table of causes of the watch, and the fields of a line as it is serialised.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use settlewatch_join::Timestamp;
use settlewatch_join::event::Currency;
use settlewatch_replay::incident_json;
use settlewatch_watch::incident::cause::{Cause, Route};
use settlewatch_watch::incident::{Basis, Evidence, Finding, Incident, Severity, Told};
use settlewatch_watch::{Burn, BurnRate, Expected};

use super::rows;

const HEAD: &str = "\
# Incidents

One JSON object a revision, in the topic `output.incidents` and in `incidents.ndjson` of a replay. An incident is one
fault: where it is, since when, how much money, and what to do. People are paged on incidents, never on single payments:
once, when an incident first is `warning` or `critical`; what is corrected later is the same page
([what pages](../operate.md#what-pages)). A revision is written when cause, basis, place or severity changed, when three
times as much was touched, and when the fault is over, which the watch notices by itself. The same fault within
`incidents.reopen_within` opens the same incident again.

Every figure is that of its revision, at `updated_at`. Between two revisions more may have gone missing or been credited:
how much it is now, `settlewatch_overdue_amount` and the alerts say.

An example, of an incident that is open:

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
        "`critical` and `warning` page; `info` never does.",
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
        "Of the payments in the scope since the onset, the share that is slow or missing (1 of `BANK_BATCH_MISSED`: of batches only what is missing is known); `evidence.rate_outside`: the same outside the scope.",
    ),
    (
        "evidence.explains",
        "Of all payments that are slow or missing since the onset, the share that lies in the scope.",
    ),
    (
        "evidence.lag_p95_ms",
        "The lag within which 95 % of the payments in the scope are credited; those that still wait count, too. `null` while too many wait to know it.",
    ),
    (
        "evidence.touched",
        "Payments that the fault touched so far, and `evidence.touched_minor` their money in minor units (empty where records are counted, or credits came on time): `evidence.open` and those that were credited meanwhile: `evidence.credited_late` of them after a deadline. Who waited when it began counts, and so does what an incident that was opened again had before. What the places of two faults share counts in the smaller place alone, unless both began within 20 s of each other.",
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
        "Only while a fault of credits lasts, so never of a resolved one. `of`: payments in the scope that wait and are not overdue. `count`: how many of them will miss their first deadline if credits go on as in the last moments; with 95 % probability between `low` and `high`. `amount_minor`: the money that this will be.",
    ),
    (
        "evidence.burn",
        "Only of faults of credits: how fast the `channel` that suffers most spends its error budget (the share of payments that may miss their first deadline, 1 − `incidents.objective`). `times` 1 spends the budget of a day in a day; it is taken over the last two minutes (`fast`) and the last twelve (`slow`), and is `null` where no payment came to its deadline in them. `burns`: `fast` is above 14.4 times, `slow` above 6 times, more often than chance explains, and the same still holds over the last ten seconds, or the last minute; so it is `false` once the fault is over. It is evidence alone and opens no incident.",
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
    page += "\n## `verdict`\n\nTold `on call`: it pages. Told `finance`: it is `info` and goes to the queue of the finance team, but for those that are
`warning`, which page as well.\n\n";
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

/// An incident that is open, in which nothing is absent but its end.
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
        resolved_at: None,
        evidence: Evidence {
            open: 372,
            amount_minor: BTreeMap::from([(currency, 39_990_000)]),
            merchants: 62,
            terminals: 97,
            rate_inside: 0.98,
            rate_outside: 0.004,
            explains: 0.87,
            lag_p95_ms: Some(41_200),
            touched: 412,
            touched_minor: BTreeMap::from([(currency, 44_310_000)]),
            credited_late: 40,
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
        told: Told {
            cause: Cause::ChannelCongested,
            severity: Severity::Warning,
            scope: vec![("channel".into(), vec!["unionpay_qr".into()])],
        },
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

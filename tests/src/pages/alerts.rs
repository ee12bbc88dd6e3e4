//! The reference of the alerts that are written: the words of the join, and the fields of a line as it is serialised.

use std::fmt::Write as _;

use serde_json::{Map, Value};
use settlewatch_join::event::Currency;
use settlewatch_join::{Alert, AlertId, AlertKind, Resolution, Timestamp, Verdict};
use settlewatch_wire::AlertLine;

use super::rows;

const HEAD: &str = "\
# Alerts

One JSON object a change, in the topic `output.alerts` (key: the payment id) or in `alerts.ndjson` of a replay. Another
tier, another verdict and the resolution are revisions of the same alert. An alert speaks of one payment.

In the topic each revision has a header `settlewatch-proof`, which says up to where every input had been read when it
was decided: `settlewatch verify` derives the alert again from it.

An example:

";

/// What the fields of a line mean, in their order.
const FIELDS: &[(&str, &str)] = &[
    ("schema", "The format of the line."),
    (
        "alert_id",
        "Depends on the payment and the kind alone: the same in every replay.",
    ),
    (
        "revision",
        "1, 2, 3, … without a gap; with `alert_id` it is unique, whatever crashes.",
    ),
    ("tenant", "Only where the records name one."),
    (
        "payment_id",
        "The payment; of an orphan what the credit says.",
    ),
    ("kind", "What is wrong."),
    ("state", "`open` or `resolved`."),
    (
        "tier",
        "The step of the rule that was passed; of kinds other than `credit_missing` always `breach`.",
    ),
    ("channel", "Of the payment; `null` where not known."),
    ("merchant_id", "Likewise."),
    ("terminal_id", "Likewise."),
    (
        "amount_minor",
        "In minor units: the payment's; of `orphan_credit` and `duplicate_credit` the credit's, of several their sum.",
    ),
    ("currency", "Its currency."),
    ("paid_at", "Business time of the payment."),
    (
        "deadline",
        "The deadline that passed, where the kind has one.",
    ),
    (
        "decided_at",
        "The moment that it speaks of, in append time: the deadline, or the record that decided. Not when it was written.",
    ),
    ("resolution", "How it ended; `null` while it is open."),
    (
        "lag_ms",
        "Business time of the credit less that of the payment; may be negative.",
    ),
    (
        "verdict",
        "The cause, where the payment's own records show it.",
    ),
    (
        "related_payment_id",
        "The other payment of `duplicate_payment`, or the id that nearly matches.",
    ),
    (
        "dimensions",
        "Those of `dimensions` in the configuration that the payment has.",
    ),
];

pub(super) fn page() -> String {
    let line = line();
    let names: Vec<_> = line.keys().map(String::as_str).collect();
    let told: Vec<_> = FIELDS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, told, "the fields of a line and what is said of them");
    let mut page = String::from(HEAD);
    let text = serde_json::to_string_pretty(&line).expect("an alert is JSON");
    let _ = writeln!(
        page,
        "```json\n{text}\n```\n\n| field | meaning |\n| --- | --- |"
    );
    page.push_str(&rows(FIELDS));
    for (title, words) in [
        ("kind", AlertKind::WORDS),
        ("resolution", Resolution::WORDS),
        ("verdict", Verdict::WORDS),
    ] {
        let _ = write!(
            page,
            "\n## `{title}`\n\n| {title} | meaning |\n| --- | --- |\n{}",
            rows(words)
        );
    }
    page
}

/// An alert in which nothing is absent, as it is written.
fn line() -> Map<String, Value> {
    let at = Timestamp::from_millis(1_772_424_000_000);
    let alert = Alert {
        alert_id: AlertId::new(Some("t1"), "P1", AlertKind::CreditMissing.as_str()),
        revision: 3,
        tenant: Some("t1".into()),
        payment_id: "P1".into(),
        kind: AlertKind::CreditMissing,
        resolution: Some(Resolution::CreditedLate),
        tier: "breach".into(),
        channel: Some("unionpay_qr".into()),
        merchant_id: Some("M1".into()),
        terminal_id: Some("T1".into()),
        amount_minor: Some(12_800),
        currency: Currency::new(*b"CNY"),
        paid_at: Some(at),
        deadline: Some(Timestamp::from_millis(at.millis() + 120_000)),
        decided_at: Timestamp::from_millis(at.millis() + 125_250),
        lag_ms: Some(125_000),
        verdict: Some(Verdict::IdCorrupted),
        related_payment_id: Some("P7".into()),
        dimensions: Some(vec![("channel".into(), "unionpay_qr".into())]),
    };
    let text = serde_json::to_string(&AlertLine(&alert)).expect("an alert is JSON");
    serde_json::from_str(&text).expect("it is an object")
}

//! A credit that was missing at a deadline.

use serde_json::Value;
use settlewatch_config::Config;
use settlewatch_wire::parse_time;

use super::{Judgement, Seen};

impl Judgement {
    /// The payment is there, its deadline is a rule's, and nothing had closed it or stopped its clock.
    pub(super) fn missing(&mut self, line: &Value, records: &[Seen], config: &Config) {
        let Some(paid) = records.iter().find(|seen| seen.kind == "payment.succeeded") else {
            self.problems.push("no payment.succeeded is there".into());
            return;
        };
        self.facts
            .push(format!("paid: {} appended at {}", paid.place, paid.at_ms));
        let deadline = line["deadline"]
            .as_str()
            .and_then(parse_time)
            .map_or(0, |at| at.millis());
        let tier = line["tier"].as_str().unwrap_or_default();
        let starts = records
            .iter()
            .filter(|seen| seen.kind == "payment.released");
        let starts: Vec<i64> = starts.map(|seen| seen.at_ms).chain([paid.at_ms]).collect();
        let rule = config.settings.rules.iter().find(|rule| {
            rule.due.is_some()
                || rule.tiers.iter().any(|it| {
                    *it.name == *tier
                        && starts.iter().any(|start| {
                            start.saturating_add_unsigned(it.after.millis()) == deadline
                        })
                })
        });
        self.check(
            rule.is_some(),
            format!(
                "the deadline of {tier}, {deadline}, is {} of rule `{}`",
                if rule.is_some_and(|rule| rule.due.is_some()) {
                    "for the calendar"
                } else {
                    "append time + tier"
                },
                rule.map_or("none", |rule| rule.name.as_str())
            ),
        );
        self.in_time(line, records);
    }

    /// Nothing that closes the payment was appended by the deadline that the alert names.
    pub(super) fn in_time(&mut self, line: &Value, records: &[Seen]) {
        let Some(paid) = records.iter().find(|seen| seen.kind == "payment.succeeded") else {
            return self.problems.push("no payment.succeeded is there".into());
        };
        let deadline = line["deadline"]
            .as_str()
            .and_then(parse_time)
            .map_or(0, |at| at.millis());
        for closing in records
            .iter()
            .filter(|seen| seen.at_ms <= deadline && closes(seen, paid))
        {
            self.problems.push(format!(
                "{} ({}) was appended at {}, in time",
                closing.place, closing.kind, closing.at_ms
            ));
        }
        if self.problems.is_empty() {
            self.facts
                .push("nothing that closes it was appended by the deadline".into());
        }
    }
}

/// Whether a record closes the payment, or may have: then `explain` tells the whole.
fn closes(seen: &Seen, paid: &Seen) -> bool {
    let succeeded = seen.value["status"]
        .as_str()
        .is_none_or(|status| status == "succeeded");
    let amount = |seen: &Seen| seen.value["amount_minor"].as_u64();
    match seen.kind.as_str() {
        "terminal.credited" => seen.value["partial"].as_bool() != Some(true),
        "payment.refunded" => {
            succeeded && amount(seen).is_none_or(|refunded| Some(refunded) >= amount(paid))
        }
        "payment.reversed" => seen.value["status"].as_str() != Some("failed"),
        "payment.declined" => {
            let time = |seen: &Seen| seen.value["occurred_at"].as_str().and_then(parse_time);
            time(seen) >= time(paid)
        }
        _ => false,
    }
}

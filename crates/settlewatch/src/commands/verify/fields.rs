//! What an alert says of its payment and of itself, against the payment's record.

use serde_json::Value;
use settlewatch_join::AlertId;
use settlewatch_wire::parse_time;

use super::{Judgement, Seen};

/// Kinds whose amount and currency are those of credits.
const OF_CREDITS: [&str; 2] = ["orphan_credit", "duplicate_credit"];

/// Fields that repeat what the payment's record says.
const REPEATED: [&str; 5] = [
    "channel",
    "merchant_id",
    "terminal_id",
    "amount_minor",
    "currency",
];

fn ms(value: &Value) -> Option<i64> {
    parse_time(value.as_str()?).map(|at| at.millis())
}

impl Judgement {
    /// Identity, and what is repeated of the payment.
    pub(super) fn fields(&mut self, line: &Value, records: &[Seen]) {
        let text = |field: &str| line[field].as_str().unwrap_or_default();
        let id = AlertId::new(line["tenant"].as_str(), text("payment_id"), text("kind"));
        self.check(
            text("alert_id") == id.to_string(),
            format!("alert_id is that of the payment and the kind, {id}"),
        );
        let opened = (text("kind"), text("state")) == ("credit_missing", "open");
        if opened && line["verdict"].is_null() {
            self.check(
                line["decided_at"] == line["deadline"],
                "it was decided at the deadline",
            );
        }
        if let Some(paid) = records.iter().find(|seen| seen.kind == "payment.succeeded") {
            self.repeated(line, paid, OF_CREDITS.contains(&text("kind")));
        }
    }

    fn repeated(&mut self, line: &Value, paid: &Seen, of_credits: bool) {
        let mut wrong = Vec::new();
        for field in REPEATED {
            let is_money = field == "amount_minor" || field == "currency";
            // What is not known any more is null.
            if line[field].is_null() || (of_credits && is_money) {
                continue;
            }
            if line[field] != paid.value[field] {
                wrong.push(format!(
                    "{field}: {}, paid {}",
                    line[field], paid.value[field]
                ));
            }
        }
        let paid_at = ms(&line["paid_at"]);
        if paid_at.is_some() && paid_at != ms(&paid.value["occurred_at"]) {
            wrong.push(format!(
                "paid_at: {}, paid {}",
                line["paid_at"], paid.value["occurred_at"]
            ));
        }
        if wrong.is_empty() {
            self.facts.push(format!(
                "what it says of the payment stands in {}",
                paid.place
            ));
        }
        self.problems.extend(wrong);
    }
}

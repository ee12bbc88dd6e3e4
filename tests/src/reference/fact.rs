//! One event with its append time, and what its fields say.

use serde_json::Value;

use super::input::Rec;
use super::time::parse_ms;

/// A payment's identity: tenant and id.
pub(super) type Id = (Option<String>, String);

/// An event that was appended.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    /// Append time.
    pub(super) at: i64,
    /// The stream it came by.
    pub(super) stream: usize,
    said: Value,
}

impl Fact {
    pub(super) fn of(rec: &Rec) -> Self {
        Self {
            at: rec.at_ms,
            stream: rec.stream,
            said: rec.value.clone(),
        }
    }

    /// A string field.
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        match field.strip_prefix("attrs.") {
            Some(name) => self.said.get("attrs")?.get(name)?.as_str(),
            None => self.said.get(field)?.as_str(),
        }
    }

    /// A money field.
    pub(super) fn money(&self, field: &str) -> Option<i128> {
        self.said.get(field)?.as_u64().map(i128::from)
    }

    /// A time field.
    pub(super) fn time(&self, field: &str) -> Option<i64> {
        self.text(field).and_then(parse_ms)
    }

    /// Business time.
    pub(super) fn occurred_at(&self) -> i64 {
        self.time("occurred_at")
            .expect("a valid event says when it occurred")
    }

    /// The `type`.
    pub(super) fn kind(&self) -> &str {
        self.text("type").expect("a valid event has a type")
    }

    /// Whether it is one part of a credit.
    pub(super) fn partial(&self) -> bool {
        self.said
            .get("partial")
            .and_then(Value::as_bool)
            .unwrap_or(false)
    }

    /// The status of a refund or reversal.
    pub(super) fn status(&self) -> &str {
        self.text("status").unwrap_or("succeeded")
    }

    /// The payment it speaks of.
    pub(super) fn subject(&self) -> Option<Id> {
        let about_payment = !matches!(
            self.kind(),
            "terminal.heartbeat" | "account.status" | "batch.settled" | "marker"
        );
        let id = self.text("payment_id").filter(|_| about_payment)?;
        Some((self.text("tenant").map(str::to_owned), id.to_owned()))
    }

    /// What makes it the same event as another of the same subject.
    pub(super) fn identity(&self) -> (String, String) {
        let name = match self.kind() {
            "payment.succeeded" => None,
            "terminal.credited" => self.text("credit_id").or(self.text("event_id")),
            "payment.stage" => self.text("stage"),
            _ => self.text("event_id"),
        };
        (self.kind().to_owned(), name.unwrap_or_default().to_owned())
    }
}

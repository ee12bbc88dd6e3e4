//! Records written the way one tells them: at a time of day, something happens to a payment.

use serde_json::{Value, json};

use crate::reference::{Config, Outcome, Rec, Rule, Tier, judge, parse_ms, rfc3339};
use crate::render::{self, Draft};

/// The day of every story: a Monday.
const DAY: &str = "2026-03-02";

/// Records in the making. What follows an event and is no event changes the latest one.
#[derive(Clone, Debug)]
pub struct Story {
    drafts: Vec<Draft>,
    now_ms: i64,
}

/// The instant of `HH:MM:SS` or `HH:MM:SS.mmm` on the day of the story, or of an RFC 3339 time.
pub fn clock(time: &str) -> i64 {
    parse_ms(time)
        .or_else(|| parse_ms(&format!("{DAY}T{time}Z")))
        .expect("a story names times of day")
}

impl Default for Story {
    fn default() -> Self {
        Self::new()
    }
}

impl Story {
    /// Nothing happened yet; it is noon. A heartbeat marks the beginning of the recording, an hour ago.
    pub fn new() -> Self {
        let story = Self {
            drafts: Vec::new(),
            now_ms: clock("11:00:00"),
        };
        story.heartbeat("T0").at("12:00:00")
    }

    /// From here on, events are appended at `time`.
    pub fn at(mut self, time: &str) -> Self {
        self.now_ms = clock(time);
        self
    }

    /// An event of any type about a payment, by the stream of rank `stream`, occurring as it is appended.
    pub fn event(mut self, stream: usize, kind: &str, payment_id: &str) -> Self {
        let event_id = format!("e{}", self.drafts.len());
        let occurred_at = rfc3339(self.now_ms);
        let value = json!({"type": kind, "event_id": event_id, "occurred_at": occurred_at, "payment_id": payment_id});
        self.drafts.push(Draft {
            at_ms: self.now_ms,
            stream,
            value,
        });
        self
    }

    /// Changes or adds a field of the latest event.
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        let last = self.drafts.last_mut().expect("an event comes first");
        last.value[field] = value.into();
        self
    }

    /// A payment of 100.00 CNY at terminal T1 of merchant M1.
    pub fn pay(self, payment_id: &str) -> Self {
        let event = self.event(0, "payment.succeeded", payment_id);
        event
            .with("channel", "wallet")
            .place("M1", "T1")
            .amount(10_000)
    }

    /// A credit that says nothing but its payment.
    pub fn credit(self, payment_id: &str) -> Self {
        self.event(1, "terminal.credited", payment_id)
    }

    /// One part of a credit.
    pub fn part(self, payment_id: &str, amount_minor: i64) -> Self {
        self.credit(payment_id)
            .with("partial", true)
            .with("amount_minor", amount_minor)
    }

    /// A refund; without an amount, of the whole.
    pub fn refund(self, payment_id: &str, refund_id: &str, status: &str) -> Self {
        let event = self.event(2, "payment.refunded", payment_id);
        event.with("refund_id", refund_id).with("status", status)
    }

    /// A reversal.
    pub fn reverse(self, payment_id: &str) -> Self {
        self.event(2, "payment.reversed", payment_id)
    }

    /// A decline.
    pub fn decline(self, payment_id: &str) -> Self {
        self.event(2, "payment.declined", payment_id)
    }

    /// A credit that the platform refused.
    pub fn reject(self, payment_id: &str, class: &str) -> Self {
        self.event(2, "credit.rejected", payment_id)
            .with("class", class)
    }

    /// A hold without a release time.
    pub fn hold(self, payment_id: &str) -> Self {
        self.event(2, "payment.held", payment_id)
            .with("reason", "risk")
    }

    /// A release.
    pub fn release(self, payment_id: &str) -> Self {
        self.event(2, "payment.released", payment_id)
    }

    /// An authorisation.
    pub fn authorize(self, payment_id: &str) -> Self {
        self.event(2, "payment.authorized", payment_id)
    }

    /// A stage of a payment.
    pub fn stage(self, payment_id: &str, stage: &str) -> Self {
        self.event(2, "payment.stage", payment_id)
            .with("stage", stage)
    }

    /// A sign of life of a terminal: moves the clock, if nothing else.
    pub fn heartbeat(mut self, terminal_id: &str) -> Self {
        self = self.event(3, "terminal.heartbeat", "");
        let last = self.drafts.last_mut().expect("just pushed");
        let fields = last.value.as_object_mut().expect("an event is an object");
        fields.shift_remove("payment_id");
        self.with("terminal_id", terminal_id)
    }

    /// The latest event once more, appended now.
    pub fn again(mut self) -> Self {
        let last = self.drafts.last().expect("an event comes first");
        let again = Draft {
            at_ms: self.now_ms,
            ..last.clone()
        };
        self.drafts.push(again);
        self
    }

    /// Its amount, in the currency CNY.
    pub fn amount(self, amount_minor: i64) -> Self {
        self.with("amount_minor", amount_minor)
            .with("currency", "CNY")
    }

    /// Its currency.
    pub fn currency(self, currency: &str) -> Self {
        self.with("currency", currency)
    }

    /// Its merchant and terminal.
    pub fn place(self, merchant_id: &str, terminal_id: &str) -> Self {
        self.with("merchant_id", merchant_id)
            .with("terminal_id", terminal_id)
    }

    /// Its business time.
    pub fn occurred(self, time: &str) -> Self {
        let occurred_at = rfc3339(clock(time));
        self.with("occurred_at", occurred_at)
    }

    /// What was told.
    pub fn drafts(&self) -> &[Draft] {
        &self.drafts
    }

    /// The records over `partitions` partitions, in canonical order.
    pub fn records(&self, partitions: u64) -> Vec<Rec> {
        render::place(&self.drafts, partitions)
    }

    /// The recording over `partitions` partitions, as `kcat -C -J` prints it.
    pub fn lines(&self, partitions: u64) -> Vec<String> {
        render::lines(&self.records(partitions))
    }

    /// What the reference makes of it when the clock goes to `end`.
    pub fn judged(&self, config: &Config, end: &str) -> Outcome {
        judge(&self.records(1), config, clock(end))
    }
}

/// Warn after 30 s, breach after 2 min, escalate after 10 min, written off a day later; orphans after 2 min.
pub fn usual() -> Config {
    let tier = |name: &str, after_s: i64| Tier {
        name: name.to_owned(),
        after_ms: after_s * 1000,
    };
    let tiers = vec![tier("warn", 30), tier("breach", 120), tier("escalate", 600)];
    Config {
        rules: vec![Rule {
            name: "default".to_owned(),
            tiers,
            ..Rule::default()
        }],
        give_up_ms: 86_400_000,
        orphan_after_ms: 120_000,
        duplicate_window_ms: 600_000,
        redelivery_horizon_ms: 26 * 3_600_000,
        hold_limit_ms: 3_600_000,
    }
}

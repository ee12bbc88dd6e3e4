//! The records of a canary: ordinary events under a channel of their own.

use serde_json::{Value, json};
use settlewatch_config::Stream;
use settlewatch_join::Timestamp;
use settlewatch_wire::format_time;

use crate::cli::CanaryArgs;
use crate::exit::Usage;

/// What the payments of a canary have in common.
#[derive(Clone, Debug)]
pub(super) struct Kind {
    channel: String,
    merchant_id: String,
    terminal_id: String,
    amount_minor: u64,
    currency: String,
}

impl Kind {
    pub(super) fn of(args: &CanaryArgs) -> Self {
        Self {
            channel: args.channel.clone(),
            merchant_id: args.merchant.clone(),
            terminal_id: args.terminal.clone(),
            amount_minor: args.amount_minor,
            currency: args.currency.clone(),
        }
    }

    fn event(&self, kind: &str, payment_id: &str, now: Timestamp, fields: &Value) -> String {
        let mut event = json!({
            "type": kind,
            "event_id": format!("{payment_id}-{kind}"),
            "occurred_at": format_time(now).to_string(),
            "payment_id": payment_id,
            "amount_minor": self.amount_minor,
        });
        if let (Some(event), Some(fields)) = (event.as_object_mut(), fields.as_object()) {
            event.extend(fields.clone());
        }
        event.to_string()
    }

    pub(super) fn payment(&self, payment_id: &str, now: Timestamp) -> String {
        self.event("payment.succeeded", payment_id, now, &self.place())
    }

    pub(super) fn credit(&self, payment_id: &str, now: Timestamp) -> String {
        self.event("terminal.credited", payment_id, now, &self.place())
    }

    /// What a payment and its credit must agree on.
    fn place(&self) -> Value {
        json!({
            "channel": self.channel,
            "merchant_id": self.merchant_id,
            "terminal_id": self.terminal_id,
            "currency": self.currency,
        })
    }

    /// The whole payment goes back.
    pub(super) fn refund(&self, payment_id: &str, now: Timestamp) -> String {
        self.event("payment.refunded", payment_id, now, &json!({}))
    }
}

/// Topics of the canary's records.
#[derive(Clone, Debug)]
pub(super) struct Places {
    pub(super) payments: String,
    pub(super) credits: String,
    pub(super) lifecycle: String,
}

impl Places {
    /// The topics of the streams of these names; where one has another name, the first that is keyed by payment: the
    /// type alone says what a record means.
    pub(super) fn of(streams: &[Stream]) -> Result<Self, Usage> {
        let keyed = || streams.iter().filter(|stream| !stream.keyed_other);
        let topic = |name: &str| {
            let found = keyed().find(|stream| stream.name == name);
            let found = found.or_else(|| keyed().next());
            found.map(|stream| stream.topic.clone())
        };
        let places = topic("payments")
            .zip(topic("credits"))
            .zip(topic("lifecycle"));
        let ((payments, credits), lifecycle) = places
            .ok_or_else(|| Usage("no stream of the configuration is keyed by payment".into()))?;
        Ok(Self {
            payments,
            credits,
            lifecycle,
        })
    }
}

//! A partition, its records and what it said, in few words.

use std::borrow::Cow;
use std::sync::Arc;

use settlewatch_join::event::{Credited, Currency, SettleMode, Succeeded};
use settlewatch_join::settings::{Matcher, Rule, Tier};
use settlewatch_join::{
    Alert, Body, Effect, Effects, Event, KnowsSince, Partition, Place, Record, Settings, Span,
    Timestamp,
};

pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

pub(crate) fn rule(name: &str, matcher: Matcher, tiers: &[(&str, u64)]) -> Rule {
    Rule {
        name: name.into(),
        matcher,
        due: None,
        tiers: tiers
            .iter()
            .map(|&(name, after_ms)| Tier {
                name: name.into(),
                after: Span::from_millis(after_ms),
            })
            .collect(),
        give_up: Span::from_millis(100_000),
    }
}

pub(crate) fn settings(version: u64, rules: Vec<Rule>) -> Arc<Settings> {
    Arc::new(Settings {
        version,
        streams: vec!["payments".into(), "credits".into(), "lifecycle".into()],
        rules,
        redelivery_horizon: Span::from_secs(26 * 3600),
        orphan_after: Span::from_millis(2_000),
        duplicate_window: Span::from_millis(600_000),
        hold_limit: Span::from_secs(86_400),
        beginning: Span::ZERO,
        closed_keep: Span::from_secs(600),
        dimensions: Vec::new(),
    })
}

/// Warn after 1 s, breach after 3 s.
pub(crate) fn usual() -> Arc<Settings> {
    settings(
        1,
        vec![rule(
            "default",
            Matcher::default(),
            &[("warn", 1_000), ("breach", 3_000)],
        )],
    )
}

pub(crate) struct Bench {
    pub(crate) partition: Partition,
    effects: Effects,
    next_offset: i64,
}

impl Bench {
    pub(crate) fn new(settings: &Arc<Settings>, knows_since_ms: i64) -> Self {
        Self {
            partition: Partition::new(Arc::clone(settings), KnowsSince(at(knows_since_ms))),
            effects: Effects::new(),
            next_offset: 0,
        }
    }

    pub(crate) fn of(partition: Partition) -> Self {
        Self {
            partition,
            effects: Effects::new(),
            next_offset: 1_000,
        }
    }

    pub(crate) fn pay(&mut self, id: &str, at_ms: i64, channel: &str) -> Vec<Alert> {
        let body = Body::Succeeded(payment(id, channel));
        self.apply(0, at_ms, at_ms, id, body)
    }

    pub(crate) fn credit(&mut self, id: &str, at_ms: i64, occurred_ms: i64) -> Vec<Alert> {
        self.apply(1, at_ms, occurred_ms, id, Body::Credited(credit(id)))
    }

    pub(crate) fn apply(
        &mut self,
        stream: u8,
        at_ms: i64,
        occurred_ms: i64,
        id: &str,
        body: Body<'static>,
    ) -> Vec<Alert> {
        self.next_offset += 1;
        let place = Place {
            at: at(at_ms),
            stream,
            partition: 0,
            offset: self.next_offset,
        };
        let event = Event {
            tenant: None,
            event_id: Cow::Owned(format!("{id}-{}", self.next_offset)),
            occurred_at: at(occurred_ms),
            body,
        };
        self.partition
            .apply(&Record { place, event }, &mut self.effects);
        self.alerts()
    }

    pub(crate) fn known(&mut self, known_ms: i64) -> Vec<Alert> {
        self.partition.advance(at(known_ms), &mut self.effects);
        self.alerts()
    }

    pub(crate) fn hole(&mut self, from_ms: i64, to_ms: i64) -> (u64, Vec<Alert>) {
        let lost = self
            .partition
            .hole(at(from_ms), at(to_ms), &mut self.effects);
        (lost, self.alerts())
    }

    pub(crate) fn hold(&mut self, id: &str, at_ms: i64, until_ms: i64) -> Vec<Alert> {
        let body = Body::Held {
            payment_id: Cow::Owned(id.into()),
            reason: None,
            expected_release_at: Some(at(until_ms)),
        };
        self.apply(2, at_ms, at_ms, id, body)
    }

    pub(crate) fn release(&mut self, id: &str, at_ms: i64) -> Vec<Alert> {
        let payment_id = Cow::Owned(id.into());
        self.apply(2, at_ms, at_ms, id, Body::Released { payment_id })
    }

    fn alerts(&mut self) -> Vec<Alert> {
        let alerts = self.effects.drain(..).filter_map(|effect| match effect {
            Effect::Alert(alert) => Some(*alert),
            _ => None,
        });
        alerts.collect()
    }
}

pub(crate) fn payment(id: &str, channel: &str) -> Succeeded<'static> {
    Succeeded {
        payment_id: Cow::Owned(id.into()),
        channel: Cow::Owned(channel.into()),
        merchant_id: Cow::Borrowed("M1"),
        terminal_id: Cow::Borrowed("T1"),
        amount_minor: 100,
        currency: Currency::new(*b"CNY").expect("three capitals"),
        fee_minor: None,
        order_amount_minor: None,
        settle_mode: SettleMode::Realtime,
        expected_credit_by: None,
        payer_hash: None,
        gateway: None,
        acquirer: None,
        connector: None,
        store_id: None,
        region: None,
        carrier: None,
        terminal_model: None,
        pos_vendor: None,
        app_version: None,
        method: None,
        mcc: None,
        attrs: Vec::new(),
    }
}

pub(crate) fn credit(id: &str) -> Credited<'static> {
    Credited {
        payment_id: Cow::Owned(id.into()),
        credit_id: None,
        channel: None,
        amount_minor: Some(100),
        currency: None,
        fee_minor: None,
        terminal_id: None,
        merchant_id: None,
        mcc: None,
        partial: false,
        batch_id: None,
    }
}

/// `decided_at kind tier|resolution`, a line an alert.
pub(crate) fn told(alerts: &[Alert]) -> Vec<String> {
    let told = alerts.iter().map(|alert| {
        let what = alert
            .resolution
            .map_or(alert.tier.as_str(), |resolution| resolution.as_str());
        format!(
            "{} {} {} {what}",
            alert.decided_at.millis(),
            alert.payment_id,
            alert.kind
        )
    });
    told.collect()
}

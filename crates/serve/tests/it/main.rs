//! What a service tells, seen from outside.

mod figures;
mod http;
mod log;
mod probes;
mod watch;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use settlewatch_join::event::{Credited, Currency, SettleMode, Succeeded};
use settlewatch_join::settings::{Matcher, Rule, Tier};
use settlewatch_join::{
    Body, Effect, Effects, Event, KnowsSince, Partition, Place, Record, Settings, Span, Timestamp,
};
use settlewatch_protocol::{Host, Lane, LaneConfig, SourceId};
use settlewatch_serve::{LaneObserver, Metrics, MetricsSpec};

/// When everything begins, in milliseconds since the epoch.
const NOON: i64 = 1_775_707_200_000;

/// What no output may show.
const PRIVATE: &[&str] = &["pay-0001", "payer-77af", "merchant-9", "terminal-5"];

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(NOON + ms)
}

fn settings() -> Settings {
    let tier = |name: &str, secs| Tier {
        name: name.into(),
        after: Span::from_secs(secs),
    };
    Settings {
        version: 7,
        streams: vec!["payments".into(), "credits".into()],
        rules: vec![Rule {
            name: "default".into(),
            matcher: Matcher::default(),
            due: None,
            tiers: vec![tier("warn", 7), tier("breach", 77)],
            give_up: Span::from_secs(3600),
        }],
        redelivery_horizon: Span::from_secs(26 * 3600),
        orphan_after: Span::from_secs(120),
        duplicate_window: Span::from_secs(600),
        hold_limit: Span::from_secs(86_400),
        beginning: Span::ZERO,
        closed_keep: Span::from_secs(600),
        dimensions: Vec::new(),
    }
}

fn metrics(channels: usize) -> Metrics {
    let spec = MetricsSpec {
        streams: vec!["payments".into(), "credits".into()],
        channels,
        stuck_after: Duration::from_millis(200),
        version: "1.2.3".into(),
        revision: String::new(),
    };
    Metrics::new(spec, &settings()).expect("the table of metrics is consistent")
}

fn partition(knows_since_ms: i64) -> Partition {
    Partition::new(Arc::new(settings()), KnowsSince(at(knows_since_ms)))
}

/// A partition whose flows are observed.
struct Bench {
    partition: Partition,
    observer: LaneObserver,
    effects: Effects,
    offset: i64,
    again: bool,
}

impl Bench {
    fn new(metrics: &Metrics) -> Self {
        let observer = metrics.lane("lane-0");
        let partition = partition(0);
        observer.rebalanced(&[0]);
        observer.restored(0, &partition);
        Self {
            partition,
            observer,
            effects: Effects::new(),
            offset: 0,
            again: false,
        }
    }

    fn pay(&mut self, id: &str, channel: &str, ms: i64) {
        let body = Body::Succeeded(Succeeded {
            payment_id: Cow::Owned(id.into()),
            channel: Cow::Owned(channel.into()),
            merchant_id: Cow::Borrowed("merchant-9"),
            terminal_id: Cow::Borrowed("terminal-5"),
            amount_minor: 12_800,
            currency: Currency::new(*b"CNY").expect("three capitals"),
            fee_minor: None,
            order_amount_minor: None,
            settle_mode: SettleMode::Realtime,
            expected_credit_by: None,
            payer_hash: Some(Cow::Borrowed("payer-77af")),
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
        });
        self.apply(0, id, ms, body);
    }

    fn credit(&mut self, id: &str, ms: i64) {
        let body = Body::Credited(Credited {
            payment_id: Cow::Owned(id.into()),
            credit_id: None,
            channel: None,
            amount_minor: None,
            currency: None,
            fee_minor: None,
            terminal_id: None,
            merchant_id: None,
            mcc: None,
            partial: false,
            batch_id: None,
        });
        self.apply(1, id, ms, body);
    }

    fn apply(&mut self, stream: u8, id: &str, ms: i64, body: Body<'static>) {
        self.offset += 1;
        let event = Event {
            tenant: None,
            event_id: Cow::Owned(format!("{id}-{}", self.offset)),
            occurred_at: at(ms),
            body,
        };
        let place = Place {
            at: at(ms),
            stream,
            partition: 0,
            offset: self.offset,
        };
        let outcome = self
            .partition
            .apply(&Record { place, event }, &mut self.effects);
        if !self.again {
            self.observer.applied(SourceId(stream), Ok(outcome));
        }
        self.drain();
    }

    fn known(&mut self, ms: i64) {
        self.partition.advance(at(ms), &mut self.effects);
        self.drain();
    }

    fn drain(&mut self) {
        for effect in self.effects.drain(..) {
            match effect {
                Effect::Flow(flow) => {
                    self.observer.flow(0, &self.partition, &flow, self.again);
                }
                Effect::Alert(alert) if !self.again => self.observer.alert(&alert),
                _ => {}
            }
        }
    }

    /// Hands everything over.
    fn publish(&self) {
        // The first look at a lane publishes.
        self.observer.look(&idle_lane(), Some(at(0)));
    }
}

/// Formats and rules of a lane that reads nothing.
struct Nothing;

impl Host for Nothing {
    fn event<'a>(
        &self,
        _source: SourceId,
        _value: Option<&'a [u8]>,
    ) -> Result<Event<'a>, (&'static str, String)> {
        Err(("null_value", String::new()))
    }

    fn alert(&self, _alert: &settlewatch_join::Alert) -> Vec<u8> {
        Vec::new()
    }

    fn topic(&self, _source: SourceId) -> &str {
        "payments"
    }

    fn settings(&self, _rules: &[u8]) -> Result<Arc<Settings>, String> {
        Ok(Arc::new(settings()))
    }
}

fn idle_lane() -> Lane<Nothing> {
    let config = LaneConfig {
        rules: Arc::from(&b""[..]),
        numbers: 1,
        sources: Vec::new(),
        waiting_records: 1000,
        reload_limit: 10,
        identity: Arc::from(&b""[..]),
        nonce: 1,
    };
    Lane::new(config, Nothing)
}

/// The value of the sample whose name and labels are `sample`.
fn value(text: &str, sample: &str) -> Option<f64> {
    let line = text.lines().find(|line| {
        line.strip_prefix(sample)
            .is_some_and(|rest| rest.starts_with(' '))
    })?;
    line.rsplit(' ').next()?.parse().ok()
}

#[track_caller]
fn expect(text: &str, sample: &str, expected: &str) {
    let value = value(text, sample).unwrap_or_else(|| panic!("no {sample} in\n{text}"));
    assert_eq!(value.to_string(), expected, "{sample}");
}

//! Payments that a test tells one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use settlewatch_tests::broker::{
    Appended, Expected, Group, Outgoing, Producer, Record, Tail, Traffic, now_ms, until,
};
use settlewatch_tests::reference::{parse_ms, rfc3339};

/// Whatever a test waits for happens within this, also on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(45);

/// Waits until so much time has passed.
pub(crate) fn pass_ms(ms: i64) {
    let then = now_ms() + ms;
    until("time passes", Duration::from_secs(120), || {
        (now_ms() >= then).then_some(())
    });
}

/// Waits until a group that is ready knows more of the past than the longest tier, so that it tells of orphans.
pub(crate) fn pass_beginning(group: &Group<'_>) {
    group.open();
    let rules = group.setup.rules.rules.iter();
    let tiers = rules.flat_map(|rule| rule.tiers.iter().map(|tier| tier.after_ms));
    pass_ms(tiers.max().expect("there are tiers") + 200);
}

/// So many stories a second for so long, told to their ends.
pub(crate) fn play(group: &Group<'_>, seed: u64, per_second: i64, ms: i64) {
    let traffic = Traffic::start(group, seed, per_second);
    pass_ms(ms);
    traffic.finish();
}

/// Waits until what a replay tells is written, or long enough.
pub(crate) fn settle(group: &Group<'_>) -> Expected {
    let expected = Expected::of(group);
    expected.wait_for(group, SOON);
    expected
}

/// Somebody upstream who tells single events.
pub(crate) struct Script<'a> {
    group: &'a Group<'a>,
    producer: Producer,
}

/// An event of now.
pub(crate) fn event(kind: &str, id: &str, fields: Value) -> String {
    let now = now_ms();
    let mut event = json!({
        "type": kind,
        "event_id": format!("{kind}-{id}-{now}"),
        "occurred_at": rfc3339(now),
        "payment_id": id,
    });
    let fields = fields.as_object().expect("an object").clone();
    event.as_object_mut().expect("an object").extend(fields);
    event.to_string()
}

pub(crate) fn payment(id: &str) -> String {
    let fields = json!({
        "channel": "qr", "merchant_id": "M1", "terminal_id": "T1", "amount_minor": 1_250, "currency": "CNY",
    });
    event("payment.succeeded", id, fields)
}

pub(crate) fn credit(id: &str) -> String {
    event(
        "terminal.credited",
        id,
        json!({"amount_minor": 1_250, "currency": "CNY"}),
    )
}

impl<'a> Script<'a> {
    pub(crate) fn new(group: &'a Group<'a>) -> Self {
        Self::by(group, group.producer())
    }

    pub(crate) fn by(group: &'a Group<'a>, producer: Producer) -> Self {
        Self { group, producer }
    }

    pub(crate) fn producer(&self) -> &Producer {
        &self.producer
    }

    pub(crate) fn pay(&self, id: &str) -> Appended {
        self.producer
            .append(&self.group.topic("payments"), id, &payment(id))
    }

    pub(crate) fn credit(&self, id: &str) -> Appended {
        self.producer
            .append(&self.group.topic("credits"), id, &credit(id))
    }

    /// Appends with a timestamp of one's own.
    pub(crate) fn append_at(&self, stream: &str, id: &str, value: &str, ts_ms: i64) -> Appended {
        let topic = self.group.topic(stream);
        let mut record = Outgoing::event(&topic, id, value);
        record.ts_ms = Some(ts_ms);
        self.producer.send(&record).wait()
    }

    /// Payments that are never credited, one in each partition: when each has alerted, everything before is decided.
    pub(crate) fn barrier(&self, name: &str) {
        let mut covered = BTreeMap::new();
        for i in 0.. {
            if covered.len() == self.group.setup.partitions {
                break;
            }
            let id = format!("barrier-{name}-{i}");
            covered.insert(self.pay(&id).partition, id);
        }
        self.until_alerted(covered.values().map(String::as_str));
    }

    /// Waits until each of these payments has an alert.
    pub(crate) fn until_alerted<'b>(&self, ids: impl Iterator<Item = &'b str>) {
        let mut wanted: BTreeSet<&str> = ids.collect();
        let mut tail = Tail::new(self.group.cluster, &self.group.topic("alerts"), true);
        let what = format!("alerts of {wanted:?}");
        let mut seen = 0;
        until(&what, SOON, || {
            let records = tail.refresh();
            for record in &records[seen..] {
                let alert = record.json();
                wanted.remove(alert["payment_id"].as_str().unwrap_or_default());
            }
            seen = records.len();
            wanted.is_empty().then_some(())
        });
    }
}

/// Alerts by payment, in the order of their revisions.
pub(crate) fn by_payment(records: &[Record]) -> BTreeMap<String, Vec<Value>> {
    let mut all = BTreeMap::<String, Vec<Value>>::new();
    for record in records {
        let alert = record.json();
        let id = alert["payment_id"]
            .as_str()
            .expect("an alert has a payment")
            .to_owned();
        all.entry(id).or_default().push(alert);
    }
    all
}

/// From the moment that each alert was due to its append time, in milliseconds, ascending.
pub(crate) fn delays_ms(alerts: &[Record]) -> Vec<i64> {
    let delay = |record: &Record| {
        let decided_at = record.json()["decided_at"].as_str().and_then(parse_ms);
        record.ts - decided_at.expect("an alert says when it was decided")
    };
    let mut delays: Vec<i64> = alerts.iter().map(delay).collect();
    delays.sort_unstable();
    delays
}

/// Median, 99th percentile and largest.
pub(crate) fn spread(sorted: &[i64]) -> [i64; 3] {
    let at = |percent: usize| sorted[(sorted.len() - 1) * percent / 100];
    [at(50), at(99), at(100)]
}

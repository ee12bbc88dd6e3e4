//! Payments that nobody credits, then nothing at all, then one more payment for each partition: when do alerts come?

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::Value;
use settlewatch_tests::broker::{Group, now_ms};
use settlewatch_wire::parse_time;

use super::contestant::Contestant;
use crate::kafka::load::Loader;

/// Payments a second.
const PER_SECOND: u64 = 200;

/// Payments after the silence: enough that every partition has some.
const WAKING: u64 = 100;

/// How long alerts may come after them.
const AFTER: Duration = Duration::from_secs(5);

/// Streams looks for results that are due once a second, and commits a little later.
const LOOKS_ONCE_IN_MS: i64 = 2_000;

/// How long each part lasts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// A payment must be credited within this.
    pub(super) tier: Duration,
    /// Of the payments, what is due in this time is not measured.
    pub(super) warm_up: Duration,
    /// Payments come.
    pub(super) busy: Duration,
    /// Nothing comes.
    pub(super) silent: Duration,
}

/// When the alerts of one of them came.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard {
    /// From the deadline until the alert was visible, for what fell due while payments came, in milliseconds.
    pub(super) busy_ms: Vec<i64>,
    /// The same for what fell due in the silence and was told in it.
    pub(super) silent_ms: Vec<i64>,
    /// The same for what fell due in the silence and was told when payments came again.
    pub(super) waking_ms: Vec<i64>,
}

/// Lets both read the same payments at the same time; also gives how many fell due in the silence.
///
/// # Errors
/// One of them ended, or an alert came twice.
pub(super) fn listen(
    group: &Group<'_>,
    both: &[Contestant],
    times: Times,
) -> Result<(u64, Vec<Heard>)> {
    let mut running = Vec::new();
    for who in both {
        who.prepare(group);
        running.push(who.start(group, times.tier)?);
    }
    running.iter_mut().for_each(|it| it.wait_until_ready());
    let mut ear = Ear::new(group, both, times.tier)?;
    let mut loader = Loader::new(group.cluster, group)?;
    let (began, mut number) = (Instant::now(), 0);
    while began.elapsed() < times.busy {
        loader.tick();
        let due = began.elapsed().as_millis() as u64 * PER_SECOND / 1000;
        while number < due {
            loader.pay(number)?;
            number += 1;
        }
        ear.hear()?;
    }
    loader.flush()?;
    let silent_ms = now_ms();
    ear.listen_for(times.silent)?;
    let waking_ms = now_ms();
    for more in 0..WAKING {
        loader.pay(number + more)?;
    }
    loader.flush()?;
    ear.listen_for(AFTER)?;
    running.into_iter().try_for_each(|it| it.stop())?;
    // What fell due in the last moments, and waited for the next look of Streams, belongs to neither part.
    let to_ms = silent_ms - LOOKS_ONCE_IN_MS;
    let from_ms = silent_ms - i64::try_from((times.busy - times.warm_up).as_millis())?;
    let heard = both.iter().map(|who| {
        let alerts = ear.alerts.get(who).into_iter().flatten();
        let mut heard = Heard::default();
        for &(deadline_ms, seen_ms) in alerts.map(|(_, times)| times) {
            let delay_ms = seen_ms - deadline_ms;
            match (deadline_ms < silent_ms, seen_ms < waking_ms) {
                (true, _) if !(from_ms..to_ms).contains(&deadline_ms) => {}
                (true, _) => heard.busy_ms.push(delay_ms),
                (false, true) => heard.silent_ms.push(delay_ms),
                (false, false) if deadline_ms < waking_ms => heard.waking_ms.push(delay_ms),
                (false, false) => {}
            }
        }
        for delays in [
            &mut heard.busy_ms,
            &mut heard.silent_ms,
            &mut heard.waking_ms,
        ] {
            delays.sort_unstable();
        }
        heard
    });
    // What was appended within a tier before the silence falls due in it.
    let due = PER_SECOND * times.tier.as_millis() as u64 / 1000;
    Ok((due, heard.collect()))
}

/// A reader of committed alerts.
struct Ear {
    consumer: BaseConsumer,
    topics: BTreeMap<String, Contestant>,
    tier_ms: i64,
    /// By payment: the deadline, and when its first alert was seen.
    alerts: BTreeMap<Contestant, BTreeMap<String, (i64, i64)>>,
}

impl Ear {
    fn new(group: &Group<'_>, both: &[Contestant], tier: Duration) -> Result<Self> {
        let mut config = group.client();
        config
            .set("group.id", "settlewatch-bench")
            .set("enable.auto.commit", "false")
            .set("isolation.level", "read_committed")
            .set("fetch.wait.max.ms", "10");
        let consumer: BaseConsumer = config.create()?;
        let mut places = TopicPartitionList::new();
        let topics = both.iter().map(|&who| (who.alerts(group), who)).collect();
        for topic in BTreeMap::keys(&topics) {
            for partition in 0..i32::try_from(group.setup.partitions)? {
                places.add_partition_offset(topic, partition, Offset::Beginning)?;
            }
        }
        consumer.assign(&places)?;
        Ok(Self {
            consumer,
            topics,
            tier_ms: i64::try_from(tier.as_millis())?,
            alerts: BTreeMap::new(),
        })
    }

    fn listen_for(&mut self, time: Duration) -> Result<()> {
        let began = Instant::now();
        while began.elapsed() < time {
            self.hear()?;
        }
        Ok(())
    }

    /// Takes what is there, for some milliseconds.
    fn hear(&mut self) -> Result<()> {
        while let Some(message) = self.consumer.poll(Duration::from_millis(2)) {
            let (message, seen_ms) = (message?, now_ms());
            let value: Value = serde_json::from_slice(message.payload().unwrap_or_default())?;
            let (Some(&who), Some(id)) = (
                self.topics.get(message.topic()),
                value["payment_id"].as_str(),
            ) else {
                continue;
            };
            // Ours names the deadline; the record of theirs has the time of its payment.
            let decided_ms = value["decided_at"].as_str().and_then(parse_time);
            let paid_ms = message.timestamp().to_millis().unwrap_or_default();
            let deadline_ms = decided_ms.map_or(paid_ms + self.tier_ms, |at| at.millis());
            let alerts = self.alerts.entry(who).or_default();
            let before = alerts.insert(id.to_owned(), (deadline_ms, seen_ms));
            ensure!(before.is_none(), "{who:?} told {id} twice");
        }
        Ok(())
    }
}

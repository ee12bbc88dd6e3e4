//! Pulses of many partitions, as lanes on other machines would write them: every second one record a partition.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, ThreadedProducer};
use settlewatch_config::{Env, Purpose, load_str};
use settlewatch_join::{Effects, Place, Timestamp};
use settlewatch_replay::collector_settings;
use settlewatch_tests::broker::{Cluster, Group, now_ms};
use settlewatch_tests::reference::rfc3339;

use super::load::Loader;
use crate::laned::{Lane, lanes};
use crate::zipf::mix;

/// What is paid.
#[derive(Clone, Copy)]
pub(super) struct Traffic {
    pub(super) partitions: u32,
    pub(super) channels: u64,
    /// Payments a second.
    pub(super) per_second: u64,
}

impl Traffic {
    /// How many payments later one is credited: after a second and a half, and a little longer for the more the fewer.
    fn later(&self, payment: u64) -> u64 {
        let drawn = (mix(payment ^ (5 << 50)) % 1_000_000 + 1) as f64 / 1e6;
        (self.per_second as f64 * (1.0 - 0.5 * drawn.ln())) as u64
    }
}

/// Decides paced payments in memory, and appends the pulses.
pub(super) struct Pulser {
    traffic: Traffic,
    lanes: Vec<Lane>,
    effects: Effects,
    producer: ThreadedProducer<DefaultProducerContext>,
    topic: String,
    began: Instant,
    /// When it began, in milliseconds since 1970.
    since_ms: i64,
    /// Payments by the number of the one with which they are credited.
    due: BTreeMap<u64, Vec<u64>>,
    /// Seconds whose pulses are appended.
    seconds: i64,
    number: u64,
}

impl Pulser {
    /// It begins now, with what the service's configuration `text` says of pulses.
    pub(super) fn new(
        cluster: &Cluster,
        group: &Group<'_>,
        text: &str,
        traffic: Traffic,
    ) -> Result<Self> {
        let loaded = load_str("watch.yaml", text, Purpose::Replay, &Env::empty());
        let config = loaded.map_err(|told| anyhow!("{told}"))?.config;
        let since_ms = now_ms();
        let since = Timestamp::from_millis(since_ms);
        let collector = collector_settings(&config);
        let mut client = cluster.client();
        client
            .set("linger.ms", "5")
            .set("queue.buffering.max.messages", "200000");
        Ok(Self {
            lanes: lanes(traffic.partitions, &config, since, Some(&collector)),
            traffic,
            effects: Effects::new(),
            producer: client.create()?,
            topic: group.topic("pulse"),
            began: Instant::now(),
            since_ms,
            due: BTreeMap::new(),
            seconds: 0,
            number: 0,
        })
    }

    /// It goes on for so long; of the payments that it makes those are credited that `credits` names.
    pub(super) fn go_on(&mut self, time: Duration, credits: impl Fn(u64) -> bool) -> Result<()> {
        let until = self.began.elapsed() + time;
        while self.began.elapsed() < until {
            let passed = self.began.elapsed();
            let due = passed.as_micros() as u64 * self.traffic.per_second / 1_000_000;
            let at_ms = self.since_ms + passed.as_millis() as i64;
            let now = rfc3339(at_ms);
            while self.number < due {
                let (number, channels) = (self.number, self.traffic.channels);
                self.apply(number, 0, at_ms, &Loader::payment(number, channels, &now))?;
                if credits(number) {
                    let then = self.due.entry(number + self.traffic.later(number));
                    then.or_default().push(number);
                }
                for paid in self.due.remove(&number).unwrap_or_default() {
                    self.apply(paid, 1, at_ms, &Loader::credited(paid, &now))?;
                }
                self.number += 1;
            }
            let ended = (at_ms - self.since_ms).div_euclid(1000);
            if ended > self.seconds {
                self.seconds = ended;
                self.end(at_ms)?;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    fn apply(&mut self, payment: u64, stream: u8, at_ms: i64, value: &str) -> Result<()> {
        let partition = mix(payment) % u64::from(self.traffic.partitions);
        let place = Place {
            at: Timestamp::from_millis(at_ms),
            stream,
            partition: partition as i32,
            offset: payment as i64,
        };
        self.lanes[partition as usize].apply(place, value.as_bytes(), &mut self.effects)
    }

    fn end(&mut self, known_ms: i64) -> Result<()> {
        let known = Timestamp::from_millis(known_ms);
        for (partition, lane) in self.lanes.iter_mut().enumerate() {
            let Some(record) = lane.end(known, &mut self.effects) else {
                continue;
            };
            let value = record.encode();
            let record: BaseRecord<'_, [u8], Vec<u8>> = BaseRecord::to(&self.topic)
                .partition(partition as i32)
                .payload(&value);
            self.producer.send(record).map_err(|(error, _)| error)?;
        }
        Ok(())
    }
}

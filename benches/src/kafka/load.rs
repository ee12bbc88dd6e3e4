//! Records in bulk.

use std::time::{Duration, Instant};

use anyhow::Result;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, Producer as _, ThreadedProducer};
use settlewatch_tests::broker::{Cluster, Group, now_ms};
use settlewatch_tests::reference::rfc3339;

use crate::zipf::mix;

/// Channels that pay.
const CHANNELS: u64 = 6;

/// What was appended.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Appended {
    pub(super) records: u64,
    /// Keys and values.
    pub(super) bytes: u64,
}

/// A producer that appends as fast as it can.
pub(super) struct Loader {
    producer: ThreadedProducer<rdkafka::producer::DefaultProducerContext>,
    payments: String,
    credits: String,
    now: String,
    appended: Appended,
}

impl Loader {
    pub(super) fn new(cluster: &Cluster, group: &Group<'_>) -> Result<Self> {
        let mut config = cluster.client();
        config
            .set("partitioner", "murmur2_random")
            .set("linger.ms", "20")
            .set("compression.type", "lz4")
            .set("queue.buffering.max.messages", "200000");
        Ok(Self {
            producer: config.create()?,
            payments: group.topic("payments"),
            credits: group.topic("credits"),
            now: rfc3339(now_ms()),
            appended: Appended::default(),
        })
    }

    /// The id of a payment.
    pub(super) fn id(number: u64) -> String {
        format!("4200001668202603{number:012}")
    }

    /// Payment `number` of so many channels, as a processor would write it.
    pub(super) fn payment(number: u64, channels: u64, now: &str) -> String {
        let id = Self::id(number);
        let terminal = mix(number) % 100_000;
        let merchant = terminal % 20_000;
        format!(
            r#"{{"type":"payment.succeeded","event_id":"p{number}","occurred_at":"{now}","payment_id":"{id}","channel":"ch{}","merchant_id":"M10{merchant:08}","terminal_id":"T{terminal:08}","amount_minor":{},"currency":"CNY","fee_minor":38,"settle_mode":"realtime","gateway":"gw-{}","acquirer":"acq-{}","connector":"conn-1","store_id":"S{merchant:06}","region":"east","carrier":"cmcc","terminal_model":"A920","pos_vendor":"pax","app_version":"4.2.0","method":"qr","mcc":"5411"}}"#,
            number % channels,
            100 + mix(number) % 50_000,
            number % 4,
            number % 5,
        )
    }

    /// Its credit.
    pub(super) fn credited(number: u64, now: &str) -> String {
        let id = Self::id(number);
        format!(
            r#"{{"type":"terminal.credited","event_id":"c{number}","occurred_at":"{now}","payment_id":"{id}","credit_id":"CR{number:012}","amount_minor":{},"currency":"CNY"}}"#,
            100 + mix(number) % 50_000,
        )
    }

    /// Appends a payment.
    pub(super) fn pay(&mut self, number: u64) -> Result<()> {
        let value = Self::payment(number, CHANNELS, &self.now);
        let topic = self.payments.clone();
        self.append(&topic, &Self::id(number), &value)
    }

    /// Appends its credit.
    pub(super) fn credit(&mut self, number: u64) -> Result<()> {
        let value = Self::credited(number, &self.now);
        let topic = self.credits.clone();
        self.append(&topic, &Self::id(number), &value)
    }

    fn append(&mut self, topic: &str, key: &str, value: &str) -> Result<()> {
        let mut record = BaseRecord::to(topic).key(key).payload(value);
        while let Err((error, back)) = self.producer.send(record) {
            if error != KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) {
                return Err(error.into());
            }
            std::thread::sleep(Duration::from_millis(5));
            record = back;
        }
        self.appended.records += 1;
        self.appended.bytes += (key.len() + value.len()) as u64;
        Ok(())
    }

    /// Payments from now on happen now.
    pub(super) fn tick(&mut self) {
        self.now = rfc3339(now_ms());
    }

    /// Waits until the broker has everything.
    pub(super) fn flush(&self) -> Result<Appended> {
        self.producer.flush(Duration::from_secs(120))?;
        Ok(self.appended)
    }
}

/// Traffic as it comes.
pub(super) struct Paced {
    pub(super) loader: Loader,
    per_second: u64,
    /// How many payments later each is credited.
    later: u64,
    began: Instant,
    number: u64,
}

impl Paced {
    /// It begins now.
    pub(super) fn new(loader: Loader, per_second: u64, later: u64) -> Self {
        Self {
            loader,
            per_second,
            later,
            began: Instant::now(),
            number: 0,
        }
    }

    /// It goes on for so long; of the payments that are due those are credited that `credits` names.
    pub(super) fn go_on(&mut self, time: Duration, credits: impl Fn(u64) -> bool) -> Result<()> {
        let until = self.began.elapsed() + time;
        while self.began.elapsed() < until {
            let due = self.began.elapsed().as_micros() as u64 * self.per_second / 1_000_000;
            self.loader.tick();
            while self.number < due {
                self.loader.pay(self.number)?;
                let paid = self.number.checked_sub(self.later);
                if let Some(paid) = paid.filter(|paid| credits(*paid)) {
                    self.loader.credit(paid)?;
                }
                self.number += 1;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

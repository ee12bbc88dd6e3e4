//! Writes records of somebody else's making: simulated traffic, rehearsals.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use settlewatch_config::Kafka;

use crate::client::{Context, base};

/// How long a full queue is waited for before it is asked again.
const FULL: Duration = Duration::from_millis(5);

/// What became of what was written.
#[derive(Debug, Default)]
struct Counts {
    acknowledged: AtomicU64,
    failed: AtomicU64,
}

struct Watching {
    context: Context,
    counts: Arc<Counts>,
}

impl ClientContext for Watching {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.context.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.context.error(error, reason);
    }

    fn generate_oauth_token(
        &self,
        config: Option<&str>,
    ) -> Result<OAuthToken, Box<dyn std::error::Error>> {
        self.context.generate_oauth_token(config)
    }
}

impl ProducerContext for Watching {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let count = match result {
            Ok(_) => &self.counts.acknowledged,
            Err((error, _)) => {
                tracing::warn!(
                    error = self.context.describe(error),
                    "a record was not written"
                );
                &self.counts.failed
            }
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// A record to be written.
#[derive(Clone, Copy, Debug)]
pub struct Fed<'a> {
    /// Its topic.
    pub topic: &'a str,
    /// Its partition, where its key does not choose one as Java's client would.
    pub partition: Option<i32>,
    /// Its key.
    pub key: &'a [u8],
    /// Its value.
    pub value: &'a [u8],
}

/// A producer that keeps order and writes nothing twice.
pub struct Feed {
    producer: ThreadedProducer<Watching>,
    context: Context,
    counts: Arc<Counts>,
}

impl Feed {
    /// Connects when the first record is written.
    ///
    /// # Errors
    /// The settings make no client.
    pub fn new(kafka: &Kafka) -> Result<Self, String> {
        let context = Context::new(kafka);
        let counts = Arc::new(Counts::default());
        let watching = Watching {
            context: context.clone(),
            counts: Arc::clone(&counts),
        };
        let mut config = base(kafka);
        config
            .set("enable.idempotence", "true")
            .set("partitioner", "murmur2_random")
            .set("linger.ms", "5")
            .set("compression.type", "zstd");
        let producer = config
            .create_with_context(watching)
            .map_err(|error| context.describe(&error))?;
        Ok(Self {
            producer,
            context,
            counts,
        })
    }

    /// Hands a record over; waits while too many are under way.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, fed: Fed<'_>) -> Result<(), String> {
        let mut next = BaseRecord::to(fed.topic).key(fed.key).payload(fed.value);
        next.partition = fed.partition;
        loop {
            match self.producer.send(next) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    next = back;
                    std::thread::sleep(FULL);
                }
                Err((error, _)) => return Err(self.context.describe(&error)),
            }
        }
    }

    /// Records that the brokers have, and records that they did not take.
    pub fn counts(&self) -> (u64, u64) {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (of(&self.counts.acknowledged), of(&self.counts.failed))
    }

    /// Waits until everything handed over is acknowledged.
    ///
    /// # Errors
    /// It is not, within `patience`.
    pub fn flush(&self, patience: Duration) -> Result<(), String> {
        self.producer
            .flush(patience)
            .map_err(|error| self.context.describe(&error))
    }
}

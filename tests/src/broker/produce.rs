//! Records appended to a topic, as somebody upstream would.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::message::{DeliveryResult, Header, Message as _, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};

use super::cluster::Cluster;

const WITHIN: Duration = Duration::from_secs(60);

/// Where a record was appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
}

type Answer = Result<Appended, String>;

#[derive(Default)]
struct Acks {
    failed: AtomicU64,
}

struct Deliveries(Arc<Acks>);

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<SyncSender<Answer>>;

    fn delivery(&self, result: &DeliveryResult<'_>, asker: Self::DeliveryOpaque) {
        let answer = match result {
            Ok(message) => Ok(Appended {
                partition: message.partition(),
                offset: message.offset(),
            }),
            Err((error, _)) => {
                self.0.failed.fetch_add(1, Ordering::Relaxed);
                Err(error.to_string())
            }
        };
        // Whoever does not wait for the answer has gone.
        let _ = asker.send(answer);
    }
}

/// A record on its way.
pub struct Sent(Receiver<Answer>);

impl Sent {
    /// Waits until it is appended.
    ///
    /// # Panics
    /// When it is not.
    pub fn wait(self) -> Appended {
        let answer = self
            .0
            .recv_timeout(WITHIN)
            .expect("a delivery report comes");
        answer.unwrap_or_else(|error| panic!("a record was not appended: {error}"))
    }
}

/// Appends records. Partitions are chosen as Java does, unless told otherwise.
pub struct Producer {
    client: ThreadedProducer<Deliveries>,
    acks: Arc<Acks>,
}

impl Producer {
    /// One with these settings on top.
    ///
    /// # Panics
    /// When they make no client.
    pub fn new(cluster: &Cluster, settings: &[(&str, &str)]) -> Self {
        let mut config = cluster.client();
        config
            .set("partitioner", "murmur2_random")
            .set("enable.idempotence", "true")
            .set("linger.ms", "1")
            .set("message.timeout.ms", "60000")
            .set("message.max.bytes", "8000000");
        for &(name, value) in settings {
            config.set(name, value);
        }
        let acks = Arc::new(Acks::default());
        let context = Deliveries(Arc::clone(&acks));
        let client = config.create_with_context(context);
        Self {
            client: client.expect("the settings make a client"),
            acks,
        }
    }

    /// One that appends in transactions of this id; the brokers abort one that stays open for ten minutes.
    ///
    /// # Panics
    /// When no broker coordinates it.
    pub fn transactional(cluster: &Cluster, id: &str) -> Self {
        let timeout = ("transaction.timeout.ms", "600000");
        let made = Self::new(cluster, &[("transactional.id", id), timeout]);
        made.client
            .init_transactions(WITHIN)
            .expect("a coordinator answers");
        made
    }

    /// Sends a record, and does not wait.
    ///
    /// # Panics
    /// When it cannot be sent.
    pub fn send(&self, record: &Outgoing<'_>) -> Sent {
        let (tell, hear) = sync_channel(1);
        let mut outgoing = BaseRecord::with_opaque_to(record.topic, Box::new(tell));
        outgoing.key = record.key;
        outgoing.payload = record.value;
        outgoing.partition = record.partition;
        outgoing.timestamp = record.ts_ms;
        let mut headers = OwnedHeaders::new();
        for &(key, value) in record.headers {
            headers = headers.insert(Header {
                key,
                value: Some(value),
            });
        }
        if !record.headers.is_empty() {
            outgoing.headers = Some(headers);
        }
        let sent = self.client.send(outgoing);
        sent.unwrap_or_else(|(error, _)| panic!("a record cannot be sent: {error}"));
        Sent(hear)
    }

    /// Appends an event.
    ///
    /// # Panics
    /// When it is not appended.
    pub fn append(&self, topic: &str, key: &str, value: &str) -> Appended {
        self.send(&Outgoing::event(topic, key, value)).wait()
    }

    /// Waits until everything that was sent is appended.
    ///
    /// # Panics
    /// When something was not.
    pub fn flush(&self) {
        self.client.flush(WITHIN).expect("everything is answered");
        assert_eq!(
            self.acks.failed.load(Ordering::Relaxed),
            0,
            "records were not appended"
        );
    }

    /// Begins a transaction.
    ///
    /// # Panics
    /// When that cannot be done.
    pub fn begin(&self) {
        self.client
            .begin_transaction()
            .expect("a transaction can be begun");
    }

    /// Commits it.
    ///
    /// # Panics
    /// When that cannot be done.
    pub fn commit(&self) {
        self.client
            .commit_transaction(WITHIN)
            .expect("it can be committed");
    }

    /// Aborts it.
    ///
    /// # Panics
    /// When that cannot be done.
    pub fn abort(&self) {
        self.client
            .abort_transaction(WITHIN)
            .expect("it can be aborted");
    }
}

/// A record to append.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// Its topic.
    pub topic: &'a str,
    /// Its partition, where its key does not choose.
    pub partition: Option<i32>,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value.
    pub value: Option<&'a [u8]>,
    /// Its timestamp, where the topic takes the producer's.
    pub ts_ms: Option<i64>,
    /// Its headers.
    pub headers: &'a [(&'a str, &'a [u8])],
}

impl<'a> Outgoing<'a> {
    /// An event of a payment.
    pub fn event(topic: &'a str, key: &'a str, value: &'a str) -> Self {
        Self {
            topic,
            partition: None,
            key: Some(key.as_bytes()),
            value: Some(value.as_bytes()),
            ts_ms: None,
            headers: &[],
        }
    }
}

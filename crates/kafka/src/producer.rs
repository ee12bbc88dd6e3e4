//! Carries transactions out: the one transactional producer of a lane.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use settlewatch_join::Timestamp;
use settlewatch_protocol::{Produce, SourceId, Topic, Transaction, TxnOutcome, TxnStep};

use crate::client::Context;
use crate::clocks::{Clocks, Monotonic};
use crate::failpoint;
use crate::offsets::send_offsets;
use crate::topics::Topics;

/// What is remembered of a record until it is acknowledged.
pub(crate) struct Sent {
    topic: Topic,
    at_ms: u64,
    decided_at: Option<Timestamp>,
}

/// What the acknowledgements of one transaction said.
#[derive(Default)]
struct Acknowledged {
    pending: usize,
    failed: Option<KafkaError>,
    /// First offset written to each partition of the state topic.
    state: BTreeMap<i32, i64>,
    /// Moment of the decision and append time of every alert or revision.
    decided: Vec<(Timestamp, Timestamp)>,
}

/// Counts acknowledgements down; whoever commits waits for the last.
struct Deliveries {
    context: Context,
    acknowledged: Mutex<Acknowledged>,
    all: Condvar,
    clocks: Arc<Clocks>,
    monotonic: Monotonic,
    topics: Topics,
}

impl Deliveries {
    fn lock(&self) -> MutexGuard<'_, Acknowledged> {
        self.acknowledged
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Deliveries {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, level: rdkafka::config::RDKafkaLogLevel, facility: &str, message: &str) {
        self.context.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.context.error(error, reason);
    }

    fn generate_oauth_token(
        &self,
        config: Option<&str>,
    ) -> Result<rdkafka::client::OAuthToken, Box<dyn std::error::Error>> {
        self.context.generate_oauth_token(config)
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<Sent>;

    fn delivery(&self, result: &DeliveryResult<'_>, sent: Box<Sent>) {
        let now_ms = self.monotonic.now_ms();
        let mut acknowledged = self.lock();
        match result {
            Err((error, _)) => {
                acknowledged.failed.get_or_insert_with(|| error.clone());
            }
            Ok(message) => {
                let stamp = self.clocks.stamp(message.timestamp().to_millis());
                if sent.topic == Topic::State {
                    let first = acknowledged
                        .state
                        .entry(message.partition())
                        .or_insert(message.offset());
                    *first = message.offset().min(*first);
                }
                if let (Some(decided_at), Some(stamp)) = (sent.decided_at, stamp) {
                    let stamp = Timestamp::from_millis(stamp);
                    acknowledged.decided.push((decided_at, stamp));
                }
                if let Some(stamp) = stamp {
                    let place = (self.topics.output(sent.topic), message.partition());
                    self.clocks.acknowledged(place, (sent.at_ms, now_ms), stamp);
                }
            }
        }
        acknowledged.pending -= 1;
        if acknowledged.pending == 0 {
            self.all.notify_all();
        }
    }
}

/// What a committed transaction taught.
#[derive(Debug, Default)]
pub(crate) struct Learned {
    /// First offset written to each partition of the state topic.
    pub(crate) state: BTreeMap<i32, i64>,
    /// Moment of the decision and append time of every alert or revision.
    pub(crate) decided: Vec<(Timestamp, Timestamp)>,
}

/// How a step of a transaction failed.
enum Failure {
    /// Abort, and try the same again.
    Abort,
    /// Abort: the group has moved on.
    NotOurs,
    /// The producer is of no use any more.
    Dead,
}

/// The producer of a lane.
pub(crate) struct Transactions {
    producer: Arc<ThreadedProducer<Deliveries>>,
    topics: Topics,
    monotonic: Monotonic,
    patience: Duration,
    /// Transactions in a row that were aborted.
    aborted: Cell<u32>,
}

impl Transactions {
    /// A new producer with a transactional id: what the last one of this id left open is aborted.
    pub(crate) fn new(
        config: &ClientConfig,
        context: Context,
        clocks: Arc<Clocks>,
        monotonic: Monotonic,
        topics: Topics,
        patience: Duration,
    ) -> Result<Self, KafkaError> {
        let deliveries = Deliveries {
            context,
            acknowledged: Mutex::default(),
            all: Condvar::new(),
            clocks,
            monotonic,
            topics: topics.clone(),
        };
        let producer: ThreadedProducer<Deliveries> = config.create_with_context(deliveries)?;
        producer.init_transactions(patience)?;
        Ok(Self {
            producer: Arc::new(producer),
            topics,
            monotonic,
            patience,
            aborted: Cell::new(0),
        })
    }

    /// Carries a transaction out. `group` is the group metadata of the assignment.
    pub(crate) fn carry(
        &self,
        transaction: &Transaction,
        group: Option<&Arc<ConsumerGroupMetadata>>,
    ) -> (TxnOutcome, Learned) {
        let kind = Kind::of(transaction);
        *self.deliveries().lock() = Acknowledged::default();
        let deadline = Instant::now() + self.patience;
        for step in &transaction.steps {
            let done = self.step(step, group, deadline);
            if let Err(failure) = done {
                return (self.give_up(failure), Learned::default());
            }
            kind.pass(step);
        }
        let mut acknowledged = self.deliveries().lock();
        let learned = Learned {
            state: std::mem::take(&mut acknowledged.state),
            decided: std::mem::take(&mut acknowledged.decided),
        };
        self.aborted.set(0);
        (TxnOutcome::Committed, learned)
    }

    fn deliveries(&self) -> &Deliveries {
        self.producer.context()
    }

    fn step(
        &self,
        step: &TxnStep,
        group: Option<&Arc<ConsumerGroupMetadata>>,
        deadline: Instant,
    ) -> Result<(), Failure> {
        match step {
            TxnStep::Begin => self
                .producer
                .begin_transaction()
                .map_err(|error| failure(&error)),
            TxnStep::Produce(records) => records
                .iter()
                .try_for_each(|record| self.send(record, deadline)),
            TxnStep::Drain => self.drain(deadline),
            TxnStep::SendOffsets(offsets) => {
                let offsets = self.list(offsets);
                let group = group.ok_or(Failure::NotOurs)?;
                retried(deadline, || {
                    send_offsets(&self.producer, &offsets, group, self.patience)
                })
            }
            TxnStep::Commit => {
                // Only an error that asks for an abort says that it is not committed.
                retried(deadline, || self.producer.commit_transaction(self.patience))
            }
        }
    }

    fn send(&self, record: &Produce, deadline: Instant) -> Result<(), Failure> {
        self.deliveries().lock().pending += 1;
        let mut headers = OwnedHeaders::new_with_capacity(record.headers.len());
        for (key, value) in &record.headers {
            headers = headers.insert(Header {
                key,
                value: Some(&value[..]),
            });
        }
        let sent = Box::new(Sent {
            topic: record.topic,
            at_ms: self.monotonic.now_ms(),
            decided_at: record.decided_at,
        });
        let mut message: BaseRecord<'_, [u8], [u8], Box<Sent>> =
            BaseRecord::with_opaque_to(self.topics.output(record.topic), sent)
                .partition(record.partition)
                .headers(headers);
        message.key = record.key.as_deref();
        message.payload = record.value.as_deref();
        loop {
            match self.producer.send(message) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), again))
                    if Instant::now() < deadline =>
                {
                    // The polling thread empties the queue.
                    std::thread::sleep(Duration::from_millis(1));
                    message = again;
                }
                Err((error, _)) => {
                    self.deliveries().lock().pending -= 1;
                    return Err(failure(&error));
                }
            }
        }
    }

    /// Waits until every record is acknowledged.
    fn drain(&self, deadline: Instant) -> Result<(), Failure> {
        let deliveries = self.deliveries();
        let mut acknowledged = deliveries.lock();
        while acknowledged.pending > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let records = acknowledged.pending;
                tracing::warn!(records, "the brokers did not acknowledge records in time");
                return Err(Failure::Abort);
            }
            let waited = deliveries.all.wait_timeout(acknowledged, left);
            acknowledged = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        match acknowledged.failed.take() {
            None => Ok(()),
            Some(error) => {
                tracing::warn!(%error, "a record was not appended");
                Err(match self.producer.client().fatal_error() {
                    Some(_) => Failure::Dead,
                    None => Failure::Abort,
                })
            }
        }
    }

    fn list(&self, offsets: &[(SourceId, i32, i64)]) -> TopicPartitionList {
        let mut list = TopicPartitionList::with_capacity(offsets.len());
        for &(source, partition, offset) in offsets {
            let name = self.topics.source(source);
            // Offsets are never negative: the protocol counts from what it read.
            let _ = list.add_partition_offset(name, partition, Offset::Offset(offset));
        }
        list
    }

    fn aborted(&self) -> TxnOutcome {
        self.aborted.set(self.aborted.get() + 1);
        if self.aborted.get() < ABORTED_AT_MOST {
            return TxnOutcome::Aborted;
        }
        tracing::warn!(
            "{ABORTED_AT_MOST} transactions in a row were aborted: a new producer takes over"
        );
        TxnOutcome::Indefinite
    }

    fn give_up(&self, failure: Failure) -> TxnOutcome {
        if matches!(failure, Failure::Dead) {
            return TxnOutcome::Indefinite;
        }
        // The client purges what is queued and waits for what is in flight. Purged by us, a record in flight could still
        // be appended: to the next transaction of this producer, whose own records would pass for its repetition.
        let deadline = Instant::now() + self.patience;
        match retried(deadline, || self.producer.abort_transaction(self.patience)) {
            Err(_) => TxnOutcome::Indefinite,
            Ok(()) if matches!(failure, Failure::NotOurs) => TxnOutcome::NotOurs,
            Ok(()) => self.aborted(),
        }
    }
}

/// Transactions that may be aborted in a row. A client that has lost a leader appends nothing, and does not find it again
/// (see [`crate::renewed`]): then a new producer takes over, as where nothing is known of the last transaction.
const ABORTED_AT_MOST: u32 = 3;

/// Calls again what may be called again, until the deadline.
fn retried(
    deadline: Instant,
    mut call: impl FnMut() -> Result<(), KafkaError>,
) -> Result<(), Failure> {
    loop {
        match call() {
            Ok(()) => return Ok(()),
            Err(KafkaError::Transaction(error))
                if error.is_retriable() && Instant::now() < deadline =>
            {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(error) => return Err(failure(&error)),
        }
    }
}

fn failure(error: &KafkaError) -> Failure {
    use RDKafkaErrorCode as Code;
    tracing::warn!(%error, "a transaction failed");
    match error {
        KafkaError::Transaction(error) if error.txn_requires_abort() => match error.code() {
            Code::IllegalGeneration
            | Code::UnknownMemberId
            | Code::FencedInstanceId
            | Code::RebalanceInProgress => Failure::NotOurs,
            _ => Failure::Abort,
        },
        // A queue that stayed full, or a record that is too large for the broker.
        KafkaError::MessageProduction(code) if *code != Code::Fatal => Failure::Abort,
        _ => Failure::Dead,
    }
}

/// What a transaction is for: its failpoints carry the name.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    chunk: bool,
    manifest: bool,
}

impl Kind {
    fn of(transaction: &Transaction) -> Self {
        let records = transaction.steps.iter().find_map(|step| match step {
            TxnStep::Produce(records) => Some(&records[..]),
            _ => None,
        });
        let keys = records.unwrap_or_default().iter();
        let keys = keys.filter(|record| record.topic == Topic::State);
        let mut kind = Self {
            name: "step",
            chunk: false,
            manifest: false,
        };
        for key in keys.filter_map(|record| record.key.as_deref()) {
            match key.first() {
                Some(b'c') => kind.name = "claim",
                Some(b's') => kind.chunk = true,
                Some(b'm') => kind.manifest = true,
                _ => {}
            }
        }
        kind
    }

    fn pass(self, step: &TxnStep) {
        let step = match step {
            TxnStep::Begin => {
                if self.chunk {
                    failpoint::pass("snapshot_begun");
                }
                "begun"
            }
            TxnStep::Produce(_) => "produced",
            TxnStep::Drain => {
                if self.chunk {
                    failpoint::pass("snapshot_chunk");
                }
                "drained"
            }
            TxnStep::SendOffsets(_) => "offsets",
            TxnStep::Commit => {
                if self.manifest {
                    failpoint::pass("snapshot_done");
                }
                "committed"
            }
        };
        failpoint::pass(&format!("{}_{step}", self.name));
    }
}

//! What a person may do with the state while nobody owns it: read it, and begin it anew.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{BorrowedMessage, Headers as _, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use settlewatch_config::Run;
use settlewatch_join::Timestamp;
use settlewatch_protocol::{
    PROOF_HEADER, Produce, SourceId, StartPoint, Transaction, TxnOutcome, TxnStep,
};

use crate::admin::{Admin, AdminError, authenticate};
use crate::client::Context;
use crate::clocks::{Clocks, Monotonic};
use crate::ends::Ends;
use crate::producer::Transactions;
use crate::settings::transactional;
use crate::start::{Beginnings, StartAt};
use crate::topics::Topics;
use crate::truncate::Truncator;

/// How long nothing may come before reading counts as failed.
const QUIET: Duration = Duration::from_secs(15);

/// How long a transaction may take.
const TRANSACTION: Duration = Duration::from_secs(30);

/// How far a partition can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadTo {
    /// What was committed ends here.
    pub committed: i64,
    /// The partition ends here: beyond what is committed there is an open transaction.
    pub end: i64,
}

/// A record that was read.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its offset.
    pub offset: i64,
    /// Its timestamp in milliseconds.
    pub ts: i64,
    /// Its key; empty where it has none.
    pub key: &'a [u8],
    /// Its value; empty where it has none.
    pub value: &'a [u8],
    /// The proof of an alert in its headers; empty where it has none.
    pub proof: &'a [u8],
    /// Whether it has a key.
    pub has_key: bool,
    /// Whether it has a value.
    pub has_value: bool,
}

/// Takes records one by one.
type Each<'a> = &'a mut dyn FnMut(Entry<'_>);

/// Connections for upkeep.
pub struct Upkeep {
    admin: Admin,
    ends: Ends,
    topics: Topics,
    wait: Duration,
}

impl Upkeep {
    /// Connects.
    ///
    /// # Errors
    /// The settings do not make a client, or no broker answers.
    pub fn new(run: &Run, topics: Topics, wait: Duration) -> Result<Self, AdminError> {
        let admin = Admin::new(&run.kafka, wait)?;
        admin.cluster(&topics.state)?;
        let made = Ends::new(admin.config(), admin.context().clone(), topics.clone());
        let ends = made.map_err(|error| AdminError::Settings(admin.context().describe(&error)))?;
        Ok(Self {
            admin,
            ends,
            topics,
            wait,
        })
    }

    /// Questions about topics.
    pub fn admin(&self) -> &Admin {
        &self.admin
    }

    /// The names of the topics.
    pub fn topics(&self) -> &Topics {
        &self.topics
    }

    fn refused(&self, what: &str, error: &KafkaError) -> AdminError {
        AdminError::Refused {
            what: what.to_owned(),
            why: self.admin.context().describe(error),
        }
    }

    /// Whoever is a member of the group now, for people.
    ///
    /// # Errors
    /// The cluster does not say.
    pub fn members(&self) -> Result<Vec<String>, AdminError> {
        let group = self.admin.group_id();
        let consumer = self.consumer()?;
        let list = consumer.fetch_group_list(Some(group), self.wait);
        let list = list.map_err(|error| self.refused("see who is in the group", &error))?;
        let members = list.groups().iter().flat_map(|group| group.members());
        let named = members.map(|member| format!("{} at {}", member.id(), member.client_host()));
        Ok(named.collect())
    }

    fn consumer(&self) -> Result<BaseConsumer<Context>, AdminError> {
        let context = self.admin.context();
        let mut config = self.admin.config().clone();
        config
            // Without a group rdkafka hands out no records; nothing is joined or committed.
            .set("group.id", self.admin.group_id())
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("isolation.level", "read_committed")
            .set("auto.offset.reset", "earliest")
            .set("fetch.wait.max.ms", "50");
        let consumer: BaseConsumer<Context> = config
            .create_with_context(context.clone())
            .map_err(|error| AdminError::Settings(context.describe(&error)))?;
        authenticate(consumer.client(), context)?;
        Ok(consumer)
    }

    /// Reads a partition, read committed, from an offset to its end.
    ///
    /// # Errors
    /// The cluster stops answering.
    pub fn read(
        &self,
        topic: &str,
        partition: i32,
        from: Option<i64>,
        each: Each<'_>,
    ) -> Result<ReadTo, AdminError> {
        let what = format!("read {topic} partition {partition}");
        let (_, end) = self.marks(topic, partition)?;
        let consumer = self.consumer()?;
        let committed = read_to_end(&consumer, (topic, partition), from, each)
            .map_err(|error| self.refused(&what, &error))?;
        Ok(ReadTo {
            committed: committed.unwrap_or(end).min(end),
            end,
        })
    }

    /// First offset and end of a partition.
    ///
    /// # Errors
    /// The cluster does not say.
    pub fn marks(&self, topic: &str, partition: i32) -> Result<(i64, i64), AdminError> {
        self.marks_by(&self.consumer()?, topic, partition)
    }

    fn marks_by(
        &self,
        consumer: &BaseConsumer<Context>,
        topic: &str,
        partition: i32,
    ) -> Result<(i64, i64), AdminError> {
        let what = format!("see where {topic} partition {partition} begins and ends");
        let marks = consumer.fetch_watermarks(topic, partition, self.wait);
        marks.map_err(|error| self.refused(&what, &error))
    }

    /// Where each of the first `count` partitions of a topic ends.
    ///
    /// # Errors
    /// The cluster does not say.
    pub fn topic_ends(&self, topic: &str, count: i32) -> Result<Vec<i64>, AdminError> {
        let consumer = self.consumer()?;
        let end = |partition| Ok(self.marks_by(&consumer, topic, partition)?.1);
        (0..count).map(end).collect()
    }

    /// How many offsets an input has used since then, over all of its partitions: records, and ends of transactions.
    ///
    /// # Errors
    /// The cluster does not say.
    pub fn appended_since(
        &self,
        source: SourceId,
        numbers: i32,
        at: Timestamp,
    ) -> Result<u64, AdminError> {
        let places: Vec<_> = (0..numbers).map(|number| (source, number)).collect();
        let sum = |found: KafkaResult<Vec<(SourceId, i32, i64)>>| {
            let found = found.map_err(|error| self.refused("find offsets by time", &error))?;
            Ok(found.iter().map(|&(_, _, offset)| offset).sum::<i64>())
        };
        let then = sum(self.ends.since(&places, at.millis().max(0), self.wait))?;
        let end = sum(self.ends.ends(&places, self.wait))?;
        Ok(u64::try_from(end - then).unwrap_or(0))
    }

    /// The first offset of the pairs topic that is stamped then or later.
    ///
    /// # Errors
    /// The cluster does not say.
    pub fn pairs_since(&self, number: i32, at: Timestamp) -> Result<i64, AdminError> {
        let pairs = (SourceId(self.topics.inputs.len() as u8), number);
        let found = self.ends.since(&[pairs], at.millis().max(0), self.wait);
        let found = found.map_err(|error| self.refused("find offsets by time", &error))?;
        Ok(found.first().map_or(0, |&(_, _, offset)| offset))
    }

    /// Where a partition number begins; `now` is broker time, at the latest.
    ///
    /// # Errors
    /// The cluster does not say.
    pub fn beginning(
        &self,
        number: i32,
        start_at: StartAt,
        now: Timestamp,
    ) -> Result<StartPoint, AdminError> {
        let beginnings = Beginnings {
            ends: &self.ends,
            topics: &self.topics,
            wait: self.wait,
        };
        let found = beginnings.find(number, start_at, now);
        found.map_err(|error| self.refused("find where to begin", &error))
    }

    /// Deletes everything that the state topic says of a partition number.
    ///
    /// # Errors
    /// It is still there.
    pub fn empty(&self, number: i32) -> Result<(), AdminError> {
        let what = format!("empty {} partition {number}", self.topics.state);
        let (config, context) = (self.admin.config(), self.admin.context().clone());
        let truncator = Truncator::new(config, context, self.topics.state.clone());
        let truncator = truncator.map_err(|error| self.refused(&what, &error))?;
        let (_, end) = self.marks(&self.topics.state, number)?;
        truncator.delete_before(number, end);
        let deadline = Instant::now() + self.wait;
        while Instant::now() < deadline {
            if self.marks(&self.topics.state, number)?.0 >= end {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let why = "the records are still there".to_owned();
        Err(AdminError::Refused { what, why })
    }

    /// A producer for [`Writer::write`], under a transactional id of its own.
    ///
    /// # Errors
    /// No broker coordinates it.
    pub fn writer(&self) -> Result<Writer, AdminError> {
        let id = format!("{}.upkeep", self.admin.group_id());
        let config = transactional(self.admin.config(), &id, TRANSACTION);
        Writer::new(&config, self.admin.context(), &self.topics)
            .map_err(|error| self.refused("begin a transaction", &error))
    }
}

/// Writes records of upkeep.
pub struct Writer(Transactions);

impl Writer {
    fn new(config: &ClientConfig, context: &Context, topics: &Topics) -> KafkaResult<Self> {
        let clocks = Arc::new(Clocks::default());
        let made = Transactions::new(
            config,
            context.clone(),
            clocks,
            Monotonic::start(),
            topics.clone(),
            TRANSACTION,
        );
        made.map(Self)
    }

    /// Writes records in one transaction.
    ///
    /// # Errors
    /// It was not committed.
    pub fn write(&self, records: Vec<Produce>) -> Result<(), AdminError> {
        let steps = [
            TxnStep::Begin,
            TxnStep::Produce(records),
            TxnStep::Drain,
            TxnStep::Commit,
        ];
        let transaction = Transaction {
            steps: steps.into(),
        };
        match self.0.carry(&transaction, None).0 {
            TxnOutcome::Committed => Ok(()),
            outcome => Err(AdminError::Refused {
                what: "write the state".into(),
                why: format!("the transaction ended as {outcome:?}"),
            }),
        }
    }
}

/// The proof in a record's headers; empty where it has none.
fn proof<'a>(message: &'a BorrowedMessage<'_>) -> &'a [u8] {
    let headers = message
        .headers()
        .into_iter()
        .flat_map(|headers| headers.iter());
    let mut proofs = headers.filter(|header| header.key == PROOF_HEADER);
    proofs
        .next()
        .and_then(|header| header.value)
        .unwrap_or_default()
}

/// Reads to the end; where that is, `None` for a partition without records.
fn read_to_end(
    consumer: &BaseConsumer<Context>,
    (topic, partition): (&str, i32),
    from: Option<i64>,
    each: Each<'_>,
) -> KafkaResult<Option<i64>> {
    let mut list = TopicPartitionList::new();
    let begin = from.map_or(Offset::Beginning, Offset::Offset);
    list.add_partition_offset(topic, partition, begin)?;
    consumer.assign(&list)?;
    let mut heard = Instant::now();
    loop {
        match consumer.poll(Duration::from_millis(200)) {
            Some(Ok(message)) => {
                heard = Instant::now();
                each(Entry {
                    offset: message.offset(),
                    ts: message.timestamp().to_millis().unwrap_or(-1),
                    key: message.key().unwrap_or_default(),
                    value: message.payload().unwrap_or_default(),
                    has_key: message.key().is_some(),
                    has_value: message.payload().is_some(),
                    proof: proof(&message),
                });
            }
            Some(Err(KafkaError::PartitionEOF(_))) => break,
            Some(Err(error)) if heard.elapsed() > QUIET => return Err(error),
            Some(Err(_)) => {}
            None if heard.elapsed() > QUIET => return Err(KafkaError::NoMessageReceived),
            None => {}
        }
    }
    let position = consumer.position()?;
    let position = position.elements().first().map(|element| element.offset());
    Ok(match position {
        Some(Offset::Offset(offset)) => Some(offset),
        _ => None,
    })
}

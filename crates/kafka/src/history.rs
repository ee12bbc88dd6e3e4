//! Single records, looked for in Kafka: those with one key in the inputs, and the revisions of one alert.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, Headers, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use settlewatch_config::{Kafka, Run};
use settlewatch_join::Timestamp;

use crate::admin::{Admin, AdminError, authenticate};
use crate::checks::Checked;
use crate::client::Context;

/// How long nothing may come before reading ends.
const QUIET: Duration = Duration::from_secs(5);

/// A record of an input, as it lies there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its topic.
    pub topic: String,
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Its timestamp in milliseconds.
    pub ts: i64,
    /// Whether that is the broker's.
    pub log_append_time: bool,
    /// Its value, where it has one.
    pub value: Option<Vec<u8>>,
    /// Its headers that have values.
    pub headers: Vec<(String, Vec<u8>)>,
}

/// What was found, and where was looked.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The records, in the order of reading.
    pub found: Vec<Found>,
    /// Where was looked: topic, partition, first offset, end. Records elsewhere were not seen.
    pub looked: Vec<(String, i32, i64, i64)>,
    /// Whether everything there was read; else a transaction is open, or the cluster stopped answering.
    pub complete: bool,
    /// Partitions that were not read to their end: topic, partition, and the timestamp of the last record that was
    /// read there in milliseconds, where there was one.
    pub stuck: Vec<(String, i32, Option<i64>)>,
}

/// Reads, read committed, the records with this key that are stamped `since` or later.
///
/// # Errors
/// The cluster cannot be asked.
pub fn history(
    kafka: &Kafka,
    checked: &Checked,
    key: &[u8],
    since: Timestamp,
    wait: Duration,
) -> Result<History, AdminError> {
    let has_key = |message: &BorrowedMessage<'_>| message.key() == Some(key);
    scan(kafka, &places(checked, key), since, wait, &has_key)
}

/// Reads, read committed, the records of the alerts topic that are stamped `since` or later and name this alert.
///
/// # Errors
/// The cluster cannot be asked.
pub fn revisions(
    run: &Run,
    checked: &Checked,
    alert_id: &str,
    since: Timestamp,
    wait: Duration,
) -> Result<History, AdminError> {
    let topic = &run.output.alerts;
    let places: Vec<_> = (0..checked.numbers)
        .map(|partition| (topic.clone(), partition))
        .collect();
    let names_it = |message: &BorrowedMessage<'_>| {
        let value = message.payload().unwrap_or_default();
        let mut windows = value.windows(alert_id.len().max(1));
        windows.any(|window| window == alert_id.as_bytes())
    };
    scan(&run.kafka, &places, since, wait, &names_it)
}

/// Reads, read committed, the records of a topic of ours that are stamped `since` or later.
///
/// # Errors
/// The cluster cannot be asked.
pub fn written(
    kafka: &Kafka,
    topic: &str,
    partitions: i32,
    since: Timestamp,
    wait: Duration,
) -> Result<History, AdminError> {
    let places: Vec<_> = (0..partitions)
        .map(|partition| (topic.to_owned(), partition))
        .collect();
    scan(kafka, &places, since, wait, &|_| true)
}

/// Reads, read committed, the records of the alerts topic about a payment that are stamped `since` or later; `key` is
/// that of its records.
///
/// # Errors
/// The cluster cannot be asked.
pub fn alerts_of(
    run: &Run,
    checked: &Checked,
    (key, payment_id): (&[u8], &str),
    since: Timestamp,
    wait: Duration,
) -> Result<History, AdminError> {
    let topic = &run.output.alerts;
    // An alert lies in the partition whose number its payment has.
    let mut numbers: Vec<i32> = places(checked, key)
        .into_iter()
        .map(|(_, partition)| partition)
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    let places: Vec<_> = numbers
        .into_iter()
        .map(|partition| (topic.clone(), partition))
        .collect();
    let has_key = |message: &BorrowedMessage<'_>| message.key() == Some(payment_id.as_bytes());
    scan(&run.kafka, &places, since, wait, &has_key)
}

/// Whether a record is looked for.
type Wanted<'a> = &'a dyn Fn(&BorrowedMessage<'_>) -> bool;

fn scan(
    kafka: &Kafka,
    places: &[(String, i32)],
    since: Timestamp,
    wait: Duration,
    wanted: Wanted<'_>,
) -> Result<History, AdminError> {
    let admin = Admin::new(kafka, wait)?;
    let context = admin.context();
    let mut config = admin.config().clone();
    config
        // Without a group rdkafka hands out no records; nothing is joined or committed.
        .set("group.id", &kafka.group_id)
        .set("enable.auto.commit", "false")
        .set("isolation.level", "read_committed")
        .set("auto.offset.reset", "earliest");
    let consumer: BaseConsumer<Context> = config
        .create_with_context(context.clone())
        .map_err(|error| AdminError::Settings(context.describe(&error)))?;
    authenticate(consumer.client(), context)?;
    let refused = |error: KafkaError| AdminError::Refused {
        what: "read records".into(),
        why: context.describe(&error),
    };
    let mut reading = Reading::new(&consumer, places, since, wait).map_err(refused)?;
    reading.read(&consumer, wanted).map_err(refused)?;
    Ok(reading.history)
}

/// The partitions where records with this key lie: one an input, where its partitioner is known.
fn places(checked: &Checked, key: &[u8]) -> Vec<(String, i32)> {
    let mut places = Vec::new();
    for input in &checked.inputs {
        let partitions = match input.partitioner.partition(key, checked.numbers) {
            Some(partition) => partition..partition + 1,
            None => 0..checked.numbers,
        };
        places.extend(partitions.map(|partition| (input.topic.clone(), partition)));
    }
    places
}

struct Reading {
    /// Timestamp of the last record of a partition.
    last: BTreeMap<(String, i32), i64>,
    /// What is left to read: topic and partition, and their end.
    ends: BTreeMap<(String, i32), i64>,
    history: History,
}

impl Reading {
    fn new(
        consumer: &BaseConsumer<Context>,
        places: &[(String, i32)],
        since: Timestamp,
        wait: Duration,
    ) -> KafkaResult<Self> {
        let mut from = TopicPartitionList::new();
        for (topic, partition) in places {
            from.add_partition_offset(topic, *partition, Offset::Offset(since.millis()))?;
        }
        let from = consumer.offsets_for_times(from, wait)?;
        let mut reading = Self {
            last: BTreeMap::new(),
            ends: BTreeMap::new(),
            history: History::default(),
        };
        let mut list = TopicPartitionList::new();
        for element in from.elements() {
            element.error()?;
            let (topic, partition) = (element.topic().to_owned(), element.partition());
            let (_, end) = consumer.fetch_watermarks(&topic, partition, wait)?;
            let first = match element.offset() {
                Offset::Offset(first) => first,
                _ => end,
            };
            let looked = (topic.clone(), partition, first, end);
            reading.history.looked.push(looked);
            if first < end {
                list.add_partition_offset(&topic, partition, Offset::Offset(first))?;
                reading.ends.insert((topic, partition), end);
            }
        }
        consumer.assign(&list)?;
        Ok(reading)
    }

    fn read(&mut self, consumer: &BaseConsumer<Context>, wanted: Wanted<'_>) -> KafkaResult<()> {
        let mut quiet_since = Instant::now();
        while !self.ends.is_empty() && quiet_since.elapsed() < QUIET {
            match consumer.poll(Duration::from_millis(100)) {
                Some(Ok(message)) => {
                    quiet_since = Instant::now();
                    if wanted(&message) {
                        self.history.found.push(found(&message));
                    }
                    let place = (message.topic().to_owned(), message.partition());
                    let ts = message.timestamp().to_millis().unwrap_or(-1);
                    self.last.insert(place.clone(), ts);
                    self.reached(place, message.offset() + 1);
                }
                Some(Err(error)) if is_denied(&error) => return Err(error),
                // The last records may be markers: the position steps over them.
                _ => self.look(consumer),
            }
        }
        self.history.complete = self.ends.is_empty();
        let stuck = self.ends.keys().cloned();
        self.history.stuck = stuck
            .map(|(topic, partition)| {
                let last = self.last.get(&(topic.clone(), partition)).copied();
                (topic, partition, last)
            })
            .collect();
        Ok(())
    }

    fn reached(&mut self, place: (String, i32), position: i64) {
        if self.ends.get(&place).is_some_and(|&end| position >= end) {
            self.ends.remove(&place);
        }
    }

    fn look(&mut self, consumer: &BaseConsumer<Context>) {
        let Ok(positions) = consumer.position() else {
            return;
        };
        for element in positions.elements() {
            if let Offset::Offset(position) = element.offset() {
                self.reached((element.topic().to_owned(), element.partition()), position);
            }
        }
    }
}

/// Whether it is of no use to go on: what may not be read must not pass for what is not there.
fn is_denied(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::TopicAuthorizationFailed)
}

fn found(message: &BorrowedMessage<'_>) -> Found {
    Found {
        topic: message.topic().to_owned(),
        partition: message.partition(),
        offset: message.offset(),
        ts: message.timestamp().to_millis().unwrap_or(-1),
        log_append_time: matches!(message.timestamp(), rdkafka::Timestamp::LogAppendTime(_)),
        value: message.payload().map(<[u8]>::to_vec),
        headers: message.headers().map_or_else(Vec::new, headers),
    }
}

fn headers(headers: &BorrowedHeaders) -> Vec<(String, Vec<u8>)> {
    let with_value = headers
        .iter()
        .filter_map(|header| Some((header.key, header.value?)));
    with_value
        .map(|(key, value)| (key.to_owned(), value.to_vec()))
        .collect()
}

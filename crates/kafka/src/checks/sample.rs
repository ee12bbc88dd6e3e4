//! Reads the last few records of each input: their keys, and what kind of timestamps they bear.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::partitioner::Keys;
use crate::admin::{Admin, AdminError, authenticate};
use crate::client::Context;

/// Records of one topic that are looked at, over all its partitions.
const RECORDS: usize = 2000;
/// Records of one partition: the last ones, since what was written years ago says nothing about today's producers.
const OF_A_PARTITION: std::ops::RangeInclusive<usize> = 4..=64;

/// How long is read at most; what is there comes within milliseconds.
const PATIENCE: Duration = Duration::from_secs(3);

/// What was seen.
pub(super) struct Sample {
    pub(super) keys: Keys,
    /// By topic: whether the last record's timestamp is the broker's; `None` where there was none.
    pub(super) log_append_time: Vec<Option<bool>>,
}

/// Reads a sample of topics that have so many partitions each.
pub(super) fn read(
    admin: &Admin,
    topics: &[&str],
    partitions: usize,
) -> Result<Sample, AdminError> {
    let mut sample = Sample {
        keys: Keys::new(topics.len(), partitions),
        log_append_time: vec![None; topics.len()],
    };
    let consumer = consumer(admin)?;
    let tail = (RECORDS / partitions.max(1)).clamp(*OF_A_PARTITION.start(), *OF_A_PARTITION.end());
    assign(&consumer, topics, partitions, tail).map_err(|error| AdminError::Refused {
        what: "read the inputs".into(),
        why: admin.context().describe(&error),
    })?;
    let all = topics.len() * partitions;
    let (mut ends, mut left) = (0, all * tail);
    let deadline = Instant::now() + PATIENCE.min(admin.wait());
    while ends < all && left > 0 && Instant::now() < deadline {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => {
                left -= 1;
                if let Some(topic) = topics.iter().position(|name| *name == message.topic()) {
                    sample.add(topic, &message);
                }
            }
            Some(Err(KafkaError::PartitionEOF(_))) => ends += 1,
            // Whatever keeps us from reading is told where rights are checked.
            Some(Err(_)) | None => {}
        }
    }
    Ok(sample)
}

impl Sample {
    fn add(&mut self, topic: usize, message: &impl Message) {
        if let Some(key) = message.key() {
            self.keys.seen(topic, message.partition(), key);
        }
        self.log_append_time[topic] = match message.timestamp() {
            rdkafka::Timestamp::LogAppendTime(_) => Some(true),
            rdkafka::Timestamp::CreateTime(_) => Some(false),
            rdkafka::Timestamp::NotAvailable => self.log_append_time[topic],
        };
    }
}

fn consumer(admin: &Admin) -> Result<BaseConsumer<Context>, AdminError> {
    let mut config = admin.config().clone();
    config
        // Without a group rdkafka hands out no records; nothing is joined or committed.
        .set("group.id", admin.group_id())
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("isolation.level", "read_uncommitted")
        .set("auto.offset.reset", "earliest");
    let context = admin.context();
    let consumer: BaseConsumer<Context> = config
        .create_with_context(context.clone())
        .map_err(|error| AdminError::Settings(context.describe(&error)))?;
    authenticate(consumer.client(), context)?;
    Ok(consumer)
}

fn assign(
    consumer: &BaseConsumer<Context>,
    topics: &[&str],
    partitions: usize,
    tail: usize,
) -> Result<(), KafkaError> {
    let mut list = TopicPartitionList::new();
    for topic in topics {
        for partition in 0..i32::try_from(partitions).unwrap_or(i32::MAX) {
            let from = Offset::OffsetTail(tail as i64);
            list.add_partition_offset(topic, partition, from)?;
        }
    }
    consumer.assign(&list)
}

//! Follows a topic as it grows, outside of any group: what is committed, from where it is told.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use settlewatch_config::Kafka;

use crate::client::{Context, base};

/// How long a broker may take to say where a partition ends.
const END_WITHIN: Duration = Duration::from_secs(10);

/// Where following begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TailFrom {
    /// With the first record there is.
    Beginning,
    /// With the next that is appended; the brokers are asked where that is.
    End,
}

/// A record as it lies in the topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tailed {
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Its timestamp in milliseconds.
    pub ts: i64,
    /// Its value; empty where it has none.
    pub value: Vec<u8>,
}

/// Reads a topic's records as they come.
pub struct Tail {
    consumer: BaseConsumer<Context>,
    context: Context,
}

impl Tail {
    /// Follows all partitions of a topic.
    ///
    /// # Errors
    /// The settings make no client, or the brokers do not say where a partition ends.
    pub fn new(
        kafka: &Kafka,
        topic: &str,
        partitions: i32,
        from: TailFrom,
    ) -> Result<Self, String> {
        let context = Context::new(kafka);
        let mut config = base(kafka);
        config
            // Without a group rdkafka hands out no records; nothing is joined or committed.
            .set("group.id", &kafka.group_id)
            .set("enable.auto.commit", "false")
            .set("isolation.level", "read_committed")
            .set("auto.offset.reset", "earliest")
            .set("fetch.wait.max.ms", "50");
        let consumer: BaseConsumer<Context> = config
            .create_with_context(context.clone())
            .map_err(|error| context.describe(&error))?;
        // A consumer that is told `Offset::End` asks later, after what comes next may have come.
        let offset = |partition| match from {
            TailFrom::Beginning => Ok(Offset::Beginning),
            TailFrom::End => consumer
                .fetch_watermarks(topic, partition, END_WITHIN)
                .map(|(_, end)| Offset::Offset(end)),
        };
        let mut places = TopicPartitionList::new();
        for partition in 0..partitions {
            offset(partition)
                .and_then(|offset| places.add_partition_offset(topic, partition, offset))
                .map_err(|error| context.describe(&error))?;
        }
        consumer
            .assign(&places)
            .map_err(|error| context.describe(&error))?;
        Ok(Self { consumer, context })
    }

    /// The next record, if one comes within `wait`.
    pub fn next(&self, wait: Duration) -> Option<Tailed> {
        match self.consumer.poll(wait)? {
            Ok(message) => Some(Tailed {
                partition: message.partition(),
                offset: message.offset(),
                ts: message.timestamp().to_millis().unwrap_or(-1),
                value: message.payload().unwrap_or_default().to_vec(),
            }),
            Err(error) => {
                tracing::debug!(
                    error = self.context.describe(&error),
                    "following failed for now"
                );
                None
            }
        }
    }
}

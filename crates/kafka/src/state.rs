//! Reads partitions of the state topic from their beginning, read committed, until it is told to stop.

use std::collections::BTreeSet;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use settlewatch_protocol::Input;

use crate::client::Context;
use crate::machine::Member;
use crate::settings::state_config;

/// The restore consumer of a lane.
pub(crate) struct StateReader {
    consumer: BaseConsumer<Context>,
    topic: String,
    reading: BTreeSet<i32>,
}

impl StateReader {
    pub(crate) fn new(member: &Member) -> KafkaResult<Self> {
        Ok(Self {
            consumer: state_config(member).create_with_context(member.context.clone())?,
            topic: member.topics.state.clone(),
            reading: BTreeSet::new(),
        })
    }

    /// Begins to read a partition.
    pub(crate) fn begin(&mut self, partition: i32) -> KafkaResult<()> {
        if self.reading.contains(&partition) {
            self.end(partition);
        }
        self.reading.insert(partition);
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.topic, partition, Offset::Beginning)?;
        self.consumer.incremental_assign(&list)
    }

    /// Stops reading a partition.
    pub(crate) fn end(&mut self, partition: i32) {
        self.reading.remove(&partition);
        let mut list = TopicPartitionList::new();
        list.add_partition(&self.topic, partition);
        if let Err(error) = self.consumer.incremental_unassign(&list) {
            tracing::warn!(%error, partition, "the state is read on");
        }
    }

    /// Stops reading everything.
    pub(crate) fn end_all(&mut self) {
        for partition in std::mem::take(&mut self.reading) {
            self.end(partition);
        }
    }

    pub(crate) fn is_reading(&self) -> bool {
        !self.reading.is_empty()
    }

    /// The next record, or nothing within `wait`.
    pub(crate) fn poll(&mut self, wait: Duration) -> Option<Input> {
        let message = match self.consumer.poll(wait)? {
            Ok(message) => message,
            Err(error) => {
                // The client tries again, and its context has told why.
                tracing::debug!(%error, "reading the state failed");
                return None;
            }
        };
        // A record of a partition that was given up may still be in the queue.
        self.reading
            .contains(&message.partition())
            .then(|| Input::State {
                partition: message.partition(),
                offset: message.offset(),
                key: message.key().unwrap_or_default().into(),
                value: message.payload().unwrap_or_default().into(),
            })
    }
}

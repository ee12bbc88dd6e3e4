//! Ends and beginnings of partitions, as their leaders answer them.

use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use settlewatch_protocol::SourceId;

use crate::admin::authenticate;
use crate::client::Context;
use crate::renewed::Renewed;
use crate::topics::Topics;

/// A partition of a source, and an offset of it.
pub(crate) type Answer = (SourceId, i32, i64);

/// Partitions of a request: the client looks for each answer in a list of all, one by one.
const AT_ONCE: usize = 128;

/// Asks for offsets. Its client reads uncommitted: only then is the end the high watermark, beyond records of open
/// transactions.
pub(crate) struct Ends {
    consumer: BaseConsumer<Context>,
    topics: Topics,
}

impl Ends {
    pub(crate) fn new(base: &ClientConfig, context: Context, topics: Topics) -> KafkaResult<Self> {
        let mut config = base.clone();
        config.set("isolation.level", "read_uncommitted");
        config.set("enable.auto.commit", "false");
        let consumer: BaseConsumer<Context> = config.create_with_context(context.clone())?;
        if let Err(error) = authenticate(consumer.client(), &context) {
            tracing::warn!(%error, "no token; the client asks for one again");
        }
        Ok(Self { consumer, topics })
    }

    /// The same, replaced where it does not answer.
    pub(crate) fn renewed(
        base: &ClientConfig,
        context: Context,
        topics: Topics,
    ) -> KafkaResult<Renewed<Self>> {
        let base = base.clone();
        Renewed::new(move || Self::new(&base, context.clone(), topics.clone()))
    }

    /// The high watermarks of these partitions, in few requests a leader. A special "timestamp" asks for it
    /// (`ListOffsets`, KIP-79), so that the safe call serves.
    pub(crate) fn ends(
        &self,
        places: &[(SourceId, i32)],
        wait: Duration,
    ) -> KafkaResult<Vec<Answer>> {
        self.ask(places, Offset::End, wait)
    }

    /// The first offsets of these partitions.
    pub(crate) fn firsts(
        &self,
        places: &[(SourceId, i32)],
        wait: Duration,
    ) -> KafkaResult<Vec<Answer>> {
        self.ask(places, Offset::Beginning, wait)
    }

    /// The first offsets whose records are stamped `ts_ms` or later; the ends where there are none.
    pub(crate) fn since(
        &self,
        places: &[(SourceId, i32)],
        ts_ms: i64,
        wait: Duration,
    ) -> KafkaResult<Vec<Answer>> {
        let mut found = self.ask(places, Offset::Offset(ts_ms), wait)?;
        let missing = |place: &&(SourceId, i32)| {
            !found
                .iter()
                .any(|&(source, partition, _)| (source, partition) == **place)
        };
        let rest: Vec<_> = places.iter().filter(missing).copied().collect();
        if !rest.is_empty() {
            found.extend(self.ends(&rest, wait)?);
        }
        Ok(found)
    }

    fn ask(
        &self,
        places: &[(SourceId, i32)],
        what: Offset,
        wait: Duration,
    ) -> KafkaResult<Vec<Answer>> {
        let chunks = places.chunks(AT_ONCE);
        let answers = chunks.map(|places| self.ask_some(places, what, wait));
        let answers = answers.collect::<KafkaResult<Vec<_>>>()?;
        Ok(answers.concat())
    }

    fn ask_some(
        &self,
        places: &[(SourceId, i32)],
        what: Offset,
        wait: Duration,
    ) -> KafkaResult<Vec<Answer>> {
        let mut list = TopicPartitionList::with_capacity(places.len());
        for &(source, partition) in places {
            list.add_partition_offset(self.topics.source(source), partition, what)?;
        }
        // Nobody else polls: logs and tokens would wait for ever.
        let _ = self.consumer.poll(Duration::ZERO);
        let answered = self.consumer.offsets_for_times(list, wait)?;
        let mut answers = Vec::with_capacity(places.len());
        for element in answered.elements() {
            element.error()?;
            if let (Some(source), Offset::Offset(offset)) =
                (self.topics.source_named(element.topic()), element.offset())
            {
                answers.push((source, element.partition(), offset));
            }
        }
        Ok(answers)
    }

    /// The timestamp of the first record at or after `offset`.
    pub(crate) fn timestamp_at(
        &self,
        (source, partition, offset): Answer,
        wait: Duration,
    ) -> Option<i64> {
        // Records are gone, or there is none yet.
        let end = self.ends(&[(source, partition)], wait).ok()?;
        if end.first()?.2 <= offset {
            return None;
        }
        let mut list = TopicPartitionList::new();
        let name = self.topics.source(source);
        list.add_partition_offset(name, partition, Offset::Offset(offset))
            .ok()?;
        self.consumer.assign(&list).ok()?;
        let message = self.consumer.poll(wait);
        let ts = message.and_then(Result::ok)?.timestamp().to_millis();
        let _ = self.consumer.unassign();
        ts
    }
}

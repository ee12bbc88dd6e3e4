//! The consumer of a lane: a member of the group that reads from where the state says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, ConsumerGroupMetadata};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;
use settlewatch_protocol::{RawRecord, SourceId};

use crate::admin::seen_end;
use crate::client::Context;
use crate::machine::Member;
use crate::settings::consumer_config;
use crate::topics::Topics;

/// What the group did since it was last asked.
pub(crate) enum Rebalanced {
    /// These partition numbers are ours now; with the group's metadata at that moment.
    Assigned(Vec<i32>, Option<ConsumerGroupMetadata>),
    /// Nothing is ours any more.
    Revoked,
    /// The topics are not assigned by number.
    Torn(String),
}

/// Takes the group's decisions down; the lane acts on them after the poll.
struct Members {
    context: Context,
    events: Arc<Mutex<Vec<Rebalanced>>>,
    /// The topics that the group hands out.
    joined: Vec<String>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ClientContext for Members {
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

impl ConsumerContext for Members {
    /// Acknowledges the decision and reads nothing yet: positions come from the state, which is not restored.
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        error: RDKafkaRespErr,
        list: &mut TopicPartitionList,
    ) {
        let assigned = error == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        let acknowledged = if assigned {
            consumer.assign(&TopicPartitionList::new())
        } else {
            consumer.unassign()
        };
        if let Err(error) = acknowledged {
            tracing::error!(%error, "the assignment could not be acknowledged");
        }
        let event = if assigned {
            match numbers(&self.joined, list) {
                // The metadata of this very assignment: asked for later, it may be another's.
                Ok(numbers) => Rebalanced::Assigned(numbers, consumer.group_metadata()),
                Err(torn) => Rebalanced::Torn(torn),
            }
        } else {
            Rebalanced::Revoked
        };
        lock(&self.events).push(event);
    }
}

/// The partition numbers of an assignment: the same of every topic.
fn numbers(joined: &[String], list: &TopicPartitionList) -> Result<Vec<i32>, String> {
    let mut by_topic: Vec<(&str, BTreeSet<i32>)> = joined
        .iter()
        .map(|topic| (topic.as_str(), BTreeSet::new()))
        .collect();
    for element in list.elements() {
        let known = by_topic.iter_mut();
        let known = known.filter(|(topic, _)| *topic == element.topic());
        for (_, set) in known {
            set.insert(element.partition());
        }
    }
    let Some(((first, numbers), rest)) = by_topic.split_first() else {
        return Ok(Vec::new());
    };
    match rest.iter().find(|(_, set)| set != numbers) {
        None => Ok(numbers.iter().copied().collect()),
        Some((topic, set)) => Err(format!(
            "the group assigned partitions {numbers:?} of {first}, but {set:?} of {topic}: another member uses another \
             assignor or other topics"
        )),
    }
}

/// What came of a poll.
pub(crate) enum Polled {
    Record(RawRecord),
    Nothing,
    /// A position lies outside of what the broker has.
    OutOfRange,
    /// The client is of no use any more.
    Fatal(KafkaError),
}

/// The consumer of a lane.
pub(crate) struct Reader {
    consumer: BaseConsumer<Members>,
    events: Arc<Mutex<Vec<Rebalanced>>>,
    topics: Topics,
    /// The offset that is read next, of everything that is read.
    positions: BTreeMap<(SourceId, i32), i64>,
    /// What is not fetched for now.
    paused: BTreeSet<(SourceId, i32)>,
}

impl Reader {
    /// Joins the group.
    pub(crate) fn new(member: &Member) -> KafkaResult<Self> {
        let events = Arc::default();
        let members = Members {
            context: member.context.clone(),
            events: Arc::clone(&events),
            joined: member.joined.clone(),
        };
        let config = consumer_config(member);
        let consumer: BaseConsumer<Members> = config.create_with_context(members)?;
        let names: Vec<&str> = member.joined.iter().map(String::as_str).collect();
        consumer.subscribe(&names)?;
        let topics = member.topics.clone();
        Ok(Self {
            consumer,
            events,
            topics,
            positions: BTreeMap::new(),
            paused: BTreeSet::new(),
        })
    }

    /// What the group did since the last call.
    pub(crate) fn rebalanced(&mut self) -> Vec<Rebalanced> {
        let events = std::mem::take(&mut *lock(&self.events));
        if !events.is_empty() {
            self.positions.clear();
        }
        events
    }

    /// Reads from these offsets on, and nothing else.
    pub(crate) fn assign(&mut self, from: &[(SourceId, i32, i64)]) -> KafkaResult<()> {
        self.paused.clear();
        self.positions = from
            .iter()
            .map(|&(source, partition, offset)| ((source, partition), offset))
            .collect();
        self.assign_again()
    }

    fn assign_again(&self) -> KafkaResult<()> {
        let mut list = TopicPartitionList::with_capacity(self.positions.len());
        for (&(source, partition), &offset) in &self.positions {
            list.add_partition_offset(
                self.topics.source(source),
                partition,
                Offset::Offset(offset),
            )?;
        }
        self.consumer.assign(&list)
    }

    /// The next record, or nothing within `wait`.
    pub(crate) fn poll(&mut self, wait: Duration) -> Polled {
        match self.consumer.poll(wait) {
            None => Polled::Nothing,
            Some(Ok(message)) => match owned(&self.topics, &message) {
                Some(record) => {
                    let place = (record.source, record.partition);
                    if let Some(position) = self.positions.get_mut(&place) {
                        *position = record.offset + 1;
                    }
                    Polled::Record(record)
                }
                None => Polled::Nothing,
            },
            Some(Err(error)) => {
                let code = error.rdkafka_error_code();
                let out_of_range = [
                    RDKafkaErrorCode::AutoOffsetReset,
                    RDKafkaErrorCode::OffsetOutOfRange,
                ];
                if code.is_some_and(|code| out_of_range.contains(&code)) {
                    return Polled::OutOfRange;
                }
                let is_fatal = [RDKafkaErrorCode::Fatal, RDKafkaErrorCode::FencedInstanceId];
                if code.is_some_and(|code| is_fatal.contains(&code))
                    || matches!(error, KafkaError::MessageConsumptionFatal(_))
                {
                    return Polled::Fatal(error);
                }
                // The client tries again, and its context has told why.
                tracing::debug!(%error, "reading failed");
                Polled::Nothing
            }
        }
    }

    /// How many partitions it reads.
    pub(crate) fn count(&self) -> usize {
        self.positions.len()
    }

    /// Where the consumer stands: it steps over control records, which are no messages.
    pub(crate) fn positions(&mut self) -> Vec<(SourceId, i32, i64)> {
        let Ok(list) = self.consumer.position() else {
            return Vec::new();
        };
        let mut told = BTreeSet::new();
        let mut positions = Vec::with_capacity(self.positions.len());
        for element in list.elements() {
            let (Some(source), Offset::Offset(position)) =
                (self.topics.source_named(element.topic()), element.offset())
            else {
                continue;
            };
            let place = (source, element.partition());
            if let Some(known) = self.positions.get_mut(&place) {
                *known = position.max(*known);
                told.insert(place);
                positions.push((place.0, place.1, *known));
            }
        }
        // What was never fetched has no position, but the one it was given.
        for (&(source, partition), &position) in &self.positions {
            if !told.contains(&(source, partition)) {
                positions.push((source, partition, position));
            }
        }
        positions
    }

    /// The partitions whose first offset lies beyond the position: what is between is gone. Reading goes on there.
    pub(crate) fn holes(&mut self, firsts: &[(SourceId, i32, i64)]) -> Vec<(SourceId, i32, i64)> {
        let mut holes = Vec::new();
        for &(source, partition, first) in firsts {
            if let Some(position) = self.positions.get_mut(&(source, partition))
                && first > *position
            {
                *position = first;
                holes.push((source, partition, first));
            }
        }
        if let Err(error) = self.assign_again() {
            tracing::error!(%error, "the assignment could not be renewed");
        }
        holes
    }

    /// The offset from which a partition is read now; `None` where nothing of it is to be.
    pub(crate) fn reads_from(&self, place: (SourceId, i32)) -> Option<i64> {
        let position = self.positions.get(&place).copied();
        position.filter(|_| !self.paused.contains(&place))
    }

    /// Whether the consumer knows that a partition goes up to `end`: a broker said so as it answered a fetch.
    pub(crate) fn has_seen(&self, (source, partition): (SourceId, i32), end: i64) -> bool {
        let topic = self.topics.source(source);
        seen_end(self.consumer.client(), topic, partition).is_some_and(|seen| seen >= end)
    }

    /// Partitions that are read.
    pub(crate) fn places(&self) -> impl Iterator<Item = (SourceId, i32)> {
        self.positions.keys().copied()
    }

    /// Stops fetching, or fetches again.
    pub(crate) fn set_paused(&mut self, places: &[(SourceId, i32)], paused: bool) {
        let mut list = TopicPartitionList::with_capacity(places.len());
        for &(source, partition) in places {
            list.add_partition(self.topics.source(source), partition);
            if paused {
                self.paused.insert((source, partition));
            } else {
                self.paused.remove(&(source, partition));
            }
        }
        let done = if paused {
            self.consumer.pause(&list)
        } else {
            self.consumer.resume(&list)
        };
        if let Err(error) = done {
            tracing::warn!(%error, paused, "fetching could not be paused or resumed");
        }
    }

    /// Whether the group has offsets of a partition number in any of the inputs.
    pub(crate) fn has_offsets(&self, number: i32, wait: Duration) -> KafkaResult<bool> {
        let mut list = TopicPartitionList::new();
        for name in &self.topics.inputs {
            list.add_partition(name, number);
        }
        let committed = self.consumer.committed_offsets(list, wait)?;
        let elements = committed.elements();
        Ok(elements
            .iter()
            .any(|element| matches!(element.offset(), Offset::Offset(_))))
    }
}

fn owned(topics: &Topics, message: &BorrowedMessage<'_>) -> Option<RawRecord> {
    Some(RawRecord {
        source: topics.source_named(message.topic())?,
        partition: message.partition(),
        offset: message.offset(),
        ts: message.timestamp().to_millis().unwrap_or(-1),
        key: message.key().map(Into::into),
        value: message.payload().map(Into::into),
    })
}

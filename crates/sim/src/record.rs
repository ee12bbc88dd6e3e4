//! A finished record, ready for a file or a producer.

use crate::event::Topic;

/// One record of the simulated log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its topic.
    pub topic: Topic,
    /// Its partition: murmur2 of the key, as the Java client's default partitioner chooses it.
    pub partition: u32,
    /// Its offset: dense from 0 in each partition of each topic.
    pub offset: u64,
    /// Append time, milliseconds since the epoch; never decreasing over all records.
    pub ts_ms: i64,
    /// Kafka key.
    pub key: String,
    /// The canonical event, one JSON object.
    pub payload: String,
}

//! Where a generated record lies.

use settlewatch_join::{Place, Timestamp};
use settlewatch_sim::Record;

/// The place of a record, as a replay with the simulator's own configuration ranks its streams.
///
/// # Panics
/// Where there are more partitions or records than fit into Kafka's numbers.
pub fn place_of(record: &Record) -> Place {
    Place {
        at: Timestamp::from_millis(record.ts_ms),
        stream: record.topic as u8,
        partition: i32::try_from(record.partition).expect("few"),
        offset: i64::try_from(record.offset).expect("few"),
    }
}

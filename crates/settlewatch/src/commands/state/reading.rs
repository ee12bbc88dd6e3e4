//! Reads what the state topic says of a partition.

use settlewatch_kafka::{AdminError, ReadTo, Upkeep};
use settlewatch_protocol::StateLook;

/// All that is committed there, and how far that is.
pub(super) fn look(upkeep: &Upkeep, number: i32) -> Result<(StateLook, ReadTo), AdminError> {
    let mut look = StateLook::default();
    let topic = &upkeep.topics().state;
    let read_to = upkeep.read(topic, number, None, &mut |entry| {
        look.push(entry.offset, entry.ts, entry.key, entry.value);
    })?;
    Ok((look, read_to))
}

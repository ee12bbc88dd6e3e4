//! A partition number whose state was made anew from its inputs.
//!
//! It applies again what a lost predecessor decided. The decision is a function of the records, so that is in the log
//! already: what is dated before the predecessor's known time is not written a second time.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use settlewatch_join::Timestamp;

use crate::assembly::fresh;
use crate::bytes::{Malformed, Reader, Writer};
use crate::io::{Host, Produce, StartPoint};
use crate::lane::LaneConfig;
use crate::limits::Limits;
use crate::snapshots::Snapshots;
use crate::step;

/// What a predecessor left in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// Everything that is dated before was decided, and written.
    pub written_before: Timestamp,
    /// Notes before this offset of the pairs topic speak of payments as the predecessor knew them.
    pub notes_from: i64,
}

impl Rebuilt {
    pub(crate) fn write(&self) -> Box<[u8]> {
        let mut out = Writer::default();
        out.i64(self.written_before.millis()).i64(self.notes_from);
        out.finish()
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut from = Reader(bytes);
        let rebuilt = Self {
            written_before: Timestamp::from_millis(from.i64()?),
            notes_from: from.i64()?,
        };
        from.end()?;
        Ok(rebuilt)
    }
}

/// The record that says that somebody owns a partition number.
pub fn claim(number: i32, token: u64) -> Produce {
    step::claim(number, token)
}

/// The records of a snapshot from which a partition number begins anew. Older records of it must be gone.
///
/// # Errors
/// The rules cannot be read.
pub fn rebuild(
    config: &LaneConfig,
    host: &impl Host,
    number: i32,
    start: &StartPoint,
    rebuilt: Rebuilt,
) -> Result<Vec<Produce>, String> {
    let mut task = fresh(config, host, number, start)?;
    task.rebuild(rebuilt);
    let mut records = Vec::new();
    Snapshots::new(Limits::default(), None).first(&mut task, &config.identity, &mut records);
    Ok(records)
}

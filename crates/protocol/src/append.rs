//! The append time of a record: when the broker took it in, as far as that can be known.
//!
//! On a LogAppendTime topic it is the record's timestamp. On a CreateTime topic the timestamp is the
//! producer's word: it is believed only within what the probes around the record's offset allow. Append times
//! never decrease within a partition.

use settlewatch_join::Timestamp;

use crate::io::Probe;

/// 2000-01-01T00:00:00Z: no payment is older.
const OLDEST_MS: i64 = 946_684_800_000;

/// The clock of one partition of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AppendClock {
    /// Append time of the last record; `MIN` before the first.
    pub(crate) last: Timestamp,
}

impl AppendClock {
    /// The append time on a LogAppendTime topic, or of a record whose time was settled before.
    pub(crate) fn take(&mut self, at: Timestamp) -> Timestamp {
        self.last = self.last.max(at);
        self.last
    }

    /// The append time on a CreateTime topic: the record was appended after `known`, when everything that had been
    /// appended was read, and before `before` was answered. What its producer says is believed within these bounds
    /// and moves no clock beyond them: a timestamp of 1970 or of next year stands for the record before it.
    pub(crate) fn clamp(&mut self, ts: i64, known: Timestamp, before: &Probe) -> Timestamp {
        let low = known.max(self.last);
        let high = before.answered_by.max(low);
        let said = Timestamp::from_millis(ts);
        let believed = if ts >= OLDEST_MS && said <= high {
            said.max(low)
        } else if low == Timestamp::MIN {
            high
        } else {
            low
        };
        self.take(believed)
    }
}

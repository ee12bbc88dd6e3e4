//! Input holes: records that retention took before they were read.

use alloc::vec::Vec;

use crate::effect::Effects;
use crate::settings::KnowsSince;
use crate::table::{Phase, Slot};
use crate::time::Timestamp;

use super::Partition;

impl Partition {
    /// What was appended from `from` to `to` was lost unread. A payment that was still in time when the
    /// hole began may have been credited there: it is written off without an alert, and so will be a payment
    /// that was appended within the hole. An unmatched record dated before the end of the hole is counted as
    /// before the horizon. Returns how many payments were written off at once.
    pub fn hole(&mut self, from: Timestamp, to: Timestamp, effects: &mut Effects) -> u64 {
        self.advance(from, effects);
        let unknowable: Vec<Slot> = self
            .table
            .iter()
            .filter(|(_, entry)| entry.phase == Phase::Waiting && entry.tier == 0)
            .map(|(slot, _)| slot)
            .collect();
        for &slot in &unknowable {
            self.close(slot, Phase::WrittenOff, None, from, effects);
        }
        self.hole_until = self.hole_until.max(to);
        self.knows_since = KnowsSince(self.knows_since.0.max(to));
        unknowable.len() as u64
    }
}

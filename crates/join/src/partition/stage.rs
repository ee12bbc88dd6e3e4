//! Stages: where a payment is on its way. They change no deadline.

use crate::event::{Record, Stage};
use crate::ledger::Outcome;
use crate::table::Slot;

use super::{Key, Partition};

impl Partition {
    /// Notes a stage; `None` never: a stage is counted at once.
    pub(super) fn stage(
        &mut self,
        key: Key,
        slot: Option<Slot>,
        record: &Record<'_>,
        stage: Stage,
    ) -> Option<Outcome> {
        let known = slot.is_some_and(|slot| self.table.get(slot).is_accepted());
        let occurred_at = record.event.occurred_at;
        if !known {
            if slot.is_none() && self.finished.contains_up_to(key.fingerprint, occurred_at) {
                return Some(Outcome::Used);
            }
            if self
                .knows_since
                .before_horizon(occurred_at, self.settings.beginning)
            {
                return Some(Outcome::BeforeHorizon);
            }
        }
        let slot = slot.unwrap_or_else(|| {
            let slot = self.insert(key, record.place.at);
            self.reschedule(slot, record.place.at);
            slot
        });
        let entry = self.table.get_mut(slot);
        let bit = 1 << stage as u8;
        let seen = entry.stages & bit != 0;
        entry.stages |= bit;
        // A stage seen again is told apart only while its payment is known.
        Some(if seen && known {
            Outcome::Duplicate
        } else {
            Outcome::Used
        })
    }
}

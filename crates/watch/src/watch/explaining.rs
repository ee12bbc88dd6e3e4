//! What sources that are silent, late or not read explain of payments and of acknowledgements.

use super::Watch;
use crate::behind::Behind;
use crate::detect::rows::Row;
use crate::detect::values::ValueId;
use crate::late::Late;
use crate::pulse::Ack;
use crate::silence::Silence;

/// What silent and late sources explain, and what we have not read.
pub(super) struct Explaining<'a> {
    silence: &'a Silence,
    late: &'a Late,
    behind: &'a Behind,
    /// Whether any partition is blind: of every payment this is asked first.
    blind: bool,
    second: i64,
}

impl<'a> Explaining<'a> {
    /// As of `second`.
    pub(super) fn new(
        silence: &'a Silence,
        late: &'a Late,
        behind: &'a Behind,
        second: i64,
    ) -> Self {
        Self {
            silence,
            late,
            behind,
            blind: behind.is_any(second),
            second,
        }
    }

    pub(super) fn explains(&self, row: &Row, values: &[ValueId], lead_ms: i64) -> bool {
        self.silence.explains(row, lead_ms)
            || self.late.explains(row, values, lead_ms)
            || self.blind && self.behind.is_blind(row.partition, self.second)
    }
}

impl Watch {
    /// Whether an acknowledgement is missing or late because nothing, or nothing in time, is said of any.
    pub(super) fn is_hidden(&self, ack: &Ack, second: i64) -> bool {
        let credited_ms = ack.credited_at.millis();
        let silent = || {
            let credited_s = credited_ms.div_euclid(1000);
            let sources = &self.sources;
            sources.says_no_stages(ack.partition, credited_s, second)
        };
        ack.late && (self.silence.hides_stages(ack.partition, credited_ms) || !ack.came && silent())
    }
}

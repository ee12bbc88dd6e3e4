//! Holds stop the clock, releases start it anew.

use crate::alert::{AlertKind, Resolution};
use crate::effect::{Effect, Effects, Flow};
use crate::extras::{Extras, Hold};
use crate::table::Slot;
use crate::time::Timestamp;

use super::accept::clock;
use super::{Moment, Partition};

impl Partition {
    /// A hold by the first tier's deadline stops the clock; a later one changes only the verdict.
    pub(super) fn hold(
        &mut self,
        slot: Slot,
        expected_release_at: Option<Timestamp>,
        moment: Moment,
        effects: &mut Effects,
    ) {
        let until = expected_release_at
            .unwrap_or(moment.appended_at + self.settings.hold_limit)
            .max(moment.at);
        let already = self.extras(slot).is_some_and(Extras::was_held);
        let entry = self.table.get_mut(slot);
        // Everything of a millisecond is applied before its deadlines: no tier passed means in time.
        let stops_clock = entry.tier == 0;
        entry.extras_mut().hold = Some(Hold {
            until,
            stops_clock,
            raised: false,
        });
        if stops_clock && !already {
            self.tell_held(slot, effects);
        }
        self.reschedule(slot, moment.at);
        self.reconsider(slot, moment.at, effects);
    }

    fn tell_held(&self, slot: Slot, effects: &mut Effects) {
        let entry = self.table.get(slot);
        let known = self.attributes.channel_and_currency(entry.attributes());
        let Some((channel, currency)) = known else {
            return;
        };
        effects.push(Effect::Flow(Flow::Held {
            channel,
            accepted_at: entry.appended_at,
            timed: self.is_timed(slot),
            amount_minor: entry.amount_minor,
            currency,
        }));
    }

    /// Ends the hold; a clock that was stopped starts anew.
    pub(super) fn release(&mut self, slot: Slot, at: Timestamp, effects: &mut Effects) {
        let Some(hold) = self
            .table
            .get_mut(slot)
            .extras
            .as_mut()
            .and_then(|extras| extras.hold.take())
        else {
            return;
        };
        if !hold.stops_clock {
            self.reconsider(slot, at, effects);
            return;
        }
        self.resolve(
            slot,
            AlertKind::HoldOverdue,
            Resolution::Completed,
            None,
            at,
            effects,
        );
        let extras = self.extras_mut(slot);
        extras.released_at = Some(at);
        let expected = extras.expected_credit_by;
        let entry = self.table.get_mut(slot);
        entry.clock = clock(&self.settings.rules[usize::from(entry.rule)], expected, at);
        self.reschedule(slot, at);
    }
}

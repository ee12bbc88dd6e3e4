//! Timers: what is next for an entry, and what happens then.

use crate::alert::AlertKind;
use crate::effect::{Effect, Effects, Flow};
use crate::settings::Rule;
use crate::table::{Phase, Slot};
use crate::time::{Span, Timestamp};

use super::Partition;
use super::raise::Case;

/// What a waiting payment's timer is set for.
enum Next {
    /// A tier's deadline.
    Tier,
    /// The release time of the hold that stops the clock.
    HoldOverdue,
    /// The end of patience.
    GiveUp,
}

impl Partition {
    fn rule(&self, slot: Slot) -> &Rule {
        &self.settings.rules[usize::from(self.table.get(slot).rule)]
    }

    /// Whether the lag of this payment counts: it is due at once.
    pub(super) fn is_timed(&self, slot: Slot) -> bool {
        self.rule(slot).due.is_none()
    }

    /// Deadline of the tier that the payment passes next, or passed last when none is left.
    pub(super) fn tier_deadline(&self, slot: Slot, tier: usize) -> Timestamp {
        let tiers = &self.rule(slot).tiers;
        let after = tiers
            .get(tier)
            .or(tiers.last())
            .map_or(Span::ZERO, |tier| tier.after);
        self.table.get(slot).clock + after
    }

    fn next_step(&self, slot: Slot) -> (Next, Timestamp) {
        let rule = self.rule(slot);
        if let Some(hold) = self.extras(slot).and_then(|extras| extras.stopping_hold()) {
            return if hold.raised {
                (Next::GiveUp, hold.until + rule.give_up)
            } else {
                (Next::HoldOverdue, hold.until)
            };
        }
        let passed = usize::from(self.table.get(slot).tier);
        if passed < rule.tiers.len() {
            (Next::Tier, self.tier_deadline(slot, passed))
        } else {
            (
                Next::GiveUp,
                self.tier_deadline(slot, rule.tiers.len() - 1) + rule.give_up,
            )
        }
    }

    /// When the next step of a waiting payment is due.
    pub(crate) fn next_due(&self, slot: Slot) -> Timestamp {
        self.next_step(slot).1
    }

    /// Sets the timer to what is next. What is due by now happens when the millisecond ends.
    pub(super) fn reschedule(&mut self, slot: Slot, now: Timestamp) {
        let when = match self.table.get(slot).phase {
            Phase::Unknown => self.next_early(slot),
            Phase::Waiting => self.next_step(slot).1,
            _ => now + self.kept_closed(slot),
        };
        self.table.set_timer(slot, when.max(now));
    }

    /// How long a closed payment stays at hand.
    fn kept_closed(&self, slot: Slot) -> Span {
        let entry = self.table.get(slot);
        let extras = entry.extras.as_ref();
        if entry.phase != Phase::Credited
            || extras.is_some_and(|extras| extras.must_be_remembered())
        {
            super::REMEMBERED
        } else {
            self.settings.closed_keep
        }
    }

    /// The timer of an entry fired.
    pub(super) fn fire(&mut self, slot: Slot, at: Timestamp, effects: &mut Effects) {
        match self.table.get(slot).phase {
            Phase::Unknown => self.fire_unknown(slot, at, effects),
            Phase::Waiting => {
                let (next, due) = self.next_step(slot);
                match next {
                    Next::Tier => self.pass_tier(slot, due, at, effects),
                    Next::HoldOverdue => self.pass_hold(slot, due, at, effects),
                    Next::GiveUp => self.close(slot, Phase::WrittenOff, None, at, effects),
                }
            }
            _ => self.drop_entry(slot),
        }
    }

    fn pass_tier(&mut self, slot: Slot, deadline: Timestamp, at: Timestamp, effects: &mut Effects) {
        let entry = self.table.get_mut(slot);
        let tier = usize::from(entry.tier);
        entry.tier += 1;
        if tier == 0 {
            self.overdue(slot, at, effects);
        }
        let case = Case {
            tier: Some(self.rule(slot).tiers[tier].name.clone()),
            deadline: Some(deadline),
            verdict: self.extras(slot).and_then(|extras| extras.verdict()),
            related: self.shown_near(slot),
            ..Case::default()
        };
        self.open(slot, AlertKind::CreditMissing, case, at, effects);
        self.reschedule(slot, at);
        if tier == 0 {
            self.seek_orphan(slot, at, effects);
        }
    }

    fn overdue(&mut self, slot: Slot, at: Timestamp, effects: &mut Effects) {
        let entry = self.table.get(slot);
        let amount_minor = entry.amount_minor;
        if let Some((channel, currency)) = self.attributes.channel_and_currency(entry.attributes())
        {
            self.ledger.overdue(currency, amount_minor);
            effects.push(Effect::Flow(Flow::Overdue {
                payment: self.fingerprint(slot),
                channel,
                at,
                amount_minor,
                currency,
            }));
        }
    }

    fn pass_hold(&mut self, slot: Slot, due: Timestamp, at: Timestamp, effects: &mut Effects) {
        if let Some(hold) = &mut self.extras_mut(slot).hold {
            hold.raised = true;
        }
        let case = Case {
            deadline: Some(due),
            ..Case::with_verdict(crate::alert::Verdict::RiskHoldOverdue)
        };
        self.open(slot, AlertKind::HoldOverdue, case, at, effects);
        self.reschedule(slot, at);
    }

    /// Takes an entry out of the table; what it says is known by its fingerprints from now on.
    pub(super) fn drop_entry(&mut self, slot: Slot) {
        let fingerprint = self.fingerprint(slot);
        let entry = self.table.remove(fingerprint, slot);
        // The slot may be used for another payment.
        self.at_hand = None;
        self.attributes.release(entry.attributes());
    }
}

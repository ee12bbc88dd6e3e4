//! New rules: what waits is dated anew.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::alert::AlertState;
use crate::extras::Extras;
use crate::settings::{Rule, Settings};
use crate::table::{Phase, Slot};
use crate::time::Timestamp;

use super::Partition;
use super::accept::clock;

/// How many tiers of a rule the payment has passed that has this alert: at least one. Depends on nothing but
/// these, so that dating back restores what was.
fn passed(rule: &Rule, clock: Timestamp, alert: &AlertState) -> u8 {
    let named = rule
        .tiers
        .iter()
        .position(|tier| Some(&tier.name) == alert.tier.as_ref());
    let by_deadline = || {
        let tiers = rule.tiers.iter();
        let not_later = tiers.filter(|tier| Some(clock + tier.after) <= alert.deadline);
        not_later.count().max(1)
    };
    let passed = named.map_or_else(by_deadline, |last| last + 1);
    u8::try_from(passed).unwrap_or(u8::MAX)
}

/// What a reload does to the payments that wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reload {
    /// Payments whose rule or deadline changes.
    pub redated: u64,
    /// Of them: payments whose next deadline then lies in the past, so that they alert or are written off
    /// at once.
    pub at_once: u64,
}

/// The reload would alert too many payments at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReloadRefused {
    /// How many it would alert.
    pub at_once: u64,
    /// How many are allowed without force.
    pub limit: u64,
}

impl Reload {
    /// Adds what another partition says.
    pub fn merge(&mut self, other: Self) {
        self.redated += other.redated;
        self.at_once += other.at_once;
    }

    /// Whether the reload may happen.
    ///
    /// # Errors
    /// [`ReloadRefused`] when more than `limit` payments would alert at once.
    pub fn check(&self, limit: u64) -> Result<(), ReloadRefused> {
        if self.at_once > limit {
            Err(ReloadRefused {
                at_once: self.at_once,
                limit,
            })
        } else {
            Ok(())
        }
    }
}

impl Partition {
    /// What [`reload`](Self::reload) would do, without doing it. Sum it over all partitions and
    /// [`check`](Reload::check) it first.
    pub fn plan_reload(&mut self, settings: &Arc<Settings>) -> Reload {
        let current = Arc::clone(&self.settings);
        let before = self.redate(settings, true);
        // Dating is a function of settings and entries: dating back restores every entry.
        self.redate(&current, true);
        before
    }

    /// Puts the new settings in force. A payment keeps the tiers it has passed, by their names; a deadline of
    /// those that follow passes now where it lies in the past. Where the new rule does not know the name of
    /// the tier passed last, those count as passed whose deadlines are not later than that tier's was.
    pub fn reload(&mut self, settings: &Arc<Settings>) -> Reload {
        self.redate(settings, false)
    }

    fn redate(&mut self, settings: &Arc<Settings>, dry: bool) -> Reload {
        let waiting: Vec<Slot> = self
            .table
            .iter()
            .filter(|(_, entry)| entry.phase == Phase::Waiting)
            .map(|(slot, _)| slot)
            .collect();
        // An entry names its rule by index: it means what it did only under the settings it was made with.
        let before: Vec<Timestamp> = waiting.iter().map(|&slot| self.next_due(slot)).collect();
        self.settings = Arc::clone(settings);
        let mut reload = Reload::default();
        for (&slot, before) in waiting.iter().zip(before) {
            self.redate_one(slot);
            let after = self.next_due(slot);
            reload.redated += u64::from(before != after);
            reload.at_once += u64::from(after < self.known);
            if !dry {
                let known = self.known;
                self.reschedule(slot, known);
            }
        }
        reload
    }

    /// Dates one waiting payment by the rules in force.
    pub(crate) fn redate_one(&mut self, slot: Slot) {
        let entry = self.table.get(slot);
        let view = self.attributes.view(entry.attributes());
        let Some(facts) = view.facts(entry.amount_minor) else {
            return;
        };
        let rules = &self.settings.rules;
        let matching = rules
            .iter()
            .position(|rule| facts.match_all(&rule.matcher, None));
        let rule = matching.unwrap_or(rules.len() - 1);
        let extras = entry.extras.as_deref();
        let expected = extras.and_then(|extras| extras.expected_credit_by);
        let start = extras
            .and_then(|extras| extras.released_at)
            .unwrap_or(entry.appended_at);
        let clock = clock(&rules[rule], expected, start);
        let missing = extras.and_then(Extras::missing);
        let tier = missing.map_or(entry.tier, |alert| passed(&rules[rule], clock, alert));
        let entry = self.table.get_mut(slot);
        entry.tier = tier;
        entry.rule = rule as u16;
        entry.clock = clock;
    }
}

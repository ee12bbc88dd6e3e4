//! Looking at a payment without changing it, and the sums that need a look at all of them.

use alloc::string::String;
use alloc::vec::Vec;

use crate::alert::{AlertKind, Resolution, Verdict};
use crate::effect::Waiting;
use crate::event::Body;
use crate::identity::Fingerprint;
use crate::ledger::Wait;
use crate::packed::PackedId;
use crate::table::{FORGOTTEN, Phase, Slot};
use crate::time::Timestamp;

use super::Partition;

/// How a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentState {
    /// Records speak of it, but no payment came.
    Unknown,
    /// A credit is due.
    Waiting,
    /// A hold stops its clock.
    Held,
    /// Credited.
    Credited,
    /// Refunded in full.
    Refunded,
    /// Reversed.
    Reversed,
    /// Declined.
    Declined,
    /// Given up.
    WrittenOff,
}

/// What a partition knows of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// How it stands.
    pub state: PaymentState,
    /// Append time of the payment.
    pub appended_at: Timestamp,
    /// The rule that dates it, where a payment came.
    pub rule: Option<String>,
    /// Version of the rules.
    pub version: u64,
    /// Name and deadline of every tier.
    pub deadlines: Vec<(String, Timestamp)>,
    /// How many of them have passed.
    pub passed: usize,
    /// When a hold should be released.
    pub held_until: Option<Timestamp>,
    /// Kind, last revision, resolution and verdict of its alerts.
    pub alerts: Vec<(AlertKind, u32, Option<Resolution>, Option<Verdict>)>,
}

impl Partition {
    /// What is known of a payment; `None` when it is not at hand.
    pub fn inspect(&self, tenant: Option<&str>, payment_id: &str) -> Option<Inspection> {
        let index = match tenant {
            Some(tenant) => self.tenants.iter().position(|name| **name == *tenant)? as u16 + 1,
            None => 0,
        };
        let fingerprint = Fingerprint::of_payment(tenant, payment_id);
        let slot = self
            .table
            .find(fingerprint, index, &PackedId::pack(payment_id))?;
        Some(self.inspection(slot))
    }

    fn inspection(&self, slot: Slot) -> Inspection {
        let entry = self.table.get(slot);
        let extras = entry.extras.as_deref();
        let held = extras.and_then(|extras| extras.stopping_hold());
        let known = entry.is_accepted() && !entry.has(FORGOTTEN);
        let rule = known
            .then(|| self.settings.rules.get(usize::from(entry.rule)))
            .flatten();
        let tiers = rule.map_or(&[][..], |rule| &rule.tiers);
        Inspection {
            state: match entry.phase {
                Phase::Unknown => PaymentState::Unknown,
                Phase::Waiting if held.is_some() => PaymentState::Held,
                Phase::Waiting => PaymentState::Waiting,
                Phase::Credited => PaymentState::Credited,
                Phase::Refunded => PaymentState::Refunded,
                Phase::Reversed => PaymentState::Reversed,
                Phase::Declined => PaymentState::Declined,
                Phase::WrittenOff => PaymentState::WrittenOff,
            },
            appended_at: entry.appended_at,
            rule: rule.map(|rule| rule.name.clone()),
            version: self.settings.version,
            deadlines: tiers
                .iter()
                .map(|tier| (tier.name.as_ref().into(), entry.clock + tier.after))
                .collect(),
            passed: usize::from(entry.tier),
            held_until: extras.and_then(|extras| extras.hold).map(|hold| hold.until),
            alerts: extras
                .into_iter()
                .flat_map(|extras| &extras.alerts)
                .map(|alert| (alert.kind, alert.revision, alert.resolution, alert.verdict))
                .collect(),
        }
    }

    /// Explained waits at the moment `at`, by [`Wait`]. Looks at every entry.
    pub fn waits(&self, at: Timestamp) -> Vec<(Wait, u64)> {
        let mut counts: Vec<(Wait, u64)> = Wait::ALL
            .iter()
            .map(|&wait| (wait, self.ledger.waits(wait)))
            .collect();
        for (slot, _) in self.table.iter() {
            if let Some(wait) = self.wait_of(slot, at) {
                counts[wait as usize].1 += 1;
            }
        }
        counts
    }

    fn wait_of(&self, slot: Slot, at: Timestamp) -> Option<Wait> {
        let entry = self.table.get(slot);
        if entry.phase == Phase::Unknown {
            return self.incomplete(slot);
        }
        if entry.phase != Phase::Waiting {
            return None;
        }
        let hold = entry
            .extras
            .as_deref()
            .and_then(|extras| extras.stopping_hold());
        if let Some(hold) = hold {
            return (at <= hold.until && !hold.raised).then_some(Wait::RiskHold);
        }
        (!self.is_timed(slot) && at <= entry.clock && entry.tier == 0)
            .then_some(Wait::BankBatchWait)
    }

    /// Shows every payment that waits: as many as were accepted and are not closed. Looks at every entry.
    pub fn each_waiting(&self, visit: &mut dyn FnMut(Waiting)) {
        for (slot, entry) in self.table.iter() {
            let known = self.attributes.channel_and_currency(entry.attributes());
            let (Phase::Waiting, Some((channel, currency))) = (entry.phase, known) else {
                continue;
            };
            visit(Waiting {
                channel,
                accepted_at: entry.appended_at,
                timed: self.is_timed(slot),
                overdue: entry.tier > 0,
                amount_minor: entry.amount_minor,
                currency,
            });
        }
    }

    /// Whether an unmatched credit still has its grace. Looks at every entry.
    pub fn has_undecided_credits(&self) -> bool {
        self.table.iter().any(|(_, entry)| {
            entry.phase == Phase::Unknown
                && entry
                    .extras
                    .iter()
                    .flat_map(|extras| &extras.early)
                    .any(|early| {
                        !early.decided
                            && !early.passed
                            && matches!(early.event.body, Body::Credited(_))
                    })
        })
    }

    /// Bytes of memory of the table, of the attribute dictionary and of the finished ids, about.
    pub fn bytes(&self) -> [usize; 3] {
        [
            self.table.bytes(),
            self.attributes.bytes(),
            self.finished.bytes(),
        ]
    }

    /// Distinct attribute tuples, and finished ids, held.
    pub fn sizes(&self) -> [usize; 2] {
        [self.attributes.tuples(), self.finished.len()]
    }
}

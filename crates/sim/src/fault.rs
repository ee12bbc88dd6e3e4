//! What goes wrong, where and when.

use crate::scenario::Scenario;
use crate::scope::{Field, Scope};

/// One fault of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub scenario: Scenario,
    /// The only place that it touches; without any, the scenario's own.
    pub scope: Vec<(Field, String)>,
    /// When it begins, milliseconds after the start of the plan; by default after a quarter of the time.
    pub from_ms: Option<i64>,
    /// When it ends, milliseconds after the start of the plan; by default after three fifths of the time.
    pub until_ms: Option<i64>,
    /// How many payments of its time and place it touches, in thousandths.
    pub share_permille: u32,
    /// How many payments it touches at most.
    pub limit: Option<u32>,
    /// How many times as long or as many, in thousandths, where that is what it does.
    pub times_permille: Option<u32>,
    /// How long it delays, or by how much a clock is wrong, milliseconds, where that is what it does.
    pub delay_ms: Option<i64>,
    /// Which way of the scenario.
    pub variant: u32,
    /// Whether it grows over its first half, instead of being there at once.
    pub ramp: bool,
}

impl Fault {
    /// The fault `scenario` with everything else by default.
    pub const fn new(scenario: Scenario) -> Self {
        Self {
            scenario,
            scope: Vec::new(),
            from_ms: None,
            until_ms: None,
            share_permille: scenario.default_share_permille(),
            limit: None,
            times_permille: None,
            delay_ms: None,
            variant: 0,
            ramp: false,
        }
    }

    /// Only on the channel `name`.
    #[must_use]
    pub fn channel(self, name: &str) -> Self {
        self.within(Field::Channel, name)
    }

    /// Only where `field` is `value`; all such conditions must hold.
    #[must_use]
    pub fn within(mut self, field: Field, value: &str) -> Self {
        self.scope.retain(|(own, _)| *own != field);
        self.scope.push((field, value.to_owned()));
        self
    }

    /// Only from `from_ms` until `until_ms` after the start of the plan.
    #[must_use]
    pub const fn during(mut self, from_ms: i64, until_ms: i64) -> Self {
        self.from_ms = Some(from_ms);
        self.until_ms = Some(until_ms);
        self
    }

    /// `permille` payments in a thousand.
    #[must_use]
    pub const fn share_permille(mut self, permille: u32) -> Self {
        self.share_permille = permille;
        self
    }

    /// So many times as long or as many, in thousandths.
    #[must_use]
    pub const fn times_permille(mut self, permille: u32) -> Self {
        self.times_permille = Some(permille);
        self
    }

    /// Delayed, or wrong, by so many milliseconds.
    #[must_use]
    pub const fn delay_ms(mut self, ms: i64) -> Self {
        self.delay_ms = Some(ms);
        self
    }

    /// This way of the scenario.
    #[must_use]
    pub const fn variant(mut self, variant: u32) -> Self {
        self.variant = variant;
        self
    }

    /// Growing over its first half.
    #[must_use]
    pub const fn ramp(mut self) -> Self {
        self.ramp = true;
        self
    }

    /// The first payment of its time, and no other.
    #[must_use]
    pub const fn once(mut self) -> Self {
        self.limit = Some(1);
        self.share_permille = 1000;
        self
    }
}

/// A fault whose place and time are settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SettledFault {
    pub(crate) scenario: Scenario,
    pub(crate) scope: Scope,
    /// Instants: the first millisecond of the fault and the first after it.
    pub(crate) from: i64,
    pub(crate) until: i64,
    pub(crate) share_permille: u32,
    pub(crate) limit: u32,
    pub(crate) times_permille: u32,
    pub(crate) delay_ms: i64,
    pub(crate) variant: u32,
    pub(crate) ramp: bool,
}

impl SettledFault {
    /// Whether it is on at `at`.
    pub(crate) const fn covers(&self, at: i64) -> bool {
        self.from <= at && at < self.until
    }

    /// Until when maintenance that covers its first part was announced, where it outlives that.
    pub(crate) fn maintained_until(&self) -> Option<i64> {
        let outlives = self.scenario == Scenario::ChannelStopped && self.variant == 1;
        outlives.then(|| self.from + (self.until - self.from) / 3)
    }

    /// How much of it is there at `at`, in thousandths.
    pub(crate) fn strength_permille(&self, at: i64) -> i64 {
        let half = ((self.until - self.from) / 2).max(1);
        if !self.covers(at) {
            0
        } else if self.ramp {
            ((at - self.from) * 1000 / half).min(1000)
        } else {
            1000
        }
    }

    /// The share of payments that it touches at `at`, in thousandths.
    pub(crate) fn share_at(&self, at: i64) -> u32 {
        let share = i64::from(self.share_permille) * self.strength_permille(at) / 1000;
        u32::try_from(share).unwrap_or(0)
    }

    /// From which amount on credits do not come, where that is what it does.
    pub(crate) fn limit_minor(&self) -> u64 {
        u64::from(self.times_permille) * 10
    }
}

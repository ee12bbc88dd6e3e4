//! What goes wrong, where and when.

use crate::scenario::Scenario;

/// One fault of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub scenario: Scenario,
    /// The only channel that it touches, or any.
    pub channel: Option<String>,
    /// When it begins, milliseconds after the start of the plan; by default after a quarter of the time.
    pub from_ms: Option<i64>,
    /// When it ends, milliseconds after the start of the plan; by default after three fifths of the time.
    pub until_ms: Option<i64>,
    /// How many payments of its time and channel it touches, in thousandths.
    pub share_permille: u32,
    /// How many payments it touches at most.
    pub limit: Option<u32>,
}

impl Fault {
    /// The fault `scenario` with everything else by default.
    pub const fn new(scenario: Scenario) -> Self {
        Self {
            scenario,
            channel: None,
            from_ms: None,
            until_ms: None,
            share_permille: scenario.default_share_permille(),
            limit: None,
        }
    }

    /// Only on the channel `name`.
    #[must_use]
    pub fn channel(mut self, name: &str) -> Self {
        self.channel = Some(name.to_owned());
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
    pub(crate) channel: Option<&'static str>,
    /// Instants: the first millisecond of the fault and the first after it.
    pub(crate) from: i64,
    pub(crate) until: i64,
    pub(crate) share_permille: u32,
    pub(crate) limit: u32,
}

impl SettledFault {
    /// Whether it is on at `at`.
    pub(crate) const fn covers(&self, at: i64) -> bool {
        self.from <= at && at < self.until
    }

    /// Whether it touches `channel`.
    pub(crate) fn touches(&self, channel: &str) -> bool {
        self.channel.is_none_or(|own| own == channel)
    }
}

//! What must be reached.

use settlewatch_sim::{Scenario, Told};

/// Injected incidents that are found.
pub const RECALL: f64 = 0.98;
/// Of those, with the right verdict.
pub const VERDICT: f64 = 0.95;
/// Of those, with the exact scope.
pub const SCOPE: f64 = 0.90;
/// Incidents a fault, at most.
pub const INCIDENTS_A_FAULT: f64 = 1.2;
/// False incidents in fifty clean hours, at most.
pub const FALSE_IN_FIFTY_HOURS: f64 = 1.0;

/// Expected and missed shares of payments may differ so much, in points of a hundred.
pub const POINTS: f64 = 10.0;
/// An interval of 95 % holds what came so often at least.
pub const COVERAGE: f64 = 0.90;
/// Moments with which that says something.
pub const LEAST_MOMENTS: u64 = 100;

/// A kind of fault that must be found within a time, in the median.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Haste {
    /// A channel stops, or loses three credits in ten or more.
    Stop,
    /// A channel's lag is three times as long.
    Slow,
    /// A channel loses one credit in twenty.
    Loss,
}

impl Haste {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Stop, Self::Slow, Self::Loss];

    /// What it is, and the seconds within which half of them must be found.
    pub const fn bar(self) -> (&'static str, i64) {
        match self {
            Self::Stop => ("a stop or 30 % loss on a channel", 15),
            Self::Slow => ("lag x3 on a channel", 30),
            Self::Loss => ("5 % loss on a channel", 120),
        }
    }

    /// The kind of `told`, where it is one.
    pub fn of(told: &Told) -> Option<Self> {
        let is_a_channel = told.scope.len() == 1 && told.scope[0].0 == "channel";
        if told.ramp || !is_a_channel {
            return None;
        }
        match told.scenario {
            Scenario::ChannelStopped => Some(Self::Stop),
            Scenario::ChannelLoss if told.share_permille >= 300 => Some(Self::Stop),
            Scenario::ChannelLoss if told.share_permille == 50 => Some(Self::Loss),
            Scenario::ChannelSlowed if told.variant == 0 && told.times_permille == 3000 => {
                Some(Self::Slow)
            }
            _ => None,
        }
    }
}

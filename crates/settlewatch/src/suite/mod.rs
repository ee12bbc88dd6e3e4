//! Unit tests of a configuration: events at virtual times, and the alerts they must raise.
//!
//! `read` makes cases of a file and reports what is wrong with it; `judge` runs the engine of `replay` over a case and
//! sets what came against what was expected; `report` shows the difference.

mod clock;
mod event;
mod expect;
mod fields;
mod judge;
mod matching;
mod read;
mod report;

use settlewatch_config::Config;
use settlewatch_join::{Place, Timestamp};
use settlewatch_replay::Until;

use clock::Clock;

pub(crate) use judge::judge;
pub(crate) use read::read;
pub(crate) use report::{failure, heading};

/// The cases of a file, and the configuration they test.
pub(crate) struct Suite {
    /// The file as it was named.
    pub(crate) name: String,
    /// What is tested.
    pub(crate) config: Config,
    /// At least the cases that were written, in their order.
    pub(crate) cases: Vec<Case>,
}

/// One case.
pub(crate) struct Case {
    /// What it shows.
    pub(crate) name: String,
    /// Where it begins in its file.
    pub(crate) line: u32,
    clock: Clock,
    records: Vec<(Place, Vec<u8>)>,
    until: Until,
    expected: Vec<Expected>,
    /// Alerts that no expectation names are no failure.
    others_ignored: bool,
}

/// One alert revision that must come.
pub(crate) struct Expected {
    /// When it is decided, where that is said.
    at: Option<Timestamp>,
    /// Fields of the alert's line that must have these values.
    fields: Vec<(&'static str, serde_json::Value)>,
}

//! What the watch depends on besides what it hears.

use settlewatch_join::Span;
use settlewatch_join::event::Currency;

use crate::cases::CaseSettings;
use crate::pulse::Dims;
use crate::terminals::Heartbeat;

/// What the watch depends on.
#[derive(Clone, Debug)]
pub struct WatchSettings {
    /// The dimensions of every tuple.
    pub dims: Dims,
    /// Names of the streams: payments, credits, lifecycle, then the others.
    pub streams: Vec<String>,
    /// What terminals report; `None` where no heartbeats are expected.
    pub heartbeat: Option<Heartbeat>,
    /// Whether the status of accounts is to be reported; so is what is reported without that.
    pub account_feed: bool,
    /// The same of batches.
    pub batch_feed: bool,
    /// The same of markers.
    pub marker_feed: bool,
    /// Seconds from the first deadline of a payment that is due by a batch to that batch's date, as if that were of UTC:
    /// banks' clocks are ahead, and the deadline is a tier after the due time.
    pub to_batch_date_s: i64,
    /// From so many minor units at risk on, an incident is critical.
    pub critical_minor: Vec<(Currency, u64)>,
    /// Of a million payments so many are to be credited by their first deadline.
    pub objective_ppm: u32,
    /// The same cause within this time opens the same incident again.
    pub reopen_within: Span,
    /// Cases that make a pattern.
    pub pattern_cases: usize,
    /// The time within which they must lie.
    pub pattern_within: Span,
    /// Fee rates that contracts name, in millionths.
    pub contract_ppm: Vec<u64>,
    /// From so many names on, those that nothing refers to any more are let go: attribute tuples and their values.
    pub names: usize,
}

impl WatchSettings {
    /// Names that cost no memory worth a thought: some ten megabytes.
    pub const NAMES: usize = 100_000;
}

/// What patterns of cases depend on.
pub(super) fn case_settings(settings: &WatchSettings) -> CaseSettings {
    CaseSettings {
        cases: settings.pattern_cases,
        within: settings.pattern_within,
        contract_ppm: settings.contract_ppm.clone(),
    }
}

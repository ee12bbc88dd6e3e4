//! What the reference answers.

use std::collections::BTreeMap;

use super::ledger::Revision;

/// The names of the streams, by rank.
pub const STREAMS: [&str; 4] = ["payments", "credits", "lifecycle", "terminals"];

/// The six sums: of payments or of minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Accepted.
    pub payments: i128,
    /// Closed by a credit.
    pub credited: i128,
    /// Closed by a refund, reversal or decline.
    pub explained: i128,
    /// Given up.
    pub written_off: i128,
    /// Not closed.
    pub pending: i128,
    /// Not closed and past the first tier.
    pub overdue: i128,
}

/// What became of a stream's records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// They said something.
    pub used: u64,
    /// They said it again.
    pub duplicate: u64,
    /// They found their payment closed.
    pub late: u64,
    /// They spoke of what came before the recording.
    pub before_horizon: u64,
}

/// The whole answer.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Every revision, in the order of decision.
    pub revisions: Vec<Revision>,
    /// Payments.
    pub counts: Sums,
    /// Minor units by currency.
    pub amounts: BTreeMap<String, Sums>,
    /// Records by stream.
    pub records: [Counts; 4],
    /// Explained waits and explanations at the end.
    pub waits: BTreeMap<&'static str, u64>,
    /// The first append time; the end where there is no record.
    pub from_ms: i64,
    /// The end of the clock.
    pub to_ms: i64,
}

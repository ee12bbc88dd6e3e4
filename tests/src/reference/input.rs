//! What the reference is given: records and rules as plain data.

use serde_json::Value;

/// One accepted record and the place it was read from.
#[derive(Clone, Debug, PartialEq)]
pub struct Rec {
    /// Append time, in milliseconds since the epoch.
    pub at_ms: i64,
    /// 0 payments, 1 credits, 2 lifecycle, 3 terminals.
    pub stream: usize,
    /// Partition number.
    pub partition: i32,
    /// Offset in the partition.
    pub offset: i64,
    /// A valid canonical event.
    pub value: Value,
}

impl Rec {
    /// The canonical order of judgement.
    pub fn place(&self) -> (i64, usize, i32, i64) {
        (self.at_ms, self.stream, self.partition, self.offset)
    }
}

/// What the decision depends on besides the records.
#[derive(Clone, Debug)]
pub struct Config {
    /// The first that matches a payment applies; the last matches everything.
    pub rules: Vec<Rule>,
    /// From the last tier to the write-off, where the rule names no other.
    pub give_up_ms: i64,
    /// How long a credit may wait for its payment.
    pub orphan_after_ms: i64,
    /// How far apart two payments count as duplicates.
    pub duplicate_window_ms: i64,
    /// Only for the configuration text: the reference recognises redelivery for ever.
    pub redelivery_horizon_ms: i64,
    /// How long a hold lasts that names no release time.
    pub hold_limit_ms: i64,
}

/// One service level.
#[derive(Clone, Debug, Default)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// Field names and any of their values; all must hold.
    pub fields: Vec<(String, Vec<String>)>,
    /// At least this many minor units.
    pub amount_min: Option<i64>,
    /// At most this many minor units.
    pub amount_max: Option<i64>,
    /// Batch settlement.
    pub due: Option<Due>,
    /// Steps, increasing.
    pub tiers: Vec<Tier>,
    /// From the last tier to the write-off.
    pub give_up_ms: Option<i64>,
}

/// A step of escalation.
#[derive(Clone, Debug)]
pub struct Tier {
    /// Its name.
    pub name: String,
    /// Time after the start of the clock or after the due time.
    pub after_ms: i64,
}

/// When a batch is due.
#[derive(Clone, Debug)]
pub struct Due {
    /// The days it counts.
    pub calendar: Calendar,
    /// Business days after the first one on or after the date of the payment.
    pub business_days: usize,
}

/// Consecutive days, and the text that configures them.
#[derive(Clone, Debug)]
pub struct Calendar {
    /// Its name.
    pub name: String,
    /// Its fields, as YAML in braces.
    pub yaml: String,
    /// Every day that matters, in order.
    pub days: Vec<Day>,
}

/// One day of a calendar.
#[derive(Clone, Copy, Debug)]
pub struct Day {
    /// What is appended later belongs to the next day.
    pub cut_off_ms: i64,
    /// When its batch is due.
    pub credit_by_ms: i64,
    /// Whether it is a business day.
    pub business: bool,
}

//! Business days as data: the core knows neither time zones nor holidays, only the instants they make.

use alloc::vec::Vec;

use crate::time::Timestamp;

/// One calendar day, as instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// What is appended later belongs to the next day (UTC instant of the local cut-off).
    pub cut_off: Timestamp,
    /// When a batch due on this day must have been credited (UTC instant of the local time).
    pub credit_by: Timestamp,
    /// Whether it is a business day.
    pub business: bool,
}

/// A run of consecutive days, compiled from a time zone, a weekend, holidays and make-up working days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    days: Vec<Day>,
}

impl Calendar {
    /// A calendar of consecutive `days`; `None` when their cut-offs do not increase or no day is a
    /// business day.
    pub fn new(days: Vec<Day>) -> Option<Self> {
        let increasing = days
            .windows(2)
            .all(|pair| pair[0].cut_off < pair[1].cut_off);
        (increasing && days.iter().any(|day| day.business)).then_some(Self { days })
    }

    /// When a batch payment appended at `at` is due: `credit_by` of the `business_days`-th business day
    /// after the first business day on or after its date. Past the last day of the calendar the due time
    /// is never.
    pub fn due(&self, at: Timestamp, business_days: u32) -> Timestamp {
        let date = self.days.partition_point(|day| day.cut_off < at);
        self.days[date..]
            .iter()
            .filter(|day| day.business)
            .nth(business_days as usize)
            .map_or(Timestamp::MAX, |day| day.credit_by)
    }
}

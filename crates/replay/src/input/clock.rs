//! The append clock of a partition: which timestamps are believed, and where the clock stands after each.
//!
//! 1. A timestamp is implausible before the year 2000, or more than 24 h after the smallest of the
//!    partition's next 16 (of those, the ones before the year 2000 count for nothing).
//! 2. A plausible timestamp moves the clock forward, never back.
//! 3. A record's append time is where the clock stands after it. An implausible record moves no clock; before
//!    the first plausible one, that one's time stands in.

use std::collections::VecDeque;

/// How many following records testify for or against a timestamp.
pub(crate) const WITNESSES: usize = 16;

/// 2000-01-01T00:00:00Z in milliseconds since 1970.
const YEAR_2000_MS: i64 = 946_684_800_000;

/// How far ahead of the records that follow a timestamp may be, in milliseconds.
const AHEAD_MS: i64 = 24 * 60 * 60 * 1000;

/// Whether a record with the timestamp `ts_ms` is believed, given the timestamps that follow it.
pub(crate) fn plausible(ts_ms: i64, following_ms: impl Iterator<Item = i64>) -> bool {
    if ts_ms < YEAR_2000_MS {
        return false;
    }
    following_ms
        .take(WITNESSES)
        .filter(|&ts| ts >= YEAR_2000_MS)
        .min()
        .is_none_or(|smallest| ts_ms.saturating_sub(smallest) <= AHEAD_MS)
}

/// What the clock says of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Judged<T> {
    /// The record.
    pub(crate) record: T,
    /// Its append time, in milliseconds since 1970.
    pub(crate) at_ms: i64,
    /// Whether its own timestamp was believed.
    pub(crate) plausible: bool,
}

/// A record that carries a timestamp.
pub(crate) trait Stamped {
    /// The timestamp as recorded, in milliseconds since 1970.
    fn ts_ms(&self) -> i64;
}

/// The records of one partition on their way through its clock: the next to be judged and its witnesses.
pub(crate) struct Window<T> {
    records: VecDeque<T>,
    clock_ms: Option<i64>,
    /// Append time before the first plausible record.
    before_ms: i64,
}

impl<T: Stamped> Window<T> {
    pub(crate) fn new(before_ms: i64) -> Self {
        Self {
            records: VecDeque::new(),
            clock_ms: None,
            before_ms,
        }
    }

    /// Whether the next record has all the witnesses it may have.
    pub(crate) fn is_full(&self) -> bool {
        self.records.len() > WITNESSES
    }

    pub(crate) fn push(&mut self, record: T) {
        self.records.push_back(record);
    }

    /// Judges the next record by those behind it; `None` when there is none.
    pub(crate) fn pop(&mut self) -> Option<Judged<T>> {
        let record = self.records.pop_front()?;
        let plausible = plausible(record.ts_ms(), self.records.iter().map(T::ts_ms));
        if plausible {
            let clock_ms = self.clock_ms.unwrap_or(i64::MIN);
            self.clock_ms = Some(clock_ms.max(record.ts_ms()));
        }
        Some(Judged {
            record,
            at_ms: self.clock_ms.unwrap_or(self.before_ms),
            plausible,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = AHEAD_MS;
    const NOW: i64 = 1_775_700_000_000;
    const IN_2099: i64 = 4_070_908_800_000;

    impl Stamped for i64 {
        fn ts_ms(&self) -> i64 {
            *self
        }
    }

    /// Append times and beliefs of a partition with these timestamps.
    fn judge(ts_ms: &[i64], before_ms: i64) -> Vec<(i64, bool)> {
        let mut window = Window::new(before_ms);
        let mut judged = Vec::new();
        let mut next = ts_ms.iter();
        loop {
            while !window.is_full() {
                let Some(&ts) = next.next() else { break };
                window.push(ts);
            }
            match window.pop() {
                Some(one) => judged.push((one.at_ms, one.plausible)),
                None => return judged,
            }
        }
    }

    #[test]
    fn the_clock_is_the_largest_timestamp_so_far() {
        let judged = judge(&[NOW, NOW + 5, NOW + 2, NOW + 7], 0);
        let expected = [
            (NOW, true),
            (NOW + 5, true),
            (NOW + 5, true),
            (NOW + 7, true),
        ];
        assert_eq!(judged, expected);
    }

    #[test]
    fn timestamps_of_1970_and_2099_take_the_time_of_the_record_before() {
        let judged = judge(&[NOW, 0, -1, IN_2099, NOW + 1], 0);
        let expected = [
            (NOW, true),
            (NOW, false),
            (NOW, false),
            (NOW, false),
            (NOW + 1, true),
        ];
        assert_eq!(judged, expected);
    }

    #[test]
    fn implausible_records_at_the_beginning_take_the_time_given_for_it() {
        let judged = judge(&[0, IN_2099, NOW], NOW);
        assert_eq!(judged, [(NOW, false), (NOW, false), (NOW, true)]);
    }

    #[test]
    fn a_last_record_has_no_witness_against_it() {
        assert_eq!(judge(&[NOW, IN_2099], 0), [(NOW, true), (IN_2099, true)]);
        assert_eq!(
            judge(&[NOW, IN_2099, 0], 0)[1],
            (IN_2099, true),
            "1970 testifies for nothing"
        );
    }

    #[test]
    fn a_day_ahead_is_believed_and_a_millisecond_more_is_not() {
        assert_eq!(judge(&[NOW + DAY, NOW], 0)[0], (NOW + DAY, true));
        assert_eq!(judge(&[NOW + DAY + 1, NOW], NOW)[0], (NOW, false));
    }

    #[test]
    fn only_the_next_sixteen_testify() {
        let mut far = vec![NOW + 2 * DAY; 17];
        far.push(NOW);
        let judged = judge(&far, 7);
        assert_eq!(
            judged[0],
            (NOW + 2 * DAY, true),
            "the seventeenth does not testify"
        );
        assert_eq!(judged[1], (NOW + 2 * DAY, false), "the sixteenth does");
    }

    #[test]
    fn extreme_timestamps_do_not_overflow() {
        let judged = judge(&[i64::MAX, i64::MIN, i64::MAX, NOW], 3);
        assert_eq!(judged, [(3, false), (3, false), (3, false), (NOW, true)]);
    }
}

//! Times as cases write them: of the case's day, after its start, or in full.

use settlewatch_config::parse_duration;
use settlewatch_join::{Span, Timestamp};
use settlewatch_wire::{format_time, parse_time};

/// The day on which a case plays.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    start: Timestamp,
    /// `2026-03-02`.
    date: String,
    /// `Z` or `+08:00`.
    offset: String,
}

/// What a time must look like.
pub(crate) const TIME_REMEDY: &str = "write a time of the day of `start` such as `12:00:30`, a time after `start` such as `+30s`, or an RFC 3339 time";

impl Clock {
    /// A clock that starts at an RFC 3339 time; its date and offset are those of the case.
    pub(crate) fn starting(text: &str) -> Option<Self> {
        let start = parse_time(text)?;
        let zone = text.rfind(['Z', 'z', '+', '-'])?;
        Some(Self {
            start,
            date: text.get(..10)?.to_owned(),
            offset: text.get(zone..)?.to_owned(),
        })
    }

    /// `12:00`, `12:00:30`, `12:00:30.500`, `+30s`, or an RFC 3339 time.
    pub(crate) fn time(&self, text: &str) -> Option<Timestamp> {
        if let Some(after) = text.strip_prefix('+') {
            return parse_duration(after).map(|after| self.start + after);
        }
        let seconds = if text.len() == 5 { ":00" } else { "" };
        let of_day = format!("{}T{text}{seconds}{}", self.date, self.offset);
        parse_time(&of_day).or_else(|| parse_time(text))
    }

    /// The shortest way to write `at` that a case could use.
    pub(crate) fn show(&self, at: Timestamp) -> String {
        let local = format_time(self.shifted(at)).to_string();
        let (Some(date), Some(time)) = (local.get(..10), local.get(11..23)) else {
            return format_time(at).to_string();
        };
        let time = time.strip_suffix(".000").unwrap_or(time);
        if date == self.date {
            time.to_owned()
        } else {
            format!("{date}T{time}{}", self.offset)
        }
    }

    /// `at` as if its local time were UTC.
    fn shifted(&self, at: Timestamp) -> Timestamp {
        let as_utc = parse_time(&format!("{}T12:00:00Z", self.date));
        let as_local = parse_time(&format!("{}T12:00:00{}", self.date, self.offset));
        let (Some(utc), Some(local)) = (as_utc, as_local) else {
            return at;
        };
        let span = Span::from_millis(utc.since(local).unsigned_abs());
        if utc >= local { at + span } else { at - span }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_time_is_of_the_day_after_the_start_or_in_full() {
        let clock = Clock::starting("2026-03-02T09:30:00+08:00").unwrap();
        let noon = parse_time("2026-03-02T12:00:00+08:00").unwrap();
        for text in ["12:00", "12:00:00", "+2h30m", "2026-03-02T04:00:00Z"] {
            assert_eq!(clock.time(text), Some(noon), "{text}");
        }
        for wrong in ["noon", "+30", "25:00", "12", ""] {
            assert_eq!(clock.time(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_time_is_shown_as_the_case_would_write_it() {
        let clock = Clock::starting("2026-03-02T09:30:00+08:00").unwrap();
        let show = |text| clock.show(clock.time(text).unwrap());
        assert_eq!(show("12:00"), "12:00:00");
        assert_eq!(show("12:00:00.250"), "12:00:00.250");
        assert_eq!(show("+1d"), "2026-03-03T09:30:00+08:00");
    }
}

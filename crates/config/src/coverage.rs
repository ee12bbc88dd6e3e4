//! Which years somebody listed the holidays of.

use std::collections::BTreeSet;

use jiff::civil::{self, Date};
use jiff::tz::TimeZone;
use settlewatch_join::Timestamp;

/// The years in which a calendar has an entry, and its time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    years: BTreeSet<i16>,
    zone: TimeZone,
}

impl Coverage {
    pub(crate) fn new(dates: impl Iterator<Item = Date>, zone: TimeZone) -> Self {
        Self {
            years: dates.map(Date::year).collect(),
            zone,
        }
    }

    /// The last day of the last year with an entry; `None` when nothing is listed at all, as for a
    /// calendar of weekends only.
    pub fn covered_until(&self) -> Option<Date> {
        self.years.last().map(|year| civil::date(*year, 12, 31))
    }

    /// The sentence that warns of years without entries between two instants; `None` when there are none.
    pub(crate) fn warning(&self, name: &str, from: Timestamp, to: Timestamp) -> Option<String> {
        let until = self.covered_until()?;
        let missing: Vec<i16> = (self.year(from)..=self.year(to))
            .filter(|year| !self.years.contains(year))
            .collect();
        let (first, last) = (missing.first()?, missing.last()?);
        let years = if first == last {
            format!("{first}")
        } else {
            format!("{first} to {last}")
        };
        Some(format!(
            "calendar `{name}` lists no holidays or workdays for {years}; its entries end with {until}: due times then \
             follow weekends alone"
        ))
    }

    /// By how many seconds its clocks are ahead of UTC in winter: the date of an hour that is not near midnight.
    pub fn ahead_s(&self) -> i64 {
        let winter = jiff::Timestamp::constant(1_767_225_600, 0);
        self.zone.to_offset(winter).seconds().into()
    }

    /// The local year of an instant, kept within what dates can say.
    fn year(&self, at: Timestamp) -> i16 {
        let at = jiff::Timestamp::from_millisecond(at.millis()).unwrap_or(if at.millis() < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        });
        self.zone.to_datetime(at).year()
    }
}

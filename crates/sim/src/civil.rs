//! Civil time without a library: the two fixed offsets of the recordings, and their business days.

const DAY_MS: i64 = 86_400_000;
/// China has kept UTC+8 without summer time since 1991.
const SHANGHAI_MS: i64 = 8 * 3_600_000;

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zone {
    /// `Z`.
    Utc,
    /// `+08:00`.
    Shanghai,
}

/// Year, month and day of a day number since 1970-01-01, by Howard Hinnant's `civil_from_days`
/// (<https://howardhinnant.github.io/date_algorithms.html>).
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, day)
}

/// RFC 3339 with milliseconds of an instant in milliseconds since the epoch.
pub(crate) fn rfc3339(at: i64, zone: Zone) -> String {
    let mut text = String::with_capacity(32);
    push_rfc3339(&mut text, at, zone);
    text
}

/// Appends the same to `text`.
pub(crate) fn push_rfc3339(text: &mut String, at: i64, zone: Zone) {
    let (shift, suffix) = match zone {
        Zone::Utc => (0, "Z"),
        Zone::Shanghai => (SHANGHAI_MS, "+08:00"),
    };
    let local = at + shift;
    let (year, month, day) = civil(local.div_euclid(DAY_MS));
    let ms = local.rem_euclid(DAY_MS);
    let parts = [
        (year, 4, '-'),
        (month, 2, '-'),
        (day, 2, 'T'),
        (ms / 3_600_000, 2, ':'),
        (ms / 60_000 % 60, 2, ':'),
        (ms / 1000 % 60, 2, '.'),
    ];
    for (value, digits, mark) in parts {
        push_digits(text, value, digits);
        text.push(mark);
    }
    push_digits(text, ms % 1000, 3);
    text.push_str(suffix);
}

/// Appends the last `digits` digits of `value`.
fn push_digits(text: &mut String, value: i64, digits: u32) {
    for place in (0..digits).rev() {
        let digit = value / 10_i64.pow(place) % 10;
        text.push(char::from(b'0' + u8::try_from(digit).unwrap_or(0)));
    }
}

/// The Shanghai date `yyyymmdd` of an instant.
pub(crate) fn date_digits(at: i64) -> String {
    let (year, month, day) = civil(shanghai_day(at));
    format!("{year:04}{month:02}{day:02}")
}

/// The Shanghai date `yyyy-mm-dd` of an instant.
pub(crate) fn date(at: i64) -> String {
    let (year, month, day) = civil(shanghai_day(at));
    format!("{year:04}-{month:02}-{day:02}")
}

/// The Shanghai day number of an instant.
fn shanghai_day(at: i64) -> i64 {
    (at + SHANGHAI_MS).div_euclid(DAY_MS)
}

/// The calendar of the generated configuration: Shanghai, free at weekends and on `holidays`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BusinessDays {
    /// Free days besides the weekends, `(year, month, day)`.
    pub(crate) holidays: &'static [(i64, i64, i64)],
    /// What is appended later than this time of day belongs to the next day.
    pub(crate) cut_off_ms: i64,
    /// When a batch is due on its day.
    pub(crate) credit_by_ms: i64,
}

impl BusinessDays {
    /// When a batch payment appended at `at` is due: on the business day after the one it belongs to.
    pub(crate) fn due(&self, at: i64) -> i64 {
        let time_of_day = (at + SHANGHAI_MS).rem_euclid(DAY_MS);
        let date = shanghai_day(at) + i64::from(time_of_day > self.cut_off_ms);
        let own = self.business_day_from(date);
        let next = self.business_day_from(own + 1);
        next * DAY_MS - SHANGHAI_MS + self.credit_by_ms
    }

    fn business_day_from(&self, mut day: i64) -> i64 {
        while !self.is_business(day) {
            day += 1;
        }
        day
    }

    fn is_business(&self, day: i64) -> bool {
        // 1970-01-01 was a Thursday: Saturday is 2, Sunday 3.
        let weekday = day.rem_euclid(7);
        weekday != 2 && weekday != 3 && !self.holidays.contains(&civil(day))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALENDAR: BusinessDays = BusinessDays {
        holidays: &[(2026, 5, 1)],
        cut_off_ms: 23 * 3_600_000,
        credit_by_ms: 18 * 3_600_000,
    };
    /// 2026-04-29T23:00:00+08:00, a Wednesday.
    const CUT_OFF: i64 = 1_777_474_800_000;

    #[test]
    fn an_instant_reads_the_same_in_both_zones() {
        assert_eq!(rfc3339(0, Zone::Utc), "1970-01-01T00:00:00.000Z");
        assert_eq!(
            rfc3339(CUT_OFF, Zone::Shanghai),
            "2026-04-29T23:00:00.000+08:00"
        );
        assert_eq!(rfc3339(CUT_OFF + 7, Zone::Utc), "2026-04-29T15:00:00.007Z");
        assert_eq!(rfc3339(-1, Zone::Utc), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn the_cut_off_itself_belongs_to_its_day() {
        assert_eq!(
            rfc3339(CALENDAR.due(CUT_OFF), Zone::Shanghai),
            "2026-04-30T18:00:00.000+08:00"
        );
    }

    #[test]
    fn a_holiday_and_a_weekend_are_skipped() {
        let due = CALENDAR.due(CUT_OFF + 1);
        assert_eq!(
            rfc3339(due, Zone::Shanghai),
            "2026-05-04T18:00:00.000+08:00"
        );
    }
}

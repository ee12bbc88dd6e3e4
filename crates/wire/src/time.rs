//! RFC 3339 to milliseconds and back, without a time zone database.

use core::fmt;

use settlewatch_join::Timestamp;

const DAY_MS: i64 = 86_400_000;
const MINUTE_MS: i64 = 60_000;

/// The instant of an RFC 3339 time with an offset, cut to the millisecond; `None` where it is none.
///
/// Second 60 is taken where a leap second can stand, at 23:59 UTC, and is the second after it.
pub fn parse_time(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let days = parse_date(text.get(..10)?)?;
    let &[b'T' | b't', h1, h2, b':', m1, m2, b':', s1, s2] = bytes.get(10..)?.first_chunk::<9>()?
    else {
        return None;
    };
    let (hour, minute, second) = (two(h1, h2)?, two(m1, m2)?, two(s1, s2)?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (fraction_ms, zone) = fraction(&bytes[19..])?;
    let minute_of_day = hour * 60 + minute - offset_minutes(zone)?;
    if second == 60 && minute_of_day.rem_euclid(1440) != 1439 {
        return None;
    }
    let ms = i64::from(days) * DAY_MS + minute_of_day * MINUTE_MS + second * 1000 + fraction_ms;
    Some(Timestamp::from_millis(ms))
}

/// The days since 1970-01-01 of a date `YYYY-MM-DD`; `None` where there is no such day.
pub fn parse_date(text: &str) -> Option<i32> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text.as_bytes() else {
        return None;
    };
    let year = two(y1, y2)? * 100 + two(y3, y4)?;
    let (month, day) = (two(m1, m2)?, two(d1, d2)?);
    if !(1..=12).contains(&month) || day < 1 || day > month_length(year, month) {
        return None;
    }
    i32::try_from(days_from_civil(year, month, day)).ok()
}

fn two(tens: u8, ones: u8) -> Option<i64> {
    (tens.is_ascii_digit() && ones.is_ascii_digit())
        .then(|| i64::from((tens - b'0') * 10 + (ones - b'0')))
}

/// Milliseconds of an optional fraction of any length, and what follows it.
fn fraction(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let Some(digits) = bytes.strip_prefix(b".") else {
        return Some((0, bytes));
    };
    let length = digits
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if length == 0 {
        return None;
    }
    let digit = |index: usize| {
        if index < length {
            i64::from(digits[index] - b'0')
        } else {
            0
        }
    };
    Some((digit(0) * 100 + digit(1) * 10 + digit(2), &digits[length..]))
}

/// How far local time is ahead of UTC.
fn offset_minutes(zone: &[u8]) -> Option<i64> {
    let (sign, hours, minutes) = match *zone {
        [b'Z' | b'z'] => return Some(0),
        [b'+', h1, h2, b':', m1, m2] => (1, two(h1, h2)?, two(m1, m2)?),
        [b'-', h1, h2, b':', m1, m2] => (-1, two(h1, h2)?, two(m1, m2)?),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

const fn month_length(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar, by years that begin in March (Howard Hinnant,
/// "chrono-compatible low-level date algorithms").
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day of a number of days since 1970-01-01; the inverse of [`days_from_civil`].
const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + (month <= 2) as i64;
    (year, month, day)
}

/// Prints an instant as RFC 3339 in UTC with milliseconds. What is before the year 0 or after 9999 prints as
/// the first or last instant of those years.
pub const fn format_time(at: Timestamp) -> Rfc3339 {
    Rfc3339(at)
}

/// An instant that prints as RFC 3339; made by [`format_time`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rfc3339(Timestamp);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const FIRST_MS: i64 = days_from_civil(0, 1, 1) * DAY_MS;
        const LAST_MS: i64 = days_from_civil(10_000, 1, 1) * DAY_MS - 1;
        let at = self.0.millis().clamp(FIRST_MS, LAST_MS);
        let (year, month, day) = civil_from_days(at.div_euclid(DAY_MS));
        let ms = at.rem_euclid(DAY_MS);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        put(&mut text[..4], year);
        put(&mut text[5..7], month);
        put(&mut text[8..10], day);
        put(&mut text[11..13], ms / 3_600_000);
        put(&mut text[14..16], ms / MINUTE_MS % 60);
        put(&mut text[17..19], ms / 1000 % 60);
        put(&mut text[20..23], ms % 1000);
        f.write_str(core::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

/// Writes the last decimal digits of `number`, as many as there is room for.
fn put(room: &mut [u8], mut number: i64) {
    for digit in room.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> Option<i64> {
        parse_time(text).map(Timestamp::millis)
    }

    #[test]
    fn times_are_read() {
        let cases = [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59.999Z", -1),
            ("1969-12-31T23:59:59.9999Z", -1),
            ("1970-01-01t08:00:00.000000000000000000001+08:00", 0),
            ("1970-01-01T00:00:00.1z", 100),
            ("1970-01-01T00:00:00-00:00", 0),
            ("1970-01-01T23:59:00+23:59", 0),
            ("2024-02-29T12:00:00.25-03:30", 1_709_220_600_250),
            ("2000-02-29T00:00:00Z", 951_782_400_000),
            ("2099-12-31T23:59:59Z", 4_102_444_799_000),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000),
            ("2017-01-01T07:59:60.5+08:00", 1_483_228_800_500),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000),
            ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
            ("9999-12-31T23:59:59.999-23:59", 253_402_387_139_999),
        ];
        for (text, expected) in cases {
            assert_eq!(ms(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_rfc_3339_time_with_an_offset_is_refused() {
        let cases = "
            2026-04-09T04:19:00 | 2026-04-09 04:19:00Z | 2026-04-09T04:19Z | 2026-04-09 | 20260409T041900Z
            2026-04-09T04:19:00+0800 | 2026-04-09T04:19:00+08 | 2026-04-09T04:19:00+24:00 | 2026-04-09T04:19:00+08:60
            2026-04-09T04:19:00 Z | 2026-04-09T04:19:00.Z | 2026-04-09T04:19:00,5Z | 2026-04-09T04:19:00ZZ
            2026-04-09T24:00:00Z | 2026-04-09T04:60:00Z | 2026-04-09T04:19:61Z | 2026-04-09T04:19:60Z
            2026-12-31T23:59:60+08:00 | 2026-00-09T04:19:00Z | 2026-13-09T04:19:00Z | 2026-04-00T04:19:00Z
            2026-04-31T04:19:00Z | 2026-02-29T04:19:00Z | 1900-02-29T04:19:00Z | +2026-04-09T04:19:00Z
            -001-04-09T04:19:00Z | 12026-04-09T04:19:00Z | 2026-4-9T04:19:00Z | 2026-04-09T04:19:00+８:00
            2026-04-0９T04:19:00Z | 1775708340 | Z | now | 2026-04-09T04:19:0 0Z | 2026-04-09T-4:19:00Z";
        for text in cases
            .split(['|', '\n'])
            .map(str::trim)
            .filter(|text| !text.is_empty())
        {
            assert_eq!(ms(text), None, "{text}");
        }
        assert_eq!(ms(""), None);
        assert_eq!(ms(" 2026-04-09T04:19:00Z"), None);
        assert_eq!(ms("2026-04-09T04:19:00Z "), None);
    }

    #[test]
    fn every_day_of_the_calendar_is_read_and_printed_back() {
        let mut days = parse_date("0000-01-01").expect("a date");
        for year in 0..10_000 {
            for month in 1..=12 {
                for day in 1..=month_length(year, month) {
                    assert_eq!(days_from_civil(year, month, day), i64::from(days));
                    assert_eq!(civil_from_days(days.into()), (year, month, day));
                    days += 1;
                }
            }
        }
        assert_eq!(parse_date("9999-12-31"), Some(days - 1));
    }

    #[test]
    fn instants_are_printed_in_utc_with_milliseconds() {
        let cases = [
            (1_775_708_340_674, "2026-04-09T04:19:00.674Z"),
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_007, "2000-02-29T00:00:00.007Z"),
            (i64::MIN, "0000-01-01T00:00:00.000Z"),
            (i64::MAX, "9999-12-31T23:59:59.999Z"),
            (-62_167_219_200_001, "0000-01-01T00:00:00.000Z"),
            (253_402_300_800_000, "9999-12-31T23:59:59.999Z"),
        ];
        for (ms, expected) in cases {
            assert_eq!(
                format_time(Timestamp::from_millis(ms)).to_string(),
                expected
            );
        }
    }
}

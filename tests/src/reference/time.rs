//! RFC 3339 and milliseconds.

use jiff::{Timestamp, tz::TimeZone};

/// The instant of an RFC 3339 time, in milliseconds since the epoch.
pub fn parse_ms(text: &str) -> Option<i64> {
    text.parse::<Timestamp>()
        .ok()
        .map(Timestamp::as_millisecond)
}

/// The instant `ms` as the outputs write it: UTC with milliseconds.
pub fn rfc3339(ms: i64) -> String {
    let instant =
        Timestamp::from_millisecond(ms).expect("tests stay within the years that can be written");
    instant
        .to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
        .to_string()
}

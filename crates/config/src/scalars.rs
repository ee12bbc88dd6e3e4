//! Single values: text to types that cannot be wrong.

use std::net::SocketAddr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use settlewatch_join::Timestamp;
use settlewatch_join::event::Currency;

use crate::model::{RatePpm, StartAt, TimeOfDay};
use crate::report::Flaw;

/// A whole number within `min..=max`.
pub(crate) fn count(text: &str, min: u64, max: u64) -> Result<u64, Flaw> {
    let remedy = format!("write digits only, from {min} to {max}");
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Flaw::new(
            format!("is not a whole number: `{text}`"),
            remedy,
        ));
    }
    match text.parse::<u64>() {
        Ok(number) if (min..=max).contains(&number) => Ok(number),
        _ => Err(Flaw::new(format!("is out of range: {text}"), remedy)),
    }
}

/// Money in minor units.
pub(crate) fn minor(text: &str) -> Result<u64, Flaw> {
    const MAX: u64 = i64::MAX.unsigned_abs();
    count(text, 0, MAX).map_err(|flaw| {
        if text.contains('.') {
            Flaw::new(
                format!("is a fraction: `{text}`"),
                "money is a whole number of minor units: write 12800 for 128.00",
            )
        } else {
            flaw
        }
    })
}

/// `true` or `false`.
pub(crate) fn flag(text: &str) -> Result<bool, Flaw> {
    match text {
        "true" | "True" | "TRUE" => Ok(true),
        "false" | "False" | "FALSE" => Ok(false),
        _ => Err(Flaw::new(
            format!("is neither `true` nor `false`: `{text}`"),
            "write `true` or `false`",
        )),
    }
}

/// A decimal fraction in parts per million.
pub(crate) fn rate(text: &str) -> Result<RatePpm, Flaw> {
    let remedy = "write a fraction between 0 and 1 with at most six places: `\"0.0060\"` is 0.60 %";
    let wrong = |what: &str| Flaw::new(format!("{what}: `{text}`"), remedy);
    let digits = text
        .strip_prefix("0.")
        .ok_or_else(|| wrong("is not a rate"))?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong("is not a rate"));
    }
    let digits = digits.trim_end_matches('0');
    if digits.len() > 6 {
        return Err(wrong("is finer than one part in a million"));
    }
    let ppm = format!("{digits:0<6}")
        .parse::<u32>()
        .map_err(|_| wrong("is not a rate"))?;
    if ppm == 0 {
        Err(wrong("is no rate at all"))
    } else {
        Ok(RatePpm(ppm))
    }
}

/// A part of the whole in parts per million.
pub(crate) fn share(text: &str) -> Result<RatePpm, Flaw> {
    let whole = text.strip_prefix('1').is_some_and(|rest| {
        rest.is_empty()
            || rest
                .strip_prefix('.')
                .is_some_and(|zeros| !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0'))
    });
    if whole {
        return Ok(RatePpm(1_000_000));
    }
    rate(text).map_err(|_| {
        Flaw::new(
            format!("is no share above 0 and up to 1 with at most six places: `{text}`"),
            "write `\"1\"` for all, `\"0.1\"` for a tenth",
        )
    })
}

/// `2026-10-01`.
pub(crate) fn date(text: &str) -> Result<Date, Flaw> {
    let date = (text.len() == 10)
        .then(|| text.parse::<Date>().ok())
        .flatten();
    date.ok_or_else(|| {
        Flaw::new(
            format!("is not a date: `{text}`"),
            "write year, month and day: `2026-10-01`",
        )
    })
}

/// `23:00` or `23:00:00`; `24:00` is the end of the day.
pub(crate) fn time_of_day(text: &str) -> Result<TimeOfDay, Flaw> {
    let wrong = || {
        Flaw::new(
            format!("is not a time of day: `{text}`"),
            "write hours and minutes: `\"23:00\"`, at most `\"24:00\"`",
        )
    };
    let parts: Vec<&str> = text.split(':').collect();
    let (hour, minute, second) = match parts[..] {
        [hour, minute] => (hour, minute, "00"),
        [hour, minute, second] => (hour, minute, second),
        _ => return Err(wrong()),
    };
    let part = |digits: &str, max: u32| {
        let two = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        two.then(|| digits.parse::<u32>().ok())
            .flatten()
            .filter(|value| *value <= max)
    };
    let (hour, minute, second) = part(hour, 24)
        .zip(part(minute, 59))
        .zip(part(second, 59))
        .map(|((h, m), s)| (h, m, s))
        .ok_or_else(wrong)?;
    TimeOfDay::from_secs(hour * 3600 + minute * 60 + second).ok_or_else(wrong)
}

/// An IANA time zone, from the database that is compiled in.
pub(crate) fn zone(text: &str) -> Result<TimeZone, Flaw> {
    let found = jiff::tz::TimeZoneDatabase::bundled().get(text);
    found.map_err(|_| {
        Flaw::new(
            format!("is not a known time zone: `{text}`"),
            "use an IANA name, such as `Asia/Shanghai` or `UTC`",
        )
    })
}

/// Three capitals.
pub(crate) fn currency(text: &str) -> Result<Currency, Flaw> {
    let letters = <[u8; 3]>::try_from(text.as_bytes()).ok();
    letters.and_then(Currency::new).ok_or_else(|| {
        Flaw::new(
            format!("is not a currency: `{text}`"),
            "write the ISO 4217 code in three capitals, such as `CNY`",
        )
    })
}

/// `ADDRESS:PORT`.
pub(crate) fn listen(text: &str) -> Result<SocketAddr, Flaw> {
    text.parse().map_err(|_| {
        Flaw::new(
            format!("is not an address to listen on: `{text}`"),
            "write address and port: `127.0.0.1:9464`, or `0.0.0.0:9464` for every interface",
        )
    })
}

/// Brokers, separated by commas.
pub(crate) fn servers(text: &str) -> Result<String, Flaw> {
    let good = |server: &str| {
        server.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty()
                && !host.contains(char::is_whitespace)
                && port.parse::<u16>().is_ok_and(|port| port > 0)
        })
    };
    match text.split(',').find(|server| !good(server.trim())) {
        None => Ok(text.to_owned()),
        Some(bad) => Err(Flaw::new(
            format!("names a broker without host and port: `{}`", bad.trim()),
            "write `host:9092`, several separated by commas",
        )),
    }
}

/// A topic's name, as Kafka allows it.
pub(crate) fn topic(text: &str) -> Result<String, Flaw> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if matches!(text, "" | "." | "..") || text.len() > 249 || !text.chars().all(legal) {
        let remedy = "use at most 249 letters, digits, `.`, `_` and `-`";
        return Err(Flaw::new(
            format!("is no name Kafka allows: `{text}`"),
            remedy,
        ));
    }
    Ok(text.to_owned())
}

/// `latest`, `earliest` or an instant.
pub(crate) fn start_at(text: &str) -> Result<StartAt, Flaw> {
    match text {
        "latest" => Ok(StartAt::Latest),
        "earliest" => Ok(StartAt::Earliest),
        _ => text
            .parse::<jiff::Timestamp>()
            .map(|at| StartAt::Time(Timestamp::from_millis(at.as_millisecond())))
            .map_err(|_| {
                Flaw::new(
                    format!("is neither `latest`, `earliest` nor a time: `{text}`"),
                    "write a time with an offset: `2026-04-01T00:00:00+08:00`",
                )
            }),
    }
}

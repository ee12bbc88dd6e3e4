//! Values of options, from their text.

use settlewatch_join::{Span, Timestamp};
use settlewatch_kafka::{Partitioner, StartAt};
use settlewatch_replay::Until;
use settlewatch_sim::{Fault, Scenario};

pub(super) fn partitioner(text: &str) -> Result<Partitioner, String> {
    match text {
        "murmur2" => Ok(Partitioner::Murmur2),
        "crc32" => Ok(Partitioner::Crc32),
        _ => Err("expected `murmur2` (Java) or `crc32` (librdkafka)".into()),
    }
}

/// A fault as it is written on the command line.
pub(super) fn fault(text: &str) -> Result<Fault, String> {
    let (text, channel) = match text.split_once(':') {
        Some((text, channel)) => (text, Some(channel)),
        None => (text, None),
    };
    let (name, times) = match text.split_once('@') {
        Some((name, times)) => (name, Some(times)),
        None => (text, None),
    };
    let scenario = Scenario::parse(name).map_err(|error| error.to_string())?;
    let mut fault = Fault::new(scenario);
    if let Some(channel) = channel {
        fault = fault.channel(channel);
    }
    if let Some(times) = times {
        let (from, until) = times
            .split_once('-')
            .ok_or("write the time of a fault as FROM-UNTIL, such as 2m-5m")?;
        let ms = |text| {
            let span = duration(text)?;
            i64::try_from(span.millis()).map_err(|error| error.to_string())
        };
        fault = fault.during(ms(from)?, ms(until)?);
    }
    Ok(fault)
}

pub(super) fn start_at(text: &str) -> Result<StartAt, String> {
    match text {
        "earliest" => Ok(StartAt::Earliest),
        "latest" => Ok(StartAt::Latest),
        _ => time(text)
            .map(StartAt::Time)
            .map_err(|expected| format!("{expected}, or `earliest`, or `latest`")),
    }
}

pub(super) fn until(text: &str) -> Result<Until, String> {
    if text == "drained" {
        return Ok(Until::Drained);
    }
    time(text)
        .map(Until::Time)
        .map_err(|expected| format!("{expected}, or `drained`"))
}

pub(super) fn time(text: &str) -> Result<Timestamp, String> {
    settlewatch_wire::parse_time(text).ok_or_else(|| {
        "expected an RFC 3339 time with an offset, such as 2026-04-09T12:00:00+08:00".into()
    })
}

pub(super) fn duration(text: &str) -> Result<Span, String> {
    settlewatch_config::parse_duration(text)
        .ok_or_else(|| "expected a duration with units, such as 90s, 10m or 1h30m".into())
}

//! Values of options, from their text.

use settlewatch_join::{Span, Timestamp};
use settlewatch_kafka::{Partitioner, StartAt};
use settlewatch_replay::Until;
use settlewatch_sim::{Fault, Field, Load, Rate, Scenario};

pub(super) fn partitioner(text: &str) -> Result<Partitioner, String> {
    match text {
        "murmur2" => Ok(Partitioner::Murmur2),
        "crc32" => Ok(Partitioner::Crc32),
        _ => Err("expected `murmur2` (Java) or `crc32` (librdkafka)".into()),
    }
}

/// The curve called `text`.
pub(super) fn load(text: &str) -> Result<Load, String> {
    Load::parse(text).map_err(|error| error.to_string())
}

/// `NAME[@FROM-UNTIL][:OPTION…]`; an option is a channel, a measure, or a field and its value.
pub(super) fn fault(text: &str) -> Result<Fault, String> {
    let mut parts = text.split(':');
    let head = parts.next().unwrap_or_default();
    let (name, times) = match head.split_once('@') {
        Some((name, times)) => (name, Some(times)),
        None => (head, None),
    };
    let scenario = Scenario::parse(name).map_err(|error| error.to_string())?;
    let mut fault = Fault::new(scenario);
    if let Some(times) = times {
        let (from, until) = times
            .split_once('-')
            .ok_or("write the time of a fault as FROM-UNTIL, such as 2m-5m")?;
        fault = fault.during(span_ms(from)?, span_ms(until)?);
    }
    parts.try_fold(fault, fault_option)
}

fn fault_option(fault: Fault, text: &str) -> Result<Fault, String> {
    let number = |text: &str| {
        Rate::parse(text)
            .map(Rate::in_thousand_seconds)
            .ok()
            .and_then(|permille| u32::try_from(permille).ok())
            .ok_or_else(|| format!("`{text}` is no number such as 3 or 2.5"))
    };
    Ok(match text.split_once('=') {
        None if text == "ramp" => fault.ramp(),
        None => fault.channel(text),
        Some(("share", share)) => {
            let percent = share
                .strip_suffix('%')
                .ok_or("write a share in per cent, such as share=30%")?;
            fault.share_permille(number(percent)? / 100)
        }
        Some(("times", times)) => fault.times_permille(number(times)?),
        Some(("delay", delay)) => fault.delay_ms(span_ms(delay)?),
        Some(("variant", variant)) => {
            fault.variant(variant.parse().map_err(|_| "a variant is a number")?)
        }
        Some((field, value)) => {
            let field = Field::parse(field).map_err(|error| error.to_string())?;
            fault.within(field, value)
        }
    })
}

fn span_ms(text: &str) -> Result<i64, String> {
    i64::try_from(duration(text)?.millis()).map_err(|error| error.to_string())
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

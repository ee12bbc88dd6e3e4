//! Auxiliary events in a pulse record.

use settlewatch_join::Timestamp;
use settlewatch_join::event::{AccountStatus, MarkerKind};

use super::Malformed;
use super::tables::{Input, Output, TEXT, of_dim};
use crate::pulse::Auxiliary;
use crate::pulse::tuple::{APP, CHANNEL, MERCHANT, TERMINAL};

/// Bytes of the shortest event.
pub(super) const LEAST: usize = 4;

fn write_at(at: Timestamp, start_ms: i64, to: &mut Output) {
    to.bytes.signed(at.millis().wrapping_sub(start_ms));
}

fn read_at(start_ms: i64, from: &mut Input<'_>) -> Result<Timestamp, Malformed> {
    let at = start_ms.wrapping_add(from.bytes.signed()?);
    Ok(Timestamp::from_millis(at))
}

fn write_option<T>(value: Option<T>, to: &mut Output, write: impl FnOnce(T, &mut Output)) {
    to.bytes.byte(u8::from(value.is_some()));
    if let Some(value) = value {
        write(value, to);
    }
}

fn read_option<'a, T>(
    from: &mut Input<'a>,
    read: impl FnOnce(&mut Input<'a>) -> Result<T, Malformed>,
) -> Result<Option<T>, Malformed> {
    match from.bytes.byte()? {
        0 => Ok(None),
        1 => read(from).map(Some),
        _ => Err(Malformed),
    }
}

fn read_bool(from: &mut Input<'_>) -> Result<bool, Malformed> {
    match from.bytes.byte()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Malformed),
    }
}

/// Writes an event of a second that begins at `start_ms`.
pub(super) fn write(event: &Auxiliary, start_ms: i64, to: &mut Output) {
    match event {
        Auxiliary::Heartbeat {
            terminal_id,
            at,
            queue_depth,
            error_code,
            uptime_s,
            app_version,
            signed_in,
        } => {
            to.bytes.byte(0);
            to.string(of_dim(TERMINAL), terminal_id);
            write_at(*at, start_ms, to);
            write_option(*queue_depth, to, |it, to| to.bytes.number(it));
            to.maybe(TEXT, error_code.as_ref());
            write_option(*uptime_s, to, |it, to| to.bytes.number(it));
            to.maybe(of_dim(APP), app_version.as_ref());
            write_option(*signed_in, to, |it, to| to.bytes.byte(u8::from(it)));
        }
        Auxiliary::Account {
            merchant_id,
            at,
            status,
        } => {
            to.bytes.byte(1);
            to.string(of_dim(MERCHANT), merchant_id);
            write_at(*at, start_ms, to);
            to.word(Some(status.as_str()));
        }
        Auxiliary::Batch {
            channel,
            at,
            settle_date,
        } => {
            to.bytes.byte(2);
            to.string(of_dim(CHANNEL), channel);
            write_at(*at, start_ms, to);
            write_option(*settle_date, to, |it, to| to.bytes.signed(i64::from(it)));
        }
        Auxiliary::Marker {
            kind,
            at,
            scope,
            starts_at,
            ends_at,
        } => {
            to.bytes.byte(3);
            to.word(Some(kind.as_str()));
            write_at(*at, start_ms, to);
            to.bytes.len(scope.len());
            for (name, value) in scope {
                to.bytes.text(name);
                to.bytes.text(value);
            }
            write_at(*starts_at, start_ms, to);
            write_option(*ends_at, to, |it, to| write_at(it, start_ms, to));
        }
    }
}

/// Reads an event of a second that begins at `start_ms`.
pub(super) fn read(start_ms: i64, from: &mut Input<'_>) -> Result<Auxiliary, Malformed> {
    Ok(match from.bytes.byte()? {
        0 => Auxiliary::Heartbeat {
            terminal_id: from.string(of_dim(TERMINAL))?,
            at: read_at(start_ms, from)?,
            queue_depth: read_option(from, |from| from.bytes.number())?,
            error_code: from.maybe(TEXT)?,
            uptime_s: read_option(from, |from| from.bytes.number())?,
            app_version: from.maybe(of_dim(APP))?,
            signed_in: read_option(from, read_bool)?,
        },
        1 => Auxiliary::Account {
            merchant_id: from.string(of_dim(MERCHANT))?,
            at: read_at(start_ms, from)?,
            status: from.word(AccountStatus::parse)?,
        },
        2 => Auxiliary::Batch {
            channel: from.string(of_dim(CHANNEL))?,
            at: read_at(start_ms, from)?,
            settle_date: read_option(from, |from| from.bytes.signed32())?,
        },
        3 => Auxiliary::Marker {
            kind: from.word(MarkerKind::parse)?,
            at: read_at(start_ms, from)?,
            scope: read_scope(from)?,
            starts_at: read_at(start_ms, from)?,
            ends_at: read_option(from, |from| read_at(start_ms, from))?,
        },
        _ => return Err(Malformed),
    })
}

fn read_scope(from: &mut Input<'_>) -> Result<Vec<(String, String)>, Malformed> {
    let len = from.bytes.len(2)?;
    let mut scope = Vec::with_capacity(len);
    for _ in 0..len {
        scope.push((from.bytes.text()?.into(), from.bytes.text()?.into()));
    }
    Ok(scope)
}

//! Counts, lateness and legs in a pulse record: what is said of many records together.

use settlewatch_join::Timestamp;

use super::Malformed;
use super::notes::read_currency;
use super::tables::{ID, Input, Output, of_dim};
use crate::pulse::tuple::{CHANNEL, CONNECTOR, GATEWAY};
use crate::pulse::{Ack, Arrivals, ChannelCount, Ended, Excused, KINDS, Leg, Side, StreamCount};

/// Bytes of the shortest channel count.
pub(super) const LEAST_CHANNEL: usize = 6;
/// Bytes of the shortest count of those that ended.
const LEAST_ENDED: usize = 4;
/// Bytes of the shortest count of those that explain themselves.
const LEAST_EXCUSED: usize = 2;
/// Bytes of the shortest stream count.
pub(super) const LEAST_STREAM: usize = 4 + KINDS;
/// Bytes of the shortest list of lateness.
pub(super) const LEAST_ARRIVALS: usize = 4;
/// Bytes of the shortest leg.
pub(super) const LEAST_LEG: usize = 3;
/// Bytes of the shortest acknowledgement.
pub(super) const LEAST_ACK: usize = 8;

/// Writes a channel of the second `second`.
pub(super) fn write_channel(count: &ChannelCount, second: i64, to: &mut Output) {
    to.string(of_dim(CHANNEL), &count.channel);
    to.bytes.number(count.accepted);
    to.bytes.number(count.credited);
    to.bytes.len(count.ended.len());
    let mut last = Ended {
        accepted_s: second,
        ..Ended::default()
    };
    for ended in &count.ended {
        to.bytes
            .signed(ended.accepted_s.wrapping_sub(last.accepted_s));
        to.bytes
            .signed((ended.lag_ms as i64).wrapping_sub(last.lag_ms as i64));
        to.bytes.number(ended.credited);
        to.bytes.number(ended.otherwise);
        last = *ended;
    }
    to.bytes.len(count.excused.len());
    let mut last = second;
    for excused in &count.excused {
        to.bytes.signed(excused.accepted_s.wrapping_sub(last));
        to.bytes.number(excused.count);
        last = excused.accepted_s;
    }
    to.bytes.number(count.released);
}

/// Reads a channel of the second `second`.
pub(super) fn read_channel(second: i64, from: &mut Input<'_>) -> Result<ChannelCount, Malformed> {
    let mut count = ChannelCount::of(from.string(of_dim(CHANNEL))?);
    count.accepted = from.bytes.number()?;
    count.credited = from.bytes.number()?;
    let len = from.bytes.len(LEAST_ENDED)?;
    count.ended.reserve_exact(len);
    let mut last = Ended {
        accepted_s: second,
        ..Ended::default()
    };
    for _ in 0..len {
        last = Ended {
            accepted_s: last.accepted_s.wrapping_add(from.bytes.signed()?),
            lag_ms: (last.lag_ms as i64).wrapping_add(from.bytes.signed()?) as u64,
            credited: from.bytes.number()?,
            otherwise: from.bytes.number()?,
        };
        count.ended.push(last);
    }
    let len = from.bytes.len(LEAST_EXCUSED)?;
    count.excused.reserve_exact(len);
    let mut last = second;
    for _ in 0..len {
        last = last.wrapping_add(from.bytes.signed()?);
        count.excused.push(Excused {
            accepted_s: last,
            count: from.bytes.number()?,
        });
    }
    count.released = from.bytes.number()?;
    Ok(count)
}

pub(super) fn write_stream(count: &StreamCount, to: &mut Output) {
    to.bytes.byte(count.stream);
    to.bytes.signed(i64::from(count.partition));
    to.bytes.number(count.records);
    to.bytes.number(count.rejected);
    for kind in count.kinds {
        to.bytes.number(kind);
    }
}

pub(super) fn read_stream(from: &mut Input<'_>) -> Result<StreamCount, Malformed> {
    let mut count = StreamCount {
        stream: from.bytes.byte()?,
        partition: from.bytes.signed32()?,
        records: from.bytes.number()?,
        rejected: from.bytes.number()?,
        kinds: [0; KINDS],
    };
    for kind in &mut count.kinds {
        *kind = from.bytes.number()?;
    }
    Ok(count)
}

/// Values in a list as the steps between them: of one byte mostly, where the list is sorted.
fn write_steps(values: &[i64], to: &mut Output) {
    to.bytes.len(values.len());
    let mut last = 0_i64;
    for value in values {
        to.bytes.signed(value.wrapping_sub(last));
        last = *value;
    }
}

fn read_steps(from: &mut Input<'_>) -> Result<Vec<i64>, Malformed> {
    let len = from.bytes.len(1)?;
    let mut values = Vec::with_capacity(len);
    let mut last = 0_i64;
    for _ in 0..len {
        last = last.wrapping_add(from.bytes.signed()?);
        values.push(last);
    }
    Ok(values)
}

pub(super) fn write_arrivals(arrivals: &Arrivals, to: &mut Output) {
    to.bytes.byte(match arrivals.side {
        Side::Payments => 0,
        Side::Credits => 1,
    });
    to.maybe(of_dim(GATEWAY), arrivals.gateway.as_ref());
    to.maybe(of_dim(CONNECTOR), arrivals.connector.as_ref());
    write_steps(&arrivals.lateness_ms, to);
}

pub(super) fn read_arrivals(from: &mut Input<'_>) -> Result<Arrivals, Malformed> {
    Ok(Arrivals {
        side: match from.bytes.byte()? {
            0 => Side::Payments,
            1 => Side::Credits,
            _ => return Err(Malformed),
        },
        gateway: from.maybe(of_dim(GATEWAY))?,
        connector: from.maybe(of_dim(CONNECTOR))?,
        lateness_ms: read_steps(from)?,
    })
}

/// Writes a leg of the second `second`.
pub(super) fn write_leg(leg: &Leg, second: i64, to: &mut Output) {
    to.tuple(&leg.tuple);
    to.bytes.signed(leg.entered_s.wrapping_sub(second));
    to.bytes.byte(u8::from(leg.gateway_ms.is_some()));
    if let Some(gateway_ms) = leg.gateway_ms {
        to.bytes.signed(gateway_ms);
    }
}

/// Reads a leg of the second `second`.
pub(super) fn read_leg(second: i64, from: &mut Input<'_>) -> Result<Leg, Malformed> {
    Ok(Leg {
        tuple: from.tuple()?,
        entered_s: second.wrapping_add(from.bytes.signed()?),
        gateway_ms: match from.bytes.byte()? {
            0 => None,
            1 => Some(from.bytes.signed()?),
            _ => return Err(Malformed),
        },
    })
}

pub(super) fn write_ack(ack: &Ack, start_ms: i64, to: &mut Output) {
    let foreign = ack.partition != to.partition;
    to.bytes
        .byte(u8::from(ack.late) | u8::from(ack.came) << 1 | u8::from(foreign) << 2);
    to.tuple(&ack.tuple);
    if foreign {
        to.bytes.signed(i64::from(ack.partition));
    }
    to.maybe(ID, ack.id.as_ref());
    to.bytes.number(ack.amount_minor);
    to.bytes.raw(&ack.currency.letters());
    to.bytes
        .signed(start_ms.wrapping_sub(ack.credited_at.millis()));
}

pub(super) fn read_ack(start_ms: i64, from: &mut Input<'_>) -> Result<Ack, Malformed> {
    let flags = from.bytes.byte()?;
    if flags > 7 {
        return Err(Malformed);
    }
    Ok(Ack {
        late: flags & 1 != 0,
        came: flags & 2 != 0,
        tuple: from.tuple()?,
        partition: match flags & 4 != 0 {
            true => from.bytes.signed32()?,
            false => from.partition,
        },
        id: from.maybe(ID)?,
        amount_minor: from.bytes.number()?,
        currency: read_currency(from)?,
        credited_at: Timestamp::from_millis(start_ms.wrapping_sub(from.bytes.signed()?)),
    })
}

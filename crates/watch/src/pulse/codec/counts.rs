//! Counts, lateness and legs in a pulse record: what is said of many records together.

use settlewatch_join::Timestamp;

use super::Malformed;
use super::notes::read_currency;
use super::tables::{ID, Input, Output, of_dim};
use crate::pulse::tuple::{CHANNEL, CONNECTOR, GATEWAY};
use crate::pulse::{Ack, Arrivals, ChannelCount, KINDS, Leg, Side, StreamCount};

/// Bytes of the shortest channel count.
pub(super) const LEAST_CHANNEL: usize = 3;
/// Bytes of the shortest stream count.
pub(super) const LEAST_STREAM: usize = 4 + KINDS;
/// Bytes of the shortest list of lateness.
pub(super) const LEAST_ARRIVALS: usize = 4;
/// Bytes of the shortest leg.
pub(super) const LEAST_LEG: usize = 3;
/// Bytes of the shortest acknowledgement.
pub(super) const LEAST_ACK: usize = 8;

pub(super) fn write_channel(count: &ChannelCount, to: &mut Output) {
    to.string(of_dim(CHANNEL), &count.channel);
    to.bytes.number(count.accepted);
    to.bytes.number(count.credited);
}

pub(super) fn read_channel(from: &mut Input<'_>) -> Result<ChannelCount, Malformed> {
    Ok(ChannelCount {
        channel: from.string(of_dim(CHANNEL))?,
        accepted: from.bytes.number()?,
        credited: from.bytes.number()?,
    })
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
    to.bytes.byte(u8::from(ack.late) | u8::from(ack.came) << 1);
    to.tuple(&ack.tuple);
    to.maybe(ID, ack.id.as_ref());
    to.bytes.number(ack.amount_minor);
    to.bytes.raw(&ack.currency.letters());
    to.bytes
        .signed(start_ms.wrapping_sub(ack.credited_at.millis()));
}

pub(super) fn read_ack(start_ms: i64, from: &mut Input<'_>) -> Result<Ack, Malformed> {
    let flags = from.bytes.byte()?;
    if flags > 3 {
        return Err(Malformed);
    }
    Ok(Ack {
        late: flags & 1 != 0,
        came: flags & 2 != 0,
        tuple: from.tuple()?,
        id: from.maybe(ID)?,
        amount_minor: from.bytes.number()?,
        currency: read_currency(from)?,
        credited_at: Timestamp::from_millis(start_ms.wrapping_sub(from.bytes.signed()?)),
    })
}

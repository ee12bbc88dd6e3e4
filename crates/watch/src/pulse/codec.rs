//! A record of the pulse topic: pulses of one partition as bytes.
//!
//! A record explains itself: no other is needed to read it. Times are written against the second that they
//! belong to, lists as the steps between their values; what is usual costs no byte.

mod auxiliary;
mod bytes;
mod counts;
mod notes;
mod saved;
mod split;
mod tables;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::{Dims, Pulse};
use bytes::{Reader, Writer};
use tables::{Input, Output};

/// The version of the format; a reader refuses every other.
const VERSION: u8 = 3;

/// Bytes of the shortest pulse.
const LEAST_PULSE: usize = 2;

/// All of the payments: what a share of 1 is in parts per million.
pub const WHOLE_PPM: u32 = 1_000_000;

/// The bytes are no pulse record of a version that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no pulse record of a known version")
    }
}

impl std::error::Error for Malformed {}

/// One record of the pulse topic.
#[derive(Clone, Debug, Default)]
pub struct PulseRecord {
    /// The partition number that it is about.
    pub partition: i32,
    /// Everything dated before it is in this record or in earlier ones: milliseconds since 1970.
    pub known_ms: i64,
    /// The share of payments of which notes are sent, in parts per million.
    pub share_ppm: u32,
    /// Names of the configured attributes: they follow the standard dimensions in every tuple.
    pub attrs: Vec<Arc<str>>,
    /// The seconds that ended, in order.
    pub pulses: Vec<Pulse>,
}

impl PulseRecord {
    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Writer::default();
        bytes.byte(VERSION);
        bytes.signed(i64::from(self.partition));
        bytes.signed(self.known_ms);
        bytes.number(u64::from(self.share_ppm));
        write_names(&self.attrs, &mut bytes);
        bytes.len(self.pulses.len());
        let mut to = Output::new(bytes, self.partition, self.attrs.len());
        let mut last = self.known_ms.div_euclid(1000);
        for pulse in &self.pulses {
            to.bytes.signed(pulse.second.wrapping_sub(last));
            last = pulse.second;
            write_pulse(pulse, &mut to);
        }
        to.bytes.finish()
    }

    /// The record of these bytes, with its own attributes. Takes no more than about 200 bytes of memory for each of
    /// them.
    ///
    /// # Errors
    ///
    /// Where they are not what [`encode`](Self::encode) writes.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        Self::read(bytes, None)
    }

    /// The same, with the attributes of `dims`: whoever wrote it may know others.
    ///
    /// # Errors
    ///
    /// Where they are not what [`encode`](Self::encode) writes.
    pub fn decode_for(bytes: &[u8], dims: &Dims) -> Result<Self, Malformed> {
        Self::read(bytes, Some(dims))
    }

    fn read(bytes: &[u8], dims: Option<&Dims>) -> Result<Self, Malformed> {
        let mut bytes = Reader::new(bytes);
        if bytes.byte()? != VERSION {
            return Err(Malformed);
        }
        let partition = bytes.signed32()?;
        let known_ms = bytes.signed()?;
        let share_ppm = u32::try_from(bytes.number()?).map_err(|_| Malformed)?;
        if share_ppm > WHOLE_PPM {
            return Err(Malformed);
        }
        let attrs = read_names(&mut bytes)?;
        let len = bytes.len(LEAST_PULSE)?;
        let mut from = Input::new(bytes, partition, attrs.len());
        if let Some(dims) = dims {
            from = from.wanted(&attrs, dims);
        }
        let mut pulses = Vec::with_capacity(len);
        let mut last = known_ms.div_euclid(1000);
        for _ in 0..len {
            last = last.wrapping_add(from.bytes.signed()?);
            pulses.push(read_pulse(last, &mut from)?);
        }
        from.bytes.end()?;
        Ok(Self {
            partition,
            known_ms,
            share_ppm,
            attrs: dims.map_or(attrs, Dims::attr_names),
            pulses,
        })
    }
}

fn write_names(names: &[Arc<str>], to: &mut Writer) {
    to.len(names.len());
    names.iter().for_each(|name| to.text(name));
}

fn read_names(from: &mut Reader<'_>) -> Result<Vec<Arc<str>>, Malformed> {
    let len = from.len(1)?;
    (0..len).map(|_| from.text().map(Arc::from)).collect()
}

const NOTES: u8 = 1;
const CHANNELS: u8 = 1 << 1;
const CASES: u8 = 1 << 2;
const STREAMS: u8 = 1 << 3;
const ARRIVALS: u8 = 1 << 4;
const LEGS: u8 = 1 << 5;
const ACKS: u8 = 1 << 6;
const AUXILIARY: u8 = 1 << 7;

/// When a second begins, in milliseconds.
fn start_ms(second: i64) -> i64 {
    second.wrapping_mul(1000)
}

fn write_list<T>(list: &[T], to: &mut Output, write: impl Fn(&T, &mut Output)) {
    if list.is_empty() {
        return;
    }
    to.bytes.len(list.len());
    for item in list {
        write(item, to);
    }
}

fn write_pulse(pulse: &Pulse, to: &mut Output) {
    let start = start_ms(pulse.second);
    let there = [
        (NOTES, pulse.notes.is_empty()),
        (CHANNELS, pulse.channels.is_empty()),
        (CASES, pulse.cases.is_empty()),
        (STREAMS, pulse.streams.is_empty()),
        (ARRIVALS, pulse.arrivals.is_empty()),
        (LEGS, pulse.legs.is_empty()),
        (ACKS, pulse.acks.is_empty()),
        (AUXILIARY, pulse.auxiliary.is_empty()),
    ];
    let there = there.iter().filter(|(_, empty)| !empty);
    to.bytes.byte(there.fold(0, |all, (bit, _)| all | bit));
    write_list(&pulse.notes, to, |it, to| notes::write_note(it, start, to));
    write_list(&pulse.channels, to, |it, to| {
        counts::write_channel(it, pulse.second, to);
    });
    write_list(&pulse.cases, to, |it, to| notes::write_case(it, start, to));
    write_list(&pulse.streams, to, counts::write_stream);
    write_list(&pulse.arrivals, to, counts::write_arrivals);
    write_list(&pulse.legs, to, |it, to| {
        counts::write_leg(it, pulse.second, to);
    });
    write_list(&pulse.acks, to, |it, to| counts::write_ack(it, start, to));
    write_list(&pulse.auxiliary, to, |it, to| {
        auxiliary::write(it, start, to);
    });
}

/// Reads a list whose items take at least `least` bytes each; an empty one where it is not there.
fn read_list<'a, T>(
    there: bool,
    least: usize,
    from: &mut Input<'a>,
    read: impl Fn(&mut Input<'a>) -> Result<T, Malformed>,
) -> Result<Vec<T>, Malformed> {
    if !there {
        return Ok(Vec::new());
    }
    let len = from.bytes.len(least)?;
    let mut list = Vec::with_capacity(len);
    for _ in 0..len {
        list.push(read(from)?);
    }
    Ok(list)
}

fn read_pulse(second: i64, from: &mut Input<'_>) -> Result<Pulse, Malformed> {
    let start = start_ms(second);
    let there = from.bytes.byte()?;
    let has = |bit| there & bit != 0;
    Ok(Pulse {
        second,
        notes: read_list(has(NOTES), notes::LEAST_NOTE, from, |from| {
            notes::read_note(start, from)
        })?,
        channels: read_list(has(CHANNELS), counts::LEAST_CHANNEL, from, |from| {
            counts::read_channel(second, from)
        })?,
        cases: read_list(has(CASES), notes::LEAST_CASE, from, |from| {
            notes::read_case(start, from)
        })?,
        streams: read_list(
            has(STREAMS),
            counts::LEAST_STREAM,
            from,
            counts::read_stream,
        )?,
        arrivals: read_list(
            has(ARRIVALS),
            counts::LEAST_ARRIVALS,
            from,
            counts::read_arrivals,
        )?,
        legs: read_list(has(LEGS), counts::LEAST_LEG, from, |from| {
            counts::read_leg(second, from)
        })?,
        acks: read_list(has(ACKS), counts::LEAST_ACK, from, |from| {
            counts::read_ack(start, from)
        })?,
        auxiliary: read_list(has(AUXILIARY), auxiliary::LEAST, from, |from| {
            auxiliary::read(start, from)
        })?,
    })
}

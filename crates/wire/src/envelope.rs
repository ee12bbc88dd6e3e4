//! One line of a recording: what `kcat -C -J` prints of a record, or a bare canonical event.

use std::borrow::Cow;

use crate::escape::unescape_into;
use crate::scan::{Fault, Kind, Scanner, Value};

/// A line of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A record with the place it was read from.
    Envelope(Envelope<'a>),
    /// An object that is no envelope but names a type, an event or a payment: the value of a record.
    Bare(&'a [u8]),
}

/// A record as it was read from a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The topic.
    pub topic: Cow<'a, str>,
    /// The partition, at least 0.
    pub partition: i32,
    /// The offset, at least 0.
    pub offset: i64,
    /// The broker's timestamp in milliseconds; [`Envelope::NO_TS`] where there is none or no integer.
    pub ts: i64,
    /// The record's value, not necessarily UTF-8: bytes are written as they are. Absent and null are `None`.
    pub payload: Option<Cow<'a, [u8]>>,
    /// The record's key likewise. What is no string is `None`: nothing is decided by it.
    pub key: Option<Cow<'a, [u8]>>,
}

impl Envelope<'_> {
    /// The timestamp of a record that has none, as Kafka writes it.
    pub const NO_TS: i64 = -1;
}

/// Why a line is neither an envelope nor a bare event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    /// It is not one JSON object.
    #[error("byte {at}: expected {expected}")]
    NotJson {
        /// Where it stops being one, in bytes from the start of the line.
        at: usize,
        /// What would have continued it.
        expected: &'static str,
    },
    /// It has the members of an envelope, but one is malformed.
    #[error("{member}: expected {expected}")]
    Member {
        /// The member.
        member: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// It is some other object.
    #[error("expected topic, partition and offset, or a canonical event")]
    Neither,
}

impl From<Fault> for BadLine {
    fn from(Fault { at, expected }: Fault) -> Self {
        Self::NotJson { at, expected }
    }
}

/// Room for strings that are written with escapes, used again from line to line.
#[derive(Debug, Default)]
pub struct Scratch {
    payload: Vec<u8>,
    key: Vec<u8>,
}

/// Reads a line. The payload, and a key with escapes, become copies; [`parse_line_into`] needs no new memory
/// for them.
///
/// # Errors
///
/// [`BadLine`] for whatever is neither an envelope nor a bare event, a blank line too.
pub fn parse_line(line: &[u8]) -> Result<Line<'_>, BadLine> {
    let mut room = Vec::new();
    let members = Members::scan(line, &mut room)?;
    let Some(place) = members.place()? else {
        return Ok(Line::Bare(line));
    };
    room.truncate(members.payload_bytes);
    let payload = members.string(members.payload).map(|_| Cow::Owned(room));
    let key = members
        .string(members.key)
        .map(|raw| own(raw, members.key.kind));
    Ok(Line::Envelope(place.envelope(payload, key)))
}

/// Reads a line; payload and key are written into `scratch` where they cannot be borrowed from the line.
///
/// # Errors
///
/// Like [`parse_line`].
pub fn parse_line_into<'a>(line: &'a [u8], scratch: &'a mut Scratch) -> Result<Line<'a>, BadLine> {
    let Scratch { payload: room, key } = scratch;
    let members = Members::scan(line, room)?;
    let Some(place) = members.place()? else {
        return Ok(Line::Bare(line));
    };
    let payload = members
        .string(members.payload)
        .map(|_| Cow::Borrowed(&room[..members.payload_bytes]));
    let key = members
        .string(members.key)
        .map(|raw| lend(raw, members.key.kind, key));
    Ok(Line::Envelope(place.envelope(payload, key)))
}

fn own(raw: &[u8], kind: Kind) -> Cow<'_, [u8]> {
    if kind == Kind::Plain {
        return Cow::Borrowed(raw);
    }
    let mut bytes = Vec::new();
    unescape_into(raw, &mut bytes);
    Cow::Owned(bytes)
}

fn lend<'a>(raw: &'a [u8], kind: Kind, room: &'a mut Vec<u8>) -> Cow<'a, [u8]> {
    if kind == Kind::Plain {
        return Cow::Borrowed(raw);
    }
    unescape_into(raw, room);
    Cow::Borrowed(room)
}

/// Where the members of an envelope stand in a line.
struct Members<'a> {
    line: &'a [u8],
    topic: Value,
    partition: Value,
    offset: Value,
    ts: Value,
    payload: Value,
    /// Length of what the payload stands for.
    payload_bytes: usize,
    key: Value,
    /// Whether a member stands there that only events have.
    event: bool,
}

impl<'a> Members<'a> {
    /// Finds the members; what the payload stands for is written to the front of `room`.
    fn scan(line: &'a [u8], room: &mut Vec<u8>) -> Result<Self, Fault> {
        const ABSENT: Value = Value::ABSENT;
        let mut members = Self {
            line,
            topic: ABSENT,
            partition: ABSENT,
            offset: ABSENT,
            ts: ABSENT,
            payload: ABSENT,
            payload_bytes: 0,
            key: ABSENT,
            event: false,
        };
        let mut scanner = Scanner::open(line)?;
        while let Some(name) = scanner.next_name()? {
            let raw = own(&line[name.range()], name.kind);
            if *raw == *b"payload" {
                // Most of a line: taken in the one pass that also finds its end.
                (members.payload, members.payload_bytes) = scanner.value_into(room)?;
            } else {
                members.put(&raw, scanner.value()?);
            }
        }
        scanner.finish()?;
        Ok(members)
    }

    fn put(&mut self, name: &[u8], value: Value) {
        let member = match name {
            b"topic" => &mut self.topic,
            b"partition" => &mut self.partition,
            b"offset" => &mut self.offset,
            b"ts" => &mut self.ts,
            b"key" => &mut self.key,
            b"type" | b"event_id" | b"payment_id" => {
                self.event = true;
                return;
            }
            _ => return,
        };
        *member = value;
    }

    /// Where the record of an envelope was read; `None` where the line is a bare event.
    fn place(&self) -> Result<Option<Place<'a>>, BadLine> {
        let bad = |member, expected| BadLine::Member { member, expected };
        let place = [self.topic, self.partition, self.offset];
        if place.iter().any(|value| value.kind == Kind::Null) {
            return if self.event {
                Ok(None)
            } else {
                Err(BadLine::Neither)
            };
        }
        if self.payload.kind != Kind::Null && self.string(self.payload).is_none() {
            return Err(bad("payload", "a string or null"));
        }
        let partition = self
            .integer(self.partition)
            .and_then(|number| i32::try_from(number).ok());
        let offset = self.integer(self.offset);
        Ok(Some(Place {
            topic: self.topic().ok_or(bad("topic", "a string in UTF-8"))?,
            partition: partition
                .filter(|&partition| partition >= 0)
                .ok_or(bad("partition", "an integer from 0 to 2^31 - 1"))?,
            offset: offset
                .filter(|&offset| offset >= 0)
                .ok_or(bad("offset", "an integer from 0 to 2^63 - 1"))?,
            ts: self.integer(self.ts).unwrap_or(Envelope::NO_TS),
        }))
    }

    fn topic(&self) -> Option<Cow<'a, str>> {
        match own(self.string(self.topic)?, self.topic.kind) {
            Cow::Borrowed(bytes) => core::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
        }
    }

    /// The inside of a value that is a string.
    fn string(&self, value: Value) -> Option<&'a [u8]> {
        matches!(value.kind, Kind::Plain | Kind::Escaped).then(|| &self.line[value.range()])
    }

    fn integer(&self, value: Value) -> Option<i64> {
        if value.kind != Kind::Number {
            return None;
        }
        core::str::from_utf8(&self.line[value.range()])
            .ok()?
            .parse()
            .ok()
    }
}

/// The members of an envelope that are no bytes.
struct Place<'a> {
    topic: Cow<'a, str>,
    partition: i32,
    offset: i64,
    ts: i64,
}

impl<'a> Place<'a> {
    fn envelope(self, payload: Option<Cow<'a, [u8]>>, key: Option<Cow<'a, [u8]>>) -> Envelope<'a> {
        let Self {
            topic,
            partition,
            offset,
            ts,
        } = self;
        Envelope {
            topic,
            partition,
            offset,
            ts,
            payload,
            key,
        }
    }
}

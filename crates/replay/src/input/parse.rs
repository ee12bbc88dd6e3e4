//! From a line to the record it stands for.

use std::borrow::Cow;

use settlewatch_wire::{Line, Scratch, parse_line_into};

use super::StreamSpec;
use super::bare::BareStreams;

/// A record as a line gives it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parsed<'a> {
    /// Number of the partition; `None` for a bare event, whose partition is its file.
    pub(crate) partition: Option<i32>,
    /// Offset; `None` for a bare event, whose offset is the number of its line.
    pub(crate) offset: Option<i64>,
    /// Rank of the stream.
    pub(crate) stream: u8,
    /// The timestamp as recorded, in milliseconds since 1970.
    pub(crate) ts_ms: i64,
    /// The record's value.
    pub(crate) payload: Option<Cow<'a, [u8]>>,
}

/// What lines are read against: the topics and the streams they belong to.
pub(crate) struct Parser {
    ranks: Vec<(String, u8)>,
    bare: BareStreams,
}

impl Parser {
    /// A parser for the records of `streams`; `None` when there are none.
    pub(crate) fn new(streams: &[StreamSpec]) -> Option<Self> {
        let ranks = streams
            .iter()
            .map(|stream| (stream.topic.clone(), stream.rank));
        Some(Self {
            ranks: ranks.collect(),
            bare: BareStreams::new(streams)?,
        })
    }

    /// How many ranks there may be: one more than the highest.
    pub(crate) fn ranks(&self) -> usize {
        let highest = self.ranks.iter().map(|(_, rank)| *rank).max();
        highest.map_or(0, |rank| usize::from(rank) + 1)
    }

    /// The record of a line, escapes written into `scratch`; `None` when it is none, or one of a topic that is
    /// not read.
    pub(crate) fn parse<'a>(&self, line: &'a [u8], scratch: &'a mut Scratch) -> Option<Parsed<'a>> {
        match parse_line_into(line, scratch).ok()? {
            Line::Envelope(record) => {
                let (_, stream) = self
                    .ranks
                    .iter()
                    .find(|(topic, _)| *topic == record.topic)?;
                Some(Parsed {
                    partition: Some(record.partition),
                    offset: Some(record.offset),
                    stream: *stream,
                    ts_ms: record.ts,
                    payload: record.payload,
                })
            }
            Line::Bare(event) => {
                let (stream, ts_ms) = self.bare.place(event);
                Some(Parsed {
                    partition: None,
                    offset: None,
                    stream,
                    ts_ms,
                    payload: Some(Cow::Borrowed(event)),
                })
            }
        }
    }
}

/// Whether there is nothing on a line.
pub(crate) fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

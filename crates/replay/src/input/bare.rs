//! Lines that are canonical events without an envelope: which stream and which time they stand for.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};

use super::StreamSpec;

/// Ranks of the streams that bare events are taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BareStreams {
    payments: u8,
    credits: u8,
    lifecycle: u8,
    auxiliary: u8,
}

impl BareStreams {
    /// The streams named `payments`, `credits` and `lifecycle`, and the first that is keyed otherwise. Where
    /// there is no such stream, the first one stands in (lifecycle for the auxiliary one).
    pub(crate) fn new(streams: &[StreamSpec]) -> Option<Self> {
        let first = streams.iter().map(|stream| stream.rank).min()?;
        let rank_where = |is_it: &dyn Fn(&StreamSpec) -> bool| {
            let ranks = streams
                .iter()
                .filter(|stream| is_it(stream))
                .map(|stream| stream.rank);
            ranks.min()
        };
        let named = |name: &str| rank_where(&|stream| stream.name == name);
        let lifecycle = named("lifecycle").unwrap_or(first);
        Some(Self {
            payments: named("payments").unwrap_or(first),
            credits: named("credits").unwrap_or(first),
            lifecycle,
            auxiliary: rank_where(&|stream| stream.keyed_other).unwrap_or(lifecycle),
        })
    }

    fn of(self, kind: &str) -> u8 {
        match kind {
            "payment.succeeded" => self.payments,
            "terminal.credited" => self.credits,
            "terminal.heartbeat" | "account.status" | "batch.settled" | "marker" => self.auxiliary,
            _ => self.lifecycle,
        }
    }

    /// The rank of the stream and the timestamp, in milliseconds since 1970, that `event` stands for. An
    /// event that cannot be read has the timestamp -1, which no clock believes.
    pub(crate) fn place(self, event: &[u8]) -> (u8, i64) {
        let Peek { kind, occurred_at } = Peek::of(event);
        let time = occurred_at.and_then(|text| settlewatch_wire::parse_time(&text));
        (
            self.of(&kind.unwrap_or_default()),
            time.map_or(-1, |time| time.millis()),
        )
    }
}

/// The two members that place an event; `None` where they are absent or no strings.
#[derive(Debug, Default, PartialEq, Eq)]
struct Peek<'a> {
    kind: Option<Cow<'a, str>>,
    occurred_at: Option<Cow<'a, str>>,
}

impl<'a> Peek<'a> {
    /// Reads as far as `event` is JSON: whether it is valid is for the decoder to say.
    fn of(event: &'a [u8]) -> Self {
        let mut peek = Self::default();
        let mut json = serde_json::Deserializer::from_slice(event);
        // An error only ends the reading: what was found until then counts.
        let _ = json.deserialize_map(PeekVisitor(&mut peek));
        peek
    }
}

struct PeekVisitor<'p, 'a>(&'p mut Peek<'a>);

impl<'a> Visitor<'a> for PeekVisitor<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(TextOr(key)) = map.next_key()? {
            match key.as_deref() {
                Some("type") => self.0.kind = map.next_value::<TextOr<'a>>()?.0,
                Some("occurred_at") => self.0.occurred_at = map.next_value::<TextOr<'a>>()?.0,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// A string, or anything else as `None`.
struct TextOr<'a>(Option<Cow<'a, str>>);

impl<'a> serde::Deserialize<'a> for TextOr<'a> {
    fn deserialize<D: serde::Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrVisitor)
    }
}

struct TextOrVisitor;

impl<'a> Visitor<'a> for TextOrVisitor {
    type Value = TextOr<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Self::Value, E> {
        Ok(TextOr(Some(Cow::Borrowed(text))))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(TextOr(Some(Cow::Owned(text.to_owned()))))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(TextOr(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(TextOr(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(TextOr(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(TextOr(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(TextOr(None))
    }

    fn visit_seq<A: serde::de::SeqAccess<'a>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(TextOr(None))
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(TextOr(None))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn stream(name: &str, rank: u8, keyed_other: bool) -> StreamSpec {
        StreamSpec {
            name: name.into(),
            topic: format!("topic.{name}"),
            rank,
            keyed_other,
        }
    }

    #[test]
    fn the_type_chooses_the_stream_and_the_business_time_the_clock() {
        let streams = [
            stream("payments", 0, false),
            stream("credits", 1, false),
            stream("lifecycle", 2, false),
            stream("more", 3, false),
            stream("terminals", 4, true),
        ];
        let bare = BareStreams::new(&streams).unwrap();
        let place = |event: &str| bare.place(event.as_bytes());
        let at = r#""occurred_at":"1970-01-01T01:00:01+01:00""#;
        assert_eq!(
            place(&format!(r#"{{"type":"payment.succeeded",{at}}}"#)),
            (0, 1000)
        );
        assert_eq!(
            place(&format!(r#"{{{at},"type":"terminal.credited"}}"#)),
            (1, 1000)
        );
        assert_eq!(
            place(r#"{"type":"payment.refunded","occurred_at":"yesterday"}"#),
            (2, -1)
        );
        assert_eq!(place(r#"{"type":"marker","occurred_at":7}"#), (4, -1));
        assert_eq!(
            place(r#"{"type":"terminal.heartbeat","type":"payment.held"}"#),
            (2, -1)
        );
        assert_eq!(
            place(r#"{"type":["marker"],"x":{"type":"marker"}}"#),
            (2, -1)
        );
    }

    #[test]
    fn streams_that_are_not_configured_are_stood_in_for() {
        let only = BareStreams::new(&[stream("money", 5, false)]).unwrap();
        for kind in [
            "payment.succeeded",
            "terminal.credited",
            "marker",
            "nonsense",
        ] {
            assert_eq!(only.of(kind), 5);
        }
        assert_eq!(BareStreams::new(&[]), None);
    }

    #[test]
    fn broken_events_are_read_as_far_as_they_go() {
        let peek = Peek::of(br#"{"type":"payment.held","x":[1,{"y":2}],"occurred_at":"T","z":"#);
        assert_eq!(peek.kind.as_deref(), Some("payment.held"));
        assert_eq!(peek.occurred_at.as_deref(), Some("T"));
        for hostile in [&b"[]"[..], b"", b"\xff", b"{\"type\":\"\xff\"}"] {
            assert_eq!(Peek::of(hostile), Peek::default());
        }
        let deep = [br#"{"type":"marker","x":"#.to_vec(), vec![b'['; 100_000]].concat();
        assert_eq!(Peek::of(&deep).kind.as_deref(), Some("marker"));
    }
}

//! Events of a case: canonical fields, or a verb and its payment.

use serde_json::{Map, Value};
use settlewatch_config::{Config, Document, Field, Part};
use settlewatch_join::Timestamp;
use settlewatch_wire::{Limits, check_stream, decode, format_time};

use super::clock::Clock;
use super::fields::{self, OF_EVENTS};

/// Verbs, the types they stand for, and the streams on which those usually arrive.
const VERBS: &[(&str, &str)] = &[
    ("pay", "payment.succeeded"),
    ("credit", "terminal.credited"),
    ("authorize", "payment.authorized"),
    ("refund", "payment.refunded"),
    ("reverse", "payment.reversed"),
    ("hold", "payment.held"),
    ("release", "payment.released"),
    ("decline", "payment.declined"),
    ("reject", "credit.rejected"),
];

/// Types without a verb.
const OTHER_TYPES: &[&str] = &[
    "payment.stage",
    "terminal.heartbeat",
    "account.status",
    "batch.settled",
    "marker",
];

/// What reading events needs to know.
pub(crate) struct Reader<'s> {
    pub(crate) document: &'s Document,
    pub(crate) config: &'s Config,
    pub(crate) clock: &'s Clock,
    /// Fields that every payment has unless it says otherwise.
    pub(crate) payment: Option<Part<'s>>,
}

/// An event at its time, not yet at its place.
pub(crate) struct Draft {
    pub(crate) at: Timestamp,
    pub(crate) stream: u8,
    pub(crate) payload: Vec<u8>,
}

impl Reader<'_> {
    /// The event that `part` writes, the `number`-th of its case; `None` where it is wrong, which has been noted.
    pub(crate) fn event(&self, part: Part<'_>, number: usize) -> Option<Draft> {
        let Some(fields) = part.fields() else {
            self.document.error(
                part.spot(),
                format!("an event must be a map, not {}", part.kind()),
                "write `{at: \"12:00:00\", pay: P1}`",
            );
            return None;
        };
        let mut json = Map::new();
        let mut fine = true;
        for field in fields {
            fine &= self.field(&field, &mut json);
        }
        let at = self.at(part);
        let kind = self.kind(part, &json);
        let (at, kind) = (at?, kind?);
        if kind == "payment.succeeded" {
            fine &= self.add_defaults(&mut json);
        }
        json.entry("event_id")
            .or_insert_with(|| format!("event {number}").into());
        json.entry("occurred_at")
            .or_insert_with(|| format_time(at).to_string().into());
        let stream = self.stream(part, &kind)?;
        json.insert("type".into(), kind.into());
        if !fine {
            return None;
        }
        let payload = Value::Object(json).to_string().into_bytes();
        self.accepted(part, stream, &payload).then_some(Draft {
            at,
            stream,
            payload,
        })
    }

    /// Takes a field in; whether it is right.
    fn field(&self, field: &Field<'_>, json: &mut Map<String, Value>) -> bool {
        if matches!(field.key, "at" | "stream") {
            return true;
        }
        if field.key == "type" {
            let kind = field.value.text().unwrap_or_default();
            json.insert("type".into(), kind.into());
            return true;
        }
        if let Some((_, kind)) = VERBS.iter().find(|(verb, _)| *verb == field.key) {
            let id = field.value.text().unwrap_or_default();
            if json.contains_key("type") || json.contains_key("payment_id") {
                self.document.error(
                    field.spot,
                    format!("`{}` says type and payment a second time", field.key),
                    "keep one verb, or `type` and `payment_id`",
                );
                return false;
            }
            json.insert("type".into(), (*kind).into());
            json.insert("payment_id".into(), id.into());
            return true;
        }
        let Some((name, kind)) = OF_EVENTS.iter().find(|(name, _)| *name == field.key) else {
            self.document.unknown_key(field, &known_keys());
            return false;
        };
        match fields::value(self.document, self.clock, field, *kind) {
            Some(value) => json.insert((*name).to_owned(), value),
            None => return false,
        };
        true
    }

    fn at(&self, part: Part<'_>) -> Option<Timestamp> {
        let Some(at) = part.get("at") else {
            self.document.error(
                part.spot(),
                "the event has no time",
                "add `at: \"12:00:00\"` or `at: +30s`",
            );
            return None;
        };
        fields::time(self.document, self.clock, at, "at")
    }

    fn kind(&self, part: Part<'_>, json: &Map<String, Value>) -> Option<String> {
        let Some(kind) = json.get("type").and_then(Value::as_str) else {
            let remedy = "add a verb and its payment (`pay: P1`, `credit: P1`), or `type: …` with the fields of that \
                          type";
            self.document
                .error(part.spot(), "the event does not say what happens", remedy);
            return None;
        };
        let types: Vec<&str> = VERBS
            .iter()
            .map(|(_, kind)| *kind)
            .chain(OTHER_TYPES.iter().copied())
            .collect();
        if !types.contains(&kind) {
            let spot = part.get("type").unwrap_or(part).spot();
            self.document.unknown_word(spot, "type", kind, &types);
            return None;
        }
        Some(kind.to_owned())
    }

    /// Adds the fields that every payment has; whether they are right.
    fn add_defaults(&self, json: &mut Map<String, Value>) -> bool {
        let mut fine = true;
        for field in self.payment.and_then(Part::fields).into_iter().flatten() {
            let Some((name, kind)) = OF_EVENTS.iter().find(|(name, _)| *name == field.key) else {
                let known: Vec<&str> = OF_EVENTS.iter().map(|(name, _)| *name).collect();
                self.document.unknown_key(&field, &known);
                fine = false;
                continue;
            };
            match fields::value(self.document, self.clock, &field, *kind) {
                Some(value) => {
                    json.entry(*name).or_insert(value);
                }
                None => fine = false,
            }
        }
        fine
    }

    /// Rank of the stream on which the event arrives.
    fn stream(&self, part: Part<'_>, kind: &str) -> Option<u8> {
        let streams = &self.config.streams;
        let at = match part.get("stream") {
            Some(named) => {
                let name = named.text().unwrap_or_default();
                let found = streams.iter().position(|stream| stream.name == name);
                if found.is_none() {
                    let names: Vec<&str> =
                        streams.iter().map(|stream| stream.name.as_str()).collect();
                    self.document
                        .unknown_word(named.spot(), "stream", name, &names);
                }
                found?
            }
            None => self.usual_stream(kind),
        };
        u8::try_from(at).ok()
    }

    /// Where events of a type usually arrive; where there is no such stream, on the first: the type alone says what
    /// they mean.
    fn usual_stream(&self, kind: &str) -> usize {
        let streams = &self.config.streams;
        let named = |name: &str| streams.iter().position(|stream| stream.name == name);
        let found = match kind {
            "payment.succeeded" => named("payments"),
            "terminal.credited" => named("credits"),
            "terminal.heartbeat" | "account.status" | "batch.settled" | "marker" => {
                streams.iter().position(|stream| stream.keyed_other)
            }
            _ => named("lifecycle"),
        };
        found.unwrap_or(0)
    }

    /// Whether the engine accepts the record: a case about a record that nobody reads would show nothing.
    fn accepted(&self, part: Part<'_>, stream: u8, payload: &[u8]) -> bool {
        let limits = Limits {
            record_bytes: self.config.limits.record_bytes,
        };
        let keyed_other = self.config.streams[usize::from(stream)].keyed_other;
        let decoded =
            decode(Some(payload), &limits).and_then(|event| check_stream(&event, keyed_other));
        if let Err(rejection) = &decoded {
            self.document.error(
                part.spot(),
                format!("this record would be rejected: {rejection}"),
                "write what its type requires; `payment:` at the top of the file holds what all payments have in common",
            );
        }
        decoded.is_ok()
    }
}

fn known_keys() -> Vec<&'static str> {
    let verbs = VERBS.iter().map(|(verb, _)| *verb);
    let fields = OF_EVENTS.iter().map(|(name, _)| *name);
    ["at", "type", "stream"]
        .into_iter()
        .chain(verbs)
        .chain(fields)
        .collect()
}

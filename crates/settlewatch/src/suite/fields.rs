//! The fields that cases may write, and what their values are.

use serde_json::{Map, Value};
use settlewatch_config::{Document, Field, Part};
use settlewatch_join::event::{RefusalClass, SettleMode};
use settlewatch_join::{AlertKind, Resolution, Verdict};
use settlewatch_wire::format_time;

use super::clock::{Clock, TIME_REMEDY};

/// What a value is.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Text,
    Integer,
    Flag,
    Time,
    /// One of these words.
    Word(fn() -> Vec<&'static str>),
    /// Names and texts.
    Texts,
}

/// A field: its name, and what its value is.
pub(crate) type Known = (&'static str, Kind);

/// Fields of canonical events.
pub(crate) const OF_EVENTS: &[Known] = &[
    ("tenant", Kind::Text),
    ("event_id", Kind::Text),
    ("occurred_at", Kind::Time),
    ("payment_id", Kind::Text),
    ("channel", Kind::Text),
    ("merchant_id", Kind::Text),
    ("terminal_id", Kind::Text),
    ("amount_minor", Kind::Integer),
    ("currency", Kind::Text),
    ("fee_minor", Kind::Integer),
    ("order_amount_minor", Kind::Integer),
    ("settle_mode", Kind::Word(settle_modes)),
    ("expected_credit_by", Kind::Time),
    ("payer_hash", Kind::Text),
    ("gateway", Kind::Text),
    ("acquirer", Kind::Text),
    ("connector", Kind::Text),
    ("store_id", Kind::Text),
    ("region", Kind::Text),
    ("carrier", Kind::Text),
    ("terminal_model", Kind::Text),
    ("pos_vendor", Kind::Text),
    ("app_version", Kind::Text),
    ("method", Kind::Text),
    ("mcc", Kind::Text),
    ("attrs", Kind::Texts),
    ("credit_id", Kind::Text),
    ("partial", Kind::Flag),
    ("batch_id", Kind::Text),
    ("refund_id", Kind::Text),
    ("status", Kind::Text),
    ("reason", Kind::Text),
    ("expected_release_at", Kind::Time),
    ("code", Kind::Text),
    ("class", Kind::Word(classes)),
    ("stage", Kind::Text),
    ("network", Kind::Text),
    ("rssi_dbm", Kind::Integer),
    ("queue_depth", Kind::Integer),
    ("error_code", Kind::Text),
    ("uptime_s", Kind::Integer),
    ("signed_in", Kind::Flag),
    ("settle_date", Kind::Text),
    ("count", Kind::Integer),
    ("total_minor", Kind::Integer),
    ("kind", Kind::Text),
    ("scope", Kind::Texts),
    ("starts_at", Kind::Time),
    ("ends_at", Kind::Time),
];

/// Fields of alerts; `at` is `decided_at`.
pub(crate) const OF_ALERTS: &[Known] = &[
    ("decided_at", Kind::Time),
    ("kind", Kind::Word(alert_kinds)),
    ("payment_id", Kind::Text),
    ("state", Kind::Word(states)),
    ("tier", Kind::Text),
    ("resolution", Kind::Word(resolutions)),
    ("verdict", Kind::Word(verdicts)),
    ("revision", Kind::Integer),
    ("tenant", Kind::Text),
    ("channel", Kind::Text),
    ("merchant_id", Kind::Text),
    ("terminal_id", Kind::Text),
    ("amount_minor", Kind::Integer),
    ("currency", Kind::Text),
    ("paid_at", Kind::Time),
    ("deadline", Kind::Time),
    ("lag_ms", Kind::Integer),
    ("related_payment_id", Kind::Text),
    ("dimensions", Kind::Texts),
];

fn settle_modes() -> Vec<&'static str> {
    SettleMode::ALL.iter().map(|word| word.as_str()).collect()
}

fn classes() -> Vec<&'static str> {
    RefusalClass::ALL.iter().map(|word| word.as_str()).collect()
}

fn alert_kinds() -> Vec<&'static str> {
    AlertKind::ALL.iter().map(|word| word.as_str()).collect()
}

fn states() -> Vec<&'static str> {
    vec!["open", "resolved"]
}

fn resolutions() -> Vec<&'static str> {
    Resolution::ALL.iter().map(|word| word.as_str()).collect()
}

fn verdicts() -> Vec<&'static str> {
    Verdict::ALL.iter().map(|word| word.as_str()).collect()
}

/// The value of a field as JSON; `None` where it is wrong, which has been noted.
pub(crate) fn value(
    document: &Document,
    clock: &Clock,
    field: &Field<'_>,
    kind: Kind,
) -> Option<Value> {
    if field.value.is_null() {
        return Some(Value::Null);
    }
    if let Kind::Texts = kind {
        return texts(document, field);
    }
    let Some(text) = field.value.text() else {
        wrong(document, field, "must be a single value", "write one value");
        return None;
    };
    match kind {
        Kind::Text | Kind::Texts => Some(text.into()),
        Kind::Integer => integer(document, field, text),
        Kind::Flag => match text {
            "true" => Some(true.into()),
            "false" => Some(false.into()),
            _ => {
                wrong(
                    document,
                    field,
                    "is neither `true` nor `false`",
                    "write `true` or `false`",
                );
                None
            }
        },
        Kind::Time => {
            let at = time(document, clock, field.value, field.key)?;
            Some(format_time(at).to_string().into())
        }
        Kind::Word(words) => {
            let words = words();
            if words.contains(&text) {
                return Some(text.into());
            }
            document.unknown_word(field.value.spot(), field.key, text, &words);
            None
        }
    }
}

/// A time; `None` where it is none, which has been noted.
pub(crate) fn time(
    document: &Document,
    clock: &Clock,
    part: Part<'_>,
    key: &str,
) -> Option<settlewatch_join::Timestamp> {
    let text = part.text().unwrap_or_default();
    let at = clock.time(text);
    if at.is_none() {
        let message = format!("`{key}` is not a time: `{text}`");
        document.error(part.spot(), message, TIME_REMEDY);
    }
    at
}

fn integer(document: &Document, field: &Field<'_>, text: &str) -> Option<Value> {
    let number = text.parse::<i64>();
    if number.is_err() {
        wrong(
            document,
            field,
            &format!("is not a whole number: `{text}`"),
            "write digits only; money is in minor units: 12800 for 128.00",
        );
    }
    number.ok().map(Value::from)
}

fn texts(document: &Document, field: &Field<'_>) -> Option<Value> {
    let Some(fields) = field.value.fields() else {
        wrong(
            document,
            field,
            "must be a map",
            "write `{name: value, other: value}`",
        );
        return None;
    };
    let texts = fields.map(|field| {
        let text = field.value.text().unwrap_or_default();
        (field.key.to_owned(), Value::from(text))
    });
    Some(Value::Object(texts.collect::<Map<_, _>>()))
}

fn wrong(document: &Document, field: &Field<'_>, what: &str, remedy: &str) {
    document.error(
        field.value.spot(),
        format!("`{}` {what}", field.key),
        remedy,
    );
}

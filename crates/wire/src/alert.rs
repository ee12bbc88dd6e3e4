//! Alerts as JSON: one line a revision.

use std::fmt::Display;

use serde::ser::{Serialize, SerializeMap, Serializer};
use settlewatch_join::{Alert, Timestamp};

use crate::time::format_time;

/// The schema that every line names.
const SCHEMA: &str = "settlewatch.alert/1";

/// An alert revision that serialises to its line.
#[derive(Clone, Copy, Debug)]
pub struct AlertLine<'a>(pub &'a Alert);

/// Anything that prints, as a JSON string.
struct Shown<T>(T);

impl<T: Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

fn time(at: Timestamp) -> Shown<impl Display> {
    Shown(format_time(at))
}

/// Names and values, as a JSON object in their order.
struct Pairs<'a>(&'a [(String, String)]);

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl Serialize for AlertLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let alert = self.0;
        let state = if alert.resolution.is_some() {
            "resolved"
        } else {
            "open"
        };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema", SCHEMA)?;
        map.serialize_entry("alert_id", &Shown(alert.alert_id))?;
        map.serialize_entry("revision", &alert.revision)?;
        if let Some(tenant) = &alert.tenant {
            map.serialize_entry("tenant", tenant)?;
        }
        map.serialize_entry("payment_id", &alert.payment_id)?;
        map.serialize_entry("kind", alert.kind.as_str())?;
        map.serialize_entry("state", state)?;
        map.serialize_entry("tier", &alert.tier)?;
        map.serialize_entry("channel", &alert.channel)?;
        map.serialize_entry("merchant_id", &alert.merchant_id)?;
        map.serialize_entry("terminal_id", &alert.terminal_id)?;
        map.serialize_entry("amount_minor", &alert.amount_minor)?;
        map.serialize_entry("currency", &alert.currency.map(Shown))?;
        map.serialize_entry("paid_at", &alert.paid_at.map(time))?;
        map.serialize_entry("deadline", &alert.deadline.map(time))?;
        map.serialize_entry("decided_at", &time(alert.decided_at))?;
        map.serialize_entry(
            "resolution",
            &alert.resolution.map(|resolution| resolution.as_str()),
        )?;
        map.serialize_entry("lag_ms", &alert.lag_ms)?;
        map.serialize_entry("verdict", &alert.verdict.map(|verdict| verdict.as_str()))?;
        map.serialize_entry("related_payment_id", &alert.related_payment_id)?;
        map.serialize_entry("dimensions", &alert.dimensions.as_deref().map(Pairs))?;
        map.end()
    }
}

//! What a replay wrote, read as far as it is drawn.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, de};

/// Milliseconds since 1970.
pub(crate) type TimeMs = i64;

/// The alert that a payment without its credit raises.
const CREDIT_MISSING: &str = "credit_missing";

/// The files of a replay that are drawn.
#[derive(Clone, Debug)]
pub struct Replayed {
    pub(crate) rows: Vec<Row>,
    pub(crate) alerts: Vec<Alert>,
    pub(crate) summary: Summary,
}

/// A line of `channels.ndjson`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Row {
    #[serde(rename = "minute", deserialize_with = "time")]
    pub(crate) minute_ms: TimeMs,
    pub(crate) channel: String,
    pub(crate) payments: i64,
    pub(crate) credits: i64,
    pub(crate) pending: i64,
    pub(crate) overdue: i64,
    pub(crate) lag_p50_ms: Option<i64>,
    pub(crate) lag_p95_ms: Option<i64>,
}

/// A line of `alerts.ndjson`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Alert {
    alert_id: String,
    pub(crate) kind: String,
    state: String,
    pub(crate) tier: String,
    channel: Option<String>,
    #[serde(rename = "decided_at", deserialize_with = "time")]
    pub(crate) decided_ms: TimeMs,
    pub(crate) resolution: Option<String>,
}

/// `summary.json`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Summary {
    #[serde(rename = "from", deserialize_with = "time")]
    pub(crate) from_ms: TimeMs,
    #[serde(rename = "to", deserialize_with = "time")]
    pub(crate) to_ms: TimeMs,
    /// Payments by what became of them.
    #[serde(flatten)]
    pub(crate) counts: Parts<u64>,
    /// Money in minor units, in decimal digits, by currency.
    pub(crate) amount_minor: BTreeMap<String, Parts<String>>,
}

/// The parts of the sums: payments are the four that follow, overdue is a part of pending.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Parts<T> {
    pub(crate) payments: T,
    pub(crate) credited: T,
    pub(crate) explained: T,
    pub(crate) written_off: T,
    pub(crate) pending: T,
    pub(crate) overdue: T,
}

impl Replayed {
    /// Reads the bytes of `channels.ndjson`, `alerts.ndjson` and `summary.json`.
    ///
    /// # Errors
    /// When one is not what a replay of at least one record writes.
    pub fn read(channels: &[u8], alerts: &[u8], summary: &[u8]) -> serde_json::Result<Self> {
        Ok(Self {
            rows: lines(channels)?,
            alerts: lines(alerts)?,
            summary: serde_json::from_slice(summary)?,
        })
    }

    /// Every channel that has a row or an alert.
    pub(crate) fn channels(&self) -> BTreeSet<&str> {
        let rows = self.rows.iter().map(|row| row.channel.as_str());
        let alerts = self.alerts.iter().filter_map(|a| a.channel.as_deref());
        rows.chain(alerts).collect()
    }

    pub(crate) fn rows_of<'a>(&'a self, channel: &'a str) -> impl Iterator<Item = &'a Row> {
        self.rows.iter().filter(move |row| row.channel == channel)
    }

    pub(crate) fn alerts_of<'a>(&'a self, channel: &'a str) -> impl Iterator<Item = &'a Alert> {
        let is_of = move |alert: &&Alert| alert.channel.as_deref() == Some(channel);
        self.alerts.iter().filter(is_of)
    }

    /// Where a row's minute ends: the last one with the clock.
    pub(crate) fn end_ms(&self, row: &Row) -> TimeMs {
        (row.minute_ms + 60_000).min(self.summary.to_ms)
    }

    /// How many payments are overdue from each moment on: to the millisecond, because alerts say when they open
    /// and resolve.
    pub(crate) fn overdue(&self, channel: &str) -> Vec<(TimeMs, i64)> {
        let mut open = BTreeSet::new();
        let mut steps = vec![(self.summary.from_ms, 0)];
        let missing = self.alerts_of(channel).filter(|alert| alert.is_missing());
        for alert in missing {
            if alert.is_open() {
                open.insert(&alert.alert_id);
            } else {
                open.remove(&alert.alert_id);
            }
            let count = i64::try_from(open.len()).expect("a count of lines");
            steps.push((alert.decided_ms, count));
        }
        steps
    }

    /// Minutes of `channels.ndjson` in which the alerts tell another number of overdue payments, as (minute,
    /// channel, row, alerts).
    pub fn disagreements(&self) -> Vec<(i64, String, i64, i64)> {
        let said = self.rows.iter().map(|row| {
            let steps = self.overdue(&row.channel);
            let mut passed = steps.iter().filter(|(at, _)| *at <= self.end_ms(row));
            let told = passed.next_back().map_or(0, |(_, count)| *count);
            (row.minute_ms, row.channel.clone(), row.overdue, told)
        });
        said.filter(|(_, _, row, told)| row != told).collect()
    }
}

impl Alert {
    pub(crate) fn is_open(&self) -> bool {
        self.state == "open"
    }

    pub(crate) fn is_missing(&self) -> bool {
        self.kind == CREDIT_MISSING
    }
}

fn lines<T: de::DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<Vec<T>> {
    let lines = bytes.split(|&byte| byte == b'\n');
    let full = lines.filter(|line| !line.is_empty());
    full.map(serde_json::from_slice).collect()
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TimeMs, D::Error> {
    let text = String::deserialize(deserializer)?;
    let time: jiff::Timestamp = text.parse().map_err(de::Error::custom)?;
    Ok(time.as_millisecond())
}

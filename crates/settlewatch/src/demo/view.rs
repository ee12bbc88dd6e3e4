//! What there is to see at a moment, taken from the service as anybody else would: its figures and its alerts.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use settlewatch_join::event::Currency;
use settlewatch_join::{Book, Timestamp};
use settlewatch_serve::{Figures, Metrics};

use super::story::Scene;
use crate::incidents::Told;

/// Points of a sparkline.
pub(super) const POINTS: usize = 30;

/// Alerts that are kept for the list.
const ALERTS: usize = 100;

/// A revision of an alert, as it was read from its topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// When it was decided.
    pub(super) decided_at: Timestamp,
    /// What is wrong.
    pub(super) kind: String,
    /// The tier, or how it ended.
    pub(super) state: String,
    /// Whether it is resolved.
    pub(super) resolved: bool,
    /// Whether nothing was said of it before: the next tier is the same alert.
    pub(super) first: bool,
    /// The channel, or `-`.
    pub(super) channel: String,
    /// Amount in minor units and currency.
    pub(super) amount: Option<(i128, String)>,
    /// The payment.
    pub(super) payment_id: String,
}

impl Line {
    /// From the bytes of a record of the alerts topic.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(bytes).ok()?;
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        let resolution = text("resolution");
        Some(Self {
            decided_at: settlewatch_wire::parse_time(value["decided_at"].as_str()?)?,
            kind: text("kind")?,
            resolved: resolution.is_some(),
            first: value["revision"] == 1,
            state: resolution.or_else(|| text("tier"))?,
            channel: text("channel").unwrap_or_else(|| "-".into()),
            amount: value["amount_minor"]
                .as_i64()
                .map(i128::from)
                .zip(text("currency")),
            payment_id: text("payment_id")?,
        })
    }
}

/// One channel.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) figures: Figures,
    /// The 95th percentile of the last seconds in milliseconds, the latest last; `None` where it was not known.
    pub(super) p95: Vec<Option<u64>>,
}

/// Everything to see.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    pub(super) rows: Vec<Row>,
    /// Accounts by currency.
    pub(super) books: Vec<(Currency, Book)>,
    /// The last revisions, the latest first.
    pub(super) alerts: VecDeque<Line>,
    /// Revisions that opened an alert or passed a tier, and that resolved one, by kind.
    pub(super) counts: BTreeMap<String, (u64, u64)>,
    /// How far behind real time our knowledge is.
    pub(super) behind: Option<Duration>,
    /// Incidents as they are now.
    pub(super) incidents: BTreeMap<String, Told>,
    pub(super) elapsed: Duration,
    pub(super) scene: Option<Scene>,
}

/// Collects what there is to see.
pub(super) struct Watcher {
    metrics: Metrics,
    history: BTreeMap<Arc<str>, VecDeque<Option<u64>>>,
    view: View,
}

impl Watcher {
    pub(super) fn new(metrics: Metrics) -> Self {
        Self {
            metrics,
            history: BTreeMap::new(),
            view: View::default(),
        }
    }

    /// An alert was read.
    pub(super) fn alert(&mut self, line: Line) {
        let (raised, resolved) = self.view.counts.entry(line.kind.clone()).or_default();
        *raised += u64::from(line.first);
        *resolved += u64::from(line.resolved);
        self.view.alerts.push_front(line);
        self.view.alerts.truncate(ALERTS);
    }

    /// A revision of an incident was read.
    pub(super) fn incident(&mut self, told: Told) {
        let id = told.text("incident_id").to_owned();
        self.view.incidents.insert(id, told);
    }

    /// A second of the sparklines has passed.
    pub(super) fn tick(&mut self) {
        for figures in self.metrics.channels() {
            let points = self.history.entry(figures.channel).or_default();
            points.push_back(figures.lag_ms[1]);
            if points.len() > POINTS {
                points.pop_front();
            }
        }
    }

    /// What there is to see now.
    pub(super) fn look(&mut self, elapsed: Duration, scene: Scene) -> &View {
        let lanes = self.metrics.lanes();
        let known = lanes
            .iter()
            .flat_map(|(_, _, lane)| &lane.known)
            .map(|&(_, _, known)| known)
            .min();
        let now = lanes
            .iter()
            .filter_map(|(_, _, lane)| lane.broker_now())
            .max();
        self.view.behind = now
            .zip(known)
            .map(|(now, known)| Duration::from_millis(now.since(known).max(0).unsigned_abs()));
        self.view.books = self.metrics.accounts();
        self.view.rows = self.rows();
        self.view.elapsed = elapsed;
        self.view.scene = Some(scene);
        &self.view
    }

    fn rows(&self) -> Vec<Row> {
        let rows = self.metrics.channels().into_iter().map(|figures| Row {
            p95: self
                .history
                .get(&figures.channel)
                .map_or_else(Vec::new, |points| points.iter().copied().collect()),
            figures,
        });
        rows.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_is_read_as_the_service_writes_it() {
        let line = Line::read(
            br#"{"kind":"credit_missing","state":"resolved","resolution":"credited_late","tier":"warn",
                "channel":"alipay","amount_minor":12800,"currency":"CNY","payment_id":"P1",
                "decided_at":"2026-03-10T02:00:00.500Z"}"#,
        );
        let line = line.expect("it is an alert");
        assert!(line.resolved);
        assert_eq!(line.state, "credited_late");
        assert_eq!(line.amount, Some((12_800, "CNY".into())));
        assert_eq!(Line::read(b"{}"), None);
    }
}

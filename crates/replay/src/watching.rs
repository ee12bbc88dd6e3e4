//! The watch beside the engine: its pulses, second by second, and the incidents that come of them.

use std::collections::BTreeMap;

use settlewatch_config::Config;
use settlewatch_join::{Alert, Flow, Outcome, Place, Record, Timestamp};
use settlewatch_watch::incident::Incident;
use settlewatch_watch::pulse::{Collector, CollectorSettings, Dims, Pulse};
use settlewatch_watch::{GatewayRow, Heartbeat, Watch, WatchSettings};

/// Seconds in which nothing comes are looked at so long; then the watch waits for the next record.
const QUIET_S: i64 = 3600;

/// What a watch depends on, by the configuration.
pub fn watch_settings(config: &Config) -> WatchSettings {
    let feeds = &config.feeds;
    let rates = config.fees.contract_rates.iter();
    let streams = config.streams.iter();
    WatchSettings {
        dims: Dims::new(&config.settings.dimensions),
        streams: streams.map(|stream| stream.name.clone()).collect(),
        heartbeat: feeds.heartbeat.map(|feed| Heartbeat {
            interval: feed.interval,
            offline_after: feed.offline_after,
        }),
        account_feed: feeds.account_status,
        batch_feed: feeds.batch_settled,
        marker_feed: feeds.markers,
        to_batch_date_s: to_batch_date_s(config),
        critical_minor: config.incidents.critical_minor.clone(),
        objective_ppm: config.incidents.objective.0,
        reopen_within: config.incidents.reopen_within,
        pattern_cases: config.incidents.pattern.cases,
        pattern_within: config.incidents.pattern.within,
        contract_ppm: rates.map(|rate| u64::from(rate.0)).collect(),
        names: WatchSettings::NAMES,
    }
}

/// Seconds from a first deadline to the date of its batch: by the first calendar, and the shortest first tier of rules that
/// have one.
fn to_batch_date_s(config: &Config) -> i64 {
    let calendar = config.calendars.first();
    let ahead_s = calendar.map_or(0, |calendar| calendar.coverage.ahead_s());
    let rules = config
        .settings
        .rules
        .iter()
        .filter(|rule| rule.due.is_some());
    let tiers_ms = rules.filter_map(|rule| rule.tiers.first().map(|tier| tier.after.millis()));
    let tier_s = tiers_ms.min().unwrap_or(0) / 1000;
    ahead_s - i64::try_from(tier_s).unwrap_or(0)
}

/// What the pulses of a configuration depend on.
pub fn collector_settings(config: &Config) -> CollectorSettings {
    let ack = config.feeds.merchant_ack;
    CollectorSettings {
        dims: Dims::new(&config.settings.dimensions),
        merchant_ack: ack.map(|ack| (ack.late, ack.keep)),
        share_ppm: config.watch.share.0,
        open_limit: config.limits.waiting_payments,
    }
}

/// The watch of a replay.
pub struct Watching {
    collector: Collector,
    watch: Watch,
    /// The next second that is to end.
    next_s: i64,
    /// The last second in which something came.
    busy_s: i64,
    revisions: Vec<Incident>,
    gateway_rows: Vec<GatewayRow>,
    /// The verdict of each incident, as it was said last.
    verdicts: BTreeMap<String, &'static str>,
    stopped: bool,
    /// The pulses themselves, where somebody wants them.
    pulses: Option<Vec<Pulse>>,
}

impl Watching {
    /// A watch whose first record is appended at `first`.
    pub fn new(config: &Config, first: Timestamp) -> Self {
        let second = first.millis().div_euclid(1000);
        Self {
            collector: Collector::new(collector_settings(config), first),
            watch: Watch::new(watch_settings(config)),
            next_s: second,
            busy_s: second,
            revisions: Vec::new(),
            gateway_rows: Vec::new(),
            verdicts: BTreeMap::new(),
            stopped: false,
            pulses: None,
        }
    }

    /// Keeps the pulses too, until they are taken.
    #[must_use]
    pub fn keeping_pulses(mut self) -> Self {
        self.pulses = Some(Vec::new());
        self
    }

    pub(crate) fn record(&mut self, record: &Record<'_>, outcome: Option<Outcome>) {
        if !self.stopped {
            self.collector.record(record, outcome);
        }
    }

    pub(crate) fn end_record(&mut self) {
        self.collector.end_record();
    }

    pub(crate) fn rejected(&mut self, place: &Place) {
        if !self.stopped {
            self.collector.rejected(place);
        }
    }

    pub(crate) fn flow(&mut self, flow: &Flow) {
        if !self.stopped {
            self.collector.flow(flow);
        }
    }

    pub(crate) fn alert(&mut self, alert: &Alert) {
        if !self.stopped {
            self.collector.alert(alert);
        }
    }

    /// Time reaches `at`: the seconds before it are complete.
    pub(crate) fn advance(&mut self, at: Timestamp) {
        if self.stopped || at.millis().div_euclid(1000) <= self.next_s {
            return;
        }
        self.collector.advance(at);
        for pulse in self.collector.take() {
            self.end_before(pulse.second);
            self.busy_s = pulse.second;
            if let Some(pulses) = &mut self.pulses {
                pulses.push(pulse.clone());
            }
            self.watch.absorb(pulse);
        }
        self.end_before(at.millis().div_euclid(1000));
    }

    /// Every second before `second` is complete.
    fn end_before(&mut self, second: i64) {
        let until = second.min(self.busy_s + QUIET_S);
        while self.next_s < until {
            let said = self.watch.end_second(self.next_s);
            for incident in &said {
                let label = incident.finding.cause.label();
                self.verdicts.insert(incident.id.clone(), label);
            }
            self.revisions.extend(said);
            self.gateway_rows.extend(self.watch.take_gateway_rows());
            self.next_s += 1;
        }
        self.next_s = self.next_s.max(second);
    }

    pub(crate) fn stop(&mut self) {
        self.stopped = true;
    }

    pub(crate) fn take_gateway_rows(&mut self) -> Vec<GatewayRow> {
        std::mem::take(&mut self.gateway_rows)
    }

    pub(crate) fn take(&mut self) -> Vec<Incident> {
        std::mem::take(&mut self.revisions)
    }

    pub(crate) fn take_pulses(&mut self) -> Vec<Pulse> {
        self.pulses.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Incidents by their last verdict.
    pub(crate) fn counts(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for label in self.verdicts.values() {
            *counts.entry(*label).or_default() += 1;
        }
        counts
    }
}

//! What a lane asks of us: formats and rules.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use settlewatch_config::{Config, Env, Purpose, beginning, load_str};
use settlewatch_join::{Alert, Event, Flow, Outcome, Partition, Settings, Timestamp};
use settlewatch_kafka::{LaneHost, Topics};
use settlewatch_protocol::{Host, Lane, Pulses, RulesNews, SourceId, TxnOutcome};
use settlewatch_serve::{LaneObserver, PulseObserver};
use settlewatch_watch::pulse::CollectorSettings;
use settlewatch_wire::{AlertLine, Limits, check_stream, decode};

use super::pulses::ServicePulses;

/// Rules and what they mean.
type Compiled = (Arc<[u8]>, Arc<Settings>);

/// The host of one lane.
pub(super) struct ServiceHost {
    topics: Topics,
    limits: Limits,
    eyes: LaneObserver,
    /// What the watch hears; `None` where nobody watches.
    pulses: Option<(CollectorSettings, PulseObserver)>,
    /// Rules that were read before: a lane asks for the same ones with every partition number.
    known: RefCell<Vec<Compiled>>,
}

/// Rules that are kept compiled: those of now and of before.
const KNOWN_RULES: usize = 4;

impl ServiceHost {
    pub(super) fn new(topics: Topics, config: &Config, eyes: LaneObserver) -> Self {
        Self {
            topics,
            limits: Limits {
                record_bytes: config.limits.record_bytes,
            },
            eyes,
            pulses: None,
            known: RefCell::default(),
        }
    }

    /// The watch hears of what is decided.
    pub(super) fn with_pulses(mut self, settings: CollectorSettings, eyes: PulseObserver) -> Self {
        self.pulses = Some((settings, eyes));
        self
    }
}

/// The settings of a service: as in a replay, but that it may have begun in the middle.
pub(crate) fn settings(rules: &[u8]) -> Result<Settings, String> {
    let text = std::str::from_utf8(rules).map_err(|error| error.to_string())?;
    let loaded = load_str("rules", text, Purpose::Replay, &Env::empty());
    let mut settings = loaded.map_err(|told| told.to_string())?.config.settings;
    settings.beginning = beginning(&settings.rules, Purpose::Run);
    Ok(settings)
}

/// Reads an event of a topic that is keyed by payment.
pub(crate) fn event<'a>(
    value: Option<&'a [u8]>,
    limits: &Limits,
) -> Result<Event<'a>, (&'static str, String)> {
    decode(value, limits)
        .and_then(|event| check_stream(&event, false).map(|()| event))
        .map_err(|rejection| (rejection.reason.as_str(), rejection.detail))
}

impl Host for ServiceHost {
    fn event<'a>(
        &self,
        _source: SourceId,
        value: Option<&'a [u8]>,
    ) -> Result<Event<'a>, (&'static str, String)> {
        event(value, &self.limits)
    }

    fn alert(&self, alert: &Alert) -> Vec<u8> {
        self.eyes.alert(alert);
        serde_json::to_vec(&AlertLine(alert)).expect("an alert is made of strings and numbers")
    }

    fn topic(&self, source: SourceId) -> &str {
        self.topics.source(source)
    }

    fn settings(&self, rules: &[u8]) -> Result<Arc<Settings>, String> {
        let mut known = self.known.borrow_mut();
        if let Some((_, settings)) = known.iter().find(|(text, _)| text[..] == *rules) {
            return Ok(Arc::clone(settings));
        }
        let settings = Arc::new(settings(rules)?);
        if known.len() >= KNOWN_RULES {
            known.remove(0);
        }
        known.push((rules.into(), Arc::clone(&settings)));
        Ok(settings)
    }

    fn pulses(
        &self,
        number: i32,
        since: Timestamp,
        state: Option<&[u8]>,
    ) -> Option<Box<dyn Pulses>> {
        let (settings, eyes) = self.pulses.clone()?;
        let pulses = ServicePulses::new(settings, number, since, state, eyes);
        Some(Box::new(pulses))
    }

    fn flow(&self, number: i32, partition: &Partition, flow: &Flow, again: bool) {
        self.eyes.flow(number, partition, flow, again);
    }

    fn applied(&self, source: SourceId, outcome: Result<Option<Outcome>, &'static str>) {
        self.eyes.applied(source, outcome);
    }

    fn misplaced(&self, source: SourceId) {
        self.eyes.misplaced(source);
    }

    fn restored(&self, number: i32, partition: &Partition) {
        self.eyes.restored(number, partition);
        tracing::info!(partition = number, waiting = partition.len(), "restored");
    }
}

impl LaneHost for ServiceHost {
    fn calling(&self, calling: bool) {
        self.eyes.calling(calling);
    }

    fn transaction(&self, outcome: TxnOutcome, took: Duration) {
        self.eyes.transaction(outcome, took);
        if outcome != TxnOutcome::Committed {
            tracing::warn!(?outcome, ?took, "a transaction was not committed");
        }
    }

    fn alert_visible(&self, decided_at: Timestamp, appended_at: Timestamp) {
        self.eyes.alert_visible(decided_at, appended_at);
    }

    fn rebalanced(&self, numbers: &[i32]) {
        self.eyes.rebalanced(numbers);
        tracing::info!(partitions = ?numbers, "assigned by the group");
    }

    fn rules(&self, news: RulesNews) {
        self.eyes.rules(news);
        match news {
            RulesNews::Applied { moved } => tracing::info!(moved, "rules apply"),
            RulesNews::Refused { at_once, limit } => tracing::error!(
                at_once,
                limit,
                "the new rules are refused: they would raise too many alerts at once. Raise limits.reload_alerts if that \
                 is meant"
            ),
            RulesNews::Stale { partition } => tracing::warn!(
                partition,
                "this process was started with rules that were replaced since: the newer ones apply. SIGHUP applies its own"
            ),
        }
    }

    fn restoring(&self, number: i32, bytes: usize) {
        self.eyes.restoring(number, bytes);
    }

    fn hole(&self, source: SourceId, number: i32, to: i64) {
        self.eyes.hole(source);
        tracing::error!(
            topic = self.topics.source(source),
            partition = number,
            to,
            "records were deleted before they were read: payments of that time are written off without an alert. Raise \
             the topic's retention"
        );
    }

    fn look(&self, lane: &Lane<Self>, now: Option<Timestamp>) {
        self.eyes.look(lane, now);
    }
}

//! What the lane asks of the test: canonical events, the rules of a configuration, and the watch's own pulses.

use std::sync::Arc;

use settlewatch_join::{Alert, Effect, Event, Outcome, Place, Record, Settings, Timestamp};
use settlewatch_protocol::{Host, PulseStep, Pulses, SourceId};
use settlewatch_watch::pulse::{CollectorSettings, PartitionPulses};
use settlewatch_wire::{check_stream, decode};

use super::recording::LIMITS;

pub(super) struct TestHost {
    pub(super) settings: Arc<Settings>,
    pub(super) collector: CollectorSettings,
    /// Largest pulse record in bytes.
    pub(super) most: usize,
}

struct Made {
    pulses: PartitionPulses,
    most: usize,
}

impl Host for TestHost {
    fn event<'a>(
        &self,
        _source: SourceId,
        value: Option<&'a [u8]>,
    ) -> Result<Event<'a>, (&'static str, String)> {
        decode(value, &LIMITS)
            .and_then(|event| check_stream(&event, false).map(|()| event))
            .map_err(|told| (told.reason.as_str(), told.detail))
    }

    fn alert(&self, alert: &Alert) -> Vec<u8> {
        format!("{} {}", alert.alert_id, alert.revision).into_bytes()
    }

    fn topic(&self, _source: SourceId) -> &str {
        "topic"
    }

    fn settings(&self, _rules: &[u8]) -> Result<Arc<Settings>, String> {
        Ok(Arc::clone(&self.settings))
    }

    fn pulses(
        &self,
        number: i32,
        since: Timestamp,
        state: Option<&[u8]>,
    ) -> Option<Box<dyn Pulses>> {
        let settings = self.collector.clone();
        Some(maker(settings, self.most, number, since, state))
    }
}

/// Makes pulse records of at most `most` bytes.
pub(crate) fn maker(
    settings: CollectorSettings,
    most: usize,
    number: i32,
    since: Timestamp,
    state: Option<&[u8]>,
) -> Box<dyn Pulses> {
    let pulses = match state {
        None => PartitionPulses::new(settings, number, since),
        Some(state) => PartitionPulses::restore(settings, number, state).expect("our own snapshot"),
    };
    Box::new(Made { pulses, most })
}

impl Pulses for Made {
    fn reach(&mut self, at: Timestamp) {
        self.pulses.reach(at);
    }

    fn record(&mut self, record: &Record<'_>, outcome: Option<Outcome>) {
        self.pulses.record(record, outcome);
    }

    fn end_record(&mut self) {
        self.pulses.end_record();
    }

    fn rejected(&mut self, place: &Place) {
        self.pulses.rejected(place);
    }

    fn effect(&mut self, effect: &Effect) {
        self.pulses.effect(effect);
    }

    fn ends_by(&self, known: Timestamp) -> bool {
        self.pulses.ends_by(known)
    }

    fn step(&mut self, step: PulseStep) -> Vec<Vec<u8>> {
        let record = self.pulses.step(step.known, step.written_before);
        record.map_or_else(Vec::new, |record| record.encode_within(self.most))
    }

    fn snapshot(&self) -> Vec<u8> {
        self.pulses.snapshot()
    }
}

//! The pulses of a partition number, as a lane asks for them.

use settlewatch_config::Config;
use settlewatch_join::{Effect, Outcome, Place, Record, Timestamp};
use settlewatch_protocol::{PulseStep, Pulses};
use settlewatch_replay::collector_settings;
use settlewatch_serve::PulseObserver;
use settlewatch_watch::pulse::{CollectorSettings, PartitionPulses};

/// Bytes of the largest pulse record: what the topic takes at least.
const RECORD_BYTES: usize = 512 << 10;

/// A partition keeps details of at least so many payments that wait.
const OPEN_AT_LEAST: usize = 10_000;

/// What the pulses of one of `numbers` partitions depend on: each has its part of the payments that may wait.
pub(super) fn settings(config: &Config, numbers: i32) -> CollectorSettings {
    let numbers = usize::try_from(numbers).unwrap_or(1).max(1);
    let settings = collector_settings(config);
    CollectorSettings {
        open_limit: settings.open_limit.div_ceil(numbers).max(OPEN_AT_LEAST),
        ..settings
    }
}

/// The maker of a partition number's pulses.
pub(super) struct ServicePulses {
    pulses: PartitionPulses,
    eyes: PulseObserver,
}

impl ServicePulses {
    /// Goes on from what a predecessor knew, where that can be read.
    pub(super) fn new(
        settings: CollectorSettings,
        number: i32,
        since: Timestamp,
        state: Option<&[u8]>,
        eyes: PulseObserver,
    ) -> Self {
        let fresh = |settings| PartitionPulses::new(settings, number, since);
        let pulses = match state {
            None => fresh(settings),
            Some(state) => PartitionPulses::restore(settings.clone(), number, state)
                .unwrap_or_else(|error| {
                    // Decisions do not depend on it: what is lost is what the watch would have heard of who waits now.
                    tracing::warn!(
                        partition = number,
                        %error,
                        "what was collected for the watch cannot be read: it begins anew"
                    );
                    fresh(settings)
                }),
        };
        Self { pulses, eyes }
    }
}

impl Pulses for ServicePulses {
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
        let collected = self.pulses.collected();
        if step.again {
            return Vec::new();
        }
        let records = record.map_or_else(Vec::new, |record| record.encode_within(RECORD_BYTES));
        self.eyes.written(&records, collected);
        records
    }

    fn snapshot(&self) -> Vec<u8> {
        self.pulses.snapshot()
    }
}

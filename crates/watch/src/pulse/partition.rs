//! The pulses of one partition number as records of the pulse topic: at most one a step, each second in one of them.

use settlewatch_join::{Effect, Outcome, Place, Record, Timestamp};

use super::{Collected, Collector, CollectorSettings, Malformed, Pulse, PulseRecord};
use crate::second::second_of;

/// The maker of a partition number's pulse records. It is told everything in the order in which it is decided, again
/// after a restart, and depends on nothing else.
pub struct PartitionPulses {
    partition: i32,
    collector: Collector,
    /// Every second before it is in a record.
    written: i64,
}

impl PartitionPulses {
    /// A maker that knows nothing of what was before `since`.
    pub fn new(settings: CollectorSettings, partition: i32, since: Timestamp) -> Self {
        Self {
            partition,
            collector: Collector::new(settings, since),
            written: second_of(since),
        }
    }

    /// A maker from what [`snapshot`](Self::snapshot) wrote. Attributes that are not configured any more are left out.
    ///
    /// # Errors
    ///
    /// Where the bytes are no such snapshot, or one of a version that is not known.
    pub fn restore(
        settings: CollectorSettings,
        partition: i32,
        bytes: &[u8],
    ) -> Result<Self, Malformed> {
        let collector = Collector::restore(settings, bytes)?;
        Ok(Self {
            partition,
            written: collector.pulse.second,
            collector,
        })
    }

    /// Its state after a step.
    pub fn snapshot(&self) -> Vec<u8> {
        self.collector.snapshot()
    }

    /// Time reaches `at`: to be told before every record and decision of that moment.
    pub fn reach(&mut self, at: Timestamp) {
        self.collector.advance(at);
    }

    /// A record was applied; its effects follow.
    pub fn record(&mut self, record: &Record<'_>, outcome: Option<Outcome>) {
        self.collector.record(record, outcome);
    }

    /// Every effect of the last record was told.
    pub fn end_record(&mut self) {
        self.collector.end_record();
    }

    /// A record is no valid event.
    pub fn rejected(&mut self, place: &Place) {
        self.collector.rejected(place);
    }

    /// Something was decided.
    pub fn effect(&mut self, effect: &Effect) {
        match effect {
            Effect::Alert(alert) => self.collector.alert(alert),
            Effect::Flow(flow) => self.collector.flow(flow),
            Effect::Pair(_) | Effect::Note(_) => {}
        }
    }

    /// Whether a second ends when everything before `known` is decided.
    pub fn ends_by(&self, known: Timestamp) -> bool {
        second_of(known) > self.written
    }

    /// A step ended, and everything before `known` is decided. Returns the record of the seconds that ended since the
    /// last one; `None` where none did. What is dated before the second of `written_before` was written by a predecessor
    /// whose state was lost.
    pub fn step(&mut self, known: Timestamp, written_before: Timestamp) -> Option<PulseRecord> {
        self.collector.advance(known);
        let ends = second_of(known);
        if ends <= self.written {
            return None;
        }
        self.written = ends;
        let first = second_of(written_before);
        let mut pulses = self.collector.take();
        pulses.retain(|pulse| pulse.second >= first && !pulse.is_empty());
        if ends <= first {
            return None;
        }
        let settings = self.collector.settings();
        Some(PulseRecord {
            partition: self.partition,
            known_ms: ends.saturating_mul(1000),
            share_ppm: settings.share_ppm,
            attrs: settings.dims.attr_names(),
            pulses,
        })
    }

    /// What it did since it was asked last.
    pub fn collected(&mut self) -> Collected {
        self.collector.collected()
    }
}

impl Pulse {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        let Self {
            second: _,
            notes,
            channels,
            cases,
            streams,
            arrivals,
            legs,
            acks,
            auxiliary,
        } = self;
        notes.is_empty()
            && channels.is_empty()
            && cases.is_empty()
            && streams.is_empty()
            && arrivals.is_empty()
            && legs.is_empty()
            && acks.is_empty()
            && auxiliary.is_empty()
    }
}

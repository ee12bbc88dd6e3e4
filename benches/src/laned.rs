//! What a lane does with the records of a partition, without Kafka: it decodes, decides, and makes pulses.

use std::sync::Arc;

use anyhow::{Context, Result};
use settlewatch_config::Config;
use settlewatch_join::{Effects, KnowsSince, Partition, Place, Record, Timestamp};
use settlewatch_watch::pulse::{CollectorSettings, PartitionPulses, PulseRecord};
use settlewatch_wire::{Limits, check_stream, decode};

const LIMITS: Limits = Limits {
    record_bytes: 1 << 20,
};

/// A partition, and its pulses where somebody watches.
pub(crate) struct Lane {
    partition: Partition,
    pulses: Option<PartitionPulses>,
}

/// One for each of so many partitions; with pulses where there are settings of them.
pub(crate) fn lanes(
    count: u32,
    config: &Config,
    since: Timestamp,
    collector: Option<&CollectorSettings>,
) -> Vec<Lane> {
    let settings = Arc::new(config.settings.clone());
    let lane = |number: u32| Lane {
        partition: Partition::new(Arc::clone(&settings), KnowsSince(since)).with_home(number),
        pulses: collector
            .map(|settings| PartitionPulses::new(settings.clone(), number as i32, since)),
    };
    (0..count).map(lane).collect()
}

impl Lane {
    /// Takes a record in.
    pub(crate) fn apply(
        &mut self,
        place: Place,
        payload: &[u8],
        effects: &mut Effects,
    ) -> Result<()> {
        let event = decode(Some(payload), &LIMITS)
            .and_then(|event| check_stream(&event, false).map(|()| event))
            .ok()
            .context("it is an event")?;
        let record = Record { place, event };
        if let Some(pulses) = &mut self.pulses {
            pulses.reach(record.place.at);
        }
        let outcome = self.partition.apply(&record, effects);
        if let Some(pulses) = &mut self.pulses {
            pulses.record(&record, outcome);
            effects.iter().for_each(|effect| pulses.effect(effect));
            pulses.end_record();
        }
        effects.clear();
        Ok(())
    }

    /// Everything before `known` is decided; the pulses of the seconds that ended.
    pub(crate) fn end(&mut self, known: Timestamp, effects: &mut Effects) -> Option<PulseRecord> {
        self.partition.advance(known, effects);
        let record = self.pulses.as_mut().and_then(|pulses| {
            effects.iter().for_each(|effect| pulses.effect(effect));
            pulses.step(known, Timestamp::MIN)
        });
        effects.clear();
        record
    }
}

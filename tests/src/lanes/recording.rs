//! Generated records of the topics that are keyed by payment, and what a replay makes of them.

use std::sync::Arc;

use settlewatch_config::{Config, Env, Purpose, load_str};
use settlewatch_join::{Place, Record, Timestamp};
use settlewatch_replay::{Engine, Watching};
use settlewatch_sim::{Plan, Topic, config, generate};
use settlewatch_watch::pulse::Pulse;
use settlewatch_wire::{Limits, check_stream, decode};

use crate::placed::place_of;

/// Longest record that counts as an event.
pub(super) const LIMITS: Limits = Limits {
    record_bytes: 1 << 20,
};

/// Topics that are keyed by payment.
pub(super) const INPUTS: usize = 3;

/// A record as it stands in its topic.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) place: Place,
    pub(super) key: Box<[u8]>,
    pub(super) value: Box<[u8]>,
}

/// Records in canonical order, and the configuration.
pub struct Recording {
    pub config: Config,
    pub numbers: i32,
    pub(super) records: Vec<Kept>,
}

impl Recording {
    /// The records of a plan. `extra` is put behind the configuration that the simulator suggests.
    ///
    /// # Panics
    /// Where plan or configuration are wrong.
    pub fn of(plan: &Plan, extra: &str) -> Self {
        let text = format!("{}{extra}", config(plan));
        let loaded = load_str("settlewatch.yaml", &text, Purpose::Replay, &Env::empty());
        let loaded = loaded.unwrap_or_else(|told| panic!("{told}"));
        let keyed = generate(plan).filter(|record| record.topic != Topic::Terminals);
        let mut records: Vec<Kept> = keyed
            .map(|record| Kept {
                place: place_of(&record),
                key: record.key.into_bytes().into(),
                value: record.payload.into_bytes().into(),
            })
            .collect();
        records.sort_by_key(|record| record.place);
        Self {
            config: loaded.config,
            numbers: i32::try_from(plan.partitions()).expect("few"),
            records,
        }
    }

    /// Some records become such that are no event.
    #[must_use]
    pub fn with_noise(mut self, every: usize) -> Self {
        for record in self.records.iter_mut().step_by(every).skip(1) {
            record.value = b"{\"type\":\"payment.lost\"}".as_slice().into();
        }
        self
    }

    /// When the first record was appended.
    pub fn begins(&self) -> Timestamp {
        self.records.first().expect("there are records").place.at
    }

    /// When the last record was appended.
    pub fn ends(&self) -> Timestamp {
        self.records.last().expect("there are records").place.at
    }

    pub fn len(&self) -> usize {
        self.records.len()
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}

/// The pulses that a replay over `partitions` virtual partitions makes of what is dated before `until`.
pub fn replayed(recording: &Recording, partitions: usize, until: Timestamp) -> Vec<Pulse> {
    let settings = Arc::new(recording.config.settings.clone());
    let begins = recording.begins();
    let watching = Watching::new(&recording.config, begins).keeping_pulses();
    let mut engine = Engine::new(&settings, partitions, begins).watched_by(watching);
    for kept in &recording.records {
        let event = decode(Some(&kept.value), &LIMITS);
        match event.and_then(|event| check_stream(&event, false).map(|()| event)) {
            Ok(event) => {
                let record = Record {
                    place: kept.place,
                    event,
                };
                engine.apply(&record, &mut drop);
            }
            Err(_) => engine.reject(&kept.place, &mut drop),
        }
    }
    engine.settle(until, &mut drop);
    engine.take_pulses()
}

//! What a partition number says to the watch: whoever makes its pulses is told everything in the order in which it is
//! decided.
//!
//! 1. [`Pulses::reach`] comes before every record and decision, with its time.
//! 2. A record comes before its effects, and [`Pulses::end_record`] after the last of them.
//! 3. A step that is applied again after a restart is told like any other; what it makes then is in the log already.

use alloc::boxed::Box;
use alloc::vec::Vec;

use settlewatch_join::{Effect, Outcome, Place, Record, Timestamp};

use crate::io::{Produce, Topic};

/// Bytes of the largest chunk of what a maker knows.
const CHUNK_BYTES: usize = 256 * 1024;

/// A step that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PulseStep {
    /// Everything before it is decided.
    pub known: Timestamp,
    /// What is dated before was written by a predecessor whose state was lost.
    pub written_before: Timestamp,
    /// It was committed before a restart: what it makes is in the log already.
    pub again: bool,
}

/// The maker of a partition number's pulses. What it makes must depend on nothing but the calls: a restart repeats
/// them.
pub trait Pulses {
    /// Time reaches `at`; it may be told again, and later ones need not follow.
    fn reach(&mut self, at: Timestamp);

    /// A record was applied: what it counts as, where that is decided. Its effects follow.
    fn record(&mut self, record: &Record<'_>, outcome: Option<Outcome>);

    /// Every effect of the record was told.
    fn end_record(&mut self);

    /// A record is no valid event.
    fn rejected(&mut self, place: &Place);

    /// Something was decided.
    fn effect(&mut self, effect: &Effect);

    /// Whether a step up to `known` would make a record.
    fn ends_by(&self, known: Timestamp) -> bool;

    /// A step ended: the record to write, if one is due; several, in order, where it would be too large for a topic. Of a
    /// step that is applied again nothing is written, whatever is returned.
    fn step(&mut self, step: PulseStep) -> Vec<Vec<u8>>;

    /// Everything that it knows, for a snapshot.
    fn snapshot(&self) -> Vec<u8>;
}

/// The maker of a partition number, where there is one.
#[derive(Default)]
pub(crate) struct Maker(Option<Box<dyn Pulses>>);

impl Maker {
    pub(crate) fn new(pulses: Option<Box<dyn Pulses>>) -> Self {
        Self(pulses)
    }

    /// Does something with it, where there is one.
    pub(crate) fn with(&mut self, act: impl FnOnce(&mut dyn Pulses)) {
        if let Some(pulses) = &mut self.0 {
            act(pulses.as_mut());
        }
    }

    pub(crate) fn ends_by(&self, known: Timestamp) -> bool {
        self.0.as_ref().is_some_and(|pulses| pulses.ends_by(known))
    }

    /// What a step writes, if anything.
    pub(crate) fn step(&mut self, number: i32, step: PulseStep) -> Vec<Produce> {
        let Some(pulses) = &mut self.0 else {
            return Vec::new();
        };
        let values = pulses.step(step);
        let record = |value: Vec<u8>| Produce {
            topic: Topic::Pulse,
            partition: number,
            key: None,
            value: Some(value.into()),
            headers: Vec::new(),
            decided_at: None,
        };
        values.into_iter().map(record).collect()
    }

    /// What it knows, in chunks.
    pub(crate) fn snapshot(&self, put: &mut dyn FnMut(&[u8])) {
        if let Some(pulses) = &self.0 {
            pulses.snapshot().chunks(CHUNK_BYTES).for_each(put);
        }
    }
}

//! One input of a partition number: what was read of it, and when that was appended.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use settlewatch_join::{Place, Timestamp};

use crate::append::AppendClock;
use crate::io::{Probe, RawRecord, SourceId};
use crate::known::Known;

/// What a lane must know of an input topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceConfig {
    /// Rank of its stream: [`Place::stream`](settlewatch_join::Place).
    pub rank: u8,
    /// Whether its timestamps are the broker's (`message.timestamp.type=LogAppendTime`).
    pub log_append_time: bool,
}

/// One input of a partition number.
pub(crate) struct Source {
    id: SourceId,
    config: SourceConfig,
    pub(crate) known: Known,
    clock: AppendClock,
    /// Append time of the last record that was applied: where the clock stands for whoever reads again.
    pub(crate) applied_at: Timestamp,
    /// Offsets that were read and are not applied, in order.
    held: VecDeque<i64>,
    /// Records whose append time is not known yet.
    unplaced: VecDeque<RawRecord>,
    /// Append times that do not follow from the records, by offset: settled earlier, and to be settled in
    /// the next step.
    settled: BTreeMap<i64, Timestamp>,
    new: Vec<(SourceId, i64, Timestamp)>,
    /// Records below are applied again: their append times are settled.
    applied_before: i64,
    /// What was not applied by the last committed step was appended at or after this moment.
    floor: Timestamp,
    /// It is not fetched for now: too many of its records wait for the other inputs.
    pub(crate) stands_aside: bool,
}

impl Source {
    pub(crate) fn new(
        id: SourceId,
        config: SourceConfig,
        position: i64,
        last: Timestamp,
        known: Timestamp,
    ) -> Self {
        Self {
            id,
            config,
            known: Known::new(position, known),
            clock: AppendClock { last },
            applied_at: last,
            held: VecDeque::new(),
            unplaced: VecDeque::new(),
            settled: BTreeMap::new(),
            new: Vec::new(),
            applied_before: position,
            floor: known,
            stands_aside: false,
        }
    }

    /// A step that was committed read up to `position` and settled an append time.
    pub(crate) fn committed(&mut self, position: i64, known: Timestamp) {
        self.applied_before = self.applied_before.max(position);
        self.floor = self.floor.max(known);
    }

    /// Whether a record of `known` itself was applied that stands after every record of `other` in that millisecond.
    pub(crate) fn is_past(&self, other: u8, known: Timestamp) -> bool {
        self.config.rank > other && self.applied_at >= known && self.applied_at > Timestamp::MIN
    }

    /// Rank of its stream.
    pub(crate) fn rank(&self) -> u8 {
        self.config.rank
    }

    /// No record that was not applied was appended before `floor`: lifts those of `apart`, which were given their
    /// append times before that was known.
    pub(crate) fn follow(&mut self, floor: Timestamp, apart: &mut VecDeque<(Place, RawRecord)>) {
        if self.config.log_append_time {
            // The broker's word needs no bounds.
            return;
        }
        self.floor = self.floor.max(floor);
        self.new.retain(|&(_, _, at)| at >= floor);
        for (place, _) in apart.iter_mut().filter(|(place, _)| place.at < floor) {
            place.at = floor;
            self.clock.take(floor);
            self.new.push((self.id, place.offset, floor));
        }
    }

    pub(crate) fn settle(&mut self, offset: i64, at: Timestamp) {
        self.settled.insert(offset, at);
    }

    /// The first offset that was not applied.
    pub(crate) fn position(&self) -> i64 {
        self.held.front().copied().unwrap_or(self.known.position())
    }

    /// A record was read. Gives it to `place` when its append time is known.
    pub(crate) fn read(&mut self, record: RawRecord, place: &mut impl FnMut(Place, RawRecord)) {
        if record.offset < self.known.position() {
            // Read before: the assignment was renewed.
            return;
        }
        self.held.push_back(record.offset);
        let offset = record.offset;
        if self.unplaced.is_empty()
            && let Some(at) = self.append_time(&record)
        {
            place(self.place(at, &record), record);
        } else {
            self.unplaced.push_back(record);
        }
        self.reached(offset + 1, place);
    }

    /// When the next record of the partition was appended; `None` where no end beyond it is known yet.
    fn append_time(&mut self, record: &RawRecord) -> Option<Timestamp> {
        let said = Timestamp::from_millis(record.ts);
        if record.offset < self.applied_before {
            let settled = self.settled.remove(&record.offset);
            return Some(self.clock.take(settled.unwrap_or(said)));
        }
        let at = if self.config.log_append_time {
            self.clock.take(said)
        } else {
            let expected = self.clock.last.max(said);
            let bound = self.known.bound_of(record.offset)?;
            let at = self
                .clock
                .clamp(record.ts, self.known.time().max(self.floor), bound);
            if at != expected {
                self.new.push((self.id, record.offset, at));
            }
            at
        };
        self.known.record(record.offset, at);
        Some(at)
    }

    fn place(&self, at: Timestamp, record: &RawRecord) -> Place {
        Place {
            at,
            stream: self.config.rank,
            partition: record.partition,
            offset: record.offset,
        }
    }

    /// The consumer stands at `position`.
    pub(crate) fn reached(&mut self, position: i64, place: &mut impl FnMut(Place, RawRecord)) {
        self.place_bounded(place);
        self.known.reached(position);
    }

    /// An end was asked for: records below it get their append time.
    pub(crate) fn probe(&mut self, probe: Probe, place: &mut impl FnMut(Place, RawRecord)) {
        self.known.probe(probe);
        self.reached(self.known.position(), place);
    }

    fn place_bounded(&mut self, place: &mut impl FnMut(Place, RawRecord)) {
        while let Some(record) = self.unplaced.pop_front() {
            let Some(at) = self.append_time(&record) else {
                self.unplaced.push_front(record);
                return;
            };
            place(self.place(at, &record), record);
        }
    }

    /// A record was applied.
    pub(crate) fn applied(&mut self, offset: i64, at: Timestamp) {
        let first = self.held.pop_front();
        debug_assert_eq!(first, Some(offset), "a partition's order is never changed");
        self.applied_at = at;
    }

    /// Whether everything before `position` has been read and has its append time.
    pub(crate) fn has_placed_before(&self, position: i64) -> bool {
        self.known.position() >= position
            && self
                .unplaced
                .front()
                .is_none_or(|record| record.offset >= position)
    }

    /// Records that were read and are not applied.
    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }

    /// Append times settled since the last step, of records that were applied.
    pub(crate) fn take_settled(&mut self) -> Vec<(SourceId, i64, Timestamp)> {
        // What is settled and not applied goes with the step that applies it: that is where it is needed.
        let position = self.position();
        let (applied, rest) = self
            .new
            .drain(..)
            .partition(|&(_, offset, _)| offset < position);
        self.new = rest;
        applied
    }
}

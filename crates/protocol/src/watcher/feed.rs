//! One partition of an auxiliary topic: what was read of it, when that was appended, and how far it is known.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use settlewatch_join::{Place, Timestamp};

use super::step::FeedStep;
use crate::io::{Probe, RawRecord, SourceId};
use crate::source::{Source, SourceConfig};

/// A partition that is not known for so long is not waited for, in milliseconds: its evidence is withheld.
const LATE_MS: u64 = 5000;

/// One partition.
pub(crate) struct Feed {
    pub(crate) id: SourceId,
    pub(crate) partition: i32,
    source: Source,
    placed: VecDeque<(Place, RawRecord)>,
    /// When known time moved last, by the shell's clock.
    moved_ms: u64,
    late: bool,
    /// It is not fetched for now.
    pub(crate) stands_aside: bool,
}

impl Feed {
    pub(crate) fn new(
        (id, partition): (SourceId, i32),
        config: SourceConfig,
        at: FeedStep,
        last: Timestamp,
        now_ms: u64,
    ) -> Self {
        Self {
            id,
            partition,
            source: Source::new(id, config, at.position, last, at.known),
            placed: VecDeque::new(),
            moved_ms: now_ms,
            late: false,
            stands_aside: false,
        }
    }

    /// A step that was committed took in what lies before `at.position`.
    pub(crate) fn committed(&mut self, at: FeedStep) {
        self.source.committed(at.position, at.known);
    }

    /// A step that was committed was judged again: what it knew is known.
    pub(crate) fn judged_again(&mut self, at: FeedStep) {
        self.source.known.committed(at.known, at.position);
    }

    /// A step that was committed settled an append time.
    pub(crate) fn settle(&mut self, offset: i64, at: Timestamp) {
        self.source.settle(offset, at);
    }

    fn told(
        &mut self,
        now_ms: u64,
        tell: impl FnOnce(&mut Source, &mut dyn FnMut(Place, RawRecord)),
    ) {
        let before = self.source.known.time();
        let placed = &mut self.placed;
        tell(&mut self.source, &mut |place, record| {
            placed.push_back((place, record));
        });
        if self.source.known.time() > before {
            self.moved_ms = now_ms;
        }
    }

    /// A record was read.
    pub(crate) fn read(&mut self, record: RawRecord, now_ms: u64) {
        self.told(now_ms, |source, mut place| source.read(record, &mut place));
    }

    /// The consumer stands at `position`.
    pub(crate) fn reached(&mut self, position: i64, now_ms: u64) {
        self.told(now_ms, |source, mut place| {
            source.reached(position, &mut place)
        });
    }

    /// An end was asked for.
    pub(crate) fn probe(&mut self, probe: Probe, now_ms: u64) {
        self.told(now_ms, |source, mut place| source.probe(probe, &mut place));
    }

    /// Whether it is known up to `target`, or not waited for.
    pub(crate) fn is_ready(&mut self, target: Timestamp, now_ms: u64) -> bool {
        if self.source.known.time() >= target {
            self.late = false;
            return true;
        }
        self.late |= now_ms.saturating_sub(self.moved_ms) >= LATE_MS;
        self.late
    }

    /// Whether it is known up to `target`.
    pub(crate) fn is_known(&self, target: Timestamp) -> bool {
        self.source.known.time() >= target
    }

    /// Whether everything before `position` has been read and has its append time.
    pub(crate) fn has_placed_before(&self, position: i64) -> bool {
        self.source.has_placed_before(position)
    }

    /// Records that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.source.held()
    }

    /// The next record that was appended before `target`.
    pub(crate) fn take_until(&mut self, target: Timestamp) -> Option<(Timestamp, RawRecord)> {
        self.take_if(|place, _| place.at < target)
    }

    /// The next record before `offset`.
    pub(crate) fn take_before(&mut self, offset: i64) -> Option<(Timestamp, RawRecord)> {
        self.take_if(|_, record| record.offset < offset)
    }

    fn take_if(
        &mut self,
        wanted: impl Fn(&Place, &RawRecord) -> bool,
    ) -> Option<(Timestamp, RawRecord)> {
        let (place, record) = self
            .placed
            .pop_front_if(|(place, record)| wanted(place, record))?;
        self.source.applied(record.offset, place.at);
        Some((place.at, record))
    }

    /// Where it stands, known up to `target` at most.
    pub(crate) fn step(&self, target: Timestamp) -> FeedStep {
        FeedStep {
            position: self.source.position(),
            known: self.source.known.time().min(target),
        }
    }

    /// Append time of the last record that was taken in.
    pub(crate) fn clock(&self) -> Timestamp {
        self.source.applied_at
    }

    /// Append times settled since the last step.
    pub(crate) fn take_settled(&mut self) -> Vec<(i64, Timestamp)> {
        let settled = self.source.take_settled().into_iter();
        settled.map(|(_, offset, at)| (offset, at)).collect()
    }
}

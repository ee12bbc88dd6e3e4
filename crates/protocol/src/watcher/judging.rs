//! A second that is judged, for the first time or again.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use settlewatch_join::Timestamp;

use super::core::{Core, Said, Second};
use super::layout::{CORE, FEEDS, RULES, write_feeds};
use super::ledge::{Ledge, end_ms};
use super::pulses::Pulses;
use super::step::WatchStep;
use super::{FeedConfig, PARTITION};
use crate::io::{Produce, SourceId, Topic};
use crate::snapshots::Subject;
use crate::step::StateRecord;

impl<P> Ledge<P> {
    /// Judges committed steps again as far as their records have been read; what they said is in the log.
    pub(super) fn judge_again<C: Core<Pulse = P>>(&mut self, core: &mut C) -> Result<(), String> {
        while self.again.front().is_some_and(|step| self.has_read(step)) {
            let Some(step) = self.again.pop_front() else {
                break;
            };
            if let Some(rules) = &step.rules {
                self.apply_rules(rules, step.second, core)?;
            }
            for (pulses, &position) in self.pulses.iter_mut().zip(&step.pulses) {
                while let Some((bytes, pulse)) = pulses.take_before(position) {
                    self.bytes_since_snapshot += bytes;
                    core.absorb(pulse);
                }
            }
            for (feed, &at) in self.feeds.iter_mut().zip(&step.feeds) {
                while let Some((moment, record)) = feed.take_before(at.position) {
                    let value = record.value.as_deref();
                    self.bytes_since_snapshot += value.map_or(0, <[u8]>::len);
                    core.hear(feed.id, moment, value, true);
                }
                feed.judged_again(at);
            }
            self.end_second(step.second, &step.withheld, true, core);
            self.did(step);
        }
        Ok(())
    }

    fn has_read(&self, step: &WatchStep) -> bool {
        let pulses = self.pulses.iter().zip(&step.pulses);
        let mut feeds = self.feeds.iter().zip(&step.feeds);
        pulses.into_iter().all(|(it, &at)| it.position() >= at)
            && feeds.all(|(it, at)| it.has_placed_before(at.position))
    }

    /// Other rules apply from the second `second` on.
    pub(super) fn apply_rules<C: Core>(
        &mut self,
        rules: &Arc<[u8]>,
        second: i64,
        core: &mut C,
    ) -> Result<(), String> {
        core.reconfigure(rules, second.saturating_sub(1))?;
        self.rules.replace(Arc::clone(rules));
        Ok(())
    }

    /// The very first second that will be judged is `second`.
    pub(super) fn begin_with(&mut self, second: i64) {
        let begins_ms = second.saturating_mul(1000);
        for pulses in &mut self.pulses {
            pulses.known_ms = pulses.known_ms.max(begins_ms);
        }
        self.second = Some(second.saturating_sub(1));
        self.last = self.step(second.saturating_sub(1), Vec::new(), None);
    }

    /// Judges a second, with everything that makes it known. Returns what the core wants written.
    pub(super) fn judge<C: Core<Pulse = P>>(
        &mut self,
        second: i64,
        rules: Option<Arc<[u8]>>,
        core: &mut C,
    ) -> Vec<Said> {
        let target_ms = end_ms(second);
        let target = Timestamp::from_millis(target_ms);
        for pulses in &mut self.pulses {
            while let Some((bytes, pulse)) = pulses.take_until(target_ms) {
                self.bytes_since_snapshot += bytes;
                core.absorb(pulse);
            }
        }
        let mut withheld: Vec<SourceId> = Vec::new();
        for feed in &mut self.feeds {
            while let Some((moment, record)) = feed.take_until(target) {
                let value = record.value.as_deref();
                self.bytes_since_snapshot += value.map_or(0, <[u8]>::len);
                core.hear(feed.id, moment, value, false);
            }
            if !feed.is_known(target) && withheld.last() != Some(&feed.id) {
                withheld.push(feed.id);
            }
        }
        let said = self.end_second(second, &withheld, false, core);
        self.sequence += 1;
        let step = self.step(second, withheld, rules);
        self.did(step);
        said
    }

    fn end_second<C: Core>(
        &self,
        second: i64,
        withheld: &[SourceId],
        again: bool,
        core: &mut C,
    ) -> Vec<Said> {
        let known_ms: Vec<i64> = self.pulses.iter().map(|it| it.known_ms).collect();
        core.end_second(&Second {
            second,
            known_ms: &known_ms,
            withheld,
            again,
        })
    }

    /// Where everything stands after the second `second`.
    fn step(
        &mut self,
        second: i64,
        withheld: Vec<SourceId>,
        rules: Option<Arc<[u8]>>,
    ) -> WatchStep {
        let target = Timestamp::from_millis(end_ms(second));
        let mut append_times = Vec::new();
        for (feed, at) in self.feeds.iter_mut().zip(0..) {
            let settled = feed.take_settled().into_iter();
            append_times.extend(settled.map(|(offset, moment)| (at, offset, moment)));
        }
        WatchStep {
            sequence: self.sequence,
            second,
            pulses: self.pulses.iter().map(Pulses::untaken).collect(),
            feeds: self.feeds.iter().map(|it| it.step(target)).collect(),
            append_times,
            withheld,
            rules,
        }
    }

    fn did(&mut self, step: WatchStep) {
        self.sequence = step.sequence;
        self.second = Some(step.second);
        self.steps_since_snapshot += 1;
        self.last = step;
    }
}

/// A revision, or the end of its memory, as it is written.
pub(super) fn produce(said: Said) -> Produce {
    Produce {
        topic: Topic::Incidents,
        partition: PARTITION,
        key: Some(said.key),
        value: said.value,
        headers: Vec::new(),
        decided_at: said.decided_at,
    }
}

/// The last step, as it is written.
pub(super) fn written<P>(ledge: &Ledge<P>) -> Produce {
    StateRecord::Step(ledge.last.clone()).produce(PARTITION)
}

/// What a snapshot is taken of.
pub(super) struct Kept<'a, C: Core> {
    pub(super) ledge: &'a mut Ledge<C::Pulse>,
    pub(super) core: &'a mut C,
    pub(super) feeds: &'a [FeedConfig],
}

impl<C: Core> Subject for Kept<'_, C> {
    type Step = WatchStep;

    fn number(&self) -> i32 {
        PARTITION
    }

    fn since_snapshot(&self) -> (usize, u64) {
        let ledge = &self.ledge;
        (ledge.bytes_since_snapshot, ledge.steps_since_snapshot)
    }

    fn beginning(&self) -> WatchStep {
        self.ledge.last.clone()
    }

    fn snapshot(&mut self) -> VecDeque<Box<[u8]>> {
        self.ledge.bytes_since_snapshot = 0;
        self.ledge.steps_since_snapshot = 0;
        let chunk = |kind: u8, bytes: &[u8]| [&[kind][..], bytes].concat().into_boxed_slice();
        let mut chunks = VecDeque::from([
            chunk(RULES, &self.ledge.rules.write()),
            chunk(FEEDS, &write_feeds(self.feeds)),
        ]);
        chunks.extend(self.core.snapshot().iter().map(|it| chunk(CORE, it)));
        chunks
    }

    fn clocks(&self) -> Vec<Timestamp> {
        self.ledge.clocks()
    }
}

//! Where the watch stands: what was read of every partition, and up to which second it judged.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use settlewatch_join::Timestamp;

use super::WatcherConfig;
use super::core::Heard;
use super::feed::Feed;
use super::pulses::Pulses;
use super::step::{FeedStep, WatchStep};
use crate::io::{Probe, RawRecord, SourceId, StartPoint};
use crate::rules::Rules;
use crate::source::SourceConfig;
use crate::step::Manifest;

/// Everything that the watcher knows besides what the core does.
pub(crate) struct Ledge<P> {
    pub(super) pulses: Vec<Pulses<P>>,
    pub(super) feeds: Vec<Feed>,
    /// Where each auxiliary topic's partitions begin in `feeds`.
    first: Vec<usize>,
    pub(super) sequence: u64,
    /// The last second that was judged; `None` before the first.
    pub(super) second: Option<i64>,
    pub(super) rules: Rules,
    /// Steps that were committed and are applied again, oldest first.
    pub(super) again: VecDeque<WatchStep>,
    /// The last step: a snapshot goes on from there.
    pub(super) last: WatchStep,
    pub(super) bytes_since_snapshot: usize,
    pub(super) steps_since_snapshot: u64,
}

impl<P> Ledge<P> {
    /// Nothing was judged yet.
    pub(super) fn fresh(config: &WatcherConfig, start: &StartPoint, now_ms: u64) -> Self {
        let at = |i: usize| start.positions.get(i).copied().unwrap_or(0);
        let numbers = usize::try_from(config.numbers).unwrap_or(0);
        let known = Timestamp::MIN;
        let feeds = (numbers..config.places().count()).map(|i| FeedStep {
            position: at(i),
            known,
        });
        let step = WatchStep {
            pulses: (0..numbers).map(at).collect(),
            feeds: feeds.collect(),
            ..WatchStep::default()
        };
        let rules = Rules::new(Arc::clone(&config.rules));
        Self::of(config, step, None, &[], rules, now_ms)
    }

    /// As a snapshot says.
    pub(super) fn restored(
        config: &WatcherConfig,
        manifest: &Manifest<WatchStep>,
        rules: Rules,
        now_ms: u64,
    ) -> Result<Self, String> {
        let mut step = manifest.step.clone();
        let mut clocks = manifest.clocks.clone();
        let (was, is) = (
            step.pulses.len(),
            usize::try_from(config.numbers).unwrap_or(0),
        );
        if was > is {
            return Err(format!(
                "it was written of {was} pulse partitions, but there are {is}"
            ));
        }
        // Partitions that were added begin with their first record, known from the beginning of the next second on.
        step.pulses.resize(is, 0);
        let known = Timestamp::from_millis(end_ms(step.second));
        clocks.splice(was..was, (was..is).map(|_| known));
        let second = Some(step.second);
        Ok(Self::of(config, step, second, &clocks, rules, now_ms))
    }

    fn of(
        config: &WatcherConfig,
        step: WatchStep,
        second: Option<i64>,
        clocks: &[Timestamp],
        rules: Rules,
        now_ms: u64,
    ) -> Self {
        let numbers = step.pulses.len();
        let clock = |i: usize| clocks.get(i).copied().unwrap_or(Timestamp::MIN);
        // The clocks of a snapshot: up to when each pulse partition was known, then those of the auxiliary partitions.
        let pulses = step.pulses.iter().enumerate();
        let pulses = pulses.map(|(i, &at)| Pulses::new(at, clock(i).millis(), now_ms));
        let places = config.places().skip(numbers).zip(&step.feeds).enumerate();
        let feeds = places.map(|(i, (place, &at))| {
            let feed = &config.feeds[usize::from(place.0.0) - 1];
            let source = SourceConfig {
                rank: feed.rank,
                log_append_time: feed.log_append_time,
            };
            Feed::new(place, source, at, clock(numbers + i), now_ms)
        });
        let mut first = Vec::new();
        let mut next = 0;
        for feed in &config.feeds {
            first.push(next);
            next += usize::try_from(feed.partitions).unwrap_or(0);
        }
        Self {
            pulses: pulses.collect(),
            feeds: feeds.collect(),
            first,
            sequence: step.sequence,
            second,
            rules,
            again: VecDeque::new(),
            last: step,
            bytes_since_snapshot: 0,
            steps_since_snapshot: 0,
        }
    }

    /// These steps were committed after the snapshot.
    pub(super) fn apply_again(&mut self, steps: Vec<WatchStep>) {
        for step in &steps {
            for &(feed, offset, at) in &step.append_times {
                if let Some(feed) = self.feeds.get_mut(feed as usize) {
                    feed.settle(offset, at);
                }
            }
            for (feed, &at) in self.feeds.iter_mut().zip(&step.feeds) {
                feed.committed(at);
            }
        }
        self.again = steps.into();
    }

    /// Whether committed steps are still being applied again.
    pub(super) fn is_catching_up(&self) -> bool {
        !self.again.is_empty()
    }

    /// The last second that was judged.
    pub(super) fn second(&self) -> Option<i64> {
        self.second
    }

    /// Pulse partitions that are not known to the end of the last second.
    pub(super) fn blind(&self) -> usize {
        let end_ms = self.second.map_or(i64::MIN, end_ms);
        let pulses = self.pulses.iter();
        pulses.filter(|it| it.known_ms < end_ms).count()
    }

    /// First offset that was not taken in, of every partition.
    pub(super) fn positions(&self) -> Vec<i64> {
        let feeds = self.feeds.iter();
        let feeds = feeds.map(|feed| feed.step(Timestamp::MAX).position);
        self.pulses
            .iter()
            .map(Pulses::untaken)
            .chain(feeds)
            .collect()
    }

    /// Up to when each pulse partition is known, then the clocks of the auxiliary partitions.
    pub(super) fn clocks(&self) -> Vec<Timestamp> {
        let known = self
            .pulses
            .iter()
            .map(|it| Timestamp::from_millis(it.known_ms));
        known.chain(self.feeds.iter().map(Feed::clock)).collect()
    }

    /// A record of the pulse topic was read; what it says, where that can be understood.
    pub(super) fn pulse(&mut self, record: &RawRecord, heard: Option<Heard<P>>, now_ms: u64) {
        let at = usize::try_from(record.partition).ok();
        if let Some(pulses) = at.and_then(|at| self.pulses.get_mut(at)) {
            let bytes = record.value.as_deref().map_or(0, <[u8]>::len);
            pulses.read((record.offset, record.ts), bytes, heard, now_ms);
        }
    }

    /// A record of an auxiliary topic was read.
    pub(super) fn feed(&mut self, record: RawRecord, now_ms: u64) {
        if let Some(feed) = self.feed_at(record.source, record.partition) {
            feed.read(record, now_ms);
        }
    }

    fn feed_at(&mut self, source: SourceId, partition: i32) -> Option<&mut Feed> {
        let topic = usize::from(source.0).checked_sub(1)?;
        let at = self.first.get(topic)? + usize::try_from(partition).ok()?;
        let feed = self.feeds.get_mut(at)?;
        (feed.id == source && feed.partition == partition).then_some(feed)
    }

    /// The consumer stands at `position`.
    pub(super) fn reached(
        &mut self,
        (source, partition): (SourceId, i32),
        position: i64,
        now_ms: u64,
    ) {
        if source != SourceId(0) {
            if let Some(feed) = self.feed_at(source, partition) {
                feed.reached(position, now_ms);
            }
            return;
        }
        let at = usize::try_from(partition).ok();
        if let Some(pulses) = at.and_then(|at| self.pulses.get_mut(at)) {
            pulses.reached(position);
        }
    }

    /// Ends of auxiliary partitions were asked for.
    pub(super) fn probes(&mut self, probes: Vec<Probe>, now_ms: u64) {
        for probe in probes {
            if let Some(feed) = self.feed_at(probe.source, probe.partition) {
                feed.probe(probe, now_ms);
            }
        }
    }

    /// Whether a step that is to be applied again needs records of a partition before `offset` that were not read.
    pub(super) fn needs_before(&self, (source, partition): (SourceId, i32), offset: i64) -> bool {
        let Some(last) = self.again.back() else {
            return false;
        };
        let number = usize::try_from(partition).unwrap_or(usize::MAX);
        if source == SourceId(0) {
            let read = self.pulses.get(number).map(Pulses::position);
            let needed = last.pulses.get(number);
            return read < needed.copied() && read < Some(offset);
        }
        let topic = usize::from(source.0) - 1;
        let at = self.first.get(topic).map_or(usize::MAX, |it| it + number);
        let (Some(feed), Some(needed)) = (self.feeds.get(at), last.feeds.get(at)) else {
            return false;
        };
        !feed.has_placed_before(needed.position) && !feed.has_placed_before(offset)
    }
}

/// The end of a second, in milliseconds.
pub(super) fn end_ms(second: i64) -> i64 {
    second.saturating_add(1).saturating_mul(1000)
}

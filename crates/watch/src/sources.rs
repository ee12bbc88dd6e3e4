//! Streams and partitions that fall silent, and what follows a credit while they are.

use std::collections::{BTreeMap, VecDeque};

use crate::pulse::{KIND_AFTER, KIND_CREDIT, KIND_PAYMENT, KIND_REJECTION, KINDS, Pulse};

/// What is usual is what was seen in so many seconds.
const USUAL_S: i64 = 180;

/// Records that must be missing before silence is said.
const MISSING: f64 = 25.0;

/// The same of one partition of many.
const MISSING_OF_PARTITION: f64 = 30.0;

/// Silence must last so long, in seconds.
const LEAST_S: i64 = 5;

/// Beyond that what was usual says nothing any more.
const MOST_S: i64 = 120;

/// Counts by second.
#[derive(Default)]
struct Counts(VecDeque<(i64, u64)>);

impl Counts {
    fn add(&mut self, second: i64, count: u64) {
        if count == 0 {
            return;
        }
        match self.0.back_mut() {
            Some((last, known)) if *last == second => *known += count,
            _ => self.0.push_back((second, count)),
        }
        while self
            .0
            .front()
            .is_some_and(|(first, _)| *first < second - 3 * USUAL_S)
        {
            self.0.pop_front();
        }
    }

    /// How many between two seconds, both inclusive.
    fn between(&self, from: i64, until: i64) -> u64 {
        let start = self.0.partition_point(|(second, _)| *second < from);
        self.0
            .range(start..)
            .take_while(|(second, _)| *second <= until)
            .map(|(_, count)| count)
            .sum()
    }

    fn last(&self) -> Option<i64> {
        self.0.back().map(|(second, _)| *second)
    }

    fn first(&self) -> Option<i64> {
        self.0.front().map(|(second, _)| *second)
    }

    /// Records a second before `until`.
    fn rate(&self, until: i64) -> f64 {
        let Some(first) = self.first() else {
            return 0.0;
        };
        let from = (until - USUAL_S).max(first);
        if until - from < 20 {
            return 0.0;
        }
        self.between(from, until) as f64 / (until - from + 1) as f64
    }

    /// Since when nothing comes, and how many records that is, at the least rate of the last minutes.
    fn silence(&self, now: i64) -> Option<(i64, f64)> {
        let last = self.last()?;
        let missing_s = now - last;
        let recent = self.between(last - 29, last) as f64 / 30.0;
        let rate = self.rate(last).min(recent);
        (missing_s > 0).then_some((last, rate * missing_s as f64))
    }
}

/// A stream or partition that says nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Silent {
    pub(crate) stream: u8,
    /// The partition, where others speak.
    pub(crate) partition: Option<i32>,
    /// The last second in which it spoke.
    pub(crate) since_s: i64,
}

/// What follows a credit, or takes its place, while credits are silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aftermath {
    /// It arrives as usual: only the feed is dead.
    AsUsual,
    /// It stopped too.
    Stopped,
    /// Rejections take the place of credits.
    Rejections,
    /// There was never any.
    Unknown,
}

/// All streams.
#[derive(Default)]
pub(crate) struct Sources {
    partitions: BTreeMap<(u8, i32), Counts>,
    streams: BTreeMap<u8, Counts>,
    kinds: [Counts; KINDS],
}

impl Sources {
    pub(crate) fn heard(&mut self, pulse: &Pulse) {
        for count in &pulse.streams {
            let key = (count.stream, count.partition);
            self.partitions
                .entry(key)
                .or_default()
                .add(pulse.second, count.records);
            self.streams
                .entry(count.stream)
                .or_default()
                .add(pulse.second, count.records);
            for (kind, known) in self.kinds.iter_mut().enumerate() {
                known.add(pulse.second, count.kinds[kind]);
            }
        }
    }

    /// Streams among the first `streams` that are silent at `now`, or single partitions of them.
    pub(crate) fn silent(&self, now: i64, streams: u8) -> Vec<Silent> {
        let mut found = Vec::new();
        for (&stream, counts) in self.streams.range(..streams) {
            if let Some(since_s) = is_silent(counts, now, MISSING) {
                found.push(Silent {
                    stream,
                    partition: None,
                    since_s,
                });
                continue;
            }
            for (&(_, partition), counts) in self
                .partitions
                .range((stream, i32::MIN)..=(stream, i32::MAX))
            {
                if let Some(since_s) = is_silent(counts, now, MISSING_OF_PARTITION) {
                    found.push(Silent {
                        stream,
                        partition: Some(partition),
                        since_s,
                    });
                }
            }
        }
        found
    }

    /// Whether a stream or partition speaks again after `since`.
    pub(crate) fn speaks(&self, silent: &Silent) -> Option<i64> {
        let counts = match silent.partition {
            Some(partition) => self.partitions.get(&(silent.stream, partition)),
            None => self.streams.get(&silent.stream),
        }?;
        let start = counts
            .0
            .partition_point(|(second, _)| *second <= silent.since_s);
        counts.0.get(start).map(|(second, _)| *second)
    }

    /// Whether payments go on in a silence of `since` to `now`.
    pub(crate) fn payments_go_on(&self, since: i64, now: i64) -> bool {
        let payments = &self.kinds[KIND_PAYMENT];
        let seen = payments.between(since + 1, now) as f64;
        seen >= 0.4 * payments.rate(since) * (now - since) as f64 && seen > 0.0
    }

    /// What follows credits in a silence of `since` to `now`.
    pub(crate) fn aftermath(&self, since: i64, now: i64) -> Aftermath {
        // What was credited before the silence is still followed for a moment.
        let from = (since + 4).max(now - 20);
        let span = (now - from + 1).max(1) as f64;
        let rejections = &self.kinds[KIND_REJECTION];
        let credits = self.kinds[KIND_CREDIT].rate(since);
        if rejections.between(from, now) as f64 >= 0.3 * credits * span && span >= 3.0 {
            return Aftermath::Rejections;
        }
        let after = &self.kinds[KIND_AFTER];
        let usual = after.rate(since) * span;
        if after.rate(since) * 10.0 < 1.0 {
            return Aftermath::Unknown;
        }
        let seen = after.between(from, now) as f64;
        if seen >= 0.5 * usual {
            Aftermath::AsUsual
        } else {
            Aftermath::Stopped
        }
    }
}

fn is_silent(counts: &Counts, now: i64, missing: f64) -> Option<i64> {
    let (since, count) = counts.silence(now)?;
    let lasted = now - since;
    (count >= missing && (LEAST_S..=MOST_S).contains(&lasted)).then_some(since)
}

//! Streams and partitions that fall silent, and what follows a credit while they are.

use std::collections::BTreeMap;

use crate::beats::Beats;
use crate::counts::Counts;
use crate::keep::{Keep, Reader, Unreadable, Writer, read_by_stream, write_by_stream};
use crate::pulse::{
    KIND_AFTER, KIND_BEFORE, KIND_CREDIT, KIND_PAYMENT, KIND_REJECTION, KINDS, Pulse,
};
use crate::terminals::{Heartbeat, Terminals};

/// Evidence in natural units that a stream is silent.
const NATS: f64 = 25.0;

/// The same of one partition of many.
const NATS_OF_PARTITION: f64 = 30.0;

/// The same that it may be.
const NATS_OF_DOUBT: f64 = 5.0;

/// Stages come many at once, for each payment: so many credits without any say that theirs are silent.
const STAGED: u64 = 12;

/// Where this share of payments goes on, credits must follow.
const GOES_ON: f64 = 0.4;

/// A partition is silent by itself where the others go on at this share of what is usual for them.
const OTHERS_GO_ON: f64 = 0.6;

/// More than so many times what is usual comes while a source catches up.
const FLOOD: f64 = 1.6;

/// What was held back comes at once: so many times what is usual. Loads grow by less in a few minutes.
const CATCHES_UP: f64 = 3.0;

/// So many records more may come by chance.
const CHANCE: f64 = 10.0;

/// Index of the stream of payments.
pub(crate) const PAYMENTS: u8 = 0;

/// Index of the stream of credits.
pub(crate) const CREDITS: u8 = 1;

/// Index of the stream of what follows credits, and of what takes their place.
pub(crate) const LIFECYCLE: u8 = 2;

/// The kinds of records that come as long as people pay. Rejections, refunds and reversals come in waves.
fn watched(stream: u8) -> &'static [usize] {
    match stream {
        PAYMENTS => &[KIND_PAYMENT],
        CREDITS => &[KIND_CREDIT],
        _ => &[KIND_BEFORE, KIND_AFTER],
    }
}

/// A stream, or partitions of it, that say nothing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Silent {
    pub(crate) stream: u8,
    /// The partitions, where others speak, and how many records a second each had.
    pub(crate) partitions: BTreeMap<i32, f64>,
    /// The last second in which it spoke.
    pub(crate) since_s: i64,
    /// The second in which that was found.
    pub(crate) found_s: i64,
    /// Records a second before that.
    pub(crate) rate: f64,
}

impl Silent {
    /// Whether payments wait or are missing because of it.
    pub(crate) fn hides_payments(&self) -> bool {
        hides_payments(self.stream)
    }

    /// Whether a partition is silent.
    pub(crate) fn is_of(&self, partition: i32) -> bool {
        self.partitions.is_empty() || self.partitions.contains_key(&partition)
    }

    /// Whether nothing is known of any payment because of it.
    pub(crate) fn hides_all(&self) -> bool {
        self.partitions.is_empty() && self.hides_payments()
    }
}

/// Whether payments wait or are missing where a stream is silent.
pub(crate) fn hides_payments(stream: u8) -> bool {
    stream <= CREDITS
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
    /// Records that could not be read, of the streams that are keyed by payment.
    rejected: BTreeMap<u8, Counts>,
    beats: Beats,
}

impl Sources {
    /// Takes in a pulse, auxiliary events and all.
    pub(crate) fn heard(&mut self, pulse: &Pulse) {
        self.beats.heard(pulse, |stream| stream > LIFECYCLE);
        for count in &pulse.streams {
            for (kind, known) in self.kinds.iter_mut().enumerate() {
                known.add(pulse.second, count.kinds[kind]);
            }
            let stream = count.stream;
            // Streams that are not keyed by payment are known later than these.
            if stream > LIFECYCLE {
                continue;
            }
            let rejected = self.rejected.entry(stream);
            rejected.or_default().add(pulse.second, count.rejected);
            let records = watched(stream).iter().map(|kind| count.kinds[*kind]).sum();
            let partition = self.partitions.entry((stream, count.partition));
            partition.or_default().add(pulse.second, records);
            let whole = self.streams.entry(stream);
            whole.or_default().add(pulse.second, records);
        }
    }

    /// The second ended; `blind` where not everything of it was read: what is missing says nothing then.
    pub(crate) fn end_second(&mut self, second: i64, blind: bool) {
        let all = self
            .streams
            .values_mut()
            .chain(self.partitions.values_mut());
        for counts in all {
            if blind {
                counts.forget_silence();
            } else {
                counts.end_second(second);
            }
        }
    }

    /// Streams that are silent at `now`, or single partitions of them.
    pub(crate) fn silent(&self, now: i64) -> Vec<Silent> {
        let mut found = Vec::new();
        for (&stream, counts) in &self.streams {
            if let Some(since_s) = counts.surely_silent_since(now, NATS) {
                if self.is_alone_of_streams(stream, since_s, now) {
                    found.push(Silent {
                        stream,
                        partitions: BTreeMap::new(),
                        since_s,
                        found_s: now,
                        rate: counts.rate(since_s),
                    });
                }
                continue;
            }
            let partitions = (stream, i32::MIN)..=(stream, i32::MAX);
            for (&(_, partition), counts) in self.partitions.range(partitions) {
                let since_s = counts.surely_silent_since(now, NATS_OF_PARTITION);
                let Some(since_s) = since_s else { continue };
                if self.is_alone(stream, partition, since_s, now) {
                    let rate = counts.rate(since_s);
                    found.push(Silent {
                        stream,
                        partitions: BTreeMap::from([(partition, rate)]),
                        since_s,
                        found_s: now,
                        rate,
                    });
                }
            }
        }
        found
    }

    /// Partitions that may be silent by themselves at `now`, though too little is missing yet to say so: what their
    /// payments miss says nothing of anybody else until it is known.
    pub(crate) fn maybe_silent(&self, now: i64) -> Vec<i32> {
        let streams = (PAYMENTS, i32::MIN)..=(CREDITS, i32::MAX);
        let partitions = self.partitions.range(streams);
        let found = partitions.filter_map(|(&(stream, partition), counts)| {
            let since_s = counts.silent_since(now, NATS_OF_DOUBT)?;
            let alone = self.is_alone(stream, partition, since_s, now);
            alone.then_some(partition)
        });
        let mut found: Vec<_> = found.collect();
        found.sort_unstable();
        found
    }

    /// Whether stages of a partition say nothing at `now`, for all that is known: none came since `since_s`, or the stream
    /// may be silent.
    pub(crate) fn says_no_stages(&self, partition: i32, since_s: i64, now: i64) -> bool {
        let whole = self.streams.get(&LIFECYCLE);
        let own = self.partitions.get(&(LIFECYCLE, partition));
        let silent = |counts: &Counts| counts.silent_since(now, NATS_OF_DOUBT).is_some();
        whole.is_some_and(silent)
            || own.is_none_or(|own| silent(own) || own.between(since_s, now) == 0)
    }

    /// The feed of heartbeats, where it is silent at `now` while payments are made and credited.
    pub(crate) fn without_beats(
        &self,
        now: i64,
        feed: Heartbeat,
        terminals: &Terminals,
    ) -> Option<Silent> {
        let (stream, since_s) = self.beats.silent(now, feed)?;
        let kinds = [KIND_PAYMENT, KIND_CREDIT];
        let goes_on = kinds
            .iter()
            .all(|kind| goes_on(&self.kinds[*kind], since_s, now));
        (goes_on && terminals.many_beat()).then(|| Silent {
            stream,
            partitions: BTreeMap::new(),
            since_s,
            found_s: now,
            rate: 0.0,
        })
    }

    /// Whether a partition is silent while the rest of its stream, and what it depends on, goes on.
    fn is_alone(&self, stream: u8, partition: i32, since_s: i64, now: i64) -> bool {
        let (mut seen, mut usual) = (0.0, 0.0);
        for (&(_, other), counts) in self
            .partitions
            .range((stream, i32::MIN)..=(stream, i32::MAX))
        {
            if other != partition && counts.silent_since(now, NATS_OF_PARTITION).is_none() {
                seen += counts.between(since_s + 1, now) as f64;
                usual += counts.rate(since_s) * (now - since_s) as f64;
            }
        }
        let go_on = |before: u8, least: u64| {
            let counts = self.partitions.get(&(before, partition));
            counts.is_some_and(|it| {
                it.between(since_s + 1, now) >= least && goes_on(it, since_s, now)
            })
        };
        let paid = match stream {
            PAYMENTS => true,
            CREDITS => go_on(PAYMENTS, 0),
            _ => go_on(CREDITS, STAGED),
        };
        paid && usual > 0.0 && seen >= OTHERS_GO_ON * usual
    }

    /// When a stream or all of its partitions spoke again.
    pub(crate) fn spoke(&self, silent: &Silent, now: i64) -> Option<i64> {
        if silent.stream > LIFECYCLE {
            return self.beats.spoke(silent.since_s);
        }
        let spoke = |counts: &Counts, rate| counts.spoke(silent.found_s, rate, now);
        if silent.partitions.is_empty() {
            return spoke(self.streams.get(&silent.stream)?, silent.rate);
        }
        let each = silent.partitions.iter().map(|(&partition, &rate)| {
            let counts = self.partitions.get(&(silent.stream, partition))?;
            spoke(counts, rate)
        });
        each.collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// Whether more comes than is usual in the seconds `from` to `now`: what was missing is sent.
    pub(crate) fn is_flooding(&self, stream: u8, usual: f64, (from, now): (i64, i64)) -> bool {
        let seen = self.streams.get(&stream).map(|it| it.between(from, now));
        seen.unwrap_or(0) as f64 > FLOOD * usual * (now - from + 1) as f64
    }

    /// Whether what was missing of a silence is sent now: it says nothing of how long credits take.
    pub(crate) fn is_catching_up(&self, silent: &Silent, now: i64) -> bool {
        let floods = |counts: &Counts, rate: f64| {
            let seen = counts.between(now - 1, now) as f64;
            seen > CATCHES_UP * rate * 2.0 + CHANCE
        };
        if silent.partitions.is_empty() {
            let counts = self.streams.get(&silent.stream);
            return counts.is_some_and(|counts| floods(counts, silent.rate));
        }
        silent.partitions.iter().any(|(&partition, &rate)| {
            let counts = self.partitions.get(&(silent.stream, partition));
            counts.is_some_and(|counts| floods(counts, rate))
        })
    }

    /// Whether what comes before the records of a stream goes on.
    fn is_alone_of_streams(&self, stream: u8, since_s: i64, now: i64) -> bool {
        match stream {
            PAYMENTS => true,
            CREDITS => goes_on(&self.kinds[KIND_PAYMENT], since_s, now),
            _ => goes_on(&self.kinds[KIND_CREDIT], since_s, now),
        }
    }

    /// Whether credits and what follows them go on while payments are silent.
    pub(crate) fn go_on_beside_payments(&self, since_s: i64, now: i64) -> bool {
        let after = [KIND_CREDIT, KIND_REJECTION, KIND_AFTER].map(|kind| &self.kinds[kind]);
        after.iter().any(|counts| goes_on(counts, since_s, now))
    }

    /// Whether records of a stream that seems to be silent since `since_s` come all the same, and cannot be read.
    pub(crate) fn is_rejected(&self, silent: &Silent, now: i64) -> bool {
        let rejected = self.rejected.get(&silent.stream);
        let seen = rejected.map_or(0, |it| it.between(silent.since_s + 1, now)) as f64;
        seen > 0.0 && seen >= GOES_ON * silent.rate * (now - silent.since_s) as f64
    }

    /// What follows credits in a silence of `since` to `now`.
    pub(crate) fn aftermath(&self, since: i64, now: i64) -> Aftermath {
        let usual = |kind: usize| self.kinds[kind].rate(since);
        let rejected = self.kinds[KIND_REJECTION].between(since + 1, now) as f64;
        if rejected >= 0.3 * usual(KIND_CREDIT) * (now - since) as f64 {
            return Aftermath::Rejections;
        }
        if usual(KIND_AFTER) * 10.0 < 1.0 {
            return Aftermath::Unknown;
        }
        // What was credited before the silence is still followed for a moment.
        let from = (since + 4).max(now - 20);
        let seen = self.kinds[KIND_AFTER].between(from, now) as f64;
        let span = (now - from + 1).max(1) as f64;
        if seen >= 0.5 * usual(KIND_AFTER) * span {
            Aftermath::AsUsual
        } else {
            Aftermath::Stopped
        }
    }
}

fn goes_on(counts: &Counts, since_s: i64, now: i64) -> bool {
    let seen = counts.between(since_s + 1, now) as f64;
    seen > 0.0 && seen >= GOES_ON * counts.rate(since_s) * (now - since_s) as f64
}

/// A stream that is not configured any more.
pub(crate) const NO_STREAM: u8 = u8::MAX;

impl Keep for Silent {
    fn write(&self, to: &mut Writer) {
        let Self {
            stream,
            partitions,
            since_s,
            found_s,
            rate,
        } = self;
        to.byte(*stream);
        partitions.write(to);
        since_s.write(to);
        found_s.write(to);
        rate.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        Ok(Self {
            stream: from.stream()?.unwrap_or(NO_STREAM),
            partitions: Keep::read(from)?,
            since_s: Keep::read(from)?,
            found_s: Keep::read(from)?,
            rate: Keep::read(from)?,
        })
    }
}

impl Keep for Sources {
    fn write(&self, to: &mut Writer) {
        let Self {
            partitions,
            streams,
            kinds,
            rejected,
            beats,
        } = self;
        to.len(partitions.len());
        for ((stream, partition), counts) in partitions {
            to.byte(*stream);
            partition.write(to);
            counts.write(to);
        }
        write_by_stream(streams, to);
        kinds.write(to);
        write_by_stream(rejected, to);
        beats.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let mut sources = Self::default();
        for _ in 0..from.len()? {
            let stream = from.stream()?;
            let (partition, counts) = Keep::read(from)?;
            if let Some(stream) = stream {
                sources.partitions.insert((stream, partition), counts);
            }
        }
        sources.streams = read_by_stream(from)?;
        sources.kinds = Keep::read(from)?;
        sources.rejected = read_by_stream(from)?;
        sources.beats = Keep::read(from)?;
        Ok(sources)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pulse::StreamCount;

    /// A second in which payments, credits and what follows them come at these rates.
    fn second(sources: &mut Sources, second: i64, rates: [u64; 3]) {
        let kinds = [KIND_PAYMENT, KIND_CREDIT, KIND_AFTER];
        let streams = (0..).zip(rates).zip(kinds).map(|((stream, rate), kind)| {
            let mut count = StreamCount {
                stream,
                partition: 0,
                records: rate,
                rejected: 0,
                kinds: [0; KINDS],
            };
            count.kinds[kind] = rate;
            count
        });
        sources.heard(&Pulse {
            second,
            streams: streams.collect(),
            ..Pulse::default()
        });
        sources.end_second(second, false);
    }

    fn silent_after(rates: [u64; 3]) -> Vec<u8> {
        let mut sources = Sources::default();
        (0..200).for_each(|at| second(&mut sources, at, [10, 10, 15]));
        (200..240).for_each(|at| second(&mut sources, at, rates));
        let silent = sources.silent(239);
        silent.iter().map(|silent| silent.stream).collect()
    }

    #[test]
    fn a_stream_is_silent_where_what_comes_before_it_goes_on() {
        assert_eq!(silent_after([10, 10, 15]), []);
        assert_eq!(silent_after([10, 10, 0]), [2]);
        assert_eq!(silent_after([10, 0, 15]), [CREDITS]);
        // What follows credits cannot follow where there are none.
        assert_eq!(silent_after([10, 0, 0]), [CREDITS]);
        assert_eq!(silent_after([0, 0, 0]), [PAYMENTS]);
    }

    #[test]
    fn what_was_held_back_is_told_from_a_load_that_grew() {
        let mut sources = Sources::default();
        (0..200).for_each(|at| second(&mut sources, at, [10, 10, 15]));
        (200..240).for_each(|at| second(&mut sources, at, [0, 10, 15]));
        let silent = sources.silent(239).remove(0);
        second(&mut sources, 240, [200, 10, 15]);
        assert!(sources.is_catching_up(&silent, 240));
        (241..243).for_each(|at| second(&mut sources, at, [18, 10, 15]));
        assert!(!sources.is_catching_up(&silent, 242));
    }

    #[test]
    fn records_that_come_and_cannot_be_read_are_no_silence() {
        let mut sources = Sources::default();
        (0..200).for_each(|at| second(&mut sources, at, [10, 10, 15]));
        for at in 200..240 {
            sources.heard(&Pulse {
                second: at,
                streams: vec![StreamCount {
                    stream: CREDITS,
                    partition: 0,
                    records: 10,
                    rejected: 10,
                    kinds: [0; KINDS],
                }],
                ..Pulse::default()
            });
            second(&mut sources, at, [10, 0, 0]);
        }
        let silent = sources.silent(239).remove(0);
        assert!(sources.is_rejected(&silent, 239));
        let mut sources = Sources::default();
        (0..200).for_each(|at| second(&mut sources, at, [10, 10, 15]));
        (200..240).for_each(|at| second(&mut sources, at, [10, 0, 0]));
        assert!(!sources.is_rejected(&silent, 239));
    }
}

//! What the chunks of a snapshot are, and auxiliary topics that came, went or grew since it was taken.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use settlewatch_join::Timestamp;

use super::FeedConfig;
use super::step::{FeedStep, WatchStep};
use crate::bytes::{Malformed, Reader, Writer};
use crate::rules::Rules;
use crate::step::{Manifest, list};

/// Chunks of what the core knows, of the rules, and of the auxiliary topics.
pub(super) const CORE: u8 = b'w';
pub(super) const RULES: u8 = b'u';
pub(super) const FEEDS: u8 = b'f';

/// An auxiliary topic of then: which one, and how many partitions it had.
pub(super) type FeedThen = (Arc<[u8]>, usize);

/// What a snapshot holds.
pub(super) struct Unpacked {
    pub(super) rules: Rules,
    pub(super) core: Vec<Box<[u8]>>,
    pub(super) feeds: Vec<FeedThen>,
}

/// Reads the chunks of a snapshot.
pub(super) fn unpack(chunks: &[Box<[u8]>]) -> Result<Unpacked, String> {
    let mut core = Vec::new();
    for chunk in chunks {
        match chunk.split_first() {
            Some((&CORE, bytes)) => core.push(bytes.into()),
            Some((&(RULES | FEEDS), _)) => {}
            _ => return Err("a chunk of an unknown kind".into()),
        }
    }
    let of_kind = |kind| crate::assembly::of_kind(chunks, kind);
    let rules = Rules::read(&of_kind(RULES)).map_err(|_| "the rules are malformed")?;
    let feeds = read_feeds(&of_kind(FEEDS)).map_err(|_| "the auxiliary topics are malformed")?;
    Ok(Unpacked { rules, core, feeds })
}

/// The auxiliary topics as a chunk.
pub(super) fn write_feeds(feeds: &[FeedConfig]) -> Box<[u8]> {
    let mut to = Writer::default();
    to.len(feeds.len());
    for feed in feeds {
        to.bytes(&feed.identity).i64(i64::from(feed.partitions));
    }
    to.finish()
}

fn read_feeds(bytes: &[u8]) -> Result<Vec<FeedThen>, Malformed> {
    let mut from = Reader(bytes);
    let feeds = list(&mut from, 16, |from| {
        let identity = from.bytes()?.into();
        let partitions = usize::try_from(from.i64()?).map_err(|_| Malformed)?;
        Ok((identity, partitions))
    })?;
    from.end()?;
    Ok(feeds)
}

/// Where the auxiliary partitions of then are now.
pub(super) struct Layout {
    /// By their place then; `None` where one is not read any more.
    places: Vec<Option<usize>>,
    /// How many there are now.
    now: usize,
}

impl Layout {
    pub(super) fn of(then: &[FeedThen], now: &[FeedConfig]) -> Self {
        let mut first = Vec::new();
        let mut next = 0_usize;
        for feed in now {
            let partitions = usize::try_from(feed.partitions).unwrap_or(0);
            first.push((&feed.identity, next, partitions));
            next += partitions;
        }
        let places = then.iter().flat_map(|(identity, partitions)| {
            let found = first.iter().find(|(known, ..)| *known == identity);
            let found = found.copied();
            (0..*partitions).map(move |partition| {
                let (_, first, now) = found?;
                (partition < now).then_some(first + partition)
            })
        });
        Self {
            places: places.collect(),
            now: next,
        }
    }

    /// A step as if the topics had been those of now. What was not there then was not read.
    pub(super) fn laid_out(&self, mut step: WatchStep) -> WatchStep {
        let unread = FeedStep {
            position: 0,
            known: Timestamp::MIN,
        };
        let mut feeds = alloc::vec![unread; self.now];
        for (place, &at) in self.places.iter().zip(&step.feeds) {
            if let Some(place) = place {
                feeds[*place] = at;
            }
        }
        step.feeds = feeds;
        let place = |then: u32| self.places.get(then as usize).copied().flatten();
        let times = step.append_times.into_iter();
        let times = times
            .filter_map(|(feed, offset, at)| Some((u32::try_from(place(feed)?).ok()?, offset, at)));
        step.append_times = times.collect();
        step
    }

    /// A snapshot as if the topics had been those of now.
    pub(super) fn lay_out(&self, manifest: &mut Manifest<WatchStep>) -> Result<(), String> {
        let pulses = manifest.step.pulses.len();
        if manifest.clocks.len() != pulses + self.places.len()
            || manifest.step.feeds.len() != self.places.len()
        {
            return Err("its partitions do not fit together".into());
        }
        let then = manifest.clocks.split_off(pulses);
        let mut now = alloc::vec![Timestamp::MIN; self.now];
        for (place, at) in self.places.iter().zip(then) {
            if let Some(place) = place {
                now[*place] = at;
            }
        }
        manifest.clocks.extend(now);
        manifest.step = self.laid_out(core::mem::take(&mut manifest.step));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(name: &str, partitions: i32) -> FeedConfig {
        FeedConfig {
            identity: name.as_bytes().into(),
            rank: 3,
            partitions,
            log_append_time: true,
        }
    }

    #[test]
    fn topics_that_came_went_and_grew_keep_the_positions_of_the_others() {
        let then = [feed("gone", 1), feed("grown", 2)];
        let read = read_feeds(&write_feeds(&then)).expect("what was written");
        let layout = Layout::of(&read, &[feed("new", 1), feed("grown", 3)]);
        let at = |position| FeedStep {
            position,
            known: Timestamp::from_millis(position),
        };
        let step = WatchStep {
            pulses: [1].into(),
            feeds: [at(7), at(8), at(9)].into(),
            append_times: [0, 2].map(|feed| (feed, 5, Timestamp::MAX)).into(),
            ..WatchStep::default()
        };
        let mut manifest = Manifest {
            generation: 0,
            chunks: 0,
            step,
            clocks: [1, 70, 80, 90].map(Timestamp::from_millis).into(),
            identity: [].into(),
        };
        layout.lay_out(&mut manifest).expect("it fits");
        let positions: Vec<i64> = manifest.step.feeds.iter().map(|it| it.position).collect();
        assert_eq!(positions, [0, 8, 9, 0]);
        assert_eq!(manifest.step.append_times, [(2, 5, Timestamp::MAX)]);
        let clocks: Vec<i64> = manifest.clocks.iter().map(|it| it.millis()).collect();
        assert_eq!(clocks, [1, i64::MIN, 80, 90, i64::MIN]);
    }
}

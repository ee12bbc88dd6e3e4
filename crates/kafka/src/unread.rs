//! Partitions of which a consumer reads nothing although there is something: it may have lost their leader.
//!
//! librdkafka has been seen to find no leader any more after a broker was fenced and came back, while new clients found
//! it at once; see [`Renewed`](crate::renewed::Renewed) for clients that ask.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use settlewatch_protocol::SourceId;

/// A consumer that works through a backlog comes back to each of its partitions sooner.
pub(crate) const UNREAD_FOR: Duration = Duration::from_secs(120);

/// What was not told again for so long says nothing any more.
const TOLD_WITHIN: Duration = Duration::from_secs(30);

/// Time between two replacements: twice as long each time it did not help, up to the most.
const AGAIN_AFTER: Duration = Duration::from_secs(600);
const AGAIN_AT_MOST: Duration = Duration::from_secs(4 * 3600);

type Place = (SourceId, i32);

/// What waits to be read.
#[derive(Debug)]
struct Waiting {
    /// The consumer stands here.
    position: i64,
    /// Another client said then that records up to here are there.
    end: i64,
    since: Instant,
    told: Instant,
}

impl Waiting {
    fn is_recent(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.told) <= TOLD_WITHIN
    }
}

/// Partitions whose end was beyond the consumer's position when it was asked for.
#[derive(Debug, Default)]
pub(crate) struct Unread {
    waiting: BTreeMap<Place, Waiting>,
    /// When a consumer was replaced, and how long the next one stays.
    replaced: Option<(Instant, Duration)>,
}

impl Unread {
    /// A partition ends at `end`; of it the consumer reads from `position` on, `None` where it is not to.
    pub(crate) fn told(&mut self, place: Place, position: Option<i64>, end: i64, now: Instant) {
        let Some(position) = position.filter(|position| *position < end) else {
            self.waiting.remove(&place);
            return;
        };
        let known = self.waiting.get(&place);
        let known = known.filter(|it| it.position == position && it.is_recent(now));
        let (end, since) = known.map_or((end, now), |it| (it.end, it.since));
        let waiting = Waiting {
            position,
            end,
            since,
            told: now,
        };
        self.waiting.insert(place, waiting);
    }

    /// A partition that has waited for too long, and where it ended when that began.
    pub(crate) fn longest(&self, now: Instant) -> Option<(Place, i64)> {
        let waits = |waiting: &Waiting| now.saturating_duration_since(waiting.since);
        let recent = self.waiting.iter().filter(|(_, it)| it.is_recent(now));
        let (place, longest) = recent.max_by_key(|(_, waiting)| waits(waiting))?;
        (waits(longest) >= UNREAD_FOR).then_some((*place, longest.end))
    }

    /// Whether the consumer may be replaced now, which counts as done then.
    pub(crate) fn may_replace(&mut self, now: Instant) -> bool {
        let wait = match self.replaced {
            Some((then, wait)) if now < then + wait => return false,
            Some((then, wait)) if now < then + wait * 2 => (wait * 2).min(AGAIN_AT_MOST),
            _ => AGAIN_AFTER,
        };
        self.replaced = Some((now, wait));
        true
    }

    /// It waits for something else.
    pub(crate) fn forget(&mut self, place: Place) {
        self.waiting.remove(&place);
    }

    /// Nothing is read any more.
    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Place = (SourceId(0), 1);
    const TWO: Place = (SourceId(1), 1);

    #[test]
    fn only_what_stands_still_before_its_end_for_long_is_unread() {
        let (mut unread, start) = (Unread::default(), Instant::now());
        let at = |part: u32| start + UNREAD_FOR / 4 * part;
        for part in 0..=4 {
            unread.told(ONE, Some(7), 10 + i64::from(part), at(part));
            unread.told(TWO, Some(i64::from(part)), 100, at(part));
        }
        assert_eq!(unread.longest(at(3)), None, "not for long enough");
        assert_eq!(unread.longest(at(4)), Some((ONE, 10)), "TWO goes on");
        unread.told(ONE, Some(15), 15, at(5));
        for part in 5..=7 {
            unread.told(TWO, Some(4), 101, at(part));
            assert_eq!(unread.longest(at(part)), None, "all of ONE is read");
        }
        assert_eq!(unread.longest(at(8)), Some((TWO, 100)), "it went on last");
        unread.told(TWO, None, 100, at(8));
        assert_eq!(unread.longest(at(8)), None, "nobody wants to read it");
    }

    #[test]
    fn what_waits_for_something_else_is_waited_for_again() {
        let (mut unread, start) = (Unread::default(), Instant::now());
        let mut told = |from: u32, until: u32| {
            for part in from..=until {
                unread.told(ONE, Some(0), 1, start + UNREAD_FOR / 4 * part);
            }
            let longest = unread.longest(start + UNREAD_FOR / 4 * until);
            unread.forget(ONE);
            longest
        };
        assert_eq!(told(0, 4), Some((ONE, 1)));
        assert_eq!(told(5, 8), None, "it was forgotten");
        assert_eq!(told(5, 9), Some((ONE, 1)));
    }

    #[test]
    fn what_nobody_tells_any_more_is_nothing_to_act_on() {
        let (mut unread, start) = (Unread::default(), Instant::now());
        unread.told(ONE, Some(0), 1, start);
        assert_eq!(unread.longest(start + UNREAD_FOR), None, "said once");
        unread.told(ONE, Some(0), 2, start + UNREAD_FOR);
        assert_eq!(
            unread.longest(start + UNREAD_FOR),
            None,
            "nobody answered meanwhile"
        );
        unread.clear();
        assert_eq!(unread.longest(start + UNREAD_FOR * 9), None);
    }

    #[test]
    fn a_replacement_that_does_not_help_is_tried_ever_more_seldom() {
        let (mut unread, start) = (Unread::default(), Instant::now());
        let replaced = (0..24 * 60)
            .filter(|minute| unread.may_replace(start + Duration::from_secs(60) * *minute));
        let minutes: Vec<u32> = replaced.collect();
        assert_eq!(minutes, [0, 10, 30, 70, 150, 310, 550, 790, 1030, 1270]);
        assert!(unread.may_replace(start + Duration::from_secs(72 * 3600)));
    }
}

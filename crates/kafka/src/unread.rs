//! Partitions of which a consumer reads nothing although there is something: it may have lost their leader.
//!
//! librdkafka has been seen to find no leader any more after a broker was fenced and came back, while new clients found
//! it at once; see [`Renewed`](crate::renewed::Renewed) for clients that ask.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use settlewatch_protocol::SourceId;

/// A consumer that works through a backlog comes back to each of its partitions sooner.
pub(crate) const UNREAD_FOR: Duration = Duration::from_secs(120);

type Place = (SourceId, i32);

/// What waits to be read.
#[derive(Debug)]
struct Waiting {
    /// The consumer stands here.
    position: i64,
    /// Another client said then that records up to here are there.
    end: i64,
    since: Instant,
}

/// Partitions whose end was beyond the consumer's position when it was asked for.
#[derive(Debug, Default)]
pub(crate) struct Unread(BTreeMap<Place, Waiting>);

impl Unread {
    /// A partition ends at `end`; of it the consumer reads from `position` on, `None` where it is not to.
    pub(crate) fn told(&mut self, place: Place, position: Option<i64>, end: i64, now: Instant) {
        let Some(position) = position.filter(|position| *position < end) else {
            self.0.remove(&place);
            return;
        };
        let known = self.0.get(&place);
        if known.is_none_or(|known| known.position != position) {
            let since = now;
            self.0.insert(
                place,
                Waiting {
                    position,
                    end,
                    since,
                },
            );
        }
    }

    /// A partition that has waited for too long, and where it ended when that began.
    pub(crate) fn longest(&self, now: Instant) -> Option<(Place, i64)> {
        let waits = |waiting: &Waiting| now.saturating_duration_since(waiting.since);
        let (place, longest) = self.0.iter().max_by_key(|(_, waiting)| waits(waiting))?;
        (waits(longest) >= UNREAD_FOR).then_some((*place, longest.end))
    }

    /// It waits for something else.
    pub(crate) fn forget(&mut self, place: Place) {
        self.0.remove(&place);
    }

    /// Nothing is read any more.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
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
        assert_eq!(unread.longest(at(7)), None, "all of ONE is read");
        assert_eq!(unread.longest(at(8)), Some((TWO, 100)), "it went on last");
        unread.told(TWO, None, 100, at(9));
        assert_eq!(unread.longest(at(20)), None, "nobody wants to read it");
    }

    #[test]
    fn what_waits_for_something_else_is_waited_for_again() {
        let (mut unread, start) = (Unread::default(), Instant::now());
        unread.told(ONE, Some(0), 1, start);
        unread.forget(ONE);
        assert_eq!(unread.longest(start + UNREAD_FOR), None);
        unread.told(ONE, Some(0), 1, start + UNREAD_FOR);
        assert_eq!(unread.longest(start + UNREAD_FOR * 2), Some((ONE, 1)));
        unread.clear();
        assert_eq!(unread.longest(start + UNREAD_FOR * 9), None);
    }
}

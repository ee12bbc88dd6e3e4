//! Lines that are still arriving, held for a while so that partitions fall into canonical order.
//!
//! 1. A record is held from its arrival until it was held long enough, or the input ends.
//! 2. When one is due, the smallest held one by (append time, stream, partition, offset) leaves, until the due
//!    one did; a partition keeps its own order, and its clock is judged by what is held.
//! 3. A record appended before what already left is late: it leaves at once.
//! 4. Where real time is known, a timestamp more than ten minutes beyond it is implausible too: no record is
//!    appended in the future, and nobody may come to testify against it. Ten minutes, because clocks that are
//!    kept at all differ by less. A record that has no time then is used where the clock stands; where there is
//!    no clock yet, at its arrival, from where the clock follows real time.
//! 5. When nothing leaves, the clock goes on from the last record as real time does, but never past a held one.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use settlewatch_join::{Place, Timestamp};

use super::clock::plausible;
use super::load::Origin;
use super::offsets::SeenOffsets;

/// How far beyond real time a timestamp is believed, in milliseconds.
const AHEAD_MS: i64 = 10 * 60 * 1000;

/// How many held records are asked for the time of what stands before the first plausible one.
const SEARCHED: usize = 256;

/// A record that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arrived {
    pub(crate) origin: Origin,
    pub(crate) offset: i64,
    pub(crate) stream: u8,
    pub(crate) ts_ms: i64,
    pub(crate) payload: Option<Vec<u8>>,
}

/// A record that was held long enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Released {
    pub(crate) place: Place,
    pub(crate) ts_ms: i64,
    pub(crate) plausible: bool,
    pub(crate) payload: Option<Vec<u8>>,
}

/// What is held. Every `now` is the time since some fixed moment, and never decreases.
pub(crate) struct Hold {
    hold: Duration,
    /// Real time at the fixed moment.
    began_ms: Option<i64>,
    closed: bool,
    lanes: Vec<Lane>,
    index: HashMap<Origin, usize>,
    order: BTreeSet<Next>,
    arrivals: Arrivals,
    bytes: usize,
    repeated: u64,
    /// The smallest of the partitions' first append times.
    earliest_ms: Option<i64>,
    latest: Option<Latest>,
    clock_ms: Option<i64>,
}

/// A partition's next record: its place, whether it is a bare event, the partition's index.
type Next = (Place, bool, usize);

/// The plausible record that left last, of those that moved the clock.
#[derive(Clone, Copy)]
struct Latest {
    at_ms: i64,
    arrived: Duration,
}

/// A record that is held.
struct Held {
    /// Number of its arrival.
    serial: u64,
    /// Real time of its arrival.
    arrived_ms: Option<i64>,
    record: Arrived,
}

impl Held {
    /// Whether its timestamp lay in the future when it arrived.
    fn is_ahead(&self) -> bool {
        let ahead_ms = |real_ms| self.record.ts_ms.saturating_sub(real_ms);
        self.arrived_ms
            .is_some_and(|real_ms| ahead_ms(real_ms) > AHEAD_MS)
    }
}

/// A partition.
struct Lane {
    origin: Origin,
    held: VecDeque<Held>,
    seen: SeenOffsets,
    /// Append time of the first plausible record, as far as it arrived.
    first_ms: Option<i64>,
    clock_ms: Option<i64>,
    next: Option<Judgement>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Judgement {
    key: Next,
    plausible: bool,
    /// No record of the partition is plausible so far.
    unknown: bool,
}

impl Lane {
    /// Whether the next record is believed, and its append time where the partition itself says.
    fn judge(&self) -> (bool, Option<i64>) {
        let believed = |index: usize| {
            let following = self.held.iter().skip(index + 1);
            let following_ms = following.map(|one| one.record.ts_ms);
            let one = &self.held[index];
            !one.is_ahead() && plausible(one.record.ts_ms, following_ms)
        };
        let next_is = believed(0);
        let ts_ms = |index: usize| self.held[index].record.ts_ms;
        let at_ms = match (next_is, self.clock_ms) {
            (true, clock_ms) => Some(ts_ms(0).max(clock_ms.unwrap_or(i64::MIN))),
            (false, Some(clock_ms)) => Some(clock_ms),
            (false, None) => (1..self.held.len().min(SEARCHED))
                .find(|&at| believed(at))
                .map(ts_ms),
        };
        (next_is, at_ms)
    }
}

impl Hold {
    /// Holds each record for `hold`; at the fixed moment real time is `began`, where that may be asked.
    pub(crate) fn new(hold: Duration, began: Option<Timestamp>) -> Self {
        Self {
            hold,
            began_ms: began.map(Timestamp::millis),
            closed: false,
            lanes: Vec::new(),
            index: HashMap::new(),
            order: BTreeSet::new(),
            arrivals: Arrivals::default(),
            bytes: 0,
            repeated: 0,
            earliest_ms: None,
            latest: None,
            clock_ms: None,
        }
    }

    /// Bytes of values that are held.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Records that were dropped because their coordinates had been met before.
    pub(crate) fn repeated(&self) -> u64 {
        self.repeated
    }

    /// No further record arrives: what is held need not wait.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    /// Real time at `now`, where it is known.
    pub(crate) fn real_time(&self, now: Duration) -> Option<Timestamp> {
        let since_ms = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        let began_ms = self.began_ms?;
        Some(Timestamp::from_millis(began_ms.saturating_add(since_ms)))
    }

    /// Whether, without any record so far, all that was appended up to `until` would have come by `now`: it
    /// lay ahead when the reading began, and passed longer ago than a record is held.
    pub(crate) fn is_silent_until(&self, until: Timestamp, now: Duration) -> bool {
        let lay_ahead = self.real_time(Duration::ZERO).is_some_and(|at| at <= until);
        let waited = self.real_time(now.saturating_sub(self.hold));
        lay_ahead
            && self.order.is_empty()
            && self.latest.is_none()
            && waited.is_some_and(|at| at > until)
    }

    /// Whether everything left that will ever leave.
    pub(crate) fn is_done(&self) -> bool {
        self.closed && self.order.is_empty()
    }

    /// Takes a record in.
    pub(crate) fn push(&mut self, now: Duration, record: Arrived) {
        let index = self.lane(record.origin);
        let arrived_ms = self.real_time(now).map(Timestamp::millis);
        let lane = &mut self.lanes[index];
        if !lane.seen.insert(record.offset) {
            self.repeated += 1;
            return;
        }
        self.bytes += record.payload.as_ref().map_or(0, Vec::len);
        let at = lane
            .held
            .partition_point(|held| held.record.offset < record.offset);
        let held = Held {
            serial: self.arrivals.add(now),
            arrived_ms,
            record,
        };
        lane.held.insert(at, held);
        let testifies = at <= super::clock::WITNESSES;
        if testifies || lane.next.is_some_and(|next| next.unknown) {
            self.judge(index);
        }
    }

    fn lane(&mut self, origin: Origin) -> usize {
        *self.index.entry(origin).or_insert_with(|| {
            self.lanes.push(Lane {
                origin,
                held: VecDeque::new(),
                seen: SeenOffsets::default(),
                first_ms: None,
                clock_ms: None,
                next: None,
            });
            self.lanes.len() - 1
        })
    }

    /// Judges the next record of a partition anew, and those that depend on what it says.
    fn judge(&mut self, index: usize) {
        if self.judge_one(index) {
            let unknown = |lane: &Lane| lane.next.is_some_and(|next| next.unknown);
            let dependent: Vec<_> = (0..self.lanes.len())
                .filter(|&at| unknown(&self.lanes[at]))
                .collect();
            for other in dependent {
                self.judge_one(other);
            }
        }
    }

    /// Judges the next record of a partition anew; whether the earliest append time changed.
    fn judge_one(&mut self, index: usize) -> bool {
        let lane = &mut self.lanes[index];
        if let Some(next) = lane.next.take() {
            self.order.remove(&next.key);
        }
        let Some(Held {
            record, arrived_ms, ..
        }) = lane.held.front()
        else {
            return false;
        };
        let (plausible, at_ms) = lane.judge();
        let first_changed = lane.clock_ms.is_none() && lane.first_ms != at_ms;
        if first_changed {
            lane.first_ms = at_ms;
        }
        // Without real time, what is read is a recording, in which only records are times.
        let stands_ms = arrived_ms.and(self.clock_ms);
        let known_ms = at_ms
            .or(stands_ms)
            .or(self.earliest_ms)
            .or(*arrived_ms)
            .unwrap_or(0);
        let place = Place {
            at: Timestamp::from_millis(known_ms),
            stream: record.stream,
            partition: match lane.origin {
                Origin::Topic(_, partition) => partition,
                Origin::File(number) => number as i32,
            },
            offset: record.offset,
        };
        let key = (place, matches!(lane.origin, Origin::File(_)), index);
        lane.next = Some(Judgement {
            key,
            plausible,
            unknown: at_ms.is_none(),
        });
        self.order.insert(key);
        first_changed && self.find_earliest()
    }

    /// Finds the earliest append time anew; whether it changed.
    fn find_earliest(&mut self) -> bool {
        let found = self.lanes.iter().filter_map(|lane| lane.first_ms).min();
        let changed = found != self.earliest_ms;
        self.earliest_ms = found;
        changed
    }

    /// The next record that leaves at `now`.
    pub(crate) fn pop(&mut self, now: Duration) -> Option<Released> {
        let &(place, _, index) = self.order.first()?;
        let late = self
            .clock_ms
            .is_some_and(|clock_ms| place.at.millis() < clock_ms);
        if !(self.closed || late || self.next_due().is_some_and(|due| due <= now)) {
            return None;
        }
        let lane = &mut self.lanes[index];
        let plausible = lane.next.is_some_and(|next| next.plausible);
        let Held {
            serial,
            record,
            arrived_ms,
        } = lane.held.pop_front()?;
        let arrived = self.arrivals.remove(serial);
        if plausible {
            lane.clock_ms = Some(place.at.millis());
            self.move_clock(place.at.millis(), arrived);
        } else if self.latest.is_none() && arrived_ms.is_some() {
            // Real time passes, also where nobody's timestamps are believed.
            self.move_clock(place.at.millis(), arrived);
        }
        self.bytes -= record.payload.as_ref().map_or(0, Vec::len);
        self.judge(index);
        Some(Released {
            place,
            ts_ms: record.ts_ms,
            plausible,
            payload: record.payload,
        })
    }

    fn move_clock(&mut self, at_ms: i64, arrived: Duration) {
        if self.latest.is_none_or(|latest| latest.at_ms <= at_ms) {
            self.latest = Some(Latest { at_ms, arrived });
        }
        self.clock_ms = Some(self.clock_ms.map_or(at_ms, |clock_ms| clock_ms.max(at_ms)));
    }

    /// When the next record is due whatever else arrives.
    pub(crate) fn next_due(&self) -> Option<Duration> {
        self.arrivals.oldest().map(|arrived| arrived + self.hold)
    }

    /// The time up to which, exclusive, everything is taken to have arrived; `None` before the first record
    /// left.
    pub(crate) fn clock(&mut self, now: Duration) -> Option<Timestamp> {
        let latest = self.latest?;
        let since = now.saturating_sub(latest.arrived + self.hold);
        let since_ms = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        let held_ms = self
            .order
            .first()
            .map_or(i64::MAX, |(place, ..)| place.at.millis());
        let follows_ms = latest.at_ms.saturating_add(since_ms).min(held_ms);
        self.clock_ms = self.clock_ms.max(Some(follows_ms));
        self.clock_ms.map(Timestamp::from_millis)
    }
}

/// When the held records arrived, by a number counted up.
#[derive(Default)]
struct Arrivals {
    first: u64,
    /// `None` where the record left.
    times: VecDeque<Option<Duration>>,
}

impl Arrivals {
    fn add(&mut self, now: Duration) -> u64 {
        self.times.push_back(Some(now));
        self.first + self.times.len() as u64 - 1
    }

    fn oldest(&self) -> Option<Duration> {
        self.times.front().copied().flatten()
    }

    fn remove(&mut self, serial: u64) -> Duration {
        let arrived = self.times[(serial - self.first) as usize].take();
        while self.times.front().is_some_and(Option::is_none) {
            self.times.pop_front();
            self.first += 1;
        }
        arrived.expect("a held record leaves once")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const NOW: i64 = 1_775_700_000_000;
    const HOLD: Duration = Duration::from_secs(2);

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn record(stream: u8, partition: i32, offset: i64, ts_ms: i64) -> Arrived {
        Arrived {
            origin: Origin::Topic(stream, partition),
            offset,
            stream,
            ts_ms,
            payload: Some(vec![b'x'; 3]),
        }
    }

    /// Everything that leaves at `now`: stream, offset, append time.
    fn drain(hold: &mut Hold, now: Duration) -> Vec<(u8, i64, i64)> {
        let places = std::iter::from_fn(|| hold.pop(now)).map(|one| one.place);
        places
            .map(|place| (place.stream, place.offset, place.at.millis()))
            .collect()
    }

    #[test]
    fn records_are_held_and_leave_in_canonical_order() {
        let mut hold = Hold::new(HOLD, None);
        hold.push(ms(0), record(1, 0, 0, NOW + 5));
        hold.push(ms(100), record(0, 0, 1, NOW + 5));
        hold.push(ms(200), record(0, 0, 0, NOW + 1));
        hold.push(ms(300), record(0, 1, 0, NOW + 9));
        assert!(drain(&mut hold, ms(1999)).is_empty());
        assert_eq!(hold.next_due(), Some(HOLD));
        let expected = [(0, 0, NOW + 1), (0, 1, NOW + 5), (1, 0, NOW + 5)];
        assert_eq!(
            drain(&mut hold, ms(2000)),
            expected,
            "what precedes the due one leaves with it"
        );
        assert_eq!(drain(&mut hold, ms(2300)), [(0, 0, NOW + 9)]);
        assert_eq!(hold.bytes(), 0);
    }

    #[test]
    fn a_late_record_leaves_at_once_at_its_own_append_time() {
        let mut hold = Hold::new(HOLD, None);
        hold.push(ms(0), record(0, 0, 0, NOW));
        hold.push(ms(0), record(1, 0, 0, NOW + 500));
        assert_eq!(drain(&mut hold, ms(2000)).len(), 2);
        hold.push(ms(2001), record(0, 0, 1, NOW + 400));
        assert_eq!(drain(&mut hold, ms(2001)), [(0, 1, NOW + 400)]);
        hold.push(ms(2002), record(0, 0, 2, NOW + 600));
        assert!(
            drain(&mut hold, ms(2002)).is_empty(),
            "one that is not late waits"
        );
    }

    #[test]
    fn the_clock_follows_real_time_but_never_passes_what_is_held() {
        let mut hold = Hold::new(HOLD, None);
        assert_eq!(hold.clock(ms(10)), None);
        hold.push(ms(10), record(0, 0, 0, NOW));
        assert_eq!(hold.clock(ms(20)), None, "nothing left yet");
        assert_eq!(drain(&mut hold, ms(2010)).len(), 1);
        let clock = |hold: &mut Hold, now| hold.clock(ms(now)).unwrap().millis() - NOW;
        assert_eq!(clock(&mut hold, 2010), 0);
        assert_eq!(clock(&mut hold, 5010), 3000);
        hold.push(ms(5100), record(0, 0, 1, NOW + 3050));
        assert_eq!(clock(&mut hold, 7000), 3050);
        assert_eq!(drain(&mut hold, ms(7100)).len(), 1);
        assert_eq!(clock(&mut hold, 7150), 3100);
    }

    #[test]
    fn an_implausible_record_moves_no_clock() {
        let mut hold = Hold::new(HOLD, None);
        hold.push(ms(0), record(0, 0, 0, NOW));
        drain(&mut hold, ms(2000));
        hold.push(ms(3000), record(0, 0, 1, NOW + 90_000_000));
        hold.push(ms(3500), record(0, 0, 2, NOW + 3500));
        hold.push(ms(3600), record(0, 0, 3, 0));
        let left: Vec<_> = std::iter::from_fn(|| hold.pop(ms(9000))).collect();
        let judged: Vec<_> = left
            .iter()
            .map(|one| (one.place.at.millis() - NOW, one.plausible))
            .collect();
        assert_eq!(judged, [(0, false), (3500, true), (3500, false)]);
        assert_eq!(hold.clock(ms(9000)).unwrap().millis(), NOW + 3500 + 3500);
    }

    #[test]
    fn before_the_first_plausible_record_the_time_is_that_one_s_or_the_earliest_known() {
        let mut hold = Hold::new(HOLD, None);
        hold.push(ms(0), record(2, 0, 0, -1));
        hold.push(ms(1), record(0, 0, 0, 0));
        hold.push(ms(2), record(0, 0, 1, NOW + 7));
        hold.push(ms(3), record(1, 0, 0, NOW + 3));
        hold.close();
        let expected = [
            (1, 0, NOW + 3),
            (2, 0, NOW + 3),
            (0, 0, NOW + 7),
            (0, 1, NOW + 7),
        ];
        assert_eq!(drain(&mut hold, ms(4)), expected);
        assert!(hold.is_done());
    }

    #[test]
    fn records_without_any_plausible_time_leave_at_the_beginning_of_time() {
        let mut hold = Hold::new(HOLD, None);
        hold.push(ms(0), record(0, 0, 0, -5));
        assert_eq!(drain(&mut hold, HOLD), [(0, 0, 0)]);
    }

    #[test]
    fn a_record_met_before_is_dropped_whether_held_or_gone() {
        let mut hold = Hold::new(HOLD, None);
        hold.push(ms(0), record(0, 0, 4, NOW));
        hold.push(ms(1), record(0, 0, 4, NOW));
        assert_eq!(drain(&mut hold, HOLD).len(), 1);
        hold.push(HOLD, record(0, 0, 4, NOW));
        hold.close();
        assert!(drain(&mut hold, HOLD).is_empty());
        assert_eq!(hold.repeated(), 2);
    }

    #[test]
    fn the_end_of_the_input_releases_everything_in_order() {
        let mut hold = Hold::new(HOLD, None);
        for offset in (0..100).rev() {
            hold.push(ms(0), record(0, (offset % 3) as i32, offset, NOW + offset));
        }
        assert!(drain(&mut hold, ms(1)).is_empty());
        hold.close();
        let offsets: Vec<_> = drain(&mut hold, ms(1))
            .into_iter()
            .map(|(_, offset, _)| offset)
            .collect();
        assert_eq!(offsets, (0..100).collect::<Vec<_>>());
        assert!(hold.is_done());
    }

    /// Append time after `NOW`, and whether it was believed, of everything that leaves.
    fn judged(hold: &mut Hold, now: Duration) -> Vec<(i64, bool)> {
        let left = std::iter::from_fn(|| hold.pop(now));
        left.map(|one| (one.place.at.millis() - NOW, one.plausible))
            .collect()
    }

    #[test]
    fn a_timestamp_beyond_real_time_moves_no_clock_though_nothing_follows() {
        let mut hold = Hold::new(HOLD, Some(Timestamp::from_millis(NOW)));
        hold.push(ms(0), record(0, 0, 0, NOW));
        hold.push(ms(100), record(0, 0, 1, NOW + 2_300_000_000_000));
        hold.push(ms(200), record(0, 1, 0, NOW + 200));
        let expected = [(0, true), (0, false), (200, true)];
        assert_eq!(judged(&mut hold, ms(2200)), expected);
        assert_eq!(hold.clock(ms(5000)).unwrap().millis(), NOW + 3000);
    }

    #[test]
    fn ten_minutes_beyond_real_time_are_believed_and_a_millisecond_more_is_not() {
        let mut hold = Hold::new(HOLD, Some(Timestamp::from_millis(NOW)));
        hold.push(ms(0), record(0, 0, 0, NOW));
        hold.push(ms(5), record(0, 0, 1, NOW + AHEAD_MS + 5));
        hold.push(ms(5), record(0, 0, 2, NOW + AHEAD_MS + 6));
        let expected = [(0, true), (AHEAD_MS + 5, true), (AHEAD_MS + 5, false)];
        assert_eq!(judged(&mut hold, ms(2005)), expected);
    }

    #[test]
    fn what_has_no_time_at_all_is_used_where_the_clock_stands() {
        let mut hold = Hold::new(HOLD, Some(Timestamp::from_millis(NOW)));
        hold.push(ms(0), record(0, 0, 0, NOW));
        assert_eq!(judged(&mut hold, ms(2000)), [(0, true)]);
        assert_eq!(hold.clock(ms(9000)).unwrap().millis(), NOW + 7000);
        hold.push(ms(9000), record(0, 1, 0, i64::MAX));
        hold.push(ms(9500), record(0, 2, 0, 0));
        assert!(
            judged(&mut hold, ms(10_999)).is_empty(),
            "another may follow"
        );
        let expected = [(7000, false), (7000, false)];
        assert_eq!(judged(&mut hold, ms(11_500)), expected);
    }

    #[test]
    fn with_a_broker_an_hour_ahead_the_clock_is_ours() {
        let mut hold = Hold::new(HOLD, Some(Timestamp::from_millis(NOW)));
        hold.push(ms(1000), record(0, 0, 0, NOW + 3_601_000));
        assert_eq!(judged(&mut hold, ms(3000)), [(1000, false)]);
        assert_eq!(hold.clock(ms(8000)).unwrap().millis(), NOW + 6000);
        hold.push(ms(8000), record(0, 0, 1, NOW + 3_608_000));
        assert_eq!(judged(&mut hold, ms(10_000)), [(6000, false)]);
    }

    #[test]
    fn silence_is_complete_once_the_end_is_longer_ago_than_records_are_held() {
        let until = Timestamp::from_millis(NOW + 1000);
        let mut hold = Hold::new(HOLD, Some(Timestamp::from_millis(NOW)));
        assert!(!hold.is_silent_until(until, ms(3000)));
        assert!(hold.is_silent_until(until, ms(3001)));
        let past = Timestamp::from_millis(NOW - 1);
        assert!(
            !hold.is_silent_until(past, ms(9000)),
            "nothing is known of it"
        );
        hold.push(ms(2000), record(0, 0, 0, NOW));
        assert!(!hold.is_silent_until(until, ms(3001)), "one is held");
    }
}

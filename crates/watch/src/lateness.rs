//! How late the records of each source are appended: synchronisation that lags, and clocks that are wrong.
//!
//! What comes of one gateway and connector, payments and credits apart, is a cell. A cell is shifted where nearly all
//! of its records differ from what is usual for it by far more than they do among each other. Cells that are shifted
//! together are one event, and the place of an event is the stream or the value that holds them and nothing else.
//! Records that are under way are missing before they come late: a shift after a pause of about its own length, or after
//! as long a time in which few records came, is a delay, one without is a clock.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::cells::{Cell, State, Usual, median};
use crate::detect::values::ValueId;
use crate::keep::keep;
use crate::places::{Place, place_of};
use crate::pulse::Side;

/// Shifted records that make an event.
const ENOUGH: usize = 8;

/// A shift must have lasted so long, in seconds.
const STOOD_S: i64 = 8;

/// Where an event is is looked at so long after it was found, in seconds: sources with few records show it later.
const PLACED_S: i64 = 90;

/// So many shifted records are an event before that: what is in time may soon come among them.
const MANY: usize = 64;

/// What was held back and is sent in its order is late by so much less with each second, where it comes much faster than
/// is usual: in milliseconds a second.
const DRAINS_MS: i64 = 300;

/// Records so far apart, in seconds, tell whether they are late by the same time.
const APART_S: i64 = 4;

/// An event is over when no shifted record came for so long, in seconds.
const OVER_S: i64 = 75;

/// This share of a delay passes without a record before it shows.
const PAUSE: f64 = 0.6;

/// Records that are under way leave at most this share of what is usual, where so many are.
const MISSING: (f64, f64) = (0.6, 8.0);

/// The middle half of the shifts of a constant delay lies within this share of it.
const EVEN: f64 = 0.25;

/// Two shifts that differ by less than this share belong together.
const ALIKE: f64 = 0.3;

/// A side of a gateway and connector.
pub(crate) type Key = (Side, ValueId, ValueId);

/// Sources whose records are shifted.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) number: u64,
    pub(crate) place: Place,
    /// Whether the clock is wrong, rather than the records late.
    pub(crate) clock: bool,
    /// By how much, in milliseconds.
    pub(crate) shift_ms: i64,
    /// The last second in which its sources were as usual.
    pub(crate) fine_s: i64,
    /// The first second with shifted records.
    pub(crate) since_s: i64,
    /// The last one.
    pub(crate) last_s: i64,
    /// Records that were seen shifted at once, at most.
    pub(crate) count: u64,
    /// Whether the shift is constant: what catches up after a silence is not.
    pub(crate) steady: bool,
    /// Whether it did not shrink within seconds, as that of what was held back does while it is sent.
    pub(crate) constant: bool,
    found_s: i64,
    cells: BTreeSet<Key>,
}

/// All sources.
#[derive(Default)]
pub(crate) struct Lateness {
    cells: BTreeMap<Key, Cell>,
    events: Vec<Event>,
    /// Events so far.
    count: u64,
}

impl Lateness {
    /// Records of a cell were appended in `second`, so late.
    pub(crate) fn heard(&mut self, key: Key, second: i64, lateness_ms: &[i64]) {
        let cell = self.cells.entry(key).or_default();
        for lateness_ms in lateness_ms {
            cell.add(second, *lateness_ms);
        }
    }

    /// Looks at every cell at the end of `now_s`.
    pub(crate) fn look(&mut self, now_s: i64) {
        let usual = self.usual_of_sides();
        let mut states = BTreeMap::new();
        for (key, cell) in &mut self.cells {
            let in_event = self.events.iter().any(|event| event.cells.contains(key));
            cell.learn(usual.get(&key.0).copied(), !in_event);
            states.insert(*key, cell.state(now_s));
        }
        for event in &mut self.events {
            event.go_on(&self.cells, &states, now_s);
        }
        self.find(&states, now_s);
        for event in &mut self.events {
            if now_s - event.found_s <= PLACED_S {
                event.place = place_of(&event.cells, &self.cells, event.since_s);
            }
        }
    }

    /// Events that go on, or were over a moment ago.
    pub(crate) fn events(&self) -> &[Event] {
        &self.events
    }

    /// Forgets events that are over, and returns them.
    pub(crate) fn take_over(&mut self, now_s: i64) -> Vec<Event> {
        let events = std::mem::take(&mut self.events).into_iter();
        let (over, open) = events.partition(|event| now_s - event.last_s >= OVER_S);
        self.events = open;
        over
    }

    /// What is usual for all of a side: for cells that are too small to say.
    fn usual_of_sides(&self) -> BTreeMap<Side, Usual> {
        let mut sides: BTreeMap<Side, Vec<i64>> = BTreeMap::new();
        for ((side, ..), cell) in &self.cells {
            sides.entry(*side).or_default().extend(cell.sample());
        }
        let usual = sides.into_iter();
        usual
            .filter_map(|(side, sample)| Some((side, Usual::of(sample)?)))
            .collect()
    }

    /// Shifted cells of no event: they join one that is alike, or make a new one.
    fn find(&mut self, states: &BTreeMap<Key, State>, now_s: i64) {
        let mut free: Vec<(Key, State)> = Vec::new();
        for (key, state) in states {
            let known = self.events.iter().any(|event| event.cells.contains(key));
            if state.is_shifted() && !known {
                let alike = self.events.iter_mut().find(|event| event.is_like(state));
                match alike {
                    Some(event) => drop(event.cells.insert(*key)),
                    None => free.push((*key, *state)),
                }
            }
        }
        // The largest first: what is alike belongs to it.
        free.sort_by_key(|(key, state)| (std::cmp::Reverse(state.shifted), *key));
        while let Some((_, first)) = free.first().copied() {
            let (group, rest): (Vec<_>, Vec<_>) = free
                .into_iter()
                .partition(|(_, state)| alike(state.shift_ms, first.shift_ms));
            free = rest;
            self.open(&group, now_s);
        }
    }

    /// When records of the cells were as usual last. A single one is no proof: among late records one whose business time
    /// is wrong looks as usual.
    fn fine_before(&self, cells: &BTreeSet<Key>, since_s: i64) -> i64 {
        let fine = cells.iter().map(|key| &self.cells[key]);
        let mut fine: Vec<i64> = fine.flat_map(|cell| cell.fine_before(since_s)).collect();
        fine.sort_unstable_by(|a, b| b.cmp(a));
        let last = fine.get(1).or(fine.first());
        last.copied().unwrap_or(since_s)
    }

    /// Whether few records of the cells came for as long as the shift is, before it showed: those that were on their way
    /// before still arrive one by one.
    fn were_missing(&self, cells: &BTreeSet<Key>, since_s: i64, shift_ms: i64) -> bool {
        let span_s = shift_ms.div_euclid(1000);
        let each = cells.iter().map(|key| &self.cells[key]);
        let each = each.map(|cell| cell.came(since_s - span_s, since_s - 1));
        let (came, usual) = each.fold((0.0, 0.0), |sum, it| (sum.0 + it.0, sum.1 + it.1));
        let (share, enough) = MISSING;
        usual >= enough && came < share * usual
    }

    fn open(&mut self, group: &[(Key, State)], now_s: i64) {
        let count: usize = group.iter().map(|(_, state)| state.shifted).sum();
        let since_s = group.iter().map(|(_, state)| state.first_s).min();
        let last_s = group.iter().map(|(_, state)| state.last_s).max();
        let (Some(since_s), Some(last_s)) = (since_s, last_s) else {
            return;
        };
        if count < ENOUGH || now_s - since_s < STOOD_S && count < MANY {
            return;
        }
        let cells: BTreeSet<Key> = group.iter().map(|(key, _)| *key).collect();
        let fine_s = self.fine_before(&cells, since_s);
        let shift_ms = group[0].1.shift_ms;
        let paused = (since_s - fine_s) as f64 * 1000.0 >= PAUSE * shift_ms as f64;
        let late = shift_ms >= 0 && (paused || self.were_missing(&cells, since_s, shift_ms));
        self.count += 1;
        self.events.push(Event {
            number: self.count,
            place: Place::Everything,
            clock: !late,
            shift_ms,
            fine_s,
            since_s,
            last_s,
            count: count as u64,
            steady: false,
            constant: false,
            found_s: now_s,
            cells,
        });
        if let Some(event) = self.events.last_mut() {
            event.look(&self.cells);
        }
    }
}

impl Event {
    /// Whether a cell that is shifted belongs to it.
    fn is_like(&self, state: &State) -> bool {
        alike(self.shift_ms, state.shift_ms)
    }

    fn go_on(&mut self, cells: &BTreeMap<Key, Cell>, states: &BTreeMap<Key, State>, now_s: i64) {
        let states = self.cells.iter().filter_map(|key| states.get(key));
        let (mut shifted, mut seen) = (0, 0);
        for state in states.clone() {
            shifted += state.shifted;
            seen += state.seen;
        }
        // A fifth: after a delay what is in time comes among what is still under way.
        if shifted > 0 && shifted * 5 >= seen {
            let last = states.map(|state| state.last_s).max();
            self.last_s = self.last_s.max(last.unwrap_or(self.last_s));
        }
        self.count = self.count.max(shifted as u64);
        if !(self.steady && self.constant) && now_s - self.last_s < STOOD_S {
            self.look(cells);
        }
    }

    /// Whether records were shifted for a while.
    pub(crate) fn has_stood(&self) -> bool {
        self.last_s - self.since_s >= STOOD_S
    }

    /// Looks at whether its records are shifted by the same time, those that came last too.
    fn look(&mut self, cells: &BTreeMap<Key, Cell>) {
        let mut seen: Vec<(i64, i64)> = Vec::new();
        for key in &self.cells {
            if let Some(cell) = cells.get(key) {
                seen.extend(cell.shifts_since(self.last_s - 2 * STOOD_S));
            }
        }
        seen.sort_unstable();
        let size = seen.len();
        if size < ENOUGH {
            return;
        }
        let mut shifts: Vec<i64> = seen.iter().map(|(_, shift)| *shift).collect();
        let third = size / 3;
        let drift =
            median(&mut shifts[size - third..].to_vec()) - median(&mut shifts[..third].to_vec());
        let apart_s = seen[size - 1 - third / 2].0 - seen[third / 2].0;
        self.constant |= apart_s >= APART_S && drift > -DRAINS_MS * apart_s;
        shifts.sort_unstable();
        let spread = shifts[size * 3 / 4] - shifts[size / 4];
        let allowed = (EVEN * self.shift_ms.abs() as f64).max(500.0);
        self.steady |= (spread as f64) <= allowed && (drift.abs() as f64) <= allowed / 2.0;
    }
}

/// Whether two shifts, in milliseconds, are about the same.
pub(crate) fn alike(a: i64, b: i64) -> bool {
    let larger = a.abs().max(b.abs()) as f64;
    (a - b).abs() as f64 <= (ALIKE * larger).max(1000.0)
}

/// Seconds and latenesses, the newest last.
pub(crate) type Seen = VecDeque<(i64, i64)>;

keep!(Event {
    number,
    place,
    clock,
    shift_ms,
    fine_s,
    since_s,
    last_s,
    count,
    steady,
    constant,
    found_s,
    cells,
});
keep!(Lateness {
    cells,
    events,
    count,
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pulse::{CONNECTOR, GATEWAY};

    /// Two gateways with two connectors each, payments and credits; `late` says how late a record of a cell is that
    /// happens in a second, and whether it comes at all.
    fn heard(until: i64, late: impl Fn(Key, i64) -> Option<i64>) -> (Lateness, Vec<Event>) {
        let mut lateness = Lateness::default();
        let mut over = Vec::new();
        for second in 0..until {
            for connector in 0..4 {
                for side in [Side::Payments, Side::Credits] {
                    let key = (side, ValueId(1 + connector / 2), ValueId(10 + connector));
                    if let Some(late_ms) = late(key, second) {
                        lateness.heard(key, second, &[late_ms + second % 3 * 20]);
                    }
                }
            }
            if second % 2 == 0 {
                lateness.look(second);
                over.extend(lateness.take_over(second));
            }
        }
        (lateness, over)
    }

    #[test]
    fn a_pause_tells_a_delay_from_a_clock() {
        // Nothing of a connector for half a minute, then all of it half a minute late.
        let (lateness, _) = heard(300, |key, second| match (key.2, second) {
            (ValueId(12), 200..230) => None,
            (ValueId(12), 230..) => Some(30_000),
            _ => Some(100),
        });
        let [event] = lateness.events() else {
            panic!("{:?}", lateness.events());
        };
        assert_eq!(event.place, Place::Value(CONNECTOR, ValueId(12)));
        assert!(!event.clock && event.steady);
        assert_eq!((event.fine_s, event.since_s), (199, 230));
        // The same without a pause.
        let (lateness, _) = heard(300, |key, second| match (key.1, second) {
            (ValueId(2), 200..) => Some(30_000),
            _ => Some(100),
        });
        let [event] = lateness.events() else {
            panic!("{:?}", lateness.events());
        };
        assert_eq!(event.place, Place::Value(GATEWAY, ValueId(2)));
        assert!(event.clock && event.steady);
    }

    #[test]
    fn a_single_record_in_time_makes_no_clock_of_a_delay() {
        let (lateness, _) = heard(300, |key, second| match (key, second) {
            ((Side::Credits, _, ValueId(12)), 229) => Some(100),
            ((.., ValueId(12)), 200..230) => None,
            ((.., ValueId(12)), 230..) => Some(30_000),
            _ => Some(100),
        });
        let [event] = lateness.events() else {
            panic!("{:?}", lateness.events());
        };
        assert!(!event.clock && event.steady);
        assert_eq!((event.fine_s, event.since_s), (199, 230));
    }

    #[test]
    fn what_was_on_its_way_before_a_delay_makes_no_clock_of_it() {
        // Of one second in three something comes in time until what is late begins to come.
        let (lateness, _) = heard(300, |key, second| match (key.2, second) {
            (ValueId(12), 200..218) => (second % 3 == 0).then_some(100),
            (ValueId(12), 218..220) => None,
            (ValueId(12), 220..) => Some(20_000),
            _ => Some(100),
        });
        let [event] = lateness.events() else {
            panic!("{:?}", lateness.events());
        };
        assert!(!event.clock && event.steady);
    }

    #[test]
    fn a_stream_is_a_place_and_so_is_everything() {
        let wrong = |sides: &'static [Side]| {
            move |key: Key, second: i64| {
                let far = second >= 200 && sides.contains(&key.0);
                Some(if far { -40_000 } else { 100 })
            }
        };
        let (lateness, _) = heard(240, wrong(&[Side::Credits]));
        assert_eq!(lateness.events()[0].place, Place::Stream(Side::Credits));
        let (lateness, _) = heard(240, wrong(&[Side::Credits, Side::Payments]));
        assert_eq!(lateness.events().len(), 1);
        assert_eq!(lateness.events()[0].place, Place::Everything);
        assert!(lateness.events()[0].clock);
    }

    #[test]
    fn it_is_over_when_its_records_are_as_usual_and_leaves_nothing() {
        let (lateness, over) = heard(500, |key, second| match (key.2, second) {
            (ValueId(12), 200..230) => None,
            (ValueId(12), 230..300) => Some(30_000),
            _ => Some(100),
        });
        assert_eq!(over.len(), 1);
        assert!((295..=300).contains(&over[0].last_s), "{over:?}");
        assert!(lateness.events().is_empty());
    }

    #[test]
    fn who_was_late_before_anything_was_known_may_get_better() {
        let (lateness, over) = heard(500, |key, second| match (key.2, second) {
            (ValueId(12), ..200) => Some(30_000),
            _ => Some(100),
        });
        assert!(lateness.events().is_empty() && over.is_empty());
    }

    #[test]
    fn what_catches_up_is_not_constant() {
        let (lateness, _) = heard(270, |key, second| match (key.0, second) {
            (Side::Credits, 200..230) => None,
            (Side::Credits, 230..260) => Some((260 - second) * 1000),
            _ => Some(100),
        });
        assert!(lateness.events().iter().all(|event| !event.steady));
    }
}

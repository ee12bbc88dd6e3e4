//! A hierarchical timing wheel over intrusive lists: a timer costs no memory of its own and O(1) to set,
//! move or cancel.
//!
//! Eight levels of 64 slots cover 2^48 ms. A timer lies at the level of the highest group of six bits in
//! which its time differs from the wheel's; it moves down when the wheel reaches its slot. (Varghese and
//! Lauck 1987, scheme 7.)

use crate::time::Timestamp;

/// "No entry" in a link.
pub(crate) const NIL: u32 = u32::MAX;

const LEVELS: usize = 8;
const SLOT_BITS: u32 = 6;
const SLOTS: usize = 1 << SLOT_BITS;
const RANGE: u64 = 1 << (SLOT_BITS * LEVELS as u32);

/// The part of an entry that the wheel owns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timer {
    /// Milliseconds since the wheel's origin; `UNSET` when the timer is not set.
    when: u64,
    prev: u32,
    next: u32,
}

const UNSET: u64 = u64::MAX;

impl Timer {
    pub(crate) const IDLE: Self = Self {
        when: UNSET,
        prev: NIL,
        next: NIL,
    };

    /// The entry behind it in its list.
    pub(crate) fn next(&self) -> Option<u32> {
        (self.next != NIL).then_some(self.next)
    }

    /// The entries before and behind it in its list; at the ends there is none of that number.
    pub(crate) fn beside(&self) -> [u32; 2] {
        [self.prev, self.next]
    }

    fn is_set(&self) -> bool {
        self.when != UNSET
    }
}

/// Where the timers lie.
pub(crate) trait Timers {
    /// The timer of entry `at`.
    fn timer(&mut self, at: u32) -> &mut Timer;
}

/// The heads of the lists and how far the wheel has turned.
pub(crate) struct Wheel {
    origin: i64,
    /// Milliseconds since the origin: every earlier timer has fired.
    elapsed: u64,
    occupied: [u64; LEVELS],
    heads: [[u32; SLOTS]; LEVELS],
}

impl Wheel {
    /// A wheel whose first timer fires at `origin` or later.
    pub(crate) fn new(origin: Timestamp) -> Self {
        Self {
            origin: origin.millis(),
            elapsed: 0,
            occupied: [0; LEVELS],
            heads: [[NIL; SLOTS]; LEVELS],
        }
    }

    /// Where it began and how far it has turned since, in milliseconds.
    pub(crate) fn position(&self) -> (Timestamp, u64) {
        (Timestamp::from_millis(self.origin), self.elapsed)
    }

    /// A wheel that stands where another one stood; `None` where none can stand.
    pub(crate) fn standing_at((origin, elapsed): (Timestamp, u64)) -> Option<Self> {
        (elapsed < RANGE).then(|| Self {
            elapsed,
            ..Self::new(origin)
        })
    }

    /// The timer of an entry as milliseconds from where the wheel stands.
    pub(crate) fn ahead(&self, timer: &Timer) -> Option<u64> {
        timer.is_set().then(|| timer.when - self.elapsed)
    }

    /// Sets a timer that was [`ahead`](Self::ahead); whether it is within reach.
    pub(crate) fn set_ahead(&mut self, timers: &mut impl Timers, at: u32, ahead: u64) -> bool {
        let when = self.elapsed.saturating_add(ahead);
        if when < RANGE {
            self.link(timers, at, when);
        }
        when < RANGE
    }

    /// Whether the timer stands where [`set`](Self::set) would put it.
    pub(crate) fn stands_at(&self, timer: &Timer, when: Timestamp) -> bool {
        timer.when == self.offset(when)
    }

    /// The first entry of every list.
    pub(crate) fn heads(&self) -> impl Iterator<Item = u32> {
        let heads = self.heads.iter().flatten().copied();
        heads.filter(|&head| head != NIL)
    }

    fn offset(&self, at: Timestamp) -> u64 {
        let offset = i128::from(at.millis()) - i128::from(self.origin);
        offset.clamp(i128::from(self.elapsed), i128::from(RANGE - 1)) as u64
    }

    fn time(&self, offset: u64) -> Timestamp {
        Timestamp::from_millis(self.origin.saturating_add_unsigned(offset))
    }

    fn level_of(&self, when: u64) -> usize {
        let differs = (self.elapsed ^ when) | (SLOTS as u64 - 1);
        ((63 - differs.leading_zeros()) / SLOT_BITS) as usize
    }

    fn slot_of(when: u64, level: usize) -> usize {
        (when >> (SLOT_BITS * level as u32)) as usize % SLOTS
    }

    /// Sets the timer of `at`, or moves it. A time in the past fires next.
    pub(crate) fn set(&mut self, timers: &mut impl Timers, at: u32, when: Timestamp) {
        self.cancel(timers, at);
        let when = self.offset(when);
        self.link(timers, at, when);
    }

    fn link(&mut self, timers: &mut impl Timers, at: u32, when: u64) {
        let level = self.level_of(when);
        let slot = Self::slot_of(when, level);
        let head = self.heads[level][slot];
        *timers.timer(at) = Timer {
            when,
            prev: NIL,
            next: head,
        };
        if head != NIL {
            timers.timer(head).prev = at;
        }
        self.heads[level][slot] = at;
        self.occupied[level] |= 1 << slot;
    }

    /// Stops the timer of `at`; nothing happens where it is not set.
    pub(crate) fn cancel(&mut self, timers: &mut impl Timers, at: u32) {
        let Timer { when, prev, next } = *timers.timer(at);
        if !timers.timer(at).is_set() {
            return;
        }
        if next != NIL {
            timers.timer(next).prev = prev;
        }
        if prev != NIL {
            timers.timer(prev).next = next;
        } else {
            // The head of its list. Its level follows from the times: it would have moved down had the
            // wheel reached its slot.
            let level = self.level_of(when);
            let slot = Self::slot_of(when, level);
            self.heads[level][slot] = next;
            if next == NIL {
                self.occupied[level] &= !(1 << slot);
            }
        }
        *timers.timer(at) = Timer::IDLE;
    }

    /// The first occupied slot at or after the wheel's position, and when it begins.
    fn next_slot(&self) -> Option<(usize, usize, u64)> {
        for level in 0..LEVELS {
            let occupied = self.occupied[level];
            if occupied == 0 {
                continue;
            }
            let shift = SLOT_BITS * level as u32;
            let now = Self::slot_of(self.elapsed, level);
            // At its own level a timer is never behind the wheel, so no slot wraps around.
            let slot = occupied.trailing_zeros() as usize;
            debug_assert!(slot >= now);
            let base = self.elapsed >> (shift + SLOT_BITS) << (shift + SLOT_BITS);
            let begins = base + ((slot as u64) << shift);
            return Some((level, slot, begins.max(self.elapsed)));
        }
        None
    }

    /// A lower bound of the time of the next timer, exact when it is less than 64 ms away; `None` where
    /// no timer is set.
    pub(crate) fn next_time(&self) -> Option<Timestamp> {
        self.next_slot().map(|(_, _, begins)| self.time(begins))
    }

    /// Takes the next timer that fires at or before `until`, in the order of time; `None` when there is
    /// none, and then the wheel stands at `until`.
    pub(crate) fn pop(
        &mut self,
        timers: &mut impl Timers,
        until: Timestamp,
    ) -> Option<(u32, Timestamp)> {
        let until = i128::from(until.millis()) - i128::from(self.origin);
        if until < i128::from(self.elapsed) {
            return None;
        }
        let until = until.min(i128::from(RANGE - 1)) as u64;
        while let Some((level, slot, begins)) = self.next_slot() {
            if begins > until {
                break;
            }
            self.elapsed = begins;
            if level == 0 {
                let at = self.heads[0][slot];
                self.cancel(timers, at);
                return Some((at, self.time(begins)));
            }
            self.cascade(timers, level, slot);
        }
        self.elapsed = until;
        None
    }

    /// Moves the timers of a slot that the wheel has reached to the levels below.
    fn cascade(&mut self, timers: &mut impl Timers, level: usize, slot: usize) {
        let mut at = core::mem::replace(&mut self.heads[level][slot], NIL);
        self.occupied[level] &= !(1 << slot);
        while at != NIL {
            let Timer { when, next, .. } = *timers.timer(at);
            self.link(timers, at, when);
            at = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;
    use alloc::vec::Vec;

    use super::*;

    struct Plain(Vec<Timer>);

    impl Timers for Plain {
        fn timer(&mut self, at: u32) -> &mut Timer {
            &mut self.0[at as usize]
        }
    }

    /// xorshift64*, so that a failure is a seed.
    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % bound
        }
    }

    /// Random sets, moves, cancels and turns agree with a sorted map.
    fn agrees_with_a_sorted_map(seed: u64) {
        let mut random = Random(seed);
        let start = Timestamp::from_millis(1_775_708_285_000);
        let mut timers = Plain(alloc::vec![Timer::IDLE; 64]);
        let mut wheel = Wheel::new(start);
        let mut model: BTreeMap<u32, i64> = BTreeMap::new();
        let mut now = start.millis();
        let mut fired = 0;
        for _ in 0..2000 {
            let at = random.below(64) as u32;
            match random.below(4) {
                0 => {
                    wheel.cancel(&mut timers, at);
                    model.remove(&at);
                }
                1 | 2 => {
                    let reach = [3, 70, 5_000, 300_000, 40_000_000_000][random.below(5) as usize];
                    let when = now - 2 + random.below(reach) as i64;
                    wheel.set(&mut timers, at, Timestamp::from_millis(when));
                    model.insert(at, when.max(now));
                }
                _ => {
                    let reach = [2, 100, 10_000, 50_000_000][random.below(4) as usize];
                    let until = now + random.below(reach) as i64;
                    let first = model.values().min().copied();
                    let next = wheel.next_time().map(Timestamp::millis);
                    assert_eq!(first.is_some(), next.is_some(), "seed {seed}");
                    assert!(next <= first, "seed {seed}");
                    let mut last = i64::MIN;
                    while let Some((at, time)) =
                        wheel.pop(&mut timers, Timestamp::from_millis(until))
                    {
                        assert_eq!(model.remove(&at), Some(time.millis()), "seed {seed}");
                        assert!(
                            time.millis() >= last && time.millis() <= until,
                            "seed {seed}"
                        );
                        last = time.millis();
                        fired += 1;
                    }
                    assert!(model.values().all(|&when| when > until), "seed {seed}");
                    now = until;
                }
            }
        }
        assert!(fired > 0, "seed {seed} fired nothing");
    }

    #[test]
    fn timers_fire_at_their_time_and_in_order() {
        for seed in 1..200 {
            agrees_with_a_sorted_map(seed);
        }
    }

    #[test]
    fn a_timer_beyond_the_range_waits_for_ever_and_one_before_the_origin_fires_at_once() {
        let mut timers = Plain(alloc::vec![Timer::IDLE; 2]);
        let mut wheel = Wheel::new(Timestamp::from_millis(1000));
        wheel.set(&mut timers, 0, Timestamp::MAX);
        wheel.set(&mut timers, 1, Timestamp::MIN);
        assert_eq!(
            wheel.pop(&mut timers, Timestamp::from_millis(1000)),
            Some((1, Timestamp::from_millis(1000)))
        );
        assert_eq!(
            wheel.pop(&mut timers, Timestamp::from_millis(4_000_000_000_000)),
            None
        );
    }
}

//! How late the records of one gateway and connector usually are, and how late they are now.

use std::collections::VecDeque;

use crate::counts::Counts;
use crate::keep::keep;
use crate::lateness::{Seen, alike};

/// Records of a cell that are kept.
const KEPT: usize = 400;

/// Records from which what is usual is learned.
const LEARNED: usize = 300;

/// Of these there must be so many.
const LEAST_LEARNED: usize = 20;

/// Records of a cell that stand for it where all of a side are asked.
const SAMPLE: usize = 30;

/// A shift below that, in milliseconds, is not worth a word.
const LEAST_SHIFT_MS: i64 = 3_000;

/// Now is the last so many seconds, or so many records of the last minute where few come.
const NOW: (i64, usize, i64) = (10, 8, 60);

/// A cell is shifted where this share of its records is.
const MOST: f64 = 0.8;

/// What is usual: the middle, and what is far from it, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usual {
    mid_ms: i64,
    far_ms: i64,
}

impl Usual {
    /// What is usual by a sample; `None` where it is too small.
    pub(crate) fn of(mut sample: Vec<i64>) -> Option<Self> {
        if sample.len() < LEAST_LEARNED {
            return None;
        }
        let mid_ms = median(&mut sample);
        let mut apart: Vec<i64> = sample.iter().map(|late| (late - mid_ms).abs()).collect();
        apart.sort_unstable();
        let wide = apart[apart.len() * 9 / 10];
        Some(Self {
            mid_ms,
            far_ms: LEAST_SHIFT_MS.max(2 * wide),
        })
    }

    fn is_far(&self, lateness_ms: i64) -> bool {
        (lateness_ms - self.mid_ms).abs() >= self.far_ms
    }

    /// Whether a lateness is far nearer to none than what is usual: that is no fault, one ended.
    fn is_bettered_by(&self, lateness_ms: i64) -> bool {
        self.is_far(lateness_ms) && lateness_ms.abs() + LEAST_SHIFT_MS <= self.mid_ms.abs()
    }
}

/// What a cell shows now.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct State {
    pub(crate) seen: usize,
    pub(crate) shifted: usize,
    /// The middle of the shifts, in milliseconds.
    pub(crate) shift_ms: i64,
    /// First and last second of the records that are shifted by about as much without one between them that is not.
    pub(crate) first_s: i64,
    pub(crate) last_s: i64,
}

impl State {
    /// Whether nearly all records are shifted.
    pub(crate) fn is_shifted(&self) -> bool {
        self.shifted >= 2 && self.shifted as f64 >= MOST * self.seen as f64
    }
}

/// The last first.
type LastTwo = [Option<i64>; 2];

/// The records of one gateway and connector, payments or credits.
#[derive(Default)]
pub(crate) struct Cell {
    seen: Seen,
    /// How many came, by second.
    counts: Counts,
    /// Latenesses that are as usual.
    calm: VecDeque<i64>,
    usual: Option<Usual>,
    /// The seconds of the last records as usual.
    fine: LastTwo,
    /// The same before the last one that was shifted after one as usual.
    fine_before: LastTwo,
    was_far: bool,
}

impl Cell {
    pub(crate) fn add(&mut self, second: i64, lateness_ms: i64) {
        self.counts.add(second, 1);
        self.seen.push_back((second, lateness_ms));
        if self.seen.len() > KEPT {
            self.seen.pop_front();
        }
        let far = self.usual.is_some_and(|usual| usual.is_far(lateness_ms));
        if far {
            if !self.was_far {
                self.fine_before = self.fine;
            }
        } else {
            self.fine = [Some(second), self.fine[0]];
            self.calm.push_back(lateness_ms);
            if self.calm.len() > LEARNED {
                self.calm.pop_front();
            }
        }
        self.was_far = far;
    }

    /// Latenesses that stand for it.
    pub(crate) fn sample(&self) -> impl Iterator<Item = i64> + '_ {
        self.calm.iter().rev().take(SAMPLE).copied()
    }

    /// What is usual is renewed; `of_side` where it is too small to say. `free`: whether it is part of no event.
    pub(crate) fn learn(&mut self, of_side: Option<Usual>, free: bool) {
        self.usual = Usual::of(self.calm.iter().copied().collect()).or(of_side);
        let Some(usual) = self.usual else { return };
        // Nearer to the truth than what was usual: what ended had begun before anything was known.
        let last: Vec<i64> = self
            .seen
            .iter()
            .rev()
            .take(LEAST_LEARNED)
            .map(|it| it.1)
            .collect();
        let better = |late: &i64| usual.is_bettered_by(*late);
        if free && last.len() == LEAST_LEARNED && last.iter().all(better) {
            self.calm = last.into();
            self.usual = Usual::of(self.calm.iter().copied().collect());
        }
    }

    /// What it shows at the end of `now_s`.
    pub(crate) fn state(&self, now_s: i64) -> State {
        let Some(usual) = self.usual else {
            return State::default();
        };
        let (span_s, enough, oldest_s) = NOW;
        let mut now: Vec<(i64, i64)> = Vec::new();
        for &(second, late) in self.seen.iter().rev() {
            let recent = second > now_s - span_s || now.len() < enough;
            if !recent || second <= now_s - oldest_s {
                break;
            }
            now.push((second, late - usual.mid_ms));
        }
        let far: Vec<(i64, i64)> = now
            .iter()
            .copied()
            .filter(|(_, shift)| usual.is_far(usual.mid_ms + shift))
            .filter(|(_, shift)| !usual.is_bettered_by(usual.mid_ms + shift))
            .collect();
        let mut shifts: Vec<i64> = far.iter().map(|(_, shift)| *shift).collect();
        let shift_ms = median(&mut shifts);
        let run = self
            .seen
            .iter()
            .rev()
            .skip_while(|(_, late)| !usual.is_far(*late));
        let run = run.take_while(|(_, late)| usual.is_far(*late));
        // Now and then one is late for a reason of its own: it began nothing.
        let first = run
            .filter(|(_, late)| alike(late - usual.mid_ms, shift_ms))
            .last();
        State {
            seen: now.len(),
            shifted: far.len(),
            shift_ms,
            first_s: first.map_or(now_s, |(second, _)| *second),
            last_s: far.first().map_or(0, |(second, _)| *second),
        }
    }

    /// The seconds of the last two records as usual, at or before `second`.
    pub(crate) fn fine_before(&self, second: i64) -> impl Iterator<Item = i64> + use<> {
        let known = if self.fine[0].is_some_and(|last| last <= second) {
            self.fine
        } else {
            self.fine_before
        };
        known.into_iter().flatten().filter(move |at| *at <= second)
    }

    /// Records that came between two seconds, both inclusive, and how many were usual before. The pause that these
    /// seconds are of may have begun earlier: then as many seconds before them say what is usual.
    pub(crate) fn came(&self, from_s: i64, until_s: i64) -> (f64, f64) {
        let span_s = (until_s - from_s + 1).max(0);
        let before = |until_s: i64| self.counts.rate(until_s);
        let usual = before(from_s - 1).max(before(from_s - 1 - span_s)) * span_s as f64;
        (self.counts.between(from_s, until_s) as f64, usual)
    }

    /// Seconds and shifts of the records after `after_s` that are shifted.
    pub(crate) fn shifts_since(&self, after_s: i64) -> Vec<(i64, i64)> {
        let Some(usual) = self.usual else {
            return Vec::new();
        };
        let late = self
            .seen
            .iter()
            .rev()
            .take_while(|(second, _)| *second > after_s);
        late.filter(|(_, late)| usual.is_far(*late))
            .map(|(second, late)| (*second, late - usual.mid_ms))
            .collect()
    }

    /// Records since `since_s`, and how many of them are as usual.
    pub(crate) fn fine_since(&self, since_s: i64) -> (usize, usize) {
        let Some(usual) = self.usual else {
            return (0, 0);
        };
        let (mut seen, mut fine) = (0, 0);
        for (second, late) in self.seen.iter().rev() {
            if *second < since_s {
                break;
            }
            seen += 1;
            fine += usize::from(!usual.is_far(*late));
        }
        (seen, fine)
    }
}

/// The middle of some values; 0 of none.
pub(crate) fn median(values: &mut [i64]) -> i64 {
    if values.is_empty() {
        return 0;
    }
    values.sort_unstable();
    values[values.len() / 2]
}

keep!(Usual { mid_ms, far_ms });
keep!(Cell {
    seen,
    counts,
    calm,
    usual,
    fine,
    fine_before,
    was_far,
});

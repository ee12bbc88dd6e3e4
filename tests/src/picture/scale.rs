//! From times and numbers to places.

use super::data::TimeMs;
use super::svg::Area;

/// A panel: time runs to the right, numbers from the bottom to `max` at the top.
#[derive(Clone, Copy)]
pub(crate) struct Scale {
    pub(crate) area: Area,
    pub(crate) from_ms: TimeMs,
    pub(crate) to_ms: TimeMs,
    pub(crate) max: i64,
}

impl Scale {
    pub(crate) fn x(&self, at_ms: TimeMs) -> i64 {
        let span = (self.to_ms - self.from_ms).max(1);
        let at = at_ms.clamp(self.from_ms, self.to_ms) - self.from_ms;
        self.area.x + self.area.width * at / span
    }

    pub(crate) fn y(&self, number: i64) -> i64 {
        self.area.bottom() - self.area.height * number.clamp(0, self.max) / self.max
    }

    /// What lies between two times, from the bottom to the top.
    pub(crate) fn between(&self, from_ms: TimeMs, to_ms: TimeMs) -> Area {
        let (x, right) = (self.x(from_ms), self.x(to_ms));
        Area {
            x,
            width: right - x,
            ..self.area
        }
    }

    /// Full minutes that have room for their label.
    pub(crate) fn ticks(&self) -> Vec<TimeMs> {
        const ROOM: i64 = 400;
        const MINUTE_MS: i64 = 60_000;
        let steps = [1, 2, 5, 10, 15, 30, 60, 120, 360, 720, 1440].map(|n| n * MINUTE_MS);
        let span = (self.to_ms - self.from_ms).max(1);
        let fits = |step: &i64| self.area.width * step / span >= ROOM;
        let step = steps.into_iter().find(fits).unwrap_or(span);
        let first = (self.from_ms + step - 1).div_euclid(step) * step;
        (0..)
            .map(|n| first + n * step)
            .take_while(|at| *at <= self.to_ms)
            .collect()
    }
}

/// The least round number that is not below: its half is one that can be read.
pub(crate) fn round_up(number: i64) -> i64 {
    let mut unit = 1;
    loop {
        for digit in [2, 4, 5, 6, 8, 10] {
            let round = digit * unit;
            if round >= number {
                return round;
            }
        }
        unit *= 10;
    }
}

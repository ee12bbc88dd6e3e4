//! How the number of payments changes over a recording.

use crate::error::PlanError;
use crate::rng::Rng;

/// A curve of the load, in thousandths of the plan's rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Load {
    /// Always the same.
    #[default]
    Constant,
    /// From three fifths to seven fifths.
    Rising,
    /// From seven fifths to three fifths.
    Falling,
    /// Like a day of a city: little at night, peaks at noon and in the evening. A recording shorter than a day shows
    /// the part of the day at which it starts.
    Day,
    /// Up and down by a third every seven minutes.
    Waves,
}

/// The load of each hour of a day in Shanghai, in thousandths of the mean.
const HOURS: [i64; 24] = [
    260, 160, 110, 90, 110, 220, 480, 860, 1060, 1080, 1150, 1480, 1560, 1240, 1090, 1090, 1190,
    1460, 1690, 1640, 1480, 1200, 830, 480,
];
/// The greatest load that a curve reaches.
pub(crate) const MOST_PERMILLE: i64 = 1700;
const HOUR_MS: i64 = 3_600_000;
const WAVE_MS: i64 = 420_000;

impl Load {
    /// Every curve.
    pub const ALL: [Self; 5] = [
        Self::Constant,
        Self::Rising,
        Self::Falling,
        Self::Day,
        Self::Waves,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Rising => "rising",
            Self::Falling => "falling",
            Self::Day => "day",
            Self::Waves => "waves",
        }
    }

    /// The curve called `name`.
    ///
    /// # Errors
    /// [`PlanError::UnknownLoad`].
    pub fn parse(name: &str) -> Result<Self, PlanError> {
        let found = Self::ALL.into_iter().find(|load| load.name() == name);
        found.ok_or_else(|| PlanError::UnknownLoad {
            name: name.to_owned(),
        })
    }

    /// Any of them.
    pub(crate) fn draw(rng: &mut Rng) -> Self {
        rng.pick(&[
            Self::Constant,
            Self::Constant,
            Self::Rising,
            Self::Falling,
            Self::Day,
            Self::Waves,
        ])
    }

    /// The load at `at` of a recording from `start` to `end`, in thousandths.
    pub(crate) fn permille(self, at: i64, start: i64, end: i64) -> i64 {
        let passed = (at - start).clamp(0, end - start);
        let progress = passed * 1000 / (end - start).max(1);
        match self {
            Self::Constant => 1000,
            Self::Rising => 600 + progress * 8 / 10,
            Self::Falling => 1400 - progress * 8 / 10,
            Self::Waves => {
                let phase = passed % WAVE_MS;
                let rise = phase.min(WAVE_MS - phase);
                670 + rise * 660 / (WAVE_MS / 2)
            }
            Self::Day => {
                let local = (at + 8 * HOUR_MS).rem_euclid(24 * HOUR_MS);
                let (hour, within) = (local / HOUR_MS, local % HOUR_MS);
                let [low, high] = [hour, hour + 1].map(|hour| HOURS[(hour % 24) as usize]);
                low + (high - low) * within / HOUR_MS
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_curve_exceeds_the_greatest_load_and_all_are_about_one_on_average() {
        const DAY_MS: i64 = 24 * HOUR_MS;
        for load in Load::ALL {
            let minutes = (0..1440).map(|minute| load.permille(minute * 60_000, 0, DAY_MS));
            let values: Vec<i64> = minutes.collect();
            assert!(
                values
                    .iter()
                    .all(|value| (1..=MOST_PERMILLE).contains(value))
            );
            let mean = values.iter().sum::<i64>() / 1440;
            assert!((900..=1100).contains(&mean), "{load:?}: {mean}");
        }
    }
}

//! Shapes of lags, amounts and gaps, as integer quantile tables.
//!
//! `exp` and `ln` differ in their last bits between machines, and one bit decides a millisecond. So each family
//! is a table of quantiles, computed once from its distribution function and read with linear interpolation.
//! The last entry is the largest value there is.

use crate::rng::Rng;

/// The probabilities of the tables, in thousandths.
const PROBABILITIES: [u64; 16] = [
    0, 10, 50, 100, 200, 300, 400, 500, 600, 700, 800, 900, 950, 990, 999, 1000,
];

/// A family of distributions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// Log-normal with σ = 0.45, in thousandths of the median: a lag of many small steps.
    LogNormal,
    /// Log-normal with σ = 1.2, in thousandths of the median: amounts.
    Heavy,
    /// Weibull with shape 1.5, in thousandths of the median: a lag that is worked off.
    Weibull,
    /// Gamma with shape 3, in thousandths of the median: a lag of three queues.
    Gamma,
    /// Log-normal with σ = 0.8: a lag that hangs on many things.
    Wide,
    /// Weibull with shape 0.9: a lag that waits for something to happen.
    Waiting,
    /// Gamma with shape 1.5: a short queue.
    ShortQueue,
    /// Log-normal with σ = 0.3, and for one in eight another one about five times as long: two ways to go.
    TwoWays,
    /// A fixed part and a Lomax tail with exponent 2.6, cut off.
    Pareto,
    /// Exponential, in thousandths of the mean: gaps between arrivals.
    Exponential,
}

impl Family {
    /// The families that lags have.
    pub(crate) const LAGS: [Self; 8] = [
        Self::LogNormal,
        Self::Weibull,
        Self::Gamma,
        Self::Wide,
        Self::Waiting,
        Self::ShortQueue,
        Self::TwoWays,
        Self::Pareto,
    ];

    const fn quantiles(self) -> [u64; 16] {
        match self {
            Self::LogNormal => [
                188, 351, 477, 562, 685, 790, 892, 1000, 1121, 1266, 1460, 1780, 2096, 2849, 4017,
                5759,
            ],
            Self::Heavy => [
                12, 61, 139, 215, 364, 533, 738, 1000, 1355, 1876, 2745, 4655, 7198, 16_307,
                40_784, 106_560,
            ],
            Self::Weibull => [
                3, 59, 176, 285, 470, 642, 816, 1000, 1204, 1445, 1753, 2226, 2653, 3534, 4631,
                5888,
            ],
            Self::Gamma => [
                32, 163, 306, 412, 574, 716, 855, 1000, 1161, 1352, 1600, 1990, 2354, 3144, 4199,
                5507,
            ],
            Self::Wide => [
                51, 156, 268, 359, 510, 657, 817, 1000, 1225, 1521, 1961, 2788, 3728, 6431, 11_848,
                15_000,
            ],
            Self::Waiting => [
                2, 9, 55, 123, 284, 478, 712, 1000, 1364, 1847, 2550, 3796, 5085, 8200, 12_866,
                15_000,
            ],
            Self::ShortQueue => [
                2, 49, 149, 247, 425, 602, 790, 1000, 1245, 1549, 1962, 2642, 3303, 4795, 6875,
                8921,
            ],
            Self::TwoWays => [
                314, 480, 591, 661, 759, 840, 918, 1000, 1095, 1217, 1418, 3385, 5112, 7706,
                10_977, 14_272,
            ],
            Self::Pareto => [
                663, 667, 685, 708, 762, 825, 902, 1000, 1129, 1313, 1609, 2236, 3054, 6050,
                13_000, 16_000,
            ],
            Self::Exponential => [
                0, 10, 51, 105, 223, 357, 511, 693, 916, 1204, 1609, 2303, 2996, 4605, 6908, 9903,
            ],
        }
    }

    /// What 99 in a hundred values do not exceed, in thousandths of the median.
    pub(crate) const fn p99_permille(self) -> u64 {
        self.quantiles()[13]
    }

    /// A value of this family whose median (for gaps: mean) is `scale`, in the unit of `scale`.
    pub(crate) fn draw(self, scale: u64, rng: &mut Rng) -> u64 {
        let table = self.quantiles();
        let micro = rng.below(1_000_000);
        let above = PROBABILITIES
            .iter()
            .position(|p| p * 1000 > micro)
            .unwrap_or(15);
        let (low, high) = (PROBABILITIES[above - 1] * 1000, PROBABILITIES[above] * 1000);
        let rise = (table[above] - table[above - 1]) * (micro - low);
        let thousandths = table[above - 1] * 1000 + rise * 1000 / (high - low);
        (u128::from(scale) * u128::from(thousandths) / 1_000_000) as u64
    }
}

/// Indexes by the law of Zipf and Mandelbrot: the first is the most frequent.
#[derive(Clone, Debug)]
pub(crate) struct Zipf {
    /// Running sums of 2^32 / (rank + flatness).
    sums: Vec<u64>,
}

impl Zipf {
    /// Of `len` indexes, at least one; the greater `flatness`, the less the first ones stand out. 0 is Zipf's law.
    pub(crate) fn new(len: usize, flatness: u64) -> Self {
        let mut sum = 0;
        let ranks = 1..=len.max(1) as u64;
        let sums = ranks.map(|rank| {
            sum += (1_u64 << 32) / (rank + flatness);
            sum
        });
        Self {
            sums: sums.collect(),
        }
    }

    /// One index.
    pub(crate) fn draw(&self, rng: &mut Rng) -> usize {
        let total = self.sums.last().copied().unwrap_or(1);
        let point = rng.below(total);
        self.sums.partition_point(|sum| *sum <= point)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_lags_lie_below_the_median() {
        for family in Family::LAGS.into_iter().chain([Family::Heavy]) {
            let mut rng = Rng::new(3);
            let below = (0..10_000)
                .filter(|_| family.draw(2000, &mut rng) < 2000)
                .count();
            assert!((4800..5200).contains(&below), "{family:?}: {below}");
        }
    }

    #[test]
    fn the_mean_gap_is_near_its_scale() {
        let mut rng = Rng::new(3);
        let sum: u64 = (0..10_000)
            .map(|_| Family::Exponential.draw(1000, &mut rng))
            .sum();
        assert!((9_500_000..10_800_000).contains(&sum), "{sum}");
    }

    #[test]
    fn low_ranks_are_frequent_and_every_rank_is_reachable() {
        let zipf = Zipf::new(4, 0);
        let mut rng = Rng::new(3);
        let mut counts = [0; 4];
        for _ in 0..10_000 {
            counts[zipf.draw(&mut rng)] += 1;
        }
        assert!(
            counts.is_sorted_by(|a, b| a > b) && counts[3] > 0,
            "{counts:?}"
        );
    }
}

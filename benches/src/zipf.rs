//! Zipf's law over terminals: the k-th is chosen in proportion to 1 / k.

/// A table of cumulative weights, in whole numbers.
#[derive(Debug)]
pub(crate) struct Zipf {
    cumulative: Vec<u64>,
}

/// Weight of the first.
const UNIT: u64 = 1 << 40;

impl Zipf {
    /// Over `count` things, at least 1.
    pub(crate) fn new(count: u64) -> Self {
        let mut sum = 0;
        let cumulative = (1..=count.max(1))
            .map(|k| {
                sum += UNIT / k;
                sum
            })
            .collect();
        Self { cumulative }
    }

    /// The one that a uniform 64-bit number chooses.
    pub(crate) fn choose(&self, uniform: u64) -> u64 {
        let total = self.cumulative.last().copied().unwrap_or(1);
        let point = ((u128::from(uniform) * u128::from(total)) >> 64) as u64;
        self.cumulative.partition_point(|&sum| sum <= point) as u64
    }
}

/// SplitMix64: a uniform number for each index.
pub(crate) fn mix(index: u64) -> u64 {
    let mut z = index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

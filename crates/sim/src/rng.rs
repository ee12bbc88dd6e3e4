//! The generator's own random numbers: the same seed gives the same bytes on every machine.
//!
//! xoshiro256** 1.0 by Blackman and Vigna (<https://prng.di.unimi.it/xoshiro256starstar.c>), its state filled
//! by SplitMix64 as its authors recommend. A library's generator may change its stream with a release;
//! recordings that tests compare byte for byte cannot follow that.

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub(crate) struct Rng {
    state: [u64; 4],
}

/// One step of SplitMix64 (<https://prng.di.unimi.it/splitmix64.c>).
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Rng {
    /// The stream of `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        let mut mix = seed;
        Self {
            state: [(); 4].map(|()| split_mix(&mut mix)),
        }
    }

    /// The `index`-th stream for one `purpose`: what one purpose draws never shifts what another draws, so
    /// the traffic under a fault is the traffic without it.
    pub(crate) fn stream(seed: u64, purpose: u64, index: u64) -> Self {
        let mut mix = seed ^ purpose.wrapping_mul(0xa076_1d64_78bd_642f);
        let mixed = split_mix(&mut mix);
        Self::new(mixed ^ index.wrapping_mul(0xe703_7ed1_a0b4_28db))
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        let [s0, s1, s2, s3] = &mut self.state;
        let result = s1.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let t = *s1 << 17;
        *s2 ^= *s0;
        *s3 ^= *s1;
        *s1 ^= *s2;
        *s0 ^= *s3;
        *s2 ^= t;
        *s3 = s3.rotate_left(45);
        result
    }

    /// A number below `bound`, 0 for a bound of 0. The bias of the multiplication is below 2^-40 for every bound used.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// A number of milliseconds from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = u64::try_from(high - low).unwrap_or(0);
        low + i64::try_from(self.below(width + 1)).unwrap_or(0)
    }

    /// True `permille` times in a thousand.
    pub(crate) fn permille(&mut self, permille: u32) -> bool {
        self.below(1000) < u64::from(permille)
    }

    /// One of `items`, which are not empty.
    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.index(items.len())]
    }

    /// An index below `len`.
    pub(crate) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_mix_gives_the_published_numbers() {
        let mut state = 1_234_567;
        let drawn = [(); 5].map(|()| split_mix(&mut state));
        assert_eq!(
            drawn,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821
            ]
        );
    }

    #[test]
    fn xoshiro_gives_the_published_numbers() {
        let mut rng = Rng {
            state: [1, 2, 3, 4],
        };
        let drawn = [(); 10].map(|()| rng.next());
        assert_eq!(
            drawn,
            [
                11_520,
                0,
                1_509_978_240,
                1_215_971_899_390_074_240,
                1_216_172_134_540_287_360,
                607_988_272_756_665_600,
                16_172_922_978_634_559_625,
                8_476_171_486_693_032_832,
                10_595_114_339_597_558_777,
                2_904_607_092_377_533_576
            ]
        );
    }

    #[test]
    fn bounds_are_kept() {
        let mut rng = Rng::new(5);
        assert!((0..1000).all(|_| rng.below(3) < 3));
        assert!((0..1000).all(|_| (-2..=2).contains(&rng.between(-2, 2))));
        assert_eq!(rng.below(0), 0);
    }
}

//! Binary fuse filters of 32 bits (Graf and Lemire 2022) whose parts are at hand.
//!
//! `xorf` builds them. Asking is done here: a filter that was written must be read alike by every later
//! release, whatever becomes of the library's own hash.

use alloc::boxed::Box;

use xorf::{BinaryFuse32, DmaSerializable};

/// An immutable set of 64-bit keys, 4.5 bytes each; one foreign key in 2^32 is taken for a member.
#[derive(Clone)]
pub(crate) struct Fuse {
    pub(crate) seed: u64,
    /// Places in a segment: a power of two.
    pub(crate) segment_length: u32,
    /// Places in all segments at which a key's first place may lie.
    pub(crate) segment_count_length: u32,
    pub(crate) fingerprints: Box<[u32]>,
}

impl Fuse {
    /// A filter of `keys`, which must be distinct; `None` where none can be built.
    pub(crate) fn build(keys: &[u64]) -> Option<Self> {
        let filter = BinaryFuse32::try_from(keys).ok()?;
        let mut descriptor = [0; BinaryFuse32::DESCRIPTOR_LEN];
        filter.dma_copy_descriptor_to(&mut descriptor);
        let (seed, rest) = descriptor.split_first_chunk()?;
        let (segment_length, rest) = rest.split_first_chunk()?;
        let (_mask, rest) = rest.split_first_chunk::<4>()?;
        let segment_count_length = rest.first_chunk()?;
        Self::new(
            u64::from_le_bytes(*seed),
            u32::from_le_bytes(*segment_length),
            u32::from_le_bytes(*segment_count_length),
            filter.fingerprints,
        )
    }

    /// A filter of its parts; `None` where they do not fit together.
    pub(crate) fn new(
        seed: u64,
        segment_length: u32,
        segment_count_length: u32,
        fingerprints: Box<[u32]>,
    ) -> Option<Self> {
        let places = u64::from(segment_count_length) + 2 * u64::from(segment_length);
        let fits = segment_length.is_power_of_two()
            && segment_count_length > 0
            && segment_count_length.is_multiple_of(segment_length)
            && places == fingerprints.len() as u64;
        fits.then_some(Self {
            seed,
            segment_length,
            segment_count_length,
            fingerprints,
        })
    }

    /// Whether `key` is a member, or taken for one.
    pub(crate) fn contains(&self, key: u64) -> bool {
        let hash = mix(key.wrapping_add(self.seed));
        let mask = u64::from(self.segment_length - 1);
        // Three places in neighbouring segments.
        let first = ((u128::from(hash) * u128::from(self.segment_count_length)) >> 64) as usize;
        let second = (first + self.segment_length as usize) ^ (hash >> 18 & mask) as usize;
        let third = (first + 2 * self.segment_length as usize) ^ (hash & mask) as usize;
        let fingerprint = (hash ^ hash >> 32) as u32;
        let at = |place: usize| self.fingerprints[place];
        fingerprint == at(first) ^ at(second) ^ at(third)
    }

    /// Bytes of memory, about.
    pub(crate) fn bytes(&self) -> usize {
        self.fingerprints.len() * size_of::<u32>() + size_of::<Self>()
    }
}

/// The finaliser of MurmurHash3, 64 bits.
fn mix(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ hash >> 33
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use xorf::Filter;

    use super::*;

    fn keys(range: core::ops::Range<u64>) -> Vec<u64> {
        range
            .map(|i| mix(i.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
            .collect()
    }

    #[test]
    fn it_answers_as_the_library_does() {
        for size in [1, 2, 7, 512, 20_000] {
            let members = keys(0..size);
            let library = BinaryFuse32::try_from(&members).expect("distinct keys");
            let ours = Fuse::build(&members).expect("distinct keys");
            assert!(members.iter().all(|&key| ours.contains(key)), "{size}");
            for key in keys(size..size + 50_000) {
                assert_eq!(ours.contains(key), library.contains(&key), "{size}");
            }
        }
    }

    #[test]
    fn parts_that_do_not_fit_together_are_refused() {
        let words = |len: usize| alloc::vec![0; len].into_boxed_slice();
        assert!(Fuse::new(1, 4, 8, words(16)).is_some());
        for (segment, count, len) in [
            (4, 8, 15),
            (3, 9, 15),
            (0, 0, 0),
            (4, 0, 8),
            (4, 6, 14),
            (u32::MAX, u32::MAX, 3),
        ] {
            assert!(Fuse::new(1, segment, count, words(len)).is_none());
        }
    }
}

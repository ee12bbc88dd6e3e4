//! Which partitioner put records where they are, by their keys.

use std::collections::{BTreeMap, HashMap};

/// Keys that must be seen before a partitioner that is none of the known ones is called one.
const KEYS: u32 = 20;
/// Hits that may be chance: the agreement of so many bits is none.
const BITS: u32 = 16;

/// Who decided about partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partitioner {
    /// Kafka's Java client, Kafka Streams, Connect, Flink; librdkafka with `murmur2` or `murmur2_random`.
    Murmur2,
    /// librdkafka's default, `consistent_random`: clients for C, Python, Go (Confluent), .NET.
    Crc32,
    /// Neither of them.
    Other,
    /// Too few keys to tell, or there is one partition.
    Unknown,
}

impl Partitioner {
    /// For people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Murmur2 => "murmur2 (Java's default)",
            Self::Crc32 => "CRC32 (librdkafka's default)",
            Self::Other => "neither murmur2 nor CRC32",
            Self::Unknown => "what too few keys tell",
        }
    }

    /// Where a key lies among so many partitions; `None` where that is not known.
    pub fn partition(self, key: &[u8], partitions: i32) -> Option<i32> {
        let count = u32::try_from(partitions).ok().filter(|&count| count > 0)?;
        let hash = match self {
            _ if count == 1 => 0,
            // Java clears the sign bit; librdkafka takes CRC32 as it is.
            Self::Murmur2 => murmur2(key) & 0x7fff_ffff,
            Self::Crc32 => crc32(key),
            Self::Other | Self::Unknown => return None,
        };
        i32::try_from(hash % count).ok()
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    keys: u32,
    murmur2: u32,
    crc32: u32,
}

/// Keys of some topics, and where they lie.
#[derive(Debug)]
pub(super) struct Keys {
    partitions: u32,
    tallies: Vec<Tally>,
    /// By key: where it was first seen in each topic.
    places: HashMap<Box<[u8]>, Vec<(usize, i32)>>,
    /// By two topics: keys that lie in the same partition of both, and keys that do not.
    common: BTreeMap<(usize, usize), (u32, u32)>,
}

impl Keys {
    pub(super) fn new(topics: usize, partitions: usize) -> Self {
        Self {
            partitions: u32::try_from(partitions).unwrap_or(u32::MAX).max(1),
            tallies: vec![Tally::default(); topics],
            places: HashMap::new(),
            common: BTreeMap::new(),
        }
    }

    /// A key of a topic was found in a partition.
    pub(super) fn seen(&mut self, topic: usize, partition: i32, key: &[u8]) {
        let places = self.places.entry(key.into()).or_default();
        if places.iter().any(|&(other, _)| other == topic) {
            return;
        }
        for &(other, there) in places.iter() {
            let pair = (topic.min(other), topic.max(other));
            let (together, apart) = self.common.entry(pair).or_default();
            *if there == partition { together } else { apart } += 1;
        }
        places.push((topic, partition));
        let count = self.partitions.cast_signed();
        let is_by = |by: Partitioner| by.partition(key, count) == Some(partition);
        let tally = &mut self.tallies[topic];
        tally.keys += 1;
        tally.murmur2 += u32::from(is_by(Partitioner::Murmur2));
        tally.crc32 += u32::from(is_by(Partitioner::Crc32));
    }

    /// How many keys of a topic were seen.
    pub(super) fn count(&self, topic: usize) -> u32 {
        self.tallies[topic].keys
    }

    /// Who partitioned a topic.
    pub(super) fn partitioner(&self, topic: usize) -> Partitioner {
        let tally = self.tallies[topic];
        // A key in twenty may be misplaced: somebody repaired something by hand.
        let enough = |hits: u32| hits * 20 >= tally.keys * 19;
        if self.partitions < 2 || tally.keys * self.partitions.ilog2() < BITS {
            Partitioner::Unknown
        } else if enough(tally.murmur2) {
            Partitioner::Murmur2
        } else if enough(tally.crc32) {
            Partitioner::Crc32
        } else if tally.keys >= KEYS {
            Partitioner::Other
        } else {
            Partitioner::Unknown
        }
    }

    /// Whether the same keys lie in different partitions of two topics: how many of how many.
    pub(super) fn apart(&self, one: usize, other: usize) -> Option<(u32, u32)> {
        let pair = (one.min(other), one.max(other));
        let &(together, apart) = self.common.get(&pair)?;
        let all = together + apart;
        (apart >= 3 && apart * 20 > all).then_some((apart, all))
    }
}

/// MurmurHash2 with Kafka's seed (`org.apache.kafka.common.utils.Utils.murmur2`).
fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c ^ data.len() as u32;
    let mut words = data.chunks_exact(4);
    for word in &mut words {
        let mut k = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        for (place, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * place);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

/// CRC-32 of ISO 3309, bit by bit: a few thousand keys need no table.
fn crc32(data: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in data {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 * (crc & 1));
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(count: usize) -> impl Iterator<Item = String> {
        (0..count).map(|n| format!("PAY-2026-{:06}", n * 7919))
    }

    fn place(hash: u32, partitions: u32) -> i32 {
        i32::try_from(hash % partitions).expect("small")
    }

    #[test]
    fn hashes_are_those_of_the_clients() {
        // Of Kafka's UtilsTest, and the check value of CRC-32.
        for (text, hash) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
        ] {
            assert_eq!(murmur2(text.as_bytes()).cast_signed(), hash, "{text}");
        }
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn each_partitioner_is_told_by_its_keys() {
        let mut seen = Keys::new(3, 6);
        for key in keys(40) {
            let key = key.as_bytes();
            seen.seen(0, place(murmur2(key) & 0x7fff_ffff, 6), key);
            seen.seen(1, place(crc32(key), 6), key);
            seen.seen(2, place(key.len() as u32 + u32::from(key[14]), 6), key);
        }
        assert_eq!(seen.partitioner(0), Partitioner::Murmur2);
        assert_eq!(seen.partitioner(1), Partitioner::Crc32);
        assert_eq!(seen.partitioner(2), Partitioner::Other);
        assert!(seen.apart(0, 1).is_some());
    }

    #[test]
    fn a_few_keys_prove_nothing() {
        let mut seen = Keys::new(1, 2);
        for key in keys(10) {
            seen.seen(
                0,
                place(murmur2(key.as_bytes()) & 0x7fff_ffff, 2),
                key.as_bytes(),
            );
        }
        assert_eq!(seen.partitioner(0), Partitioner::Unknown);
        let mut one = Keys::new(1, 1);
        for key in keys(100) {
            one.seen(0, 0, key.as_bytes());
        }
        assert_eq!(one.partitioner(0), Partitioner::Unknown);
    }

    #[test]
    fn the_same_key_counts_once_and_a_misplaced_one_in_twenty_is_forgiven() {
        let mut seen = Keys::new(2, 6);
        for (n, key) in keys(60).enumerate() {
            let hash = murmur2(key.as_bytes()) & 0x7fff_ffff;
            for _ in 0..3 {
                seen.seen(0, place(hash + u32::from(n == 7), 6), key.as_bytes());
                seen.seen(1, place(hash, 6), key.as_bytes());
            }
        }
        assert_eq!(seen.count(0), 60);
        assert_eq!(seen.partitioner(0), Partitioner::Murmur2);
        assert_eq!(seen.apart(0, 1), None);
    }
}

//! Interned attribute tuples: what many payments share is stored once and counted.

use alloc::vec::Vec;
use core::hash::BuildHasher;
use core::hint::black_box;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// Reference to an interned tuple.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TupleRef(u32);

impl TupleRef {
    /// Refers to nothing: the attributes are not known.
    pub(crate) const NONE: Self = Self(u32::MAX);

    /// Its place in the dictionary; `None` for `NONE`.
    pub(crate) fn index(self) -> Option<usize> {
        (self != Self::NONE).then_some(self.0 as usize)
    }
}

#[derive(Default)]
struct Item {
    /// Empty where the place is free: its room is used again, so that tuples come and go without allocation.
    bytes: Vec<u8>,
    hash: u64,
    refs: u32,
    /// What the owner wants at hand without reading the bytes.
    tag: u64,
}

/// Byte strings with reference counts, each stored once.
#[derive(Default)]
pub(crate) struct Dictionary {
    items: Vec<Item>,
    free: Vec<u32>,
    index: HashTable<u32>,
    heap_bytes: usize,
}

/// Room for a tuple comes in multiples of this.
const ROOM_BYTES: usize = 32;

/// The hash by which a tuple is found. In memory only.
pub(crate) fn hash_of(bytes: &[u8]) -> u64 {
    FixedState::with_seed(0).hash_one(bytes)
}

impl Dictionary {
    /// Looks at where a tuple of this hash would be found, so that it is in the cache.
    pub(crate) fn touch(&self, hash: u64) {
        black_box(self.index.iter_hash(hash));
    }

    /// A tuple that may have this hash, found without looking at it.
    pub(crate) fn likely(&self, hash: u64) -> Option<TupleRef> {
        self.index.find(hash, |_| true).map(|&at| TupleRef(at))
    }

    /// Interns `bytes` and counts one reference. A tuple that is new gets the tag that `tag` makes.
    pub(crate) fn acquire(
        &mut self,
        bytes: &[u8],
        hash: u64,
        tag: impl FnOnce() -> u64,
    ) -> TupleRef {
        let items = &mut self.items;
        let found = self.index.find(hash, |&at| {
            let item = &items[at as usize];
            item.hash == hash && *item.bytes == *bytes
        });
        if let Some(&at) = found {
            items[at as usize].refs += 1;
            return TupleRef(at);
        }
        self.insert(bytes, hash, tag())
    }

    fn insert(&mut self, bytes: &[u8], hash: u64, tag: u64) -> TupleRef {
        let at = self.free.pop().unwrap_or_else(|| {
            self.items.push(Item::default());
            // Fewer items than waiting payments, which are counted in 32 bits.
            (self.items.len() - 1) as u32
        });
        let item = &mut self.items[at as usize];
        let room = item.bytes.capacity();
        // Rounded up, so that the next tuple here fits too.
        item.bytes
            .reserve_exact(bytes.len().next_multiple_of(ROOM_BYTES));
        item.bytes.extend_from_slice(bytes);
        self.heap_bytes += item.bytes.capacity() - room;
        (item.hash, item.refs, item.tag) = (hash, 1, tag);
        let items = &self.items;
        self.index
            .insert_unique(hash, at, |&at| items[at as usize].hash);
        TupleRef(at)
    }

    /// Interns a tuple that nothing refers to yet; `None` where it is there already.
    pub(crate) fn load(&mut self, bytes: &[u8], tag: u64) -> Option<TupleRef> {
        let before = self.len();
        let tuple = self.acquire(bytes, hash_of(bytes), || tag);
        if self.len() == before {
            return None;
        }
        self.items[tuple.0 as usize].refs = 0;
        Some(tuple)
    }

    /// Counts one more reference.
    pub(crate) fn retain(&mut self, tuple: TupleRef) {
        if let Some(item) = self.items.get_mut(tuple.0 as usize) {
            item.refs += 1;
        }
    }

    /// Whether a tuple has no reference.
    pub(crate) fn is_unused(&self, tuple: TupleRef) -> bool {
        self.items
            .get(tuple.0 as usize)
            .is_none_or(|item| item.refs == 0)
    }

    /// Places of tuples, used and free: every [`TupleRef::index`] is below.
    pub(crate) fn places(&self) -> usize {
        self.items.len()
    }

    /// The bytes of a tuple; empty for `NONE`.
    pub(crate) fn get(&self, tuple: TupleRef) -> &[u8] {
        self.items
            .get(tuple.0 as usize)
            .map_or(&[], |item| &item.bytes)
    }

    /// The tag of a tuple; `None` for `NONE`.
    pub(crate) fn tag(&self, tuple: TupleRef) -> Option<u64> {
        self.items.get(tuple.0 as usize).map(|item| item.tag)
    }

    /// Gives one reference back; the last one frees the tuple.
    pub(crate) fn release(&mut self, tuple: TupleRef) {
        let Some(item) = self.items.get_mut(tuple.0 as usize) else {
            return;
        };
        item.refs -= 1;
        if item.refs > 0 {
            return;
        }
        let hash = item.hash;
        item.bytes.clear();
        if let Ok(entry) = self.index.find_entry(hash, |&at| at == tuple.0) {
            entry.remove();
        }
        self.free.push(tuple.0);
    }

    /// Distinct tuples held.
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// Bytes of memory, about.
    pub(crate) fn bytes(&self) -> usize {
        self.heap_bytes + self.items.capacity() * size_of::<Item>() + self.index.capacity() * 5
    }
}

/// Writes a tuple field by field.
pub(crate) fn write_field(tuple: &mut Vec<u8>, field: Option<&str>) {
    // Fields are at most 256 bytes (contract); 0 stands for absent.
    let len = field.map_or(0, |text| text.len() as u16 + 1);
    tuple.extend_from_slice(&len.to_le_bytes());
    tuple.extend_from_slice(field.unwrap_or("").as_bytes());
}

/// Reads the fields of a tuple in the order in which they were written.
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Option<&'a str>;

    fn next(&mut self) -> Option<Self::Item> {
        let (len, rest) = self.0.split_first_chunk::<2>()?;
        let len = usize::from(u16::from_le_bytes(*len));
        if len == 0 {
            self.0 = rest;
            return Some(None);
        }
        let (text, rest) = rest.split_at_checked(len - 1)?;
        self.0 = rest;
        Some(core::str::from_utf8(text).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_tuples_are_stored_once_and_freed_with_the_last_reference() {
        let mut dictionary = Dictionary::default();
        let first = dictionary.acquire(b"east", 7, || 1);
        let second = dictionary.acquire(b"east", 7, || 1);
        assert_eq!(first, second);
        assert_eq!(dictionary.len(), 1);
        dictionary.release(first);
        assert_eq!(dictionary.get(second), b"east");
        dictionary.release(second);
        assert_eq!(dictionary.len(), 0);
        let other = dictionary.acquire(b"west", 7, || 2);
        assert_eq!(dictionary.get(other), b"west");
    }

    #[test]
    fn fields_come_back_in_order() {
        let mut tuple = Vec::new();
        for field in [Some("a"), None, Some("东区")] {
            write_field(&mut tuple, field);
        }
        let fields: Vec<_> = Fields(&tuple).collect();
        assert_eq!(fields, [Some("a"), None, Some("东区")]);
    }
}

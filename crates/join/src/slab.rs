//! Items in chunks, each at a number that stays: growing never copies what is there.

use alloc::vec::Vec;

/// Items a chunk.
const CHUNK: usize = 4096;

/// Items by number; the numbers of what was removed are used again, the last first.
pub(crate) struct Slab<T> {
    chunks: Vec<Vec<Option<T>>>,
    /// Numbers that are free, the next to be used last.
    pub(crate) free: Vec<u32>,
    next: u32,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self {
            chunks: Vec::new(),
            free: Vec::new(),
            next: 0,
        }
    }
}

impl<T> Slab<T> {
    /// Puts an item in; its number.
    pub(crate) fn insert(&mut self, item: T) -> u32 {
        if let Some(at) = self.free.pop() {
            *self.place(at) = Some(item);
            return at;
        }
        self.append(Some(item))
    }

    /// A number behind all others.
    pub(crate) fn append(&mut self, item: Option<T>) -> u32 {
        let at = self.next;
        self.next += 1;
        if (at as usize).is_multiple_of(CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        self.chunks[at as usize / CHUNK].push(item);
        at
    }

    /// The item at a number that may be anything.
    pub(crate) fn at(&self, at: u32) -> Option<&T> {
        let chunk = self.chunks.get(at as usize / CHUNK)?;
        chunk.get(at as usize % CHUNK)?.as_ref()
    }

    /// The item at a number in use.
    pub(crate) fn get(&self, at: u32) -> &T {
        self.chunks[at as usize / CHUNK][at as usize % CHUNK]
            .as_ref()
            .expect("a number is used only while its item is there")
    }

    /// The item at a number in use.
    pub(crate) fn get_mut(&mut self, at: u32) -> &mut T {
        self.place(at)
            .as_mut()
            .expect("a number is used only while its item is there")
    }

    /// Takes the item at a number in use out.
    pub(crate) fn remove(&mut self, at: u32) -> T {
        let item = self
            .place(at)
            .take()
            .expect("a number is used only while its item is there");
        self.free.push(at);
        item
    }

    /// Every item with its number, in the order of the numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.chunks
            .iter()
            .flatten()
            .zip(0..)
            .filter_map(|(item, at)| Some((at, item.as_ref()?)))
    }

    /// Numbers, used and free.
    pub(crate) fn numbers(&self) -> u32 {
        self.next
    }

    /// Bytes of memory, about.
    pub(crate) fn bytes(&self) -> usize {
        self.chunks.len() * CHUNK * size_of::<Option<T>>() + self.free.capacity() * size_of::<u32>()
    }

    fn place(&mut self, at: u32) -> &mut Option<T> {
        &mut self.chunks[at as usize / CHUNK][at as usize % CHUNK]
    }
}

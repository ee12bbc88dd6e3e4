//! Part of a recording in memory: bodies in an arena, heads by partition.

/// Where the bytes of a record are: in an [`Arena`], or in the file of bodies of a spill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Body {
    /// Position; what it means is for the store to know.
    pub(crate) at: u64,
    /// Length in bytes; [`Body::NULL_LEN`] where the record has no value.
    pub(crate) len: u32,
}

impl Body {
    /// Marks a record without a value. No line is that long.
    pub(crate) const NULL_LEN: u32 = u32::MAX;

    /// A record without a value.
    pub(crate) const NULL: Self = Self {
        at: 0,
        len: Self::NULL_LEN,
    };

    /// Bytes it takes.
    pub(crate) fn bytes(self) -> usize {
        match self.len {
            Self::NULL_LEN => 0,
            len => len as usize,
        }
    }
}

/// What is known of a record besides its bytes and its partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) offset: i64,
    /// The timestamp as recorded, in milliseconds since 1970.
    pub(crate) ts_ms: i64,
    pub(crate) body: Body,
    /// Rank of the stream: of its partition's, but for bare events.
    pub(crate) stream: u8,
}

/// Bytes in blocks, so that a record costs no allocation and growing copies nothing.
pub(crate) struct Arena {
    blocks: Vec<Vec<u8>>,
    block_bytes: usize,
    /// The block written to; those behind it are free for reuse.
    current: usize,
    used_bytes: usize,
}

impl Arena {
    pub(crate) fn new(block_bytes: usize) -> Self {
        Self {
            blocks: vec![Vec::with_capacity(block_bytes)],
            block_bytes,
            current: 0,
            used_bytes: block_bytes,
        }
    }

    /// Copies `bytes` in.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Body {
        let block = &self.blocks[self.current];
        if block.capacity() - block.len() < bytes.len() {
            self.next_block(bytes.len());
        }
        let block = &mut self.blocks[self.current];
        let start = block.len();
        block.extend_from_slice(bytes);
        Body {
            at: (self.current as u64) << 32 | start as u64,
            len: bytes.len() as u32,
        }
    }

    /// The bytes of `body`, which came from [`Self::push`] since the last [`Self::clear`].
    pub(crate) fn get(&self, body: Body) -> &[u8] {
        let start = (body.at & u64::from(u32::MAX)) as usize;
        &self.blocks[(body.at >> 32) as usize][start..start + body.bytes()]
    }

    /// Forgets everything but the blocks of ordinary size.
    pub(crate) fn clear(&mut self) {
        self.blocks
            .retain(|block| block.capacity() == self.block_bytes);
        if self.blocks.is_empty() {
            self.blocks.push(Vec::with_capacity(self.block_bytes));
        }
        self.blocks.iter_mut().for_each(Vec::clear);
        self.current = 0;
        self.used_bytes = self.block_bytes;
    }

    /// Makes `current` an empty block that has room for `len` bytes.
    fn next_block(&mut self, len: usize) {
        self.current += 1;
        let bytes = len.max(self.block_bytes);
        let reusable = self
            .blocks
            .get(self.current)
            .is_some_and(|free| free.capacity() >= bytes);
        if !reusable {
            self.blocks.insert(self.current, Vec::with_capacity(bytes));
        }
        self.used_bytes += self.blocks[self.current].capacity();
    }
}

/// Records by partition, in the order they were read.
pub(crate) struct Chunk {
    pub(crate) arena: Arena,
    /// Indexed by the number of the sequence.
    pub(crate) heads: Vec<Vec<Head>>,
    heads_bytes: usize,
}

impl Chunk {
    pub(crate) fn new(block_bytes: usize) -> Self {
        Self {
            arena: Arena::new(block_bytes),
            heads: Vec::new(),
            heads_bytes: 0,
        }
    }

    /// Bytes it holds, room to grow included.
    pub(crate) fn bytes(&self) -> usize {
        self.arena.used_bytes + self.heads_bytes
    }

    /// Whether no record is held.
    pub(crate) fn is_empty(&self) -> bool {
        self.heads_bytes == 0
    }

    /// Adds a record to a sequence.
    pub(crate) fn push(&mut self, sequence: usize, head: Head) {
        if sequence >= self.heads.len() {
            self.heads.resize_with(sequence + 1, Vec::new);
        }
        let heads = &mut self.heads[sequence];
        let before = heads.capacity();
        heads.push(head);
        self.heads_bytes += (heads.capacity() - before) * size_of::<Head>();
    }

    /// Forgets every record.
    pub(crate) fn clear(&mut self) {
        self.arena.clear();
        self.heads.iter_mut().for_each(|heads| *heads = Vec::new());
        self.heads_bytes = 0;
    }

    /// Puts every partition into the order of its offsets; equal ones stay in the order they were read.
    pub(crate) fn sort(&mut self) {
        for heads in &mut self.heads {
            if !heads.is_sorted_by_key(|head| head.offset) {
                heads.sort_by_key(|head| head.offset);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arena_returns_what_was_put_in_and_reuses_its_blocks() {
        let mut arena = Arena::new(16);
        for round in 0..3 {
            let texts: Vec<_> = (0..50).map(|len| vec![round; len]).collect();
            let bodies: Vec<_> = texts.iter().map(|text| arena.push(text)).collect();
            for (text, body) in texts.iter().zip(bodies) {
                assert_eq!(arena.get(body), text);
            }
            let used: usize = arena.blocks[..=arena.current]
                .iter()
                .map(Vec::capacity)
                .sum();
            assert_eq!(arena.used_bytes, used);
            arena.clear();
        }
        assert!(arena.blocks.iter().all(|block| block.capacity() == 16));
    }
}

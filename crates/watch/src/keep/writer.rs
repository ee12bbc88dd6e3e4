//! Writes values down, and says what becomes of the numbers of values and tuples.

use super::names;
use crate::detect::values::{TupleId, ValueId, Values};
use crate::pulse::Dims;
use crate::tables::Map;

/// What becomes of the numbers of values and tuples.
pub(crate) enum Numbers {
    /// They stay.
    Stay,
    /// Those that are met are noted; what is written is thrown away.
    Note(Met),
    /// They become those at their index; what nothing refers to has none.
    Become {
        values: Vec<Option<ValueId>>,
        tuples: Vec<Option<TupleId>>,
    },
}

/// Numbers that something refers to, by index.
#[derive(Default)]
pub(crate) struct Met {
    values: Vec<bool>,
    tuples: Vec<bool>,
}

impl Numbers {
    /// Notes what is met.
    pub(crate) fn note() -> Self {
        Self::Note(Met::default())
    }

    /// What was noted, and the values of the tuples that were, numbered in the same order.
    pub(crate) fn renumbered(self, named: &Values) -> Self {
        let Self::Note(mut met) = self else {
            return self;
        };
        note(&mut met.values, ValueId::NONE.index());
        for (tuple, values) in named.all() {
            if met.tuples.get(tuple.0 as usize) == Some(&true) {
                values
                    .iter()
                    .for_each(|it| note(&mut met.values, it.index()));
            }
        }
        Self::Become {
            values: ranks(&met.values).map(|it| it.map(ValueId)).collect(),
            tuples: ranks(&met.tuples).map(|it| it.map(TupleId)).collect(),
        }
    }
}

/// The rank of each that was met among them.
fn ranks(met: &[bool]) -> impl Iterator<Item = Option<u32>> + '_ {
    let mut next = 0..;
    met.iter()
        .map(move |met| met.then(|| next.next()).flatten())
}

fn note(met: &mut Vec<bool>, at: usize) {
    if met.len() <= at {
        met.resize(at + 1, false);
    }
    met[at] = true;
}

/// Bytes in the making.
pub(crate) struct Writer {
    bytes: Vec<u8>,
    numbers: Numbers,
    /// Attribute tuples that were written in full, by hash: further ones are their numbers.
    written: Map<u64, u64>,
}

impl Writer {
    pub(crate) fn new(numbers: Numbers) -> Self {
        Self {
            bytes: Vec::new(),
            numbers,
            written: Map::default(),
        }
    }

    pub(crate) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Seven bits a byte, the lowest first (LEB128).
    pub(crate) fn number(&mut self, mut number: u128) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    pub(crate) fn len(&mut self, len: usize) {
        self.number(len as u128);
    }

    /// The number that a value has from now on; `None` where nothing refers to it.
    pub(crate) fn value(&mut self, value: ValueId) -> Option<ValueId> {
        match &mut self.numbers {
            Numbers::Stay => Some(value),
            Numbers::Note(met) => {
                note(&mut met.values, value.index());
                Some(value)
            }
            Numbers::Become { values, .. } => values.get(value.index()).copied().flatten(),
        }
    }

    /// The number that a value has from now on, which does not count as a reference to it.
    pub(crate) fn value_if_kept(&self, value: ValueId) -> Option<ValueId> {
        match &self.numbers {
            Numbers::Stay => Some(value),
            Numbers::Note(_) => None,
            Numbers::Become { values, .. } => values.get(value.index()).copied().flatten(),
        }
    }

    /// The same of a tuple.
    pub(crate) fn tuple(&mut self, tuple: TupleId) -> Option<TupleId> {
        match &mut self.numbers {
            Numbers::Stay => Some(tuple),
            Numbers::Note(met) => {
                note(&mut met.tuples, tuple.0 as usize);
                Some(tuple)
            }
            Numbers::Become { tuples, .. } => tuples.get(tuple.0 as usize).copied().flatten(),
        }
    }

    pub(crate) fn tuple_if_kept(&self, tuple: TupleId) -> Option<TupleId> {
        match &self.numbers {
            Numbers::Stay => Some(tuple),
            Numbers::Note(_) => None,
            Numbers::Become { tuples, .. } => tuples.get(tuple.0 as usize).copied().flatten(),
        }
    }

    /// Attribute tuples that were written in full: their hashes and numbers.
    pub(crate) fn written_tuples(&mut self) -> &mut Map<u64, u64> {
        &mut self.written
    }

    /// Names of dimensions and streams.
    pub(crate) fn names(&mut self, dims: &Dims, streams: &[String]) {
        names::write(dims, streams, self);
    }

    pub(crate) fn finish(self) -> (Vec<u8>, Numbers) {
        (self.bytes, self.numbers)
    }
}

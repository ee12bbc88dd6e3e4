//! Attribute tuples in a snapshot: each once, numbered from 1 in the order in which entries first refer to
//! them, so that the numbers do not depend on what was forgotten.

use alloc::vec::Vec;

use crate::attributes::Attributes;
use crate::dictionary::{Dictionary, TupleRef};
use crate::table::Table;

use super::codec::{Coded, Input, Malformed};
use super::frames::FrameWriter;

/// The numbers of one dictionary's tuples.
pub(super) struct Numbering {
    /// By place in the dictionary; 0 where none was given.
    numbers: Vec<u32>,
    pub(super) order: Vec<TupleRef>,
}

impl Numbering {
    fn of_none(dictionary: &Dictionary) -> Self {
        Self {
            numbers: alloc::vec![0; dictionary.places()],
            order: Vec::new(),
        }
    }

    fn note(&mut self, tuple: TupleRef) {
        let number = tuple.index().and_then(|at| self.numbers.get_mut(at));
        if let Some(number) = number.filter(|number| **number == 0) {
            self.order.push(tuple);
            *number = self.order.len() as u32;
        }
    }

    /// The number of a tuple; 0 for none.
    pub(super) fn of(&self, tuple: TupleRef) -> u32 {
        let number = tuple.index().and_then(|at| self.numbers.get(at));
        number.copied().unwrap_or(0)
    }

    /// Writes the tuples in the order of their numbers.
    pub(super) fn write(&self, frames: &mut FrameWriter<'_>, tag: u8, dictionary: &Dictionary) {
        frames.many(tag, self.order.iter(), |out, &tuple| {
            let bytes = dictionary.get(tuple);
            bytes.len().write(out);
            out.extend_from_slice(bytes);
        });
    }
}

/// The numbers of both dictionaries' tuples.
pub(super) struct Numbers {
    pub(super) places: Numbering,
    pub(super) routes: Numbering,
}

impl Numbers {
    pub(super) fn new(attributes: &Attributes, table: &Table) -> Self {
        let mut numbers = Self {
            places: Numbering::of_none(&attributes.places),
            routes: Numbering::of_none(&attributes.routes),
        };
        for (_, entry) in table.iter() {
            let refs = entry.attributes();
            numbers.places.note(refs.place);
            numbers.routes.note(refs.route);
        }
        numbers
    }
}

/// Tuples that were read, by number.
#[derive(Default)]
pub(super) struct Loaded(Vec<TupleRef>);

impl Loaded {
    /// Reads a frame of tuples; `load` interns one.
    pub(super) fn read(
        &mut self,
        mut input: Input<'_>,
        mut load: impl FnMut(&[u8]) -> Option<TupleRef>,
    ) -> Result<(), Malformed> {
        while !input.is_empty() {
            let tuple = load(input.record()?.0).ok_or(Malformed)?;
            self.0.push(tuple);
        }
        Ok(())
    }

    /// The tuple of a number.
    pub(super) fn tuple(&self, number: u32) -> Result<TupleRef, Malformed> {
        match (number as usize).checked_sub(1) {
            None => Ok(TupleRef::NONE),
            Some(at) => self.0.get(at).copied().ok_or(Malformed),
        }
    }

    /// Whether entries refer to all of them.
    pub(super) fn all_used(&self, dictionary: &Dictionary) -> bool {
        self.0.iter().all(|&tuple| !dictionary.is_unused(tuple))
    }
}

//! Reads what was written, under the names of now.

use std::sync::Arc;

use super::Unreadable;
use super::names::Renamed;
use crate::detect::values::{TupleId, ValueId};
use crate::incident::book::Entry;
use crate::pulse::{DimIndex, Dims, Tuple};

/// Bytes that are read, and what has to be known of where they come from.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    renamed: Renamed,
    /// The dimensions and streams of now.
    dims: Dims,
    streams: Vec<String>,
    /// How many values and tuples are named.
    named: (usize, usize),
    /// Attribute tuples that were read in full.
    tuples: Vec<Arc<Tuple>>,
    /// Incidents of which somebody speaks.
    owned: Vec<Entry>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], dims: &Dims, streams: &[String]) -> Self {
        Self {
            bytes,
            renamed: Renamed::default(),
            dims: dims.clone(),
            streams: streams.to_vec(),
            named: (0, 0),
            tuples: Vec::new(),
            owned: Vec::new(),
        }
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Unreadable> {
        let (first, rest) = self.bytes.split_first().ok_or(Unreadable::Malformed)?;
        self.bytes = rest;
        Ok(*first)
    }

    pub(crate) fn raw(&mut self, len: usize) -> Result<&'a [u8], Unreadable> {
        let (taken, rest) = self
            .bytes
            .split_at_checked(len)
            .ok_or(Unreadable::Malformed)?;
        self.bytes = rest;
        Ok(taken)
    }

    pub(crate) fn number(&mut self) -> Result<u128, Unreadable> {
        let mut number = 0_u128;
        for shift in (0..128).step_by(7) {
            let byte = self.byte()?;
            let part = u128::from(byte & 0x7f);
            if part << shift >> shift != part {
                break;
            }
            number |= part << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Unreadable::Malformed)
    }

    /// A number of things of at least one byte each: never more than there is room for.
    pub(crate) fn len(&mut self) -> Result<usize, Unreadable> {
        let len = usize::try_from(self.number()?).map_err(|_| Unreadable::Malformed)?;
        if len > self.bytes.len() {
            return Err(Unreadable::Malformed);
        }
        Ok(len)
    }

    /// Attribute tuples that were read in full.
    pub(crate) fn read_tuples(&mut self) -> &mut Vec<Arc<Tuple>> {
        &mut self.tuples
    }

    /// Somebody speaks of an incident.
    pub(crate) fn owns(&mut self, entry: Entry) {
        self.owned.push(entry);
    }

    /// Nobody speaks of an incident any more.
    pub(crate) fn disowns(&mut self, entry: Entry) {
        self.owned.retain(|owned| *owned != entry);
    }

    /// Incidents of which somebody speaks.
    pub(crate) fn owned(self) -> Vec<Entry> {
        self.owned
    }

    /// Names of dimensions and streams of then.
    pub(crate) fn names(&mut self) -> Result<(), Unreadable> {
        self.renamed = Renamed::read(self)?;
        Ok(())
    }

    pub(crate) fn end(&self) -> Result<(), Unreadable> {
        if self.bytes.is_empty() {
            Ok(())
        } else {
            Err(Unreadable::Malformed)
        }
    }

    /// The dimensions of now.
    pub(crate) fn dims(&self) -> &Dims {
        &self.dims
    }

    /// Names of the streams of now.
    pub(crate) fn streams(&self) -> &[String] {
        &self.streams
    }

    /// How many dimensions there were then.
    pub(crate) fn width_then(&self) -> usize {
        self.renamed.dims.len()
    }

    /// So many values and tuples are named: no number is larger.
    pub(crate) fn names_are(&mut self, values: usize, tuples: usize) {
        self.named = (values, tuples);
    }

    /// A value that is named.
    pub(crate) fn value(&mut self) -> Result<ValueId, Unreadable> {
        let value = ValueId(super::Keep::read(self)?);
        let named = value.index() < self.named.0;
        named.then_some(value).ok_or(Unreadable::Malformed)
    }

    /// A tuple that is named.
    pub(crate) fn tuple(&mut self) -> Result<TupleId, Unreadable> {
        let tuple = TupleId(super::Keep::read(self)?);
        let named = (tuple.0 as usize) < self.named.1;
        named.then_some(tuple).ok_or(Unreadable::Malformed)
    }

    /// The dimension of now that a dimension of then is; `None` where it is not configured any more.
    pub(crate) fn dim(&mut self) -> Result<Option<DimIndex>, Unreadable> {
        let then = self.index()?;
        let known = self.renamed.dims.get(then);
        known.copied().ok_or(Unreadable::Malformed)
    }

    fn index(&mut self) -> Result<usize, Unreadable> {
        usize::try_from(self.number()?).map_err(|_| Unreadable::Malformed)
    }

    /// The stream of now that a stream of then is.
    pub(crate) fn stream(&mut self) -> Result<Option<u8>, Unreadable> {
        let then = usize::from(self.byte()?);
        let known = self.renamed.streams.get(then);
        known.copied().ok_or(Unreadable::Malformed)
    }

    /// One thing a dimension, in the order of the dimensions of now.
    pub(crate) fn wide<T: Clone>(&self, then: Vec<T>, none: T) -> Result<Vec<T>, Unreadable> {
        if then.len() != self.renamed.dims.len() {
            return Err(Unreadable::Malformed);
        }
        let mut now = vec![none; self.renamed.width];
        for (item, dim) in then.into_iter().zip(&self.renamed.dims) {
            if let Some(dim) = dim {
                now[*dim] = item;
            }
        }
        Ok(now)
    }

    /// The values of a tuple, one a dimension.
    pub(crate) fn wide_values(&mut self) -> Result<Vec<ValueId>, Unreadable> {
        let then: Vec<ValueId> = super::Keep::read(self)?;
        self.wide(then, ValueId::NONE)
    }
}

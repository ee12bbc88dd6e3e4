//! Tuples and their values as small numbers.

use std::sync::Arc;

use super::scope::Scope;
use crate::pulse::{DimIndex, Dims, Tuple};
use crate::tables::Map;

/// A value of a dimension; 0 stands for absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ValueId(pub(crate) u32);

/// A tuple.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TupleId(pub(crate) u32);

impl ValueId {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// Values without repetition, in their order.
pub(crate) fn distinct(mut values: Vec<ValueId>) -> Vec<ValueId> {
    values.sort_unstable();
    values.dedup();
    values
}

/// Everything that was named so far.
pub(crate) struct Values {
    width: usize,
    by_hash: Map<u64, TupleId>,
    /// The values of tuple i lie at i × width.
    tuples: Vec<ValueId>,
    by_text: Vec<Map<Arc<str>, ValueId>>,
    texts: Vec<(DimIndex, Arc<str>)>,
}

impl Values {
    pub(crate) fn new(dims: &Dims) -> Self {
        Self {
            width: dims.len(),
            by_hash: Map::default(),
            tuples: Vec::new(),
            by_text: (0..dims.len()).map(|_| Map::default()).collect(),
            texts: vec![(0, "".into())],
        }
    }

    /// The number of a tuple.
    pub(crate) fn tuple(&mut self, tuple: &Tuple) -> TupleId {
        if let Some(&known) = self.by_hash.get(&tuple.hash) {
            return known;
        }
        let id = TupleId((self.tuples.len() / self.width) as u32);
        for (dim, value) in tuple.values.iter().enumerate() {
            let value = value
                .as_ref()
                .map_or(ValueId::NONE, |text| self.intern(dim, text));
            self.tuples.push(value);
        }
        self.by_hash.insert(tuple.hash, id);
        id
    }

    fn intern(&mut self, dim: DimIndex, text: &Arc<str>) -> ValueId {
        if let Some(&known) = self.by_text[dim].get(text) {
            return known;
        }
        let id = ValueId(self.texts.len() as u32);
        self.texts.push((dim, Arc::clone(text)));
        self.by_text[dim].insert(Arc::clone(text), id);
        id
    }

    /// The value of a text.
    pub(crate) fn named(&mut self, dim: DimIndex, text: &Arc<str>) -> ValueId {
        self.intern(dim, text)
    }

    /// The values of a tuple, one a dimension.
    pub(crate) fn of(&self, tuple: TupleId) -> &[ValueId] {
        let start = tuple.0 as usize * self.width;
        &self.tuples[start..start + self.width]
    }

    /// The value of a text, where a tuple had it.
    pub(crate) fn find(&self, dim: DimIndex, text: &str) -> Option<ValueId> {
        self.by_text.get(dim)?.get(text).copied()
    }

    /// The dimension and text of a value.
    pub(crate) fn text(&self, value: ValueId) -> (DimIndex, &Arc<str>) {
        let (dim, text) = &self.texts[value.index()];
        (*dim, text)
    }

    /// How many values a dimension has.
    pub(crate) fn count(&self, dim: DimIndex) -> u32 {
        self.by_text.get(dim).map_or(0, |texts| texts.len() as u32)
    }

    /// What a scope's choice among all of its kind costs, in natural units.
    pub(crate) fn choices(&self, scope: &Scope) -> f64 {
        let price = |(dim, any): &(DimIndex, Vec<ValueId>)| {
            any.len() as f64 * f64::from(self.count(*dim).max(2)).ln()
        };
        scope.0.iter().map(price).sum()
    }

    /// One more than the largest value's number.
    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }
}

//! Tuples and their values as small numbers.

use std::sync::Arc;

use super::scope::Scope;
use crate::keep::{Keep, Reader, Unreadable, Writer};
use crate::pulse::{CHANNEL, DimIndex, Dims, Tuple, hash_of};
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

/// The value that all of `values` are, unless there is none or they have none.
pub(crate) fn common(mut values: impl Iterator<Item = ValueId>) -> Option<ValueId> {
    let first = values.next().filter(|value| *value != ValueId::NONE)?;
    values.all(|value| value == first).then_some(first)
}

/// How many payments there are, and how many of them have such values.
pub(crate) fn count<'a>(
    all: impl Iterator<Item = &'a [ValueId]>,
    have: impl Fn(&[ValueId]) -> bool,
) -> (u32, u32) {
    all.fold((0, 0), |(all, such), values| {
        (all + 1, such + u32::from(have(values)))
    })
}

/// Whether nearly all of so many are so many.
pub(crate) fn nearly_all((all, such): (u32, u32)) -> bool {
    such * 10 >= all * 8
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

    /// The number of a tuple that has the values of `said`, and of those of `dims` that it lacks the values of `before`.
    pub(crate) fn filled(&mut self, said: TupleId, before: TupleId, dims: &[DimIndex]) -> TupleId {
        let (own, known) = (self.of(said), self.of(before));
        let lacks = |dim: &DimIndex| own[*dim] == ValueId::NONE && known[*dim] != ValueId::NONE;
        if !dims.iter().any(lacks) {
            return said;
        }
        let mut whole = own.to_vec();
        for dim in dims.iter().filter(|dim| lacks(dim)) {
            whole[*dim] = known[*dim];
        }
        let hash = self.hash(&whole);
        if let Some(&made) = self.by_hash.get(&hash) {
            return made;
        }
        let id = TupleId((self.tuples.len() / self.width) as u32);
        self.tuples.extend(whole);
        self.by_hash.insert(hash, id);
        id
    }

    /// The hash of a tuple with these values.
    fn hash(&self, values: &[ValueId]) -> u64 {
        let text = |value: &ValueId| {
            let text = self.texts[value.index()].1.as_ref();
            (*value != ValueId::NONE).then_some(text)
        };
        hash_of(values.iter().map(text))
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

impl Values {
    /// Tuples and values that are named.
    pub(crate) fn size(&self) -> usize {
        self.tuples.len() / self.width + self.texts.len()
    }

    /// Every tuple with its values.
    pub(crate) fn all(&self) -> impl Iterator<Item = (TupleId, &[ValueId])> {
        (0..).map(TupleId).zip(self.tuples.chunks_exact(self.width))
    }
}

/// Only what has a number from now on is written.
impl Keep for Values {
    fn write(&self, to: &mut Writer) {
        let texts = (0..).map(ValueId).zip(&self.texts).skip(1);
        let texts: Vec<_> = texts
            .filter(|(value, _)| to.value_if_kept(*value).is_some())
            .map(|(_, text)| text.clone())
            .collect();
        texts.write(to);
        let tuples: Vec<_> = self
            .all()
            .filter(|(tuple, _)| to.tuple_if_kept(*tuple).is_some())
            .collect();
        to.len(tuples.len());
        for (_, values) in tuples {
            for value in values {
                let number = to.value_if_kept(*value).unwrap_or(ValueId::NONE);
                number.0.write(to);
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let mut values = Self::new(from.dims());
        for _ in 0..from.len()? {
            let dim = from.dim()?;
            let text: Arc<str> = Keep::read(from)?;
            let id = ValueId(values.texts.len() as u32);
            // Of a dimension that is not configured any more the numbers stay, but nothing finds them.
            values
                .texts
                .push((dim.unwrap_or(CHANNEL), Arc::clone(&text)));
            if let Some(dim) = dim {
                values.by_text[dim].insert(text, id);
            }
        }
        let count = from.len()?;
        from.names_are(values.texts.len(), count);
        for number in 0..count {
            let then = (0..from.width_then()).map(|_| ValueId::read(from));
            let then = then.collect::<Result<Vec<_>, _>>()?;
            let now = from.wide(then, ValueId::NONE)?;
            let hash = values.hash(&now);
            values.by_hash.entry(hash).or_insert(TupleId(number as u32));
            values.tuples.extend(now);
        }
        Ok(values)
    }
}

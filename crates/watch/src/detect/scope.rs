//! Scopes: conditions on the values of a tuple, all of which must hold.

use super::values::{ValueId, Values};
use crate::keep::{Keep, Reader, Unreadable, Writer};
use crate::pulse::{CHANNEL, DimIndex, Dims};

/// Conditions, in the order of the dimensions; none is everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Scope(pub(crate) Vec<(DimIndex, Vec<ValueId>)>);

impl Scope {
    /// One value of one dimension.
    pub(crate) fn one(dim: DimIndex, value: ValueId) -> Self {
        Self(vec![(dim, vec![value])])
    }

    /// Any of several values of one dimension.
    pub(crate) fn of(dim: DimIndex, any: Vec<ValueId>) -> Self {
        Self(vec![(dim, any)])
    }

    /// The scope that names and values describe; `None` where no payment has them.
    pub(crate) fn of_names(
        named: &[(String, Vec<String>)],
        values: &Values,
        dims: &Dims,
    ) -> Option<Self> {
        let conditions = named.iter().map(|(name, any)| {
            let dim = dims.find(name)?;
            let any = any.iter().map(|text| values.find(dim, text));
            Some((dim, any.collect::<Option<Vec<_>>>()?))
        });
        let mut conditions: Vec<_> = conditions.collect::<Option<_>>()?;
        conditions.sort_unstable();
        Some(Self(conditions))
    }

    /// Whether it is everything.
    pub(crate) fn is_everything(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a tuple's values lie in it.
    pub(crate) fn holds(&self, values: &[ValueId]) -> bool {
        self.0.iter().all(|(dim, any)| any.contains(&values[*dim]))
    }

    /// Whether a tuple of which not every value is known may lie in it.
    pub(crate) fn may_hold(&self, values: &[ValueId]) -> bool {
        let mut conditions = self.0.iter();
        conditions.all(|(dim, any)| values[*dim] == ValueId::NONE || any.contains(&values[*dim]))
    }

    /// Whether it has a condition on a dimension.
    pub(crate) fn has(&self, dim: DimIndex) -> bool {
        self.0.iter().any(|(known, _)| *known == dim)
    }

    /// The only value that it allows of a dimension.
    pub(crate) fn only(&self, dim: DimIndex) -> Option<ValueId> {
        let (_, any) = self.0.iter().find(|(known, _)| *known == dim)?;
        match any.as_slice() {
            [value] => Some(*value),
            _ => None,
        }
    }

    /// Names and values, as they are shown.
    pub(crate) fn named(&self, values: &Values, dims: &Dims) -> Vec<(String, Vec<String>)> {
        let name = |(dim, any): &(DimIndex, Vec<ValueId>)| {
            let mut texts: Vec<String> = any
                .iter()
                .map(|value| values.text(*value).1.to_string())
                .collect();
            texts.sort_unstable();
            (dims.name(*dim), texts)
        };
        self.0.iter().map(name).collect()
    }
}

impl Scope {
    /// Whether it can hold nothing: a condition of it is on a dimension that is not configured any more.
    pub(crate) fn is_lost(&self) -> bool {
        self.0.iter().any(|(_, any)| any.is_empty())
    }
}

impl Keep for Scope {
    fn write(&self, to: &mut Writer) {
        self.0.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let mut conditions = Vec::new();
        for _ in 0..from.len()? {
            let dim = from.dim()?;
            let any: Vec<ValueId> = Keep::read(from)?;
            conditions.push(dim.map_or_else(|| (CHANNEL, Vec::new()), |dim| (dim, any)));
        }
        Ok(Self(conditions))
    }
}

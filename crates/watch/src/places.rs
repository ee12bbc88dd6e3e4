//! The place of records that are shifted together: everything, a stream, a gateway or a connector.

use std::collections::{BTreeMap, BTreeSet};

use crate::cells::Cell;
use crate::detect::scope::Scope;
use crate::detect::values::ValueId;
use crate::keep::{Keep, Reader, Unreadable, Writer};
use crate::lateness::Key;
use crate::pulse::{CONNECTOR, DimIndex, GATEWAY, Side};

/// Where a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Payments and credits alike.
    Everything,
    /// All of a stream.
    Stream(Side),
    /// One value of gateway or connector.
    Value(DimIndex, ValueId),
}

impl Place {
    /// The payments that it concerns.
    pub(crate) fn scope(self) -> Scope {
        match self {
            Self::Everything | Self::Stream(_) => Scope::default(),
            Self::Value(dim, value) => Scope::one(dim, value),
        }
    }

    /// Whether it concerns every payment.
    pub(crate) fn is_wide(self) -> bool {
        !matches!(self, Self::Value(..))
    }
}

/// The place that holds the cells `bad` and none that is as usual since `since_s`.
pub(crate) fn place_of(bad: &BTreeSet<Key>, all: &BTreeMap<Key, Cell>, since_s: i64) -> Place {
    let mut fine = BTreeSet::new();
    for (key, cell) in all {
        let (seen, calm) = cell.fine_since(since_s);
        if !bad.contains(key) && calm >= 2 && calm * 2 >= seen {
            fine.insert(*key);
        }
    }
    let whole = |side: Side| {
        let is_of = |key: &&Key| key.0 == side;
        bad.iter().any(|key| key.0 == side) && !fine.iter().any(|key| is_of(&key))
    };
    match (whole(Side::Payments), whole(Side::Credits)) {
        (true, true) => return Place::Everything,
        (true, false) if fine.iter().any(|key| key.0 == Side::Credits) => {
            return Place::Stream(Side::Payments);
        }
        (false, true) if fine.iter().any(|key| key.0 == Side::Payments) => {
            return Place::Stream(Side::Credits);
        }
        _ => {}
    }
    value_of(bad, &fine)
}

/// The gateway or connector with the most of what is bad and nothing that is fine; of equals the gateway.
fn value_of(bad: &BTreeSet<Key>, fine: &BTreeSet<Key>) -> Place {
    let pairs: BTreeSet<(ValueId, ValueId)> = bad.iter().map(|key| (key.1, key.2)).collect();
    let sound: BTreeSet<(ValueId, ValueId)> = fine
        .iter()
        .map(|key| (key.1, key.2))
        .filter(|pair| !pairs.contains(pair))
        .collect();
    let mut counts: BTreeMap<(DimIndex, ValueId), usize> = BTreeMap::new();
    for (gateway, connector) in &pairs {
        for source in [(GATEWAY, *gateway), (CONNECTOR, *connector)] {
            *counts.entry(source).or_default() += usize::from(source.1 != ValueId::NONE);
        }
    }
    let holds = |dim: DimIndex, value: ValueId, pair: &(ValueId, ValueId)| match dim {
        GATEWAY => pair.0 == value,
        _ => pair.1 == value,
    };
    let pure = |dim, value| !sound.iter().any(|pair| holds(dim, value, pair));
    let best = counts
        .iter()
        .filter(|(_, count)| **count > 0)
        .max_by_key(|((dim, value), count)| (pure(*dim, *value), **count, *dim == GATEWAY));
    best.map_or(Place::Everything, |((dim, value), _)| {
        Place::Value(*dim, *value)
    })
}

/// Gateway and connector are dimensions of every tuple, at the same place.
impl Keep for Place {
    fn write(&self, to: &mut Writer) {
        match self {
            Self::Everything => to.byte(0),
            Self::Stream(side) => {
                to.byte(1);
                side.write(to);
            }
            Self::Value(dim, value) => {
                to.byte(2);
                dim.write(to);
                value.write(to);
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        Ok(match from.byte()? {
            0 => Self::Everything,
            1 => Self::Stream(Keep::read(from)?),
            2 => {
                let dim = from.dim()?.ok_or(Unreadable::Malformed)?;
                Self::Value(dim, Keep::read(from)?)
            }
            _ => return Err(Unreadable::Malformed),
        })
    }
}

//! Numbers, texts, lists and tables.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::Hash;
use std::sync::Arc;

use super::{Keep, Reader, Unreadable, Writer};
use crate::detect::values::{TupleId, ValueId};
use crate::tables::Map;

macro_rules! keep_unsigned {
    ($($name:ty),+) => {
        $(impl Keep for $name {
            fn write(&self, to: &mut Writer) {
                to.number(*self as u128);
            }

            fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
                Self::try_from(from.number()?).map_err(|_| Unreadable::Malformed)
            }
        })+
    };
}

macro_rules! keep_signed {
    ($($name:ty),+) => {
        $(impl Keep for $name {
            /// Small numbers are short, whatever their sign.
            fn write(&self, to: &mut Writer) {
                let wide = i128::from(*self);
                to.number(((wide << 1) ^ (wide >> 127)) as u128);
            }

            fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
                let number = from.number()?;
                let wide = (number >> 1) as i128 ^ -((number & 1) as i128);
                Self::try_from(wide).map_err(|_| Unreadable::Malformed)
            }
        })+
    };
}

keep_unsigned!(u8, u16, u32, u64, u128, usize);
keep_signed!(i32, i64);

impl Keep for bool {
    fn write(&self, to: &mut Writer) {
        to.byte(u8::from(*self));
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        match from.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Unreadable::Malformed),
        }
    }
}

impl Keep for f64 {
    /// To the last bit: sums of fractions must go on as they were.
    fn write(&self, to: &mut Writer) {
        to.raw(&self.to_bits().to_le_bytes());
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let bytes = from.raw(8)?.try_into().map_err(|_| Unreadable::Malformed)?;
        Ok(Self::from_bits(u64::from_le_bytes(bytes)))
    }
}

impl Keep for String {
    fn write(&self, to: &mut Writer) {
        to.len(self.len());
        to.raw(self.as_bytes());
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let len = from.len()?;
        let text = std::str::from_utf8(from.raw(len)?);
        text.map(Into::into).map_err(|_| Unreadable::Malformed)
    }
}

impl Keep for Arc<str> {
    fn write(&self, to: &mut Writer) {
        to.len(self.len());
        to.raw(self.as_bytes());
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        String::read(from).map(Into::into)
    }
}

impl Keep for ValueId {
    fn write(&self, to: &mut Writer) {
        // What is written was noted before: it has a number.
        let number = to.value(*self).unwrap_or(Self::NONE);
        number.0.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        from.value()
    }
}

impl Keep for TupleId {
    fn write(&self, to: &mut Writer) {
        let number = to.tuple(*self).unwrap_or(Self(0));
        number.0.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        from.tuple()
    }
}

impl<T: Keep> Keep for Option<T> {
    fn write(&self, to: &mut Writer) {
        to.byte(u8::from(self.is_some()));
        if let Some(known) = self {
            known.write(to);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        bool::read(from)?.then(|| T::read(from)).transpose()
    }
}

macro_rules! keep_list {
    ($($name:ident),+) => {
        $(impl<T: Keep> Keep for $name<T> {
            fn write(&self, to: &mut Writer) {
                to.len(self.len());
                self.iter().for_each(|item| item.write(to));
            }

            fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
                let len = from.len()?;
                (0..len).map(|_| T::read(from)).collect()
            }
        })+
    };
}

keep_list!(Vec, VecDeque);

impl<T: Keep + Ord> Keep for BTreeSet<T> {
    fn write(&self, to: &mut Writer) {
        to.len(self.len());
        self.iter().for_each(|item| item.write(to));
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let len = from.len()?;
        (0..len).map(|_| T::read(from)).collect()
    }
}

impl<K: Keep + Ord, V: Keep> Keep for BTreeMap<K, V> {
    fn write(&self, to: &mut Writer) {
        to.len(self.len());
        for (key, value) in self {
            key.write(to);
            value.write(to);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let len = from.len()?;
        (0..len)
            .map(|_| Ok((K::read(from)?, V::read(from)?)))
            .collect()
    }
}

impl<K: Keep + Ord + Hash, V: Keep> Keep for Map<K, V> {
    /// In the order of the keys: the same table gives the same bytes.
    fn write(&self, to: &mut Writer) {
        let mut entries: Vec<(&K, &V)> = self.iter().collect();
        entries.sort_unstable_by_key(|(key, _)| *key);
        to.len(entries.len());
        for (key, value) in entries {
            key.write(to);
            value.write(to);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let len = from.len()?;
        (0..len)
            .map(|_| Ok((K::read(from)?, V::read(from)?)))
            .collect()
    }
}

impl<T: Keep, const N: usize> Keep for [T; N] {
    fn write(&self, to: &mut Writer) {
        self.iter().for_each(|item| item.write(to));
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let items: Vec<T> = (0..N).map(|_| T::read(from)).collect::<Result<_, _>>()?;
        items.try_into().map_err(|_| Unreadable::Malformed)
    }
}

macro_rules! keep_tuple {
    ($(($($name:ident $at:tt),+)),+) => {
        $(impl<$($name: Keep),+> Keep for ($($name,)+) {
            fn write(&self, to: &mut Writer) {
                $(self.$at.write(to);)+
            }

            fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
                Ok(($($name::read(from)?,)+))
            }
        })+
    };
}

keep_tuple!((A 0, B 1), (A 0, B 1, C 2));

/// The values of a tuple, one a dimension.
impl Keep for Box<[ValueId]> {
    fn write(&self, to: &mut Writer) {
        to.len(self.len());
        self.iter().for_each(|value| value.write(to));
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        from.wide_values().map(Into::into)
    }
}

/// Writes what is kept of streams, by their indices.
pub(crate) fn write_by_stream<T: Keep>(all: &BTreeMap<u8, T>, to: &mut Writer) {
    to.len(all.len());
    for (stream, one) in all {
        to.byte(*stream);
        one.write(to);
    }
}

/// Reads what [`write_by_stream`] wrote, without the streams that are not configured any more.
pub(crate) fn read_by_stream<T: Keep>(
    from: &mut Reader<'_>,
) -> Result<BTreeMap<u8, T>, Unreadable> {
    let mut all = BTreeMap::new();
    for _ in 0..from.len()? {
        let (stream, one) = (from.stream()?, T::read(from)?);
        if let Some(stream) = stream {
            all.insert(stream, one);
        }
    }
    Ok(all)
}

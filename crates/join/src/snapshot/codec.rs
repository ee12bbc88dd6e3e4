//! Values as bytes and back: varints and little-endian words, every length checked before it is believed.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::alert::{AlertKind, Resolution, Verdict};
use crate::event::{Currency, Place, RefundStatus, RefusalClass};
use crate::identity::Fingerprint;
use crate::time::Timestamp;

/// The bytes are not what was written. It says no more: a checksum tells how they came to be so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// A value that a snapshot can hold.
pub(super) trait Coded: Sized {
    fn write(&self, out: &mut Vec<u8>);
    fn read(input: &mut Input<'_>) -> Result<Self, Malformed>;
}

/// Bytes that are being read from the front.
#[derive(Clone, Copy)]
pub(super) struct Input<'a>(pub(super) &'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn bytes(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*taken)
    }

    /// A value of its type.
    pub(super) fn read<T: Coded>(&mut self) -> Result<T, Malformed> {
        T::read(self)
    }

    /// A record: what a later version appended to it stays unread.
    pub(super) fn record(&mut self) -> Result<Input<'a>, Malformed> {
        let len = self.read::<usize>()?;
        Ok(Input(self.bytes(len)?))
    }

    pub(super) fn text(&mut self) -> Result<&'a str, Malformed> {
        core::str::from_utf8(self.record()?.0).map_err(|_| Malformed)
    }
}

/// Writes a record: its length, then what `fill` writes.
pub(super) fn put_record(out: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    fill(out);
    let end = out.len();
    (end - start).write(out);
    // The length is known last and stands first.
    let prefix = out.len() - end;
    out[start..].rotate_right(prefix);
}

pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    text.len().write(out);
    out.extend_from_slice(text.as_bytes());
}

pub(super) fn put_list<T: Coded>(out: &mut Vec<u8>, items: &[T]) {
    items.len().write(out);
    for item in items {
        item.write(out);
    }
}

impl Coded for u64 {
    /// LEB128: seven bits a byte, the lowest first.
    fn write(&self, out: &mut Vec<u8>) {
        let mut rest = *self;
        while rest >= 0x80 {
            out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Malformed> {
        let mut value = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let [byte] = input.array()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return Err(Malformed);
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }
}

/// Unsigned numbers that travel as 64 bits.
macro_rules! coded_as_u64 {
    ($($name:ty),+) => {$(
        impl Coded for $name {
            fn write(&self, out: &mut Vec<u8>) {
                (*self as u64).write(out);
            }

            fn read(input: &mut Input<'_>) -> Result<Self, Malformed> {
                Self::try_from(u64::read(input)?).map_err(|_| Malformed)
            }
        }
    )+};
}
coded_as_u64!(u16, u32, usize);

impl Coded for u8 {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(*self);
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Malformed> {
        let [byte] = input.array()?;
        Ok(byte)
    }
}

impl Coded for bool {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Malformed> {
        match u8::read(input)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed),
        }
    }
}

impl Coded for i64 {
    /// Zigzag: small numbers of either sign stay short.
    fn write(&self, out: &mut Vec<u8>) {
        (((self << 1) ^ (self >> 63)) as u64).write(out);
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Malformed> {
        let zigzag = u64::read(input)?;
        Ok((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
    }
}

impl Coded for i32 {
    fn write(&self, out: &mut Vec<u8>) {
        i64::from(*self).write(out);
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Self::try_from(i64::read(input)?).map_err(|_| Malformed)
    }
}

impl Coded for u128 {
    /// The two halves, lower first.
    fn write(&self, out: &mut Vec<u8>) {
        (*self as u64).write(out);
        ((self >> 64) as u64).write(out);
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Malformed> {
        let low = u64::read(input)?;
        let high = u64::read(input)?;
        Ok(Self::from(high) << 64 | Self::from(low))
    }
}

impl Coded for i128 {
    fn write(&self, out: &mut Vec<u8>) {
        (((self << 1) ^ (self >> 127)) as u128).write(out);
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Malformed> {
        let zigzag = u128::read(input)?;
        Ok((zigzag >> 1) as i128 ^ -((zigzag & 1) as i128))
    }
}

impl<T: Coded> Coded for Option<T> {
    fn write(&self, out: &mut Vec<u8>) {
        self.is_some().write(out);
        if let Some(value) = self {
            value.write(out);
        }
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Malformed> {
        bool::read(input)?.then(|| T::read(input)).transpose()
    }
}

impl<T: Coded> Coded for Box<T> {
    fn write(&self, out: &mut Vec<u8>) {
        T::write(self, out);
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Malformed> {
        T::read(input).map(Self::new)
    }
}

impl<T: Coded> Coded for Vec<T> {
    fn write(&self, out: &mut Vec<u8>) {
        put_list(out, self);
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Malformed> {
        // The list grows with what is read: a false length allocates nothing.
        let len = input.read::<usize>()?;
        let mut items = Self::new();
        for _ in 0..len {
            items.push(T::read(input)?);
        }
        Ok(items)
    }
}

impl<A: Coded, B: Coded> Coded for (A, B) {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
        self.1.write(out);
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Ok((A::read(input)?, B::read(input)?))
    }
}

/// Texts in their several holders.
macro_rules! coded_text {
    ($($name:ty),+) => {$(
        impl Coded for $name {
            fn write(&self, out: &mut Vec<u8>) {
                put_text(out, self);
            }

            fn read(input: &mut Input<'_>) -> Result<Self, Malformed> {
                Ok(String::from(input.text()?).into())
            }
        }
    )+};
}
coded_text!(String, Box<str>, Cow<'static, str>);

impl Coded for Timestamp {
    fn write(&self, out: &mut Vec<u8>) {
        self.millis().write(out);
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Malformed> {
        i64::read(input).map(Self::from_millis)
    }
}

impl Coded for Fingerprint {
    /// Eight bytes: it is evenly distributed, so a varint would be longer.
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_le_bytes());
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Malformed> {
        input.array().map(|bytes| Self(u64::from_le_bytes(bytes)))
    }
}

impl Coded for Currency {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.letters());
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Self::new(input.array()?).ok_or(Malformed)
    }
}

/// Words travel as their position: new ones may only be appended to their enum.
macro_rules! coded_words {
    ($($name:ty),+) => {$(
        impl Coded for $name {
            fn write(&self, out: &mut Vec<u8>) {
                out.push(*self as u8);
            }

            fn read(input: &mut Input<'_>) -> Result<Self, Malformed> {
                let at = usize::from(u8::read(input)?);
                Self::ALL.get(at).copied().ok_or(Malformed)
            }
        }
    )+};
}
coded_words!(AlertKind, Resolution, Verdict, RefundStatus, RefusalClass);

/// A structure as its fields, one after the other; with `record`, as a record that may grow.
macro_rules! coded_fields {
    ($name:ty { $($field:ident),+ $(,)? }) => {
        impl Coded for $name {
            fn write(&self, out: &mut alloc::vec::Vec<u8>) {
                $(self.$field.write(out);)+
            }

            fn read(input: &mut Input<'_>) -> Result<Self, Malformed> {
                Ok(Self { $($field: input.read()?,)+ })
            }
        }
    };
    (record $name:ty { $($field:ident),+ $(,)? }) => {
        impl Coded for $name {
            fn write(&self, out: &mut alloc::vec::Vec<u8>) {
                $crate::snapshot::codec::put_record(out, |out| { $(self.$field.write(out);)+ });
            }

            fn read(input: &mut Input<'_>) -> Result<Self, Malformed> {
                let mut input = input.record()?;
                Ok(Self { $($field: input.read()?,)+ })
            }
        }
    };
}
pub(super) use coded_fields;

coded_fields!(Place {
    at,
    stream,
    partition,
    offset
});

#[cfg(test)]
mod tests {
    use super::*;

    fn survives<T: Coded + PartialEq + core::fmt::Debug>(value: T) {
        let mut bytes = Vec::new();
        value.write(&mut bytes);
        let mut input = Input(&bytes);
        assert_eq!(input.read::<T>().as_ref(), Ok(&value));
        assert!(input.is_empty());
        for cut in 0..bytes.len() {
            assert_eq!(Input(&bytes[..cut]).read::<T>(), Err(Malformed));
        }
    }

    #[test]
    fn numbers_survive_at_their_ends() {
        for value in [0, 1, 127, 128, u64::MAX - 1, u64::MAX] {
            survives(value);
            survives(value as i64);
            survives(u128::from(value) << 64 | u128::from(value));
            survives(i128::from(value) - (1 << 100));
            survives(Timestamp::from_millis(value as i64));
        }
        survives(i128::MIN);
        survives(i64::MIN);
    }

    #[test]
    fn lists_and_texts_survive() {
        survives(alloc::vec![Some(String::from("东区")), None]);
        survives((Resolution::Manual, Verdict::DuplicateCredit));
    }

    #[test]
    fn a_false_length_is_malformed_and_allocates_nothing() {
        let bytes = [0xff, 0xff, 0xff, 0xff, 0x7f];
        assert_eq!(Input(&bytes).read::<Vec<u64>>(), Err(Malformed));
        assert_eq!(Input(&bytes).read::<String>(), Err(Malformed));
    }

    #[test]
    fn a_varint_beyond_its_type_is_malformed() {
        let too_long = [0xff; 11];
        assert_eq!(Input(&too_long).read::<u64>(), Err(Malformed));
        let too_large = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02];
        assert_eq!(Input(&too_large).read::<u64>(), Err(Malformed));
        let mut bytes = Vec::new();
        70_000_u64.write(&mut bytes);
        assert_eq!(Input(&bytes).read::<u16>(), Err(Malformed));
    }

    #[test]
    fn what_was_appended_to_a_record_is_skipped() {
        let mut bytes = Vec::new();
        put_record(&mut bytes, |out| {
            7_u64.write(out);
            put_text(out, "from a later version");
        });
        8_u64.write(&mut bytes);
        let mut input = Input(&bytes);
        assert_eq!(
            input.record().and_then(|mut record| record.read()),
            Ok(7_u64)
        );
        assert_eq!(input.read(), Ok(8_u64));
    }
}

//! What the watch knows as bytes, and back: for its snapshots, and to let go of names that nothing refers to.
//!
//! 1. [`Keep`] is how a value is written and read. [`keep!`](crate::keep::keep) lists the fields of a struct: a field
//!    that is added and not listed does not compile.
//! 2. A [`Writer`] knows what becomes of the numbers of values and tuples; a [`Reader`] knows which dimension of then
//!    is which of now, and never trusts a length.

mod basic;
mod names;
mod reader;
mod words;
mod writer;

pub(crate) use basic::{read_by_stream, write_by_stream};
pub(crate) use reader::Reader;
pub(crate) use writer::{Numbers, Writer};

/// Why a snapshot cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It ends early, or says something impossible.
    Malformed,
    /// It was written by another version of this program.
    Version {
        /// The version of its format.
        is: u8,
    },
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Malformed => f.write_str("the snapshot of the watch is malformed"),
            Self::Version { is } => write!(
                f,
                "the snapshot of the watch has the format {is}, which this program does not know"
            ),
        }
    }
}

impl std::error::Error for Unreadable {}

/// A value that can be written down.
pub(crate) trait Keep: Sized {
    /// Writes it.
    fn write(&self, to: &mut Writer);

    /// Reads what [`write`](Self::write) wrote.
    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable>;
}

/// Writes and reads the fields of a struct, all of them, in this order.
macro_rules! keep {
    ($name:ty { $($field:ident),+ $(,)? }) => {
        impl crate::keep::Keep for $name {
            fn write(&self, to: &mut crate::keep::Writer) {
                let Self { $($field),+ } = self;
                $(crate::keep::Keep::write($field, to);)+
            }

            fn read(from: &mut crate::keep::Reader<'_>) -> Result<Self, crate::keep::Unreadable> {
                Ok(Self { $($field: crate::keep::Keep::read(from)?),+ })
            }
        }
    };
}

/// Writes and reads an enum by the numbers of its variants, which must not change.
macro_rules! keep_enum {
    ($name:ident {
        $($tag:literal => $variant:ident $({ $($field:ident),+ $(,)? })? $(( $($item:ident),+ ))?),+ $(,)?
    }) => {
        impl crate::keep::Keep for $name {
            fn write(&self, to: &mut crate::keep::Writer) {
                match self {
                    $(Self::$variant $({ $($field),+ })? $(( $($item),+ ))? => {
                        to.byte($tag);
                        $($(crate::keep::Keep::write($field, to);)+)?
                        $($(crate::keep::Keep::write($item, to);)+)?
                    })+
                }
            }

            fn read(from: &mut crate::keep::Reader<'_>) -> Result<Self, crate::keep::Unreadable> {
                Ok(match from.byte()? {
                    $($tag => {
                        $($(let $field = crate::keep::Keep::read(from)?;)+)?
                        $($(let $item = crate::keep::Keep::read(from)?;)+)?
                        Self::$variant $({ $($field),+ })? $(( $($item),+ ))?
                    })+
                    _ => return Err(crate::keep::Unreadable::Malformed),
                })
            }
        }
    };
}

pub(crate) use {keep, keep_enum};

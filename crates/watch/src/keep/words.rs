//! Types of the decision and of the table of causes, by their words on the wire.

use settlewatch_join::event::{AccountStatus, Currency, MarkerKind, RefusalClass};
use settlewatch_join::{AlertKind, Fingerprint, Timestamp, Verdict};

use super::{Keep, Reader, Unreadable, Writer};
use crate::incident::cause::Cause;

fn word(text: &str, to: &mut Writer) {
    to.len(text.len());
    to.raw(text.as_bytes());
}

fn read_word<'a>(from: &mut Reader<'a>) -> Result<&'a str, Unreadable> {
    let len = from.len()?;
    std::str::from_utf8(from.raw(len)?).map_err(|_| Unreadable::Malformed)
}

macro_rules! keep_word {
    ($($name:ty, $text:ident);+ $(;)?) => {
        $(impl Keep for $name {
            fn write(&self, to: &mut Writer) {
                word($text!(self), to);
            }

            fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
                Self::parse(read_word(from)?).ok_or(Unreadable::Malformed)
            }
        })+
    };
}

macro_rules! as_str {
    ($of:expr) => {
        $of.as_str()
    };
}

macro_rules! label {
    ($of:expr) => {
        $of.label()
    };
}

keep_word! {
    AccountStatus, as_str;
    AlertKind, as_str;
    Cause, label;
    MarkerKind, as_str;
    RefusalClass, as_str;
    Verdict, as_str;
}

impl Keep for Currency {
    fn write(&self, to: &mut Writer) {
        to.raw(&self.letters());
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let letters = from.raw(3)?.try_into().map_err(|_| Unreadable::Malformed)?;
        Self::new(letters).ok_or(Unreadable::Malformed)
    }
}

impl Keep for Timestamp {
    fn write(&self, to: &mut Writer) {
        self.millis().write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        Ok(Self::from_millis(Keep::read(from)?))
    }
}

impl Keep for Fingerprint {
    fn write(&self, to: &mut Writer) {
        to.raw(&self.0.to_le_bytes());
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let bytes = from.raw(8)?.try_into().map_err(|_| Unreadable::Malformed)?;
        Ok(Self(u64::from_le_bytes(bytes)))
    }
}

//! Why a record is rejected.

use core::fmt;

/// Declares the reasons in the order in which they take precedence, with their words.
macro_rules! reasons {
    ($($(#[doc = $meaning:literal])+ $variant:ident = $word:literal,)+) => {
        /// The reason of a rejection. Of several that apply, the smallest is reported.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Reason { $($(#[doc = $meaning])+ $variant,)+ }

        impl Reason {
            /// Every reason, in order of precedence.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Every word, in order of precedence, and what it means.
            pub const WORDS: &'static [(&'static str, &'static str)] =
                &[$(($word, concat!($($meaning),+).trim_ascii()),)+];

            /// The word in headers, outputs and labels.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
    };
}

reasons! {
    /// The value is null or empty.
    NullValue = "null_value",
    /// The value is not UTF-8.
    BadUtf8 = "bad_utf8",
    /// The value is not one JSON object.
    BadJson = "bad_json",
    /// The value is nested deeper than 64.
    TooDeep = "too_deep",
    /// The value is longer than the limit.
    TooLarge = "too_large",
    /// The type is none of the known ones.
    UnknownType = "unknown_type",
    /// A required field is absent.
    MissingField = "missing_field",
    /// A field is of another JSON type, empty, too long, or not one of its words.
    BadType = "bad_type",
    /// An amount is not an integer in its range.
    BadMoney = "bad_money",
    /// A currency is not an ISO 4217 code in capitals.
    BadCurrency = "bad_currency",
    /// A time is not RFC 3339 with an offset.
    BadTime = "bad_time",
    /// An event of a payment on a stream that is not keyed by payment.
    WrongStream = "wrong_stream",
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A record that is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct Rejection {
    /// The first reason that applies.
    pub reason: Reason,
    /// The field or byte at fault and what was expected. It never quotes a value of the record: whatever a
    /// payer is known by may stand there.
    pub detail: String,
}

impl Rejection {
    pub(crate) fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
        }
    }
}

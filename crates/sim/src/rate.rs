//! How often payments come.

use crate::error::PlanError;

/// Payments per second, exact to a thousandth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate {
    /// Payments in a thousand seconds, at least 1.
    per_thousand_s: u64,
}

impl Rate {
    /// The rate of `count` payments a second.
    pub const fn per_second(count: u32) -> Self {
        Self {
            per_thousand_s: if count == 0 { 1 } else { count as u64 * 1000 },
        }
    }

    /// The rate of `count` payments in a thousand seconds.
    pub const fn per_thousand_seconds(count: u64) -> Self {
        Self {
            per_thousand_s: if count == 0 { 1 } else { count },
        }
    }

    /// A rate such as `20` or `0.5`, in payments per second.
    ///
    /// # Errors
    /// [`PlanError::BadRate`].
    pub fn parse(text: &str) -> Result<Self, PlanError> {
        let bad = || PlanError::BadRate(text.to_owned());
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(part) || part.len() > 3 || whole.len() > 7 {
            return Err(bad());
        }
        let whole: u64 = whole.parse().map_err(|_| bad())?;
        let part: u64 = format!("{part:0<3}").parse().map_err(|_| bad())?;
        let per_thousand_s = whole * 1000 + part;
        if (1..=1_000_000_000).contains(&per_thousand_s) {
            Ok(Self { per_thousand_s })
        } else {
            Err(bad())
        }
    }

    /// The number of payments in a thousand seconds.
    pub const fn in_thousand_seconds(self) -> u64 {
        self.per_thousand_s
    }

    /// The mean gap between payments, nanoseconds.
    pub(crate) const fn mean_gap_ns(self) -> u64 {
        1_000_000_000_000 / self.per_thousand_s
    }
}

//! The clock of this machine: for displays and ranges of search, never for a decision.

use std::time::{Duration, SystemTime};

use settlewatch_join::{Span, Timestamp};

/// Now.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let millis = since.map_or(0, |since| since.as_millis());
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

/// A span as this machine's clock measures it.
pub(crate) fn duration(span: Span) -> Duration {
    Duration::from_millis(span.millis())
}

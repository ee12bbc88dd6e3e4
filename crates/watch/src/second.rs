//! Instants and the seconds of the clock that hold them.

use settlewatch_join::Timestamp;

/// The second that holds an instant, since 1970.
pub(crate) fn second_of(at: Timestamp) -> i64 {
    at.millis().div_euclid(1000)
}

/// The first instant after a second.
pub(crate) fn end_of(second: i64) -> Timestamp {
    Timestamp::from_millis((second + 1) * 1000)
}

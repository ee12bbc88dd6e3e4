//! Waiting for something to become so.

use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Looks until `attempt` gives something.
///
/// # Panics
/// When it did not within `deadline`: `what` is told.
#[track_caller]
pub fn until<T>(what: &str, deadline: Duration, mut attempt: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = attempt() {
            return found;
        }
        assert!(
            begin.elapsed() < deadline,
            "{what}: not within {deadline:?}"
        );
        sleep(LOOK_EVERY);
    }
}

/// The clock of this machine, in milliseconds since the epoch. Brokers of the tests have the same one.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.expect("it is later than 1970");
    i64::try_from(since.as_millis()).expect("it is earlier than the year 292 million")
}

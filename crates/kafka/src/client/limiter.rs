//! How often the same kind of line may be logged: a cluster that is down says so twenty times a second.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lines of one kind in one window.
const AT_ONCE: u32 = 3;

const WINDOW: Duration = Duration::from_secs(60);

/// Kinds that are counted apart; there are a few dozen.
const MAX_KINDS: usize = 256;

struct Window {
    began: Instant,
    seen: u32,
}

/// Counts lines by kind.
#[derive(Default)]
pub(crate) struct Limiter {
    windows: Mutex<HashMap<String, Window>>,
}

impl Limiter {
    /// Whether a line of this kind may be logged now, and how many were not since the last one.
    pub(crate) fn pass(&self, kind: &str, now: Instant) -> Option<u32> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(window) = windows.get_mut(kind) else {
            if windows.len() < MAX_KINDS {
                windows.insert(
                    kind.to_owned(),
                    Window {
                        began: now,
                        seen: 1,
                    },
                );
            }
            return Some(0);
        };
        if now.saturating_duration_since(window.began) >= WINDOW {
            let suppressed = window.seen.saturating_sub(AT_ONCE);
            *window = Window {
                began: now,
                seen: 1,
            };
            return Some(suppressed);
        }
        window.seen = window.seen.saturating_add(1);
        (window.seen <= AT_ONCE).then_some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_and_its_rest_counted_in_the_next_window() {
        let (limiter, start) = (Limiter::default(), Instant::now());
        let passed = (0..200).filter(|_| limiter.pass("FAIL", start).is_some());
        assert_eq!(passed.count(), 3);
        assert_eq!(limiter.pass("FAIL", start + WINDOW), Some(197));
        assert_eq!(limiter.pass("FAIL", start + WINDOW), Some(0));
    }

    #[test]
    fn kinds_do_not_silence_each_other() {
        let (limiter, start) = (Limiter::default(), Instant::now());
        for _ in 0..50 {
            limiter.pass("AllBrokersDown", start);
        }
        assert_eq!(limiter.pass("Authentication", start), Some(0));
    }
}

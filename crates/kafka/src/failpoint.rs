//! Places where a test makes the process die, as a power cut would.
//!
//! `SETTLEWATCH_FAILPOINT=step_offsets:3` aborts at the third passing of that place. Without the variable a
//! passing costs one comparison.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

struct Armed {
    name: String,
    left: AtomicU64,
}

fn armed() -> Option<&'static Armed> {
    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();
    let parse = || {
        let value = std::env::var("SETTLEWATCH_FAILPOINT").ok()?;
        let (name, times) = value.split_once(':').unwrap_or((&value, "1"));
        Some(Armed {
            name: name.to_owned(),
            left: AtomicU64::new(times.parse().unwrap_or(1)),
        })
    };
    ARMED.get_or_init(parse).as_ref()
}

/// Passes the place called `name`.
pub(crate) fn pass(name: &str) {
    if let Some(armed) = armed()
        && armed.name == name
        && armed.left.fetch_sub(1, Ordering::Relaxed) == 1
    {
        std::process::abort();
    }
}

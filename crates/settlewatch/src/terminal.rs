//! Standard error: what is said there, and a line that shows how far a command is.

use std::fmt::Arguments;
use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

/// Says something on standard error. Where nobody can hear it, the exit status still tells.
pub(crate) fn say(text: Arguments<'_>) {
    let _ = writeln!(stderr(), "{text}");
}

/// A line on standard error that is written over and over.
pub(crate) struct StatusLine {
    shown: bool,
    enabled: bool,
    next: Instant,
}

const EVERY: Duration = Duration::from_millis(100);

impl StatusLine {
    pub(crate) fn new() -> Self {
        Self {
            shown: false,
            enabled: stderr().is_terminal(),
            next: Instant::now(),
        }
    }

    /// Shows a new text, at most ten times a second.
    pub(crate) fn show(&mut self, text: impl FnOnce() -> String) {
        let now = Instant::now();
        if !self.enabled || now < self.next {
            return;
        }
        self.next = now + EVERY;
        self.shown = true;
        // A status line that cannot be written is not worth a failure.
        let _ = write!(stderr(), "\r\x1b[K{}", text());
    }
}

impl Drop for StatusLine {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}

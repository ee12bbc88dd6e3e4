//! Bytes to domain and back: canonical events, recorded envelopes, times.
//!
//! This crate knows what stands on the wire and nothing of what follows from it. It reads bytes it is given;
//! it opens no file and asks no clock.

mod alert;
mod currency;
mod decode;
mod envelope;
mod escape;
mod fields;
mod nest;
mod reason;
mod scan;
mod table;
mod time;

pub use alert::AlertLine;
pub use currency::is_iso_4217;
pub use decode::{Limits, check_stream, decode};
pub use envelope::{BadLine, Envelope, Line, Scratch, parse_line, parse_line_into};
pub use reason::{Reason, Rejection};
pub use table::{COMMON_FIELDS, EVENT_TYPES, EventType, FieldRule, Malformed, Shape};
pub use time::{Rfc3339, format_time, parse_date, parse_time};

//! The decision: which payments succeeded but were never credited.
//!
//! A payment's outcome is a pure function of the record logs and of how far they are known. This crate
//! takes records and times as arguments and returns effects as values. It knows no clock, socket, file,
//! thread or log line; it is `no_std` to prove it.
#![no_std]

extern crate alloc;

pub mod calendar;
pub mod event;
pub mod settings;
pub mod time;

pub use calendar::{Calendar, Day};
pub use event::{Body, Event, Place, Record};
pub use settings::Settings;
pub use time::{Span, Timestamp};

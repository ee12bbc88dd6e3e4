//! The decision: which payments succeeded but were never credited.
//!
//! A payment's outcome is a pure function of the record logs and of how far they are known. This crate
//! takes records and times as arguments and returns effects as values. It knows no clock, socket, file,
//! thread or log line; it is `no_std` to prove it.
#![no_std]

extern crate alloc;

mod alert;
mod attributes;
mod auxiliary;
mod calendar;
mod dictionary;
mod divide;
mod effect;
pub mod event;
mod extras;
mod finished;
mod fuse;
mod identity;
mod inbox;
mod ledger;
mod near;
mod packed;
mod pairs;
mod partition;
mod seekers;
pub mod settings;
mod slab;
pub mod snapshot;
mod table;
mod time;
mod wheel;

pub use alert::{Alert, AlertKind, Resolution, Verdict};
pub use auxiliary::Auxiliary;
pub use calendar::{Calendar, Day};
pub use divide::Home;
pub use effect::{ChannelIndex, Closing, Effect, Effects, Flow, TierIndex, Waiting};
pub use event::{Body, Event, Place, Record};
pub use identity::{AlertId, Fingerprint};
pub use inbox::Inbox;
pub use ledger::{AlertCounts, Book, Ledger, Outcome, Tally, Wait};
pub use pairs::{Message, Note, Pairs, PaymentRef};
pub use partition::{Inspection, Partition, PaymentState, Reload, ReloadRefused};
pub use settings::{KnowsSince, Settings};
pub use time::{Span, Timestamp};

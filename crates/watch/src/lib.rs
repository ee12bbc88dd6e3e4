//! What many payments say together: lag per channel, with the waiting counted, and where bad outcomes concentrate.
//!
//! This crate takes what the join's effects say and times as arguments, and returns rows as values. It knows
//! no clock, socket, file or thread, and no single payment.

mod channels;
mod cohort;
mod lag;
pub mod scan;
mod survival;

pub use channels::{ChannelRow, Channels};
pub use lag::{LagBuckets, MAX_LAG_MS};
pub use survival::Survival;

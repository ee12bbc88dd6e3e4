//! Lanes of the protocol on a cluster without faults of its own, in virtual time: what they write, and that a death at
//! any moment changes nothing of it.
//!
//! 1. [`Recording`] holds generated records; [`replayed`] gives the pulses that a replay makes of them.
//! 2. [`written`] leads them through one lane that owns every partition number, and is killed as often as it is told.
//! 3. [`Told`] is what pulses say, second by second, whoever made them.
#![allow(missing_docs, reason = "fields of a model say what they are")]

mod cluster;
mod host;
mod recording;
mod runner;
mod told;

pub(crate) use host::maker;
pub use recording::{Recording, replayed};
pub use runner::{Deaths, Written, written};
pub use told::Told;

//! The decision over recorded records, on a virtual clock.

pub mod input;

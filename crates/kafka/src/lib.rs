//! Carries the commands of the protocol to Kafka.

mod client;

pub use client::{Context, base};

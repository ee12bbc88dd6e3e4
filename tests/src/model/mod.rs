//! A simulation of the protocol: its lanes and its watch against a model of Kafka in which everything goes wrong that
//! can, on one thread, from a seed.
//!
//! 1. A world is drawn from the seed: topics, brokers and their clocks, a story of payments, faults.
//! 2. Safety: the story is told while the faults strike. Liveness: nothing goes wrong any more, and everything must
//!    become final in bounded time.
//! 3. The oracle judges the logs alone, by the naive reference; what the watch said, by judging every second again.
//! 4. Mutations break the protocol between member and cluster: each must be found.
#![allow(missing_docs, reason = "fields of a model say what they are")]

mod carry;
mod cluster;
mod compare;
mod consumer;
mod draw;
mod fault;
mod group;
mod history;
mod host;
mod kafka;
mod log;
mod machine;
mod member;
mod mutation;
mod oracle;
mod prober;
mod pulses;
mod run;
mod steps;
mod story;
mod transactions;
mod trouble;
mod upstream;
mod watching;

pub use fault::{Coverage, Fault, Phase};
pub use history::answers;
pub use mutation::Mutation;
pub use run::{Options, Report, run};
pub use watching::Watched;

//! Real brokers and real services, started and stopped by the tests that need them.
//!
//! 1. A [`Cluster`] is one broker or three; [`Cluster::shared`] is one that several tests use side by side.
//! 2. A [`Group`] is one installation on it: its topics, its rules, its services ([`Service`]).
//! 3. [`Traffic`] appends seeded stories of payments in real time.
//! 4. [`Judgement`] holds what the services wrote against a replay of what they read, and against the naive
//!    reference.
//!
//! Nothing sleeps and hopes: [`until`] polls with a deadline. What is started ends with its owner.

mod clock;
mod cluster;
mod group;
mod jars;
mod judge;
mod kills;
mod live;
mod node;
mod notes;
mod ports;
mod process;
mod produce;
mod read;
mod readable;
mod secure;
mod service;
mod story;
mod topics;
mod traffic;
mod wait;

pub use clock::clock_library;
pub use cluster::{Cluster, Options};
pub use group::{Group, Rules, Setup, short_rules};
pub use jars::{missing, write_topics_tool};
pub use judge::{Expected, Judgement};
pub use kills::{Kills, Phase, Report, die_in_every_phase};
pub use live::{Live, Said, Seen};
pub use node::Node;
pub use ports::free_port;
pub use process::{End, Process, Signal};
pub use produce::{Appended, Outgoing, Producer, Sent};
pub use read::{Record, Tail, kcat_lines, read_all};
pub use secure::{ADMIN_PASSWORD, APP_PASSWORD, Grant, Login, STRANGERS_PASSWORD};
pub use service::{Service, binary};
pub use story::{Append, Kind, PAYER, Story};
pub use topics::Admin;
pub use traffic::{Traffic, untold};
pub use wait::{now_ms, until};

//! Carries the commands of the protocol to Kafka.
//!
//! 1. [`base`] and [`Context`]: what all clients have in common.
//! 2. A [`Prober`] asks for ends; [`Clocks`] say when that was, in broker time.
//! 3. A [`LaneHandle`] is a thread that polls, tells the protocol, and carries its commands out.

mod admin;
mod checks;
mod client;
mod clocks;
mod closing;
mod ends;
mod failpoint;
mod feed;
mod forbidden;
mod history;
mod lane;
mod machine;
mod mock;
mod offsets;
mod outage;
mod prober;
mod producer;
mod reader;
mod renewed;
mod running;
mod settings;
mod start;
mod state;
mod tail;
mod topics;
mod truncate;
mod unread;
mod upkeep;
mod watch;

pub use rdkafka::config::ClientConfig;

pub use admin::{
    Admin, AdminError, Cluster, Mismatch, Need, OwnTopic, Partitions, Right, Rights, Setting,
    TopicId, TopicSettings, TopicState, own_topics,
};
pub use checks::{
    Cause, CheckOptions, Checked, CheckedFeed, CheckedInput, Partitioner, Problem, check,
    watch_group,
};
pub use client::{Context, base, verify};
pub use clocks::{Clocks, Monotonic};
pub use feed::{Fed, Feed};
pub use history::{Found, History, alerts_of, history, revisions, written};
pub use lane::{LaneEnd, LaneHandle, LaneHost, LaneSpec};
pub use mock::{LIMITS_OF_THE_MOCK, Mock, MockError, topics_of};
pub use prober::{CountChanged, Prober};
pub use start::StartAt;
pub use tail::{Tail, TailFrom, Tailed};
pub use topics::Topics;
pub use upkeep::{Entry, ReadTo, Upkeep, Writer};
pub use watch::{WatchHost, WatchProber, WatchSpec, start_watch};

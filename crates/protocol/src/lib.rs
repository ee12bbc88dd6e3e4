//! Exactly once on Kafka, as a state machine without IO.
//!
//! The decision is deterministic, so its state need not be written change by change: the state topic of a
//! partition number holds *snapshots* and, between them, *steps*. A step says which records were applied, up
//! to which known time, and in which order notes came. Whoever owns the partition number next restores the
//! last snapshot and applies the same records again, step by step, without writing their effects: those are in
//! the log already, in the transactions of the steps.
//!
//! 1. The shell hands [`Lane::handle`] what happened ([`Input`]).
//! 2. It drains [`Lane::next_command`] and carries each [`Command`] out.
//! 3. A [`Transaction`] is carried out as a whole; its [`TxnOutcome`] is the next input.
//!
//! Nothing here knows a socket, a thread or a clock: times come with the inputs.
#![no_std]

extern crate alloc;

mod append;
mod assembly;
mod bytes;
mod clock;
mod commit;
mod io;
mod keys;
mod known;
mod lane;
mod limits;
mod look;
mod migrate;
mod output;
mod post;
mod pulses;
mod rebuilt;
mod restore;
mod rules;
mod running;
mod snapshots;
mod source;
mod step;
mod task;
mod watcher;

pub use clock::BrokerClock;
pub use io::{
    Command, Fault, Host, Input, Probe, Produce, RawRecord, RulesNews, SourceId, StartPoint, Topic,
    Transaction, TxnOutcome, TxnStep,
};
pub use lane::{Lane, LaneConfig};
pub use limits::Limits;
pub use look::{Contents, SnapshotLook, StateLook};
pub use migrate::{Divided, Migration, keys};
pub use output::PROOF_HEADER;
pub use post::heard;
pub use pulses::{PulseStep, Pulses};
pub use rebuilt::{Rebuilt, claim, rebuild};
pub use restore::RestoreError;
pub use rules::rules_id;
pub use source::SourceConfig;
pub use watcher::{Core, FeedConfig, Heard, Said, Second, Watcher, WatcherConfig};

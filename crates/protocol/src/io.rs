//! What the lane is told, and what it wants done.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use settlewatch_join::{Alert, Event, Flow, Outcome, Partition, Settings, Timestamp};

use crate::pulses::Pulses;

/// Index of an input topic, by the rank of its stream; the pairs topic comes after the last, and the state topic
/// after that: an offset of it is sent with a claim, which has read nothing yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u8);

/// A record as it was read from an input topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawRecord {
    /// Its topic.
    pub source: SourceId,
    /// Its partition number.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Its timestamp in milliseconds, as Kafka has it.
    pub ts: i64,
    /// Its key.
    pub key: Option<Box<[u8]>>,
    /// Its value.
    pub value: Option<Box<[u8]>>,
}

/// The end of a partition, asked for at a known moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The topic.
    pub source: SourceId,
    /// The partition number.
    pub partition: i32,
    /// The high watermark that the leader answered.
    pub end: i64,
    /// Broker time at the sending, at the earliest: what was appended before it lies below `end`.
    pub sent_at: Timestamp,
    /// Broker time at the answer, at the latest: what lies below `end` was appended by then.
    pub answered_by: Timestamp,
}

/// Where a partition number begins that has neither state nor offsets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartPoint {
    /// First offset to read, by source.
    pub positions: Vec<i64>,
    /// From when the inputs are known.
    pub knows_since: Timestamp,
    /// The group has offsets: there was state once.
    pub group_has_offsets: bool,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The group assigned these partition numbers; any earlier assignment is void.
    Assigned(Vec<i32>),
    /// The assignment is being taken away, or was lost: nothing of it may be written any more.
    Revoked,
    /// A record of the state topic, in the order of offsets, read committed.
    State {
        /// The partition number.
        partition: i32,
        /// Its offset.
        offset: i64,
        /// Its key.
        key: Box<[u8]>,
        /// Its value.
        value: Box<[u8]>,
    },
    /// Where a partition number begins.
    Start {
        /// The partition number.
        partition: i32,
        /// The answer to [`Command::FindStart`].
        start: StartPoint,
    },
    /// A record of an input.
    Record(RawRecord),
    /// The position of the consumer: the offset after the last record or marker that it stepped over.
    Position {
        /// The topic.
        source: SourceId,
        /// The partition number.
        partition: i32,
        /// The offset that is read next.
        position: i64,
    },
    /// Ends of partitions.
    Probes(Vec<Probe>),
    /// Records from `from` up to `to` are gone: retention took them before they were read.
    Hole {
        /// The topic.
        source: SourceId,
        /// The partition number.
        partition: i32,
        /// The first offset that is left.
        to: i64,
    },
    /// The offset of the first record that the transaction that is about to be reported wrote to the state
    /// topic of a partition number.
    StateWritten {
        /// The partition number.
        partition: i32,
        /// The offset.
        offset: i64,
    },
    /// How the last transaction ended.
    Transaction(TxnOutcome),
    /// Time passed: milliseconds of any monotonic clock. Work is done now: the shell says so after every batch
    /// of records, and at least ten times a second.
    Tick(u64),
    /// Other rules: as [`LaneConfig::rules`](crate::LaneConfig). With `force`, however many alerts they raise.
    Reload {
        /// Their text.
        rules: Arc<[u8]>,
        /// From now on, a reload that would raise more alerts at once is refused.
        limit: u64,
        /// Whether the limit of alerts at once is waived.
        force: bool,
    },
    /// The process wants to stop: finish what is begun, take a snapshot, stop.
    Drain,
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TxnOutcome {
    /// Committed.
    Committed,
    /// Aborted by the shell after an error that lets the same producer try again.
    Aborted,
    /// The group has moved on: what was assigned is not ours any more. Aborted.
    NotOurs,
    /// It may or may not be committed, or the producer cannot go on: nobody knows but the log.
    Indefinite,
}

/// A topic that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Alerts.
    Alerts,
    /// Rejected records.
    DeadLetters,
    /// Messages and notes between partition numbers.
    Pairs,
    /// Claims, steps and snapshots.
    State,
    /// What the watch hears of each partition number, second by second.
    Pulse,
}

/// A record to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Produce {
    /// Its topic.
    pub topic: Topic,
    /// Its partition number.
    pub partition: i32,
    /// Its key.
    pub key: Option<Box<[u8]>>,
    /// Its value; `None` is a tombstone.
    pub value: Option<Box<[u8]>>,
    /// Its headers.
    pub headers: Vec<(String, Box<[u8]>)>,
    /// Of an alert: the moment that it is decided at, so that the delay can be measured.
    pub decided_at: Option<Timestamp>,
}

/// One act of a transaction. The order is the protocol's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TxnStep {
    /// Begin.
    Begin,
    /// Hand these records to the producer.
    Produce(Vec<Produce>),
    /// Wait until every record is acknowledged.
    Drain,
    /// Send the offsets, with the group metadata of the assignment: the coordinator checks the generation.
    SendOffsets(Vec<(SourceId, i32, i64)>),
    /// Commit.
    Commit,
}

/// A transaction, act by act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Its acts.
    pub steps: Vec<TxnStep>,
}

impl Transaction {
    /// Writes records, and sends offsets when they are acknowledged.
    pub(crate) fn of(records: Vec<Produce>, offsets: Vec<(SourceId, i32, i64)>) -> Self {
        Self {
            steps: [
                TxnStep::Begin,
                TxnStep::Produce(records),
                TxnStep::Drain,
                TxnStep::SendOffsets(offsets),
                TxnStep::Commit,
            ]
            .into(),
        }
    }
}

/// What the lane wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Make a new producer with the lane's transactional id: it ends whatever the last one left open.
    NewProducer,
    /// Carry a transaction out and say how it ended.
    Transact(Transaction),
    /// Read the state topic of a partition number from its beginning, read committed.
    ReadState(i32),
    /// Stop reading it.
    StateRead(i32),
    /// Find where a partition number begins that has no state.
    FindStart(i32),
    /// Read the inputs of these partition numbers from these offsets.
    Assign(Vec<(SourceId, i32, i64)>),
    /// Stop fetching these inputs: too many of their records wait for the others.
    Pause(Vec<(SourceId, i32)>),
    /// Fetch them again.
    Resume(Vec<(SourceId, i32)>),
    /// What became of the rules of this process.
    Rules(RulesNews),
    /// Delete the records of the state topic before this offset.
    Truncate {
        /// The partition number.
        partition: i32,
        /// The first offset to keep.
        before: i64,
    },
    /// The lane has nothing more to do: it was drained.
    Drained,
    /// The lane cannot go on without a person.
    Fail(Fault),
}

/// What became of the rules of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RulesNews {
    /// They apply, or will with the next step.
    Applied {
        /// Payments whose deadlines move.
        moved: u64,
    },
    /// They would raise too many alerts at once: the old ones stay.
    Refused {
        /// How many.
        at_once: u64,
        /// How many are allowed.
        limit: u64,
    },
    /// A partition number has newer rules: those apply.
    Stale {
        /// The partition number.
        partition: i32,
    },
}

/// Why a lane stops and waits for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no state, but the group has offsets: the state was lost.
    StateLost {
        /// The partition number.
        partition: i32,
    },
    /// The state cannot be read.
    StateBroken {
        /// The partition number.
        partition: i32,
        /// Why not.
        detail: String,
    },
    /// Records that were applied since the last snapshot are gone from an input.
    InputsGone {
        /// The topic.
        source: SourceId,
        /// The partition number.
        partition: i32,
        /// The first offset that is left.
        left: i64,
    },
}

impl core::fmt::Display for Fault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::StateLost { partition } => write!(
                f,
                "the state of partition {partition} is empty, but the group has offsets: it was lost. Payments that \
                 waited are not known any more. Rebuild it from the inputs: settlewatch state rebuild --partition \
                 {partition} --from TIME"
            ),
            Self::StateBroken { partition, detail } => write!(
                f,
                "the state of partition {partition} cannot be used: {detail}. Rebuild it from the inputs: \
                 settlewatch state rebuild --partition {partition} --from TIME"
            ),
            Self::InputsGone {
                source,
                partition,
                left,
            } => write!(
                f,
                "records that were applied since the last snapshot are gone from input {} partition {partition}: it \
                 begins at offset {left}. Rebuild the state: settlewatch state rebuild --partition {partition} --from \
                 TIME",
                source.0
            ),
        }
    }
}

/// What the lane asks of whoever runs it: formats and rules, which it does not know, and eyes, which it does
/// not need.
pub trait Host {
    /// Reads an event; `Err` is reason and detail of a rejection.
    ///
    /// # Errors
    /// The record is no valid event.
    fn event<'a>(
        &self,
        source: SourceId,
        value: Option<&'a [u8]>,
    ) -> Result<Event<'a>, (&'static str, String)>;

    /// The line of an alert.
    fn alert(&self, alert: &Alert) -> Vec<u8>;

    /// The topic of a source, for people.
    fn topic(&self, source: SourceId) -> &str;

    /// What the rules in this text mean. The text comes from [`LaneConfig::rules`](crate::LaneConfig), of this
    /// process or of an earlier one.
    ///
    /// # Errors
    /// This program cannot read it.
    fn settings(&self, rules: &[u8]) -> Result<Arc<Settings>, String>;

    /// Whoever makes the pulses of a partition number; `None` where nobody hears them. `state` is what its predecessor
    /// knew at `since`; without it, or where it cannot be read, the maker knows nothing of what was before.
    fn pulses(
        &self,
        _number: i32,
        _since: Timestamp,
        _state: Option<&[u8]>,
    ) -> Option<Box<dyn Pulses>> {
        None
    }

    /// A flow of a partition number; `again` where it was counted before a restart.
    fn flow(&self, _number: i32, _partition: &Partition, _flow: &Flow, _again: bool) {}

    /// A record was applied: what it counts as, where that is decided, or the reason of its rejection.
    fn applied(&self, _source: SourceId, _outcome: Result<Option<Outcome>, &'static str>) {}

    /// A record of a payment lies under another key than the payment's: whoever looks by the key misses it.
    fn misplaced(&self, _source: SourceId) {}

    /// A partition number was restored, or begins: what waits in it.
    fn restored(&self, _number: i32, _partition: &Partition) {}
}

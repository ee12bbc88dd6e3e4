//! A lane: what it needs, who watches it, how it is told to stop, how it ends.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::config::ClientConfig;
use settlewatch_join::Timestamp;
use settlewatch_protocol::{Fault, Host, Input, Lane, LaneConfig, RulesNews, SourceId, TxnOutcome};

use crate::client::Context;
use crate::clocks::{Clocks, Monotonic};
use crate::machine::{Machine, Member, Probing};
use crate::prober::Prober;
use crate::running::Running;
use crate::start::StartAt;
use crate::topics::Topics;

/// What a lane is told from outside.
pub(crate) enum Told {
    /// For the protocol.
    Input(Input),
    /// Stop now, whatever is under way.
    Stop,
}

/// Who watches a lane. All calls come on the lane's thread and must be short.
pub trait LaneHost: Host + Sized {
    /// The lane begins or ends to wait for an answer of the cluster.
    fn calling(&self, _calling: bool) {}

    /// A transaction ended.
    fn transaction(&self, _outcome: TxnOutcome, _took: Duration) {}

    /// An alert became visible: the moment of the decision, and its append time.
    fn alert_visible(&self, _decided_at: Timestamp, _appended_at: Timestamp) {}

    /// The group gave the lane other partition numbers.
    fn rebalanced(&self, _numbers: &[i32]) {}

    /// What became of rules.
    fn rules(&self, _news: RulesNews) {}

    /// So many bytes of state were read.
    fn restoring(&self, _number: i32, _bytes: usize) {}

    /// Records between two offsets were deleted before they were read.
    fn hole(&self, _source: SourceId, _number: i32, _to: i64) {}

    /// Every 50 ms or so: how the lane stands. `now` is broker time, about.
    fn look(&self, _lane: &Lane<Self>, _now: Option<Timestamp>) {}
}

/// What a lane needs to run.
pub struct LaneSpec<H> {
    /// Settings of all clients.
    pub base: ClientConfig,
    /// How clients log and get tokens.
    pub context: Context,
    /// Names of topics.
    pub topics: Topics,
    /// Consumer group.
    pub group_id: String,
    /// Name of this member, the same after a restart; `None` for dynamic membership.
    pub member: Option<String>,
    /// Transactional id.
    pub transactional_id: String,
    /// After how long without a sign of life the group goes on without us.
    pub session_timeout: Duration,
    /// After how long the broker aborts a transaction.
    pub transaction_timeout: Duration,
    /// Where the first start begins.
    pub start_at: StartAt,
    /// What the protocol is told.
    pub config: LaneConfig,
    /// Formats, rules, eyes.
    pub host: H,
}

/// How a lane ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LaneEnd {
    /// Everything was committed.
    Drained,
    /// It was stopped.
    Stopped,
    /// A person is needed.
    Failed(Fault),
    /// A client cannot be made.
    Broken(String),
}

impl fmt::Display for LaneEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drained => write!(f, "everything was committed"),
            Self::Stopped => write!(f, "it was stopped"),
            Self::Failed(fault) => write!(f, "{fault}"),
            Self::Broken(why) => write!(f, "{why}"),
        }
    }
}

/// Runs a machine on this thread until it ends.
pub(crate) fn run<M: Machine>(
    member: Member,
    machine: M,
    prober: Arc<dyn Probing>,
    clocks: Arc<Clocks>,
    monotonic: Monotonic,
    channel: (Sender<Told>, Receiver<Told>),
) -> LaneEnd {
    match Running::new(member, machine, prober, clocks, monotonic, channel) {
        Ok(running) => running.run(),
        Err(error) => LaneEnd::Broken(error.to_string()),
    }
}

/// A lane that runs.
pub struct LaneHandle {
    told: Sender<Told>,
    thread: JoinHandle<LaneEnd>,
}

impl LaneHandle {
    /// Begins.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start<H: LaneHost + Send + 'static>(
        name: String,
        spec: LaneSpec<H>,
        prober: Arc<Prober>,
        clocks: Arc<Clocks>,
        monotonic: Monotonic,
    ) -> std::io::Result<Self> {
        let (told, hears) = channel();
        let tells = told.clone();
        let member = Member::of_lane(&spec);
        let run = move || {
            let lane = Lane::new(spec.config, spec.host);
            run(member, lane, prober, clocks, monotonic, (tells, hears))
        };
        let thread = std::thread::Builder::new().name(name).spawn(run)?;
        Ok(Self { told, thread })
    }

    /// A watch that runs: it is told the same.
    pub(crate) fn of_watch(told: Sender<Told>, thread: JoinHandle<LaneEnd>) -> Self {
        Self { told, thread }
    }

    /// Other rules, and how many alerts at once they may raise.
    pub fn reload(&self, rules: Arc<[u8]>, limit: u64, force: bool) {
        let _ = self.told.send(Told::Input(Input::Reload {
            rules,
            limit,
            force,
        }));
    }

    /// Commit what is begun, write a snapshot, end.
    pub fn drain(&self) {
        let _ = self.told.send(Told::Input(Input::Drain));
    }

    /// End now.
    pub fn stop(&self) {
        let _ = self.told.send(Told::Stop);
    }

    /// Whether the lane has ended.
    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// Name of its thread.
    pub fn name(&self) -> &str {
        self.thread.thread().name().unwrap_or_default()
    }

    /// Waits for the end.
    pub fn join(self) -> LaneEnd {
        let broken = || LaneEnd::Broken("the lane's thread panicked".into());
        self.thread.join().unwrap_or_else(|_| broken())
    }
}

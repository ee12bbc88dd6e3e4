//! The watch on its thread: what it needs, and who watches it.

mod prober;

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use rdkafka::config::ClientConfig;
use settlewatch_join::Timestamp;
use settlewatch_protocol::{
    Command, Core, Input, RulesNews, SourceId, TxnOutcome, Watcher, WatcherConfig,
};

use crate::client::Context;
use crate::clocks::{Clocks, Monotonic};
use crate::lane::{LaneHandle, run};
use crate::machine::{Machine, Member};
use crate::start::StartAt;
use crate::topics::Topics;

pub use prober::WatchProber;

/// Pulses of hundreds of partitions come all through a second: one by one each would cost a look at all of them.
const FETCH_WITHIN: Duration = Duration::from_millis(250);
const FETCH_BYTES: usize = 1 << 20;

/// Who judges, and watches the watch. All calls come on its thread and must be short, but for the core's.
pub trait WatchHost: Core + Sized {
    /// It begins or ends to wait for an answer of the cluster.
    fn calling(&self, _calling: bool) {}

    /// A transaction ended.
    fn transaction(&self, _outcome: TxnOutcome, _took: Duration) {}

    /// A revision became visible: the moment that it is dated at, and its append time.
    fn visible(&self, _decided_at: Timestamp, _appended_at: Timestamp) {}

    /// It is the active one from now on, or is not any more.
    fn elected(&self, _active: bool) {}

    /// What became of rules.
    fn rules(&self, _news: RulesNews) {}

    /// So many bytes of state were read.
    fn restoring(&self, _bytes: usize) {}

    /// Records between two offsets were deleted before they were read.
    fn hole(&self, _source: SourceId, _number: i32, _to: i64) {}

    /// Every 50 ms or so: how the watch stands. `now` is broker time, about.
    fn look(&self, _watcher: &Watcher<Self>, _now: Option<Timestamp>) {}
}

impl<W: WatchHost> Machine for Watcher<W> {
    fn handle(&mut self, input: Input) {
        Watcher::handle(self, input);
    }

    fn next_command(&mut self) -> Option<Command> {
        Watcher::next_command(self)
    }

    fn places(&self) -> Option<Vec<(SourceId, i32)>> {
        Some(self.config().places().collect())
    }

    fn calling(&self, calling: bool) {
        self.core().calling(calling);
    }

    fn transaction(&self, outcome: TxnOutcome, took: Duration) {
        self.core().transaction(outcome, took);
    }

    fn visible(&self, decided_at: Timestamp, appended_at: Timestamp) {
        self.core().visible(decided_at, appended_at);
    }

    fn rebalanced(&self, numbers: &[i32]) {
        self.core().elected(!numbers.is_empty());
    }

    fn rules(&self, news: RulesNews) {
        self.core().rules(news);
    }

    fn restoring(&self, _number: i32, bytes: usize) {
        self.core().restoring(bytes);
    }

    fn hole(&self, source: SourceId, number: i32, to: i64) {
        self.core().hole(source, number, to);
    }

    fn look(&self, now: Option<Timestamp>) {
        self.core().look(self, now);
    }
}

/// What the watch needs to run.
pub struct WatchSpec<W> {
    /// Settings of all clients.
    pub base: ClientConfig,
    /// How clients log and get tokens.
    pub context: Context,
    /// Names of topics: [`Topics::of_watch`].
    pub topics: Topics,
    /// Consumer group.
    pub group_id: String,
    /// Name of this member, the same after a restart; `None` for dynamic membership.
    pub member: Option<String>,
    /// Transactional id.
    pub transactional_id: String,
    /// After how long without a sign of life another one takes over.
    pub session_timeout: Duration,
    /// After how long the broker aborts a transaction.
    pub transaction_timeout: Duration,
    /// Where the first start begins.
    pub start_at: StartAt,
    /// What the protocol is told.
    pub config: WatcherConfig,
    /// Who judges.
    pub host: W,
}

/// Begins.
///
/// # Errors
/// The thread cannot be started.
pub fn start_watch<W: WatchHost + Send + 'static>(
    spec: WatchSpec<W>,
    prober: Arc<WatchProber>,
    clocks: Arc<Clocks>,
    monotonic: Monotonic,
) -> std::io::Result<LaneHandle> {
    let (told, hears) = channel();
    let tells = told.clone();
    let member = Member {
        joined: vec![spec.topics.state.clone()],
        base: spec.base,
        context: spec.context,
        topics: spec.topics,
        group_id: spec.group_id,
        fetch: (FETCH_WITHIN, FETCH_BYTES),
        name: spec.member,
        transactional_id: spec.transactional_id,
        session_timeout: spec.session_timeout,
        transaction_timeout: spec.transaction_timeout,
        start_at: spec.start_at,
    };
    let (config, host) = (spec.config, spec.host);
    let watch = move || {
        let watcher = Watcher::new(config, host);
        run(member, watcher, prober, clocks, monotonic, (tells, hears))
    };
    let thread = std::thread::Builder::new()
        .name("watch".into())
        .spawn(watch)?;
    Ok(LaneHandle::of_watch(told, thread))
}

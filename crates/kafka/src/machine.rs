//! What runs on a thread: a lane or the watch, as far as the thread must know it.

use std::sync::mpsc::Sender;
use std::time::Duration;

use rdkafka::config::ClientConfig;
use settlewatch_join::Timestamp;
use settlewatch_protocol::{Command, Input, Lane, RulesNews, SourceId, TxnOutcome};

use crate::client::Context;
use crate::lane::{LaneHost, LaneSpec, Told};
use crate::prober::Prober;
use crate::start::StartAt;
use crate::topics::Topics;

/// A state machine of the protocol, and its eyes.
pub(crate) trait Machine {
    fn handle(&mut self, input: Input);

    fn next_command(&mut self) -> Option<Command>;

    /// Everything that is read, in the order of its positions, where it begins as a whole; `None` where each partition
    /// number begins for itself.
    fn places(&self) -> Option<Vec<(SourceId, i32)>>;

    /// It begins or ends to wait for an answer of the cluster.
    fn calling(&self, calling: bool);

    /// A transaction ended.
    fn transaction(&self, outcome: TxnOutcome, took: Duration);

    /// What was decided became visible: the moment of the decision, and the append time.
    fn visible(&self, decided_at: Timestamp, appended_at: Timestamp);

    /// The group gave it other partition numbers.
    fn rebalanced(&self, numbers: &[i32]);

    /// What became of rules.
    fn rules(&self, news: RulesNews);

    /// So many bytes of state were read.
    fn restoring(&self, number: i32, bytes: usize);

    /// Records were deleted before they were read.
    fn hole(&self, source: SourceId, number: i32, to: i64);

    /// How it stands; `now` is broker time, about.
    fn look(&self, now: Option<Timestamp>);
}

impl<H: LaneHost> Machine for Lane<H> {
    fn handle(&mut self, input: Input) {
        Lane::handle(self, input);
    }

    fn next_command(&mut self) -> Option<Command> {
        Lane::next_command(self)
    }

    fn places(&self) -> Option<Vec<(SourceId, i32)>> {
        None
    }

    fn calling(&self, calling: bool) {
        self.host().calling(calling);
    }

    fn transaction(&self, outcome: TxnOutcome, took: Duration) {
        self.host().transaction(outcome, took);
    }

    fn visible(&self, decided_at: Timestamp, appended_at: Timestamp) {
        self.host().alert_visible(decided_at, appended_at);
    }

    fn rebalanced(&self, numbers: &[i32]) {
        self.host().rebalanced(numbers);
    }

    fn rules(&self, news: RulesNews) {
        self.host().rules(news);
    }

    fn restoring(&self, number: i32, bytes: usize) {
        self.host().restoring(number, bytes);
    }

    fn hole(&self, source: SourceId, number: i32, to: i64) {
        self.host().hole(source, number, to);
    }

    fn look(&self, now: Option<Timestamp>) {
        self.host().look(self, now);
    }
}

/// Whoever asks for ends, and is told who wants to hear of them.
pub(crate) trait Probing: Send + Sync {
    /// This thread reads these partition numbers from now on, and none of `before` that is not among them.
    fn read_by(&self, thread: &Sender<Told>, numbers: &[i32], before: &[i32]);
}

impl Probing for Prober {
    fn read_by(&self, thread: &Sender<Told>, numbers: &[i32], before: &[i32]) {
        Prober::read_by(self, thread, numbers, before);
    }
}

/// A member of a group: its clients, and what they are called.
pub(crate) struct Member {
    /// Settings of all clients.
    pub(crate) base: ClientConfig,
    pub(crate) context: Context,
    pub(crate) topics: Topics,
    /// Topics whose partition numbers the group hands out.
    pub(crate) joined: Vec<String>,
    pub(crate) group_id: String,
    /// How long a broker may gather records before it answers a fetch, and how many bytes are enough to answer at once.
    pub(crate) fetch: (Duration, usize),
    /// Its name in the group, the same after a restart; `None` for dynamic membership.
    pub(crate) name: Option<String>,
    pub(crate) transactional_id: String,
    pub(crate) session_timeout: Duration,
    pub(crate) transaction_timeout: Duration,
    pub(crate) start_at: StartAt,
}

impl Member {
    /// That of a lane.
    pub(crate) fn of_lane<H>(spec: &LaneSpec<H>) -> Self {
        let sources = spec.topics.sources();
        Self {
            base: spec.base.clone(),
            context: spec.context.clone(),
            topics: spec.topics.clone(),
            joined: sources.map(|(_, name)| name.to_owned()).collect(),
            group_id: spec.group_id.clone(),
            // A deadline waits for what is read.
            fetch: (Duration::from_millis(100), 1),
            name: spec.member.clone(),
            transactional_id: spec.transactional_id.clone(),
            session_timeout: spec.session_timeout,
            transaction_timeout: spec.transaction_timeout,
            start_at: spec.start_at,
        }
    }
}

//! A lane on its thread: polls, tells the protocol, carries its commands out.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::KafkaResult;
use settlewatch_join::Timestamp;
use settlewatch_protocol::{
    Command, Fault, Host, Input, Lane, LaneConfig, RulesNews, SourceId, Transaction, TxnOutcome,
};

use crate::client::Context;
use crate::clocks::{Clocks, Monotonic};
use crate::ends::Ends;
use crate::failpoint;
use crate::prober::Prober;
use crate::producer::Transactions;
use crate::reader::{Polled, Reader, Rebalanced};
use crate::start::{Finder, StartAt};
use crate::state::StateReader;
use crate::topics::Topics;

/// Records of one round: then the protocol gets its turn.
const RECORDS_PER_ROUND: usize = 5000;

/// How long a round takes records.
const ROUND: Duration = Duration::from_millis(20);

/// How long a round waits for the first record.
const FIRST_WAIT: Duration = Duration::from_millis(5);

/// How often the consumer is asked where it stands, and the host is shown the lane.
const LOOK_EVERY_MS: u64 = 50;

/// Time between attempts at what failed.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// How long the cluster has for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a lane is told from outside.
pub(crate) enum Told {
    /// For the protocol.
    Input(Input),
    /// Stop now, whatever is under way.
    Stop,
}

/// Who watches a lane. All calls come on the lane's thread and must be short.
pub trait LaneHost: Host + Sized {
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
        let run = move || match Running::new(spec, prober, clocks, monotonic, (tells, hears)) {
            Ok(mut running) => running.run(),
            Err(error) => LaneEnd::Broken(error.to_string()),
        };
        let thread = std::thread::Builder::new().name(name).spawn(run)?;
        Ok(Self { told, thread })
    }

    /// Other rules.
    pub fn reload(&self, rules: Arc<[u8]>, force: bool) {
        let _ = self.told.send(Told::Input(Input::Reload { rules, force }));
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

    /// Waits for the end.
    pub fn join(self) -> LaneEnd {
        let broken = || LaneEnd::Broken("the lane's thread panicked".into());
        self.thread.join().unwrap_or_else(|_| broken())
    }
}

/// Settings of a consumer of the group.
fn consumer_config<H>(spec: &LaneSpec<H>) -> ClientConfig {
    let mut config = spec.base.clone();
    config
        .set("group.id", &spec.group_id)
        .set(
            "session.timeout.ms",
            spec.session_timeout.as_millis().to_string(),
        )
        .set(
            "heartbeat.interval.ms",
            (spec.session_timeout.as_millis() / 6)
                .clamp(100, 3000)
                .to_string(),
        )
        // The others break co-partitioning as soon as a third member joins.
        .set("partition.assignment.strategy", "range")
        .set("isolation.level", "read_committed")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // Never guess where to go on.
        .set("auto.offset.reset", "error")
        .set("fetch.wait.max.ms", "100")
        .set("queued.max.messages.kbytes", "65536");
    if let Some(member) = &spec.member {
        config.set("group.instance.id", member);
    }
    config
}

fn state_config<H>(spec: &LaneSpec<H>) -> ClientConfig {
    let mut config = spec.base.clone();
    config
        // Never used: it joins no group and commits nothing.
        .set("group.id", &spec.group_id)
        .set("isolation.level", "read_committed")
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .set("fetch.wait.max.ms", "50");
    config
}

fn producer_config<H>(spec: &LaneSpec<H>) -> ClientConfig {
    let timeout_ms = spec.transaction_timeout.as_millis().to_string();
    let mut config = spec.base.clone();
    config
        .set("transactional.id", &spec.transactional_id)
        .set("transaction.timeout.ms", timeout_ms.as_str())
        .set("message.timeout.ms", timeout_ms.as_str())
        .set("message.max.bytes", "1000000")
        .set("linger.ms", "1")
        .set("compression.type", "zstd");
    config
}

struct Running<H> {
    spec: LaneSpecLeft,
    producer_config: ClientConfig,
    lane: Lane<H>,
    reader: Reader,
    state: StateReader,
    ends: Ends,
    producer: Option<Transactions>,
    group: Option<ConsumerGroupMetadata>,
    numbers: Vec<i32>,
    prober: Arc<Prober>,
    clocks: Arc<Clocks>,
    monotonic: Monotonic,
    tells: Sender<Told>,
    hears: Receiver<Told>,
    looked_ms: u64,
}

/// What is left of the specification once the clients are made.
struct LaneSpecLeft {
    context: Context,
    topics: Topics,
    start_at: StartAt,
    transaction_timeout: Duration,
    truncator: crate::truncate::Truncator,
}

impl<H: LaneHost> Running<H> {
    fn new(
        spec: LaneSpec<H>,
        prober: Arc<Prober>,
        clocks: Arc<Clocks>,
        monotonic: Monotonic,
        (tells, hears): (Sender<Told>, Receiver<Told>),
    ) -> KafkaResult<Self> {
        let (context, topics) = (spec.context.clone(), spec.topics.clone());
        let reader = Reader::new(&consumer_config(&spec), context.clone(), topics.clone())?;
        let state_topic = topics.state.clone();
        let state = StateReader::new(&state_config(&spec), context.clone(), state_topic)?;
        let ends = Ends::new(&spec.base, context.clone(), topics.clone())?;
        let state_topic = topics.state.clone();
        let truncator = crate::truncate::Truncator::new(&spec.base, context.clone(), state_topic)?;
        Ok(Self {
            producer_config: producer_config(&spec),
            lane: Lane::new(spec.config, spec.host),
            spec: LaneSpecLeft {
                context,
                topics,
                start_at: spec.start_at,
                transaction_timeout: spec.transaction_timeout,
                truncator,
            },
            reader,
            state,
            ends,
            producer: None,
            group: None,
            numbers: Vec::new(),
            prober,
            clocks,
            monotonic,
            tells,
            hears,
            looked_ms: 0,
        })
    }

    fn run(&mut self) -> LaneEnd {
        loop {
            if let Some(end) = self.carry_commands().or_else(|| self.hear()) {
                self.prober.read_by(&self.tells, &[], &self.numbers);
                return end;
            }
            self.poll();
            self.rebalance();
            self.look();
            self.lane.handle(Input::Tick(self.monotonic.now_ms()));
        }
    }

    fn carry_commands(&mut self) -> Option<LaneEnd> {
        while let Some(command) = self.lane.next_command() {
            match command {
                Command::NewProducer => {
                    if let Some(end) = self.make_producer() {
                        return Some(end);
                    }
                }
                Command::Transact(transaction) => self.transact(&transaction),
                Command::ReadState(number) => {
                    failpoint::pass("restore_begun");
                    if let Err(error) = self.state.begin(number) {
                        return Some(LaneEnd::Broken(error.to_string()));
                    }
                }
                Command::StateRead(number) => {
                    failpoint::pass("restore_read");
                    self.state.end(number);
                }
                Command::FindStart(number) => {
                    if let Some(end) = self.find_start(number) {
                        return Some(end);
                    }
                }
                Command::Assign(from) => {
                    failpoint::pass("restored");
                    if let Err(error) = self.reader.assign(&from) {
                        return Some(LaneEnd::Broken(error.to_string()));
                    }
                    failpoint::pass("assigned");
                }
                Command::Pause(places) => self.reader.set_paused(&places, true),
                Command::Resume(places) => self.reader.set_paused(&places, false),
                Command::Rules(news) => self.lane.host().rules(news),
                Command::Truncate { partition, before } => {
                    failpoint::pass("truncating");
                    self.spec.truncator.delete_before(partition, before);
                    failpoint::pass("truncated");
                }
                Command::Drained => {
                    failpoint::pass("drained");
                    return Some(LaneEnd::Drained);
                }
                Command::Fail(fault) => return Some(LaneEnd::Failed(fault)),
            }
        }
        None
    }

    fn hear(&mut self) -> Option<LaneEnd> {
        while let Ok(told) = self.hears.try_recv() {
            match told {
                Told::Stop => return Some(LaneEnd::Stopped),
                Told::Input(input) => {
                    if matches!(input, Input::Drain) {
                        failpoint::pass("drain_begun");
                    }
                    self.lane.handle(input);
                }
            }
        }
        None
    }

    /// Tries until it succeeds, or the lane is to end.
    fn until_done<T>(
        &mut self,
        what: &str,
        mut attempt: impl FnMut(&mut Self) -> KafkaResult<T>,
    ) -> Result<T, LaneEnd> {
        loop {
            match attempt(self) {
                Ok(done) => return Ok(done),
                Err(error) => {
                    let error = self.spec.context.describe(&error);
                    tracing::warn!(%error, "{what} failed; trying again");
                }
            }
            let again = Instant::now() + AGAIN_AFTER;
            while Instant::now() < again {
                if let Some(end) = self.hear() {
                    return Err(end);
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            self.lane.host().look(&self.lane, self.now());
        }
    }

    fn make_producer(&mut self) -> Option<LaneEnd> {
        // The last one's polling thread ends with it.
        self.producer = None;
        let made = self.until_done("making a producer", |running| {
            Transactions::new(
                &running.producer_config,
                running.spec.context.clone(),
                Arc::clone(&running.clocks),
                running.monotonic,
                running.spec.topics.clone(),
                running.spec.transaction_timeout,
            )
        });
        match made {
            Ok(producer) => {
                self.producer = Some(producer);
                None
            }
            Err(end) => Some(end),
        }
    }

    fn find_start(&mut self, number: i32) -> Option<LaneEnd> {
        let found = self.until_done("finding where to begin", |running| {
            let finder = Finder {
                reader: &running.reader,
                ends: &running.ends,
                clocks: &running.clocks,
                monotonic: running.monotonic,
                topics: &running.spec.topics,
                wait: PATIENCE,
            };
            finder.find(number, running.spec.start_at)
        });
        match found {
            Ok(start) => {
                let partition = number;
                self.lane.handle(Input::Start { partition, start });
                None
            }
            Err(end) => Some(end),
        }
    }

    fn transact(&mut self, transaction: &Transaction) {
        let began = Instant::now();
        let Some(producer) = &self.producer else {
            self.lane.handle(Input::Transaction(TxnOutcome::Indefinite));
            return;
        };
        let (outcome, learned) = producer.carry(transaction, self.group.as_ref());
        let host = self.lane.host();
        host.transaction(outcome, began.elapsed());
        for &(decided_at, appended_at) in &learned.alerts {
            host.alert_visible(decided_at, appended_at);
        }
        for (partition, offset) in learned.state {
            self.lane.handle(Input::StateWritten { partition, offset });
        }
        self.lane.handle(Input::Tick(self.monotonic.now_ms()));
        self.lane.handle(Input::Transaction(outcome));
    }

    fn poll(&mut self) {
        let round = Instant::now() + ROUND;
        let mut wait = FIRST_WAIT;
        if self.state.is_reading() {
            while let Some(input) = self.state.poll(wait) {
                if let Input::State {
                    partition, value, ..
                } = &input
                {
                    self.lane.host().restoring(*partition, value.len());
                }
                self.lane.handle(input);
                wait = Duration::ZERO;
                if Instant::now() > round || !self.state.is_reading() {
                    break;
                }
            }
            wait = Duration::ZERO;
        }
        for i in 0..RECORDS_PER_ROUND {
            match self.reader.poll(wait) {
                Polled::Record(record) => self.lane.handle(Input::Record(record)),
                Polled::OutOfRange => return self.find_holes(),
                Polled::Nothing => return,
            }
            wait = Duration::ZERO;
            // Looking at the clock costs a tenth of a poll.
            if i % 64 == 63 && Instant::now() > round {
                return;
            }
        }
    }

    /// Retention took records that were not read.
    fn find_holes(&mut self) {
        let places: Vec<_> = self.reader.places().collect();
        match self.ends.firsts(&places, PATIENCE) {
            Ok(firsts) => {
                for (source, partition, to) in self.reader.holes(&firsts) {
                    self.lane.host().hole(source, partition, to);
                    self.lane.handle(Input::Hole {
                        source,
                        partition,
                        to,
                    });
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the first offsets are not known; asking again at the next failure");
            }
        }
    }

    fn rebalance(&mut self) {
        for event in self.reader.rebalanced() {
            self.state.end_all();
            let numbers = match event {
                Rebalanced::Assigned(numbers, group) => {
                    self.group = group;
                    numbers
                }
                Rebalanced::Revoked => {
                    self.group = None;
                    Vec::new()
                }
                Rebalanced::Torn(how) => {
                    tracing::error!("{how}");
                    self.group = None;
                    Vec::new()
                }
            };
            self.prober.read_by(&self.tells, &numbers, &self.numbers);
            self.lane.host().rebalanced(&numbers);
            self.numbers.clone_from(&numbers);
            self.lane.handle(if numbers.is_empty() {
                Input::Revoked
            } else {
                Input::Assigned(numbers)
            });
        }
    }

    fn now(&self) -> Option<Timestamp> {
        self.clocks.about(self.monotonic.now_ms())
    }

    fn look(&mut self) {
        let now_ms = self.monotonic.now_ms();
        if now_ms < self.looked_ms + LOOK_EVERY_MS {
            return;
        }
        self.looked_ms = now_ms;
        for (source, partition, position) in self.reader.positions() {
            self.lane.handle(Input::Position {
                source,
                partition,
                position,
            });
        }
        self.lane.host().look(&self.lane, self.now());
    }
}

//! What a lane or the watch does on its thread: polls, tells the protocol, carries its commands out.

mod anew;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::KafkaResult;
use settlewatch_join::Timestamp;
use settlewatch_protocol::{Command, Input, Transaction, TxnOutcome};

use crate::clocks::{Clocks, Monotonic};
use crate::closing::{close, leave_behind};
use crate::ends::Ends;
use crate::failpoint;
use crate::forbidden::forbidden;
use crate::lane::{LaneEnd, Told};
use crate::machine::{Machine, Member, Probing};
use crate::producer::Transactions;
use crate::reader::{Polled, Reader, Rebalanced};
use crate::renewed::Renewed;
use crate::settings::producer_config;
use crate::start::{Beginnings, Finder};
use crate::state::StateReader;
use crate::truncate::Truncator;
use crate::unread::Unread;

/// Records of one round: then the protocol gets its turn.
const RECORDS_PER_ROUND: usize = 5000;

/// How long a round takes records.
const ROUND: Duration = Duration::from_millis(20);

/// How long a round waits for the first record.
const FIRST_WAIT: Duration = Duration::from_millis(5);

/// How often the consumer is asked where it stands, and the host is shown the lane: of so many partitions; of more more
/// seldom, for each of them costs.
const LOOK_EVERY_MS: u64 = 50;
const LOOK_PARTITIONS: u64 = 200;

/// Time between attempts at what failed.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// How long the cluster has for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Running<M> {
    member: Member,
    truncator: Truncator,
    machine: M,
    reader: Reader,
    state: StateReader,
    ends: Renewed<Ends>,
    producer: Option<Transactions>,
    group: Option<Arc<ConsumerGroupMetadata>>,
    numbers: Vec<i32>,
    prober: Arc<dyn Probing>,
    clocks: Arc<Clocks>,
    monotonic: Monotonic,
    tells: Sender<Told>,
    hears: Receiver<Told>,
    looked_ms: u64,
    /// When the consumer had to be replaced, lately.
    joined_anew: Vec<Instant>,
    /// When something of the state was read, or was to be.
    state_came: Instant,
    unread: Unread,
}

impl<M: Machine> Running<M> {
    pub(crate) fn new(
        member: Member,
        machine: M,
        prober: Arc<dyn Probing>,
        clocks: Arc<Clocks>,
        monotonic: Monotonic,
        (tells, hears): (Sender<Told>, Receiver<Told>),
    ) -> KafkaResult<Self> {
        let (context, topics) = (member.context.clone(), member.topics.clone());
        let reader = Reader::new(&member)?;
        let state = StateReader::new(&member)?;
        let ends = Ends::renewed(&member.base, context.clone(), topics.clone())?;
        let truncator = Truncator::new(&member.base, context, topics.state)?;
        Ok(Self {
            member,
            truncator,
            machine,
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
            joined_anew: Vec::new(),
            state_came: Instant::now(),
            unread: Unread::default(),
        })
    }

    /// Runs until it ends, and leaves the cluster.
    pub(crate) fn run(mut self) -> LaneEnd {
        let end = self.until_ended();
        self.prober.read_by(&self.tells, &[], &self.numbers);
        tracing::debug!(%end, "leaving the cluster");
        close((
            self.producer,
            self.reader,
            self.state,
            self.ends,
            self.truncator,
        ));
        end
    }

    fn until_ended(&mut self) -> LaneEnd {
        loop {
            let end = self.carry_commands().or_else(|| self.hear());
            if let Some(end) = end.or_else(|| self.poll()) {
                return end;
            }
            self.rebalance();
            if let Some(end) = self.look() {
                return end;
            }
            self.machine.handle(Input::Tick(self.monotonic.now_ms()));
        }
    }

    fn carry_commands(&mut self) -> Option<LaneEnd> {
        while let Some(command) = self.machine.next_command() {
            match command {
                Command::NewProducer => {
                    if let Some(end) = self.make_producer() {
                        return Some(end);
                    }
                }
                Command::Transact(transaction) => self.transact(&transaction),
                Command::ReadState(number) => {
                    failpoint::pass("restore_begun");
                    self.state_came = Instant::now();
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
                Command::Assign(from) if from.is_empty() => {
                    if let Err(error) = self.reader.assign(&from) {
                        return Some(LaneEnd::Broken(error.to_string()));
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
                Command::Rules(news) => self.machine.rules(news),
                Command::Truncate { partition, before } => {
                    failpoint::pass("truncating");
                    self.truncator.delete_before(partition, before);
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
                    match &input {
                        Input::Drain => failpoint::pass("drain_begun"),
                        Input::Probes(probes) => self.compare(probes),
                        _ => {}
                    }
                    self.machine.handle(input);
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
            self.machine.calling(true);
            let attempted = attempt(self);
            self.machine.calling(false);
            match attempted {
                Ok(done) => return Ok(done),
                Err(error) => {
                    if let Some(why) = forbidden(&error, &self.member.group_id) {
                        return Err(LaneEnd::Broken(why));
                    }
                    let error = self.member.context.describe(&error);
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
            self.machine.look(self.now());
        }
    }

    fn make_producer(&mut self) -> Option<LaneEnd> {
        // What it still had to say is void: the next one of its transactional id fences it.
        if let Some(last) = self.producer.take() {
            leave_behind(last);
        }
        let made = self.until_done("making a producer", |running| {
            Transactions::new(
                &producer_config(&running.member),
                running.member.context.clone(),
                Arc::clone(&running.clocks),
                running.monotonic,
                running.member.topics.clone(),
                running.member.transaction_timeout,
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
            let (places, start_at) = (running.machine.places(), running.member.start_at);
            running.ends.ask(|ends| {
                let finder = Finder {
                    reader: &running.reader,
                    clocks: &running.clocks,
                    monotonic: running.monotonic,
                    beginnings: Beginnings {
                        ends,
                        topics: &running.member.topics,
                        wait: PATIENCE,
                    },
                };
                match places {
                    None => finder.find(number, start_at),
                    Some(places) => finder.find_all(number, &places, start_at),
                }
            })
        });
        match found {
            Ok(start) => {
                let partition = number;
                self.machine.handle(Input::Start { partition, start });
                None
            }
            Err(end) => Some(end),
        }
    }

    fn transact(&mut self, transaction: &Transaction) {
        let began = Instant::now();
        let Some(producer) = &self.producer else {
            self.machine
                .handle(Input::Transaction(TxnOutcome::Indefinite));
            return;
        };
        self.machine.calling(true);
        let (outcome, learned) = producer.carry(transaction, self.group.as_ref());
        self.machine.calling(false);
        self.machine.transaction(outcome, began.elapsed());
        for &(decided_at, appended_at) in &learned.decided {
            self.machine.visible(decided_at, appended_at);
        }
        for (partition, offset) in learned.state {
            self.machine
                .handle(Input::StateWritten { partition, offset });
        }
        self.machine.handle(Input::Tick(self.monotonic.now_ms()));
        self.machine.handle(Input::Transaction(outcome));
    }

    fn poll(&mut self) -> Option<LaneEnd> {
        let round = Instant::now() + ROUND;
        let mut wait = FIRST_WAIT;
        if self.state.is_reading() {
            while let Some(input) = self.state.poll(wait) {
                if let Input::State {
                    partition, value, ..
                } = &input
                {
                    self.machine.restoring(*partition, value.len());
                }
                self.machine.handle(input);
                self.state_came = Instant::now();
                wait = Duration::ZERO;
                if self.state_came > round || !self.state.is_reading() {
                    break;
                }
            }
            wait = Duration::ZERO;
            if self.state_came.elapsed() > self.state_within() {
                return self.read_state_anew();
            }
        }
        for i in 0..RECORDS_PER_ROUND {
            match self.reader.poll(wait) {
                Polled::Record(record) => self.machine.handle(Input::Record(record)),
                Polled::OutOfRange => {
                    self.find_holes();
                    return None;
                }
                Polled::Fatal(error) => return self.join_anew(&error),
                Polled::Nothing => return None,
            }
            wait = Duration::ZERO;
            // Looking at the clock costs a tenth of a poll.
            if i % 64 == 63 && Instant::now() > round {
                return None;
            }
        }
        None
    }

    /// Retention took records that were not read.
    fn find_holes(&mut self) {
        let places: Vec<_> = self.reader.places().collect();
        match self.ends.ask(|ends| ends.firsts(&places, PATIENCE)) {
            Ok(firsts) => {
                for (source, partition, to) in self.reader.holes(&firsts) {
                    self.machine.hole(source, partition, to);
                    self.machine.handle(Input::Hole {
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
            self.unread.clear();
            let numbers = match event {
                Rebalanced::Assigned(numbers, group) => {
                    self.group = group.map(Arc::new);
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
            self.machine.rebalanced(&numbers);
            self.numbers.clone_from(&numbers);
            self.machine.handle(if numbers.is_empty() {
                Input::Revoked
            } else {
                Input::Assigned(numbers)
            });
        }
    }

    fn now(&self) -> Option<Timestamp> {
        self.clocks.about(self.monotonic.now_ms())
    }

    fn look(&mut self) -> Option<LaneEnd> {
        let now_ms = self.monotonic.now_ms();
        let partitions = self.reader.count() as u64;
        let every_ms = LOOK_EVERY_MS.max(LOOK_EVERY_MS * partitions / LOOK_PARTITIONS);
        if now_ms < self.looked_ms + every_ms {
            return None;
        }
        self.looked_ms = now_ms;
        if let Some(now) = self.now() {
            self.machine.handle(Input::BrokerTime(now));
        }
        for (source, partition, position) in self.reader.positions() {
            self.machine.handle(Input::Position {
                source,
                partition,
                position,
            });
        }
        self.machine.look(self.now());
        self.replace_deaf()
    }
}

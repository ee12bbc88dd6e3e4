//! A process with one lane, or one member of the watch: plays the shell.

use std::collections::BTreeMap;

use settlewatch_join::Timestamp;
use settlewatch_protocol::{
    BrokerClock, Command, Fault as LaneFault, Input, Lane, LaneConfig, Limits, SourceConfig,
    SourceId, StartPoint, Topic,
};

use super::carry::Carrying;
use super::cluster::{Place, Topics};
use super::consumer::Consumer;
use super::fault::Phase;
use super::host::ModelHost;
use super::kafka::{Kafka, Side};
use super::machine::Machine;
use super::mutation::Mutation;
use super::prober::Prober;
use super::transactions::Session;
use super::watching;

/// What a process is given.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) topics: Topics,
    /// Which inputs have their producers' timestamps.
    pub(super) create_time: Vec<bool>,
    pub(super) transaction_timeout_ms: i64,
    /// Whether members keep their names over restarts.
    pub(super) named: bool,
    /// Time between probes.
    pub(super) probe_every_ms: i64,
    /// What the process's wall clock shows beyond physical time.
    pub(super) wall_ahead_ms: i64,
    pub(super) begins: i64,
    pub(super) limits: Limits,
    /// Records that may wait for the other inputs.
    pub(super) waiting_records: usize,
    pub(super) watch: watching::Setup,
    pub(super) mutation: Option<Mutation>,
}

/// What one turn came to.
pub(super) enum Turn {
    /// The lane is there now.
    At(Phase),
    /// The process has ended by itself.
    Drained,
    /// A person is needed.
    Failed(LaneFault),
}

/// What is going to go wrong with a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doom {
    Abort,
    /// It is committed, but the answer is lost.
    Lost,
    /// The request arrives so much later.
    Late(i64),
    /// The request never arrives.
    Never,
}

/// A process.
pub(super) struct Member {
    pub(super) setup: Setup,
    /// Transactional id, and name in the group.
    pub(super) name: u32,
    /// Differs for every process that ever runs.
    pub(super) nonce: u64,
    pub(super) machine: Machine,
    booted: i64,
    pub(super) clocks: Vec<BrokerClock>,
    pub(super) consumer: Consumer,
    pub(super) prober: Prober,
    pub(super) session: Option<Session>,
    /// The last transaction ended with a time-out, not with a refusal.
    pub(super) timed_out: bool,
    making_producer: bool,
    pub(super) carrying: Option<Carrying>,
    /// Our claim, by partition number, as it was written.
    #[allow(clippy::type_complexity)] // Key and value of a record, by partition number.
    pub(super) claims: BTreeMap<i32, (Box<[u8]>, Box<[u8]>)>,
    /// Offsets of the inputs that were committed last.
    pub(super) sent: BTreeMap<(SourceId, i32), i64>,
    pub(super) doom: Option<Doom>,
}

impl Member {
    /// A process with a lane that starts now.
    pub(super) fn lane(
        setup: &Setup,
        host: ModelHost,
        (name, nonce): (u32, u64),
        now: i64,
    ) -> Self {
        let sources = (0..setup.topics.inputs).map(|rank| SourceConfig {
            rank: u8::try_from(rank).expect("few inputs"),
            log_append_time: !setup.create_time[rank],
        });
        let config = LaneConfig {
            rules: b"rules"[..].into(),
            numbers: setup.topics.numbers,
            sources: sources.collect(),
            waiting_records: setup.waiting_records,
            reload_limit: 1000,
            identity: b"model"[..].into(),
            nonce: nonce << 20,
        };
        let lane = Lane::new(config, host).with_limits(setup.limits);
        Self::start(setup, Machine::Lane(Box::new(lane)), (name, nonce), now)
    }

    /// A process that starts now.
    pub(super) fn start(
        setup: &Setup,
        machine: Machine,
        (name, nonce): (u32, u64),
        now: i64,
    ) -> Self {
        let consumer = Consumer::new(machine.side(), setup.named.then_some(name));
        Self {
            machine,
            name,
            nonce,
            booted: now,
            clocks: vec![BrokerClock::default(); 4],
            consumer,
            prober: Prober::default(),
            session: None,
            timed_out: false,
            making_producer: false,
            carrying: None,
            claims: BTreeMap::new(),
            sent: BTreeMap::new(),
            doom: None,
            setup: setup.clone(),
        }
    }

    pub(super) fn side(&self) -> Side {
        self.machine.side()
    }

    pub(super) fn mutated(&self, mutation: Mutation) -> bool {
        self.setup.mutation == Some(mutation) && mutation.side() == self.side()
    }

    /// Broken on purpose: claims are not written.
    pub(super) fn claims_nothing(&self) -> bool {
        self.mutated(Mutation::NoClaim) || self.mutated(Mutation::WatchNoClaim)
    }

    /// Where a source is read.
    pub(super) fn place(&self, source: SourceId, partition: i32) -> Place {
        let topics = self.setup.topics;
        match self.side() {
            Side::Lanes => topics.of_source(source, partition),
            Side::Watch => topics.of_watched(source, partition),
        }
    }

    /// Where an output goes.
    pub(super) fn output(&self, topic: Topic, partition: i32) -> Place {
        let topics = self.setup.topics;
        match (self.side(), topic) {
            (Side::Watch, Topic::State) => topics.watch_state(),
            _ => topics.of_output(topic, partition),
        }
    }

    /// Milliseconds of a clock that nobody sets.
    pub(super) fn monotonic(&self, now: i64) -> u64 {
        u64::try_from(now - self.booted).unwrap_or(0)
    }

    /// The process is told to stop.
    pub(super) fn drain(&mut self) {
        self.machine.handle(Input::Drain);
    }

    /// The next thing that its thread does.
    pub(super) fn turn(&mut self, kafka: &mut Kafka) -> Turn {
        if let Some(carrying) = self.carrying.take() {
            return Turn::At(self.carry(carrying, kafka));
        }
        if self.making_producer {
            return Turn::At(self.make_producer(kafka));
        }
        let next = self.machine.next_command();
        match next {
            Some(command) => self.obey(command, kafka),
            None => Turn::At(self.poll(kafka)),
        }
    }

    fn obey(&mut self, command: Command, kafka: &mut Kafka) -> Turn {
        Turn::At(match command {
            Command::NewProducer => {
                if self.mutated(Mutation::ProducerReused) && self.timed_out {
                    return Turn::At(Phase::ProducerMade);
                }
                self.session = None;
                self.making_producer = true;
                self.make_producer(kafka)
            }
            Command::Transact(transaction) => self.begin(transaction, kafka),
            Command::ReadState(number) => {
                self.begin_restore(number, kafka);
                Phase::RestoreBegun
            }
            Command::StateRead(number) => {
                self.consumer.state.remove(&number);
                Phase::RestoreRead
            }
            Command::FindStart(number) => {
                self.find_start(number, kafka);
                Phase::Begun
            }
            Command::Assign(from) => {
                self.assign(from, kafka);
                Phase::Assigned
            }
            Command::Truncate { partition, before } => {
                let place = self.output(Topic::State, partition);
                if kafka.rng.chance(80) {
                    let log = kafka.cluster.log_mut(place);
                    log.start = log.start.max(before.min(log.high));
                }
                Phase::Truncated
            }
            Command::Pause(places) => {
                self.consumer.paused.extend(places);
                Phase::Running
            }
            Command::Resume(places) => {
                self.consumer.paused.retain(|place| !places.contains(place));
                Phase::Running
            }
            Command::Rules(_) => Phase::Running,
            Command::Drained => {
                self.consumer.leave(kafka);
                return Turn::Drained;
            }
            Command::Fail(fault) => return Turn::Failed(fault),
        })
    }

    fn make_producer(&mut self, kafka: &mut Kafka) -> Phase {
        let timeout = self.setup.transaction_timeout_ms;
        let now = kafka.now();
        let transactions = &mut kafka.of[self.side()].transactions;
        let begun = transactions.begin_session(self.name, timeout, now, &mut kafka.rng);
        if let Ok(session) = begun {
            self.session = Some(session);
            self.making_producer = false;
        }
        Phase::ProducerMade
    }

    fn find_start(&mut self, number: i32, kafka: &mut Kafka) {
        let places: Vec<(SourceId, i32)> = match &self.machine {
            Machine::Lane(_) => {
                let sources = 0..=u8::try_from(self.setup.topics.inputs).expect("few inputs");
                sources.map(|source| (SourceId(source), number)).collect()
            }
            Machine::Watch(watcher) => watcher.config().places().collect(),
        };
        let first = |&(source, partition): &(SourceId, i32)| {
            kafka.cluster.log(self.place(source, partition)).start
        };
        let of_group = match self.side() {
            // Nobody but us writes the pairs.
            Side::Lanes => &places[..places.len() - 1],
            Side::Watch => &places[..],
        };
        let group = &kafka.of[self.side()].group;
        let start = StartPoint {
            positions: places.iter().map(first).collect(),
            knows_since: Timestamp::from_millis(self.setup.begins),
            group_has_offsets: of_group
                .iter()
                .any(|&(source, partition)| group.offset(source, partition).is_some()),
        };
        self.machine.handle(Input::Start {
            partition: number,
            start,
        });
    }

    /// Between transactions: the group, the state, the inputs, the ends, the time.
    fn poll(&mut self, kafka: &mut Kafka) -> Phase {
        if !self.rebalance(kafka) {
            self.read_state(kafka);
            for probes in self.prober.answered(kafka.now()) {
                self.machine.handle(Input::Probes(probes));
            }
            self.read_inputs(kafka);
            self.look(kafka);
        }
        self.machine
            .handle(Input::Tick(self.monotonic(kafka.now())));
        match self.machine.phase() {
            "restoring" | "claiming" => Phase::Restoring,
            "catching up" => Phase::CatchingUp,
            "running" => Phase::Running,
            _ => Phase::Idle,
        }
    }
}

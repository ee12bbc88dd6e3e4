//! The watch as one active member: it reads every pulse, judges second after second, and writes what changed.
//!
//! Leadership is the assignment of the one partition of the watch's state topic. Whoever has it claims and restores as a
//! lane does; a step is a second that was judged. A second is judged when every pulse partition is known to its end, or
//! nothing came of one for five seconds: then we are blind there, and say so. That a partition was blind, and how far
//! an auxiliary topic was known, is part of the step: a restart judges the same second from the same records again, and
//! writes nothing of it.

mod core;
mod feed;
mod judging;
mod layout;
mod ledge;
mod pulses;
mod seconds;
mod step;
mod work;

#[cfg(test)]
mod tests;

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use settlewatch_join::Timestamp;

use crate::assembly::{Assembly, Ready};
use crate::io::{
    Command, Fault, Input, Produce, RawRecord, SourceId, StartPoint, Transaction, TxnOutcome,
};
use crate::limits::Limits;
use crate::restore::Restorer;
use crate::snapshots::Snapshots;
use crate::step::claim;

pub use self::core::{Core, Heard, Said, Second};

use layout::{Layout, Unpacked, unpack};
use ledge::Ledge;
use step::WatchStep;

/// Between two ticks the shell reads. Where they lie further apart, in milliseconds, it was busy, or stood still.
const BUSY_MS: u64 = 1000;

/// An auxiliary topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedConfig {
    /// Which topic it is: one that was made anew is another one.
    pub identity: Arc<[u8]>,
    /// Rank of its stream.
    pub rank: u8,
    /// How many partitions it has.
    pub partitions: i32,
    /// Whether its timestamps are the broker's.
    pub log_append_time: bool,
}

/// What the watcher is told once.
#[derive(Clone, Debug)]
pub struct WatcherConfig {
    /// The rules of this process, as text that [`Core::restore`] understands.
    pub rules: Arc<[u8]>,
    /// How many partitions the pulse topic has: source 0.
    pub numbers: i32,
    /// The auxiliary topics: sources 1, 2, …; the state topic comes after the last.
    pub feeds: Vec<FeedConfig>,
    /// Records of one partition that may wait before it stands aside.
    pub waiting_records: usize,
    /// Whose state it is: cluster, pulse topic, group. State of another identity is refused.
    pub identity: Arc<[u8]>,
    /// Differs for every watcher that ever runs.
    pub nonce: u64,
}

impl WatcherConfig {
    /// The state topic, as a source: an offset of it is sent with a claim.
    pub fn state(&self) -> SourceId {
        SourceId(self.feeds.len() as u8 + 1)
    }

    /// Every partition that is read, in the order of [`StartPoint::positions`].
    pub fn places(&self) -> impl Iterator<Item = (SourceId, i32)> + '_ {
        let pulses = (0..self.numbers).map(|number| (SourceId(0), number));
        let feeds = self.feeds.iter().zip(1..);
        let feeds = feeds.flat_map(|(feed, source)| {
            (0..feed.partitions).map(move |partition| (SourceId(source), partition))
        });
        pulses.chain(feeds)
    }
}

/// The only partition of the state topic, and of what is written.
pub(crate) const PARTITION: i32 = 0;

enum Phase<P> {
    /// Somebody else is active.
    Waiting,
    /// The claim is being committed.
    Claiming,
    /// The state topic is read until our own claim appears.
    Restoring(Assembly<WatchStep>),
    /// Seconds are judged.
    Running(Ledge<P>),
    /// A person is needed.
    Failed,
}

/// One member of the watch's group.
pub struct Watcher<C: Core> {
    config: WatcherConfig,
    limits: Limits,
    core: C,
    phase: Phase<C::Pulse>,
    assigned: bool,
    token: u64,
    snapshots: Snapshots<WatchStep>,
    commands: VecDeque<Command>,
    in_flight: Option<Transaction>,
    /// The shell's clock, without the time in which it did not read: what did not come meanwhile is not silent.
    now_ms: u64,
    /// The shell's clock.
    ticked_ms: u64,
    /// Broker time, about.
    broker: Option<Timestamp>,
    draining: bool,
    /// A person asked for the rules of this process.
    asked: bool,
    /// There was no state, though the group has offsets: looked at twice, since the group may have moved on.
    doubts_state: bool,
}

impl<C: Core> Watcher<C> {
    /// A watcher without an assignment; its first command is to make a producer.
    pub fn new(config: WatcherConfig, core: C) -> Self {
        let limits = Limits::of_watch();
        Self {
            token: config.nonce,
            config,
            limits,
            core,
            phase: Phase::Waiting,
            assigned: false,
            snapshots: Snapshots::new(limits, None),
            commands: [Command::NewProducer].into(),
            in_flight: None,
            now_ms: 0,
            ticked_ms: 0,
            broker: None,
            draining: false,
            asked: false,
            doubts_state: false,
        }
    }

    /// The same watcher with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What is to be done next.
    pub fn next_command(&mut self) -> Option<Command> {
        self.commands.pop_front()
    }

    /// Whoever judges.
    pub fn core(&self) -> &C {
        &self.core
    }

    /// What it was told.
    pub fn config(&self) -> &WatcherConfig {
        &self.config
    }

    /// What the watcher does, for people.
    pub fn phase(&self) -> &'static str {
        match &self.phase {
            Phase::Waiting => "waiting",
            Phase::Claiming => "claiming",
            Phase::Restoring(_) => "restoring",
            Phase::Running(ledge) if ledge.is_catching_up() => "catching up",
            Phase::Running(_) => "running",
            Phase::Failed => "failed",
        }
    }

    /// Whether it judges, and has caught up with what was judged before.
    pub fn is_active(&self) -> bool {
        matches!(&self.phase, Phase::Running(ledge) if !ledge.is_catching_up())
    }

    /// The last second that was judged.
    pub fn second(&self) -> Option<i64> {
        match &self.phase {
            Phase::Running(ledge) => ledge.second(),
            _ => None,
        }
    }

    /// How many pulse partitions were not known to the end of the last second.
    pub fn blind(&self) -> usize {
        match &self.phase {
            Phase::Running(ledge) => ledge.blind(),
            _ => 0,
        }
    }

    /// Takes what happened in.
    pub fn handle(&mut self, input: Input) {
        match input {
            Input::Tick(now_ms) => {
                let passed_ms = now_ms.saturating_sub(self.ticked_ms);
                self.ticked_ms = self.ticked_ms.max(now_ms);
                self.now_ms += passed_ms.min(BUSY_MS);
                self.work();
            }
            Input::BrokerTime(now) => self.broker = Some(now),
            Input::Assigned(numbers) => self.assigned(numbers.contains(&PARTITION)),
            Input::Revoked => self.assigned(false),
            Input::State {
                offset, key, value, ..
            } => self.state(offset, &key, &value),
            Input::Start { start, .. } => self.start(&start),
            Input::Record(record) => self.record(record),
            Input::Position {
                source,
                partition,
                position,
            } => {
                let now_ms = self.now_ms;
                self.with_ledge(|ledge| ledge.reached((source, partition), position, now_ms));
            }
            Input::Probes(probes) => {
                let now_ms = self.now_ms;
                self.with_ledge(|ledge| ledge.probes(probes, now_ms));
            }
            Input::Hole {
                source,
                partition,
                to,
            } => self.hole(source, partition, to),
            Input::StateWritten { offset, .. } => self.snapshots.written(offset),
            Input::Transaction(outcome) => self.ended(outcome),
            Input::Reload { rules, .. } => {
                self.config.rules = rules;
                self.asked = true;
            }
            Input::Drain => self.drain(),
        }
    }

    fn with_ledge(&mut self, act: impl FnOnce(&mut Ledge<C::Pulse>)) {
        // Whatever still comes of an assignment that is void is not read from where the state says.
        if let Phase::Running(ledge) = &mut self.phase {
            act(ledge);
        }
    }

    fn record(&mut self, record: RawRecord) {
        let Phase::Running(ledge) = &mut self.phase else {
            return;
        };
        if record.source == SourceId(0) {
            let value = record.value.as_deref();
            let heard = self.core.read(record.partition, value).ok();
            ledge.pulse(&record, heard, self.now_ms);
        } else {
            ledge.feed(record, self.now_ms);
        }
    }

    fn hole(&mut self, source: SourceId, partition: i32, to: i64) {
        let mut needed = false;
        let now_ms = self.now_ms;
        self.with_ledge(|ledge| {
            needed = ledge.needs_before((source, partition), to);
            ledge.reached((source, partition), to, now_ms);
        });
        if needed {
            self.fail(Fault::WatchInputsGone {
                source,
                partition,
                left: to,
            });
        }
    }

    fn drain(&mut self) {
        self.draining = true;
        // Whoever takes over restores what was committed.
        if !self.is_active() || self.second().is_none() {
            self.commands.push_back(Command::Drained);
        }
    }

    fn fail(&mut self, fault: Fault) {
        self.phase = Phase::Failed;
        self.commands.push_back(Command::Fail(fault));
    }

    fn broken(&mut self, detail: String) {
        self.fail(Fault::WatchBroken { detail });
    }

    /// A new assignment voids everything: what was in memory may be behind what others have committed.
    fn assigned(&mut self, assigned: bool) {
        self.assigned = assigned;
        self.in_flight = None;
        self.doubts_state = false;
        self.phase = Phase::Waiting;
        self.commands
            .retain(|command| matches!(command, Command::NewProducer | Command::Rules(_)));
        self.commands.push_back(Command::Assign(Vec::new()));
        if self.draining {
            self.commands.push_back(Command::Drained);
        } else if assigned {
            self.claim();
        }
    }

    fn claim(&mut self) {
        self.token = self.token.wrapping_add(1);
        self.phase = Phase::Claiming;
        // There is nothing to commit yet, but an empty list of offsets would check nothing.
        let offsets = [(self.config.state(), PARTITION, 0)];
        self.transact([claim(PARTITION, self.token)].into(), offsets.into());
    }

    /// What is read next of everything. The group's offsets are for displays of lag.
    fn offsets(&self) -> Vec<(SourceId, i32, i64)> {
        let state = [(self.config.state(), PARTITION, 0)];
        let Phase::Running(ledge) = &self.phase else {
            return state.into();
        };
        let places = self.config.places().zip(ledge.positions());
        let places = places.map(|((source, partition), at)| (source, partition, at));
        places.chain(state).collect()
    }

    fn transact(&mut self, records: Vec<Produce>, offsets: Vec<(SourceId, i32, i64)>) {
        let transaction = Transaction::of(records, offsets);
        self.in_flight = Some(transaction.clone());
        self.commands.push_back(Command::Transact(transaction));
    }

    fn ended(&mut self, outcome: TxnOutcome) {
        let Some(transaction) = self.in_flight.take() else {
            return;
        };
        match outcome {
            TxnOutcome::Committed => self.committed(),
            TxnOutcome::Aborted => {
                self.in_flight = Some(transaction.clone());
                self.commands.push_back(Command::Transact(transaction));
            }
            TxnOutcome::NotOurs => self.assigned(false),
            TxnOutcome::Indefinite => {
                self.assigned(self.assigned);
                self.commands.push_front(Command::NewProducer);
            }
        }
    }

    fn committed(&mut self) {
        if matches!(self.phase, Phase::Claiming) {
            self.phase = Phase::Restoring(Assembly::default());
            self.commands.push_back(Command::ReadState(PARTITION));
            return;
        }
        if let Some(before) = self.snapshots.committed() {
            let partition = PARTITION;
            self.commands
                .push_back(Command::Truncate { partition, before });
        }
        if self.draining && self.snapshots.is_idle() {
            self.commands.push_back(Command::Drained);
        }
    }

    fn state(&mut self, offset: i64, key: &[u8], value: &[u8]) {
        let Phase::Restoring(assembly) = &mut self.phase else {
            return;
        };
        match assembly.push(offset, key, value, self.token) {
            Ready::More => {}
            Ready::Broken(detail) => self.broken(detail),
            Ready::Nothing => {
                self.commands.push_back(Command::StateRead(PARTITION));
                self.commands.push_back(Command::FindStart(PARTITION));
            }
            Ready::Whole(restorer) => {
                self.commands.push_back(Command::StateRead(PARTITION));
                match self.restored(*restorer) {
                    Ok((ledge, begins_at)) => self.begin(ledge, Some(begins_at)),
                    Err(detail) => self.broken(detail),
                }
            }
        }
    }

    fn restored(
        &mut self,
        restorer: Restorer<WatchStep>,
    ) -> Result<(Ledge<C::Pulse>, i64), String> {
        let snapshot = restorer.snapshot.ok_or("there is no snapshot")?;
        let identity = &snapshot.manifest.identity;
        if *identity != self.config.identity {
            return Err(crate::assembly::foreign(identity, &self.config.identity));
        }
        let Unpacked { rules, core, feeds } = unpack(&snapshot.chunks)?;
        self.core.restore(&rules.text, &core)?;
        let layout = Layout::of(&feeds, &self.config.feeds);
        let mut manifest = snapshot.manifest;
        layout.lay_out(&mut manifest)?;
        let steps = restorer.steps.into_iter().map(|step| layout.laid_out(step));
        let mut ledge = Ledge::restored(&self.config, &manifest, rules, self.now_ms)?;
        ledge.apply_again(steps.collect());
        Ok((ledge, snapshot.begins_at))
    }

    fn start(&mut self, start: &StartPoint) {
        if start.group_has_offsets && !self.doubts_state {
            // Or somebody else has begun, and the group has moved on: then the next claim fails.
            self.assigned(self.assigned);
            self.doubts_state = true;
        } else if start.group_has_offsets {
            self.fail(Fault::WatchLost);
        } else if matches!(self.phase, Phase::Restoring(_)) {
            let rules = Arc::clone(&self.config.rules);
            match self.core.begin(&rules) {
                Ok(()) => {
                    let ledge = Ledge::fresh(&self.config, start, self.now_ms);
                    self.begin(ledge, None);
                }
                Err(detail) => self.broken(detail),
            }
        }
    }

    fn begin(&mut self, ledge: Ledge<C::Pulse>, snapshot_at: Option<i64>) {
        let positions = ledge.positions();
        let places = self.config.places().zip(positions);
        let places = places.map(|((source, partition), at)| (source, partition, at));
        let assign = Command::Assign(places.collect());
        self.snapshots = Snapshots::new(self.limits, snapshot_at);
        self.phase = Phase::Running(ledge);
        self.commands.push_back(assign);
    }
}

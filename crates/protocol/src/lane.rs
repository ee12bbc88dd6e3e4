//! A lane: the partition numbers of one member of the group, its one producer, and its transactions.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;

use settlewatch_join::Settings;

use crate::assembly::{Assembly, Ready, fresh, restored};
use crate::io::{
    Codec, Command, Fault, Input, Produce, RawRecord, SourceId, StartPoint, Topic, Transaction,
    TxnOutcome, TxnStep,
};
use crate::output::Turn;
use crate::post::{Letter, envelope};
use crate::snapshots::Snapshots;
use crate::source::SourceConfig;
use crate::step::{StateRecord, size};
use crate::task::Task;

/// What a lane is told once.
#[derive(Clone, Debug)]
pub struct LaneConfig {
    /// What the decision depends on.
    pub settings: Arc<Settings>,
    /// How many partition numbers there are.
    pub numbers: i32,
    /// The inputs that are keyed by payment, in the order of their ranks.
    pub sources: Vec<SourceConfig>,
    /// Records that may wait for known time before reading stops.
    pub waiting_records: usize,
    /// Differs for every lane that ever runs: it makes claims unique.
    pub nonce: u64,
}

/// Shortest time between transactions that have something to say, in milliseconds.
const COMMIT_APART_MS: u64 = 20;

/// Longest time without a step, in milliseconds.
const STEP_AT_LEAST_MS: u64 = 1000;

/// A transaction takes no further step when it holds so many bytes.
const TRANSACTION_BYTES: usize = 8 << 20;

enum Phase {
    /// Nothing is assigned.
    Idle,
    /// The claims are being committed.
    Claiming,
    /// The state topic is read until our own claim appears.
    Restoring(BTreeMap<i32, Assembly>),
    /// Inputs are read and decided.
    Running,
    /// A person is needed.
    Failed,
}

/// One member of the group.
pub struct Lane<C> {
    config: LaneConfig,
    codec: C,
    phase: Phase,
    assigned: Vec<i32>,
    token: u64,
    tasks: BTreeMap<i32, Task>,
    snapshots: BTreeMap<i32, Snapshots>,
    commands: VecDeque<Command>,
    in_flight: Option<Transaction>,
    now_ms: u64,
    committed_ms: u64,
    stepped_ms: BTreeMap<i32, u64>,
    draining: bool,
}

impl<C: Codec> Lane<C> {
    /// A lane without an assignment; its first command is to make a producer.
    pub fn new(config: LaneConfig, codec: C) -> Self {
        Self {
            token: config.nonce,
            config,
            codec,
            phase: Phase::Idle,
            assigned: Vec::new(),
            tasks: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            commands: [Command::NewProducer].into(),
            in_flight: None,
            now_ms: 0,
            committed_ms: 0,
            stepped_ms: BTreeMap::new(),
            draining: false,
        }
    }

    /// What is to be done next.
    pub fn next_command(&mut self) -> Option<Command> {
        self.commands.pop_front()
    }

    /// Whether reading must wait: too many records wait for known time.
    pub fn is_full(&self) -> bool {
        let waiting: usize = self.tasks.values().map(Task::waiting).sum();
        waiting >= self.config.waiting_records
    }

    /// Whether everything assigned is restored and caught up with what it had decided.
    pub fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Running) && !self.tasks.values().any(Task::is_catching_up)
    }

    /// When the next deadline may pass, of all partition numbers: a probe is worth sending then.
    pub fn next_decision(&self) -> Option<settlewatch_join::Timestamp> {
        self.tasks
            .values()
            .filter_map(|task| task.partition.next_decision())
            .min()
    }

    /// Takes what happened in.
    pub fn handle(&mut self, input: Input) {
        match input {
            Input::Tick(now_ms) => self.now_ms = self.now_ms.max(now_ms),
            Input::Assigned(numbers) => self.assigned(numbers),
            Input::Revoked => self.assigned(Vec::new()),
            Input::State {
                partition,
                offset,
                key,
                value,
            } => {
                self.state(partition, offset, &key, &value);
            }
            Input::Start { partition, start } => self.start(partition, &start),
            Input::Record(record) => self.read(record),
            Input::Position {
                source,
                partition,
                position,
            } => {
                self.with_task(partition, |task| task.reached(source, position));
            }
            Input::Probes(probes) => {
                for probe in probes {
                    self.with_task(probe.partition, |task| task.probe(probe));
                }
            }
            Input::Hole {
                source,
                partition,
                to,
            } => self.hole(source, partition, to),
            Input::StateWritten { partition, offset } => {
                if let Some(snapshots) = self.snapshots.get_mut(&partition) {
                    snapshots.written(offset);
                }
            }
            Input::Transaction(outcome) => self.ended(outcome),
            Input::Drain => self.draining = true,
        }
        self.work();
    }

    fn with_task(&mut self, number: i32, act: impl FnOnce(&mut Task)) {
        if let Some(task) = self.tasks.get_mut(&number) {
            act(task);
        }
    }

    fn read(&mut self, record: RawRecord) {
        self.with_task(record.partition, |task| task.read(record));
    }

    fn hole(&mut self, source: SourceId, partition: i32, to: i64) {
        let kept = self
            .tasks
            .get_mut(&partition)
            .is_none_or(|task| task.lost(source, to));
        if !kept {
            self.fail(Fault::InputsGone {
                source,
                partition,
                left: to,
            });
        }
    }

    fn fail(&mut self, fault: Fault) {
        self.phase = Phase::Failed;
        self.tasks.clear();
        self.commands.push_back(Command::Fail(fault));
    }

    /// A new assignment voids everything: what was in memory may be behind what others have committed.
    fn assigned(&mut self, numbers: Vec<i32>) {
        self.assigned = numbers;
        self.tasks.clear();
        self.snapshots.clear();
        self.stepped_ms.clear();
        self.in_flight = None;
        self.phase = Phase::Idle;
        if !self.assigned.is_empty() {
            self.claim();
        }
    }

    /// Claims what is assigned. The offsets make the coordinator check that it is.
    fn claim(&mut self) {
        self.token = self.token.wrapping_add(1);
        self.phase = Phase::Claiming;
        let claim = StateRecord::Claim { token: self.token };
        let records = self
            .assigned
            .iter()
            .map(|&number| claim.produce(number))
            .collect();
        self.transact(records, Vec::new());
    }

    fn transact(&mut self, records: Vec<Produce>, offsets: Vec<(SourceId, i32, i64)>) {
        let transaction = Transaction {
            steps: [
                TxnStep::Begin,
                TxnStep::Produce(records),
                TxnStep::Drain,
                TxnStep::SendOffsets(offsets),
                TxnStep::Commit,
            ]
            .into(),
        };
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
            TxnOutcome::NotOurs => self.assigned(Vec::new()),
            TxnOutcome::Indefinite => {
                self.commands.push_back(Command::NewProducer);
                let numbers = core::mem::take(&mut self.assigned);
                self.assigned(numbers);
            }
        }
    }

    fn committed(&mut self) {
        self.committed_ms = self.now_ms;
        if matches!(self.phase, Phase::Claiming) {
            let assemblies = self
                .assigned
                .iter()
                .map(|&number| (number, Assembly::default()));
            self.phase = Phase::Restoring(assemblies.collect());
            self.commands.extend(
                self.assigned
                    .iter()
                    .map(|&number| Command::ReadState(number)),
            );
            return;
        }
        for (&partition, snapshots) in &mut self.snapshots {
            if let Some(before) = snapshots.committed() {
                self.commands
                    .push_back(Command::Truncate { partition, before });
            }
        }
        if self.draining && self.snapshots.values().all(Snapshots::is_idle) {
            self.commands.push_back(Command::Drained);
        }
    }

    fn state(&mut self, number: i32, offset: i64, key: &[u8], value: &[u8]) {
        let Phase::Restoring(assemblies) = &mut self.phase else {
            return;
        };
        let Some(assembly) = assemblies.get_mut(&number) else {
            return;
        };
        let ready = assembly.push(offset, key, value, self.token);
        match ready {
            Ready::More => {}
            Ready::Broken(detail) => self.fail(Fault::StateBroken {
                partition: number,
                detail,
            }),
            Ready::Nothing => {
                self.commands.push_back(Command::StateRead(number));
                self.commands.push_back(Command::FindStart(number));
            }
            Ready::Whole(restorer) => {
                self.commands.push_back(Command::StateRead(number));
                match restored(&self.config, number, *restorer) {
                    Ok((task, begins_at)) => self.begin(number, task, Some(begins_at)),
                    Err(detail) => self.fail(Fault::StateBroken {
                        partition: number,
                        detail,
                    }),
                }
            }
        }
    }

    fn start(&mut self, number: i32, start: &StartPoint) {
        if start.group_has_offsets {
            self.fail(Fault::StateLost { partition: number });
        } else if matches!(self.phase, Phase::Restoring(_)) {
            let task = fresh(&self.config, number, start);
            self.begin(number, task, None);
        }
    }

    fn begin(&mut self, number: i32, task: Task, snapshot_at: Option<i64>) {
        self.tasks.insert(number, task);
        self.snapshots.insert(number, Snapshots::new(snapshot_at));
        let Phase::Restoring(assemblies) = &mut self.phase else {
            return;
        };
        assemblies.remove(&number);
        if !assemblies.is_empty() {
            return;
        }
        self.phase = Phase::Running;
        let positions = self.tasks.values().flat_map(|task| {
            let sources = task.positions().into_iter().zip(0..);
            sources.map(|(position, source)| (SourceId(source), task.number, position))
        });
        self.commands
            .push_back(Command::Assign(positions.collect()));
    }

    /// Applies again what was committed, and steps what is due.
    fn work(&mut self) {
        if !matches!(self.phase, Phase::Running) {
            return;
        }
        for task in self.tasks.values_mut() {
            if task.catch_up(&self.codec).is_err() {
                let partition = task.number;
                let detail = "a record of the pairs topic is malformed".into();
                self.fail(Fault::StateBroken { partition, detail });
                return;
            }
        }
        if self.in_flight.is_none() {
            self.step();
        }
    }

    fn is_due(&self, number: i32, task: &Task) -> bool {
        let snapshots = self.snapshots.get(&number);
        let wants = snapshots.is_some_and(|snapshots| snapshots.wants(task, self.draining));
        let last = self.stepped_ms.get(&number).copied();
        !task.is_catching_up()
            && (task.has_work()
                || wants
                || last.is_none_or(|last| self.now_ms >= last + STEP_AT_LEAST_MS))
    }

    /// One transaction over every partition number that is due.
    fn step(&mut self) {
        let due = |lane: &Self| -> Vec<i32> {
            let tasks = lane
                .tasks
                .iter()
                .filter(|&(&number, task)| lane.is_due(number, task));
            tasks.map(|(&number, _)| number).collect()
        };
        if self.now_ms < self.committed_ms + COMMIT_APART_MS {
            return;
        }
        let numbers = due(self);
        let mut records = Vec::new();
        let mut offsets = Vec::new();
        let mut letters: BTreeMap<
            i32,
            Vec<(
                i32,
                settlewatch_join::Timestamp,
                Option<settlewatch_join::snapshot::Parcel>,
            )>,
        > = BTreeMap::new();
        let mut bytes = 0;
        for number in numbers {
            if bytes >= TRANSACTION_BYTES {
                break;
            }
            let Some(turn) = self.step_one(number, &mut records, &mut offsets) else {
                return;
            };
            bytes = records.iter().map(size).sum();
            let known = self.tasks.get(&number).map(Task::known).unwrap_or_default();
            let mut parcels = turn.parcels;
            for target in 0..self.config.numbers {
                letters
                    .entry(target)
                    .or_default()
                    .push((number, known, parcels.remove(&target)));
            }
        }
        if records.is_empty() {
            return;
        }
        records.extend(
            letters
                .into_iter()
                .map(|(target, letters)| post_record(target, &letters)),
        );
        self.transact(records, offsets);
    }

    fn step_one(
        &mut self,
        number: i32,
        records: &mut Vec<Produce>,
        offsets: &mut Vec<(SourceId, i32, i64)>,
    ) -> Option<Turn> {
        let task = self.tasks.get_mut(&number)?;
        let mut turn = Turn::default();
        let Ok(step) = task.turn(&self.codec, &mut turn) else {
            let detail = "a record of the pairs topic is malformed".into();
            self.fail(Fault::StateBroken {
                partition: number,
                detail,
            });
            return None;
        };
        self.stepped_ms.insert(number, self.now_ms);
        records.append(&mut turn.records);
        let sources = step.positions.iter().zip(0..);
        offsets.extend(sources.map(|(&position, source)| (SourceId(source), number, position)));
        records.push(StateRecord::Step(step.clone()).produce(number));
        if let Some(snapshots) = self.snapshots.get_mut(&number) {
            snapshots.step(task, &step, self.draining, records);
        }
        Some(turn)
    }
}

type OwnedLetter = (
    i32,
    settlewatch_join::Timestamp,
    Option<settlewatch_join::snapshot::Parcel>,
);

fn post_record(target: i32, letters: &[OwnedLetter]) -> Produce {
    let letters: Vec<Letter<'_>> = letters
        .iter()
        .map(|(from, known, parcel)| Letter {
            from: *from,
            known: *known,
            parcel: parcel.as_ref(),
        })
        .collect();
    let value: Box<[u8]> = envelope(&letters);
    Produce {
        topic: Topic::Pairs,
        partition: target,
        key: None,
        value: Some(value),
        headers: Vec::new(),
    }
}

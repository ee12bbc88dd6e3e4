//! A lane: the partition numbers of one member of the group, its one producer, and its transactions.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;

use settlewatch_join::{Partition, Timestamp};

use crate::assembly::{Assembly, Ready, fresh, restored};
use crate::commit::Outbox;
use crate::io::{
    Command, Fault, Host, Input, Produce, SourceId, StartPoint, Transaction, TxnOutcome,
};
use crate::limits::Limits;
use crate::snapshots::Snapshots;
use crate::source::SourceConfig;
use crate::step::claim;
use crate::task::Task;

/// What a lane is told once.
#[derive(Clone, Debug)]
pub struct LaneConfig {
    /// The rules of this process, as text that [`Host::settings`] understands.
    pub rules: Arc<[u8]>,
    /// How many partition numbers there are.
    pub numbers: i32,
    /// The inputs that are keyed by payment, in the order of their ranks.
    pub sources: Vec<SourceConfig>,
    /// Records that may wait for known time before the inputs that are ahead stand aside.
    pub waiting_records: usize,
    /// Alerts that a change of rules may raise at once in this lane.
    pub reload_limit: u64,
    /// Whose state it is: cluster, topics, group. State of another identity is refused.
    pub identity: Arc<[u8]>,
    /// Differs for every lane that ever runs: it makes claims unique.
    pub nonce: u64,
}

pub(crate) enum Phase {
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
pub struct Lane<H> {
    pub(crate) config: LaneConfig,
    pub(crate) limits: Limits,
    pub(crate) host: H,
    pub(crate) phase: Phase,
    pub(crate) assigned: Vec<i32>,
    pub(crate) token: u64,
    pub(crate) tasks: BTreeMap<i32, Task>,
    pub(crate) snapshots: BTreeMap<i32, Snapshots>,
    pub(crate) commands: VecDeque<Command>,
    pub(crate) in_flight: Option<Transaction>,
    pub(crate) now_ms: u64,
    pub(crate) committed_ms: u64,
    pub(crate) stepped_ms: BTreeMap<i32, u64>,
    pub(crate) draining: bool,
    /// The rules of this process have to be held against those of the partition numbers: whether a person asked,
    /// and whether the limit is waived.
    pub(crate) rules_to_check: Option<(bool, bool)>,
    pub(crate) outbox: Outbox,
    /// There was no state, though the group has offsets: looked at twice, since the group may have moved on.
    doubts_state: bool,
}

impl<H: Host> Lane<H> {
    /// A lane without an assignment; its first command is to make a producer.
    pub fn new(config: LaneConfig, host: H) -> Self {
        Self {
            token: config.nonce,
            config,
            limits: Limits::default(),
            host,
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
            rules_to_check: None,
            outbox: Outbox::default(),
            doubts_state: false,
        }
    }

    /// The same lane with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What is to be done next.
    pub fn next_command(&mut self) -> Option<Command> {
        self.commands.pop_front()
    }

    /// The host.
    pub fn host(&self) -> &H {
        &self.host
    }

    /// Records that were read and wait for known time.
    pub fn waiting(&self) -> usize {
        self.tasks.values().map(Task::waiting).sum()
    }

    /// What a partition number holds, and up to when it is decided; `None` where it is not ours, or not restored.
    pub fn partition(&self, number: i32) -> Option<&Partition> {
        self.tasks.get(&number).map(|task| &task.partition)
    }

    /// Up to when every input has been read, by partition number, for displays; nothing of a number that is not
    /// restored.
    pub fn known_times(&self) -> impl Iterator<Item = (SourceId, i32, Timestamp)> {
        self.tasks.values().flat_map(Task::known_times)
    }

    /// What the lane does, for people.
    pub fn phase(&self) -> &'static str {
        match &self.phase {
            Phase::Idle => "idle",
            Phase::Claiming => "claiming",
            Phase::Restoring(_) => "restoring",
            Phase::Running if !self.is_ready() => "catching up",
            Phase::Running => "running",
            Phase::Failed => "failed",
        }
    }

    /// Partition numbers that are assigned.
    pub fn assigned_numbers(&self) -> &[i32] {
        &self.assigned
    }

    /// Whether everything assigned is restored and caught up with what it had decided.
    pub fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Running) && !self.tasks.values().any(Task::is_catching_up)
    }

    /// When the next deadline may pass, of all partition numbers: a probe is worth sending then.
    pub fn next_decision(&self) -> Option<Timestamp> {
        self.tasks
            .values()
            .filter_map(|task| task.partition.next_decision())
            .min()
    }

    /// Takes what happened in.
    pub fn handle(&mut self, input: Input) {
        match input {
            Input::Tick(now_ms) => {
                self.now_ms = self.now_ms.max(now_ms);
                self.work();
            }
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
            // Whatever still comes of an assignment that is void is not read from where the state says.
            Input::Record(_) | Input::Position { .. } | Input::Probes(_) | Input::Hole { .. }
                if !matches!(self.phase, Phase::Running) => {}
            Input::Record(record) => self.with_task(record.partition, |task| task.read(record)),
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
            Input::Reload {
                rules,
                limit,
                force,
            } => {
                self.config.rules = rules;
                self.config.reload_limit = limit;
                self.rules_to_check = Some((true, force));
            }
            Input::Drain => self.drain(),
        }
    }

    fn drain(&mut self) {
        self.draining = true;
        if !matches!(self.phase, Phase::Running) {
            self.commands.push_back(Command::Drained);
        }
    }

    pub(crate) fn with_task(&mut self, number: i32, act: impl FnOnce(&mut Task)) {
        if let Some(task) = self.tasks.get_mut(&number) {
            act(task);
        }
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

    pub(crate) fn fail(&mut self, fault: Fault) {
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
        self.outbox = Outbox::default();
        self.in_flight = None;
        self.doubts_state = false;
        self.phase = Phase::Idle;
        // What was to be done for the last assignment is void with it.
        self.commands
            .retain(|command| matches!(command, Command::NewProducer | Command::Rules(_)));
        if self.draining {
            // Whoever gets the partition numbers restores what was committed.
            self.commands.push_back(Command::Drained);
        } else if !self.assigned.is_empty() {
            self.claim();
        }
    }

    /// Claims and restores the same partition numbers anew. The group assigned nothing, so reading is stopped by
    /// ourselves: it would go on from where the void tasks were.
    fn begin_again(&mut self) {
        let numbers = core::mem::take(&mut self.assigned);
        self.assigned(numbers);
        self.commands.push_front(Command::Assign(Vec::new()));
    }

    /// Claims what is assigned. The offsets make the coordinator check that it is.
    fn claim(&mut self) {
        self.token = self.token.wrapping_add(1);
        self.phase = Phase::Claiming;
        let records = self.assigned.iter();
        let records = records.map(|&number| claim(number, self.token)).collect();
        // There is nothing to commit yet, but an empty list of offsets would check nothing.
        let state = SourceId(self.config.sources.len() as u8 + 1);
        let offsets = self.assigned.iter().map(|&number| (state, number, 0));
        let offsets = offsets.collect();
        self.transact(records, offsets);
    }

    pub(crate) fn transact(&mut self, records: Vec<Produce>, offsets: Vec<(SourceId, i32, i64)>) {
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
            TxnOutcome::NotOurs => self.assigned(Vec::new()),
            TxnOutcome::Indefinite => {
                self.begin_again();
                self.commands.push_front(Command::NewProducer);
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
                match restored(&self.config, &self.host, number, *restorer) {
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
        if start.group_has_offsets && !self.doubts_state {
            // Or somebody else has begun, and the group has moved on: then the next claim fails.
            self.begin_again();
            self.doubts_state = true;
        } else if start.group_has_offsets {
            self.fail(Fault::StateLost { partition: number });
        } else if matches!(self.phase, Phase::Restoring(_)) {
            match fresh(&self.config, &self.host, number, start) {
                Ok(task) => self.begin(number, task, None),
                Err(detail) => self.fail(Fault::StateBroken {
                    partition: number,
                    detail,
                }),
            }
        }
    }

    fn begin(&mut self, number: i32, mut task: Task, snapshot_at: Option<i64>) {
        task.effects_per_step = self.limits.effects_per_step;
        self.host.restored(number, &task.partition);
        self.tasks.insert(number, task);
        self.snapshots
            .insert(number, Snapshots::new(self.limits, snapshot_at));
        let Phase::Restoring(assemblies) = &mut self.phase else {
            return;
        };
        assemblies.remove(&number);
        if !assemblies.is_empty() {
            return;
        }
        self.phase = Phase::Running;
        self.rules_to_check = self.rules_to_check.or(Some((false, false)));
        let positions = self.tasks.values().flat_map(|task| {
            let sources = task.positions().into_iter().zip(0..);
            sources.map(|(position, source)| (SourceId(source), task.number, position))
        });
        self.commands
            .push_back(Command::Assign(positions.collect()));
    }
}

//! A lane that runs: what it applies again, decides, and writes.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use settlewatch_join::Reload;

use crate::io::{Command, Fault, Host, RulesNews};
use crate::lane::{Lane, Phase};
use crate::task::Task;

/// Shortest time between transactions that have something to say, in milliseconds.
const COMMIT_APART_MS: u64 = 20;

/// Longest time without a step, in milliseconds.
const STEP_AT_LEAST_MS: u64 = 1000;

impl<H: Host> Lane<H> {
    /// Applies again what was committed, and steps what is due.
    pub(crate) fn work(&mut self) {
        if !matches!(self.phase, Phase::Running) {
            return;
        }
        for task in self.tasks.values_mut() {
            if task.catch_up(&self.host).is_err() {
                let partition = task.number;
                self.malformed(partition);
                return;
            }
        }
        if self.is_ready()
            && let Some((asked, force)) = self.rules_to_check.take()
        {
            self.check_rules(asked, force);
        }
        if self.in_flight.is_none() && self.now_ms >= self.committed_ms + COMMIT_APART_MS {
            self.step();
        }
        self.balance();
    }

    fn malformed(&mut self, partition: i32) {
        let detail = String::from("a record of the pairs topic, or the rules, cannot be read");
        self.fail(Fault::StateBroken { partition, detail });
    }

    /// Holds the rules of this process against those of its partition numbers. A person who asks for a reload
    /// means it; a process that merely starts with rules that were replaced is behind.
    fn check_rules(&mut self, asked: bool, force: bool) {
        let ours = Arc::clone(&self.config.rules);
        let Ok(settings) = self.host.settings(&ours) else {
            return;
        };
        let mut plan = Reload::default();
        let mut others = Vec::new();
        for task in self
            .tasks
            .values_mut()
            .filter(|task| task.rules.text != ours)
        {
            if !asked && task.rules.was(&ours) {
                let partition = task.number;
                self.commands
                    .push_back(Command::Rules(RulesNews::Stale { partition }));
                return;
            }
            plan.merge(task.partition.plan_reload(&settings));
            others.push(task.number);
        }
        let news = match plan.check(self.config.reload_limit) {
            Err(refused) if !force => RulesNews::Refused {
                at_once: refused.at_once,
                limit: refused.limit,
            },
            _ => {
                for number in &others {
                    self.with_task(*number, |task| task.reload(Arc::clone(&ours)));
                }
                RulesNews::Applied {
                    moved: plan.redated,
                }
            }
        };
        if asked || !others.is_empty() {
            self.commands.push_back(Command::Rules(news));
        }
    }

    /// Inputs that are too far ahead of the others stand aside.
    fn balance(&mut self) {
        let inputs = self.tasks.len() * self.config.sources.len();
        let limit = (self.config.waiting_records / inputs.max(1)).max(self.limits.waiting_at_least);
        let (mut pause, mut resume) = (Vec::new(), Vec::new());
        for (&number, task) in &mut self.tasks {
            let ahead: Vec<_> = task.ahead(limit).collect();
            for (source, aside) in ahead {
                if task.set_aside(source, aside) {
                    let list = if aside { &mut pause } else { &mut resume };
                    list.push((source, number));
                }
            }
        }
        if !pause.is_empty() {
            self.commands.push_back(Command::Pause(pause));
        }
        if !resume.is_empty() {
            self.commands.push_back(Command::Resume(resume));
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
        let due = self
            .tasks
            .iter()
            .filter(|&(&number, task)| self.is_due(number, task));
        let mut due: Vec<i32> = due.map(|(&number, _)| number).collect();
        // Whoever waited longest comes first: a transaction that is full leaves the others for the next.
        due.sort_by_key(|number| self.stepped_ms.get(number).copied());
        for number in due {
            if self.outbox.is_full(self.limits.transaction_bytes) {
                break;
            }
            if !self.step_one(number) {
                return self.malformed(number);
            }
        }
        if let Some((records, offsets)) = self.outbox.close(self.now_ms, self.config.numbers) {
            self.transact(records, offsets);
        }
    }

    fn step_one(&mut self, number: i32) -> bool {
        let Some(task) = self.tasks.get_mut(&number) else {
            return true;
        };
        if let Some(snapshots) = self.snapshots.get_mut(&number) {
            snapshots.first(task, &self.config.identity, &mut self.outbox.records);
        }
        let Ok(step) = self.outbox.step(task, &self.host) else {
            return false;
        };
        self.stepped_ms.insert(number, self.now_ms);
        if let Some(snapshots) = self.snapshots.get_mut(&number) {
            let identity = &self.config.identity;
            let records = &mut self.outbox.records;
            snapshots.step(task, &step, identity, self.draining, records);
        }
        true
    }
}

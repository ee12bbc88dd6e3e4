//! A watcher that runs: what it judges again, judges, and writes.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::core::Core;
use super::judging::{Kept, produce, written};
use super::seconds::Moment;
use super::{PARTITION, Phase, Watcher};
use crate::io::{Command, Produce, RulesNews};
use crate::step::size;

/// Seconds of one transaction, when many can be judged at once.
const SECONDS_AT_ONCE: usize = 20;

impl<C: Core> Watcher<C> {
    /// Judges again what was committed, then what can be judged.
    pub(super) fn work(&mut self) {
        let Phase::Running(ledge) = &mut self.phase else {
            return;
        };
        if let Err(detail) = ledge.judge_again(&mut self.core) {
            return self.broken(detail);
        }
        if self.is_active() && self.in_flight.is_none() {
            self.heed_rules();
            self.judge();
        }
        self.balance();
    }

    /// A process that was started with rules that were replaced since goes on with the newer ones, until a person asks.
    fn heed_rules(&mut self) {
        let Phase::Running(ledge) = &self.phase else {
            return;
        };
        if !self.asked && ledge.rules.was(&self.config.rules) {
            self.config.rules = Arc::clone(&ledge.rules.text);
            let partition = PARTITION;
            self.commands
                .push_back(Command::Rules(RulesNews::Stale { partition }));
        }
        self.asked = false;
    }

    /// One transaction over every second that can be judged.
    fn judge(&mut self) {
        let mut records = Vec::new();
        let moment = Moment {
            now_ms: self.now_ms,
            broker: self.broker,
        };
        for _ in 0..SECONDS_AT_ONCE {
            let full = records.iter().map(size).sum::<usize>() >= self.limits.transaction_bytes;
            let Phase::Running(ledge) = &mut self.phase else {
                return;
            };
            if full || self.draining {
                break;
            }
            let Some(second) = ledge.ready_second(&moment) else {
                break;
            };
            if let Err(detail) = self.judge_second(second, &mut records) {
                return self.broken(detail);
            }
        }
        if self.draining {
            self.snapshot(&mut records);
        }
        if !records.is_empty() {
            let offsets = self.offsets();
            self.transact(records, offsets);
        }
    }

    fn judge_second(&mut self, second: i64, records: &mut Vec<Produce>) -> Result<(), String> {
        let Phase::Running(ledge) = &mut self.phase else {
            return Ok(());
        };
        if ledge.second.is_none() {
            ledge.begin_with(second);
        }
        let mut kept = Kept {
            ledge,
            core: &mut self.core,
            feeds: &self.config.feeds,
        };
        self.snapshots
            .first(&mut kept, &self.config.identity, records);
        let theirs = &self.config.rules;
        let rules = (ledge.rules.text != *theirs).then(|| Arc::clone(theirs));
        if let Some(rules) = &rules {
            ledge.apply_rules(rules, second, &mut self.core)?;
            let news = RulesNews::Applied { moved: 0 };
            self.commands.push_back(Command::Rules(news));
        }
        let said = ledge.judge(second, rules, &mut self.core);
        records.extend(said.into_iter().map(produce));
        records.push(written(ledge));
        self.snapshot(records);
        Ok(())
    }

    /// Adds what is due of a snapshot.
    fn snapshot(&mut self, records: &mut Vec<Produce>) {
        let Phase::Running(ledge) = &mut self.phase else {
            return;
        };
        let step = ledge.last.clone();
        let mut kept = Kept {
            ledge,
            core: &mut self.core,
            feeds: &self.config.feeds,
        };
        let (identity, draining) = (&self.config.identity, self.draining);
        self.snapshots
            .step(&mut kept, &step, identity, draining, records);
    }

    /// Partitions that are too far ahead of the others stand aside.
    fn balance(&mut self) {
        let feeds = self.config.feeds.len().max(1);
        let limit = self.config.waiting_records / feeds;
        let limit = limit.max(self.limits.waiting_at_least);
        let Phase::Running(ledge) = &mut self.phase else {
            return;
        };
        let (pause, resume) = ledge.balance(limit, self.now_ms);
        if !pause.is_empty() {
            self.commands.push_back(Command::Pause(pause));
        }
        if !resume.is_empty() {
            self.commands.push_back(Command::Resume(resume));
        }
    }
}

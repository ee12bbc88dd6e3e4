//! Whoever writes the inputs: with and without transactions, some of which stay open or are aborted.

use std::collections::VecDeque;

use serde_json::Value;

use super::cluster::{Cluster, Place};
use super::log::Data;
use super::story::{Story, Told};
use super::transactions::{Answer, Session, Transactions};
use crate::generate::Rng;

/// Transactional ids of the writers of inputs; those of lanes are below.
const FIRST_ID: u32 = 1000;

/// Longer than any simulation.
const NEVER_MS: i64 = 3_600_000;

/// How much a world makes of its writers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Habits {
    /// Records in transactions, in percent.
    pub(super) transactional: i64,
    /// Transactions that are aborted, in percent.
    pub(super) aborted: i64,
    /// Transactions that stay open until somebody ends them, in percent.
    pub(super) hanging: i64,
    /// Longest time that a transaction is open.
    pub(super) open_ms: i64,
    /// Timestamps of CreateTime topics that no clock showed, in percent.
    pub(super) lying: i64,
}

struct Open {
    session: Session,
    ends: i64,
    commit: bool,
    told: Vec<Told>,
}

/// An input record that was appended: where, and what it says.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) place: Place,
    pub(super) offset: i64,
    pub(super) event: Option<Value>,
}

/// All writers.
pub(super) struct Upstream {
    habits: Habits,
    left: VecDeque<Told>,
    open: Vec<Open>,
    next_id: u32,
    pub(super) written: Vec<Written>,
}

impl Upstream {
    /// Will write this story.
    pub(super) fn new(story: &Story, habits: Habits) -> Self {
        Self {
            habits,
            left: story.told.clone().into(),
            open: Vec::new(),
            next_id: FIRST_ID,
            written: Vec::new(),
        }
    }

    /// Everything is written and decided.
    pub(super) fn is_done(&self) -> bool {
        self.left.is_empty() && self.open.is_empty()
    }

    /// Ends what hangs, and aborts nothing any more.
    pub(super) fn heal(&mut self, now: i64) {
        self.habits.transactional = 0;
        for open in &mut self.open {
            open.ends = open.ends.min(now);
        }
    }

    /// Time has passed.
    pub(super) fn pass(
        &mut self,
        cluster: &mut Cluster,
        transactions: &mut Transactions,
        rng: &mut Rng,
    ) {
        let now = cluster.now;
        let (ending, open) = std::mem::take(&mut self.open)
            .into_iter()
            .partition(|open: &Open| open.ends <= now);
        self.open = open;
        for ended in ending {
            self.end(ended, cluster, transactions, rng);
        }
        while let Some(told) = self.left.pop_front_if(|told| told.at <= now) {
            if rng.chance(self.habits.transactional) {
                self.write_in_transaction(told, cluster, transactions, rng);
            } else {
                self.write(&told, None, cluster, rng);
            }
        }
    }

    fn end(
        &mut self,
        ended: Open,
        cluster: &mut Cluster,
        transactions: &mut Transactions,
        rng: &mut Rng,
    ) {
        let answer = transactions.end(ended.session, ended.commit, cluster.now, rng);
        debug_assert_eq!(answer, Answer::Done, "nobody else has this id");
        // Whoever aborts writes again, or thinks better of it.
        if !ended.commit && rng.chance(70) {
            for told in ended.told {
                self.write(&told, None, cluster, rng);
            }
        }
    }

    fn write_in_transaction(
        &mut self,
        told: Told,
        cluster: &mut Cluster,
        transactions: &mut Transactions,
        rng: &mut Rng,
    ) {
        if self.open.is_empty() || rng.chance(30) {
            let now = cluster.now;
            let begun = transactions.begin_session(self.next_id, NEVER_MS, now, rng);
            self.next_id += 1;
            let hangs = rng.chance(self.habits.hanging);
            self.open.push(Open {
                session: begun.expect("the id is new"),
                ends: now
                    + if hangs {
                        NEVER_MS
                    } else {
                        rng.between(0, self.habits.open_ms)
                    },
                commit: !rng.chance(self.habits.aborted),
                told: Vec::new(),
            });
        }
        let at = rng.between(0, self.open.len() as i64 - 1);
        let at = usize::try_from(at).expect("never negative");
        let session = self.open[at].session;
        let place = place(&told);
        let answer = transactions.add(session, place, cluster.now);
        debug_assert_eq!(answer, Answer::Done, "nobody else has this id");
        self.write(&told, Some(session.pid), cluster, rng);
        self.open[at].told.push(told);
    }

    fn write(&mut self, told: &Told, pid: Option<u64>, cluster: &mut Cluster, rng: &mut Rng) {
        let place = place(told);
        let ts = if rng.chance(self.habits.lying) {
            rng.pick(&[0, -1, cluster.now + 31_536_000_000])
        } else {
            told.at
        };
        let data = Data {
            key: Some(told.key.clone().into()),
            value: told.value.clone().map(Into::into),
            headers: Vec::new(),
            part_of: 0,
            ts,
        };
        let offset = cluster.append(place, data, pid);
        self.written.push(Written {
            place,
            offset,
            event: told.event.clone(),
        });
    }
}

fn place(told: &Told) -> Place {
    Place {
        topic: told.source,
        partition: told.partition,
    }
}

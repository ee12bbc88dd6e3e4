//! Whoever writes the auxiliary topic: now and then, and some of it in a transaction that stays open for long.

use crate::generate::Rng;
use crate::model::cluster::{Cluster, Topics};
use crate::model::log::Data;
use crate::model::member::Setup;
use crate::model::transactions::{Answer, Session, Transactions};

/// Its transactional ids, among those of the watch.
const FIRST_ID: u32 = 3000;

/// Longer than any simulation.
const NEVER_MS: i64 = 3_600_000;

/// The writer.
pub(in crate::model) struct Feeder {
    topics: Topics,
    begins: i64,
    next_at: i64,
    /// Longest time between two records.
    apart_ms: i64,
    /// Records that begin a transaction, in percent.
    transactional: i64,
    /// Longest time that one is open.
    open_ms: i64,
    /// Timestamps that no clock showed, in percent; a topic that the broker stamps replaces them.
    lying: i64,
    open: Option<(Session, i64)>,
    next_id: u32,
    written: u64,
}

impl Feeder {
    /// Will write into the world of this setup.
    pub(in crate::model) fn new(rng: &mut Rng, setup: &Setup) -> Self {
        Self {
            topics: setup.topics,
            begins: setup.begins,
            next_at: setup.begins,
            apart_ms: rng.pick(&[40, 400, 3000]),
            transactional: rng.pick(&[0, 5, 30]),
            open_ms: rng.pick(&[50, 1000, 9000]),
            lying: rng.pick(&[0, 10, 50]),
            open: None,
            next_id: FIRST_ID,
            written: 0,
        }
    }

    /// Transactions end at once from now on.
    pub(in crate::model) fn heal(&mut self, now: i64) {
        self.transactional = 0;
        if let Some((_, ends)) = &mut self.open {
            *ends = (*ends).min(now);
        }
    }

    /// Time has passed.
    pub(in crate::model) fn pass(
        &mut self,
        cluster: &mut Cluster,
        transactions: &mut Transactions,
        rng: &mut Rng,
    ) {
        let now = cluster.now;
        if let Some((session, _)) = self.open.take_if(|(_, ends)| *ends <= now) {
            let answer = transactions.end(session, rng.chance(70), now, rng);
            debug_assert_eq!(answer, Answer::Done, "nobody else has this id");
        }
        if now < self.next_at {
            return;
        }
        self.next_at = now + rng.between(1, self.apart_ms);
        if self.open.is_none() && rng.chance(self.transactional) {
            let begun = transactions.begin_session(self.next_id, NEVER_MS, now, rng);
            self.next_id += 1;
            let session = begun.expect("the id is new");
            self.open = Some((session, now + rng.between(1, self.open_ms)));
        }
        self.write(cluster, transactions, rng);
    }

    fn write(&mut self, cluster: &mut Cluster, transactions: &mut Transactions, rng: &mut Rng) {
        let now = cluster.now;
        let partition = rng.between(0, i64::from(self.topics.feeds) - 1);
        let place = self.topics.feed(i32::try_from(partition).expect("few"));
        let session = self.open.map(|(session, _)| session);
        let session = session.filter(|_| rng.chance(50));
        if let Some(session) = session {
            let answer = transactions.add(session, place, now);
            debug_assert_eq!(answer, Answer::Done, "nobody else has this id");
        }
        self.written += 1;
        let said = if rng.chance(self.lying) {
            rng.pick(&[-1, 12, self.begins, now - 700, now + 31_536_000_000])
        } else {
            now
        };
        let data = Data {
            value: Some(format!("auxiliary {}", self.written).into_bytes().into()),
            ts: said,
            ..Data::default()
        };
        cluster.append(place, data, session.map(|session| session.pid));
    }
}

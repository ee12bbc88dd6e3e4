//! The transaction coordinator: epochs, decisions, markers that come when they come.

use std::collections::{BTreeMap, BTreeSet};

use settlewatch_protocol::SourceId;

use super::cluster::{Cluster, Place};
use super::group::Group;
use crate::generate::Rng;

/// What the coordinator says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Done,
    /// Something is under way: the same again, later.
    Wait,
    /// Another producer has this transactional id now, or the transaction ran out of time.
    Fenced,
}

/// A producer with an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) id: u32,
    pub(super) pid: u64,
    pub(super) epoch: u32,
}

type Offsets = Vec<(SourceId, i32, i64)>;

#[derive(Debug)]
enum State {
    Empty,
    Ongoing {
        since: i64,
        places: BTreeSet<Place>,
        offsets: Offsets,
    },
    /// Decided; these markers are on their way.
    Ending {
        commit: bool,
        /// Numbers all decisions.
        decision: u64,
        markers: Vec<(Place, i64)>,
        offsets: Offsets,
        offsets_at: i64,
    },
}

#[derive(Debug)]
struct Producer {
    pid: u64,
    epoch: u32,
    timeout_ms: i64,
    state: State,
}

/// A request to end a transaction that is still on its way.
#[derive(Clone, Copy, Debug)]
struct Late {
    session: Session,
    commit: bool,
    at: i64,
}

/// All transactional ids.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    producers: BTreeMap<u32, Producer>,
    late: Vec<Late>,
    decisions: u64,
    /// Longest time between a decision and its markers.
    marker_delay_ms: i64,
}

impl Transactions {
    /// Nobody has begun; markers come so late at most.
    pub(super) fn new(marker_delay_ms: i64) -> Self {
        Self {
            marker_delay_ms,
            ..Self::default()
        }
    }

    /// A new session of a transactional id. What the last one left open is aborted first.
    pub(super) fn begin_session(
        &mut self,
        id: u32,
        timeout_ms: i64,
        now: i64,
        rng: &mut Rng,
    ) -> Result<Session, Answer> {
        let pid = u64::from(id) + 1;
        let producer = self.producers.entry(id).or_insert(Producer {
            pid,
            epoch: 0,
            timeout_ms,
            state: State::Empty,
        });
        producer.timeout_ms = timeout_ms;
        match producer.state {
            State::Empty => {
                producer.epoch += 1;
                Ok(Session {
                    id,
                    pid,
                    epoch: producer.epoch,
                })
            }
            State::Ongoing { .. } => {
                producer.epoch += 1;
                self.decide(id, false, now, rng);
                Err(Answer::Wait)
            }
            State::Ending { .. } => Err(Answer::Wait),
        }
    }

    fn current(&mut self, session: Session) -> Option<&mut Producer> {
        let producer = self.producers.get_mut(&session.id)?;
        (producer.epoch == session.epoch).then_some(producer)
    }

    fn ongoing(
        &mut self,
        session: Session,
        now: i64,
    ) -> Result<(&mut BTreeSet<Place>, &mut Offsets), Answer> {
        let producer = self.current(session).ok_or(Answer::Fenced)?;
        if matches!(producer.state, State::Empty) {
            producer.state = State::Ongoing {
                since: now,
                places: BTreeSet::new(),
                offsets: Offsets::new(),
            };
        }
        match &mut producer.state {
            State::Ongoing {
                places, offsets, ..
            } => Ok((places, offsets)),
            _ => Err(Answer::Wait),
        }
    }

    /// A partition joins the transaction.
    pub(super) fn add(&mut self, session: Session, place: Place, now: i64) -> Answer {
        match self.ongoing(session, now) {
            Ok((places, _)) => {
                places.insert(place);
                Answer::Done
            }
            Err(answer) => answer,
        }
    }

    /// Offsets join the transaction; the group has checked who sends them.
    pub(super) fn add_offsets(&mut self, session: Session, sent: &Offsets, now: i64) -> Answer {
        match self.ongoing(session, now) {
            Ok((_, offsets)) => {
                offsets.extend(sent.iter().copied());
                Answer::Done
            }
            Err(answer) => answer,
        }
    }

    /// Ends a transaction.
    pub(super) fn end(
        &mut self,
        session: Session,
        commit: bool,
        now: i64,
        rng: &mut Rng,
    ) -> Answer {
        let Some(producer) = self.current(session) else {
            return Answer::Fenced;
        };
        match producer.state {
            State::Empty => Answer::Done,
            State::Ongoing { .. } => {
                self.decide(session.id, commit, now, rng);
                Answer::Done
            }
            State::Ending {
                commit: decided, ..
            } if decided == commit => Answer::Done,
            State::Ending { .. } => Answer::Fenced,
        }
    }

    /// The request to end it is on its way.
    pub(super) fn end_later(&mut self, session: Session, commit: bool, at: i64) {
        self.late.push(Late {
            session,
            commit,
            at,
        });
    }

    fn decide(&mut self, id: u32, commit: bool, now: i64, rng: &mut Rng) {
        let longest = self.marker_delay_ms;
        self.decisions += 1;
        let decision = self.decisions;
        let Some(producer) = self.producers.get_mut(&id) else {
            return;
        };
        let State::Ongoing {
            places, offsets, ..
        } = std::mem::replace(&mut producer.state, State::Empty)
        else {
            return;
        };
        let mut delay = || now + 1 + rng.between(0, longest);
        producer.state = State::Ending {
            commit,
            decision,
            markers: places.into_iter().map(|place| (place, delay())).collect(),
            offsets,
            offsets_at: delay(),
        };
    }

    /// Time has passed: late requests arrive, transactions run out of time, markers are written.
    pub(super) fn pass(&mut self, cluster: &mut Cluster, group: &mut Group, rng: &mut Rng) {
        let now = cluster.now;
        let (due, later) = self.late.iter().partition(|late| late.at <= now);
        self.late = later;
        for late in due {
            let _: Answer = self.end(late.session, late.commit, now, rng);
        }
        let expired: Vec<u32> = self
            .producers
            .iter()
            .filter(|(_, producer)| {
                matches!(&producer.state, State::Ongoing { since, .. } if now >= since + producer.timeout_ms)
            })
            .map(|(&id, _)| id)
            .collect();
        for id in expired {
            if let Some(producer) = self.producers.get_mut(&id) {
                producer.epoch += 1;
            }
            self.decide(id, false, now, rng);
        }
        for producer in self.producers.values_mut() {
            producer.write_markers(cluster, group);
        }
    }

    /// Markers take no time any more.
    pub(super) fn heal(&mut self, now: i64) {
        self.marker_delay_ms = 0;
        for producer in self.producers.values_mut() {
            if let State::Ending {
                markers,
                offsets_at,
                ..
            } = &mut producer.state
            {
                *offsets_at = now;
                markers.iter_mut().for_each(|(_, at)| *at = now);
            }
        }
    }
}

impl Producer {
    fn write_markers(&mut self, cluster: &mut Cluster, group: &mut Group) {
        let now = cluster.now;
        let State::Ending {
            commit,
            decision,
            markers,
            offsets,
            offsets_at,
        } = &mut self.state
        else {
            return;
        };
        for &(place, _) in markers.iter().filter(|(_, at)| *at <= now) {
            cluster.mark(place, self.pid, (*commit, *decision));
        }
        markers.retain(|(_, at)| *at > now);
        if *offsets_at <= now && !offsets.is_empty() {
            let offsets = std::mem::take(offsets);
            if *commit {
                group.commit(&offsets);
            }
        }
        if markers.is_empty() && offsets.is_empty() {
            self.state = State::Empty;
        }
    }
}

//! Transactions, act by act, as the shell carries them out.

use std::collections::{BTreeMap, VecDeque};

use settlewatch_join::Timestamp;
use settlewatch_protocol::{Input, Produce, SourceId, Topic, Transaction, TxnOutcome, TxnStep};

use super::cluster::Place;
use super::fault::Phase;
use super::kafka::Kafka;
use super::log::Data;
use super::member::{Doom, Member};
use super::mutation::Mutation;
use super::transactions::Answer;

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Claim,
    Step,
    Snapshot,
}

/// A record on its way, or acknowledged.
#[derive(Debug)]
struct Sent {
    topic: Topic,
    place: Place,
    offset: i64,
    sent_ms: u64,
    acknowledged: bool,
}

/// A transaction under way.
#[derive(Debug)]
pub(super) struct Carrying {
    steps: VecDeque<TxnStep>,
    kind: Kind,
    /// Numbers all transactions of all members.
    number: u64,
    unsent: VecDeque<Produce>,
    handed_ms: u64,
    sent: Vec<Sent>,
    offsets: Vec<(SourceId, i32, i64)>,
    /// Patience ends then.
    until: i64,
    /// It failed: how it will have ended once it is aborted.
    aborts: Option<TxnOutcome>,
}

fn kind_of(transaction: &Transaction) -> Kind {
    let mut kind = Kind::Step;
    for step in &transaction.steps {
        let TxnStep::Produce(records) = step else {
            continue;
        };
        let state = records.iter().filter(|record| record.topic == Topic::State);
        for key in state.filter_map(|record| record.key.as_deref()) {
            match key.first() {
                Some(b'c') => kind = Kind::Claim,
                Some(b's' | b'm') => kind = Kind::Snapshot,
                _ => {}
            }
        }
    }
    kind
}

impl Kind {
    fn at(self, act: usize) -> Phase {
        let phases = match self {
            Self::Claim => [
                Phase::ClaimBegun,
                Phase::ClaimProduced,
                Phase::ClaimDrained,
                Phase::ClaimOffsets,
                Phase::ClaimCommitted,
            ],
            Self::Step => [
                Phase::StepBegun,
                Phase::StepProduced,
                Phase::StepDrained,
                Phase::StepOffsets,
                Phase::StepCommitted,
            ],
            Self::Snapshot => [
                Phase::SnapshotBegun,
                Phase::SnapshotProduced,
                Phase::SnapshotDrained,
                Phase::SnapshotOffsets,
                Phase::SnapshotCommitted,
            ],
        };
        phases[act]
    }
}

/// What an act came to.
enum Acted {
    Done,
    /// The same again, later.
    Again,
    Abort,
    NotOurs,
    /// The producer is of no use; whether because it had no answer.
    Dead {
        timed_out: bool,
    },
}

fn refused(answer: Answer) -> Acted {
    match answer {
        Answer::Done => Acted::Done,
        Answer::Wait => Acted::Again,
        Answer::Fenced => Acted::Dead { timed_out: false },
    }
}

impl Member {
    /// Takes a transaction on.
    pub(super) fn begin(&mut self, transaction: Transaction, kafka: &mut Kafka) -> Phase {
        let kind = kind_of(&transaction);
        let mut steps: VecDeque<TxnStep> = transaction.steps.into();
        if self.mutated(Mutation::OffsetsFirst) {
            // The protocol's order: begin, produce, drain, offsets, commit.
            steps.swap(2, 3);
        }
        if kind == Kind::Claim {
            self.remember_claims(&steps);
            if self.claims_nothing() {
                self.machine
                    .handle(Input::Transaction(TxnOutcome::Committed));
                return Phase::ClaimCommitted;
            }
        }
        let carrying = Carrying {
            steps,
            kind,
            number: kafka.next_transaction(self.nonce),
            unsent: VecDeque::new(),
            handed_ms: 0,
            sent: Vec::new(),
            offsets: Vec::new(),
            until: kafka.now() + self.setup.transaction_timeout_ms,
            aborts: None,
        };
        self.carry(carrying, kafka)
    }

    fn remember_claims(&mut self, steps: &VecDeque<TxnStep>) {
        for step in steps {
            if let TxnStep::Produce(records) = step {
                for record in records {
                    let (key, value) = (record.key.clone(), record.value.clone());
                    let claim = (key.unwrap_or_default(), value.unwrap_or_default());
                    self.claims.insert(record.partition, claim);
                }
            }
        }
    }

    /// Does the next act.
    pub(super) fn carry(&mut self, mut carrying: Carrying, kafka: &mut Kafka) -> Phase {
        if let Some(outcome) = carrying.aborts {
            return self.abort(carrying, outcome, kafka);
        }
        let act = 5 - carrying.steps.len();
        match self.act(&mut carrying, kafka) {
            Acted::Done => {
                let phase = carrying.kind.at(act);
                if carrying.steps.is_empty() {
                    self.ended(TxnOutcome::Committed, &carrying, kafka);
                } else {
                    self.carrying = Some(carrying);
                }
                phase
            }
            Acted::Again if kafka.now() < carrying.until => {
                let phase = carrying.kind.at(act.saturating_sub(1));
                self.carrying = Some(carrying);
                phase
            }
            Acted::Again if act == 2 || act == 1 => {
                self.abort(carrying, TxnOutcome::Aborted, kafka)
            }
            Acted::Again => self.dead(true, &carrying, kafka),
            Acted::Abort => self.abort(carrying, TxnOutcome::Aborted, kafka),
            Acted::NotOurs => self.abort(carrying, TxnOutcome::NotOurs, kafka),
            Acted::Dead { timed_out } => self.dead(timed_out, &carrying, kafka),
        }
    }

    fn dead(&mut self, timed_out: bool, carrying: &Carrying, kafka: &Kafka) -> Phase {
        self.timed_out = timed_out;
        self.ended(TxnOutcome::Indefinite, carrying, kafka);
        Phase::Aborted
    }

    fn act(&mut self, carrying: &mut Carrying, kafka: &mut Kafka) -> Acted {
        if self.session.is_none() {
            return Acted::Dead { timed_out: false };
        }
        if self.doom == Some(Doom::Abort) {
            self.doom = None;
            return Acted::Abort;
        }
        let acted = match carrying.steps.front() {
            None | Some(TxnStep::Begin) => Acted::Done,
            Some(TxnStep::Produce(records)) => {
                carrying.unsent = records.clone().into();
                carrying.handed_ms = self.monotonic(kafka.now());
                // The client sends when it pleases.
                if kafka.rng.chance(70) && !self.mutated(Mutation::OffsetsFirst) {
                    let _: Answer = self.send(carrying, kafka);
                }
                Acted::Done
            }
            Some(TxnStep::Drain) => self.drain_records(carrying, kafka),
            Some(TxnStep::SendOffsets(offsets)) => {
                carrying.offsets.clone_from(offsets);
                self.send_offsets(carrying, kafka)
            }
            Some(TxnStep::Commit) => self.commit(carrying, kafka),
        };
        if matches!(acted, Acted::Done) {
            carrying.steps.pop_front();
        }
        acted
    }

    fn send(&mut self, carrying: &mut Carrying, kafka: &mut Kafka) -> Answer {
        let Some(session) = self.session else {
            return Answer::Fenced;
        };
        while let Some(record) = carrying.unsent.front() {
            // Requests to several leaders are not one.
            if kafka.rng.chance(10) {
                return Answer::Wait;
            }
            let place = self.output(record.topic, record.partition);
            let now = kafka.now();
            let answer = kafka.of[self.side()].transactions.add(session, place, now);
            if answer != Answer::Done {
                return answer;
            }
            let record = carrying.unsent.pop_front().expect("it is there");
            if self.mutated(Mutation::SnapshotInPlace) {
                overwrite(kafka, place, record.key.as_deref());
            }
            let topic = record.topic;
            let outside = topic == Topic::Pulse && self.mutated(Mutation::PulseOutside);
            let data = Data {
                key: record.key,
                value: record.value,
                headers: record.headers,
                part_of: if outside { 0 } else { carrying.number },
                ts: now,
            };
            carrying.sent.push(Sent {
                topic,
                place,
                offset: kafka
                    .cluster
                    .append(place, data, (!outside).then_some(session.pid)),
                sent_ms: carrying.handed_ms,
                acknowledged: false,
            });
        }
        Answer::Done
    }

    fn drain_records(&mut self, carrying: &mut Carrying, kafka: &mut Kafka) -> Acted {
        let sent = self.send(carrying, kafka);
        self.acknowledge(carrying, kafka);
        match sent {
            Answer::Done if carrying.sent.iter().all(|sent| sent.acknowledged) => Acted::Done,
            Answer::Fenced => Acted::Dead { timed_out: false },
            _ => Acted::Again,
        }
    }

    /// Whatever is replicated is acknowledged.
    fn acknowledge(&mut self, carrying: &mut Carrying, kafka: &Kafka) {
        let now_ms = self.monotonic(kafka.now());
        for sent in carrying.sent.iter_mut().filter(|sent| !sent.acknowledged) {
            let log = kafka.cluster.log(sent.place);
            if log.high <= sent.offset {
                continue;
            }
            sent.acknowledged = true;
            if matches!(sent.topic, Topic::State | Topic::Pairs) {
                let stamp = Timestamp::from_millis(log.entry(sent.offset).data.ts);
                self.clocks[log.leader].acknowledged(sent.sent_ms, now_ms, stamp);
            }
        }
    }

    fn send_offsets(&mut self, carrying: &Carrying, kafka: &mut Kafka) -> Acted {
        let offsets = &carrying.offsets;
        if carrying.kind != Kind::Claim
            && self.mutated(Mutation::TimerWithoutOffsets)
            && self.is_timer_only(offsets)
        {
            return Acted::Done;
        }
        let accepted = if self.mutated(Mutation::MetadataAtCommit) {
            kafka.of[self.side()]
                .group
                .accepts(self.consumer.group_now())
        } else {
            let group = self.consumer.group;
            group.is_some() && kafka.of[self.side()].group.accepts(group)
        };
        match self.session {
            Some(session) if accepted => {
                let now = kafka.now();
                refused(
                    kafka.of[self.side()]
                        .transactions
                        .add_offsets(session, offsets, now),
                )
            }
            _ => Acted::NotOurs,
        }
    }

    fn is_timer_only(&self, offsets: &[(SourceId, i32, i64)]) -> bool {
        let inputs = self.setup.topics.inputs;
        let of_inputs = offsets
            .iter()
            .filter(|(source, _, _)| usize::from(source.0) < inputs);
        let mut of_inputs = of_inputs.map(|&(source, partition, at)| ((source, partition), at));
        of_inputs.all(|(place, at)| self.sent.get(&place) == Some(&at))
    }

    fn commit(&mut self, carrying: &Carrying, kafka: &mut Kafka) -> Acted {
        let Some(session) = self.session else {
            return Acted::Dead { timed_out: false };
        };
        let now = kafka.now();
        let timed_out = Acted::Dead { timed_out: true };
        match self.doom.take() {
            Some(Doom::Late(ms)) => {
                kafka.of[self.side()]
                    .transactions
                    .end_later(session, true, now + ms);
                return timed_out;
            }
            Some(Doom::Never) => return timed_out,
            Some(Doom::Lost) => {
                let _: Answer =
                    kafka.of[self.side()]
                        .transactions
                        .end(session, true, now, &mut kafka.rng);
                return timed_out;
            }
            Some(Doom::Abort) | None => {}
        }
        let answer = kafka.of[self.side()]
            .transactions
            .end(session, true, now, &mut kafka.rng);
        if answer == Answer::Done {
            let offsets = carrying.offsets.iter();
            self.sent
                .extend(offsets.map(|&(source, partition, at)| ((source, partition), at)));
        }
        refused(answer)
    }

    fn abort(&mut self, mut carrying: Carrying, outcome: TxnOutcome, kafka: &mut Kafka) -> Phase {
        carrying.unsent.clear();
        carrying.aborts = Some(outcome);
        let now = kafka.now();
        let answer = match self.session {
            Some(session) => {
                kafka.of[self.side()]
                    .transactions
                    .end(session, false, now, &mut kafka.rng)
            }
            None => Answer::Fenced,
        };
        match answer {
            Answer::Done => self.ended(outcome, &carrying, kafka),
            Answer::Wait => self.carrying = Some(carrying),
            Answer::Fenced => self.ended(TxnOutcome::Indefinite, &carrying, kafka),
        }
        Phase::Aborted
    }

    fn ended(&mut self, outcome: TxnOutcome, carrying: &Carrying, kafka: &Kafka) {
        self.doom = None;
        if outcome == TxnOutcome::Committed {
            let mut first = BTreeMap::new();
            for sent in carrying.sent.iter().filter(|it| it.topic == Topic::State) {
                let offset = first.entry(sent.place.partition).or_insert(sent.offset);
                *offset = sent.offset.min(*offset);
            }
            for (partition, offset) in first {
                self.machine
                    .handle(Input::StateWritten { partition, offset });
            }
        }
        self.machine
            .handle(Input::Tick(self.monotonic(kafka.now())));
        self.machine.handle(Input::Transaction(outcome));
    }

    /// The process dies: some of what it handed to the network arrives all the same.
    pub(super) fn die(mut self, kafka: &mut Kafka) {
        if let Some(mut carrying) = self.carrying.take()
            && carrying.aborts.is_none()
        {
            let most = carrying.unsent.len() as i64;
            let arrive = usize::try_from(kafka.rng.between(0, most)).unwrap_or(0);
            carrying.unsent.truncate(arrive);
            let _: Answer = self.send(&mut carrying, kafka);
        }
    }
}

/// Broken on purpose: a chunk takes the place of the one before it at once.
fn overwrite(kafka: &mut Kafka, place: Place, key: Option<&[u8]>) {
    let index = |key: Option<&[u8]>| {
        let key = std::str::from_utf8(key?).ok()?;
        Some(key.strip_prefix("s/")?.split_once('/')?.1.to_owned())
    };
    let Some(chunk) = index(key) else {
        return;
    };
    let log = kafka.cluster.log_mut(place);
    log.forget(|data| index(data.key.as_deref()).as_ref() == Some(&chunk));
}

//! The consumers of a process: membership, inputs, state.

use std::collections::{BTreeMap, BTreeSet};

use settlewatch_protocol::{Input, RawRecord, SourceId, Topic};

use super::cluster::Place;
use super::group::Beat;
use super::kafka::{Kafka, Side};
use super::log::Fetched;
use super::member::Member;
use super::mutation::Mutation;

/// How often the consumer is asked where it stands.
const LOOK_EVERY_MS: i64 = 50;

/// A partition of the state topic that is being read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Restoring {
    next: i64,
    /// Broken on purpose: our claim is taken for read here.
    stop_at: Option<i64>,
}

/// Membership and positions.
#[derive(Debug, Default)]
pub(super) struct Consumer {
    side: Side,
    instance: Option<u32>,
    member: Option<u64>,
    generation: i32,
    /// The group does not know us any more, or wants us to join again.
    lost: bool,
    rejoin: bool,
    /// Joined, and not told of the assignment.
    joining: bool,
    assigned: bool,
    /// The group's metadata, as it was at the assignment.
    pub(super) group: Option<(u64, i32)>,
    pub(super) numbers: Vec<i32>,
    pub(super) positions: BTreeMap<(SourceId, i32), i64>,
    pub(super) paused: BTreeSet<(SourceId, i32)>,
    pub(super) state: BTreeMap<i32, Restoring>,
    looked: i64,
}

impl Consumer {
    /// Of a member that has this name in the group.
    pub(super) fn new(side: Side, instance: Option<u32>) -> Self {
        Self {
            side,
            instance,
            lost: true,
            ..Self::default()
        }
    }

    /// The thread of the client that sends heartbeats: it goes on while the lane waits for an answer.
    pub(super) fn beat(&mut self, kafka: &mut Kafka) {
        let Some(member) = self.member else {
            return;
        };
        match kafka.of[self.side].group.beat(member, kafka.cluster.now) {
            Beat::Fine => {}
            Beat::Rejoin => self.rejoin = true,
            Beat::Unknown => {
                self.member = None;
                self.lost = true;
            }
        }
    }

    /// The group's metadata at this moment; of a member that was thrown out there is none.
    pub(super) fn group_now(&self) -> Option<(u64, i32)> {
        self.member.map(|member| (member, self.generation))
    }

    /// Goes for good; who has a name will be back.
    pub(super) fn leave(&mut self, kafka: &mut Kafka) {
        if let (Some(member), None) = (self.member.take(), self.instance) {
            kafka.of[self.side].group.leave(member, kafka.cluster.now);
        }
    }
}

impl Member {
    /// Serves what the group decided; whether there was something.
    pub(super) fn rebalance(&mut self, kafka: &mut Kafka) -> bool {
        let now = kafka.now();
        let consumer = &mut self.consumer;
        if consumer.lost || consumer.rejoin {
            let known = consumer.member;
            consumer.member = Some(kafka.of[consumer.side].group.join(
                known,
                consumer.instance,
                now,
            ));
            (consumer.lost, consumer.rejoin) = (false, false);
            consumer.joining = true;
            if std::mem::take(&mut consumer.assigned) {
                self.hand_over(None);
                return true;
            }
            return false;
        }
        if !consumer.joining {
            return false;
        }
        let assignment = consumer
            .member
            .and_then(|it| kafka.of[consumer.side].group.assignment(it));
        let Some((generation, by_topic)) = assignment else {
            return false;
        };
        (consumer.joining, consumer.assigned) = (false, true);
        consumer.generation = generation;
        let metadata = consumer.group_now();
        let numbers = self.numbers(&by_topic);
        self.hand_over(metadata.map(|metadata| (metadata, numbers)));
        true
    }

    /// The partition numbers of an assignment: the same of every topic, or none.
    fn numbers(&self, by_topic: &[Vec<i32>]) -> Vec<i32> {
        if self.mutated(Mutation::Sticky) {
            let mut all = by_topic.concat();
            all.sort_unstable();
            all.dedup();
            return all;
        }
        let same = by_topic.windows(2).all(|pair| pair[0] == pair[1]);
        by_topic
            .first()
            .filter(|_| same)
            .cloned()
            .unwrap_or_default()
    }

    fn hand_over(&mut self, assigned: Option<((u64, i32), Vec<i32>)>) {
        self.consumer.state.clear();
        self.consumer.positions.clear();
        let (group, numbers) = match assigned {
            Some((group, numbers)) => (Some(group), numbers),
            None => (None, Vec::new()),
        };
        self.consumer.group = group;
        self.consumer.numbers.clone_from(&numbers);
        self.sent.clear();
        self.machine.handle(if numbers.is_empty() {
            Input::Revoked
        } else {
            Input::Assigned(numbers)
        });
    }

    pub(super) fn begin_restore(&mut self, number: i32, kafka: &Kafka) {
        let log = kafka.cluster.log(self.output(Topic::State, number));
        let blind = self.mutated(Mutation::RestoreToWatermark) || self.claims_nothing();
        let restoring = Restoring {
            next: log.start,
            stop_at: blind.then(|| log.stable()),
        };
        self.consumer.state.insert(number, restoring);
    }

    pub(super) fn read_state(&mut self, kafka: &mut Kafka) {
        let numbers: Vec<i32> = self.consumer.state.keys().copied().collect();
        for number in numbers {
            let most = usize::try_from(kafka.rng.between(0, 40)).expect("never negative");
            let Some(restoring) = self.consumer.state.get(&number).copied() else {
                continue;
            };
            let place = self.output(Topic::State, number);
            // Deleted while it is read: the consumer begins anew at what is left.
            let from = restoring.next.max(kafka.cluster.log(place).start);
            let Fetched::Records(records, next) = kafka.cluster.log(place).fetch(from, most) else {
                continue;
            };
            if let Some(it) = self.consumer.state.get_mut(&number) {
                it.next = next;
            }
            for offset in records {
                let data = &kafka.cluster.log(place).entry(offset).data;
                let (key, value) = (data.key.clone(), data.value.clone());
                self.tell_state(
                    number,
                    offset,
                    key.unwrap_or_default(),
                    value.unwrap_or_default(),
                );
            }
            if restoring.stop_at.is_some_and(|stop| next >= stop)
                && let Some((key, value)) = self.claims.get(&number).cloned()
            {
                self.tell_state(number, next, key, value);
            }
        }
    }

    fn tell_state(&mut self, partition: i32, offset: i64, key: Box<[u8]>, value: Box<[u8]>) {
        self.machine.handle(Input::State {
            partition,
            offset,
            key,
            value,
        });
    }

    pub(super) fn assign(&mut self, from: Vec<(SourceId, i32, i64)>, kafka: &Kafka) {
        let trusts = self.mutated(Mutation::GroupOffsets);
        let at = |(source, partition, offset)| {
            let committed = kafka.of[self.side()]
                .group
                .offset(source, partition)
                .filter(|_| trusts);
            ((source, partition), committed.unwrap_or(offset))
        };
        self.consumer.positions = from.into_iter().map(at).collect();
        self.consumer.paused.clear();
    }

    pub(super) fn read_inputs(&mut self, kafka: &mut Kafka) {
        let places: Vec<_> = self
            .consumer
            .positions
            .iter()
            .map(|(&at, &position)| (at, position))
            .collect();
        for ((source, partition), position) in places {
            if self.consumer.paused.contains(&(source, partition)) || !kafka.rng.chance(70) {
                continue;
            }
            let most = usize::try_from(kafka.rng.between(1, 20)).expect("never negative");
            let place = self.place(source, partition);
            if kafka.is_mute(place) {
                continue;
            }
            match kafka.cluster.log(place).fetch(position, most) {
                Fetched::Records(records, next) => {
                    for &offset in &records {
                        self.machine
                            .handle(Input::Record(record(kafka, (source, place), offset)));
                    }
                    let last = records.last().map(|offset| offset + 1);
                    let next = if self.mutated(Mutation::LastOffset) {
                        last.unwrap_or(position)
                    } else {
                        next
                    };
                    self.consumer.positions.insert((source, partition), next);
                }
                Fetched::OutOfRange => {
                    let to = kafka.cluster.log(place).start;
                    self.consumer.positions.insert((source, partition), to);
                    self.machine.handle(Input::Hole {
                        source,
                        partition,
                        to,
                    });
                }
            }
        }
    }

    pub(super) fn look(&mut self, kafka: &Kafka) {
        if kafka.now() < self.consumer.looked + LOOK_EVERY_MS {
            return;
        }
        self.consumer.looked = kafka.now();
        if self.side() == Side::Watch
            && let Some(now) = self.about(self.monotonic(kafka.now()))
        {
            self.machine.handle(Input::BrokerTime(now));
        }
        for (&(source, partition), &position) in &self.consumer.positions {
            self.machine.handle(Input::Position {
                source,
                partition,
                position,
            });
        }
    }
}

fn record(kafka: &Kafka, (source, place): (SourceId, Place), offset: i64) -> RawRecord {
    let data = &kafka.cluster.log(place).entry(offset).data;
    RawRecord {
        source,
        partition: place.partition,
        offset,
        ts: data.ts,
        key: data.key.clone(),
        value: data.value.clone(),
    }
}

impl Kafka {
    /// The state topic's partition.
    pub(super) fn truncated(&self, number: i32) -> Place {
        self.cluster.topics.of_output(Topic::State, number)
    }
}

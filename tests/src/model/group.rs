//! The group coordinator: members, generations, who gets which partition number.

use std::collections::BTreeMap;

use settlewatch_protocol::SourceId;

/// How partitions are assigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Assignor {
    /// The same partition numbers of every topic.
    Range,
    /// Each topic for itself, so that numbers may be torn between members.
    Sticky,
}

/// What a heartbeat is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beat {
    Fine,
    /// Give up what you have and join again.
    Rejoin,
    /// The group does not know this member.
    Unknown,
}

#[derive(Debug)]
struct Member {
    id: u64,
    instance: Option<u32>,
    seen: i64,
    joined: bool,
    /// Partition numbers, by topic.
    assignment: Vec<Vec<i32>>,
}

/// The group.
#[derive(Debug)]
pub(super) struct Group {
    assignor: Assignor,
    topics: usize,
    numbers: i32,
    members: Vec<Member>,
    generation: i32,
    /// The rebalance under way ends then at the latest.
    rebalance_by: Option<i64>,
    next_member: u64,
    offsets: BTreeMap<(SourceId, i32), i64>,
    pub(super) session_timeout_ms: i64,
    pub(super) rebalance_timeout_ms: i64,
}

impl Group {
    /// Nobody is there yet.
    pub(super) fn new(
        assignor: Assignor,
        topics: usize,
        numbers: i32,
        session_timeout_ms: i64,
    ) -> Self {
        Self {
            assignor,
            topics,
            numbers,
            members: Vec::new(),
            generation: 0,
            rebalance_by: None,
            next_member: 1,
            offsets: BTreeMap::new(),
            session_timeout_ms,
            rebalance_timeout_ms: 4 * session_timeout_ms,
        }
    }

    fn member(&mut self, id: u64) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.id == id)
    }

    fn rebalance(&mut self, now: i64) {
        if self.rebalance_by.is_none() {
            self.rebalance_by = Some(now + self.rebalance_timeout_ms);
            self.members.iter_mut().for_each(|it| it.joined = false);
        }
    }

    /// Joins, or joins again. A member that comes back under its name takes its place over without a rebalance.
    pub(super) fn join(&mut self, known: Option<u64>, instance: Option<u32>, now: i64) -> u64 {
        if let Some(member) = known.and_then(|id| self.member(id)) {
            (member.joined, member.seen) = (true, now);
            return member.id;
        }
        let id = self.next_member;
        self.next_member += 1;
        let same = |member: &&mut Member| instance.is_some() && member.instance == instance;
        let stable = self.rebalance_by.is_none();
        if let Some(member) = self.members.iter_mut().find(same) {
            (member.id, member.seen) = (id, now);
            member.joined = !stable;
            return id;
        }
        self.rebalance(now);
        self.members.push(Member {
            id,
            instance,
            seen: now,
            joined: true,
            assignment: Vec::new(),
        });
        id
    }

    /// Leaves: a member without a name, and for ever.
    pub(super) fn leave(&mut self, id: u64, now: i64) {
        if self.member(id).is_some() {
            self.members.retain(|member| member.id != id);
            self.rebalance(now);
        }
    }

    /// A sign of life.
    pub(super) fn beat(&mut self, id: u64, now: i64) -> Beat {
        let rebalancing = self.rebalance_by.is_some();
        match self.member(id) {
            None => Beat::Unknown,
            Some(member) => {
                member.seen = now;
                if rebalancing && !member.joined {
                    Beat::Rejoin
                } else {
                    Beat::Fine
                }
            }
        }
    }

    /// The assignment of a member: its generation and numbers by topic; `None` while the group is rebalancing.
    pub(super) fn assignment(&mut self, id: u64) -> Option<(i32, Vec<Vec<i32>>)> {
        if self.rebalance_by.is_some() {
            return None;
        }
        let generation = self.generation;
        let member = self.member(id)?;
        Some((generation, member.assignment.clone()))
    }

    /// Whether offsets of this member and generation are taken. Without a member, nobody is checked.
    pub(super) fn accepts(&mut self, group: Option<(u64, i32)>) -> bool {
        match group {
            None => true,
            Some((id, generation)) => generation == self.generation && self.member(id).is_some(),
        }
    }

    /// Offsets of a committed transaction.
    pub(super) fn commit(&mut self, offsets: &[(SourceId, i32, i64)]) {
        for &(source, partition, offset) in offsets {
            self.offsets.insert((source, partition), offset);
        }
    }

    /// The committed offset.
    pub(super) fn offset(&self, source: SourceId, partition: i32) -> Option<i64> {
        self.offsets.get(&(source, partition)).copied()
    }

    /// Time has passed: members are missed, a rebalance ends.
    pub(super) fn pass(&mut self, now: i64) {
        let (before, timeout) = (self.members.len(), self.session_timeout_ms);
        self.members.retain(|member| member.seen + timeout > now);
        if self.members.len() != before {
            self.rebalance(now);
        }
        let Some(by) = self.rebalance_by else {
            return;
        };
        if now >= by {
            self.members.retain(|member| member.joined);
        }
        if self.members.iter().all(|member| member.joined) {
            self.rebalance_by = None;
            self.generation += 1;
            self.assign();
        }
    }

    fn assign(&mut self) {
        self.members.sort_by_key(|member| member.id);
        let count = self.members.len();
        for (at, member) in self.members.iter_mut().enumerate() {
            let topic = |topic: usize| {
                let shift = match self.assignor {
                    Assignor::Range => 0,
                    Assignor::Sticky => topic,
                };
                let mine = |number: &i32| {
                    let number = usize::try_from(*number).expect("never negative");
                    // Contiguous shares, as the range assignor makes them.
                    let share = number * count / usize::try_from(self.numbers).expect("some");
                    (share + shift) % count == at
                };
                (0..self.numbers).filter(mine).collect()
            };
            member.assignment = (0..self.topics).map(topic).collect();
        }
    }
}

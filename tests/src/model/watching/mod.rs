//! The watch in the simulation: its members, what they read beside the pulses, who judges, and the oracle of it.
//!
//! Its shell is that of the lanes: one code carries the transactions of both, and meets the same troubles.

mod core;
mod feeder;
mod oracle;
mod steps;

use std::fmt::Write as _;

use settlewatch_protocol::{FeedConfig, Limits, Topic, Watcher, WatcherConfig};

use super::cluster::Topics;
use super::draw::{self, limits};
use super::fault::{Coverage, Plan};
use super::group::Assignor;
use super::kafka::{Coordinator, Mute};
use super::machine::Machine;
use super::member::{Member, Setup as MemberSetup};
use super::run::World;
use crate::generate::Rng;

pub(super) use self::core::Judge;
pub(super) use feeder::Feeder;
pub(super) use oracle::judge;

/// Transactional ids of the watch, and names in its group; those of lanes are below.
pub(super) const FIRST_ID: u32 = 500;

/// What the members of a world's watch are given.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    /// Whether producers stamp the auxiliary topic.
    pub(super) create_time: bool,
    limits: Limits,
    waiting_records: usize,
    /// Some processes start with other rules.
    changes: bool,
}

/// What the watch of a simulation came to.
#[derive(Clone, Debug, Default)]
pub struct Watched {
    /// Which fault met its members in which phase.
    pub coverage: Coverage,
    /// Revisions that were compared with those of a core that never died, byte by byte.
    pub compared: usize,
    /// Seconds that were judged again.
    pub seconds: usize,
    /// Those of which a partition was blind.
    pub blind: usize,
    /// Those of which the auxiliary topic was withheld.
    pub withheld: usize,
    /// Pulse records that were taken in.
    pub absorbed: usize,
    /// Auxiliary records that were taken in.
    pub heard: usize,
    /// Times that a member took over.
    pub claims: usize,
}

impl Watched {
    /// Adds what another run came to.
    pub fn merge(&mut self, other: &Self) {
        self.coverage.merge(&other.coverage);
        self.compared += other.compared;
        self.seconds += other.seconds;
        self.blind += other.blind;
        self.withheld += other.withheld;
        self.absorbed += other.absorbed;
        self.heard += other.heard;
        self.claims += other.claims;
    }
}

impl std::fmt::Display for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            compared,
            seconds,
            blind,
            withheld,
            absorbed,
            heard,
            claims,
            ..
        } = self;
        write!(
            f,
            "{compared} revisions compared, {seconds} seconds ({blind} partly blind, {withheld} withheld), {absorbed} \
             pulse records and {heard} auxiliary ones taken in, {claims} claims"
        )
    }
}

impl Setup {
    pub(super) fn new(rng: &mut Rng) -> Self {
        Self {
            create_time: rng.chance(50),
            limits: limits(rng, Limits::of_watch()),
            waiting_records: rng.pick(&[0, 100_000]),
            changes: rng.chance(30),
        }
    }
}

impl MemberSetup {
    /// Which topics have their producers' timestamps.
    pub(super) fn stamped(&self) -> Vec<bool> {
        let mut stamped = self.create_time.clone();
        stamped.resize(self.topics.len(), false);
        stamped[self.topics.feed(0).topic] = self.watch.create_time;
        stamped
    }
}

/// The group of the watch: who has the one partition of its state is active.
pub(super) fn coordinator(rng: &mut Rng) -> Coordinator {
    draw::coordinator(rng, Assignor::Range, (1, 1))
}

/// What strikes the members of the watch.
pub(super) fn plan(rng: &mut Rng) -> Plan {
    let faults = rng.pick(&[0, 3, 6, 9]);
    Plan::new(rng, faults)
}

/// Partitions that the watch cannot fetch for a while: longer than it waits for one, as a rule.
pub(super) fn mutes(rng: &mut Rng, topics: Topics, begins: i64) -> Vec<Mute> {
    let one = |rng: &mut Rng| {
        let from = begins + rng.between(0, 5000);
        let place = if rng.chance(70) {
            let number = rng.between(0, i64::from(topics.numbers) - 1);
            topics.of_output(Topic::Pulse, i32::try_from(number).expect("few"))
        } else {
            topics.feed(0)
        };
        Mute {
            place,
            from,
            until: from + rng.pick(&[600, 6000, 6000, 9000]),
        }
    };
    (0..rng.pick(&[0, 0, 1, 2])).map(|_| one(rng)).collect()
}

/// A member of the watch that starts now.
pub(super) fn member(setup: &MemberSetup, (name, nonce): (u32, u64), now: i64) -> Member {
    let watch = &setup.watch;
    let other = watch.changes && nonce % 3 == 0;
    let config = WatcherConfig {
        rules: if other {
            b"other rules"[..].into()
        } else {
            b"rules"[..].into()
        },
        numbers: setup.topics.numbers,
        feeds: vec![FeedConfig {
            identity: b"feed"[..].into(),
            rank: 3,
            partitions: setup.topics.feeds,
            log_append_time: !watch.create_time,
        }],
        waiting_records: watch.waiting_records,
        identity: b"model"[..].into(),
        nonce: nonce << NONCE_BITS,
    };
    let core = Judge::new(setup.topics.numbers, setup.mutation);
    let watcher = Watcher::new(config, core).with_limits(watch.limits);
    Member::start(setup, Machine::Watch(Box::new(watcher)), (name, nonce), now)
}

/// A claim says which process it is of, and which of its claims.
const NONCE_BITS: u32 = 20;

/// The last second that the pulses of lanes end that know everything up to `end`.
fn last_second(end: i64) -> i64 {
    end.div_euclid(1000) - 1
}

/// Whether an active watch has judged everything up to `end`.
pub(super) fn is_judged(world: &World, end: i64) -> bool {
    world.machines().any(|machine| match machine {
        Machine::Lane(_) => false,
        Machine::Watch(it) => it.is_active() && it.second() >= Some(last_second(end)),
    })
}

/// How far the members are.
pub(super) fn how_it_stands(world: &World, told: &mut String) {
    for machine in world.machines() {
        if let Machine::Watch(watcher) = machine {
            let judged = watcher.second();
            // Writing to a string cannot fail.
            let _ = write!(told, "; the watch: {}, judged {judged:?}", watcher.phase());
        }
    }
}

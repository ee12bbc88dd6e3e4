//! What goes wrong in a world, and how it ends.

use super::cluster::Place;
use super::fault::{Fault, Phase, Plan};
use super::kafka::{Kafka, Side, Sides};
use super::member::Doom;
use super::run::World;
use super::steps::steps;

impl World {
    /// Nothing goes wrong from now on.
    pub(super) fn heal(&mut self) {
        self.note(|| "healed".into());
        let now = self.kafka.now();
        self.healed = true;
        self.plans = Sides {
            lanes: Plan::default(),
            watch: Plan::default(),
        };
        self.kafka.cluster.heal();
        self.kafka.cluster.prefer_leaders();
        self.kafka.of.lanes.transactions.heal(now);
        self.kafka.of.watch.transactions.heal(now);
        self.kafka.mutes.clear();
        self.feeder.heal(now);
        self.upstream.heal(now);
        let again = self.kafka.rng.chance(50);
        for at in 0..self.slots.len() {
            self.slots[at].paused_until = now;
            self.slots[at].drains_at = None;
            if let Some(member) = &mut self.slots[at].member {
                member.doom = None;
            }
            if again && self.slots[at].member.is_some() {
                self.crash(at, now);
            }
            self.slots[at].up_at = self.slots[at].up_at.min(now);
        }
    }

    /// Retention takes the older half of what a partition number has in one input, or in all.
    pub(super) fn retain(&mut self, now: i64) {
        if self.retention_at.is_none_or(|at| now < at) {
            return;
        }
        self.retention_at = None;
        let topics = self.setup.topics;
        let rng = &mut self.kafka.rng;
        let (all, one) = (rng.chance(50), rng.between(0, topics.inputs as i64 - 1));
        let number = rng.between(0, i64::from(topics.numbers) - 1);
        let partition = i32::try_from(number).expect("few");
        // Who has not begun begins with what is left.
        if steps(self.kafka.cluster.log(self.kafka.truncated(partition))).is_empty() {
            return;
        }
        for topic in (0..topics.inputs).filter(|&topic| all || topic as i64 == one) {
            let place = Place { topic, partition };
            let log = self.kafka.cluster.log_mut(place);
            let to = log.stable() / 2;
            if to > log.start {
                log.start = to;
                self.retention_struck = true;
                self.note(|| format!("retention takes {place:?} before {to}"));
            }
        }
    }

    pub(super) fn crash(&mut self, at: usize, up_at: i64) {
        if let Some(member) = self.slots[at].member.take() {
            member.die(&mut self.kafka);
        }
        self.slots[at].up_at = up_at;
    }

    pub(super) fn met(&mut self, at: usize, phase: Phase) {
        if self.options.verbose && phase != Phase::Running && phase != Phase::Idle {
            self.note(|| format!("{at} {}", phase.name()));
        }
        if self.healed {
            return;
        }
        let side = self.slots[at].side;
        while let Some(fault) = self.plans[side].meet(phase) {
            if fault.fits(phase) {
                let coverage = match side {
                    Side::Lanes => &mut self.report.coverage,
                    Side::Watch => &mut self.report.watched.coverage,
                };
                coverage.met(fault, phase);
                self.note(|| format!("{at} {}: {}", phase.name(), fault.name()));
                self.strike(at, fault);
            }
        }
    }

    fn strike(&mut self, at: usize, fault: Fault) {
        let now = self.kafka.now();
        let rng = &mut self.kafka.rng;
        let session = self.kafka.of[self.slots[at].side].group.session_timeout_ms;
        let transaction = self.setup.transaction_timeout_ms;
        let some = rng.between(10, 800);
        match fault {
            Fault::Crash => self.crash(at, now + some),
            Fault::CrashElsewhere => {
                self.slots[at].name += 10;
                self.crash(at, now + some);
            }
            Fault::PauseShort => self.slots[at].paused_until = now + some / 4,
            Fault::PauseSession => self.slots[at].paused_until = now + session + some,
            Fault::PauseTransaction => {
                self.slots[at].paused_until = now + session.max(transaction) + some
            }
            Fault::Leader => self.change_leaders(),
            Fault::Slow => {
                let topic = rng.between(0, self.kafka.cluster.slow.len() as i64 - 1);
                let topic = usize::try_from(topic).expect("never negative");
                self.kafka.cluster.slow[topic] = rng.pick(&[20, 200, 700]);
                self.slow_until = now + some;
            }
            Fault::Rebalance => self.join_or_drain(at, now),
            Fault::Abort => self.doom(at, Doom::Abort),
            Fault::CommitLost => self.doom(at, Doom::Lost),
            Fault::CommitLate => {
                let late = rng.pick(&[1, 5, 20, 100, 300, 500, 800]);
                self.doom(at, Doom::Late(late));
            }
            Fault::CommitNever => self.doom(at, Doom::Never),
        }
    }

    fn doom(&mut self, at: usize, doom: Doom) {
        if let Some(member) = &mut self.slots[at].member {
            member.doom = Some(doom);
        }
    }

    fn change_leaders(&mut self) {
        for place in self.kafka.cluster.places() {
            if self.kafka.rng.chance(30) {
                let Kafka { cluster, rng, .. } = &mut self.kafka;
                cluster.change_leader(place, rng);
            }
        }
    }

    /// Another process of the same side comes or goes.
    fn join_or_drain(&mut self, at: usize, now: i64) {
        let side = self.slots[at].side;
        let after = (at + 1..self.slots.len()).chain(0..=at);
        let other = { after }.find(|&other| self.slots[other].side == side);
        let other = other.unwrap_or(at);
        let slot = &mut self.slots[other];
        if slot.member.is_none() {
            slot.up_at = now;
        } else {
            slot.drains_at = Some(now);
        }
    }
}

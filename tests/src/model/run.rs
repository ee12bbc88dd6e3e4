//! One simulation: a world in which things go wrong, then one in which nothing does.

use std::fmt::Write as _;

use settlewatch_protocol::{Fault as LaneFault, Lane};

use super::cluster::{Cluster, Topics};
use super::draw;
use super::fault::{Coverage, Phase, Plan};
use super::group::Assignor;
use super::host::ModelHost;
use super::kafka::{Kafka, Side, Sides};
use super::machine::Machine;
use super::member::{Member, Setup, Turn};
use super::mutation::Mutation;
use super::oracle;
use super::story::Story;
use super::upstream::Upstream;
use super::watching::{self, Feeder, Watched};
use crate::generate::Rng;

/// Within so much time without faults everything must become final.
const LIVENESS_MS: i64 = 20_000;

/// Longest time that things go wrong after the story has ended.
const TROUBLE_AFTER_MS: i64 = 6000;

/// How a simulation is to be run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub seed: u64,
    pub mutation: Option<Mutation>,
    /// Tell every turn.
    pub verbose: bool,
}

/// What a simulation came to.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What must not be; empty when all is well.
    pub violations: Vec<String>,
    pub coverage: Coverage,
    /// Alerts that were compared with the oracle, one by one.
    pub compared: usize,
    /// Alerts that were held only against what must hold of any: what a live reader alone meets.
    pub excused: usize,
    /// Payments with one credit and nothing else: none of them may have an alert if it could be read in time.
    pub plain: usize,
    /// What the watch came to.
    pub watched: Watched,
    /// Rounds of the main loop.
    pub rounds: u64,
    /// What happened, where that was asked for.
    pub history: String,
}

/// A place for a process.
pub(super) struct Slot {
    pub(super) side: Side,
    pub(super) member: Option<Member>,
    /// It has run: the next one is a restart.
    pub(super) name: u32,
    pub(super) up_at: i64,
    pub(super) paused_until: i64,
    pub(super) wakes_at: i64,
    pub(super) drains_at: Option<i64>,
}

/// The whole.
pub(super) struct World {
    pub(super) options: Options,
    pub(super) kafka: Kafka,
    pub(super) story: Story,
    pub(super) upstream: Upstream,
    pub(super) feeder: Feeder,
    pub(super) setup: Setup,
    pub(super) host: ModelHost,
    pub(super) slots: Vec<Slot>,
    pub(super) plans: Sides<Plan>,
    pub(super) nonce: u64,
    pub(super) slow_until: i64,
    /// When retention takes something, and whether it took what was not read.
    pub(super) retention_at: Option<i64>,
    pub(super) retention_struck: bool,
    pub(super) failed: Option<LaneFault>,
    pub(super) healed: bool,
    pub(super) report: Report,
}

/// Runs a simulation. A panic is a violation too.
pub fn run(options: Options) -> Report {
    std::panic::catch_unwind(|| simulate(options)).unwrap_or_else(|_| Report {
        violations: vec!["panicked".into()],
        ..Report::default()
    })
}

fn simulate(options: Options) -> Report {
    let mut world = World::new(options);
    world.safety();
    if world.failed.is_none() {
        world.liveness();
    }
    oracle::judge(world)
}

impl World {
    fn new(options: Options) -> Self {
        let mut rng = Rng::new(options.seed ^ 0x5eed_0000_0000_0000);
        let topics = Topics {
            inputs: usize::try_from(rng.between(2, 3)).expect("few"),
            numbers: i32::try_from(rng.between(2, 4)).expect("few"),
            feeds: i32::try_from(rng.between(1, 2)).expect("few"),
        };
        let story = Story::new(&mut rng, topics);
        let setup = draw::setup(&mut rng, topics, story.begins, options.mutation);
        let brokers = rng.between(1, 2.min(i64::from(topics.numbers)));
        let skewed = rng.chance(40);
        let ahead = (0..brokers).map(|_| if skewed { rng.between(0, 500) } else { 0 });
        let ahead = ahead.collect();
        let stamped = setup.stamped();
        let cluster = Cluster::new(topics, ahead, story.begins, &stamped);
        let assignor = if options.mutation == Some(Mutation::Sticky) {
            Assignor::Sticky
        } else {
            Assignor::Range
        };
        let of_lanes = (topics.inputs + 1, topics.numbers);
        let lanes = draw::coordinator(&mut rng, assignor, of_lanes);
        let habits = draw::habits(&mut rng);
        let upstream = Upstream::new(&story, habits);
        let faults = rng.pick(&[0, 2, 4, 6, 9]);
        let plan = Plan::new(&mut rng, faults);
        let span = (story.begins, story.ends());
        let mut slots = draw::slots(&mut rng, (Side::Lanes, 0), span);
        let host = ModelHost {
            settings: std::sync::Arc::clone(&story.settings),
        };
        let retention_at = rng
            .chance(6)
            .then(|| rng.between(story.begins + 1000, story.ends() + 2000));
        let watch = watching::coordinator(&mut rng);
        let feeder = Feeder::new(&mut rng, &setup);
        let plans = Sides {
            lanes: plan,
            watch: watching::plan(&mut rng),
        };
        let mutes = watching::mutes(&mut rng, topics, story.begins);
        slots.extend(draw::slots(
            &mut rng,
            (Side::Watch, watching::FIRST_ID),
            span,
        ));
        Self {
            options,
            kafka: Kafka {
                cluster,
                of: Sides { lanes, watch },
                mutes,
                rng,
                begun_by: Vec::new(),
            },
            story,
            upstream,
            feeder,
            setup,
            host,
            slots,
            plans,
            nonce: 1,
            slow_until: i64::MIN,
            retention_at,
            retention_struck: false,
            failed: None,
            healed: false,
            report: Report::default(),
        }
    }

    pub(super) fn into_report(self) -> Report {
        self.report
    }

    /// Nothing was found so far.
    pub(super) fn is_well(&self) -> bool {
        self.report.violations.is_empty()
    }

    pub(super) fn setup(&self) -> &Setup {
        &self.setup
    }

    pub(super) fn violation(&mut self, text: String) {
        self.report.violations.push(text);
    }

    pub(super) fn count(&mut self, compared: usize, excused: usize) {
        self.report.compared += compared;
        self.report.excused += excused;
    }

    pub(super) fn count_watched(&mut self, watched: &Watched) {
        self.report.watched.merge(watched);
    }

    pub(super) fn count_plain(&mut self, plain: usize) {
        self.report.plain += plain;
    }

    /// What runs in the processes.
    pub(super) fn machines(&self) -> impl Iterator<Item = &Machine> {
        let members = self.slots.iter().filter_map(|slot| slot.member.as_ref());
        members.map(|member| &member.machine)
    }

    /// Lanes that run.
    pub(super) fn lanes(&self) -> impl Iterator<Item = &Lane<ModelHost>> {
        self.machines().filter_map(|machine| match machine {
            Machine::Lane(lane) => Some(&**lane),
            Machine::Watch(_) => None,
        })
    }

    pub(super) fn note(&mut self, text: impl FnOnce() -> String) {
        if self.options.verbose {
            let at = self.kafka.now() - self.story.begins;
            // Writing to a string cannot fail.
            let _ = writeln!(self.report.history, "{at:>7} {}", text());
        }
    }

    fn safety(&mut self) {
        let latest = self.story.ends() + TROUBLE_AFTER_MS;
        let ends = self.story.ends() + self.kafka.rng.between(0, TROUBLE_AFTER_MS / 2);
        while self.failed.is_none() && self.kafka.now() < latest {
            let quiet = self.upstream.is_done() && self.kafka.now() > ends;
            if quiet {
                break;
            }
            self.round();
        }
    }

    fn liveness(&mut self) {
        self.heal();
        let until = self.kafka.now() + LIVENESS_MS;
        let mut settled = None;
        let settle_ms = if self.story.pairs { 3000 } else { 1500 };
        while self.failed.is_none() {
            self.round();
            let now = self.kafka.now();
            let end = self.end();
            let is_known = self.is_known(end + 1) && watching::is_judged(self, end);
            if self.upstream.is_done() && is_known {
                let since = *settled.get_or_insert(now);
                if now > since + settle_ms {
                    return;
                }
            } else {
                settled = None;
            }
            if now > until {
                let told = self.how_it_stands(end);
                self.violation(format!(
                    "liveness: not everything is known {LIVENESS_MS} ms after the last fault: {told}"
                ));
                return;
            }
        }
    }

    fn how_it_stands(&self, end: i64) -> String {
        let mut told = format!("upstream is done: {}", self.upstream.is_done());
        for lane in self.lanes() {
            let _ = write!(told, "; {} of {:?}", lane.phase(), lane.assigned_numbers());
            for (source, number, known) in lane.known_times() {
                let behind = end - known.millis();
                let _ = write!(told, ", {}/{number} {behind} ms to go", source.0);
            }
        }
        watching::how_it_stands(self, &mut told);
        told
    }

    /// The moment up to which alerts are compared.
    pub(super) fn end(&self) -> i64 {
        self.story.ends() + 1000 + i64::try_from(self.options.seed % 5).unwrap_or(0) * 600
    }

    fn is_known(&self, at: i64) -> bool {
        let numbers = 0..self.setup.topics.numbers;
        let mut known = numbers.map(|number| {
            let owners = self.lanes().filter(|it| it.is_ready());
            let mut partitions = owners.filter_map(|it| it.partition(number));
            partitions.any(|partition| partition.known().millis() > at)
        });
        known.all(|known| known)
    }

    fn round(&mut self) {
        self.report.rounds += 1;
        let rng = &mut self.kafka.rng;
        let step = match rng.between(0, 9) {
            0..=4 => rng.between(1, 3),
            5..=8 => rng.between(4, 10),
            _ => rng.between(10, 25),
        };
        self.kafka.cluster.now += step;
        let now = self.kafka.now();
        if now >= self.slow_until && self.slow_until > i64::MIN {
            self.kafka.cluster.heal();
            self.slow_until = i64::MIN;
        }
        self.retain(now);
        let Kafka {
            cluster, of, rng, ..
        } = &mut self.kafka;
        self.upstream.pass(cluster, &mut of.lanes.transactions, rng);
        self.feeder.pass(cluster, &mut of.watch.transactions, rng);
        self.kafka.pass();
        for at in 0..self.slots.len() {
            if let Some(member) = &mut self.slots[at].member {
                let to_stable = member.mutated(Mutation::ProbeStable);
                member.prober.leaders_answer(&self.kafka, to_stable);
            }
            self.process(at, now);
        }
    }

    fn process(&mut self, at: usize, now: i64) {
        let slot = &mut self.slots[at];
        if slot.paused_until > now {
            return;
        }
        let Some(member) = &mut slot.member else {
            if slot.up_at <= now {
                self.start(at, now);
            }
            return;
        };
        member.consumer.beat(&mut self.kafka);
        member.probe(&mut self.kafka);
        if slot.drains_at.is_some_and(|drains| drains <= now) {
            slot.drains_at = None;
            member.drain();
            return self.met(at, Phase::DrainBegun);
        }
        if slot.wakes_at > now {
            return;
        }
        slot.wakes_at = now + self.kafka.rng.between(0, 3);
        match member.turn(&mut self.kafka) {
            Turn::At(phase) => self.met(at, phase),
            Turn::Drained => {
                self.note(|| format!("{at} drained"));
                slot_down(&mut self.slots[at], now + 200);
            }
            Turn::Failed(fault) => {
                self.note(|| format!("{at} failed: {fault}"));
                self.failed = Some(fault);
            }
        }
    }

    fn start(&mut self, at: usize, now: i64) {
        self.nonce += 1;
        let slot = &mut self.slots[at];
        let (name, nonce) = (slot.name, self.nonce);
        slot.member = Some(match slot.side {
            Side::Lanes => Member::lane(&self.setup, self.host.clone(), (name, nonce), now),
            Side::Watch => watching::member(&self.setup, (name, nonce), now),
        });
        slot.wakes_at = now;
        self.note(|| format!("{at} starts as {name}"));
    }
}

fn slot_down(slot: &mut Slot, up_at: i64) {
    slot.member = None;
    slot.up_at = up_at;
}

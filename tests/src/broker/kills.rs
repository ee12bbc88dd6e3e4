//! Services that are killed wherever it hurts, again and again, while payments go on.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::group::Group;
use super::judge::{Expected, Judgement};
use super::process::{End, Signal};
use super::service::Service;
use super::traffic::Traffic;
use super::wait::{now_ms, until};
use crate::generate::Rng;

/// A service that is to die somewhere has died by then, or never comes there.
const DIE_WITHIN: Duration = Duration::from_secs(30);
/// Services that are tried in a phase before it counts as one that cannot be reached.
const TRIES: usize = 3;
/// A group whose services miss so many of their phases is not tried further.
const MISSES: u64 = 8;
/// What is expected is written by then after the last record.
const SETTLE_WITHIN: Duration = Duration::from_secs(60);
/// The number of the signal that a failpoint raises.
const ABORTED: End = End::Signal(6);

/// Where a service dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phase(pub &'static str);

/// Where, and what makes it come there.
const PHASES: [(&str, Way); 22] = [
    ("claim_begun", Way::Start),
    ("claim_produced", Way::Start),
    ("claim_drained", Way::Start),
    ("claim_offsets", Way::Start),
    ("claim_committed", Way::Start),
    ("restore_begun", Way::Start),
    ("restore_read", Way::Start),
    ("restored", Way::Start),
    ("assigned", Way::Start),
    ("step_begun", Way::Work),
    ("step_produced", Way::Work),
    ("step_drained", Way::Work),
    ("step_offsets", Way::Work),
    ("step_committed", Way::Work),
    ("snapshot_begun", Way::Stop),
    ("snapshot_chunk", Way::Stop),
    ("snapshot_done", Way::Stop),
    ("truncating", Way::Stop),
    ("truncated", Way::Stop),
    ("drain_begun", Way::Stop),
    ("drained", Way::Stop),
    (RANDOM, Way::Any),
];

/// Has a service die in every phase, one after the other; `start` starts it with an environment.
///
/// # Panics
/// When one does not come to its phase.
pub fn die_in_every_phase(start: impl Fn(&[(&str, &str)]) -> Service) {
    for (name, way) in PHASES.into_iter().filter(|(_, way)| *way != Way::Any) {
        let failpoint = format!("{name}:1");
        // On a busy machine one may not come there in time.
        let died = (0..TRIES).any(|_| {
            let env = [("SETTLEWATCH_FAILPOINT", failpoint.as_str())];
            die(name, way, || start(&env)) == Some(ABORTED)
        });
        assert!(died, "it comes to {name}");
    }
}

/// Starts a service that is to die in a phase, and waits for that.
fn die(name: &str, way: Way, start: impl Fn() -> Service) -> Option<End> {
    let mut service = start();
    if way == Way::Stop {
        wait_until_ready_or_dead(&mut service);
        service.signal(Signal::TERM);
    }
    let end = wait_for_end(&mut service);
    println!("{name}: {end:?}");
    if end.is_none() {
        service.kill();
    }
    end
}

/// Killed from outside, whatever it does.
const RANDOM: &str = "random";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// It comes there when it starts.
    Start,
    /// It comes there again and again.
    Work,
    /// It comes there when it is told to stop.
    Stop,
    /// It need not come anywhere.
    Any,
}

/// Kills by phase, and phases that a service was to die in but did not come to.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Deaths by phase.
    pub died: BTreeMap<Phase, u64>,
    /// Services that did not come to their phase in time, and were killed.
    pub missed: BTreeMap<Phase, u64>,
}

impl Report {
    /// How many services died.
    pub fn total(&self) -> u64 {
        self.died.values().sum()
    }

    /// Takes another report in.
    pub fn add(&mut self, other: &Self) {
        for (phase, count) in &other.died {
            *self.died.entry(*phase).or_default() += count;
        }
        for (phase, count) in &other.missed {
            *self.missed.entry(*phase).or_default() += count;
        }
    }

    /// Phases in which nothing died.
    pub fn empty(&self) -> Vec<&'static str> {
        let names = PHASES.iter().map(|(name, _)| *name);
        names
            .filter(|name| !self.died.contains_key(&Phase(name)))
            .collect()
    }

    /// For people, a phase in each line.
    pub fn words(&self) -> String {
        let mut words = format!("{} kills\n", self.total());
        for (name, _) in PHASES {
            let count = |of: &BTreeMap<Phase, u64>| of.get(&Phase(name)).copied().unwrap_or(0);
            let (died, missed) = (count(&self.died), count(&self.missed));
            let _ = writeln!(words, "  {name:<16} {died:>3} killed, {missed} not reached");
        }
        words
    }
}

/// A member of a group that is started again and again.
struct Slot {
    name: String,
    /// Its name in the group, the same after a restart; none where membership is dynamic.
    instance: String,
    service: Option<Service>,
}

/// Kills in one group.
pub struct Kills<'a> {
    group: &'a Group<'a>,
    slots: Vec<Slot>,
    rng: Rng,
    report: Report,
    /// Phases that are left of this round, the next one last.
    left: Vec<(&'static str, Way)>,
}

impl<'a> Kills<'a> {
    /// With so many processes; with `stable` names their membership survives a restart.
    pub fn new(group: &'a Group<'a>, processes: usize, stable: bool, seed: u64) -> Self {
        let slot = |i| Slot {
            name: format!("member-{i}"),
            instance: if stable {
                format!("member-{i}")
            } else {
                String::new()
            },
            service: None,
        };
        Self {
            group,
            slots: (0..processes).map(slot).collect(),
            rng: Rng::new(seed),
            report: Report::default(),
            left: Vec::new(),
        }
    }

    /// Kills services until `kills` have died, each phase as often as the others, while `per_second` payments begin
    /// each second; then lets the group come to rest and judges what it wrote.
    pub fn run(mut self, kills: u64, per_second: i64) -> (Report, Judgement) {
        self.begin();
        let seed = self.rng.bits();
        let traffic = Traffic::start(self.group, seed, per_second);
        let missed = |report: &Report| report.missed.values().sum::<u64>();
        while self.report.total() < kills && missed(&self.report) < MISSES {
            self.kill_one();
        }
        traffic.finish();
        self.start_all();
        let expected = Expected::of(self.group);
        expected.wait_for(self.group, SETTLE_WITHIN);
        for slot in &mut self.slots {
            slot.service.take().expect("all were started").stop();
        }
        let judgement = expected.compare(self.group);
        (self.report, judgement)
    }

    /// A group that has run for so long that it tells of orphans.
    fn begin(&mut self) {
        self.start_all();
        self.group.open();
        let rules = &self.group.setup.rules.rules;
        let tiers = rules.iter().flat_map(|rule| rule.tiers.iter());
        let longest = tiers
            .map(|tier| tier.after_ms)
            .max()
            .expect("there are tiers");
        let begun = now_ms() + longest + 200;
        until("the group has begun", DIE_WITHIN, || {
            (now_ms() > begun).then_some(())
        });
    }

    fn start_all(&mut self) {
        for slot in &mut self.slots {
            let alive = slot
                .service
                .as_mut()
                .is_some_and(|it| it.process().ended().is_none());
            if !alive {
                slot.service = Some(self.group.start(&slot.name, &slot.instance, &[]));
            }
        }
        for slot in &mut self.slots {
            slot.service
                .as_mut()
                .expect("it was started")
                .wait_until_ready();
        }
    }

    fn next_phase(&mut self) -> (&'static str, Way) {
        if self.left.is_empty() {
            self.left.extend(PHASES);
            for i in (1..self.left.len()).rev() {
                let last = i64::try_from(i).expect("few");
                let other = usize::try_from(self.rng.between(0, last)).expect("from 0 up");
                self.left.swap(i, other);
            }
        }
        self.left.pop().expect("it was filled")
    }

    /// Starts one service anew so that it dies in the next phase, and waits for that.
    fn kill_one(&mut self) {
        let (name, way) = self.next_phase();
        let last = i64::try_from(self.slots.len()).expect("few") - 1;
        let index = usize::try_from(self.rng.between(0, last)).expect("from 0 up");
        if way == Way::Any {
            return self.kill_at_random(index);
        }
        let times = if way == Way::Work {
            self.rng.between(1, 12)
        } else {
            1
        };
        let failpoint = format!("{name}:{times}");
        let group = self.group;
        let slot = &mut self.slots[index];
        if let Some(running) = slot.service.take() {
            // Mostly it is the killed one of a round before, which is dead already.
            running.kill();
        }
        let env = [("SETTLEWATCH_FAILPOINT", failpoint.as_str())];
        let end = die(name, way, || group.start(&slot.name, &slot.instance, &env));
        let phase = Phase(name);
        let tally = if end == Some(ABORTED) {
            &mut self.report.died
        } else {
            &mut self.report.missed
        };
        *tally.entry(phase).or_default() += 1;
        if end != Some(ABORTED) {
            // Once more in this round.
            self.left.insert(0, (name, way));
        }
        slot.service = None;
        self.revive();
    }

    /// Whoever is dead is started again, so that a group of several is one.
    fn revive(&mut self) {
        if self.slots.len() == 1 {
            return;
        }
        for slot in &mut self.slots {
            if slot.service.is_none() {
                slot.service = Some(self.group.start(&slot.name, &slot.instance, &[]));
            }
        }
    }

    fn kill_at_random(&mut self, index: usize) {
        let (group, pause) = (self.group, self.rng.between(0, 2_500));
        let slot = &mut self.slots[index];
        let service = slot.service.take();
        let service = service.unwrap_or_else(|| group.start(&slot.name, &slot.instance, &[]));
        let at = now_ms() + pause;
        until("the moment to die", DIE_WITHIN, || {
            (now_ms() >= at).then_some(())
        });
        service.kill();
        *self.report.died.entry(Phase(RANDOM)).or_default() += 1;
        self.revive();
    }
}

fn wait_until_ready_or_dead(service: &mut Service) {
    let begin = Instant::now();
    while begin.elapsed() < DIE_WITHIN && !service.is_ready() && service.process().ended().is_none()
    {
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn wait_for_end(service: &mut Service) -> Option<End> {
    let begin = Instant::now();
    while begin.elapsed() < DIE_WITHIN {
        if let Some(end) = service.process().ended() {
            return Some(end);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::harness::root;

    /// Names of failpoints in the source: those that are written out, and those that are put together.
    fn in_source() -> BTreeSet<String> {
        let folder = root().join("crates/kafka/src");
        let mut names = BTreeSet::new();
        for entry in std::fs::read_dir(folder).expect("the source is here") {
            let path = entry.expect("an entry").path();
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let written = text.split("failpoint::pass(\"").skip(1);
            names.extend(written.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
        }
        for kind in ["claim", "step"] {
            let steps = ["begun", "produced", "drained", "offsets", "committed"];
            names.extend(steps.map(|step| format!("{kind}_{step}")));
        }
        names
    }

    #[test]
    fn services_die_in_every_phase_that_has_a_failpoint() {
        let phases = PHASES.iter().map(|(name, _)| (*name).to_owned());
        let phases: BTreeSet<String> = phases.filter(|name| name != RANDOM).collect();
        assert_eq!(phases, in_source());
    }
}

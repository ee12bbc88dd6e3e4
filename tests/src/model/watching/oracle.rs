//! What must hold of the watch, judged from the logs alone: a core that never died judges every committed step again.

use std::collections::{BTreeMap, BTreeSet};

use settlewatch_join::Timestamp;
use settlewatch_protocol::{Core, Second, SourceId, Topic};
use settlewatch_watch::pulse::PulseRecord;

use super::core::{Judge, end_ms};
use super::steps::{WatchStep, claim, steps};
use super::{NONCE_BITS, Watched};
use crate::model::kafka::Side;
use crate::model::log::{Entry, Log, Status};
use crate::model::run::World;
use crate::model::steps::Step as LaneStep;

/// What a check came to.
type Checked = Result<(), String>;

/// A revision as the log holds it.
struct Revision {
    value: Vec<u8>,
    second: i64,
    blind: String,
    absorbed: usize,
    rules: Vec<u8>,
    part_of: u64,
    status: Status,
}

/// Judges the watch of a world that has come to its end. `lanes`: the steps of every partition number.
pub(in crate::model) fn judge(world: &mut World, lanes: &BTreeMap<i32, Vec<LaneStep>>) {
    let log = world.kafka.cluster.log(world.setup().topics.watch_state());
    let open = open(world);
    let mut steps = steps(log);
    steps.retain(|step| !open.contains(&step.part_of));
    let claims = log.committed().filter_map(|(_, entry)| claim(entry));
    let claims = claims.count();
    let mut revisions = revisions(world);
    revisions.retain(|it| !open.contains(&it.part_of));
    let mut watched = Watched {
        claims,
        ..Watched::default()
    };
    let mut checked = vec![
        in_order(&steps),
        owned(log, &world.kafka.begun_by),
        whole(&revisions, &steps),
        judged_again(world, &steps, &revisions, lanes, &mut watched),
    ];
    if world.failed.is_none() {
        checked.push(offsets(world, steps.last()));
        if watched.compared == 0 {
            checked.push(Err("nothing was compared".into()));
        }
    }
    world.count_watched(&watched);
    for text in checked.into_iter().filter_map(Result::err) {
        world.violation(format!("watch: {text}"));
    }
}

/// Transactions with a record whose marker is on its way still: where a world ends early, the other one's may be there.
fn open(world: &World) -> BTreeSet<u64> {
    let topics = world.setup().topics;
    let places = [topics.watch_state(), topics.of_output(Topic::Incidents, 0)];
    let logs = places.map(|place| world.kafka.cluster.log(place));
    let entries = logs.iter().flat_map(|log| &log.entries);
    let open = entries.filter(|entry| matches!(entry.status, Status::Open(_)));
    open.map(|entry| entry.data.part_of).collect()
}

fn revisions(world: &World) -> Vec<Revision> {
    let place = world.setup().topics.of_output(Topic::Incidents, 0);
    let log = world.kafka.cluster.log(place);
    log.committed().map(|(_, entry)| revision(entry)).collect()
}

fn revision(entry: &Entry) -> Revision {
    let value = entry.data.value.as_deref().unwrap_or_default();
    let text = std::str::from_utf8(value).expect("the core writes text");
    let fields: Vec<&str> = text.split('|').collect();
    Revision {
        value: value.into(),
        second: fields[1].parse().expect("a number"),
        blind: fields[2].into(),
        absorbed: fields[3].parse().expect("a number"),
        rules: fields[5].into(),
        part_of: entry.data.part_of,
        status: entry.status,
    }
}

/// Steps follow each other without a gap, and nothing steps back.
fn in_order(steps: &[WatchStep]) -> Checked {
    if let Some(first) = steps.first().filter(|step| step.sequence != 1) {
        return Err(format!("the first step is {}", first.sequence));
    }
    let follows = |pair: &[WatchStep]| {
        let (a, b) = (&pair[0], &pair[1]);
        let pulses = a.pulses.iter().zip(&b.pulses).all(|(a, b)| a <= b);
        let mut feeds = a.feeds.iter().zip(&b.feeds);
        let feeds = feeds.all(|(a, b)| a.0 <= b.0 && a.1 <= b.1);
        b.sequence == a.sequence + 1 && b.second == a.second + 1 && pulses && feeds
    };
    match steps.windows(2).find(|pair| !follows(pair)) {
        Some(pair) => Err(format!("{:?} follows {:?}", pair[1], pair[0])),
        None => Ok(()),
    }
}

/// After a claim, nothing of anybody else is committed.
fn owned(log: &Log, begun_by: &[u64]) -> Checked {
    let mut owner = None;
    for (offset, entry) in log.committed() {
        if let Some(token) = claim(entry) {
            owner = Some(token >> NONCE_BITS);
            continue;
        }
        let number = usize::try_from(entry.data.part_of).unwrap_or(0);
        let by = number.checked_sub(1).and_then(|at| begun_by.get(at));
        if by.is_none() {
            return Err(format!("offset {offset} of the state is of no transaction"));
        }
        if owner.is_some() && by != owner.as_ref() {
            return Err(format!(
                "offset {offset} of the state is of {by:?}, but {owner:?} has claimed it"
            ));
        }
    }
    Ok(())
}

/// Each revision is of the transaction of the step of its second.
fn whole(revisions: &[Revision], steps: &[WatchStep]) -> Checked {
    let committed: BTreeSet<_> = steps.iter().map(|it| (it.part_of, it.second)).collect();
    let outside = revisions
        .iter()
        .find(|it| it.status != Status::Committed || !committed.contains(&(it.part_of, it.second)));
    match outside {
        Some(it) => Err(format!(
            "what is said of {} is of no transaction with its step: {}",
            it.second, it.part_of
        )),
        None => Ok(()),
    }
}

/// The group's offsets are those of the last step, but for markers: they were committed together.
fn offsets(world: &World, last: Option<&WatchStep>) -> Checked {
    let Some(last) = last else { return Ok(()) };
    let group = &world.kafka.of[Side::Watch].group;
    let topics = world.setup().topics;
    let feeds = last.feeds.iter().map(|feed| feed.0);
    let pulses = (0..).zip(&last.pulses).map(|(at, &to)| (0, at, to));
    let places = pulses.chain((0..).zip(feeds).map(|(at, to)| (1, at, to)));
    for (source, partition, to) in places {
        let source = SourceId(source);
        let sent = group.offset(source, partition);
        let log = world
            .kafka
            .cluster
            .log(topics.of_watched(source, partition));
        let missed = |sent| between(log, to, sent).count() > 0;
        if sent.is_none_or(|sent| sent < to || missed(sent)) {
            return Err(format!(
                "offset {sent:?} of source {} partition {partition}, but the last step stands at {to}",
                source.0
            ));
        }
    }
    Ok(())
}

/// Committed records from one offset up to another.
fn between(log: &Log, from: i64, to: i64) -> impl Iterator<Item = (i64, &Entry)> {
    let taken = log.committed();
    taken.filter(move |(offset, _)| (from..to).contains(offset))
}

/// Who judges again, and what the oracle itself knows by then.
struct Again {
    core: Judge,
    /// Up to when each partition is known, by the pulses that were taken in.
    known_ms: Vec<i64>,
    /// Up to when each lane said that it is; `None` before its first record.
    told_ms: Vec<Option<i64>>,
    pulses: Vec<i64>,
    feeds: Vec<i64>,
    clocks: Vec<i64>,
    absorbed: usize,
    heard: usize,
}

fn judged_again(
    world: &World,
    steps: &[WatchStep],
    revisions: &[Revision],
    lanes: &BTreeMap<i32, Vec<LaneStep>>,
    watched: &mut Watched,
) -> Checked {
    let Some(first) = steps.first() else {
        return Ok(());
    };
    let mut core = Judge::new(world.setup().topics.numbers, None);
    let rules = revisions.first().map(|it| &it.rules[..]);
    core.begin(rules.unwrap_or_default())?;
    let mut again = Again {
        core,
        known_ms: vec![first.second * 1000; first.pulses.len()],
        told_ms: vec![None; first.pulses.len()],
        pulses: vec![0; first.pulses.len()],
        feeds: vec![0; first.feeds.len()],
        clocks: vec![i64::MIN; first.feeds.len()],
        absorbed: 0,
        heard: 0,
    };
    let mut left = revisions.iter();
    for step in steps {
        again.take(world, step)?;
        again.lanes_say_so(step, lanes)?;
        let said = again.end(step, watched);
        watched.seconds += 1;
        watched.withheld += usize::from(!step.withheld.is_empty());
        for value in said {
            let Some(written) = left.next() else {
                return Err(format!("nothing is said of {}", step.second));
            };
            again.compare(step, written)?;
            if written.value != value {
                return Err(format!(
                    "said {}, not {}",
                    String::from_utf8_lossy(&written.value),
                    String::from_utf8_lossy(&value)
                ));
            }
            watched.compared += 1;
        }
    }
    (watched.absorbed, watched.heard) = (again.absorbed, again.heard);
    match left.next() {
        Some(it) => Err(format!("said of {} beyond the last step", it.second)),
        None => Ok(()),
    }
}

impl Again {
    /// Takes in what a step took in.
    fn take(&mut self, world: &World, step: &WatchStep) -> Checked {
        let topics = world.setup().topics;
        let cluster = &world.kafka.cluster;
        if let Some(rules) = &step.rules {
            self.core.reconfigure(rules, step.second - 1)?;
        }
        for (number, &to) in (0..).zip(&step.pulses) {
            let at = usize::try_from(number).expect("never negative");
            let from = std::mem::replace(&mut self.pulses[at], to);
            let log = cluster.log(topics.of_output(Topic::Pulse, number));
            for (_, entry) in between(log, from, to) {
                let value = entry.data.value.as_deref();
                let record = PulseRecord::decode(value.unwrap_or_default());
                let record = record.expect("a pulse is as it was written");
                self.known_ms[at] = self.known_ms[at].max(record.known_ms);
                self.told_ms[at] = self.told_ms[at].max(Some(record.known_ms));
                self.absorbed += 1;
                self.core.absorb(self.core.read(number, value)?.pulse);
            }
        }
        for (partition, &(to, _)) in (0..).zip(&step.feeds) {
            let at = usize::try_from(partition).expect("never negative");
            let from = std::mem::replace(&mut self.feeds[at], to);
            let log = cluster.log(topics.feed(partition));
            for (offset, entry) in between(log, from, to) {
                let mut settled = step.append_times.iter();
                let settled = settled.find(|it| (it.0, it.1) == (at, offset));
                let said = settled.map_or(entry.data.ts, |it| it.2);
                self.clocks[at] = self.clocks[at].max(said);
                self.heard += 1;
                let moment = Timestamp::from_millis(self.clocks[at]);
                let value = entry.data.value.as_deref();
                self.core.hear(SourceId(1), moment, value, true);
            }
        }
        Ok(())
    }

    /// Nothing is known of a partition that its lane had not committed when the step was written.
    fn lanes_say_so(&self, step: &WatchStep, lanes: &BTreeMap<i32, Vec<LaneStep>>) -> Checked {
        for (number, &told_ms) in (0..).zip(&self.told_ms) {
            let before = lanes[&number]
                .iter()
                .take_while(|lane| lane.appended < step.appended);
            let known = before.map(|lane| lane.known).max();
            if known < told_ms {
                return Err(format!(
                    "partition {number} is known to {told_ms:?} with {}, but its lane had committed {known:?}",
                    step.second
                ));
            }
        }
        Ok(())
    }

    fn blind(&self, step: &WatchStep) -> Vec<String> {
        let numbers = self.known_ms.iter().enumerate();
        let blind = numbers.filter(|(_, known)| **known < end_ms(step.second));
        blind.map(|(number, _)| number.to_string()).collect()
    }

    fn end(&mut self, step: &WatchStep, watched: &mut Watched) -> Vec<Vec<u8>> {
        let withheld: Vec<SourceId> = step.withheld.iter().copied().map(SourceId).collect();
        watched.blind += usize::from(!self.blind(step).is_empty());
        let said = self.core.end_second(&Second {
            second: step.second,
            known_ms: &self.known_ms,
            withheld: &withheld,
            again: true,
        });
        said.into_iter()
            .filter_map(|it| it.value)
            .map(Into::into)
            .collect()
    }

    /// What a revision says of blindness, and how much it took in, without the core.
    fn compare(&self, step: &WatchStep, written: &Revision) -> Checked {
        let blind = self.blind(step).join(",");
        if written.second == step.second && written.blind != blind {
            return Err(format!(
                "of {} it says that partitions [{}] were blind, but [{blind}] were",
                step.second, written.blind
            ));
        }
        if written.second == step.second && written.absorbed != self.absorbed {
            return Err(format!(
                "by {} it took {} pulse records in, but there are {}",
                step.second, written.absorbed, self.absorbed
            ));
        }
        Ok(())
    }
}

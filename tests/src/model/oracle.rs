//! What must hold, judged from the logs alone.

use std::collections::{BTreeMap, BTreeSet};

use settlewatch_protocol::{SourceId, Topic};

use super::cluster::Place;
use super::compare::{accounts, compare, never_false, records};
use super::host::Line;
use super::pulses;
use super::run::{Report, World};
use super::steps::{Step, steps};
use super::watching;
use crate::reference::rfc3339;

/// Payment and tenant.
pub(super) type Subject = (String, String);

/// An input record, as it is found to have been appended.
pub(super) struct Found {
    pub(super) place: Place,
    pub(super) offset: i64,
    pub(super) at: i64,
    /// Before this moment of broker time nobody could have read it.
    pub(super) readable: i64,
    pub(super) create_time: bool,
    pub(super) subject: Option<Subject>,
    pub(super) event: Option<serde_json::Value>,
}

/// Judges a world that has come to its end.
pub(super) fn judge(mut world: World) -> Report {
    if let Some(fault) = world.failed.clone() {
        // Records that are needed again may be gone: then a person is asked, by design.
        let excused = world.retention_struck
            && matches!(fault, settlewatch_protocol::Fault::InputsGone { .. });
        if !excused {
            world.violation(format!("failed: {fault}"));
        }
    }
    let steps = all_steps(&mut world);
    whole(&mut world);
    watching::judge(&mut world, &steps);
    let found = find(&mut world, &steps);
    let lines = alerts(&mut world);
    if world.failed.is_none() && world.is_well() {
        dead_letters(&mut world, &found);
        let excused = excused(&found, &steps);
        let records = records(&world, &found);
        compare(&mut world, &found, &records, &lines, &excused);
        pulses::in_order(&mut world);
        if excused.is_empty() && !world.retention_struck {
            accounts(&mut world, &found, &records);
            pulses::counted(&mut world, &found);
        }
        never_false(&mut world, &found, &lines);
    }
    world.into_report()
}

/// What a member meant for one transaction had one fate.
fn whole(world: &mut World) {
    let mut fates = BTreeMap::new();
    let mut torn = BTreeSet::new();
    for place in world.kafka.cluster.places() {
        for entry in &world.kafka.cluster.log(place).entries {
            let (number, decision) = (entry.data.part_of, entry.decision);
            // The last markers may be on their way.
            if number == 0 || decision == 0 {
                continue;
            }
            if *fates.entry(number).or_insert(decision) != decision {
                torn.insert(number);
            }
        }
    }
    if let Some(number) = torn.first() {
        world.violation(format!("transaction {number} is torn"));
    }
}

/// The steps of every number; they follow each other without a gap, and known time never steps back.
fn all_steps(world: &mut World) -> BTreeMap<i32, Vec<Step>> {
    let topics = world.setup().topics;
    let mut all = BTreeMap::new();
    for number in 0..topics.numbers {
        let log = world
            .kafka
            .cluster
            .log(topics.of_output(Topic::State, number));
        let of_number = steps(log);
        let follows = |pair: &[Step]| {
            pair[1].sequence == pair[0].sequence + 1 && pair[1].known >= pair[0].known
        };
        if let Some(pair) = of_number.windows(2).find(|pair| !follows(pair)) {
            let text = format!(
                "state of {number}: step {} follows {}, known {} after {}",
                pair[1].sequence, pair[0].sequence, pair[1].known, pair[0].known
            );
            world.violation(text);
        }
        all.insert(number, of_number);
    }
    all
}

fn find(world: &mut World, steps: &BTreeMap<i32, Vec<Step>>) -> Vec<Found> {
    let topics = world.setup().topics;
    let mut settled = BTreeMap::new();
    let mut twice = Vec::new();
    for (&number, steps) in steps {
        for &(source, offset, at) in steps.iter().flat_map(|step| &step.append_times) {
            let before = settled.insert((source, number, offset), at);
            if before.is_some_and(|before| before != at) {
                twice.push((source, number, offset));
            }
        }
    }
    for place in twice {
        world.violation(format!("two append times of {place:?}"));
    }
    let written = world.upstream.written.clone();
    let events: BTreeMap<_, _> = written
        .into_iter()
        .map(|it| ((it.place, it.offset), it.event))
        .collect();
    let mut found = Vec::new();
    for source in 0..u8::try_from(topics.inputs).expect("few inputs") {
        for number in 0..topics.numbers {
            let place = topics.of_source(SourceId(source), number);
            let log = world.kafka.cluster.log(place);
            let mut last = i64::MIN;
            for (offset, entry) in log.committed() {
                let said = settled.get(&(source, number, offset));
                last = last.max(said.copied().unwrap_or(entry.data.ts));
                let event = events[&(place, offset)].clone();
                found.push(Found {
                    place,
                    offset,
                    at: last,
                    readable: entry.visible.unwrap_or(i64::MAX),
                    create_time: !log.log_append_time,
                    subject: event.as_ref().and_then(subject),
                    event,
                });
            }
        }
    }
    if world.failed.is_none() {
        check_bounds(world, steps, &found);
    }
    found
}

fn subject(event: &serde_json::Value) -> Option<Subject> {
    let tenant = event["tenant"].as_str().unwrap_or("-");
    Some((tenant.to_owned(), event["payment_id"].as_str()?.to_owned()))
}

/// A record that became readable after a moment was proven known cannot have been appended before that moment.
fn check_bounds(world: &mut World, steps: &BTreeMap<i32, Vec<Step>>, found: &[Found]) {
    let mut wrong = Vec::new();
    let holed = holes(steps);
    let readable = found
        .iter()
        .filter(|it| it.create_time && !holed.contains(&it.place.partition));
    for it in readable {
        let entry = world.kafka.cluster.log(it.place).entry(it.offset);
        let before = steps[&it.place.partition]
            .iter()
            .take_while(|step| step.appended < entry.appended);
        let known = before.map(|step| step.known).max().unwrap_or(i64::MIN);
        if it.at < known {
            wrong.push(format!(
                "append time of {:?} offset {}: {} was taken, but {} was known before it was appended",
                it.place,
                it.offset,
                rfc3339(it.at),
                rfc3339(known)
            ));
        }
    }
    wrong.truncate(3);
    for text in wrong {
        world.violation(text);
    }
}

/// Every revision that a reader sees, once.
fn alerts(world: &mut World) -> Vec<Line> {
    let topics = world.setup().topics;
    let mut lines = Vec::new();
    let mut seen = BTreeMap::<(Subject, String), BTreeSet<u32>>::new();
    let mut wrong = Vec::new();
    for number in 0..topics.numbers {
        let log = world
            .kafka
            .cluster
            .log(topics.of_output(Topic::Alerts, number));
        for (_, entry) in log.committed() {
            let line = Line::read(entry.data.value.as_deref().unwrap_or_default());
            let revisions = seen.entry((line.subject(), line.kind.clone())).or_default();
            if !revisions.insert(line.revision) {
                wrong.push(format!("written twice: {line:?}"));
            }
            lines.push(line);
        }
    }
    for ((subject, kind), revisions) in &seen {
        let count = u32::try_from(revisions.len()).expect("few");
        if revisions.last() != Some(&count) {
            wrong.push(format!("revisions of {kind} of {subject:?}: {revisions:?}"));
        }
    }
    wrong.truncate(3);
    for text in wrong {
        world.violation(text);
    }
    lines
}

/// Every record that is no valid event lies in the dead letters, once.
fn dead_letters(world: &mut World, found: &[Found]) {
    let topics = world.setup().topics;
    let mut written = Vec::new();
    for number in 0..topics.numbers {
        let log = world
            .kafka
            .cluster
            .log(topics.of_output(Topic::DeadLetters, number));
        for (_, entry) in log.committed() {
            let header = |name: &str| {
                let mut headers = entry.data.headers.iter();
                let value = headers
                    .find(|(it, _)| it == name)
                    .map(|(_, value)| value.to_vec());
                String::from_utf8(value.unwrap_or_default()).unwrap_or_default()
            };
            written.push((header("topic"), header("partition"), header("offset")));
        }
    }
    let names = ["payments", "credits", "lifecycle"];
    let rejected = found.iter().filter(|it| it.event.is_none());
    let mut expected: Vec<_> = rejected
        .filter(|it| it.offset >= 0)
        .map(|it| {
            let place = it.place;
            (
                names[place.topic].to_owned(),
                place.partition.to_string(),
                it.offset.to_string(),
            )
        })
        .collect();
    written.sort();
    expected.sort();
    if written != expected && !world.retention_struck {
        world.violation(format!("dead letters {written:?}, not {expected:?}"));
    }
}

/// Partition numbers of which records were lost unread.
fn holes(steps: &BTreeMap<i32, Vec<Step>>) -> BTreeSet<i32> {
    let holed = steps
        .iter()
        .filter(|(_, steps)| steps.iter().any(|step| step.hole));
    holed.map(|(&number, _)| number).collect()
}

/// Payments of which a live reader alone meets something: a record that became readable only after the time it was
/// appended at had been proven read, or a hole.
fn excused(found: &[Found], steps: &BTreeMap<i32, Vec<Step>>) -> BTreeSet<Subject> {
    let holes = holes(steps);
    let late = |it: &&Found| {
        let hidden = !it.create_time && it.at < it.readable;
        hidden || holes.contains(&it.place.partition)
    };
    let late = found.iter().filter(late);
    late.filter_map(|it| it.subject.clone()).collect()
}

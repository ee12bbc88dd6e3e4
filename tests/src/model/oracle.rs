//! What must hold, judged from the logs alone.

use std::collections::{BTreeMap, BTreeSet};

use settlewatch_protocol::{SourceId, Topic};

use super::cluster::Place;
use super::host::Line;
use super::run::{Report, World};
use super::steps::{Step, steps};
use crate::reference::{Rec, judge as reference, rfc3339};

/// Payment and tenant.
type Subject = (String, String);

/// An input record, as it is found to have been appended.
struct Found {
    place: Place,
    offset: i64,
    at: i64,
    /// Before this moment of broker time nobody could have read it.
    readable: i64,
    create_time: bool,
    subject: Option<Subject>,
    event: Option<serde_json::Value>,
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
    let found = find(&mut world, &steps);
    let lines = alerts(&mut world);
    if world.failed.is_none() && world.is_well() {
        dead_letters(&mut world, &found);
        let excused = excused(&world, &found, &steps);
        compare(&mut world, &found, &lines, &excused);
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
            let number = entry.data.part_of;
            let fate = *fates.entry(number).or_insert(entry.decision);
            if number != 0 && fate != entry.decision {
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
    check_bounds(world, steps, &found);
    found
}

fn subject(event: &serde_json::Value) -> Option<Subject> {
    let tenant = event["tenant"].as_str().unwrap_or("-");
    Some((tenant.to_owned(), event["payment_id"].as_str()?.to_owned()))
}

/// A record that became readable after a moment was proven known cannot have been appended before that moment.
fn check_bounds(world: &mut World, steps: &BTreeMap<i32, Vec<Step>>, found: &[Found]) {
    let mut wrong = Vec::new();
    for it in found.iter().filter(|it| it.create_time) {
        let entry = world.kafka.cluster.log(it.place).entry(it.offset);
        let before = steps[&it.place.partition]
            .iter()
            .take_while(|step| step.appended < entry.appended);
        let known = before.map(|step| step.known).max().unwrap_or(i64::MIN);
        // Followers may have been slow, and leaders' clocks differ.
        let late = entry.visible.is_some_and(|visible| visible > it.readable);
        if it.at < known && !late {
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

/// Payments of which a live reader alone meets something: a record that became readable only after the time it was
/// appended at had been proven read, or a hole.
fn excused(world: &World, found: &[Found], steps: &BTreeMap<i32, Vec<Step>>) -> BTreeSet<Subject> {
    let holes: BTreeSet<i32> = steps
        .iter()
        .filter(|(_, steps)| steps.iter().any(|step| step.hole))
        .map(|(&number, _)| number)
        .collect();
    let late = |it: &&Found| {
        let hidden = !it.create_time && it.at < it.readable;
        hidden || holes.contains(&it.place.partition)
    };
    let _ = world;
    found
        .iter()
        .filter(late)
        .filter_map(|it| it.subject.clone())
        .collect()
}

/// What the reference says of the records, against what was written.
fn compare(world: &mut World, found: &[Found], lines: &[Line], excused: &BTreeSet<Subject>) {
    let end = world.end();
    let beginning = Rec {
        at_ms: world.story.begins,
        stream: 0,
        partition: -1,
        offset: 0,
        value: serde_json::json!({
            "type": "terminal.heartbeat", "event_id": "begins", "terminal_id": "begins",
            "occurred_at": rfc3339(world.story.begins),
        }),
    };
    let rec = |it: &Found| {
        Some(Rec {
            at_ms: it.at,
            stream: it.place.topic,
            partition: it.place.partition,
            offset: it.offset,
            value: it.event.clone()?,
        })
    };
    let mut records: Vec<Rec> = found.iter().filter_map(rec).collect();
    records.push(beginning);
    records.sort_by_key(Rec::place);
    let outcome = reference(&records, &world.story.config, end);
    let exact = |line: &Line| line.decided_at <= end && !excused.contains(&line.subject());
    let mut expected: Vec<Line> = outcome.revisions.iter().map(Line::expected).collect();
    expected.retain(exact);
    let mut written: Vec<Line> = lines.iter().filter(|line| exact(line)).cloned().collect();
    if world.story.pairs {
        let near = near(expected.iter().chain(&written));
        let kept = |line: &Line| !(near.contains(&line.subject()) && is_reword(line));
        expected.retain(kept);
        written.retain(kept);
    }
    expected.sort();
    written.sort();
    world.count(written.len(), lines.len() - written.len());
    let pairs = world.story.pairs;
    let same = if pairs {
        !excused.is_empty() || forget_places(&expected) == forget_places(&written)
    } else {
        expected == written
    };
    if !same {
        let text = difference(&expected, &written, pairs, found);
        world.violation(text);
    }
}

/// Lines without what follows from the place of a note's revision among the others.
fn forget_places(lines: &[Line]) -> BTreeSet<Line> {
    lines.iter().map(without_place).collect()
}

/// Payments and orphans that found each other by their ids.
fn near<'a>(lines: impl Iterator<Item = &'a Line>) -> BTreeSet<Subject> {
    let near = lines.filter(|line| seeks(line) && line.related != "-");
    near.map(Line::subject).collect()
}

fn seeks(line: &Line) -> bool {
    line.kind == "credit_missing" || line.kind == "orphan_credit"
}

/// A revision that changes what an open alert says. Whether both sides were still open when the note came that makes
/// two ids one is a matter of how fast the lanes were.
fn is_reword(line: &Line) -> bool {
    let passed = line.deadline == line.decided_at.to_string();
    seeks(line) && line.state == "open" && !passed
}

/// Which of two twins' ends came first is a matter of how fast the lanes were, too; so is whether an orphan was
/// complete before it was found to be near.
fn without_place(of: &Line) -> Line {
    let mut line = Line {
        revision: 0,
        verdict: String::new(),
        related: String::new(),
        tier: String::new(),
        deadline: String::new(),
        ..of.clone()
    };
    let between = of.kind == "orphan_credit" || of.kind == "duplicate_payment";
    if between && line.state == "resolved" {
        line.decided_at = 0;
        line.resolution.clear();
    }
    line
}

fn difference(expected: &[Line], written: &[Line], pairs: bool, found: &[Found]) -> String {
    let mut text = String::from("alerts differ (- expected, + written):");
    let same = |a: &Line, b: &Line| {
        if pairs {
            without_place(a) == without_place(b)
        } else {
            a == b
        }
    };
    let mut subjects = BTreeSet::new();
    for (sign, ours, theirs) in [('-', expected, written), ('+', written, expected)] {
        let differ = ours
            .iter()
            .filter(|it| !theirs.iter().any(|other| same(it, other)));
        for line in differ {
            subjects.insert(line.subject());
            subjects.insert((line.tenant.clone(), line.related.clone()));
            text.push_str(&format!("\n  {sign} {line:?}"));
        }
    }
    for it in found {
        if it.subject.as_ref().is_some_and(|it| subjects.contains(it)) {
            let event = it.event.as_ref().and_then(|event| event["type"].as_str());
            text.push_str(&format!(
                "\n  {:?} {} {} at {} readable {} {:?}",
                it.place,
                it.offset,
                event.unwrap_or("?"),
                it.at,
                it.readable,
                it.subject
            ));
        }
    }
    text
}

/// No alert for a payment whose whole credit could be read when the deadline passed, whatever happened to us. Said
/// without the reference, and of the plainest payments alone: one credit, and nothing else that might matter.
fn never_false(world: &mut World, found: &[Found], lines: &[Line]) {
    let mut credited = BTreeMap::<&Subject, i64>::new();
    let mut intricate = BTreeSet::new();
    for it in found {
        let (Some(event), Some(subject)) = (&it.event, &it.subject) else {
            continue;
        };
        match event["type"].as_str() {
            Some("payment.succeeded" | "payment.authorized" | "payment.stage") => {}
            Some("terminal.credited") if event["partial"] != true => {
                if credited.insert(subject, it.readable.max(it.at)).is_some() {
                    intricate.insert(subject);
                }
            }
            _ => {
                intricate.insert(subject);
            }
        }
    }
    credited.retain(|subject, _| !intricate.contains(subject));
    let is_false = |line: &&Line| {
        let deadline: i64 = line.deadline.parse().unwrap_or(i64::MIN);
        line.kind == "credit_missing"
            && line.state == "open"
            && credited
                .get(&line.subject())
                .is_some_and(|&at| at <= deadline)
    };
    let wrong = lines
        .iter()
        .find(is_false)
        .map(|line| format!("false: {line:?}"));
    let plain = credited.len();
    world.count_plain(plain);
    if let Some(text) = wrong {
        world.violation(text);
    }
}

//! What was written against what the naive reference says of the same records.

use std::collections::{BTreeMap, BTreeSet};

use settlewatch_join::{Outcome, Partition};

use super::host::Line;
use super::oracle::{Found, Subject};
use super::run::World;
use crate::reference::{Rec, judge as reference, rfc3339};

/// The records as the reference takes them, after one that says when the story begins.
pub(super) fn records(world: &World, found: &[Found]) -> Vec<Rec> {
    let begins = Rec {
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
    records.push(begins);
    records.sort_by_key(Rec::place);
    records
}

/// The alerts of both, up to the end.
pub(super) fn compare(
    world: &mut World,
    found: &[Found],
    records: &[Rec],
    lines: &[Line],
    excused: &BTreeSet<Subject>,
) {
    let end = world.end();
    let outcome = reference(records, &world.story.config, end);
    let exact = |line: &Line| line.decided_at <= end && !excused.contains(&line.subject());
    let mut expected: Vec<Line> = outcome.revisions.iter().map(Line::expected).collect();
    expected.retain(exact);
    let mut written: Vec<Line> = lines.iter().filter(|line| exact(line)).cloned().collect();
    if world.story.pairs {
        written.extend(ended_later(&expected, lines, end));
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

/// What ended a duplicate after `end`, where something should have before it: the later twin's own end lies beyond the
/// comparison, and a lane that was slow let it come first.
fn ended_later(expected: &[Line], lines: &[Line], end: i64) -> Vec<Line> {
    let ends = expected.iter().filter(|line| is_twins_end(line));
    let ended: BTreeSet<Subject> = ends.map(Line::subject).collect();
    let later = lines
        .iter()
        .filter(|line| line.decided_at > end && is_twins_end(line));
    let later = later.filter(|line| ended.contains(&line.subject()));
    later.cloned().collect()
}

fn is_twins_end(line: &Line) -> bool {
    line.kind == "duplicate_payment" && line.state == "resolved"
}

/// Which of two twins' ends came first is a matter of how fast the lanes were, too.
fn without_place(of: &Line) -> Line {
    let mut line = Line {
        revision: 0,
        verdict: String::new(),
        related: String::new(),
        tier: String::new(),
        deadline: String::new(),
        ..of.clone()
    };
    if is_twins_end(of) {
        line.decided_at = 0;
        line.resolution.clear();
        line.lag.clear();
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

/// Every payment and every record is accounted for once, over all restarts (S6).
pub(super) fn accounts(world: &mut World, found: &[Found], records: &[Rec]) {
    let last = records.last().map_or(0, |record| record.at_ms);
    let outcome = reference(records, &world.story.config, last);
    let rejected = found.iter().filter(|it| it.event.is_none()).count() as u64;
    let duplicate: u64 = outcome.records.iter().map(|it| it.duplicate).sum();
    let payments = u64::try_from(outcome.counts.payments).expect("payments are counted up");
    let (mut sums, mut holds) = ([0; 3], true);
    for number in 0..world.setup().topics.numbers {
        let ledger = world
            .lanes()
            .find_map(|it| it.partition(number))
            .map(Partition::ledger);
        let Some(ledger) = ledger else { return };
        for (_, book) in ledger.books() {
            let became = [
                book.credited,
                book.explained,
                book.written_off,
                book.pending,
            ];
            holds &= became.iter().map(|it| it.count).sum::<u64>() == book.payments.count;
            sums[0] += book.payments.count;
        }
        for stream in 0..3 {
            sums[1] += ledger.records(stream, Outcome::Duplicate);
            sums[2] += ledger.records(stream, Outcome::Rejected);
        }
    }
    let expected = [payments, duplicate, rejected];
    if !holds || sums != expected {
        world.violation(format!(
            "accounts: payments, duplicates and rejected are {sums:?}, not {expected:?}; the books add up: {holds}"
        ));
    }
}

/// No alert for a payment whose whole credit could be read when the deadline passed, whatever happened to us. Said
/// without the reference, and of the plainest payments alone: one credit, and nothing else that might matter.
pub(super) fn never_false(world: &mut World, found: &[Found], lines: &[Line]) {
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

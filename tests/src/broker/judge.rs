//! What services wrote, held against what they read.
//!
//! Two judges: a replay of the recorded inputs, which must give the same bytes, and the naive reference, which
//! shares no code with either.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::Value;
use settlewatch_replay::Until;

use super::group::Group;
use super::notes::{self, Place};
use super::read::{Record, Tail, kcat_lines};
use super::readable;
use super::wait::now_ms;
use crate::compare::{Aspect, Lateness, compare};
use crate::harness::{Bench, Written};
use crate::reference::{Rec, STREAMS, judge, parse_ms};

/// An alert whose credit was readable too late.
const IN_TIME: &str = "credited in time, readable too late";
/// An alert that was told of a tier although its end was appended before, and not yet readable.
const UNREADABLE: &str = "tiers told before the end was readable";
/// A record that lies where its key does not belong.
const MISPLACED: &str = "misplaced keys";
/// An alert that differs in the place of a note's revision alone.
const MOVED: &str = "notes in another place";
/// An alert that lacks a note's revision alone: it came when the alert was resolved.
const TOO_LATE: &str = "notes too late";

/// A group from which nothing comes for so long, though it was due, has nothing more to tell.
const QUIET_MS: i64 = 15_000;

/// What a group should have written, by a replay of what it read.
pub struct Expected {
    /// What the replay wrote.
    pub written: Written,
    inputs: BTreeMap<&'static str, Vec<Record>>,
}

/// Which alert, and which of its revisions.
type Revision = (String, u64);

/// How what was written compares with what was expected.
#[derive(Debug, Default)]
pub struct Judgement {
    /// Revisions that were expected.
    pub expected: usize,
    /// Of those, by kind of the alert.
    pub kinds: BTreeMap<String, usize>,
    /// Records that were rejected.
    pub rejected: usize,
    /// What only a live reader meets, by its name: alerts, or records.
    pub live_only: BTreeMap<&'static str, BTreeSet<String>>,
    /// What is wrong, each in a line.
    pub wrong: Vec<String>,
}

impl Expected {
    /// Replays what is committed in the inputs until nothing is pending.
    ///
    /// # Panics
    /// When it cannot be replayed.
    pub fn of(group: &Group<'_>) -> Self {
        let inputs = group.inputs();
        let files: Vec<Vec<u8>> = inputs.values().map(|records| kcat_lines(records)).collect();
        let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
        let bench = Bench::new(&group.rules_text()).until(Until::Drained);
        let written = bench.bytes(&files);
        Self {
            written: written
                .unwrap_or_else(|error| panic!("the inputs cannot be replayed: {error}")),
            inputs,
        }
    }

    fn lines(&self) -> Vec<&[u8]> {
        let lines = self.written.files[0].split(|&byte| byte == b'\n');
        lines.filter(|line| !line.is_empty()).collect()
    }

    /// Waits until every revision that is expected is committed, or nothing came for long after all of them were due.
    /// What lacks is no failure here: the comparison says which.
    pub fn wait_for(&self, group: &Group<'_>, within: Duration) {
        let mut lacking: BTreeSet<Revision> = self.written.alerts.iter().map(place).collect();
        let due = self.end_ms() + QUIET_MS;
        let mut tail = Tail::new(group.cluster, &group.topic("alerts"), true);
        let (begin, mut seen, mut grew) = (Instant::now(), 0, now_ms());
        while begin.elapsed() < within {
            let records = tail.refresh();
            if records.len() > seen {
                for record in &records[seen..] {
                    lacking.remove(&place(&record.json()));
                }
                (seen, grew) = (records.len(), now_ms());
            }
            let quiet = now_ms() > due && now_ms() > grew + QUIET_MS;
            if lacking.is_empty() || quiet {
                break;
            }
        }
    }

    /// When nothing is pending any more, by the clock of the brokers.
    fn end_ms(&self) -> i64 {
        let end = self.written.summary["to"].as_str().and_then(parse_ms);
        end.expect("a replay says where it ended")
    }

    /// Compares what is committed with what is expected.
    pub fn compare(&self, group: &Group<'_>) -> Judgement {
        let mut judgement = Judgement {
            expected: self.lines().len(),
            rejected: self.written.lines_of("rejected.ndjson").len(),
            ..Judgement::default()
        };
        for alert in &self.written.alerts {
            let kind = alert["kind"].as_str().unwrap_or("?").to_owned();
            *judgement.kinds.entry(kind).or_default() += 1;
        }
        let alerts = group.output("alerts");
        judgement.live_only = [IN_TIME, UNREADABLE, MISPLACED, MOVED, TOO_LATE]
            .map(|name| (name, BTreeSet::new()))
            .into();
        judgement.readable_too_late(&alerts);
        judgement.misplaced(self);
        judgement.revisions(&alerts);
        judgement.bytes(&self.lines(), &alerts);
        judgement.reference(self, group);
        judgement.dead_letters(self, &group.output("dead_letters"));
        judgement
    }

    /// The inputs as the reference wants them, without what is no event.
    fn records(&self) -> Vec<Rec> {
        let mut all = Vec::new();
        for (stream, name) in STREAMS.iter().enumerate() {
            let mut latest = BTreeMap::new();
            for record in &self.inputs[name] {
                let latest = latest.entry(record.partition).or_insert(i64::MIN);
                *latest = record.ts.max(*latest);
                if record.header("junk").is_none() {
                    all.push(Rec {
                        at_ms: *latest,
                        stream,
                        partition: record.partition,
                        offset: record.offset,
                        value: record.json(),
                    });
                }
            }
        }
        all.sort_by_key(Rec::place);
        all
    }
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}

fn place(alert: &Value) -> Revision {
    (
        text(alert, "alert_id"),
        alert["revision"].as_u64().unwrap_or(0),
    )
}

impl Judgement {
    fn meets(&mut self, what: &'static str, whom: String) {
        self.live_only.entry(what).or_default().insert(whom);
    }

    fn readable_too_late(&mut self, alerts: &[Record]) {
        for alert in alerts.iter().map(Record::json) {
            if alert["resolution"] == "credited_in_time" {
                self.meets(IN_TIME, text(&alert, "alert_id"));
            }
        }
    }

    fn misplaced(&mut self, expected: &Expected) {
        let events = expected.inputs.values().flatten();
        for record in events.filter(|it| it.header("junk").is_none()) {
            let payment_id = text(&record.json(), "payment_id");
            if !payment_id.is_empty() && record.key.as_deref() != Some(payment_id.as_bytes()) {
                let place = format!("{}/{}/{}", record.topic, record.partition, record.offset);
                self.meets(MISPLACED, place);
            }
        }
    }

    /// Each revision once, from 1 without a gap.
    fn revisions(&mut self, alerts: &[Record]) {
        let mut seen = BTreeMap::<Revision, Vec<&Record>>::new();
        let mut highest = BTreeMap::<String, u64>::new();
        for record in alerts {
            let alert = record.json();
            let (id, revision) = place(&alert);
            let highest = highest.entry(id.clone()).or_default();
            *highest = revision.max(*highest);
            seen.entry((id, revision)).or_default().push(record);
        }
        for (revision, records) in &seen {
            if records.len() > 1 {
                let places: Vec<_> = records.iter().map(|it| (it.partition, it.offset)).collect();
                self.wrong.push(format!(
                    "{revision:?} was written {} times: {places:?}",
                    records.len()
                ));
            }
        }
        for (id, highest) in highest {
            for revision in 1..=highest {
                if !seen.contains_key(&(id.clone(), revision)) {
                    self.wrong.push(format!(
                        "{id} has a revision {highest} but no revision {revision}"
                    ));
                }
            }
        }
    }

    /// The same bytes, alert by alert.
    fn bytes(&mut self, expected: &[&[u8]], alerts: &[Record]) {
        let lines = alerts.iter().filter_map(|record| record.value.as_deref());
        let written: BTreeSet<&[u8]> = lines.collect();
        let mut written = by_alert(written.into_iter());
        for (id, expected) in by_alert(expected.iter().copied()) {
            let written = written.remove(&id).unwrap_or_default();
            if expected == written {
                continue;
            }
            let (wanted, got) = (parsed(&expected), parsed(&written));
            if readable::told_before_the_end(&wanted, &got) {
                self.meets(UNREADABLE, id);
                continue;
            }
            match notes::compare(&wanted, &got) {
                Place::Moved => self.meets(MOVED, id),
                Place::TooLate => self.meets(TOO_LATE, id),
                Place::Different => self.wrong.push(difference(&wanted, &got)),
            }
        }
        for (id, written) in written {
            let got = parsed(&written);
            if readable::told_before_the_end(&[], &got) {
                self.meets(UNREADABLE, id);
            } else {
                self.wrong.push(difference(&[], &got));
            }
        }
    }

    /// The replay says what the reference says.
    fn reference(&mut self, expected: &Expected, group: &Group<'_>) {
        let (records, written) = (expected.records(), &expected.written);
        let outcome = judge(&records, &group.setup.rules, expected.end_ms());
        let differences = compare(
            &outcome,
            &written.alerts,
            &written.summary,
            Lateness::Summed,
        );
        for difference in differences {
            if difference.aspect == Aspect::Alerts {
                let text = difference.text;
                self.wrong
                    .push(format!("replay differs from the reference:\n{text}"));
            }
        }
    }

    /// Every rejected record is told once, with its own bytes.
    fn dead_letters(&mut self, expected: &Expected, letters: &[Record]) {
        let rejected = expected.written.lines_of("rejected.ndjson");
        let mut wanted: Vec<(String, String, String, String)> = rejected
            .iter()
            .map(|line| {
                let number = |field: &str| line[field].to_string();
                (
                    text(line, "topic"),
                    number("partition"),
                    number("offset"),
                    text(line, "reason"),
                )
            })
            .collect();
        let header = |letter: &Record, name: &str| letter.header(name).unwrap_or_default();
        let mut told: Vec<_> = letters
            .iter()
            .map(|it| {
                let of = |name: &str| header(it, name);
                (of("topic"), of("partition"), of("offset"), of("reason"))
            })
            .collect();
        wanted.sort();
        told.sort();
        if wanted != told {
            let (wanted, told) = (wanted.len(), told.len());
            self.wrong.push(format!("{wanted} records were rejected, {told} dead letters tell of others or of others' reasons"));
        }
        for letter in letters {
            if !expected.has_bytes_of(letter) {
                let (partition, offset) = (letter.partition, letter.offset);
                self.wrong.push(format!(
                    "dead letter {partition}/{offset} does not hold its record's bytes"
                ));
            }
        }
    }

    /// Says what was compared.
    ///
    /// # Panics
    /// When something is wrong, or nothing was compared.
    #[track_caller]
    pub fn assert(&self, of: &str) {
        println!("{of}: {}", self.words());
        assert!(self.expected > 0, "{of}: nothing was compared");
        let first: Vec<&str> = self.wrong.iter().take(8).map(String::as_str).collect();
        assert!(
            self.wrong.is_empty(),
            "{of}: {} things are wrong:\n{}",
            self.wrong.len(),
            first.join("\n")
        );
    }

    /// What was compared, for people.
    pub fn words(&self) -> String {
        let mut words = format!("{} revisions as replayed", self.expected);
        for (kind, count) in &self.kinds {
            let _ = write!(words, ", {kind} {count}");
        }
        let _ = write!(words, "; {} dead letters; met live only:", self.rejected);
        for (name, met) in &self.live_only {
            let few: Vec<&str> = met.iter().take(3).map(String::as_str).collect();
            let more = if met.len() > few.len() { ", …" } else { "" };
            let _ = write!(words, " {name} {}", met.len());
            if !few.is_empty() {
                let _ = write!(words, " ({}{more})", few.join(", "));
            }
            words.push(';');
        }
        words.trim_end_matches(';').to_owned()
    }
}

impl Expected {
    fn has_bytes_of(&self, letter: &Record) -> bool {
        let number = |name: &str| letter.header(name)?.parse::<i64>().ok();
        let (Some(topic), Some(partition), Some(offset)) = (
            letter.header("topic"),
            number("partition"),
            number("offset"),
        ) else {
            return false;
        };
        let of_stream = self.inputs.values().flatten();
        let mut found = of_stream.filter(|record| {
            record.topic == topic
                && i64::from(record.partition) == partition
                && record.offset == offset
        });
        found
            .next()
            .is_some_and(|record| record.key == letter.key && same(record, letter))
    }
}

/// Longest value that a dead letter carries.
const LETTER_BYTES: usize = 512 * 1024;

/// The value as it came, or its head where that is told.
fn same(record: &Record, letter: &Record) -> bool {
    let cut = letter.header("truncated").is_some();
    let value = record.value.as_deref();
    cut == value.is_some_and(|value| value.len() > LETTER_BYTES)
        && letter.value.as_deref() == value.map(|value| &value[..value.len().min(LETTER_BYTES)])
}

/// Lines by their alert, each in the order of its revisions.
fn by_alert<'a>(lines: impl Iterator<Item = &'a [u8]>) -> BTreeMap<String, Vec<&'a [u8]>> {
    let mut all = BTreeMap::<String, Vec<(u64, &'a [u8])>>::new();
    for line in lines {
        let alert: Value = serde_json::from_slice(line).unwrap_or_default();
        let revision = alert["revision"].as_u64().unwrap_or(0);
        all.entry(text(&alert, "alert_id"))
            .or_default()
            .push((revision, line));
    }
    let ordered = |mut lines: Vec<(u64, &'a [u8])>| {
        lines.sort_by_key(|(revision, _)| *revision);
        lines.into_iter().map(|(_, line)| line).collect()
    };
    all.into_iter()
        .map(|(id, lines)| (id, ordered(lines)))
        .collect()
}

fn parsed(lines: &[&[u8]]) -> Vec<Value> {
    let parse = |line: &&[u8]| serde_json::from_slice(line).unwrap_or_default();
    lines.iter().map(parse).collect()
}

/// What tells a revision from others.
fn brief(alert: &Value) -> String {
    let fields = [
        "payment_id",
        "kind",
        "revision",
        "state",
        "tier",
        "decided_at",
        "resolution",
        "verdict",
    ];
    let words = fields.map(|field| alert[field].to_string());
    words.join(" ")
}

/// What both have is left out.
fn difference(expected: &[Value], written: &[Value]) -> String {
    let mut words = String::from("live differs from replay:");
    for alert in expected.iter().filter(|it| !written.contains(it)) {
        let _ = write!(words, "\n  - {}", brief(alert));
    }
    for alert in written.iter().filter(|it| !expected.contains(it)) {
        let _ = write!(words, "\n  + {}", brief(alert));
    }
    words
}

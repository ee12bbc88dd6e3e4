//! A scenario live: simulated traffic in real time through a service, and the incidents of a replay of the same records.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use settlewatch_join::Timestamp;
use settlewatch_replay::Until;

use super::cluster::Cluster;
use super::group::{Group, Setup};
use super::read::kcat_lines;
use super::service::binary;
use super::wait::{now_ms, until};
use crate::harness::Bench;
use crate::reference::{STREAMS, parse_ms, rfc3339};

/// How far apart the onset of an incident may be, live and in a replay, in milliseconds.
const ONSET_MS: i64 = 5_000;

/// What was not in the topics for so long did not happen.
const KNOWN_MS: i64 = 3_600_000;

/// The service judges for so long after the traffic ended.
const AFTER_MS: i64 = 20_000;

/// A scenario and its traffic.
#[derive(Clone, Debug)]
pub struct Live {
    /// As `simulate --scenario` has it.
    pub scenario: String,
    /// Payments a second.
    pub rate: u32,
    /// How long the traffic lasts, in seconds.
    pub seconds: u32,
    /// Of the simulation.
    pub seed: u64,
}

/// An incident as its last revision tells it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Said {
    /// What is wrong.
    pub verdict: String,
    /// Where, as JSON.
    pub scope: String,
    /// Since when, milliseconds since the epoch.
    pub started_ms: i64,
    /// When it was opened.
    pub opened_ms: i64,
    /// When the first revision of it was on the broker; `None` in a replay.
    pub visible_ms: Option<i64>,
}

/// What was said of a scenario.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Which.
    pub scenario: String,
    /// The verdicts that must be said.
    pub truth: Vec<String>,
    /// What the service said.
    pub live: Vec<Said>,
    /// What a replay says of the same records.
    pub replayed: Vec<Said>,
}

impl Live {
    /// Runs it beside a replay of what it wrote.
    ///
    /// # Panics
    /// When anything cannot be run or read, or a revision is there twice or missing.
    pub fn run(&self, cluster: &Cluster) -> Seen {
        let (decides, truth) = self.simulated(cluster);
        let setup = Setup {
            decides: Some(decides),
            // A service that has just begun does not call a credit an orphan yet: the topics are known for an hour.
            start_at: rfc3339(now_ms() - KNOWN_MS),
            ..Setup::quick()
        };
        let name = self.name();
        let group = Group::new(cluster, &name, setup);
        let service = group.start_ready(&name);
        let traffic = self.traffic();
        let traffic: Vec<&str> = traffic.iter().map(String::as_str).collect();
        let (status, told) = group.command(&[&["simulate"], traffic.as_slice()].concat());
        assert_eq!(status, Some(0), "{told}");
        let ended_ms = now_ms();
        until("it judges what came last", Duration::from_secs(60), || {
            (now_ms() >= ended_ms + AFTER_MS).then_some(())
        });
        service.stop();
        self.keep(&group);
        // What is opened when the traffic ends, because it ends, is of no scenario.
        let before = |all: Vec<Said>| {
            all.into_iter()
                .filter(|it| it.opened_ms < ended_ms)
                .collect()
        };
        Seen {
            scenario: self.scenario.clone(),
            truth,
            live: before(said(&group)),
            replayed: before(replayed(&group)),
        }
    }

    /// Writes what was read and said beside the service's log, for whoever keeps it (`SETTLEWATCH_KEEP=1`).
    fn keep(&self, group: &Group<'_>) {
        let folder = group.cluster.folder().join(self.name());
        let incidents = kcat_lines(&group.output("incidents"));
        let files = STREAMS.into_iter().zip(group.dump());
        for (name, lines) in files.chain([("incidents", incidents)]) {
            let path = folder.join(name).with_extension("ndjson");
            std::fs::write(path, lines).expect("a file can be written");
        }
        let path = folder.join("rules.yaml");
        std::fs::write(path, group.rules_text()).expect("a file can be written");
    }

    fn name(&self) -> String {
        let letters = |letter: char| {
            if letter.is_ascii_alphanumeric() {
                letter
            } else {
                '-'
            }
        };
        let scenario: String = self.scenario.chars().map(letters).collect();
        format!("live-{scenario}-{}", self.seed)
    }

    fn traffic(&self) -> Vec<String> {
        let mut all = vec![
            "--rate".into(),
            self.rate.to_string(),
            "--duration".into(),
            format!("{}s", self.seconds),
            "--seed".into(),
            self.seed.to_string(),
        ];
        if self.scenario != "healthy" {
            all.extend(["--scenario".into(), self.scenario.clone()]);
        }
        all
    }

    /// The configuration that its simulation is judged by, and the verdicts that are right.
    fn simulated(&self, cluster: &Cluster) -> (String, Vec<String>) {
        let folder = cluster.folder().join(self.name()).join("simulated");
        let mut command = Command::new(binary());
        command.arg("simulate").args(self.traffic());
        let output = command.arg("--out").arg(&folder).output();
        let output = output.expect("the program runs");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "simulate: {told}");
        let text = |file: &str| {
            std::fs::read_to_string(folder.join(file)).expect("a simulation has this file")
        };
        let truth: Value = serde_json::from_str(&text("truth.json")).expect("the truth is JSON");
        let faults = truth["faults"].as_array().expect("faults").iter();
        let telling = faults.filter(|fault| fault["incident"] == true);
        let verdicts = telling.filter_map(|fault| fault["verdict"].as_str().map(Into::into));
        (text("settlewatch.yaml"), verdicts.collect())
    }
}

impl Seen {
    /// What is not the same live and in the replay, for people; empty where all is.
    pub fn differences(&self) -> Vec<String> {
        let mut rest: Vec<&Said> = self.replayed.iter().collect();
        let mut told = Vec::new();
        // That we were behind for a moment is about us: a replay never is.
        let live = self.live.iter().filter(|it| it.verdict != "MONITOR_BEHIND");
        for live in live {
            let same = |it: &&Said| {
                it.verdict == live.verdict
                    && it.scope == live.scope
                    && (it.started_ms - live.started_ms).abs() <= ONSET_MS
            };
            match rest.iter().position(same) {
                Some(place) => drop(rest.remove(place)),
                None => told.push(format!("only live: {live:?}")),
            }
        }
        told.extend(rest.iter().map(|it| format!("only in the replay: {it:?}")));
        told
    }

    /// Milliseconds from the moment at which the replay opens an incident to its first revision on the broker, of all that
    /// both have.
    pub fn later_ms(&self) -> Vec<i64> {
        let visible = |live: &Said| {
            let same = |it: &&Said| it.verdict == live.verdict && it.scope == live.scope;
            let replayed = self.replayed.iter().find(same)?;
            Some(live.visible_ms? - replayed.opened_ms)
        };
        self.live.iter().filter_map(visible).collect()
    }
}

/// The incidents of a service: every revision is there once.
fn said(group: &Group<'_>) -> Vec<Said> {
    let mut revisions = BTreeMap::<String, Vec<Value>>::new();
    let mut visible_ms = BTreeMap::new();
    for record in group.output("incidents") {
        let line = record.json();
        let id = line["incident_id"].as_str().expect("an id").to_owned();
        visible_ms.entry(id.clone()).or_insert(record.ts);
        revisions.entry(id).or_default().push(line);
    }
    let told = revisions.into_iter().map(|(id, revisions)| {
        let numbers = revisions.iter().map(|it| it["revision"].as_u64());
        let expected = (1..=revisions.len() as u64).map(Some);
        assert!(
            numbers.eq(expected),
            "{id}: each revision once: {revisions:?}"
        );
        let last = revisions.last().expect("an incident has a revision");
        Said::of(last, visible_ms.get(&id).copied())
    });
    sorted(told.collect())
}

/// The incidents of a replay of everything in the inputs, up to now.
fn replayed(group: &Group<'_>) -> Vec<Said> {
    let files = group.dump();
    let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    let now = Timestamp::from_millis(now_ms());
    let bench = Bench::new(&group.rules_text()).until(Until::Time(now));
    let written = bench.bytes(&files).expect("the inputs can be replayed");
    let mut last = BTreeMap::new();
    for line in written.lines_of("incidents.ndjson") {
        let id = line["incident_id"].as_str().expect("an id").to_owned();
        last.insert(id, Said::of(&line, None));
    }
    sorted(last.into_values().collect())
}

fn sorted(mut all: Vec<Said>) -> Vec<Said> {
    all.sort();
    all
}

impl Said {
    fn of(line: &Value, visible_ms: Option<i64>) -> Self {
        let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
        let at_ms = |field: &str| parse_ms(&text(field)).expect("an incident has its times");
        Self {
            verdict: text("verdict"),
            scope: line["scope"].to_string(),
            started_ms: at_ms("started_at"),
            opened_ms: at_ms("opened_at"),
            visible_ms,
        }
    }
}

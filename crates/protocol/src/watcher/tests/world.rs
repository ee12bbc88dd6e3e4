//! A cluster in memory, and one process on it.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use settlewatch_join::Timestamp;

use super::super::layout::unpack;
use super::super::step::WatchStep;
use super::super::{Core, FeedConfig, Second, Watcher, WatcherConfig};
use super::naive::{Naive, word};
use crate::io::{
    Command, Input, Probe, Produce, RawRecord, SourceId, StartPoint, Topic, Transaction,
    TxnOutcome, TxnStep,
};
use crate::limits::Limits;
use crate::step::StateRecord;

pub(super) const NUMBERS: usize = 3;
pub(super) const BEGIN_S: i64 = 1_775_707_200;

/// Where a process ends, by the number of its command.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum End {
    Never,
    /// Before the command is carried out.
    Before(usize),
    /// After it, before its outcome is heard.
    After(usize),
    /// The transaction is aborted, and may be tried again.
    Aborted(usize),
    /// Nobody knows whether it was committed; it was, or was not.
    Indefinite(usize, bool),
}

/// Key and value of a record of the state topic.
type Stated = (Box<[u8]>, Box<[u8]>);

/// A cluster in memory, and the one process that runs on it.
pub(super) struct World {
    pulses: Vec<Vec<(i64, Box<[u8]>)>>,
    /// Two auxiliary topics: the brokers stamp the first, producers the second.
    feeds: [Vec<(i64, Box<[u8]>)>; 2],
    pub(super) state: Vec<Stated>,
    pub(super) incidents: Vec<Vec<u8>>,
    has_offsets: bool,
    /// What is left of the state topic.
    pub(super) first_state: usize,
    pub(super) watcher: Watcher<Naive>,
    nonce: u64,
    reading: Option<Vec<(SourceId, i32, i64)>>,
    reading_state: Option<usize>,
    pub(super) now_ms: u64,
    pub(super) commands: usize,
    pub(super) end: End,
    /// Partitions that say nothing in some seconds.
    pub(super) silent: fn(usize, i64) -> bool,
    /// Seconds in which the ends of the auxiliary topic are not known.
    pub(super) unprobed: fn(i64) -> bool,
    /// Seconds in which nobody writes to the auxiliary topics.
    pub(super) quiet: fn(i64) -> bool,
    pub(super) rules: fn(u64) -> &'static [u8],
    pub(super) stamps: bool,
    /// When the last process began, by the brokers' clocks.
    pub(super) started_ms: i64,
}

/// `stamps`: whether the brokers stamp the second auxiliary topic too.
fn watcher(nonce: u64, rules: &[u8], stamps: bool) -> Watcher<Naive> {
    let config = WatcherConfig {
        rules: rules.into(),
        numbers: NUMBERS as i32,
        feeds: [(0, true), (1, stamps)]
            .map(|(number, log_append_time)| FeedConfig {
                identity: [number].into(),
                rank: 3,
                partitions: 1,
                log_append_time,
            })
            .into(),
        waiting_records: 100,
        identity: b"us"[..].into(),
        nonce,
    };
    let limits = Limits {
        snapshot_at_least_bytes: 2000,
        snapshot_at_most_steps: 7,
        ..Limits::of_watch()
    };
    Watcher::new(config, Naive::default()).with_limits(limits)
}

impl World {
    pub(super) fn new(end: End) -> Self {
        Self {
            pulses: vec![Vec::new(); NUMBERS],
            feeds: [Vec::new(), Vec::new()],
            state: Vec::new(),
            incidents: Vec::new(),
            has_offsets: false,
            first_state: 0,
            watcher: watcher(0, b"rules", false),
            stamps: false,
            started_ms: 0,
            nonce: 0,
            reading: None,
            reading_state: None,
            now_ms: 0,
            commands: 0,
            end,
            silent: |_, _| false,
            unprobed: |_| false,
            quiet: |_| false,
            rules: |_| b"rules",
        }
    }

    pub(super) fn start(&mut self) {
        self.nonce += 1000;
        self.started_ms = self.broker_ms();
        self.watcher = watcher(self.nonce, (self.rules)(self.nonce), self.stamps);
        self.reading = None;
        self.reading_state = None;
        self.watcher.handle(Input::Assigned(vec![0]));
    }

    fn broker_ms(&self) -> i64 {
        BEGIN_S * 1000 + self.now_ms as i64
    }

    /// What lanes and others write in this tenth of a second.
    fn produce(&mut self) {
        let now_ms = self.broker_ms();
        let (second, ms) = (now_ms.div_euclid(1000), now_ms.rem_euclid(1000));
        for number in 0..NUMBERS {
            if ms != 100 + 200 * number as i64 || (self.silent)(number, second) {
                continue;
            }
            let words = [second * 1000, second - 1, second * 10 + number as i64];
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            self.pulses[number].push((now_ms, bytes.into()));
        }
        if ms == 400 && !(self.unprobed)(second) && !(self.quiet)(second) {
            let len = second.rem_euclid(5) as usize;
            self.feeds[0].push((now_ms, vec![0; len].into()));
            // Late, early, of 1970, of next year.
            let said = [now_ms - 700, now_ms, 12, now_ms + 1_000_000_000];
            let said = if self.stamps {
                now_ms
            } else {
                said[second.rem_euclid(4) as usize]
            };
            self.feeds[1].push((said, vec![0; len + 7].into()));
        }
    }

    /// A tenth of a second.
    pub(super) fn tick(&mut self) {
        self.now_ms += 100;
        self.produce();
        self.deliver();
        let now = Timestamp::from_millis(self.broker_ms());
        self.watcher.handle(Input::BrokerTime(now));
        self.watcher.handle(Input::Tick(self.now_ms));
        self.carry();
    }

    pub(super) fn deliver(&mut self) {
        for (source, partition, next) in self.reading.iter_mut().flatten() {
            let log = match source.0 {
                0 => &self.pulses[*partition as usize],
                feed => &self.feeds[usize::from(feed) - 1],
            };
            for (ts, value) in log.iter().skip(*next as usize) {
                self.watcher.handle(Input::Record(RawRecord {
                    source: *source,
                    partition: *partition,
                    offset: *next,
                    ts: *ts,
                    key: None,
                    value: Some(value.clone()),
                }));
                *next += 1;
            }
        }
        let (second, ms) = (
            self.broker_ms().div_euclid(1000),
            self.broker_ms().rem_euclid(1000),
        );
        if ms % 300 == 0 && !(self.unprobed)(second) {
            let at = Timestamp::from_millis(self.broker_ms());
            let probe = |feed: usize| Probe {
                source: SourceId(feed as u8 + 1),
                partition: 0,
                end: self.feeds[feed].len() as i64,
                sent_at: at,
                answered_by: at,
            };
            let probes = vec![probe(0), probe(1)];
            self.watcher.handle(Input::Probes(probes));
        }
        while let Some(next) = self.reading_state.filter(|&next| next < self.state.len()) {
            self.reading_state = Some(next + 1);
            let (key, value) = self.state[next].clone();
            self.watcher.handle(Input::State {
                partition: 0,
                offset: next as i64,
                key,
                value,
            });
            self.carry();
        }
    }

    pub(super) fn carry(&mut self) {
        while let Some(command) = self.watcher.next_command() {
            self.commands += 1;
            if self.end == End::Before(self.commands) {
                return self.start();
            }
            match command {
                Command::Transact(transaction) => {
                    if !self.transact(&transaction) {
                        return self.start();
                    }
                }
                Command::ReadState(_) => self.reading_state = Some(self.first_state),
                Command::StateRead(_) => self.reading_state = None,
                Command::FindStart(partition) => {
                    let start = StartPoint {
                        positions: vec![0; NUMBERS + 2],
                        knows_since: Timestamp::from_millis(self.broker_ms()),
                        group_has_offsets: self.has_offsets,
                    };
                    self.watcher.handle(Input::Start { partition, start });
                }
                Command::Assign(from) => self.reading = Some(from),
                Command::Truncate { before, .. } => self.first_state = before as usize,
                Command::NewProducer | Command::Pause(_) | Command::Resume(_) => {}
                Command::Rules(_) | Command::Drained => {}
                Command::Fail(fault) => panic!("{fault}"),
            }
            if self.end == End::After(self.commands) {
                return self.start();
            }
        }
    }

    /// Whether the process goes on.
    fn transact(&mut self, transaction: &Transaction) -> bool {
        let outcome = match self.end {
            End::Aborted(at) if at == self.commands => TxnOutcome::Aborted,
            End::Indefinite(at, _) if at == self.commands => TxnOutcome::Indefinite,
            _ => TxnOutcome::Committed,
        };
        let happened = match self.end {
            End::Indefinite(at, happened) if at == self.commands => happened,
            _ => outcome == TxnOutcome::Committed,
        };
        let first = self.state.len();
        if happened {
            self.commit(transaction);
        }
        if self.end == End::After(self.commands) {
            return false;
        }
        if outcome == TxnOutcome::Committed {
            let offset = first as i64;
            self.watcher.handle(Input::StateWritten {
                partition: 0,
                offset,
            });
        }
        self.watcher.handle(Input::Transaction(outcome));
        true
    }

    fn commit(&mut self, transaction: &Transaction) {
        for step in &transaction.steps {
            match step {
                TxnStep::Produce(records) => records.iter().for_each(|it| self.append(it)),
                TxnStep::SendOffsets(offsets) => {
                    self.has_offsets |= offsets.iter().any(|(source, ..)| source.0 == 0);
                }
                _ => {}
            }
        }
    }

    fn append(&mut self, record: &Produce) {
        let value = record.value.clone().expect("a value");
        match record.topic {
            Topic::State => {
                let key = record.key.clone().expect("a key");
                self.state.push((key, value));
            }
            Topic::Incidents => self.incidents.push(value.into()),
            other => panic!("the watch writes nothing to {other:?}"),
        }
    }

    pub(super) fn run(mut self, ticks: usize) -> Self {
        self.start();
        for _ in 0..ticks {
            self.tick();
        }
        self
    }

    /// Judges every step of the log from the beginning, by what it says that it took in: what was said must follow.
    pub(super) fn audit(&self) {
        let mut core = Naive::default();
        core.begin(&self.first_rules()).expect("rules");
        let (mut taken, mut clocks) = ([0; NUMBERS + 2], [i64::MIN; 2]);
        let mut known_ms: Vec<i64> = vec![i64::MIN; NUMBERS];
        let mut said = Vec::new();
        let mut last = WatchStep::default();
        for step in self.steps() {
            let mut feeds = last.feeds.iter().zip(&step.feeds);
            let follow = feeds.all(|(a, b)| a.position <= b.position && a.known <= b.known);
            assert!(follow, "{:?}: {step:?} after {last:?}", self.end);
            last = step.clone();
            if said.is_empty() {
                known_ms.fill(step.second * 1000);
            }
            if let Some(rules) = &step.rules {
                core.reconfigure(rules, step.second - 1).expect("rules");
            }
            for number in 0..NUMBERS {
                for (_, value) in until(
                    &self.pulses[number],
                    &mut taken[number],
                    step.pulses[number],
                ) {
                    let heard = core.read(0, Some(value)).expect("a pulse");
                    known_ms[number] = known_ms[number].max(heard.known_ms);
                    core.absorb(heard.pulse);
                }
            }
            for feed in 0..2 {
                let first = taken[NUMBERS + feed];
                let position = step.feeds[feed].position;
                let records = until(&self.feeds[feed], &mut taken[NUMBERS + feed], position);
                for ((ts, value), offset) in records.iter().zip(first..) {
                    let settled = step.append_times.iter();
                    let settled = settled.filter(|it| (it.0, it.1) == (feed as u32, offset));
                    let at = settled.map(|it| it.2.millis()).next().unwrap_or(*ts);
                    clocks[feed] = clocks[feed].max(at);
                    let at = Timestamp::from_millis(clocks[feed]);
                    core.hear(SourceId(feed as u8 + 1), at, Some(value), true);
                }
            }
            let second = Second {
                second: step.second,
                known_ms: &known_ms,
                withheld: &step.withheld,
                again: true,
            };
            said.extend(
                core.end_second(&second)
                    .into_iter()
                    .filter_map(|it| it.value),
            );
        }
        assert_eq!(said.len(), self.incidents.len(), "{:?}", self.end);
        let alike = said
            .iter()
            .zip(&self.incidents)
            .all(|(a, b)| a[..] == b[..]);
        assert!(alike, "{:?}: what was said follows from the log", self.end);
    }

    /// The rules of the very first snapshot.
    fn first_rules(&self) -> Vec<u8> {
        let chunks = self.state.iter().filter_map(|(key, value)| {
            let record: StateRecord<'_, WatchStep> = StateRecord::read(key, value).ok()?;
            match record {
                StateRecord::Chunk { bytes, .. } => Some(bytes.into()),
                _ => None,
            }
        });
        let first: Vec<Box<[u8]>> = chunks.take(3).collect();
        let first = unpack(&first).expect("a snapshot");
        first.rules.text.to_vec()
    }

    fn steps(&self) -> Vec<WatchStep> {
        let records = self.state.iter();
        let steps = records.filter_map(|(key, value)| match StateRecord::read(key, value) {
            Ok(StateRecord::Step(step)) => Some(step),
            _ => None,
        });
        steps.collect()
    }

    /// Each second once, in order.
    pub(super) fn seconds(&self) -> Vec<i64> {
        let said = self.incidents.iter().enumerate().map(|(at, value)| {
            let revision = word(value, 0).expect("a revision");
            assert_eq!(revision, at as u64 + 1, "{:?}: once, in order", self.end);
            word(value, 1).expect("a second") as i64
        });
        said.collect()
    }
}

/// The records before a position that were not taken.
fn until<'a, T>(log: &'a [T], taken: &mut i64, position: i64) -> &'a [T] {
    let from = core::mem::replace(taken, position);
    &log[from as usize..position as usize]
}

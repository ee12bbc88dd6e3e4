//! Leads a recording through a lane, which may die.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use settlewatch_join::{Span, Timestamp};
use settlewatch_protocol::{
    Command, Input, Lane, LaneConfig, Limits, Probe, SourceConfig, SourceId, StartPoint,
    Transaction, TxnOutcome,
};
use settlewatch_replay::collector_settings;
use settlewatch_watch::pulse::PulseRecord;

use super::cluster::Cluster;
use super::host::TestHost;
use super::recording::{INPUTS, Recording};
use crate::generate::Rng;

/// How often the lane dies, in thousandths of its turns and of its transactions.
#[derive(Clone, Copy, Debug)]
pub struct Deaths {
    pub turns_permille: i64,
    pub transactions_permille: i64,
}

impl Deaths {
    /// It lives.
    pub const NONE: Self = Self {
        turns_permille: 0,
        transactions_permille: 0,
    };
}

/// What came of it.
pub struct Written {
    /// Records of the pulse topic by partition number, as they were written.
    pub records: Vec<Vec<PulseRecord>>,
    /// Their bytes.
    pub bytes: usize,
    /// Alerts that were written, each as often as it was.
    pub alerts: Vec<Box<[u8]>>,
    /// How often it died.
    pub deaths: usize,
    /// Steps with snapshots that were restored from.
    pub restores: usize,
}

/// Turns without end are a fault.
const TURNS: usize = 1_000_000;

struct Runner<'a> {
    recording: &'a Recording,
    cluster: Cluster,
    lane: Lane<TestHost>,
    limits: Limits,
    rng: Rng,
    deaths: Deaths,
    positions: BTreeMap<(SourceId, i32), i64>,
    paused: BTreeSet<(SourceId, i32)>,
    now: Timestamp,
    nonce: u64,
    died: usize,
    restores: usize,
}

/// What one lane writes of the records, up to the second of `until`, in the order of its partition numbers.
///
/// # Panics
/// When the lane fails, or does not get there.
pub fn written(recording: &Recording, seed: u64, deaths: Deaths, until: Timestamp) -> Written {
    let mut rng = Rng::new(seed);
    let limits = limits(&mut rng, deaths);
    let most = if rng.chance(30) { 2000 } else { 512 << 10 };
    let lane = lane(recording, limits, most, 1);
    let mut runner = Runner {
        cluster: Cluster::new(recording),
        lane,
        limits,
        rng,
        deaths,
        positions: BTreeMap::new(),
        paused: BTreeSet::new(),
        now: recording.begins(),
        nonce: 1,
        died: 0,
        restores: 0,
        recording,
    };
    runner.assign();
    for _ in 0..TURNS {
        if runner.is_done(until) {
            return runner.into_written();
        }
        runner.turn(most);
    }
    panic!("seed {seed}: the lane does not get there");
}

fn lane(recording: &Recording, limits: Limits, most: usize, nonce: u64) -> Lane<TestHost> {
    let source = |rank| SourceConfig {
        rank: rank as u8,
        log_append_time: true,
    };
    let config = LaneConfig {
        rules: b"rules"[..].into(),
        numbers: recording.numbers,
        sources: (0..INPUTS).map(source).collect(),
        waiting_records: 100_000,
        reload_limit: 1000,
        identity: b"test"[..].into(),
        nonce: nonce << 20,
    };
    let host = TestHost {
        settings: Arc::new(recording.config.settings.clone()),
        collector: collector_settings(&recording.config),
        most,
    };
    Lane::new(config, host).with_limits(limits)
}

/// Limits that a small recording meets.
fn limits(rng: &mut Rng, deaths: Deaths) -> Limits {
    if deaths.turns_permille == 0 {
        return Limits::default();
    }
    Limits {
        snapshot_at_least_bytes: rng.pick(&[20_000, 200_000]),
        snapshot_times_its_size: rng.pick(&[0, 1]),
        snapshot_bytes_per_step: rng.pick(&[3000, 2 << 20]),
        effects_per_step: rng.pick(&[20, 10_000]),
        ..Limits::default()
    }
}

impl Runner<'_> {
    fn assign(&mut self) {
        let numbers = (0..self.recording.numbers).collect();
        self.lane.handle(Input::Assigned(numbers));
    }

    fn die(&mut self, most: usize) {
        self.nonce += 1;
        self.died += 1;
        self.lane = lane(self.recording, self.limits, most, self.nonce);
        self.positions.clear();
        self.paused.clear();
        self.assign();
    }

    fn is_done(&self, until: Timestamp) -> bool {
        let known = |log: &Vec<Box<[u8]>>| {
            let last = log.last().map(|it| PulseRecord::decode(it));
            last.is_some_and(|last| last.expect("our own").known_ms >= until.millis())
        };
        self.cluster.pulses.iter().all(known)
    }

    fn turn(&mut self, most: usize) {
        let step = self.rng.between(20, 400);
        self.now = self.now + Span::from_millis(step.unsigned_abs());
        if self.happens(self.deaths.turns_permille) {
            self.die(most);
        }
        if self.lane.phase() != "restoring" {
            self.read();
            self.probe();
        }
        let since = self.now.since(self.recording.begins());
        self.lane.handle(Input::Tick(since.unsigned_abs()));
        while let Some(command) = self.lane.next_command() {
            self.obey(command, most);
        }
    }

    fn happens(&mut self, permille: i64) -> bool {
        self.rng.between(0, 999) < permille
    }

    fn read(&mut self) {
        for ((source, number), position) in self.positions.clone() {
            let end = self.cluster.end(source, number, self.now);
            // Not every input is read as fast as it grows.
            let upto = end.min(position + self.rng.between(0, 400));
            if self.paused.contains(&(source, number)) || upto <= position {
                continue;
            }
            for offset in position..upto {
                let record = self.cluster.record(source, number, offset);
                self.lane.handle(Input::Record(record));
            }
            self.lane.handle(Input::Position {
                source,
                partition: number,
                position: upto,
            });
            self.positions.insert((source, number), upto);
        }
    }

    fn probe(&mut self) {
        let places: Vec<_> = self.positions.keys().copied().collect();
        let inputs = places
            .into_iter()
            .filter(|(source, _)| usize::from(source.0) < INPUTS);
        let probes: Vec<_> = inputs
            .map(|(source, partition)| Probe {
                source,
                partition,
                end: self.cluster.end(source, partition, self.now),
                sent_at: self.now,
                answered_by: self.now + Span::from_millis(1),
            })
            .collect();
        if self.rng.chance(80) {
            self.lane.handle(Input::Probes(probes));
        }
    }

    fn obey(&mut self, command: Command, most: usize) {
        match command {
            Command::Transact(transaction) => self.transact(&transaction, most),
            Command::ReadState(number) => {
                self.restores += 1;
                for input in self.cluster.state(number) {
                    self.lane.handle(input);
                }
            }
            Command::FindStart(partition) => self.lane.handle(Input::Start {
                partition,
                start: StartPoint {
                    positions: vec![0; INPUTS + 1],
                    knows_since: self.recording.begins(),
                    group_has_offsets: false,
                },
            }),
            Command::Assign(from) => {
                self.positions = from
                    .into_iter()
                    .map(|(source, number, at)| ((source, number), at))
                    .collect();
            }
            Command::Pause(places) => self.paused.extend(places),
            Command::Resume(places) => self.paused.retain(|place| !places.contains(place)),
            Command::NewProducer
            | Command::StateRead(_)
            | Command::Rules(_)
            | Command::Truncate { .. } => {}
            Command::Drained | Command::Fail(_) => panic!("it ended: {command:?}"),
        }
    }

    fn transact(&mut self, transaction: &Transaction, most: usize) {
        let dies = self.happens(self.deaths.transactions_permille);
        if dies && self.rng.chance(50) {
            return self.die(most);
        }
        let (written, _) = self.cluster.commit(transaction, self.now);
        if dies {
            return self.die(most);
        }
        for (partition, offset) in written {
            self.lane.handle(Input::StateWritten { partition, offset });
        }
        self.lane.handle(Input::Transaction(TxnOutcome::Committed));
    }

    fn into_written(self) -> Written {
        let decode = |log: &Vec<Box<[u8]>>| {
            let records = log.iter().map(|it| PulseRecord::decode(it));
            records.collect::<Result<_, _>>().expect("our own records")
        };
        let logs = self.cluster.pulses.iter();
        Written {
            records: logs.clone().map(decode).collect(),
            bytes: logs.flatten().map(|it| it.len()).sum(),
            alerts: self.cluster.alerts,
            deaths: self.died,
            restores: self.restores,
        }
    }
}

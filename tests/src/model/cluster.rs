//! The brokers: their clocks, the partitions they lead, how fast followers are.

use settlewatch_protocol::{SourceId, Topic};

use super::log::{Data, Log};
use crate::generate::Rng;

/// A partition of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) topic: usize,
    pub(super) partition: i32,
}

/// Which topic is which: inputs first, then pairs, as [`SourceId`] of a lane counts them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Topics {
    /// How many inputs there are.
    pub(super) inputs: usize,
    /// Partitions of every topic.
    pub(super) numbers: i32,
    /// How many of them the watch reads of its auxiliary topic.
    pub(super) feeds: i32,
}

impl Topics {
    /// How many topics there are.
    pub(super) fn len(self) -> usize {
        self.inputs + 8
    }

    /// Where a source is read.
    pub(super) fn of_source(self, source: SourceId, partition: i32) -> Place {
        Place {
            topic: usize::from(source.0),
            partition,
        }
    }

    /// Where an output goes.
    pub(super) fn of_output(self, topic: Topic, partition: i32) -> Place {
        let after = match topic {
            Topic::Pairs => 0,
            Topic::State => 1,
            Topic::Alerts => 2,
            Topic::DeadLetters => 3,
            Topic::Pulse => 4,
            Topic::Incidents => 5,
        };
        Place {
            topic: self.inputs + after,
            partition,
        }
    }

    /// The state of the watch, all of it.
    pub(super) fn watch_state(self) -> Place {
        Place {
            topic: self.inputs + 6,
            partition: 0,
        }
    }

    /// The auxiliary topic of the watch.
    pub(super) fn feed(self, partition: i32) -> Place {
        Place {
            topic: self.inputs + 7,
            partition,
        }
    }

    /// Where the watch reads a source.
    pub(super) fn of_watched(self, source: SourceId, partition: i32) -> Place {
        match source.0 {
            0 => self.of_output(Topic::Pulse, partition),
            _ => self.feed(partition),
        }
    }
}

/// The cluster's logs and clocks.
pub(super) struct Cluster {
    /// Physical time, in milliseconds since the epoch.
    pub(super) now: i64,
    pub(super) topics: Topics,
    /// What each broker's clock shows beyond physical time.
    pub(super) ahead: Vec<i64>,
    logs: Vec<Vec<Log>>,
    /// How long followers take, by topic, while they are slow.
    pub(super) slow: Vec<i64>,
}

/// The partitions of a topic are led in turn.
fn preferred(place: Place, brokers: usize) -> usize {
    (place.topic + usize::try_from(place.partition).expect("never negative")) % brokers
}

impl Cluster {
    /// Empty logs, led by brokers in turn.
    pub(super) fn new(topics: Topics, ahead: Vec<i64>, now: i64, create_time: &[bool]) -> Self {
        let brokers = ahead.len();
        let log = |topic: usize, partition: i32| {
            let mut log = Log::default();
            log.leader = preferred(Place { topic, partition }, brokers);
            log.log_append_time = !create_time.get(topic).copied().unwrap_or(false);
            log
        };
        let logs = (0..topics.len())
            .map(|topic| (0..topics.numbers).map(|p| log(topic, p)).collect())
            .collect();
        Self {
            now,
            topics,
            ahead,
            logs,
            slow: vec![0; topics.len()],
        }
    }

    pub(super) fn log(&self, place: Place) -> &Log {
        &self.logs[place.topic][usize::try_from(place.partition).expect("never negative")]
    }

    pub(super) fn log_mut(&mut self, place: Place) -> &mut Log {
        &mut self.logs[place.topic][usize::try_from(place.partition).expect("never negative")]
    }

    /// Every partition there is.
    pub(super) fn places(&self) -> Vec<Place> {
        let topics = 0..self.topics.len();
        let place =
            |topic| (0..self.topics.numbers).map(move |partition| Place { topic, partition });
        topics.flat_map(place).collect()
    }

    /// What a broker's clock shows.
    pub(super) fn time_of(&self, broker: usize) -> i64 {
        self.now + self.ahead[broker]
    }

    /// Appends a record.
    pub(super) fn append(&mut self, place: Place, data: Data, producer: Option<u64>) -> i64 {
        let (now, replicated_at) = (self.now, self.now + self.slow[place.topic]);
        let time = self.time_of(self.log(place).leader);
        self.log_mut(place)
            .append(data, producer, (now, time), replicated_at)
    }

    /// Writes a marker.
    pub(super) fn mark(&mut self, place: Place, pid: u64, decided: (bool, u64)) {
        let (now, replicated_at) = (self.now, self.now + self.slow[place.topic]);
        let time = self.time_of(self.log(place).leader);
        self.log_mut(place)
            .mark(pid, decided, (now, time), replicated_at);
    }

    /// Time has passed: followers fetch.
    pub(super) fn replicate(&mut self) {
        let (now, ahead) = (self.now, &self.ahead);
        for log in self.logs.iter_mut().flatten() {
            log.replicate(now, now + ahead[log.leader]);
        }
    }

    /// Another broker leads a partition.
    pub(super) fn change_leader(&mut self, place: Place, rng: &mut Rng) {
        let brokers: Vec<usize> = (0..self.ahead.len()).collect();
        let shown = self.time_of(self.log(place).leader);
        self.log_mut(place).lead_by(rng.pick(&brokers), shown);
    }

    /// Every broker leads what it should.
    pub(super) fn prefer_leaders(&mut self) {
        for place in self.places() {
            let shown = self.time_of(self.log(place).leader);
            let leader = preferred(place, self.ahead.len());
            self.log_mut(place).lead_by(leader, shown);
        }
    }

    /// Followers are fast again.
    pub(super) fn heal(&mut self) {
        self.slow.fill(0);
        let now = self.now;
        for log in self.logs.iter_mut().flatten() {
            log.hurry(now);
        }
    }
}

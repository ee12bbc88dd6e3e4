//! Broker time by leader, shared by the lanes of a process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use settlewatch_join::Timestamp;
use settlewatch_protocol::BrokerClock;

/// Milliseconds of a clock that nobody sets: since the process began.
#[derive(Clone, Copy, Debug)]
pub struct Monotonic(Instant);

impl Monotonic {
    /// It begins now.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Milliseconds since it began.
    pub fn now_ms(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Which broker leads a partition of a topic.
type Leaders = HashMap<(String, i32), i32>;

/// The clocks of the brokers, and which of them leads which partition.
#[derive(Debug, Default)]
pub struct Clocks {
    /// The brokers live in this process and stamp nothing: their time is ours.
    ours: bool,
    clocks: Mutex<HashMap<i32, BrokerClock>>,
    leaders: Mutex<Leaders>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds one of these locks half-changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Clocks {
    /// The clocks of brokers that live in this process and stamp nothing.
    pub fn of_this_machine() -> Self {
        Self {
            ours: true,
            ..Self::default()
        }
    }

    /// Append time of a record that was acknowledged with this stamp just now.
    pub(crate) fn stamp(&self, stamp_ms: Option<i64>) -> Option<i64> {
        if !self.ours {
            return stamp_ms;
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        i64::try_from(now.ok()?.as_millis()).ok()
    }

    /// The cluster says who leads these partitions.
    pub(crate) fn set_leaders(&self, leaders: Leaders) {
        lock(&self.leaders).extend(leaders);
    }

    /// Who leads a partition, as last heard.
    pub(crate) fn leader(&self, topic: &str, partition: i32) -> Option<i32> {
        let leaders = lock(&self.leaders);
        // No allocation: tables of a few dozen partitions.
        let found = leaders
            .iter()
            .find(|((name, number), _)| *number == partition && name == topic);
        found.map(|(_, &leader)| leader)
    }

    /// A record of a LogAppendTime topic was acknowledged.
    pub(crate) fn acknowledged(
        &self,
        (topic, partition): (&str, i32),
        (sent_ms, acknowledged_ms): (u64, u64),
        stamp_ms: i64,
    ) {
        if let Some(leader) = self.leader(topic, partition) {
            let stamp = Timestamp::from_millis(stamp_ms);
            let mut clocks = lock(&self.clocks);
            clocks
                .entry(leader)
                .or_default()
                .acknowledged(sent_ms, acknowledged_ms, stamp);
        }
    }

    /// The time of a broker at a moment of our clock, at the earliest.
    pub(crate) fn earliest(&self, leader: i32, at_ms: u64) -> Option<Timestamp> {
        lock(&self.clocks).get(&leader)?.earliest(at_ms)
    }

    /// The time of a broker at a moment of our clock, at the latest.
    pub(crate) fn latest(&self, leader: i32, at_ms: u64) -> Option<Timestamp> {
        lock(&self.clocks).get(&leader)?.latest(at_ms)
    }

    /// The time of any broker at a moment of our clock, about: to begin with, and for displays.
    pub fn about(&self, at_ms: u64) -> Option<Timestamp> {
        let clocks = lock(&self.clocks);
        clocks
            .values()
            .filter_map(|clock| clock.earliest(at_ms))
            .max()
    }
}

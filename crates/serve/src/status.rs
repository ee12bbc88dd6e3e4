//! What lanes say of themselves, for probes and for people.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use settlewatch_join::event::Currency;
use settlewatch_join::{Book, Timestamp};
use settlewatch_protocol::SourceId;

/// How far a restore is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restore {
    /// Partition numbers that are restored.
    pub restored: usize,
    /// Of so many that are assigned.
    pub assigned: usize,
    /// Records of state that were read since the assignment.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Restore {
    /// The share that is done, from 0 to 1; 1 where there is nothing to do.
    pub fn ratio(&self) -> f64 {
        if self.assigned == 0 {
            return 1.0;
        }
        self.restored as f64 / self.assigned as f64
    }
}

/// How a lane stands.
#[derive(Clone, Debug)]
pub struct LaneStatus {
    /// What it does.
    pub phase: &'static str,
    /// Whether the group has answered: it gave or took partition numbers, perhaps none.
    pub joined: bool,
    /// Whether everything assigned is restored and caught up.
    pub caught_up: bool,
    /// Partition numbers that are assigned.
    pub numbers: Vec<i32>,
    /// How far the restore is.
    pub restore: Restore,
    /// Records that were read and wait for known time.
    pub waiting_records: usize,
    /// Up to when each input is known; nothing where nothing is known yet.
    pub known: Vec<(SourceId, i32, Timestamp)>,
    /// Broker time, about, and when it was that.
    pub now: Option<(Timestamp, Instant)>,
    /// Bytes of memory: payments, attributes, finished ids.
    pub bytes: [usize; 3],
    /// Accounts of its partition numbers since their state began, by currency.
    pub books: Vec<(Currency, Book)>,
    /// Partition numbers follow newer rules than those of this process.
    pub stale: bool,
}

impl LaneStatus {
    fn new() -> Self {
        Self {
            phase: "starting",
            joined: false,
            caught_up: false,
            numbers: Vec::new(),
            restore: Restore::default(),
            waiting_records: 0,
            known: Vec::new(),
            now: None,
            bytes: [0; 3],
            books: Vec::new(),
            stale: false,
        }
    }

    /// Whether it does all that it has to do: everything assigned is caught up, or the group gave it nothing.
    pub fn is_ready(&self) -> bool {
        self.joined && (self.numbers.is_empty() || self.caught_up) && self.phase != "failed"
    }

    /// Broker time now, about.
    pub fn broker_now(&self) -> Option<Timestamp> {
        let (time, then) = self.now?;
        let since = u64::try_from(then.elapsed().as_millis()).unwrap_or(u64::MAX);
        Some(time + settlewatch_join::Span::from_millis(since))
    }
}

/// Adds up books of the same currencies.
pub(crate) fn merge<'a>(
    books: impl Iterator<Item = &'a (Currency, Book)>,
) -> Vec<(Currency, Book)> {
    let mut sums: Vec<(Currency, Book)> = Vec::new();
    for (currency, book) in books {
        match sums.iter_mut().find(|(code, _)| code == currency) {
            Some((_, sum)) => sum.merge(book),
            None => sums.push((*currency, *book)),
        }
    }
    sums.sort_by_key(|&(currency, _)| currency);
    sums
}

/// One lane, as other threads see it.
pub(crate) struct LaneBoard {
    pub(crate) name: String,
    born: Instant,
    /// Milliseconds after its birth of the last sign of life.
    beat_ms: AtomicU64,
    /// It waits for an answer of the cluster, which may take as long as it takes.
    calling: AtomicBool,
    status: Mutex<LaneStatus>,
}

impl LaneBoard {
    pub(crate) fn new(name: String) -> Self {
        Self {
            name,
            born: Instant::now(),
            beat_ms: AtomicU64::new(0),
            calling: AtomicBool::new(false),
            status: Mutex::new(LaneStatus::new()),
        }
    }

    pub(crate) fn beat(&self) {
        let now_ms = u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.beat_ms.store(now_ms, Ordering::Relaxed);
    }

    pub(crate) fn set_calling(&self, calling: bool) {
        self.calling.store(calling, Ordering::Relaxed);
    }

    /// How long ago it last showed life; nothing while it waits for the cluster.
    pub(crate) fn silent_for(&self) -> Duration {
        if self.calling.load(Ordering::Relaxed) {
            return Duration::ZERO;
        }
        let beat = Duration::from_millis(self.beat_ms.load(Ordering::Relaxed));
        self.born.elapsed().saturating_sub(beat)
    }

    pub(crate) fn status(&self) -> MutexGuard<'_, LaneStatus> {
        // It is only ever replaced, field by field.
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Plays a simulation to Kafka in real time, on a thread of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use settlewatch_config::Stream;
use settlewatch_kafka::{Fed, Feed};
use settlewatch_sim::{Plan, Record, generate};

/// How long the thread sleeps at a time, so that it can be stopped.
const NAP: Duration = Duration::from_millis(20);

/// How long the last records may take.
const FLUSH: Duration = Duration::from_secs(30);

/// Where the records of a simulation go: topics by the names of their streams.
pub(crate) struct Places(BTreeMap<String, String>);

impl Places {
    /// The topics of a configuration; records of streams that it does not have are left out.
    pub(crate) fn of(streams: &[Stream]) -> Self {
        let named = streams
            .iter()
            .map(|stream| (stream.name.clone(), stream.topic.clone()));
        Self(named.collect())
    }
}

/// What is played and how far it is.
struct Play {
    plan: Plan,
    feed: Feed,
    places: Places,
    began: Instant,
    stop: AtomicBool,
    written: AtomicU64,
}

/// Traffic that is being played.
pub(crate) struct Traffic {
    play: Arc<Play>,
    thread: JoinHandle<Result<(), String>>,
}

impl Traffic {
    /// Begins; the plan's start is now.
    pub(crate) fn start(plan: Plan, feed: Feed, places: Places) -> std::io::Result<Self> {
        let play = Arc::new(Play {
            plan,
            feed,
            places,
            began: Instant::now(),
            stop: AtomicBool::new(false),
            written: AtomicU64::new(0),
        });
        let played = Arc::clone(&play);
        let thread = std::thread::Builder::new()
            .name("traffic".into())
            .spawn(move || played.play())?;
        Ok(Self { play, thread })
    }

    /// Records written so far, and of them those that the brokers did not take.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let (_, failed) = self.play.feed.counts();
        (self.play.written.load(Ordering::Relaxed), failed)
    }

    /// Whether it ended by itself.
    pub(crate) fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// Stops, and waits until every record that was begun has been taken.
    pub(crate) fn end(self) -> Result<(), String> {
        self.play.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.join();
        ended.unwrap_or_else(|_| Err("the thread of the traffic panicked".into()))
    }
}

impl Play {
    fn play(&self) -> Result<(), String> {
        for record in generate(&self.plan) {
            let at_ms = (record.ts_ms - self.plan.start_ms()).max(0).unsigned_abs();
            if !self.wait_until(Duration::from_millis(at_ms)) {
                break;
            }
            self.write(&record)?;
        }
        self.feed.flush(FLUSH)
    }

    /// Waits for a moment of the play; `false` where it is to stop.
    fn wait_until(&self, at: Duration) -> bool {
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return false;
            }
            match at.checked_sub(self.began.elapsed()) {
                Some(early) if !early.is_zero() => std::thread::sleep(early.min(NAP)),
                _ => return true,
            }
        }
    }

    fn write(&self, record: &Record) -> Result<(), String> {
        let Some(topic) = self.places.0.get(record.topic.name()) else {
            return Ok(());
        };
        self.feed.write(Fed {
            topic,
            partition: None,
            key: record.key.as_bytes(),
            value: record.payload.as_bytes(),
        })?;
        self.written.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

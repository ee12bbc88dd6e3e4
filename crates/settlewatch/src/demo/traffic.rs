//! Plays the story in real time, on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use settlewatch_kafka::{Fed, Feed};
use settlewatch_sim::{Plan, Record, generate};

/// How long the thread sleeps at a time, so that it can be stopped.
const NAP: Duration = Duration::from_millis(20);

/// How long the last records may take.
const FLUSH: Duration = Duration::from_secs(10);

/// Traffic that is being played.
pub(super) struct Traffic {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<(), String>>,
}

impl Traffic {
    /// Begins; the plan's start is now.
    pub(super) fn start(plan: Plan, feed: Feed) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let began = Instant::now();
        let play = move || play(&plan, &feed, began, &stopped);
        let thread = std::thread::Builder::new()
            .name("traffic".into())
            .spawn(play)?;
        Ok(Self { stop, thread })
    }

    /// Whether it ended by itself: then something is wrong.
    pub(super) fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// Stops, and waits until every record that was begun has been taken.
    pub(super) fn end(self) -> Result<(), String> {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.join();
        ended.unwrap_or_else(|_| Err("the thread of the traffic panicked".into()))
    }
}

fn play(plan: &Plan, feed: &Feed, began: Instant, stop: &AtomicBool) -> Result<(), String> {
    for record in generate(plan) {
        let at = Duration::from_millis((record.ts_ms - plan.start_ms()).max(0).unsigned_abs());
        while let Some(early) = at
            .checked_sub(began.elapsed())
            .filter(|early| !early.is_zero())
        {
            if stop.load(Ordering::Relaxed) {
                return feed.flush(FLUSH);
            }
            std::thread::sleep(early.min(NAP));
        }
        if stop.load(Ordering::Relaxed) {
            break;
        }
        write(feed, &record)?;
    }
    feed.flush(FLUSH)
}

fn write(feed: &Feed, record: &Record) -> Result<(), String> {
    feed.write(Fed {
        topic: record.topic.name(),
        partition: i32::try_from(record.partition).map_err(|error| error.to_string())?,
        key: record.key.as_bytes(),
        value: record.payload.as_bytes(),
    })
}

//! Stories of payments, appended in real time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

use super::group::{Group, Rules};
use super::produce::{Outgoing, Producer};
use super::story::{Append, Kind, Story};
use super::wait::now_ms;
use crate::generate::Rng;
use crate::reference::STREAMS;

/// Payments that happen until they are told to stop.
pub struct Traffic {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<BTreeMap<Kind, u64>>,
}

struct Stage {
    producer: Producer,
    topics: [String; 4],
    rules: Rules,
    rng: Rng,
    per_second: i64,
    /// What is to be appended, by its moment; the number keeps those of one moment apart.
    planned: BTreeMap<(i64, u64), Append>,
    told: BTreeMap<Kind, u64>,
    number: u64,
}

impl Traffic {
    /// Begins: so many stories a second, the same for the same seed.
    pub fn start(group: &Group<'_>, seed: u64, per_second: i64) -> Self {
        Self::by(group.producer(), group, seed, per_second)
    }

    /// Begins, with a producer of one's own.
    pub fn by(producer: Producer, group: &Group<'_>, seed: u64, per_second: i64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let told_to_stop = Arc::clone(&stop);
        let mut stage = Stage {
            producer,
            topics: STREAMS.map(|stream| group.topic(stream)),
            rules: group.setup.rules.clone(),
            rng: Rng::new(seed),
            per_second,
            planned: BTreeMap::new(),
            told: BTreeMap::new(),
            number: 0,
        };
        let play = move || stage.play(&told_to_stop);
        let thread = std::thread::Builder::new()
            .name("traffic".into())
            .spawn(play);
        Self {
            stop,
            thread: thread.expect("a thread can be started"),
        }
    }

    /// Begins no further story, and waits until those that began are told; how many of each kind there were.
    ///
    /// # Panics
    /// When records could not be appended.
    pub fn finish(self) -> BTreeMap<Kind, u64> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("every record is appended")
    }
}

impl Stage {
    fn play(&mut self, stop: &AtomicBool) -> BTreeMap<Kind, u64> {
        let mut next = now_ms();
        loop {
            let now = now_ms();
            if !stop.load(Ordering::Relaxed) && next <= now {
                self.plan(next);
                let mean = 1_000 / self.per_second;
                next += self.rng.between(mean / 2, mean * 3 / 2).max(1);
            }
            self.append_until(now);
            if stop.load(Ordering::Relaxed) && self.planned.is_empty() {
                break;
            }
            sleep(Duration::from_millis(2));
        }
        self.producer.flush();
        std::mem::take(&mut self.told)
    }

    fn plan(&mut self, begin_ms: i64) {
        let kind = Kind::pick(&mut self.rng);
        *self.told.entry(kind).or_default() += 1;
        for append in Story::tell(kind, &self.rules, begin_ms, &mut self.rng) {
            self.number += 1;
            self.planned
                .insert((begin_ms + append.after_ms, self.number), append);
        }
    }

    fn append_until(&mut self, now: i64) {
        while let Some(entry) = self.planned.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let append = entry.remove();
            let mut record = Outgoing::event(&self.topics[append.stream], &append.key, "");
            record.value = Some(&append.value);
            let junk: [(&str, &[u8]); 1] = [("junk", b"1")];
            if append.junk {
                record.headers = &junk;
            }
            self.producer.send(&record);
        }
    }
}

/// Kinds that never came: a run that met them not proves nothing about them.
pub fn untold(told: &BTreeMap<Kind, u64>) -> BTreeSet<Kind> {
    let all = Kind::all();
    all.filter(|kind| !told.contains_key(kind)).collect()
}

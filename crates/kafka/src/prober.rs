//! Asks the leaders for the ends of partitions, all the time: the proofs of reading.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use settlewatch_protocol::{Input, Probe, SourceId};

use crate::client::Context;
use crate::clocks::{Clocks, Monotonic};
use crate::ends::Ends;
use crate::lane::Told;
use crate::outage::{Outage, Sayer};
use crate::renewed::Renewed;
use crate::topics::Topics;

/// Time between two probes of a leader.
const PROBE_EVERY: Duration = Duration::from_millis(100);

/// Time between two looks at the cluster's metadata.
const METADATA_EVERY: Duration = Duration::from_millis(400);

/// A probe proves nothing when nobody has looked at the partition counts for so long.
const METADATA_AGE_MS: u64 = 1000;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the cluster turned into while we ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountChanged {
    /// The topic.
    pub topic: String,
    /// How many partitions it had.
    pub was: i32,
    /// How many it has.
    pub is: i32,
}

impl std::fmt::Display for CountChanged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} has {} partitions now, and had {}: records of one payment may lie in two of them. Give every topic the \
             same number again, then move the state: settlewatch state migrate --partitions {}",
            self.topic, self.is, self.was, self.is
        )
    }
}

/// What the threads share.
struct Shared {
    base: ClientConfig,
    context: Context,
    topics: Topics,
    numbers: i32,
    clocks: Arc<Clocks>,
    monotonic: Monotonic,
    /// Which lane reads which partition number.
    lanes: Mutex<BTreeMap<i32, Sender<Told>>>,
    leaders: Mutex<HashMap<(SourceId, i32), i32>>,
    looked_at_ms: AtomicU64,
    changed: Mutex<Option<CountChanged>>,
    stopped: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Probes for all lanes of a process: a thread for the metadata, and one for each leader.
pub struct Prober {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Prober {
    /// Begins.
    ///
    /// # Errors
    /// A client cannot be made, or the cluster does not answer.
    pub fn start(
        base: &ClientConfig,
        context: Context,
        topics: Topics,
        numbers: i32,
        clocks: Arc<Clocks>,
        monotonic: Monotonic,
    ) -> KafkaResult<Self> {
        let shared = Arc::new(Shared {
            base: base.clone(),
            context,
            topics,
            numbers,
            clocks,
            monotonic,
            lanes: Mutex::default(),
            leaders: Mutex::default(),
            looked_at_ms: AtomicU64::new(0),
            changed: Mutex::default(),
            stopped: AtomicBool::new(false),
        });
        let mut client = Renewed::asking(&shared.base, shared.context.clone())?;
        // The first look is waited for: the first acknowledgements must find their leaders.
        client.ask(|client| shared.look(client, Duration::from_secs(30)))?;
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("metadata".into())
            .spawn(move || of_thread.watch_metadata(client))
            .expect("a thread can be started");
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// A lane reads these partition numbers from now on, and no others.
    pub(crate) fn read_by(&self, lane: &Sender<Told>, numbers: &[i32], before: &[i32]) {
        let mut lanes = lock(&self.shared.lanes);
        for number in before {
            lanes.remove(number);
        }
        for &number in numbers {
            lanes.insert(number, lane.clone());
        }
    }

    /// Whether a topic has another number of partitions than at the start.
    pub fn count_changed(&self) -> Option<CountChanged> {
        lock(&self.shared.changed).clone()
    }
}

impl Drop for Prober {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Looks at the metadata; starts a thread for every leader that has none.
    fn watch_metadata(self: &Arc<Self>, mut client: Renewed<BaseConsumer<Context>>) {
        let mut threads = BTreeMap::<i32, JoinHandle<()>>::new();
        let mut outage = Outage::default();
        let sayer = Sayer::new(&self.base, self.context.clone(), "deadlines are held");
        while !self.is_stopped() {
            let looked = client.ask(|client| self.look(client, PATIENCE));
            if let Some(say) = outage.asked(looked.is_ok(), Instant::now()) {
                sayer.say(say);
            }
            if let Err(error) = looked {
                tracing::debug!(%error, "the cluster does not say how many partitions there are");
            }
            let leaders: BTreeSet<i32> = lock(&self.leaders).values().copied().collect();
            for leader in leaders {
                threads
                    .entry(leader)
                    .or_insert_with(|| self.start_leader(leader));
            }
            std::thread::sleep(METADATA_EVERY);
        }
        for (_, thread) in threads {
            let _ = thread.join();
        }
    }

    fn start_leader(self: &Arc<Self>, leader: i32) -> JoinHandle<()> {
        let shared = Arc::clone(self);
        std::thread::Builder::new()
            .name(format!("probe-{leader}"))
            .spawn(move || shared.probe_leader(leader))
            .expect("a thread can be started")
    }

    fn look(&self, client: &BaseConsumer<Context>, wait: Duration) -> KafkaResult<()> {
        let began_ms = self.monotonic.now_ms();
        let mut by_name = HashMap::new();
        let mut by_source = HashMap::new();
        let own = [
            &self.topics.state,
            &self.topics.alerts,
            &self.topics.dead_letters,
        ];
        let own = own.map(|name| (None, name.as_str()));
        let sources = self
            .topics
            .sources()
            .map(|(source, name)| (Some(source), name));
        for (source, name) in sources.chain(own) {
            let metadata = client.fetch_metadata(Some(name), wait)?;
            let topic = metadata.topics().first();
            let partitions = topic.map_or(&[][..], |topic| topic.partitions());
            self.check_count(name, partitions.len());
            for partition in partitions {
                let (id, leader) = (partition.id(), partition.leader());
                by_name.insert((name.to_owned(), id), leader);
                if let Some(source) = source {
                    by_source.insert((source, id), leader);
                }
            }
        }
        self.clocks.set_leaders(by_name);
        *lock(&self.leaders) = by_source;
        self.looked_at_ms.store(began_ms, Ordering::Relaxed);
        Ok(())
    }

    fn check_count(&self, topic: &str, count: usize) {
        let is = i32::try_from(count).unwrap_or(i32::MAX);
        // None are told of a topic that has no leader for a moment.
        if is != self.numbers && is != 0 {
            *lock(&self.changed) = Some(CountChanged {
                topic: topic.to_owned(),
                was: self.numbers,
                is,
            });
        }
    }

    fn probe_leader(&self, leader: i32) {
        let ends = Ends::renewed(&self.base, self.context.clone(), self.topics.clone());
        let mut ends = match ends {
            Ok(ends) => ends,
            Err(error) => {
                tracing::error!(%error, leader, "no client to ask for ends with");
                return;
            }
        };
        while !self.is_stopped() {
            let places = self.places(leader);
            if !places.is_empty() && self.has_looked() {
                self.probe(&mut ends, leader, &places);
            }
            std::thread::sleep(PROBE_EVERY);
        }
    }

    fn has_looked(&self) -> bool {
        let age_ms = self.monotonic.now_ms() - self.looked_at_ms.load(Ordering::Relaxed);
        age_ms <= METADATA_AGE_MS && lock(&self.changed).is_none()
    }

    /// Inputs that this broker leads and a lane of ours reads.
    fn places(&self, leader: i32) -> Vec<(SourceId, i32)> {
        let (lanes, leaders) = (lock(&self.lanes), lock(&self.leaders));
        let inputs = self.topics.inputs.len();
        leaders
            .iter()
            .filter(|&(&(source, number), &led_by)| {
                led_by == leader && usize::from(source.0) < inputs && lanes.contains_key(&number)
            })
            .map(|(&place, _)| place)
            .collect()
    }

    fn probe(&self, ends: &mut Renewed<Ends>, leader: i32, places: &[(SourceId, i32)]) {
        let sent_ms = self.monotonic.now_ms();
        let Ok(answers) = ends.ask(|ends| ends.ends(places, PATIENCE)) else {
            return;
        };
        let answered_ms = self.monotonic.now_ms();
        let (Some(sent_at), Some(answered_by)) = (
            self.clocks.earliest(leader, sent_ms),
            self.clocks.latest(leader, answered_ms),
        ) else {
            // None of our topics is led there: known time follows the records alone.
            return;
        };
        let mut by_number = BTreeMap::<i32, Vec<Probe>>::new();
        for (source, partition, end) in answers {
            by_number.entry(partition).or_default().push(Probe {
                source,
                partition,
                end,
                sent_at,
                answered_by,
            });
        }
        let lanes = lock(&self.lanes);
        for (number, probes) in by_number {
            if let Some(lane) = lanes.get(&number) {
                let _ = lane.send(Told::Input(Input::Probes(probes)));
            }
        }
    }
}

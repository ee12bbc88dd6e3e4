//! Asks for the ends of the auxiliary topics while the watch is active, and for the leaders of what it writes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use settlewatch_join::{Span, Timestamp};
use settlewatch_protocol::{Input, Probe, SourceId};

use crate::client::Context;
use crate::clocks::{Clocks, Monotonic};
use crate::ends::Ends;
use crate::lane::Told;
use crate::machine::Probing;
use crate::outage::{Outage, Sayer};
use crate::renewed::Renewed;
use crate::topics::Topics;

/// Time between two probes of so many partitions; of more it is longer, for each of them costs.
const PROBE_EVERY: Duration = Duration::from_millis(200);
const PROBE_PARTITIONS: usize = 768;

/// Time between two looks at the cluster's metadata.
const METADATA_EVERY: Duration = Duration::from_secs(2);

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// The clocks of brokers that nobody sets by hand differ by less.
const APART: Span = Span::from_millis(500);

/// What the thread shares.
struct Shared {
    topics: Topics,
    places: Vec<(SourceId, i32)>,
    clocks: Arc<Clocks>,
    monotonic: Monotonic,
    /// Who wants to hear.
    watch: Mutex<Option<Sender<Told>>>,
    stopped: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Probes for the watch.
pub struct WatchProber {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl WatchProber {
    /// Begins. `places`: the partitions of the auxiliary topics.
    ///
    /// # Errors
    /// A client cannot be made, or the cluster does not answer.
    pub fn start(
        base: &ClientConfig,
        context: Context,
        topics: Topics,
        places: Vec<(SourceId, i32)>,
        clocks: Arc<Clocks>,
        monotonic: Monotonic,
    ) -> KafkaResult<Self> {
        let ends = Ends::renewed(base, context.clone(), topics.clone())?;
        let sayer = Sayer::new(base, context.clone(), "nothing is judged");
        let mut client = Renewed::asking(base, context)?;
        let shared = Arc::new(Shared {
            topics,
            places,
            clocks,
            monotonic,
            watch: Mutex::default(),
            stopped: AtomicBool::new(false),
        });
        // The first look is waited for: the first acknowledgement must find its leader.
        client.ask(|client| shared.look(client, Duration::from_secs(30)))?;
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("watch-probe".into())
            .spawn(move || of_thread.probe(ends, client, &sayer))
            .expect("a thread can be started");
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }
}

impl Probing for WatchProber {
    fn read_by(&self, thread: &Sender<Told>, numbers: &[i32], _before: &[i32]) {
        *lock(&self.shared.watch) = (!numbers.is_empty()).then(|| thread.clone());
    }
}

impl Drop for WatchProber {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn probe(
        &self,
        mut ends: Renewed<Ends>,
        mut client: Renewed<BaseConsumer<Context>>,
        sayer: &Sayer,
    ) {
        let mut looked = Instant::now();
        let mut outage = Outage::default();
        while !self.stopped.load(Ordering::Relaxed) {
            if looked.elapsed() >= METADATA_EVERY {
                looked = Instant::now();
                let answer = client.ask(|client| self.look(client, PATIENCE));
                if let Some(say) = outage.asked(answer.is_ok(), looked) {
                    sayer.say(say);
                }
                if let Err(error) = answer {
                    tracing::debug!(%error, "the cluster does not say who leads the watch's topics");
                }
            }
            let watch = lock(&self.watch).clone();
            if let Some(watch) = watch.filter(|_| !self.places.is_empty())
                && let Some(probes) = self.ask(&mut ends)
            {
                let _ = watch.send(Told::Input(Input::Probes(probes)));
            }
            let times = 1 + self.places.len() / PROBE_PARTITIONS;
            std::thread::sleep(PROBE_EVERY * u32::try_from(times).unwrap_or(u32::MAX));
        }
    }

    fn look(&self, client: &BaseConsumer<Context>, wait: Duration) -> KafkaResult<()> {
        let mut leaders = HashMap::new();
        let others = self.topics.inputs.iter().skip(1);
        for name in others.chain([&self.topics.state, &self.topics.incidents]) {
            let metadata = client.fetch_metadata(Some(name), wait)?;
            let partitions = metadata.topics().iter().flat_map(|it| it.partitions());
            for partition in partitions {
                leaders.insert((name.clone(), partition.id()), partition.leader());
            }
        }
        self.clocks.set_leaders(leaders);
        Ok(())
    }

    fn ask(&self, ends: &mut Renewed<Ends>) -> Option<Vec<Probe>> {
        let sent_ms = self.monotonic.now_ms();
        let answers = ends.ask(|ends| ends.ends(&self.places, PATIENCE)).ok()?;
        let answered_ms = self.monotonic.now_ms();
        let probes = answers.into_iter().filter_map(|(source, partition, end)| {
            let leader = self.clocks.leader(self.topics.source(source), partition);
            let (sent_at, answered_by) = self.about(leader, sent_ms, answered_ms)?;
            Some(Probe {
                source,
                partition,
                end,
                sent_at,
                answered_by,
            })
        });
        Some(probes.collect())
    }

    /// Broker time at both moments: by the leader's clock, or, where it leads nothing that we write, by that of any
    /// other, with room for their difference. These topics decide no deadline.
    fn about(
        &self,
        leader: Option<i32>,
        sent_ms: u64,
        answered_ms: u64,
    ) -> Option<(Timestamp, Timestamp)> {
        let known = leader.and_then(|leader| {
            let sent_at = self.clocks.earliest(leader, sent_ms)?;
            Some((sent_at, self.clocks.latest(leader, answered_ms)?))
        });
        known.or_else(|| {
            let sent_at = self.clocks.about(sent_ms)? - APART;
            Some((sent_at, self.clocks.about(answered_ms)? + APART + APART))
        })
    }
}

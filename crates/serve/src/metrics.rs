//! The metrics of a process: lanes hand theirs over, and the rest is read when somebody asks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use settlewatch_join::event::Currency;
use settlewatch_join::{Book, Settings, Timestamp};
use settlewatch_protocol::{SourceId, TxnOutcome};

use crate::currency::in_units;
use crate::descriptors::Metric;
use crate::edges::{edges, seconds};
use crate::error::ServeError;
use crate::families::Families;
use crate::lane::LaneObserver;
use crate::limit::Limit;
use crate::live::{Figures, Live, OTHER};
use crate::process;
use crate::pulses::PulseObserver;
use crate::status::{LaneBoard, LaneStatus, merge};
use crate::watch::{WatchBoard, WatchObserver, WatchStatus};

/// Codes of errors that get a series of their own.
const ERROR_CODES: usize = 64;

/// What metrics are told once.
#[derive(Clone, Debug)]
pub struct MetricsSpec {
    /// Names of the inputs in the order of their [`SourceId`]s.
    pub streams: Vec<String>,
    /// Channels with series of their own.
    pub channels: usize,
    /// A lane that shows no sign of life for so long hangs, unless it waits for the cluster.
    pub stuck_after: Duration,
    /// Version of the program.
    pub version: String,
    /// The commit that it was built from, or nothing.
    pub revision: String,
}

/// The metrics of a process. Clones are the same metrics.
#[derive(Clone)]
pub struct Metrics(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) families: Families,
    pub(crate) live: Live,
    pub(crate) streams: Vec<String>,
    pub(crate) spec: MetricsSpec,
    pub(crate) started: Instant,
    lanes: Mutex<Vec<Arc<LaneBoard>>>,
    watch: Mutex<Option<Arc<WatchBoard>>>,
    rules: Mutex<Rules>,
    error_codes: Mutex<Vec<String>>,
    /// Gauges are set and read by one at a time.
    rendering: Mutex<()>,
}

/// What metrics know of the rules of this process.
struct Rules {
    version: u64,
    lag_edges_s: Vec<f64>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these hold is whole at every moment.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Metrics {
    /// Metrics without a value, with an edge of the credit lag on every deadline of `settings`.
    ///
    /// # Errors
    /// [`ServeError::Metric`] when one cannot be registered.
    pub fn new(spec: MetricsSpec, settings: &Settings) -> Result<Self, ServeError> {
        let edges = edges(settings);
        let families = Families::new(&edges.seconds)?;
        let version = [spec.version.as_str(), &spec.revision];
        families.gauge(Metric::BuildInfo, &version).set(1.0);
        let inner = Inner {
            families,
            live: Live::new(spec.channels),
            streams: spec.streams.clone(),
            spec,
            started: Instant::now(),
            lanes: Mutex::default(),
            watch: Mutex::default(),
            rules: Mutex::new(Rules {
                version: settings.version,
                lag_edges_s: edges.seconds,
            }),
            error_codes: Mutex::default(),
            rendering: Mutex::default(),
        };
        if edges.left_out > 0 {
            inner.limit_hit(Limit::Deadlines);
        }
        Ok(Self(Arc::new(inner)))
    }

    /// The eyes on another lane.
    pub fn lane(&self, name: &str) -> LaneObserver {
        let board = Arc::new(LaneBoard::new(name.to_owned()));
        let mut lanes = lock(&self.0.lanes);
        lanes.push(Arc::clone(&board));
        LaneObserver::new(lanes.len() - 1, Arc::clone(&self.0), board)
    }

    /// The eyes on the watch.
    pub fn watch(&self) -> WatchObserver {
        let board = Arc::new(WatchBoard::new());
        *lock(&self.0.watch) = Some(Arc::clone(&board));
        WatchObserver::new(Arc::clone(&self.0), board)
    }

    /// The watch of this process ended by itself, and the lanes go on without it.
    pub fn watch_failed(&self) {
        if let Some(board) = lock(&self.0.watch).as_ref() {
            board.fail();
        }
    }

    /// The watch as it stands, and how long it showed no sign of life; `None` where this process has none.
    pub fn watch_status(&self) -> Option<(Duration, WatchStatus)> {
        let board = lock(&self.0.watch).clone()?;
        let status = board.status().clone();
        Some((board.signs.silent_for(), status))
    }

    /// The eyes on what is written for the watch.
    pub fn pulses(&self) -> PulseObserver {
        PulseObserver::new(Arc::clone(&self.0))
    }

    /// A limit was met.
    pub fn limit_hit(&self, limit: Limit) {
        self.0.limit_hit(limit);
    }

    /// librdkafka reported an error of this code.
    pub fn client_error(&self, code: &str) {
        let mut codes = lock(&self.0.error_codes);
        let known = codes.iter().any(|known| known == code);
        if !known && codes.len() < ERROR_CODES {
            codes.push(code.to_owned());
        }
        let code = if known || codes.len() < ERROR_CODES {
            code
        } else {
            OTHER
        };
        self.0.families.counter(Metric::ClientErrors, &[code]).inc();
    }

    /// This process has other rules now. Where their deadlines differ, the histogram of lags begins anew.
    ///
    /// # Errors
    /// [`ServeError::Metric`] when it cannot be registered.
    pub fn set_rules(&self, settings: &Settings) -> Result<(), ServeError> {
        let mut rules = lock(&self.0.rules);
        rules.version = settings.version;
        let edges = edges(settings);
        if edges.left_out > 0 {
            self.0.limit_hit(Limit::Deadlines);
        }
        if edges.seconds != rules.lag_edges_s {
            self.0.families.set_lag_edges(&edges.seconds)?;
            rules.lag_edges_s = edges.seconds;
        }
        Ok(())
    }

    /// Everything in the text format of Prometheus.
    pub fn render(&self) -> String {
        let _one = lock(&self.0.rendering);
        self.0.refresh();
        self.0.families.render()
    }

    /// The channels as they stand, by name.
    pub fn channels(&self) -> Vec<Figures> {
        self.0.live.figures()
    }

    /// Accounts since the state began, by currency.
    pub fn accounts(&self) -> Vec<(Currency, Book)> {
        let lanes = self.0.lanes();
        merge(lanes.iter().flat_map(|(_, _, lane)| &lane.books))
    }

    /// The lanes as they stand: name, how long without a sign of life, status.
    pub fn lanes(&self) -> Vec<(String, Duration, LaneStatus)> {
        self.0.lanes()
    }

    /// Lanes that hang: their names and for how long.
    pub fn stuck(&self) -> Vec<(String, Duration)> {
        let lanes = lock(&self.0.lanes).clone();
        let silent = lanes
            .iter()
            .map(|lane| (lane.name.clone(), lane.silent_for()));
        // One that has ended shows no sign of life, and another start would not help.
        let watch = self.watch_status().filter(|(_, it)| !it.is_failed());
        let watch = watch.map(|(silent, _)| ("watch".to_owned(), silent));
        silent
            .chain(watch)
            .filter(|&(_, silent)| silent > self.0.spec.stuck_after)
            .collect()
    }

    /// Whether every lane and the watch do all that they have to do; not before there is one of them.
    pub fn is_ready(&self) -> bool {
        let (lanes, watch) = (self.0.lanes(), self.watch_status());
        let some = !lanes.is_empty() || watch.is_some();
        some && lanes.iter().all(|(_, _, lane)| lane.is_ready())
            && watch.is_none_or(|(_, watch)| watch.is_ready())
    }
}

impl Inner {
    /// What the configuration calls an input.
    pub(crate) fn stream(&self, source: SourceId) -> &str {
        self.streams
            .get(usize::from(source.0))
            .map_or(OTHER, String::as_str)
    }

    pub(crate) fn limit_hit(&self, limit: Limit) {
        self.families
            .counter(Metric::LimitHits, &[limit.as_str()])
            .inc();
    }

    /// A transaction of a lane or of the watch ended.
    pub(crate) fn transaction(&self, outcome: TxnOutcome, took: Duration) {
        let outcome = match outcome {
            TxnOutcome::Committed => "committed",
            TxnOutcome::Aborted => "aborted",
            TxnOutcome::NotOurs => "not_ours",
            TxnOutcome::Indefinite => "indefinite",
        };
        let families = &self.families;
        families.counter(Metric::Transactions, &[outcome]).inc();
        families
            .histogram(Metric::TransactionDuration, &[])
            .observe(took.as_secs_f64());
    }

    fn lanes(&self) -> Vec<(String, Duration, LaneStatus)> {
        let lanes = lock(&self.lanes).clone();
        let show =
            |lane: &Arc<LaneBoard>| (lane.name.clone(), lane.silent_for(), lane.status().clone());
        lanes.iter().map(show).collect()
    }

    pub(crate) fn rules_version(&self) -> u64 {
        lock(&self.rules).version
    }

    /// Sets every gauge to what is now.
    fn refresh(&self) {
        let lanes: Vec<LaneStatus> = self.lanes().into_iter().map(|(_, _, lane)| lane).collect();
        self.refresh_channels(broker_now(&lanes));
        self.refresh_blind(&lanes);
        self.refresh_lanes(&lanes);
        let watch = lock(&self.watch).clone();
        if let Some(watch) = watch {
            self.refresh_watch(&watch.status());
        }
        let cpu = self.families.reading(Metric::ProcessCpu);
        cpu.inc_by((process::cpu_seconds() - cpu.get()).max(0.0));
        if let Some(bytes) = process::resident_bytes() {
            self.set(Metric::ProcessMemory, &[], bytes as f64);
        }
        self.set(Metric::RulesVersion, &[], self.rules_version() as f64);
    }

    fn set(&self, metric: Metric, labels: &[&str], value: f64) {
        self.families.gauge(metric, labels).set(value);
    }

    fn refresh_channels(&self, now: Option<Timestamp>) {
        for metric in [
            Metric::PendingAmount,
            Metric::OverdueAmount,
            Metric::OldestPendingAge,
        ] {
            self.families.gauges(metric).reset();
        }
        for figures in self.live.figures() {
            let channel: &str = &figures.channel;
            self.set(Metric::PendingPayments, &[channel], figures.pending as f64);
            self.set(Metric::OverduePayments, &[channel], figures.overdue as f64);
            for (metric, amounts) in [
                (Metric::PendingAmount, &figures.amounts),
                (Metric::OverdueAmount, &figures.at_risk),
            ] {
                for &(currency, amount_minor) in amounts {
                    let amount = in_units(currency, amount_minor);
                    self.set(metric, &[channel, currency.as_str()], amount);
                }
            }
            let age_s = figures.age_ms(now).map_or(0.0, seconds);
            self.set(Metric::OldestPendingAge, &[channel], age_s);
        }
    }

    fn refresh_blind(&self, lanes: &[LaneStatus]) {
        self.families.gauges(Metric::Blind).reset();
        for lane in lanes {
            let now = lane.broker_now();
            for &number in &lane.numbers {
                for (at, stream) in self.streams.iter().enumerate() {
                    let is_it = |&&(source, n, _): &&(SourceId, i32, Timestamp)| {
                        usize::from(source.0) == at && n == number
                    };
                    let known = lane.known.iter().find(is_it).map(|&(_, _, known)| known);
                    let blind_ms = now.zip(known).map(|(now, known)| now.since(known));
                    let blind_s =
                        blind_ms.map_or(f64::INFINITY, |ms| seconds(ms.max(0).unsigned_abs()));
                    self.set(Metric::Blind, &[stream, &number.to_string()], blind_s);
                }
            }
        }
    }

    fn refresh_lanes(&self, lanes: &[LaneStatus]) {
        self.families.gauges(Metric::Lanes).reset();
        let mut phases = BTreeMap::<&str, u32>::new();
        for lane in lanes {
            *phases.entry(lane.phase).or_default() += 1;
        }
        for (phase, count) in phases {
            self.set(Metric::Lanes, &[&phase.replace(' ', "_")], f64::from(count));
        }
        let sum = |of: &dyn Fn(&LaneStatus) -> usize| lanes.iter().map(of).sum::<usize>() as f64;
        self.set(
            Metric::AssignedPartitions,
            &[],
            sum(&|lane| lane.numbers.len()),
        );
        self.set(
            Metric::WaitingRecords,
            &[],
            sum(&|lane| lane.waiting_records),
        );
        for (at, kind) in ["payments", "attributes", "finished_ids"]
            .iter()
            .enumerate()
        {
            self.set(Metric::StateBytes, &[kind], sum(&|lane| lane.bytes[at]));
        }
        let restored = sum(&|lane| lane.restore.restored);
        let assigned = sum(&|lane| lane.restore.assigned);
        let ratio = if assigned > 0.0 {
            restored / assigned
        } else {
            1.0
        };
        self.set(Metric::RestoreProgress, &[], ratio);
        let stale = lanes.iter().any(|lane| lane.stale);
        self.set(Metric::ConfigStale, &[], f64::from(u8::from(stale)));
    }
}

/// Broker time now, about.
pub(crate) fn broker_now(lanes: &[LaneStatus]) -> Option<Timestamp> {
    lanes.iter().filter_map(LaneStatus::broker_now).max()
}

//! The service: lanes, and whoever tells them to stop or to read their rules again.

mod added;
mod host;
mod lanes;
mod pulses;
mod rules;
mod watch;

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use settlewatch_config::{self as config, Env, Loaded, Log, Purpose, Role, Run, load};
use settlewatch_kafka::{CheckOptions, Checked, LaneEnd, LaneHandle, Prober, check};
use settlewatch_serve::{LogFormat, Metrics, ServeError, Server};
use tokio::signal::unix::{SignalKind, signal};

use crate::clock::duration;
use crate::exit::{BadConfig, Failed, NotReady};
use lanes::Clients;
use rules::RulesFile;

pub(crate) use host::{event, settings};
pub(crate) use lanes::lane_config;

/// How often lanes, the file of the rules and the cluster are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How long the cluster may take for an answer before the first record.
const CHECK_WAIT: Duration = Duration::from_secs(15);

/// Runs until it is told to stop, or a person is needed.
pub(crate) fn run(path: &Path, shadow: bool) -> anyhow::Result<()> {
    let mut loaded = load(path, Purpose::Run, &Env::of_process()).map_err(BadConfig)?;
    if shadow {
        loaded.config.run = loaded.config.run.map(Run::shadow);
    }
    let run = loaded.config.run.as_ref();
    let run = run.expect("a configuration that was read to run has all of it");
    init_log(&run.log)?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    if shadow {
        let (alerts, group) = (&run.output.alerts, &run.kafka.group_id);
        tracing::info!(alerts, group, "a shadow: nobody is notified");
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let service = Service::start(path, &loaded, run)?;
        service.until_stopped().await
    })
}

pub(crate) fn init_log(log: &Log) -> Result<(), ServeError> {
    let format = match log.format {
        config::LogFormat::Auto => LogFormat::Auto,
        config::LogFormat::Text => LogFormat::Text,
        config::LogFormat::Json => LogFormat::Json,
    };
    settlewatch_serve::init_log(format, &log.level)
}

/// A service that runs.
pub(crate) struct Service {
    server: Server,
    metrics: Metrics,
    lanes: Vec<LaneHandle>,
    /// Whoever finds faults, where this process does.
    watch: Option<LaneHandle>,
    /// Who asks for ends, where there are lanes.
    prober: Option<Arc<Prober>>,
    rules: RulesFile,
    shutdown_within: Duration,
}

impl Service {
    fn start(path: &Path, loaded: &Loaded, run: &Run) -> anyhow::Result<Self> {
        let options = CheckOptions {
            wait: CHECK_WAIT,
            transactions: false,
        };
        let (brokers, within) = (&run.kafka.bootstrap_servers, CHECK_WAIT);
        tracing::info!(
            brokers,
            ?within,
            "asking the cluster whether it is as it must be"
        );
        let checked = check(run, &loaded.config.streams, options).map_err(NotReady)?;
        for notice in &checked.notices {
            tracing::warn!("{notice}");
        }
        if run.roles.contains(&Role::Join) {
            added::refuse(run, &loaded.config.streams, checked.numbers)?;
        }
        Self::assemble(path, loaded, run, &checked, None)
    }

    /// A service on a cluster that is as it must be; it answers on `listener`, where somebody listens for it already.
    pub(crate) fn assemble(
        path: &Path,
        loaded: &Loaded,
        run: &Run,
        checked: &Checked,
        listener: Option<TcpListener>,
    ) -> anyhow::Result<Self> {
        let rules = RulesFile::new(path, loaded);
        let settings = host::settings(&rules.text()).map_err(Failed)?;
        let metrics = Metrics::new(lanes::metrics_spec(&loaded.config, run, checked), &settings)?;
        let server = match listener {
            Some(listener) => Server::start_on(listener, metrics.clone())?,
            None => Server::start(run.http.listen, metrics.clone())?,
        };
        tracing::info!(address = %server.address(), "metrics and probes");
        let clients = Clients::new(run, checked);
        let config = &loaded.config;
        let (mut lanes, mut prober, mut watch) = (Vec::new(), None, None);
        if run.roles.contains(&Role::Join) {
            let text = rules.text();
            let started = lanes::start(config, run, checked, &text, &clients, &metrics)?;
            (lanes, prober) = (started.0, Some(started.1));
        }
        if run.roles.contains(&Role::Watch) {
            let text = &loaded.watch;
            let started = watch::start(config, run, checked, text, &clients, &metrics)?;
            watch = Some(started);
        }
        if lanes.is_empty() && watch.is_none() {
            let why = "`roles` names neither join nor watch: there is nothing to do";
            return Err(Failed(why.into()).into());
        }
        Ok(Self {
            server,
            metrics,
            lanes,
            watch,
            prober,
            rules,
            shutdown_within: duration(run.shutdown_within),
        })
    }

    /// What it counts.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Where it serves metrics and probes.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    async fn until_stopped(mut self) -> anyhow::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        loop {
            tokio::select! {
                _ = terminate.recv() => return self.drain().await,
                _ = interrupt.recv() => return self.drain().await,
                _ = hang_up.recv() => self.reload(),
                () = tokio::time::sleep(LOOK_EVERY) => self.look()?,
            }
        }
    }

    fn reload(&mut self) {
        if let Some(read) = self.rules.read_again() {
            if let Err(error) = self.metrics.set_rules(&read.settings) {
                tracing::warn!(%error, "the histogram of lags keeps its old edges");
            }
            for lane in &self.lanes {
                lane.reload(Arc::clone(&read.text), read.alerts_at_once, false);
            }
            if let Some(watch) = &self.watch {
                watch.reload(read.watch, read.alerts_at_once, false);
            }
        }
    }

    /// Looks after file, cluster and lanes; to be called a few times a second.
    pub(crate) fn look(&mut self) -> anyhow::Result<()> {
        if self.rules.is_newer() {
            self.reload();
        }
        let changed = self.prober.as_ref();
        if let Some(changed) = changed.and_then(|prober| prober.count_changed()) {
            self.stop();
            return Err(Failed(changed.to_string()).into());
        }
        if self.lanes.iter().any(LaneHandle::is_finished) {
            return self.ended();
        }
        if self.watch.as_ref().is_some_and(LaneHandle::is_finished) {
            return self.watch_ended();
        }
        Ok(())
    }

    /// The watch ended by itself. Where its state is of no use, lanes go on: payments are worth more than incidents.
    fn watch_ended(&mut self) -> anyhow::Result<()> {
        let Some(end) = self.watch.take().map(LaneHandle::join) else {
            return Ok(());
        };
        if self.lanes.is_empty() || !matches!(end, LaneEnd::Failed(_)) {
            self.stop();
            return Err(Failed(end.to_string()).into());
        }
        tracing::error!(%end, "the watch ended; alerts go on, incidents do not");
        self.metrics.watch_failed();
        Ok(())
    }

    /// The lanes, and the watch.
    fn threads(&self) -> impl Iterator<Item = &LaneHandle> {
        self.lanes.iter().chain(&self.watch)
    }

    fn stop(&mut self) -> Vec<LaneEnd> {
        self.threads().for_each(LaneHandle::stop);
        let threads = self.lanes.drain(..).chain(self.watch.take());
        threads.map(LaneHandle::join).collect()
    }

    /// A lane ended by itself: the others are stopped, and people are told why.
    fn ended(&mut self) -> anyhow::Result<()> {
        let mut ends = self.stop().into_iter();
        let why = ends.find(|end| !matches!(end, LaneEnd::Stopped | LaneEnd::Drained));
        let why = why.map_or_else(|| "a lane ended".to_owned(), |end| end.to_string());
        Err(Failed(why).into())
    }

    /// Commits what is begun, and ends.
    pub(crate) async fn drain(mut self) -> anyhow::Result<()> {
        tracing::info!("stopping: what is begun is committed");
        let deadline = Instant::now() + self.shutdown_within;
        self.threads().for_each(LaneHandle::drain);
        while Instant::now() < deadline && !self.threads().all(LaneHandle::is_finished) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let late = self.threads().filter(|it| !it.is_finished());
        let late: Vec<&str> = late.map(LaneHandle::name).collect();
        if !late.is_empty() {
            // Nothing is lost: whoever gets the partition numbers decides what was not committed.
            let (within, late) = (self.shutdown_within, late.join(", "));
            let why = format!("{late}: not everything was committed within {within:?}");
            return Err(Failed(why).into());
        }
        let ends = self.stop();
        self.server.stop();
        match ends.iter().find(|end| !matches!(end, LaneEnd::Drained)) {
            None => Ok(()),
            Some(end) => Err(Failed(end.to_string()).into()),
        }
    }
}

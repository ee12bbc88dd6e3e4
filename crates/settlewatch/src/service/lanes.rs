//! From a configuration and a cluster to lanes that run.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use settlewatch_config::{Config, Kafka, Run};
use settlewatch_kafka::{
    Checked, CheckedInput, ClientConfig, Clocks, Context, LaneHandle, LaneSpec, Monotonic, Prober,
    StartAt, Topics, base,
};
use settlewatch_protocol::{LaneConfig, SourceConfig};
use settlewatch_serve::{Metrics, MetricsSpec};

use super::host::ServiceHost;
use super::pulses;
use crate::clock::duration;
use crate::exit::Failed;

/// How long a lane may show no sign of life before the process counts as hung.
const STUCK_AFTER: Duration = Duration::from_secs(30);

/// What metrics must know beforehand.
pub(super) fn metrics_spec(config: &Config, run: &Run, checked: &Checked) -> MetricsSpec {
    let name = |input: &CheckedInput| config.streams[usize::from(input.rank)].name.clone();
    MetricsSpec {
        streams: checked.inputs.iter().map(name).collect(),
        channels: run.http.channels,
        stuck_after: STUCK_AFTER,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        revision: option_env!("SETTLEWATCH_REVISION")
            .unwrap_or_default()
            .to_owned(),
    }
}

/// What all clients of the process share.
pub(super) struct Clients {
    pub(super) base: ClientConfig,
    pub(super) context: Context,
    pub(super) clocks: Arc<Clocks>,
    pub(super) monotonic: Monotonic,
}

impl Clients {
    pub(super) fn new(run: &Run, checked: &Checked) -> Self {
        Self {
            base: base(&run.kafka),
            context: Context::new(&run.kafka),
            clocks: Arc::new(clocks(checked)),
            monotonic: Monotonic::start(),
        }
    }
}

/// Starts every lane, and the prober that serves them all.
pub(super) fn start(
    config: &Config,
    run: &Run,
    checked: &Checked,
    rules: &Arc<[u8]>,
    clients: &Clients,
    metrics: &Metrics,
) -> anyhow::Result<(Vec<LaneHandle>, Arc<Prober>)> {
    let topics = Topics::of(run, &config.streams);
    let Clients {
        base,
        context,
        clocks,
        monotonic,
    } = clients;
    let monotonic = *monotonic;
    let prober = Prober::start(
        base,
        context.clone(),
        topics.clone(),
        checked.numbers,
        Arc::clone(clocks),
        monotonic,
    );
    let prober = Arc::new(prober.map_err(|error| Failed(context.describe(&error)))?);
    let mut lanes = Vec::new();
    for lane in 0..run.kafka.lanes {
        let name = format!("lane-{lane}");
        let spec = LaneSpec {
            base: base.clone(),
            context: context.clone(),
            topics: topics.clone(),
            group_id: run.kafka.group_id.clone(),
            member: member(&run.kafka, lane),
            transactional_id: transactional_id(&run.kafka, &lane.to_string()),
            session_timeout: duration(run.kafka.session_timeout),
            transaction_timeout: duration(run.kafka.transaction_timeout),
            start_at: start_at(run.kafka.start_at),
            config: lane_config(config, run, checked, rules, lane),
            host: ServiceHost::new(topics.clone(), config, metrics.lane(&name))
                .with_pulses(pulses::settings(config, checked.numbers), metrics.pulses()),
        };
        let (prober, clocks) = (Arc::clone(&prober), Arc::clone(clocks));
        let started = LaneHandle::start(name, spec, prober, clocks, monotonic);
        lanes.push(started.context("a lane's thread cannot be started")?);
    }
    Ok((lanes, prober))
}

fn clocks(checked: &Checked) -> Clocks {
    if checked.stamps {
        Clocks::default()
    } else {
        Clocks::of_this_machine()
    }
}

/// What the protocol is told.
pub(crate) fn lane_config(
    config: &Config,
    run: &Run,
    checked: &Checked,
    rules: &Arc<[u8]>,
    lane: usize,
) -> LaneConfig {
    let sources = checked.inputs.iter().map(|input| SourceConfig {
        rank: input.rank,
        log_append_time: input.log_append_time,
    });
    LaneConfig {
        rules: Arc::clone(rules),
        numbers: checked.numbers,
        sources: sources.collect(),
        waiting_records: config.limits.waiting_records,
        reload_limit: config.limits.reload_alerts as u64,
        identity: checked
            .identity(&run.kafka.group_id, &run.output.pairs)
            .into(),
        nonce: nonce(&lane.to_string()),
    }
}

/// The name of a lane in the group, the same after a restart.
fn member(kafka: &Kafka, lane: usize) -> Option<String> {
    let instance = kafka.instance_id.as_ref()?;
    Some(format!("{instance}-{lane}"))
}

/// The transactional id of a lane or of the watch.
pub(super) fn transactional_id(kafka: &Kafka, of: &str) -> String {
    let group = &kafka.group_id;
    match &kafka.instance_id {
        Some(instance) => format!("{group}.{instance}.{of}"),
        None => format!("{group}.{:016x}.{of}", nonce(of)),
    }
}

pub(super) fn start_at(at: settlewatch_config::StartAt) -> StartAt {
    match at {
        settlewatch_config::StartAt::Latest => StartAt::Latest,
        settlewatch_config::StartAt::Earliest => StartAt::Earliest,
        settlewatch_config::StartAt::Time(at) => StartAt::Time(at),
    }
}

/// Differs for every lane and watch that ever runs.
pub(super) fn nonce(of: &str) -> u64 {
    // The hasher's keys come from the system's randomness.
    RandomState::new().hash_one((std::process::id(), SystemTime::now(), of))
}

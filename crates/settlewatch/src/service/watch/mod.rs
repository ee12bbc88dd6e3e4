//! From a configuration and a cluster to the watch that runs.

mod graves;
mod judge;
mod text;

use std::sync::Arc;

use anyhow::Context as _;
use settlewatch_config::{Config, Run};
use settlewatch_kafka::{
    Checked, CheckedFeed, LaneHandle, Topics, WatchProber, WatchSpec, start_watch, watch_group,
};
use settlewatch_protocol::{FeedConfig, WatcherConfig};
use settlewatch_serve::Metrics;

use super::lanes::{self, Clients};
use crate::clock::duration;
use crate::exit::Failed;
use judge::Judge;

/// What is put behind the names of group and transactions.
const WATCH: &str = "watch";

/// Starts the watch. `rules`: what detection depends on, as text.
pub(super) fn start(
    config: &Config,
    run: &Run,
    checked: &Checked,
    rules: &str,
    clients: &Clients,
    metrics: &Metrics,
) -> anyhow::Result<LaneHandle> {
    let topics = Topics::of_watch(run, &config.streams);
    let config = watcher_config(config, run, checked, rules);
    let auxiliary = config.places().filter(|(source, _)| source.0 > 0);
    let (clocks, monotonic) = (Arc::clone(&clients.clocks), clients.monotonic);
    let prober = WatchProber::start(
        &clients.base,
        clients.context.clone(),
        topics.clone(),
        auxiliary.collect(),
        Arc::clone(&clocks),
        monotonic,
    );
    let prober = prober.map_err(|error| Failed(clients.context.describe(&error)))?;
    let kafka = &run.kafka;
    let spec = WatchSpec {
        base: clients.base.clone(),
        context: clients.context.clone(),
        topics,
        group_id: watch_group(kafka),
        member: kafka.instance_id.as_ref().map(|it| format!("{it}-{WATCH}")),
        transactional_id: lanes::transactional_id(kafka, WATCH),
        session_timeout: duration(kafka.session_timeout),
        transaction_timeout: duration(kafka.transaction_timeout),
        start_at: lanes::start_at(kafka.start_at),
        host: Judge::new(&checked.feeds, metrics.watch(), run),
        config,
    };
    let started = start_watch(spec, Arc::new(prober), clocks, monotonic);
    started.context("the thread of the watch cannot be started")
}

/// What the protocol is told.
fn watcher_config(config: &Config, run: &Run, checked: &Checked, rules: &str) -> WatcherConfig {
    let feed = |feed: &CheckedFeed| FeedConfig {
        identity: checked.topic(&feed.topic).into_bytes().into(),
        rank: feed.rank,
        partitions: feed.partitions,
        log_append_time: feed.log_append_time,
    };
    let group = watch_group(&run.kafka);
    WatcherConfig {
        rules: rules.as_bytes().into(),
        numbers: checked.numbers,
        feeds: checked.feeds.iter().map(feed).collect(),
        waiting_records: config.limits.waiting_records,
        identity: checked
            .identity_of(&group, [run.output.pulse.as_str()])
            .into(),
        nonce: lanes::nonce(WATCH),
    }
}

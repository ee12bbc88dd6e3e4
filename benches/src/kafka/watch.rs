//! CPU and memory of the watch, in a process of its own, over many partitions and channels. A broker beside it on this
//! machine could not carry as many lanes: their decisions are made here, and only their pulses are appended.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use settlewatch_tests::broker::{Cluster, Group, Login, Service, Setup, until};

use super::cost::later_rules;
use super::pulser::{Pulser, Traffic};
use crate::table::Row;

/// Partitions of every topic.
const PARTITIONS: usize = 768;

const TRAFFIC: Traffic = Traffic {
    partitions: PARTITIONS as u32,
    channels: 64,
    per_second: 2_000,
};

/// 300 payments a second reach the watch one by one.
const WATCHED: &str = "roles: [watch]\nwatch: {share: \"0.15\"}\n";

/// The channel that credits nothing while the fault lasts.
const STOPS: u64 = 7;

/// Until first baselines are known, while they still change with every payment, until they are settled, while nothing
/// happens, and while the fault lasts.
const WARM: Duration = Duration::from_secs(120);
const LEARNS: Duration = Duration::from_secs(60);
const SETTLES: Duration = Duration::from_secs(180);
const CALM: Duration = Duration::from_secs(60);
const FAULT: Duration = Duration::from_secs(90);

/// Thousands of topic partitions are made and assigned first.
const PATIENCE: Duration = Duration::from_secs(300);

/// Cores that the watch may use.
const BUDGET: f64 = 0.2;

pub(super) fn rows(cluster: &Cluster) -> Result<Vec<Row>> {
    let setup = Setup {
        partitions: PARTITIONS,
        rules: later_rules(30_000),
        ..Setup::default()
    };
    let group = Group::new(cluster, "wide", setup);
    let watch = group.start_with("watch", "watch", WATCHED, &[]);
    until("the watch is active", PATIENCE, || {
        (watch.metric("settlewatch_watch_active", "") == Some(1.0)).then_some(())
    });
    let text = group.config_text("watch", 0, Login::Admin) + WATCHED;
    let mut pulses = Pulser::new(cluster, &group, &text, TRAFFIC)?;
    pulses.go_on(WARM, |_| true)?;
    let learning = cores(&watch, &mut pulses, LEARNS, |_| true)?;
    pulses.go_on(SETTLES, |_| true)?;
    let calm = cores(&watch, &mut pulses, CALM, |_| true)?;
    let but_one = |paid: u64| paid % TRAFFIC.channels != STOPS;
    let faulty = cores(&watch, &mut pulses, FAULT, but_one)?;
    let open = watch.metric("settlewatch_incidents_open", "CHANNEL_");
    ensure!(
        open.is_some_and(|open| open > 0.0),
        "the fault is not found: it does not hear {:?} partitions, and all its incidents are {:?}",
        watch.metric("settlewatch_watch_blind_partitions", ""),
        watch.samples("settlewatch_incidents_open")
    );
    let memory = watch.metric("settlewatch_process_resident_memory_bytes", "");
    let memory = memory.context("it has metrics")? / 1_048_576.0;
    let blind = watch.metric("settlewatch_watch_blind_partitions", "");
    watch.stop();
    Ok(vec![
        Row::at_most(
            "cores of a watch, 64 channels and 768 partitions",
            BUDGET,
            calm,
            "",
        ),
        Row::at_most("  while it learns, the third minute", BUDGET, learning, ""),
        Row::at_most("  while a fault is found and lasts", BUDGET, faulty, ""),
        Row::shown("  resident at the end", memory, "MiB"),
        Row::shown(
            "  partitions that it does not see",
            blind.unwrap_or(-1.0),
            "",
        ),
    ])
}

/// Cores that a service uses while traffic goes on.
fn cores(
    service: &Service,
    pulses: &mut Pulser,
    time: Duration,
    credits: impl Fn(u64) -> bool,
) -> Result<f64> {
    let cpu = || {
        service
            .metric("settlewatch_process_cpu_seconds_total", "")
            .context("it has metrics")
    };
    let (began, before) = (Instant::now(), cpu()?);
    pulses.go_on(time, credits)?;
    Ok((cpu()? - before) / began.elapsed().as_secs_f64())
}

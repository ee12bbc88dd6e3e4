//! CPU and memory of the watch, in a process of its own, over many partitions and channels.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use settlewatch_tests::broker::{Cluster, Group, Service, Setup, short_rules, until};

use super::load::Loader;
use crate::table::Row;

/// Partitions of every topic.
const PARTITIONS: usize = 768;
const CHANNELS: u64 = 64;

/// Payments a second; 300 of them reach the watch one by one.
const PER_SECOND: u64 = 2_000;
const SHARE: &str = "0.15";

/// How many payments later each is credited.
const LATER: u64 = 4 * PER_SECOND;

/// A channel that credits nothing from then on.
const STOPS: u64 = 7;

/// Until baselines are known, while nothing happens, and while the fault lasts.
const WARM: Duration = Duration::from_secs(120);
const CALM: Duration = Duration::from_secs(60);
const FAULT: Duration = Duration::from_secs(90);

/// Thousands of topic partitions are made and assigned first.
const PATIENCE: Duration = Duration::from_secs(300);

/// Cores that the watch may use.
const BUDGET: f64 = 0.2;

pub(super) fn rows(cluster: &Cluster) -> Result<Vec<Row>> {
    let mut rules = short_rules();
    for rule in &mut rules.rules {
        for tier in &mut rule.tiers {
            tier.after_ms += 30_000;
        }
    }
    let setup = Setup {
        partitions: PARTITIONS,
        rules,
        lanes: 2,
        ..Setup::default()
    };
    let group = Group::new(cluster, "wide", setup);
    let start = |role: &str| {
        let more = format!("roles: [{role}]\nwatch: {{share: \"{SHARE}\"}}\n");
        group.start_with(role, role, &more, &[])
    };
    let (lanes, watch) = (start("join"), start("watch"));
    until("the lanes are ready", PATIENCE, || {
        lanes.is_ready().then_some(())
    });
    until("the watch is active", PATIENCE, || {
        (watch.metric("settlewatch_watch_active", "") == Some(1.0)).then_some(())
    });
    let mut run = Run {
        loader: Loader::new(cluster, &group)?.over(CHANNELS),
        began: Instant::now(),
        number: 0,
        stopped_at: u64::MAX,
    };
    run.go_on(WARM)?;
    let calm = run.cores(&watch, CALM)?;
    run.stopped_at = run.number;
    let faulty = run.cores(&watch, FAULT)?;
    ensure!(
        watch
            .metric("settlewatch_incidents_open", "CHANNEL_")
            .is_some_and(|open| open > 0.0),
        "the fault is not found"
    );
    let memory = watch.metric("settlewatch_process_resident_memory_bytes", "");
    let memory = memory.context("it has metrics")? / 1_048_576.0;
    let blind = watch.metric("settlewatch_watch_blind_partitions", "");
    watch.stop();
    lanes.stop();
    Ok(vec![
        Row::at_most(
            "cores of a watch, 64 channels and 768 partitions",
            BUDGET,
            calm,
            "",
        ),
        Row::at_most("  while a fault is found and lasts", BUDGET, faulty, ""),
        Row::shown("  resident at the end", memory, "MiB"),
        Row::shown(
            "  partitions that it does not see",
            blind.unwrap_or(-1.0),
            "",
        ),
    ])
}

/// Traffic as it comes.
struct Run {
    loader: Loader,
    began: Instant,
    number: u64,
    stopped_at: u64,
}

impl Run {
    fn go_on(&mut self, time: Duration) -> Result<()> {
        let until = self.began.elapsed() + time;
        while self.began.elapsed() < until {
            let due = self.began.elapsed().as_micros() as u64 * PER_SECOND / 1_000_000;
            self.loader.tick();
            while self.number < due {
                self.loader.pay(self.number)?;
                if let Some(paid) = self.number.checked_sub(LATER)
                    && (paid % CHANNELS != STOPS || self.number < self.stopped_at)
                {
                    self.loader.credit(paid)?;
                }
                self.number += 1;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Cores that a service uses meanwhile.
    fn cores(&mut self, service: &Service, time: Duration) -> Result<f64> {
        let cpu = || {
            service
                .metric("settlewatch_process_cpu_seconds_total", "")
                .context("it has metrics")
        };
        let (began, before) = (Instant::now(), cpu()?);
        self.go_on(time)?;
        Ok((cpu()? - before) / began.elapsed().as_secs_f64())
    }
}

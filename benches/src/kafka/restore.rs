//! How long a service needs until it is what it was before, and how long until another one stands in for it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use settlewatch_tests::broker::{Cluster, Group, Setup, until};
use settlewatch_wire::parse_time;

use super::cost::patient;
use super::load::Loader;
use crate::table::Row;

/// Payments that wait.
const WAITING: u64 = 1_000_000;

/// Payments that were credited, whose ids are finished.
const FINISHED: u64 = 360_000;

const PATIENCE: Duration = Duration::from_secs(600);

pub(super) fn rows(cluster: &Cluster) -> Result<Vec<Row>> {
    let group = Group::new(cluster, "restore", patient());
    let mut loader = Loader::new(cluster, &group)?;
    for number in 0..FINISHED {
        loader.pay(number)?;
        loader.credit(number)?;
    }
    for number in FINISHED..FINISHED + WAITING {
        loader.pay(number)?;
    }
    let appended = loader.flush()?;
    drop(loader);
    let service = group.start_ready("first");
    until("everything is read", PATIENCE, || {
        let count = service.metric("settlewatch_events_consumed_total", "")?;
        (count >= appended.records as f64).then_some(())
    });
    service.stop();
    let began = Instant::now();
    let again = group.start_ready("second");
    let ready_s = began.elapsed().as_secs_f64();
    let log = again.log();
    let waiting = again.metric("settlewatch_pending_payments", "");
    anyhow::ensure!(waiting == Some(WAITING as f64), "{waiting:?} payments wait");
    again.stop();
    let moment = |what: &str| {
        let line = log.lines().rfind(|line| line.contains(what))?;
        parse_time(line.split_whitespace().next()?)
    };
    let (assigned, restored) = moment("assigned by the group")
        .zip(moment("restored"))
        .context("the log says when")?;
    Ok(vec![
        Row::at_most(
            "restore of 1 M waiting payments and 0.36 M finished",
            3.0,
            restored.since(assigned) as f64 / 1000.0,
            "s",
        ),
        Row::shown(
            "  from the start of the process until it is ready",
            ready_s,
            "s",
        ),
    ])
}

/// Of two services one is killed: how long until the other does all of it.
pub(super) fn fail_over(cluster: &Cluster) -> Vec<Row> {
    let setup = Setup {
        partitions: 4,
        session_timeout: "6s",
        ..Setup::default()
    };
    let group = Group::new(cluster, "failover", setup);
    let (mut one, mut two) = (
        group.start("one", "one", &[]),
        group.start("two", "two", &[]),
    );
    for service in [&mut one, &mut two] {
        service.wait_until_ready();
    }
    let assigned = |count: f64| two.metric("settlewatch_assigned_partitions", "") == Some(count);
    until("both have partitions", PATIENCE, || {
        assigned(2.0).then_some(())
    });
    one.kill();
    let began = Instant::now();
    until("the other has all", PATIENCE, || {
        (assigned(4.0) && two.is_ready()).then_some(())
    });
    let took_s = began.elapsed().as_secs_f64();
    two.stop();
    vec![Row::shown(
        "fail-over after a kill, session timeout 6 s",
        took_s,
        "s",
    )]
}

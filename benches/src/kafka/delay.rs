//! From the moment of a deadline until a reader of committed records sees the alert.

use std::time::{Duration, Instant};

use anyhow::Result;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::Value;
use settlewatch_tests::broker::{Cluster, Group, Setup, now_ms};
use settlewatch_wire::parse_time;

use super::load::Loader;
use crate::table::Row;

/// Payments a second, none of which is ever credited.
const PER_SECOND: u64 = 100;

/// How long payments come, and then none.
const BUSY: Duration = Duration::from_secs(15);
const SILENT: Duration = Duration::from_secs(6);

/// What the first alerts of a service wait for is not its ordinary delay.
const WARM_UP: Duration = Duration::from_secs(5);

pub(super) fn rows(cluster: &Cluster) -> Result<Vec<Row>> {
    let mut setup = Setup {
        partitions: 4,
        ..Setup::default()
    };
    setup.rules.give_up_ms = 3_600_000;
    let group = Group::new(cluster, "delay", setup);
    let service = group.start_ready("delay");
    let alerts = follow(cluster, &group.topic("alerts"), 4)?;
    let mut loader = Loader::new(cluster, &group)?;
    let began = Instant::now();
    let (mut number, mut busy, mut silent) = (0, Vec::new(), Vec::new());
    let mut last_ms = i64::MAX;
    while began.elapsed() < BUSY + SILENT {
        let due = began.elapsed().as_millis() as u64 * PER_SECOND / 1000;
        if began.elapsed() < BUSY {
            loader.tick();
            while number < due {
                loader.pay(number)?;
                number += 1;
            }
        } else if last_ms == i64::MAX {
            loader.flush()?;
            last_ms = now_ms();
        }
        while let Some(Ok(message)) = alerts.poll(Duration::from_millis(2)) {
            let seen_ms = now_ms();
            let Some(decided_ms) = decided(message.payload().unwrap_or_default()) else {
                continue;
            };
            if began.elapsed() > WARM_UP {
                // A second after the last record nothing of the records' own traffic is left.
                let of = if decided_ms > last_ms.saturating_add(1000) {
                    &mut silent
                } else {
                    &mut busy
                };
                of.push(seen_ms - decided_ms);
            }
        }
    }
    service.stop();
    let mut rows = Vec::new();
    for (what, mut delays) in [("under traffic", busy), ("inputs silent", silent)] {
        anyhow::ensure!(delays.len() > 100, "only {} alerts {what}", delays.len());
        delays.sort_unstable();
        let at = |q: usize| delays[delays.len() * q / 1000] as f64;
        let name = format!("deadline to alert visible, p99, {what}");
        rows.push(Row::at_most(&name, 250.0, at(990), "ms"));
        rows.push(Row::shown("  p50", at(500), "ms"));
        rows.push(Row::shown("  alerts", delays.len() as f64, ""));
    }
    Ok(rows)
}

fn follow(cluster: &Cluster, topic: &str, partitions: i32) -> Result<BaseConsumer> {
    let mut config = cluster.client();
    config
        .set("group.id", "settlewatch-bench")
        .set("enable.auto.commit", "false")
        .set("isolation.level", "read_committed")
        .set("fetch.wait.max.ms", "10");
    let consumer: BaseConsumer = config.create()?;
    let mut places = TopicPartitionList::new();
    for partition in 0..partitions {
        places.add_partition_offset(topic, partition, Offset::Beginning)?;
    }
    consumer.assign(&places)?;
    Ok(consumer)
}

fn decided(value: &[u8]) -> Option<i64> {
    let value: Value = serde_json::from_slice(value).ok()?;
    parse_time(value["decided_at"].as_str()?).map(|at| at.millis())
}

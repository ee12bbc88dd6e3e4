//! CPU of the whole service beside a consumer that only reads the same records, and what it writes to its state.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use settlewatch_tests::broker::{Cluster, Group, Setup, short_rules, until};

use super::load::Loader;
use crate::bed::process_cpu;
use crate::table::Row;

/// Payments, each credited a little later.
const PAYMENTS: u64 = 400_000;

/// How many payments later.
const LATER: u64 = 5_000;

const PATIENCE: Duration = Duration::from_secs(300);

/// Rules whose deadlines are hours: nothing falls due.
pub(super) fn patient() -> Setup {
    let mut rules = short_rules();
    for rule in &mut rules.rules {
        for tier in &mut rule.tiers {
            tier.after_ms += 10 * 3_600_000;
        }
    }
    rules.orphan_after_ms = 3_600_000;
    Setup {
        partitions: 4,
        rules,
        ..Setup::default()
    }
}

pub(super) fn rows(cluster: &Cluster) -> Result<Vec<Row>> {
    let group = Group::new(cluster, "cost", patient());
    let mut loader = Loader::new(cluster, &group)?;
    for number in 0..PAYMENTS + LATER {
        if number < PAYMENTS {
            loader.pay(number)?;
        }
        if let Some(paid) = number.checked_sub(LATER) {
            loader.credit(paid)?;
        }
    }
    let appended = loader.flush()?;
    drop(loader);
    let inputs = [group.topic("payments"), group.topic("credits")];
    let began = process_cpu();
    let read = read_all(cluster, &inputs, 4)?;
    let bare_s = (process_cpu() - began).as_secs_f64();
    assert_eq!(
        read.0, appended.records,
        "the bare consumer reads everything"
    );
    let service = group.start_ready("cost");
    let consumed = || service.metric("settlewatch_events_consumed_total", "");
    let all = appended.records as f64;
    let service_s = until("everything is read", PATIENCE, || {
        let done = consumed().is_some_and(|count| count >= all);
        done.then(|| service.metric("settlewatch_process_cpu_seconds_total", ""))?
    });
    service.stop();
    let state = read_all(cluster, &[group.topic("state")], 4)?;
    let bytes = appended.bytes as f64;
    let per_event = |seconds: f64| seconds * 1e6 / all;
    Ok(vec![
        Row::at_most(
            "CPU an event, the service against a bare consumer",
            2.5,
            service_s / bare_s,
            "times",
        ),
        Row::shown("  a bare consumer", per_event(bare_s), "us/event"),
        Row::shown(
            "  the service, its start included",
            per_event(service_s),
            "us/event",
        ),
        Row::at_most(
            "bytes written to the state topic against bytes read",
            0.3,
            state.1 as f64 / bytes,
            "",
        ),
    ])
}

/// Reads topics from their beginning to their end: records and bytes of keys and values.
fn read_all(cluster: &Cluster, topics: &[String], partitions: i32) -> Result<(u64, u64)> {
    let mut config = cluster.client();
    config
        .set("group.id", "settlewatch-bench")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("isolation.level", "read_committed")
        .set("queued.max.messages.kbytes", "65536");
    let consumer: BaseConsumer = config.create()?;
    let mut places = TopicPartitionList::new();
    for topic in topics {
        for partition in 0..partitions {
            places.add_partition_offset(topic, partition, Offset::Beginning)?;
        }
    }
    consumer.assign(&places)?;
    let (mut ended, mut sum) = (0, (0, 0));
    let mut seen = BTreeSet::new();
    while ended < topics.len() as i32 * partitions {
        match consumer.poll(Duration::from_secs(30)) {
            Some(Ok(message)) => {
                sum.0 += 1;
                sum.1 += (message.key_len() + message.payload_len()) as u64;
                seen.insert(message.partition());
            }
            Some(Err(KafkaError::PartitionEOF(_))) => ended += 1,
            Some(Err(error)) => return Err(error.into()),
            None => anyhow::bail!("the broker stopped answering"),
        }
    }
    Ok(sum)
}

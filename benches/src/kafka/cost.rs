//! CPU of the whole service beside a consumer that only reads the same records, and what it writes to its state.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use settlewatch_tests::broker::{Cluster, Group, Rules, Setup, short_rules, until};

use super::load::{Loader, Paced};
use crate::bed::process_cpu;
use crate::table::Row;

/// Payments, each credited a little later.
const PAYMENTS: u64 = 400_000;

/// How many payments later.
const LATER: u64 = 5_000;

/// Partitions of every topic.
const PARTITIONS: i32 = 4;

/// Payments a second of the traffic that comes as it comes, and for how long.
const STEADY_PER_SECOND: u64 = 10_000;
const STEADY: Duration = Duration::from_secs(15);

const PATIENCE: Duration = Duration::from_secs(300);

/// Short rules whose deadlines are all so much later.
pub(super) fn later_rules(by_ms: i64) -> Rules {
    let mut rules = short_rules();
    let tiers = rules.rules.iter_mut().flat_map(|rule| &mut rule.tiers);
    tiers.for_each(|tier| tier.after_ms += by_ms);
    rules
}

/// Rules whose deadlines are hours: nothing falls due.
pub(super) fn patient() -> Setup {
    let mut rules = later_rules(10 * 3_600_000);
    rules.orphan_after_ms = 3_600_000;
    Setup {
        partitions: 4,
        rules,
        ..Setup::default()
    }
}

pub(super) fn rows(cluster: &Cluster) -> Result<Vec<Row>> {
    let mut rows = steady(cluster)?;
    rows.extend(backlog(cluster)?);
    Ok(rows)
}

/// Traffic as it comes: both read it at the same time.
fn steady(cluster: &Cluster) -> Result<Vec<Row>> {
    let group = Group::new(cluster, "steady", patient());
    let loader = Loader::new(cluster, &group)?;
    let service = group.start_ready("steady");
    let inputs = [group.topic("payments"), group.topic("credits")];
    let bare = Command::new("/proc/self/exe")
        .args(["bare", &cluster.address(), &inputs[0], &inputs[1]])
        .arg((STEADY + Duration::from_secs(2)).as_secs().to_string())
        .stdout(Stdio::piped())
        .spawn()?;
    let cpu = || service.metric("settlewatch_process_cpu_seconds_total", "");
    let before = cpu().context("it has metrics")?;
    let mut traffic = Paced::new(loader, STEADY_PER_SECOND, LATER);
    traffic.go_on(STEADY, |_| true)?;
    let appended = traffic.loader.flush()?;
    let read = String::from_utf8(bare.wait_with_output()?.stdout)?;
    let service_s = cpu().context("it has metrics")? - before;
    let (records, bare_s) = read
        .trim()
        .split_once(' ')
        .context("the bare consumer tells")?;
    anyhow::ensure!(records.parse() == Ok(appended.records), "it read {records}");
    let bare_s: f64 = bare_s.parse()?;
    service.stop();
    let state = read_all(&cluster.address(), &[group.topic("state")], Duration::MAX)?;
    let all = appended.records as f64;
    Ok(vec![
        Row::at_most(
            "CPU an event as it comes, the service against a bare consumer",
            2.5,
            service_s / bare_s,
            "times",
        ),
        Row::shown("  events a second", all / STEADY.as_secs_f64(), ""),
        Row::shown("  a bare consumer", bare_s * 1e6 / all, "us/event"),
        Row::shown("  the service", service_s * 1e6 / all, "us/event"),
        Row::at_most(
            "bytes written to the state topic against bytes read",
            0.3,
            state.1 as f64 / appended.bytes as f64,
            "",
        ),
    ])
}

/// A backlog, read as fast as it goes.
fn backlog(cluster: &Cluster) -> Result<Vec<Row>> {
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
    let read = read_all(&cluster.address(), &inputs, Duration::MAX)?;
    let bare_s = (process_cpu() - began).as_secs_f64();
    anyhow::ensure!(read.0 == appended.records, "it read {}", read.0);
    let started = Instant::now();
    let service = group.start_ready("cost");
    let all = appended.records as f64;
    let service_s = until("everything is read", PATIENCE, || {
        // Asked often, metrics would be a part of what is measured.
        std::thread::sleep(Duration::from_secs(1));
        let count = service.metric("settlewatch_events_consumed_total", "")?;
        (count >= all).then(|| service.metric("settlewatch_process_cpu_seconds_total", ""))?
    });
    let took_s = started.elapsed().as_secs_f64();
    service.stop();
    Ok(vec![
        Row::shown(
            "CPU an event of a backlog, the service against a bare consumer",
            service_s / bare_s,
            "times",
        ),
        Row::shown("  a bare consumer", bare_s * 1e6 / all, "us/event"),
        Row::shown(
            "  the service, its start included",
            service_s * 1e6 / all,
            "us/event",
        ),
        Row::shown("  events a second that it caught up with", all / took_s, ""),
    ])
}

/// What a bare consumer does, in a process of its own: reads two topics for some seconds, prints the records that it
/// read and its CPU seconds.
///
/// # Errors
/// It cannot read.
pub fn bare(brokers: &str, topics: &[String], seconds: u64) -> Result<()> {
    let (records, _) = read_all(brokers, topics, Duration::from_secs(seconds))?;
    println!("{records} {}", process_cpu().as_secs_f64());
    Ok(())
}

/// Reads topics from their beginning: to their end, or for so long. Records, and bytes of keys and values.
pub(super) fn read_all(brokers: &str, topics: &[String], time: Duration) -> Result<(u64, u64)> {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", brokers)
        .set("group.id", "settlewatch-bench")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("isolation.level", "read_committed")
        .set("fetch.wait.max.ms", "100")
        .set("queued.max.messages.kbytes", "65536");
    let consumer: BaseConsumer = config.create()?;
    let mut places = TopicPartitionList::new();
    for topic in topics {
        for partition in 0..PARTITIONS {
            places.add_partition_offset(topic, partition, Offset::Beginning)?;
        }
    }
    consumer.assign(&places)?;
    let (began, mut ended, mut sum) = (Instant::now(), 0, (0, 0));
    let to_end = time == Duration::MAX;
    while !(to_end && ended >= topics.len() as i32 * PARTITIONS) && began.elapsed() < time {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => {
                sum.0 += 1;
                sum.1 += (message.key_len() + message.payload_len()) as u64;
            }
            Some(Err(KafkaError::PartitionEOF(_))) => ended += 1,
            Some(Err(error)) => return Err(error.into()),
            None => {}
        }
    }
    Ok(sum)
}

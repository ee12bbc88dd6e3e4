//! A backlog that nobody has read yet, and what it takes until its last record is committed.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use settlewatch_tests::broker::{Group, read_all};

use super::contestant::Contestant;
use crate::kafka::load::{Appended, Loader};

/// How many payments later a payment is credited.
const LATER: u64 = 5_000;

/// Every so many payments one is never credited.
pub(super) const MISSING_EVERY: u64 = 100;

/// The share of the traffic that warms up, in per cent: the first of it is not measured as warm.
const WARM_UP: u64 = 40;

const LOOK_EVERY: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(600);

/// Payments that wait, and after them payments and credits as they come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backlog {
    /// Payments that nobody credits, first of all.
    pub(super) waiting: u64,
    /// Payments after them.
    pub(super) payments: u64,
    /// Whether some of these are never credited.
    pub(super) some_missing: bool,
}

impl Backlog {
    fn is_missing(self, number: u64) -> bool {
        number < self.waiting || self.some_missing && number.is_multiple_of(MISSING_EVERY)
    }

    /// The ids of payments that nobody credits.
    pub(super) fn missing(self) -> BTreeSet<String> {
        let all = 0..self.waiting + self.payments;
        let missing = all.filter(|&number| self.is_missing(number));
        missing.map(Loader::id).collect()
    }

    /// Appends all of it.
    ///
    /// # Errors
    /// The broker takes nothing.
    pub(super) fn append(self, group: &Group<'_>) -> Result<Appended> {
        let mut loader = Loader::new(group.cluster, group)?;
        let end = self.waiting + self.payments;
        for number in 0..end + LATER {
            if number < end {
                loader.pay(number)?;
            }
            let paid = number.checked_sub(LATER);
            if let Some(paid) = paid.filter(|&paid| !self.is_missing(paid)) {
                loader.credit(paid)?;
            }
        }
        loader.flush()
    }
}

/// What it took to drain a backlog.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Drained {
    /// From the start of the process until everything is committed.
    pub(super) took_s: f64,
    /// CPU time of all that.
    pub(super) cpu_s: f64,
    /// Records a second when it was warm.
    pub(super) warm_per_s: f64,
    /// CPU-seconds a million records when it was warm.
    pub(super) warm_cpu_s: f64,
    /// Resident memory at the end, in MiB.
    pub(super) resident_mib: f64,
    /// Missing credits that it told, until a while after the end.
    pub(super) found: f64,
    /// Missing credits that it told and that are none.
    pub(super) wrong: f64,
}

/// Payments a second, each credited at once, that go on after the end of a backlog.
const GOING_ON_PER_SECOND: u64 = 200;

/// What was appended, and what comes next.
pub(super) struct Inputs {
    records: u64,
    next: u64,
}

impl Inputs {
    /// After a backlog.
    pub(super) fn new(backlog: Backlog, appended: Appended) -> Self {
        Self {
            records: appended.records,
            next: backlog.waiting + backlog.payments + LATER,
        }
    }

    /// Traffic goes on for a while: time passes for those to whom only records tell it.
    fn go_on(&mut self, group: &Group<'_>, time: Duration) -> Result<()> {
        let mut loader = Loader::new(group.cluster, group)?;
        let (began, first) = (Instant::now(), self.next);
        while began.elapsed() < time {
            let due = began.elapsed().as_millis() as u64 * GOING_ON_PER_SECOND / 1000;
            while self.next < first + due {
                loader.pay(self.next)?;
                loader.credit(self.next)?;
                self.next += 1;
            }
            sleep(Duration::from_millis(5));
        }
        self.records += loader.flush()?.records;
        Ok(())
    }
}

/// Lets one drain what was appended; `linger` is how long traffic goes on afterwards.
///
/// # Errors
/// It ended, or does not get to the end.
pub(super) fn drain(
    who: Contestant,
    group: &Group<'_>,
    backlog: Backlog,
    inputs: &mut Inputs,
    (tier, linger): (Duration, Duration),
) -> Result<Drained> {
    let records = inputs.records;
    who.prepare(group);
    let place = Place::new(who, group)?;
    let traffic = records - backlog.waiting;
    let warm_from = backlog.waiting + traffic * WARM_UP / 100;
    let began = Instant::now();
    let mut running = who.start(group, tier)?;
    let mut warm = None;
    let end = loop {
        sleep(LOOK_EVERY);
        let (committed, usage) = (place.committed()?, running.usage()?);
        let now = (committed, began.elapsed().as_secs_f64(), usage);
        if committed >= records {
            break now;
        }
        if warm.is_none() && committed >= warm_from {
            warm = Some(now);
        }
        ensure!(
            began.elapsed() < PATIENCE,
            "{who:?} is at {committed} of {records}"
        );
    };
    inputs.go_on(group, linger)?;
    running.stop()?;
    let mut drained = Drained {
        took_s: end.1,
        cpu_s: end.2.cpu_s,
        resident_mib: end.2.resident_mib,
        ..Drained::default()
    };
    // A small backlog is gone before anything is warm.
    let warm = warm.unwrap_or_default();
    let warm_records = (end.0 - warm.0) as f64;
    drained.warm_per_s = warm_records / (end.1 - warm.1);
    drained.warm_cpu_s = (end.2.cpu_s - warm.2.cpu_s) * 1e6 / warm_records;
    if backlog.some_missing {
        let told = told(who, group);
        let missing = backlog.missing();
        drained.found = told.intersection(&missing).count() as f64;
        drained.wrong = told.difference(&missing).count() as f64;
    }
    Ok(drained)
}

/// The payments whose credits it called missing.
fn told(who: Contestant, group: &Group<'_>) -> BTreeSet<String> {
    let alerts = read_all(group.cluster, &who.alerts(group)).into_iter();
    let missing = alerts.filter_map(|alert| {
        let alert = alert.json();
        let id = alert["payment_id"].as_str()?.to_owned();
        (alert["kind"] == "credit_missing").then_some(id)
    });
    missing.collect()
}

/// Where a group stands.
struct Place {
    consumer: BaseConsumer,
    partitions: TopicPartitionList,
}

impl Place {
    fn new(who: Contestant, group: &Group<'_>) -> Result<Self> {
        let mut config = group.client();
        config.set("group.id", who.group_id(group));
        let mut partitions = TopicPartitionList::new();
        let last = i32::try_from(group.setup.partitions)? - 1;
        for of in ["payments", "credits"] {
            partitions.add_partition_range(&group.topic(of), 0, last);
        }
        Ok(Self {
            consumer: config.create()?,
            partitions,
        })
    }

    /// Records whose effects are committed.
    fn committed(&self) -> Result<u64> {
        let wait = Duration::from_secs(10);
        let told = self
            .consumer
            .committed_offsets(self.partitions.clone(), wait)?;
        let offsets = told.elements().into_iter().map(|it| match it.offset() {
            Offset::Offset(offset) => offset.unsigned_abs(),
            _ => 0,
        });
        Ok(offsets.sum())
    }
}

//! `canary`: a service that runs, checked from end to end.
//!
//! 1. Each check writes two payments, credits one, and never the other.
//! 2. The alerts topic is read as anybody could read it. The first must raise nothing, the second `credit_missing` at
//!    its first deadline.
//! 3. What came of it is a metric; then the payment that was never credited is refunded, so that nothing stays overdue.

mod deadline;
mod events;
mod round;

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::io::{Write, stdout};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;
use settlewatch_kafka::{CheckOptions, Checked, Fed, Feed, Partitioner, Tail, TailFrom, check};
use settlewatch_serve::{CanaryMetrics, CheckOutcome, Server};
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::CanaryArgs;
use crate::clock::{self, duration};
use crate::commands::config;
use crate::exit::{Failed, NotReady, Usage};
use crate::service::init_log;
use events::{Kind, Places};
use round::{Round, Timing};

/// How often alerts are read and checks are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How long the cluster may take for an answer before the first check.
const CHECK_WAIT: Duration = Duration::from_secs(15);

/// How long the brokers may take for a record; after that a check says nothing of the service.
const TAKEN_WITHIN: Duration = Duration::from_secs(5);

pub(crate) fn run(args: &CanaryArgs) -> anyhow::Result<()> {
    let canary = Canary::start(args)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(canary.watch())
}

struct Canary {
    config: PathBuf,
    kind: Kind,
    places: Places,
    timing: Timing,
    interval: Duration,
    /// Checks that are still to begin; `None` where they never end.
    left: Option<u32>,
    partitioner: Partitioner,
    partitions: i32,
    feed: Feed,
    tail: Tail,
    metrics: CanaryMetrics,
    server: Server,
    rounds: Vec<Round>,
    /// What the ids of its payments begin with: no other canary's do.
    name: String,
    begun: u64,
    ended: BTreeMap<&'static str, u64>,
}

/// Who chooses partitions: whoever did for the records that are there.
fn partitioner(asked: Option<Partitioner>, checked: &Checked) -> Partitioner {
    let known = |&by: &Partitioner| matches!(by, Partitioner::Murmur2 | Partitioner::Crc32);
    let found = checked.inputs.iter().map(|input| input.partitioner);
    asked
        .or_else(|| found.into_iter().find(known))
        .unwrap_or(Partitioner::Murmur2)
}

impl Canary {
    fn start(args: &CanaryArgs) -> anyhow::Result<Self> {
        let config = config::for_run(&args.config, false)?;
        let run = config.run.as_ref();
        let run = run.expect("a configuration that was read to run has all of it");
        init_log(&run.log)?;
        let kind = Kind::of(args);
        let tier = deadline::first_tier(&config, &kind.payment("canary", clock::now()));
        let timing = Timing {
            tier: tier.map_err(Usage)?,
            margin: duration(args.margin),
            credit_after: duration(args.credit_after),
        };
        if timing.credit_after >= timing.tier {
            let tier = timing.tier;
            return Err(Usage(format!(
                "--credit-after must be shorter than the first deadline, which is {tier:?}"
            ))
            .into());
        }
        let options = CheckOptions {
            wait: CHECK_WAIT,
            transactions: false,
        };
        let checked = check(run, &config.streams, options).map_err(NotReady)?;
        let (alerts, from) = (&run.output.alerts, TailFrom::End);
        let tail = Tail::new(&run.kafka, alerts, checked.numbers, from).map_err(Failed)?;
        let metrics = CanaryMetrics::new()?;
        let server = Server::start_canary(args.listen, metrics.clone())?;
        tracing::info!(address = %server.address(), alerts, ?timing, "checking from end to end");
        Ok(Self {
            config: args.config.clone(),
            places: Places::of(&config.streams)?,
            timing,
            interval: duration(args.interval),
            left: args.checks,
            partitioner: partitioner(args.partitioner, &checked),
            partitions: checked.numbers,
            feed: Feed::new(&run.kafka).map_err(Failed)?,
            tail,
            metrics,
            server,
            rounds: Vec::new(),
            // The hasher's keys come from the system's randomness.
            name: format!(
                "canary-{:016x}",
                RandomState::new().hash_one(std::process::id())
            ),
            begun: 0,
            ended: BTreeMap::new(),
            kind,
        })
    }

    /// Until somebody ends it, or its checks are done.
    async fn watch(mut self) -> anyhow::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut next = Instant::now();
        while self.left != Some(0) || !self.rounds.is_empty() {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            self.metrics.sign();
            let now = Instant::now();
            if self.left != Some(0) && now >= next {
                self.left = self.left.map(|left| left - 1);
                self.begin();
                // What was slept over is left out.
                while next <= now {
                    next += self.interval.max(LOOK_EVERY);
                }
            }
            self.look();
        }
        self.finish()
    }

    /// Hands a record over; whether the brokers took it, and everything before it.
    fn write(&self, topic: &str, payment_id: &str, value: &str) -> bool {
        let key = payment_id.as_bytes();
        let fed = Fed {
            topic,
            partition: self.partitioner.partition(key, self.partitions),
            key,
            value: value.as_bytes(),
        };
        let (_, refused_before) = self.feed.counts();
        let written = self
            .feed
            .write(fed)
            .and_then(|()| self.feed.flush(TAKEN_WITHIN));
        if let Err(error) = &written {
            tracing::warn!(topic, error, "the brokers did not take a record");
        }
        let (_, refused) = self.feed.counts();
        written.is_ok() && refused == refused_before
    }

    /// The next check.
    fn begin(&mut self) {
        self.begun += 1;
        let ids =
            ["credited", "uncredited"].map(|which| format!("{}-{}-{which}", self.name, self.begun));
        let now = clock::now();
        let payments = ids.each_ref().map(|id| self.kind.payment(id, now));
        // The service reads its rules again when they change; so do we.
        match deadline::first_tier_of_file(&self.config, &payments[0]) {
            Ok(tier) => self.timing.tier = tier,
            Err(why) => tracing::warn!(why, "the deadline stays as it was"),
        }
        let began = Instant::now();
        let taken = ids
            .iter()
            .zip(&payments)
            .all(|(id, payment)| self.write(&self.places.payments, id, payment));
        let [credited, uncredited] = ids;
        let mut round = Round::new((credited, uncredited), self.timing, began, Instant::now());
        if !taken {
            round.not_written();
        }
        self.rounds.push(round);
    }

    /// Reads what came, credits what is due, judges what can be judged.
    fn look(&mut self) {
        while let Some(record) = self.tail.next(Duration::ZERO) {
            let now = Instant::now();
            if let Ok(alert) = serde_json::from_slice::<Value>(&record.value) {
                let rounds = self.rounds.iter_mut();
                rounds.for_each(|round| round.alert(&alert, now));
            }
        }
        let now = Instant::now();
        let mut rounds = std::mem::take(&mut self.rounds);
        for round in &mut rounds {
            if round.credit_is_due(now) {
                let credit = self.kind.credit(&round.credited, clock::now());
                let taken = self.write(&self.places.credits, &round.credited, &credit);
                round.credit_written(taken, Instant::now());
            }
        }
        for round in rounds {
            match round.judge(now) {
                Some(outcome) => self.judged(&round, outcome),
                None => self.rounds.push(round),
            }
        }
    }

    fn judged(&mut self, round: &Round, outcome: CheckOutcome) {
        let delay = round.delay();
        let name = outcome.as_str();
        // The ids of its two payments, without their last word.
        let check = round.uncredited.trim_end_matches("-uncredited");
        match outcome {
            CheckOutcome::Ok => tracing::info!(check, ?delay, "a check was good"),
            _ => tracing::error!(check, ?delay, outcome = name, "a check failed"),
        }
        self.metrics.checked(outcome, delay);
        *self.ended.entry(name).or_default() += 1;
        self.give_back(round);
    }

    /// Nothing of a check stays overdue.
    fn give_back(&self, round: &Round) {
        let credited = (!round.is_credited()).then_some(&round.credited);
        for id in credited.into_iter().chain([&round.uncredited]) {
            let refund = self.kind.refund(id, clock::now());
            self.write(&self.places.lifecycle, id, &refund);
        }
    }

    /// Gives back what is open, and says what came of the checks.
    fn finish(mut self) -> anyhow::Result<()> {
        for round in std::mem::take(&mut self.rounds) {
            self.give_back(&round);
        }
        let total: u64 = self.ended.values().sum();
        let parts: Vec<String> = self
            .ended
            .iter()
            .map(|(outcome, count)| format!("{count} {outcome}"))
            .collect();
        let said = if parts.is_empty() {
            "none ended".to_owned()
        } else {
            parts.join(", ")
        };
        writeln!(stdout(), "checks: {said}")?;
        self.server.stop();
        let good = self.metrics.count(CheckOutcome::Ok);
        if self.left.is_some() && good < total {
            return Err(Failed(format!("{} of {total} checks were not good", total - good)).into());
        }
        Ok(())
    }
}

//! A partition under steady traffic, and the CPU time it takes.

use std::sync::Arc;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use settlewatch_join::settings::{Matcher, Rule, Tier};
use settlewatch_join::{Effects, KnowsSince, Partition, Record, Settings, Span};

use crate::traffic::{Shape, Traffic};

/// Payments a block: their events fit the second cache, as if they had just been decoded.
const BLOCK: u64 = 64;

/// A partition with its traffic.
pub(crate) struct Bed {
    /// The partition.
    pub(crate) partition: Partition,
    traffic: Traffic,
    effects: Effects,
    kinds: Kinds,
}

/// Effects that were not plain counts: steady traffic has no alert.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Kinds {
    /// Messages to the pairs stage.
    pub(crate) pairs: u64,
    /// Alerts and notes.
    pub(crate) others: u64,
}

/// What a run took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Taken {
    /// Events applied.
    pub(crate) events: u64,
    /// CPU time of the applying alone.
    pub(crate) cpu: Duration,
}

impl Taken {
    /// Events a CPU-second.
    pub(crate) fn per_second(&self) -> f64 {
        self.events as f64 / self.cpu.as_secs_f64()
    }
}

/// CPU time of this thread.
pub(crate) fn thread_cpu() -> Duration {
    cpu(ClockId::ThreadCPUTime)
}

/// CPU time of every thread of this process.
pub(crate) fn process_cpu() -> Duration {
    cpu(ClockId::ProcessCPUTime)
}

fn cpu(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// Rules of a realistic number, none of which falls due in a run.
pub(crate) fn settings(closed_keep: Span) -> Settings {
    let tiers = |secs: &[u64]| {
        let names = ["warn", "breach", "escalate"].iter().zip(secs);
        names
            .map(|(name, &secs)| Tier {
                name: (*name).into(),
                after: Span::from_secs(secs),
            })
            .collect()
    };
    let large = Matcher {
        amount_min: Some(5_000_000),
        ..Matcher::default()
    };
    let rule = |name: &str, matcher, tiers| Rule {
        name: name.into(),
        matcher,
        due: None,
        tiers,
        give_up: Span::from_secs(3 * 24 * 3600),
    };
    Settings {
        version: 1,
        streams: ["payments", "credits", "lifecycle"].map(Into::into).into(),
        rules: vec![
            rule("large", large, tiers(&[7200, 10_800, 14_400])),
            rule("default", Matcher::default(), tiers(&[3600, 7200, 10_800])),
        ],
        redelivery_horizon: Span::from_secs(26 * 3600),
        orphan_after: Span::from_secs(120),
        duplicate_window: Span::from_secs(600),
        hold_limit: Span::from_secs(24 * 3600),
        beginning: Span::ZERO,
        closed_keep,
        dimensions: Vec::new(),
    }
}

impl Bed {
    /// A partition that nothing has reached.
    pub(crate) fn new(shape: Shape, closed_keep: Span) -> Self {
        let settings = Arc::new(settings(closed_keep));
        Self {
            partition: Partition::new(settings, KnowsSince(Traffic::start())),
            traffic: Traffic::new(shape),
            effects: Effects::new(),
            kinds: Kinds::default(),
        }
    }

    /// Applies the events of at least `payments` further payments.
    pub(crate) fn run(&mut self, payments: u64) -> Taken {
        let mut taken = Taken::default();
        let end = self.traffic.payments() + payments;
        while self.traffic.payments() < end {
            let records = self.traffic.block(BLOCK);
            let began = thread_cpu();
            apply_measured(&mut self.partition, &records, &mut self.effects);
            taken.cpu += thread_cpu() - began;
            taken.events += records.len() as u64;
            self.kinds.count(&mut self.effects);
        }
        taken
    }

    /// How much faster records are applied together than one by one: blocks take turns, so that whatever else the
    /// machine does meets both alike.
    pub(crate) fn gain_of_together(&mut self, payments: u64) -> f64 {
        let mut taken = [Duration::ZERO; 2];
        let end = self.traffic.payments() + payments;
        while self.traffic.payments() < end {
            for (together, taken) in taken.iter_mut().enumerate() {
                let records = self.traffic.block(BLOCK);
                let began = thread_cpu();
                if together == 1 {
                    apply_measured(&mut self.partition, &records, &mut self.effects);
                } else {
                    for record in &records {
                        self.partition.apply(record, &mut self.effects);
                    }
                }
                *taken += thread_cpu() - began;
                self.kinds.count(&mut self.effects);
            }
        }
        taken[0].as_secs_f64() / taken[1].as_secs_f64()
    }

    /// As [`run`](Self::run), but `watch` is told the number of events of each block and applies them.
    pub(crate) fn run_watched(
        &mut self,
        payments: u64,
        mut watch: impl FnMut(u64, &mut dyn FnMut()),
    ) {
        let end = self.traffic.payments() + payments;
        while self.traffic.payments() < end {
            let records = self.traffic.block(BLOCK);
            let (partition, effects) = (&mut self.partition, &mut self.effects);
            watch(records.len() as u64, &mut || {
                apply_measured(partition, &records, effects);
            });
            self.kinds.count(&mut self.effects);
        }
    }

    /// What the effects were.
    pub(crate) fn kinds(&self) -> Kinds {
        self.kinds
    }
}

impl Kinds {
    fn count(&mut self, effects: &mut Effects) {
        for effect in effects.drain(..) {
            match effect {
                settlewatch_join::Effect::Flow(_) => {}
                settlewatch_join::Effect::Pair(_) => self.pairs += 1,
                _ => self.others += 1,
            }
        }
    }
}

/// What the ratchet counts: the name is known to `ratchet.sh`.
#[inline(never)]
pub(crate) fn apply_measured(
    partition: &mut Partition,
    records: &[Record<'_>],
    effects: &mut Effects,
) {
    partition.apply_all(records, effects, |_| {});
}

//! What to simulate: a seed, a traffic, and faults in it.

use crate::channels::{self, CHANNELS, Channel};
use crate::error::PlanError;
use crate::fault::{Fault, SettledFault};
use crate::load::Load;
use crate::rate::Rate;
use crate::scenario::nearest;
use crate::settle;
use crate::world::World;

/// 2026-03-10T10:00:00+08:00, a Tuesday.
const DEFAULT_START_MS: i64 = 1_773_108_000_000;

/// A simulation that can be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub(crate) seed: u64,
    pub(crate) rate: Rate,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) partitions: u32,
    pub(crate) terminals: u32,
    pub(crate) stages_permille: u32,
    pub(crate) channels: Vec<&'static Channel>,
    pub(crate) faults: Vec<SettledFault>,
    pub(crate) heading: String,
    pub(crate) lapse: u32,
    pub(crate) varied: bool,
    pub(crate) load: Load,
}

impl Plan {
    /// A plan to be filled in: 20 payments a second for 15 minutes, every channel, no fault.
    pub fn builder() -> PlanBuilder {
        PlanBuilder {
            seed: 1,
            rate: Rate::per_second(20),
            start_ms: DEFAULT_START_MS,
            duration_ms: 900_000,
            partitions: 6,
            terminals: 300,
            stages_permille: 1000,
            channels: Vec::new(),
            faults: Vec::new(),
            heading: None,
            lapse: 1,
            varied: false,
            load: Load::Constant,
        }
    }

    /// When plans start where nothing is said, milliseconds since the epoch.
    pub(crate) const fn builder_start() -> i64 {
        DEFAULT_START_MS
    }

    /// The names of the channels that there are.
    pub fn channel_names() -> impl Iterator<Item = &'static str> {
        CHANNELS.iter().map(|channel| channel.name)
    }

    /// When it starts, milliseconds since the epoch: no record is older.
    pub const fn start_ms(&self) -> i64 {
        self.start
    }

    /// When it ends, milliseconds since the epoch: no record is younger.
    pub const fn end_ms(&self) -> i64 {
        self.end
    }

    /// When the records say that something happened at a time of the plan.
    pub(crate) fn time_told(&self, at: i64) -> i64 {
        self.start + (at - self.start).div_euclid(i64::from(self.lapse))
    }

    /// Who pays where.
    pub(crate) fn world(&self) -> World {
        let mut world = World::new(self.seed, self.terminals, &self.channels, self.varied);
        world.suit(&self.faults);
        world
    }

    /// Partitions of each topic.
    pub const fn partitions(&self) -> u32 {
        self.partitions
    }
}

/// A plan under construction.
#[derive(Clone, Debug)]
pub struct PlanBuilder {
    seed: u64,
    rate: Rate,
    start_ms: i64,
    duration_ms: i64,
    partitions: u32,
    terminals: u32,
    stages_permille: u32,
    channels: Vec<String>,
    faults: Vec<Fault>,
    heading: Option<String>,
    lapse: u32,
    varied: bool,
    load: Load,
}

impl PlanBuilder {
    /// The seed: the same plan and seed give the same bytes.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Payments per second, on average.
    #[must_use]
    pub const fn rate(mut self, rate: Rate) -> Self {
        self.rate = rate;
        self
    }

    /// When the recording starts, milliseconds since the epoch.
    #[must_use]
    pub const fn start_ms(mut self, start_ms: i64) -> Self {
        self.start_ms = start_ms;
        self
    }

    /// How long the recording is, milliseconds.
    #[must_use]
    pub const fn duration_ms(mut self, duration_ms: i64) -> Self {
        self.duration_ms = duration_ms;
        self
    }

    /// Partitions of each topic.
    #[must_use]
    pub const fn partitions(mut self, partitions: u32) -> Self {
        self.partitions = partitions;
        self
    }

    /// Number of terminals; each sends a heartbeat a minute.
    #[must_use]
    pub const fn terminals(mut self, terminals: u32) -> Self {
        self.terminals = terminals;
        self
    }

    /// How many payments in a thousand report their stages.
    #[must_use]
    pub const fn stages_permille(mut self, permille: u32) -> Self {
        self.stages_permille = permille;
        self
    }

    /// Adds the channel `name`; without any, the plan has all.
    #[must_use]
    pub fn channel(mut self, name: &str) -> Self {
        self.channels.push(name.to_owned());
        self
    }

    /// Adds a fault.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// The comment at the head of `settlewatch.yaml`.
    #[must_use]
    pub fn heading(mut self, heading: &str) -> Self {
        self.heading = Some(heading.to_owned());
        self
    }

    /// Time lapse: the records tell everything `times` as fast as it was planned. Truth and faults keep the time of
    /// the plan.
    #[must_use]
    pub const fn lapse(mut self, times: u32) -> Self {
        self.lapse = times;
        self
    }

    /// Lags, attributes and the traffic's shares drawn from the seed, uneven as in life.
    #[must_use]
    pub const fn varied(mut self) -> Self {
        self.varied = true;
        self
    }

    /// How the number of payments changes.
    #[must_use]
    pub const fn load(mut self, load: Load) -> Self {
        self.load = load;
        self
    }

    /// The plan.
    ///
    /// # Errors
    /// What cannot be carried out, first things first.
    pub fn build(self) -> Result<Plan, PlanError> {
        in_range(
            "the duration in ms",
            self.duration_ms,
            1000,
            i64::from(u32::MAX) * 1000,
        )?;
        in_range(
            "the start in ms",
            self.start_ms,
            946_684_800_000,
            4_102_444_800_000,
        )?;
        in_range(
            "the number of partitions",
            self.partitions.into(),
            1,
            10_000,
        )?;
        in_range(
            "the number of terminals",
            self.terminals.into(),
            1,
            1_000_000,
        )?;
        in_range(
            "the share of payments with stages",
            self.stages_permille.into(),
            0,
            1000,
        )?;
        in_range("the time lapse", self.lapse.into(), 1, 1000)?;
        let channels = if self.channels.is_empty() {
            CHANNELS.iter().collect()
        } else {
            let found: Result<Vec<_>, _> = self
                .channels
                .iter()
                .map(|name| find_channel(name))
                .collect();
            found?
        };
        let mut plan = Plan {
            seed: self.seed,
            rate: self.rate,
            start: self.start_ms,
            end: self.start_ms + self.duration_ms,
            partitions: self.partitions,
            terminals: self.terminals,
            stages_permille: self.stages_permille,
            channels,
            faults: Vec::new(),
            heading: String::new(),
            lapse: self.lapse,
            varied: self.varied,
            load: self.load,
        };
        plan.faults = settle::settle(&plan, &self.faults)?;
        let heading = self.heading;
        plan.heading = heading.unwrap_or_else(|| heading_of(plan.seed, &plan.faults));
        Ok(plan)
    }
}

pub(crate) fn in_range(
    what: &'static str,
    value: i64,
    low: i64,
    high: i64,
) -> Result<(), PlanError> {
    if (low..=high).contains(&value) {
        Ok(())
    } else {
        Err(PlanError::OutOfRange {
            what,
            value,
            low,
            high,
        })
    }
}

pub(crate) fn find_channel(name: &str) -> Result<&'static Channel, PlanError> {
    channels::find(name).ok_or_else(|| PlanError::UnknownChannel {
        name: name.to_owned(),
        nearest: nearest(name, Plan::channel_names()),
    })
}

fn heading_of(seed: u64, faults: &[SettledFault]) -> String {
    let names: Vec<_> = faults.iter().map(|fault| fault.scenario.name()).collect();
    let names = if names.is_empty() {
        "healthy".to_owned()
    } else {
        names.join(",")
    };
    format!(
        "The service levels of a simulated recording: seed {seed}, scenario {names}.\ntruth.json says what must come out."
    )
}

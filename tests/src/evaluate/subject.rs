//! What is evaluated: a scenario, two at once, or hours in which nothing happens.

use settlewatch_sim::{Expectation, Plan, PlanBuilder, Scenario};

/// What one line of the table is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// One scenario.
    One(Scenario),
    /// Two scenarios that the seed chooses.
    Two,
    /// Nothing but what happens every day, for an hour.
    Clean,
}

const HOUR_MS: i64 = 3_600_000;

/// What leaves nothing for a second fault to be seen in.
const GLOBAL: &[Scenario] = &[
    Scenario::PlatformBackend,
    Scenario::Silence,
    Scenario::SyncDelay,
    Scenario::ClockSkew,
];

impl Subject {
    /// Every scenario that says something about incidents, and two at once.
    pub fn all() -> Vec<Self> {
        let telling = Scenario::all().filter(|scenario| {
            !matches!(scenario.expectation(), Expectation::Cases(_))
                && !matches!(scenario, Scenario::Healthy | Scenario::Everyday)
        });
        telling.map(Self::One).chain([Self::Two]).collect()
    }

    /// The one called `name`.
    pub fn parse(name: &str) -> Result<Self, String> {
        match name {
            "two" => Ok(Self::Two),
            "clean" => Ok(Self::Clean),
            _ => Scenario::parse(name)
                .map(Self::One)
                .map_err(|error| format!("{error}; or `two`, or `clean`")),
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::One(scenario) => scenario.name(),
            Self::Two => "two",
            Self::Clean => "clean",
        }
    }

    /// The scenarios of `seed`.
    pub fn scenarios(self, seed: u64) -> Vec<Scenario> {
        match self {
            Self::One(scenario) => vec![scenario],
            Self::Clean => Vec::new(),
            Self::Two => {
                let single: Vec<_> = Scenario::all()
                    .filter(|scenario| matches!(scenario.expectation(), Expectation::Incident(..)))
                    .filter(|scenario| !GLOBAL.contains(scenario))
                    .collect();
                let (len, mixed) = (
                    single.len() as u64,
                    seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 8,
                );
                let first = mixed % len;
                let second = (first + 1 + mixed / len % (len - 1)) % len;
                vec![single[first as usize], single[second as usize]]
            }
        }
    }

    /// The plan of `seed`.
    pub fn plan(self, seed: u64) -> PlanBuilder {
        match self {
            Self::Clean => Plan::drawn_for(HOUR_MS, seed, &[]),
            _ => Plan::drawn(seed, &self.scenarios(seed)),
        }
    }

    /// The command that writes the recording of `seed`.
    pub fn command(self, seed: u64) -> String {
        let names: Vec<_> = self
            .scenarios(seed)
            .into_iter()
            .map(Scenario::name)
            .collect();
        match self {
            Self::Clean => {
                format!("settlewatch simulate --drawn --seed {seed} --duration 1h --out /tmp/s")
            }
            _ => format!(
                "settlewatch simulate --drawn --scenario {} --seed {seed} --out /tmp/s",
                names.join(",")
            ),
        }
    }
}

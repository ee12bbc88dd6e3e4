//! Faults are given the time, the place and the measure that their plan leaves open.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use crate::error::PlanError;
use crate::event::Payment;
use crate::fault::{Fault, SettledFault};
use crate::plan::{Plan, find_channel, in_range};
use crate::rng::Rng;
use crate::scenario::Scenario;
use crate::scope::{Field, Scope};
use crate::sketch::draw_payment;
use crate::world::World;

/// Purpose of the random stream that looks for places.
const PLACES: u64 = 9;
/// How many payments are drawn to see where the traffic is.
const SAMPLE: usize = 20_000;

/// Settles `faults` one after the other.
pub(crate) fn settle(plan: &Plan, faults: &[Fault]) -> Result<Vec<SettledFault>, PlanError> {
    let map = Map::new(plan);
    let faults = faults.iter().enumerate();
    faults
        .filter(|(_, fault)| fault.scenario != Scenario::Healthy)
        .map(|(index, fault)| {
            check(plan, fault)?;
            let mut rng = Rng::stream(plan.seed, PLACES, index as u64);
            Ok(SettledFault {
                scope: place(plan, fault, &map, &mut rng)?,
                ..timed(plan, fault)?
            })
        })
        .collect()
}

/// Where a plan's payers are, looked up when somebody asks, and once: a plan may have thousands of faults.
struct Map<'a> {
    plan: &'a Plan,
    world: OnceCell<World>,
    sample: OnceCell<Vec<Payment>>,
}

impl<'a> Map<'a> {
    fn new(plan: &'a Plan) -> Self {
        Self {
            plan,
            world: OnceCell::new(),
            sample: OnceCell::new(),
        }
    }

    fn world(&self) -> &World {
        self.world.get_or_init(|| self.plan.world())
    }

    /// Whether anybody pays where `field` is `value`.
    fn has(&self, field: Field, value: &str) -> bool {
        let world = self.world();
        let sample = || {
            let mut rng = Rng::new(1);
            let draw = |_| draw_payment(0, None, world, &mut rng);
            (0..SAMPLE).map(draw).collect()
        };
        let mut terminals = world.terminals.iter();
        terminals.any(|it| field.of_terminal(it, world) == Some(value)) || {
            let mut payments = self.sample.get_or_init(sample).iter();
            payments.any(|it| field.of(it, world) == Some(value))
        }
    }
}

fn check(plan: &Plan, fault: &Fault) -> Result<(), PlanError> {
    let scenario = fault.scenario;
    let share = fault.share_permille.into();
    in_range("the share of a fault in thousandths", share, 1, 1000)?;
    let last = i64::from(scenario.variants()) - 1;
    in_range("the variant of a fault", fault.variant.into(), 0, last)?;
    let day_ms = 86_400_000;
    in_range(
        "the delay of a fault in ms",
        fault.delay_ms.unwrap_or(1),
        1,
        day_ms,
    )?;
    let times = fault.times_permille.unwrap_or(1000).into();
    in_range("the measure of a fault in thousandths", times, 1, 1_000_000)?;
    for (field, name) in &fault.scope {
        if *field == Field::Channel {
            let channel = find_channel(name)?;
            if plan.channels.iter().all(|own| own.name != channel.name) {
                return Err(PlanError::ChannelNotPlanned {
                    scenario: scenario.name(),
                    channel: name.clone(),
                });
            }
        }
    }
    Ok(())
}

fn timed(plan: &Plan, fault: &Fault) -> Result<SettledFault, PlanError> {
    let duration_ms = plan.end - plan.start;
    let from_ms = fault.from_ms.unwrap_or(duration_ms / 4);
    let until_ms = fault.until_ms.unwrap_or(duration_ms / 5 * 3);
    if from_ms < 0 || from_ms >= until_ms || from_ms >= duration_ms {
        return Err(PlanError::BadWindow {
            scenario: fault.scenario.name(),
            from_ms,
            until_ms,
        });
    }
    let (times_permille, delay_ms) = measures(fault.scenario);
    Ok(SettledFault {
        scenario: fault.scenario,
        scope: Scope::default(),
        from: plan.start + from_ms,
        until: plan.start.saturating_add(until_ms),
        share_permille: fault.share_permille,
        limit: fault.limit.unwrap_or(u32::MAX),
        times_permille: fault.times_permille.unwrap_or(times_permille),
        delay_ms: fault.delay_ms.unwrap_or(delay_ms),
        variant: fault.variant,
        ramp: fault.ramp,
    })
}

/// How many times in thousandths, and how long in milliseconds, where nothing is said.
const fn measures(scenario: Scenario) -> (u32, i64) {
    match scenario {
        Scenario::ChannelSlowed => (10_000, 60_000),
        Scenario::ChannelPeak => (4000, 90_000),
        Scenario::Peak | Scenario::Campaign => (4000, 1),
        // The rate of the fee in millionths.
        Scenario::FeeMismatch => (3800, 1),
        Scenario::TerminalBusy => (1000, 40_000),
        Scenario::GatewayDelay => (1000, 12_000),
        Scenario::MerchantBackendSlow => (1000, 40_000),
        Scenario::SyncDelay => (1000, 150_000),
        Scenario::ClockSkew => (1000, 90_000),
        _ => (1000, 1),
    }
}

fn place(plan: &Plan, fault: &Fault, map: &Map<'_>, rng: &mut Rng) -> Result<Scope, PlanError> {
    let places = fault.scenario.places();
    let fields = if plan.varied {
        // A pattern without a place is single cases: where things vary, it has one.
        let named: Vec<_> = places
            .iter()
            .filter(|place| places.len() == 1 || !place.is_empty())
            .collect();
        let any = named[rng.index(named.len())];
        if fault.scenario == Scenario::SyncDelay && rng.permille(150) {
            &[]
        } else {
            *any
        }
    } else {
        places[0]
    };
    if !fault.scope.is_empty() {
        return somewhere(fault, map);
    }
    if fields.is_empty() {
        return Ok(Scope::default());
    }
    if fields[0] == Field::Stream {
        return Ok(Scope(stream(fault.scenario, fields, plan, rng)));
    }
    if fields == [Field::Channel] && !plan.varied && fault.scenario != Scenario::Night {
        let mut channels = plan.channels.iter();
        let usual = channels.find(|channel| channel.name == "unionpay_qr");
        let name = usual.unwrap_or(&plan.channels[0]).name.to_owned();
        return Ok(Scope(vec![(Field::Channel, name)]));
    }
    Ok(drawn(fault.scenario, fields, map.world(), plan, rng))
}

/// The place that `fault` names, if anybody pays there.
fn somewhere(fault: &Fault, map: &Map<'_>) -> Result<Scope, PlanError> {
    for (field, value) in &fault.scope {
        let known = match field {
            Field::Stream => ["payments", "credits", "lifecycle"].contains(&value.as_str()),
            Field::Partition => value.parse::<u32>().is_ok(),
            // It is one of the plan's: that was checked.
            Field::Channel => true,
            _ => map.has(*field, value),
        };
        if !known {
            return Err(PlanError::NobodyThere {
                scenario: fault.scenario.name(),
                field: field.name(),
                value: value.clone(),
            });
        }
    }
    Ok(Scope(fault.scope.clone()))
}

fn stream(
    scenario: Scenario,
    fields: &[Field],
    plan: &Plan,
    rng: &mut Rng,
) -> Vec<(Field, String)> {
    let name = if scenario != Scenario::Silence && rng.permille(400) {
        "payments"
    } else {
        "credits"
    };
    let mut scope = vec![(Field::Stream, name.to_owned())];
    if fields.contains(&Field::Partition) {
        let partition = rng.below(plan.partitions.into());
        scope.push((Field::Partition, partition.to_string()));
    }
    scope
}

/// A place with enough of the traffic, and not nearly all of it.
fn drawn(
    scenario: Scenario,
    fields: &'static [Field],
    world: &World,
    plan: &Plan,
    rng: &mut Rng,
) -> Scope {
    let mut counts: BTreeMap<Vec<String>, usize> = BTreeMap::new();
    let mut single: BTreeMap<(Field, String), usize> = BTreeMap::new();
    for _ in 0..SAMPLE {
        let payment = draw_payment(plan.start, None, world, rng);
        let values = fields.iter().filter_map(|field| field.of(&payment, world));
        let values: Vec<_> = values.map(str::to_owned).collect();
        for (field, value) in fields.iter().zip(&values) {
            *single.entry((*field, value.clone())).or_default() += 1;
        }
        *counts.entry(values).or_default() += 1;
    }
    let least = fields.iter().map(|field| field.least_permille()).min();
    let least = least.unwrap_or(0) * SAMPLE / 1000;
    // Of two fields, each must matter.
    let matters = |values: &[String], count: usize| {
        let mut each = fields.iter().zip(values);
        fields.len() == 1
            || each.all(|(field, value)| count * 10 <= single[&(*field, value.clone())] * 7)
    };
    let fitting = counts.iter().filter(|(values, count)| {
        **count >= least && **count * 10 <= SAMPLE * 6 && matters(values, **count)
    });
    let fitting: Vec<_> = fitting.collect();
    let least_frequent = counts.iter().min_by_key(|(_, count)| **count);
    let most_frequent = counts.iter().max_by_key(|(_, count)| **count);
    let chosen = match scenario {
        Scenario::Night => least_frequent,
        _ if fitting.is_empty() => most_frequent,
        _ if plan.varied => Some(fitting[rng.index(fitting.len())]),
        _ => fitting.into_iter().max_by_key(|(_, count)| **count),
    };
    let values = chosen.map(|(values, _)| values.clone()).unwrap_or_default();
    Scope(fields.iter().copied().zip(values).collect())
}

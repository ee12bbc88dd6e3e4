//! Plans whose parameters nobody chose: everything is drawn from the seed.

use crate::fault::Fault;
use crate::load::Load;
use crate::plan::{Plan, PlanBuilder};
use crate::rate::Rate;
use crate::rng::Rng;
use crate::scenario::Scenario;

/// Purpose of the random stream that draws the parameters.
const DRAWN: u64 = 10;
const MINUTE_MS: i64 = 60_000;

impl Plan {
    /// Twenty minutes at fifty payments a second, in a world drawn from `seed`, with `scenarios` at times, places and
    /// of measures drawn from it as well.
    pub fn drawn(seed: u64, scenarios: &[Scenario]) -> PlanBuilder {
        Self::drawn_for(20 * MINUTE_MS, seed, scenarios)
    }

    /// The same for `duration_ms`, at least twenty minutes.
    pub fn drawn_for(duration_ms: i64, seed: u64, scenarios: &[Scenario]) -> PlanBuilder {
        let duration_ms = duration_ms.max(20 * MINUTE_MS);
        let names: Vec<_> = scenarios.iter().map(|scenario| scenario.name()).collect();
        let heading = format!(
            "The service levels of a simulated recording: everything drawn from seed {seed} for {}.\n\
             truth.json says what must come out.",
            if names.is_empty() {
                "ordinary days".into()
            } else {
                names.join(", ")
            }
        );
        let seed = scenarios
            .iter()
            .fold(seed, |seed, scenario| mixed(seed, *scenario));
        let mut rng = Rng::stream(seed, DRAWN, 0);
        let start_ms = Self::builder_start() + rng.between(0, 12 * 60) * MINUTE_MS;
        let builder = Self::builder()
            .seed(seed)
            .rate(Rate::per_second(50))
            .start_ms(start_ms)
            .duration_ms(duration_ms)
            .terminals(1000 + u32::try_from(rng.below(1000)).unwrap_or(0))
            .stages_permille(rng.pick(&[1000, 600, 330]))
            .partitions(rng.pick(&[6, 12]))
            .load(Load::draw(&mut rng))
            .heading(&heading)
            .varied();
        let faults = scenarios.iter().enumerate().map(|(index, scenario)| {
            let mut rng = Rng::stream(seed, DRAWN, 1 + index as u64);
            draw_fault(*scenario, duration_ms, &mut rng)
        });
        let builder = faults.fold(builder, PlanBuilder::fault);
        everyday(builder, duration_ms, &mut rng)
    }
}

/// Another seed for each scenario, so that the same numbers do not try them all in the same worlds.
const fn mixed(seed: u64, scenario: Scenario) -> u64 {
    let salt = (scenario as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    seed.wrapping_mul(0xd134_2543_de82_ef95) ^ salt
}

/// What happens every day: single cases, redeliveries, deployments that nobody notices.
fn everyday(builder: PlanBuilder, duration_ms: i64, rng: &mut Rng) -> PlanBuilder {
    let always = |scenario| Fault::new(scenario).during(0, duration_ms);
    let cases = always(Scenario::Everyday).share_permille(rng.pick(&[1, 2, 3]));
    let mut builder = builder.fault(cases);
    if rng.permille(300) {
        let again = always(Scenario::Redelivery).share_permille(rng.pick(&[2, 10]));
        builder = builder.fault(again);
    }
    if rng.permille(300) {
        let at = rng.between(MINUTE_MS, duration_ms - MINUTE_MS);
        builder = builder.fault(Fault::new(Scenario::Deploy).during(at, duration_ms));
    }
    builder
}

/// `scenario` in the middle of a recording; its place is left to the plan.
fn draw_fault(scenario: Scenario, duration_ms: i64, rng: &mut Rng) -> Fault {
    // A baseline is known by then, and what the fault did is over before the records end.
    let from_ms = rng.between(4 * MINUTE_MS, 8 * MINUTE_MS);
    let longest_ms = (duration_ms - from_ms - 3 * MINUTE_MS).min(9 * MINUTE_MS);
    let length_ms = rng.between(shortest_ms(scenario), longest_ms.max(shortest_ms(scenario)));
    let mut fault = Fault::new(scenario)
        .during(from_ms, from_ms + length_ms)
        .variant(u32::try_from(rng.below(scenario.variants().into())).unwrap_or(0));
    if let Some(permille) = draw_share(scenario, fault.variant, rng) {
        fault = fault.share_permille(permille);
    }
    if let Some(permille) = draw_times(scenario, rng) {
        fault = fault.times_permille(permille);
    }
    if let Some((low, high)) = delays(scenario) {
        fault = fault.delay_ms(rng.between(low, high));
    }
    let may_grow = matches!(
        scenario,
        Scenario::ChannelSlowed | Scenario::GatewayDelay | Scenario::ChannelLoss
    );
    if may_grow && rng.permille(250) {
        fault = fault.ramp();
    }
    fault
}

/// What a person could notice takes this long at least.
const fn shortest_ms(scenario: Scenario) -> i64 {
    match scenario {
        // Two heartbeats must be missed, and batches pass.
        Scenario::BatchMissed | Scenario::TerminalHardware => 6 * MINUTE_MS,
        Scenario::NetworkRegion
        | Scenario::TerminalOffline
        | Scenario::TerminalFault
        | Scenario::MerchantOperation
        | Scenario::TerminalBusy
        | Scenario::LimitExceeded
        | Scenario::SyncDelay => 5 * MINUTE_MS,
        _ => 3 * MINUTE_MS,
    }
}

fn draw_share(scenario: Scenario, variant: u32, rng: &mut Rng) -> Option<u32> {
    let permilles: &[u32] = match (scenario, variant) {
        (Scenario::ChannelLoss, _) => &[50, 50, 80, 120, 300, 300, 500, 800],
        (Scenario::TerminalReleaseFault, _) => &[400, 700, 1000],
        (Scenario::InterfaceFault | Scenario::IntegrationConfig, _) => &[200, 500, 1000],
        (Scenario::AmountMismatch, 0) => &[66],
        (Scenario::AmountMismatch, _) => &[30, 100, 400],
        (Scenario::CurrencyMismatch | Scenario::TerminalMismatch, _) => &[30, 100, 300],
        (Scenario::FeeMismatch, _) => &[200, 600, 1000],
        (Scenario::RiskHoldOverdue, _) => &[40, 80, 150],
        (Scenario::Orphan | Scenario::IdCorrupted, _) => &[30, 60, 100],
        (Scenario::DuplicateCredit | Scenario::DuplicatePayment, _) => &[40, 80, 150],
        (Scenario::UserAmountError, _) => &[300, 600],
        (Scenario::T1Waiting, _) => &[100, 300],
        (Scenario::ExplainedWaits, _) => &[200, 300, 500],
        // What happens every day.
        (Scenario::Refund | Scenario::Reversal | Scenario::Decline, _) => &[1, 2],
        (Scenario::Redelivery, _) => &[20, 100, 1000],
        (Scenario::UserIncomplete | Scenario::AuthIncomplete, _) => &[100, 300],
        _ => return None,
    };
    Some(rng.pick(permilles))
}

fn draw_times(scenario: Scenario, rng: &mut Rng) -> Option<u32> {
    let permilles: &[u32] = match scenario {
        Scenario::ChannelSlowed => &[2000, 3000, 3000, 5000, 10_000],
        Scenario::ChannelPeak | Scenario::Peak | Scenario::Campaign => &[2500, 4000, 6000],
        Scenario::FeeMismatch => &[3800, 4500, 6800, 12_000],
        Scenario::LimitExceeded => &[400, 700, 1000],
        _ => return None,
    };
    Some(rng.pick(permilles))
}

/// From how long to how long, milliseconds.
const fn delays(scenario: Scenario) -> Option<(i64, i64)> {
    Some(match scenario {
        Scenario::ChannelSlowed => (30_000, 120_000),
        Scenario::ChannelPeak => (40_000, 120_000),
        Scenario::TerminalBusy => (15_000, 60_000),
        Scenario::GatewayDelay => (4000, 40_000),
        Scenario::MerchantBackendSlow => (35_000, 120_000),
        Scenario::SyncDelay => (60_000, 280_000),
        Scenario::ClockSkew => (20_000, 400_000),
        _ => return None,
    })
}

//! Faults of the surroundings: what every payment of a time and place meets, whatever its own course.

use crate::event::{Draft, Topic, What};
use crate::fault::SettledFault;
use crate::murmur;
use crate::rng::Rng;
use crate::scenario::Scenario;
use crate::scope::Field;
use crate::sketch::Sketch;
use crate::world::World;

/// What a payment goes through.
pub(crate) struct Weather<'a> {
    pub(crate) faults: &'a [SettledFault],
    pub(crate) world: &'a World,
    pub(crate) partitions: u32,
    /// What each fault has touched.
    pub(crate) touched: &'a mut [u64],
    /// Minor units that each fault's place was credited while the fault is on.
    pub(crate) sums: &'a mut [u128],
}

impl Weather<'_> {
    /// Makes lags longer, before a payment's own fault decides about its credits.
    pub(crate) fn slow(&mut self, sketch: &mut Sketch) {
        for (index, fault) in self.faults.iter().enumerate() {
            if fault.covers(sketch.paid_at) && fault.scope.holds(&sketch.payment, self.world) {
                self.touched[index] += slow(fault, sketch);
            }
        }
    }

    /// Puts `sketch` through the surroundings.
    pub(crate) fn pass(&mut self, sketch: &mut Sketch, rng: &mut Rng) {
        if sketch.sheltered {
            return;
        }
        for (index, fault) in self.faults.iter().enumerate() {
            if fault.scope.holds(&sketch.payment, self.world) {
                let sum = &mut self.sums[index];
                self.touched[index] += meet(fault, sketch, self.partitions, sum, rng);
            }
        }
    }
}

/// Where lags grow; whether it did.
fn slow(fault: &SettledFault, sketch: &mut Sketch) -> u64 {
    let at = sketch.paid_at;
    match (fault.scenario, fault.variant) {
        (Scenario::ChannelSlowed, 0) => stretch(fault, sketch),
        (Scenario::ChannelSlowed, _) | (Scenario::ChannelPeak, _) => {
            sketch.delay_credits(queued_ms(fault, at));
        }
        (Scenario::TerminalBusy, _) => {
            sketch.posted_at = sketch.credits.iter().map(|step| step.at).min();
            sketch.delay_credits(queued_ms(fault, at));
        }
        (Scenario::GatewayDelay, _) => {
            let delay = own_delay_ms(fault, sketch) * fault.strength_permille(at) / 1000;
            sketch.gateway_ms += delay;
            sketch.delay_credits(delay);
        }
        (Scenario::MerchantBackendSlow, _) => {
            sketch.ack_ms += own_delay_ms(fault, sketch);
        }
        _ => return 0,
    }
    1
}

/// Between half and one and a half of the fault's delay, as hangs on the payment alone.
fn own_delay_ms(fault: &SettledFault, sketch: &Sketch) -> i64 {
    let own = 500 + i64::from(murmur::partition(&sketch.name, 1 << 20) % 1000);
    fault.delay_ms * own / 1000
}

fn stretch(fault: &SettledFault, sketch: &mut Sketch) {
    let times = i64::from(fault.times_permille).max(1000) - 1000;
    let more = times * fault.strength_permille(sketch.paid_at) / 1000;
    let paid_at = sketch.paid_at;
    for step in &mut sketch.credits {
        let longer = (step.at - paid_at) * more / 1000;
        step.at += longer;
        step.occurred_at += longer;
        step.posted_at += longer;
    }
}

/// How long the queue of a fault is for what joins it at `at`: it grows over two thirds of the fault and drains
/// over the last.
pub(crate) fn queued_ms(fault: &SettledFault, at: i64) -> i64 {
    if !fault.covers(at) {
        return 0;
    }
    let length = (fault.until - fault.from).max(1);
    let passed = at - fault.from;
    if passed * 3 < length * 2 {
        fault.delay_ms * passed * 3 / (length * 2)
    } else {
        fault.delay_ms * (length - passed) * 3 / length
    }
}

/// What `fault` does to a payment of its place; how many records it touched.
fn meet(
    fault: &SettledFault,
    sketch: &mut Sketch,
    partitions: u32,
    sum: &mut u128,
    rng: &mut Rng,
) -> u64 {
    match (fault.scenario, fault.variant) {
        (Scenario::ChannelStopped, _) => hold_back(fault, sketch, 100, 20_000, rng),
        (Scenario::NetworkRegion, _) => {
            at_terminal(sketch, |sketch| hold_back(fault, sketch, 20, 60_000, rng))
        }
        (Scenario::TerminalOffline | Scenario::MerchantOperation, _) => {
            at_terminal(sketch, |sketch| hold_back(fault, sketch, 300, 30_000, rng))
        }
        (Scenario::TerminalFault, 1) => {
            at_terminal(sketch, |sketch| hold_back(fault, sketch, 0, 10_000, rng))
        }
        (
            Scenario::TerminalFault | Scenario::TerminalHardware | Scenario::TerminalReleaseFault,
            _,
        ) => at_terminal(sketch, |sketch| lose(fault, sketch, rng)),
        (Scenario::PlatformBackend, 0) => hold_back(fault, sketch, 50, 40_000, rng),
        (Scenario::PlatformBackend, _) => reject(fault, sketch, ("96", "system"), 900, rng),
        (Scenario::ChannelLoss | Scenario::AccountSuspect | Scenario::AccountFrozen, 0) => {
            lose(fault, sketch, rng)
        }
        (Scenario::AccountFrozen, _) => reject(fault, sketch, ("62", "frozen"), 700, rng),
        (Scenario::BalanceInsufficient, _) => {
            reject(fault, sketch, ("51", "insufficient"), 1000, rng)
        }
        (Scenario::InterfaceFault | Scenario::IntegrationConfig, _) => {
            reject(fault, sketch, ("30", "format"), 500, rng)
        }
        (Scenario::LimitExceeded, variant) => limit(fault, variant, sketch, sum, rng),
        (Scenario::Maintenance, _) => hold_back(fault, sketch, 0, 8000, rng),
        (Scenario::Silence, _) => silence(fault, sketch, partitions, rng),
        _ => 0,
    }
}

/// Lets `fault` happen between account and terminal: what was posted stays posted.
fn at_terminal(sketch: &mut Sketch, fault: impl FnOnce(&mut Sketch) -> u64) -> u64 {
    let posted_at = sketch.credits.iter().map(|step| step.posted_at).min();
    let touched = fault(sketch);
    if touched > 0 {
        sketch.posted_at = posted_at;
    }
    touched
}

/// Credits due while the fault is on come within `burst_ms` after it, `lost` in a thousand never.
fn hold_back(
    fault: &SettledFault,
    sketch: &mut Sketch,
    lost: u32,
    burst_ms: i64,
    rng: &mut Rng,
) -> u64 {
    let mut touched = 0;
    sketch.credits.retain_mut(|step| {
        if !fault.covers(step.at) || !rng.permille(fault.share_at(step.at)) {
            return true;
        }
        touched += 1;
        let delay = step.at - step.occurred_at;
        step.at = fault.until + rng.between(0, burst_ms);
        step.occurred_at = step.at - delay;
        step.posted_at = step.at;
        !rng.permille(lost)
    });
    touched
}

/// Credits due while the fault is on never come.
fn lose(fault: &SettledFault, sketch: &mut Sketch, rng: &mut Rng) -> u64 {
    let is_hit = |at| fault.covers(at) && rng.permille(fault.share_at(at));
    let hit = sketch
        .credits
        .first()
        .map(|step| step.at)
        .is_some_and(is_hit);
    if hit {
        sketch.credits.clear();
    }
    u64::from(hit)
}

/// As [`lose`]; `told` in a thousand are rejected with a reason.
fn reject(
    fault: &SettledFault,
    sketch: &mut Sketch,
    (code, class): (&'static str, &'static str),
    told: u32,
    rng: &mut Rng,
) -> u64 {
    let due_at = sketch.credits.first().map(|step| step.at);
    let touched = lose(fault, sketch, rng);
    if let Some(due_at) = due_at.filter(|_| touched > 0 && rng.permille(told)) {
        let channel = sketch.payment.channel.name;
        let rejected = What::Rejected {
            channel,
            code,
            class,
        };
        sketch.then((due_at - sketch.paid_at).max(1), rejected);
    }
    touched
}

/// Credits above an amount, or beyond a sum, do not come.
fn limit(
    fault: &SettledFault,
    variant: u32,
    sketch: &mut Sketch,
    sum: &mut u128,
    rng: &mut Rng,
) -> u64 {
    let amount = sketch.payment.amount_minor;
    let limit_minor = fault.limit_minor();
    if !fault.covers(sketch.paid_at) {
        return 0;
    }
    let is_over = if variant == 2 {
        *sum + u128::from(amount) > u128::from(limit_minor) * 3
    } else {
        amount > limit_minor
    };
    if !is_over {
        *sum += u128::from(amount);
        return 0;
    }
    match variant {
        1 => lose(fault, sketch, rng),
        _ => reject(fault, sketch, ("61", "limit"), 800, rng),
    }
}

/// What was held back comes within so many milliseconds when the feed is back.
const BACK_MS: u32 = 5000;

/// Credits happen in time, but their records are appended only when the feed is back.
fn silence(fault: &SettledFault, sketch: &mut Sketch, partitions: u32, rng: &mut Rng) -> u64 {
    if fault
        .scope
        .get(Field::Stream)
        .is_some_and(|stream| stream != Topic::Credits.name())
    {
        return 0;
    }
    let own = murmur::partition(&sketch.payment.id, partitions).to_string();
    let partition = fault.scope.get(Field::Partition);
    if partition.is_some_and(|silent| silent != own) {
        return 0;
    }
    let mut touched = 0;
    for step in &mut sketch.credits {
        if fault.covers(step.at) {
            step.at = fault.until + rng.between(0, 5000);
            touched += 1;
        }
    }
    touched
}

/// Whether `scenario` touches records, rather than what they tell: only those are asked for each of them.
pub(crate) const fn is_about_records(scenario: Scenario) -> bool {
    matches!(
        scenario,
        Scenario::Redelivery | Scenario::SyncDelay | Scenario::ClockSkew | Scenario::Silence
    )
}

/// Lets late feeds and wrong clocks have the record `draft` of a payment for which `holds` is true.
pub(crate) fn shift(fault: &SettledFault, draft: &mut Draft) -> bool {
    let streams = fault.scope.get(Field::Stream);
    let is_source = streams.is_none_or(|stream| stream == draft.topic.name());
    if !is_source || draft.topic == Topic::Terminals || !fault.covers(draft.at) {
        return false;
    }
    match (fault.scenario, fault.variant) {
        (Scenario::SyncDelay, _) => draft.at += fault.delay_ms,
        // Credits were held back where they were made.
        (Scenario::Silence, _) if streams.is_some() && draft.topic != Topic::Credits => {
            draft.at = fault.until + i64::from(murmur::partition(&draft.event_id, BACK_MS));
        }
        (Scenario::ClockSkew, 0) => draft.occurred_at += fault.delay_ms,
        (Scenario::ClockSkew, _) => draft.occurred_at -= fault.delay_ms,
        _ => return false,
    }
    true
}

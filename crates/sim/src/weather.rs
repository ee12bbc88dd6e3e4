//! Faults of the surroundings: what every payment of a time and place meets, whatever its own course.

use serde_json::{Value, json};

use crate::fault::SettledFault;
use crate::rng::Rng;
use crate::scenario::Scenario;
use crate::sketch::Sketch;

/// How fast the skewed clock is.
const SKEW_MS: i64 = 90_000;
/// The gateway whose clock is skewed.
const SKEWED_GATEWAY: &str = "gw-b";
/// How many times longer a slowed channel's lag is.
const SLOWNESS: i64 = 10;

/// The scope of `fault` as incidents write it.
pub(crate) fn scope(fault: &SettledFault) -> Value {
    match (fault.scenario, fault.channel) {
        (Scenario::Silence, _) => json!({"stream": "credits"}),
        (Scenario::ClockSkew, _) => json!({"gateway": SKEWED_GATEWAY}),
        (_, Some(channel)) => json!({"channel": channel}),
        (_, None) => json!({}),
    }
}

/// Makes the ordinary lag of `sketch` longer where its channel is slowed; counts it in `touched`.
pub(crate) fn slow(faults: &[SettledFault], sketch: &mut Sketch, touched: &mut [u64]) {
    let channel = sketch.payment.channel.name;
    let found = faults.iter().zip(touched).find(|(fault, _)| {
        fault.scenario == Scenario::ChannelSlowed
            && fault.touches(channel)
            && fault.covers(sketch.paid_at)
    });
    let Some((_, touched)) = found else { return };
    *touched += 1;
    for step in &mut sketch.credits {
        let longer = (step.at - sketch.paid_at) * (SLOWNESS - 1);
        step.at += longer;
        step.occurred_at += longer;
        step.posted_at += longer;
    }
}

/// Puts `sketch` through the surroundings; counts in `touched` what each fault did.
pub(crate) fn pass(
    faults: &[SettledFault],
    sketch: &mut Sketch,
    touched: &mut [u64],
    rng: &mut Rng,
) {
    for (fault, touched) in faults.iter().zip(touched) {
        *touched += match fault.scenario {
            Scenario::ChannelStopped if !sketch.sheltered => stop(fault, sketch, rng),
            Scenario::Silence if !sketch.sheltered => silence(fault, sketch, rng),
            Scenario::ClockSkew => skew(fault, sketch),
            _ => 0,
        };
    }
}

/// Credits due while the channel is stopped come when it works again, one in ten never.
fn stop(fault: &SettledFault, sketch: &mut Sketch, rng: &mut Rng) -> u64 {
    let mut touched = 0;
    if !fault.touches(sketch.payment.channel.name) {
        return 0;
    }
    sketch.credits.retain_mut(|step| {
        if !fault.covers(step.at) || !rng.permille(fault.share_permille) {
            return true;
        }
        touched += 1;
        let delay = step.at - step.occurred_at;
        step.at = fault.until + rng.between(0, 20_000);
        step.occurred_at = step.at - delay;
        step.posted_at = step.at;
        !rng.permille(100)
    });
    touched
}

/// Credits happen in time, but their records are appended only when the feed is back.
fn silence(fault: &SettledFault, sketch: &mut Sketch, rng: &mut Rng) -> u64 {
    let mut touched = 0;
    for step in &mut sketch.credits {
        if fault.covers(step.at) && fault.touches(sketch.payment.channel.name) {
            step.at = fault.until + rng.between(0, 5000);
            touched += 1;
        }
    }
    touched
}

/// The gateway writes business times of the future.
fn skew(fault: &SettledFault, sketch: &mut Sketch) -> u64 {
    let skewed =
        sketch.paid && sketch.payment.gateway == SKEWED_GATEWAY && fault.covers(sketch.paid_at);
    if skewed {
        sketch.occurred_at += SKEW_MS;
    }
    u64::from(skewed)
}

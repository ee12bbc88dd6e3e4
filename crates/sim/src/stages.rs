//! The stages that a payment reports on its way.

use crate::event::What;
use crate::rng::Rng;
use crate::sketch::{Sketch, Step};

/// Adds the stages of `sketch`: those of gateway, channel and terminal if it `reports` them, and the merchant's
/// acknowledgement if the merchant `acks`.
pub(crate) fn add(sketch: &mut Sketch, reports: bool, acks: bool, rng: &mut Rng) {
    let mut push = |at: i64, stage: &'static str| {
        sketch.others.push(Step {
            at,
            occurred_at: at - 25,
            posted_at: at,
            what: What::Stage(stage),
        });
    };
    let entered = sketch.paid_at + rng.between(-60, 180);
    let left = entered + rng.between(90, 260) + sketch.gateway_ms;
    // What is credited twice is told of once.
    let credited = sketch.credits.iter().map(|step| step.posted_at).min();
    let posted = match (sketch.posted_at, credited) {
        (Some(posted), _) => Some(posted),
        (None, credited) => credited,
    };
    let posted = posted.map(|at| at - rng.between(20, 250));
    let credited = credited.map(|at| at.max(sketch.paid_at));
    let [notified, acked] = [(100, 650), (500, 2400)].map(|(low, high)| rng.between(low, high));
    if reports {
        push(entered, "gateway_in");
        push(left, "gateway_out");
        if let Some(posted) = posted {
            let answered = left + (posted - left) * 2 / 3;
            push(answered, "channel_ack");
            push(posted, "account_posted");
        }
        if let Some(credited) = credited {
            push(credited + notified, "terminal_notified");
        }
    }
    if let Some(credited) = credited.filter(|_| acks) {
        push(credited + acked + sketch.ack_ms, "merchant_ack");
    }
}

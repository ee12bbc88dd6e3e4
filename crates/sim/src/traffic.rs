//! One arrival: a payment's life is planned, put through its faults, judged and written out as drafts.

use crate::batch::Batches;
use crate::bonds;
use crate::cases::{self, Bond, Done, Setting};
use crate::event::{Draft, What};
use crate::fault::SettledFault;
use crate::judge::judge;
use crate::plan::Plan;
use crate::rng::Rng;
use crate::scenario::Scenario;
use crate::sketch::{Sketch, Step};
use crate::truth::{Injected, Truth};
use crate::weather;
use crate::world::World;

/// Purposes of random streams.
const LIFE: u64 = 2;
const FAULT: u64 = 3;
const AROUND: u64 = 4;
const NOISE: u64 = 5;

/// No record of an arrival is appended longer before it than this, milliseconds.
pub(crate) const LOOKBACK_MS: i64 = 5000;

/// Plans arrivals one after the other.
#[derive(Debug)]
pub(crate) struct Traffic {
    plan: Plan,
    pub(crate) world: World,
    pub(crate) batches: Batches,
    /// How many payments each fault has taken.
    turns: Vec<u32>,
}

impl Traffic {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            world: World::new(plan.seed, plan.terminals, &plan.channels),
            batches: Batches::default(),
            turns: vec![0; plan.faults.len()],
            plan: plan.clone(),
        }
    }

    /// Every record of the `number`-th arrival, at `at`; what must come of it goes into `truth`.
    pub(crate) fn arrive(&mut self, number: u64, at: i64, truth: &mut Truth) -> Vec<Draft> {
        let seed = self.plan.seed;
        let mut life = Rng::stream(seed, LIFE, number);
        let mut sketch = Sketch::ordinary(format!("{number:06x}"), at, &self.world, &mut life);
        weather::slow(&self.plan.faults, &mut sketch, &mut truth.touched);
        let mut faults = Rng::stream(seed, FAULT, number);
        let done = self.fault(&mut sketch, truth, &mut faults);
        let mut around = Rng::stream(seed, AROUND, number);
        let mut drafts = self.noise(number, at);
        let lone = done.is_none();
        match done.and_then(|done| done.companion) {
            None => {
                let own = self.live(sketch, lone, truth, &mut around);
                truth.take(judge(&own, self.plan.end));
                drafts.extend(own);
            }
            Some((bond, companion)) => {
                let (id, other_id) = (sketch.payment.id.clone(), companion.payment.id.clone());
                let own = self.live(sketch, false, truth, &mut around);
                let other = self.live(companion, false, truth, &mut around);
                let (mut first, mut second) =
                    (judge(&own, self.plan.end), judge(&other, self.plan.end));
                match bond {
                    Bond::Twins => bonds::twins(&first, &id, &mut second, &other_id),
                    Bond::NearId => bonds::near_id(&mut first, &id, &mut second, &other_id),
                }
                truth.take(first);
                truth.take(second);
                drafts.extend(own.into_iter().chain(other));
            }
        }
        drafts.retain(|draft| draft.at <= self.plan.end);
        drafts
    }

    /// Lets the first fault that wants this payment have it.
    fn fault(&mut self, sketch: &mut Sketch, truth: &mut Truth, rng: &mut Rng) -> Option<Done> {
        let channel = sketch.payment.channel.name;
        let wants = |fault: &SettledFault| {
            fault.scenario.is_case() && fault.covers(sketch.paid_at) && fault.touches(channel)
        };
        let faults = self.plan.faults.iter().enumerate();
        let (index, fault) = faults
            .filter(|(index, fault)| wants(fault) && self.turns[*index] < fault.limit)
            .find(|(_, fault)| rng.permille(fault.share_permille))?;
        let setting = Setting {
            world: &self.world,
            start: self.plan.start,
            turn: self.turns[index],
        };
        let done = cases::apply(fault.scenario, sketch, &setting, rng);
        self.turns[index] += 1;
        truth.touched[index] += 1;
        let mut note = |payment_id: &str| {
            let (scenario, detail) = (fault.scenario.name(), done.detail);
            truth.injected.push(Injected {
                payment_id: payment_id.to_owned(),
                scenario,
                detail,
            });
        };
        note(&sketch.payment.id);
        let companion = done.companion.as_ref().map(|(_, companion)| companion);
        if let Some(companion) = companion.filter(|companion| companion.paid_at <= self.plan.end) {
            note(&companion.payment.id);
        }
        Some(done)
    }

    /// Puts `sketch` through its surroundings and into records; `lone` if no fault has taken it.
    fn live(
        &mut self,
        mut sketch: Sketch,
        lone: bool,
        truth: &mut Truth,
        rng: &mut Rng,
    ) -> Vec<Draft> {
        let has_stages = rng.permille(self.plan.stages_permille);
        if lone {
            ordinary_life(&mut sketch, rng);
        }
        weather::pass(&self.plan.faults, &mut sketch, &mut truth.touched, rng);
        self.batches.add(&sketch, self.plan.start);
        if lone {
            ordinary_refund(&mut sketch, rng);
        }
        if has_stages && sketch.paid {
            stages(&mut sketch, rng);
        }
        let end = self.plan.end;
        let faults = self.plan.faults.iter().enumerate();
        let again: Vec<_> = faults
            .filter(|(_, fault)| fault.scenario == Scenario::Redelivery)
            .collect();
        let (channel, paid_at) = (sketch.payment.channel.name, sketch.paid_at);
        sketch.into_drafts(|| {
            let (index, _) = again.iter().find(|(_, fault)| {
                fault.touches(channel)
                    && fault.covers(paid_at)
                    && rng.permille(fault.share_permille)
            })?;
            let after = rng.between(1, 120_000);
            truth.touched[*index] += u64::from(paid_at + after <= end);
            Some(after)
        })
    }

    /// What has no payment and calls for nothing: authorisations and declines.
    fn noise(&self, number: u64, at: i64) -> Vec<Draft> {
        let mut rng = Rng::stream(self.plan.seed, NOISE, number);
        let kind = rng.below(1000);
        if kind >= 25 {
            return Vec::new();
        }
        let mut other = Sketch::ordinary(format!("{number:06x}n"), at, &self.world, &mut rng);
        other.paid = false;
        other.credits.clear();
        let payment = &other.payment;
        let channel = payment.channel.name;
        let what = if kind < 10 {
            What::Authorized {
                channel,
                amount_minor: payment.amount_minor,
                currency: payment.currency,
            }
        } else {
            let (code, class) = rng.pick(&[
                ("51", "insufficient"),
                ("61", "limit"),
                ("55", "auth_incomplete"),
                ("68", "timeout"),
            ]);
            What::Declined {
                channel,
                code,
                class,
            }
        };
        other.then(0, what);
        other.into_drafts(|| None)
    }
}

/// An earlier attempt that was declined, or a credit that overtakes its payment.
fn ordinary_life(sketch: &mut Sketch, rng: &mut Rng) {
    let kind = rng.below(1000);
    if kind < 12 {
        let channel = sketch.payment.channel.name;
        sketch.then(
            -rng.between(1500, 3500),
            What::Declined {
                channel,
                code: "51",
                class: "insufficient",
            },
        );
    } else if kind < 17 {
        sketch.occurred_at = sketch.paid_at - rng.between(1500, 2500);
        for step in &mut sketch.credits {
            step.at = sketch.paid_at - rng.between(1, 600);
            step.occurred_at = step.at - 60;
            step.posted_at = step.at;
        }
    }
}

/// Some customers bring things back after the merchant was credited.
fn ordinary_refund(sketch: &mut Sketch, rng: &mut Rng) {
    let chosen = rng.permille(6);
    let (after, whole) = (rng.between(20_000, 120_000), rng.permille(600));
    let Some(credited_at) = sketch
        .credits
        .iter()
        .map(|step| step.at)
        .max()
        .filter(|_| chosen)
    else {
        return;
    };
    let amount = if whole {
        sketch.payment.amount_minor
    } else {
        sketch.payment.amount_minor / 2
    };
    let after = credited_at.max(sketch.paid_at) - sketch.paid_at + after;
    sketch.refund(after, amount, "created");
    sketch.refund(after + 4000, amount, "succeeded");
}

/// The stages before the payment and after its last credit.
fn stages(sketch: &mut Sketch, rng: &mut Rng) {
    let mut at = sketch.paid_at - rng.between(500, 900);
    let mut add = |at: i64, stage: &'static str| {
        sketch.others.push(Step {
            at,
            occurred_at: at - 25,
            posted_at: at,
            what: What::Stage(stage),
        });
    };
    for stage in ["gateway_in", "gateway_out", "channel_ack"] {
        add(at, stage);
        at += rng.between(40, 160);
    }
    let Some(credited_at) = sketch.credits.iter().map(|step| step.posted_at).max() else {
        return;
    };
    let mut at = credited_at.max(sketch.paid_at) + rng.between(10, 120);
    for stage in ["account_posted", "terminal_notified", "merchant_ack"] {
        let what = What::Stage(stage);
        sketch.others.push(Step {
            at,
            occurred_at: at - 25,
            posted_at: at,
            what,
        });
        at += rng.between(60, 700);
    }
}

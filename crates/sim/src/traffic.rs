//! One arrival: a payment's life is planned, put through its faults, judged and written out as drafts.

use std::cell::RefCell;

use crate::batch::Batches;
use crate::bonds;
use crate::cases::{self, Bond, Done, Setting};
use crate::channels::Channel;
use crate::event::{Draft, What};
use crate::fault::SettledFault;
use crate::hours;
use crate::judge::judge;
use crate::judgement::Judgement;
use crate::plan::Plan;
use crate::rng::Rng;
use crate::scenario::Scenario;
use crate::sketch::Sketch;
use crate::stages;
use crate::truth::{Injected, Truth};
use crate::weather::{self, Weather};
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
    /// What each fault's place was credited while it is on, in minor units.
    sums: Vec<u128>,
}

impl Traffic {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            world: plan.world(),
            batches: Batches::default(),
            turns: vec![0; plan.faults.len()],
            sums: vec![0; plan.faults.len()],
            plan: plan.clone(),
        }
    }

    /// Every record of the `number`-th arrival, at `at`, on `channel` or any; what must come of it goes into
    /// `truth`.
    pub(crate) fn arrive(
        &mut self,
        number: u64,
        at: i64,
        channel: Option<&'static Channel>,
        truth: &mut Truth,
    ) -> Vec<Draft> {
        let seed = self.plan.seed;
        let mut life = Rng::stream(seed, LIFE, number);
        let name = format!("{number:06x}");
        let mut sketch = Sketch::ordinary(name, at, channel, &self.world, &mut life);
        if self.stays_away(&sketch, &mut life) {
            return Vec::new();
        }
        self.weather(truth).slow(&mut sketch);
        let mut faults = Rng::stream(seed, FAULT, number);
        let done = self.fault(&mut sketch, truth, &mut faults);
        let mut around = Rng::stream(seed, AROUND, number);
        let mut drafts = self.noise(number, at);
        let lone = done.is_none();
        match done.and_then(|done| done.companion) {
            None => {
                let own = self.live(sketch, lone, truth, &mut around);
                truth.take(self.judged(&own));
                drafts.extend(own);
            }
            Some((bond, companion)) => {
                let (id, other_id) = (sketch.payment.id.clone(), companion.payment.id.clone());
                let own = self.live(sketch, false, truth, &mut around);
                let other = self.live(companion, false, truth, &mut around);
                let (mut first, mut second) = (self.judged(&own), self.judged(&other));
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

    fn judged(&self, drafts: &[Draft]) -> Judgement {
        judge(drafts, self.plan.start, self.plan.end)
    }

    /// Lets the first fault that wants this payment have it.
    fn fault(&mut self, sketch: &mut Sketch, truth: &mut Truth, rng: &mut Rng) -> Option<Done> {
        let at = sketch.paid_at;
        let wants = |fault: &SettledFault| {
            let is_on = fault.covers(at) || fault.scenario == Scenario::BatchMissed;
            fault.scenario.is_case() && is_on && fault.scope.holds(&sketch.payment, &self.world)
        };
        let faults = self.plan.faults.iter().enumerate();
        let (index, fault) = faults
            .filter(|(index, fault)| wants(fault) && self.turns[*index] < fault.limit)
            .find(|(_, fault)| rng.permille(fault.share_permille))?;
        let setting = Setting {
            world: &self.world,
            start: self.plan.start,
            turn: self.turns[index],
            fault,
        };
        let done = cases::apply(sketch, &setting, rng);
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
        self.weather(truth).pass(&mut sketch, rng);
        self.batches.add(&sketch, self.plan.start);
        if lone {
            ordinary_refund(&mut sketch, rng);
        }
        if sketch.paid {
            let merchant = self.world.terminals[sketch.payment.terminal].merchant;
            let acknowledges = self.world.merchants[merchant].acknowledges;
            let acks = acknowledges && (has_stages || self.plan.varied) && rng.permille(960);
            stages::add(&mut sketch, has_stages, acks, rng);
        }
        let (end, paid_at) = (self.plan.end, sketch.paid_at);
        let faults = self.plan.faults.iter().enumerate();
        let meeting: Vec<_> = faults
            .filter(|(_, fault)| weather::is_about_records(fault.scenario))
            .filter(|(_, fault)| fault.scope.holds(&sketch.payment, &self.world))
            .collect();
        let touched = RefCell::new(&mut truth.touched);
        let again = || {
            let mut again = meeting.iter();
            let (index, _) = again.find(|(_, fault)| {
                fault.scenario == Scenario::Redelivery
                    && fault.covers(paid_at)
                    && rng.permille(fault.share_permille)
            })?;
            let after = rng.between(1, 120_000);
            touched.borrow_mut()[*index] += u64::from(paid_at + after <= end);
            Some(after)
        };
        sketch.into_drafts(again, |draft| {
            for (index, fault) in &meeting {
                touched.borrow_mut()[*index] += u64::from(weather::shift(fault, draft));
            }
        })
    }

    /// What payments meet now.
    fn weather<'a>(&'a mut self, truth: &'a mut Truth) -> Weather<'a> {
        Weather {
            faults: &self.plan.faults,
            world: &self.world,
            partitions: self.plan.partitions,
            touched: &mut truth.touched,
            sums: &mut self.sums,
        }
    }

    /// Whether the payer does not come: the shop is closed, it is night, or the terminal shows that it is offline.
    fn stays_away(&self, sketch: &Sketch, rng: &mut Rng) -> bool {
        let (at, terminal) = (sketch.paid_at, sketch.payment.terminal);
        let (plan, world) = (&self.plan, &self.world);
        hours::is_off(terminal, at, plan.start, &plan.faults, world)
            || plan.faults.iter().any(|fault| {
                let stay = match fault.scenario {
                    Scenario::Night => 950,
                    Scenario::NetworkRegion | Scenario::TerminalOffline => 300,
                    _ => return false,
                };
                fault.covers(at) && fault.scope.holds(&sketch.payment, world) && rng.permille(stay)
            })
    }

    /// What has no payment and calls for nothing: authorisations and declines.
    fn noise(&self, number: u64, at: i64) -> Vec<Draft> {
        let mut rng = Rng::stream(self.plan.seed, NOISE, number);
        let kind = rng.below(1000);
        let may_stop = |fault: &&SettledFault| {
            let stops = matches!(
                fault.scenario,
                Scenario::UserIncomplete | Scenario::AuthIncomplete
            );
            stops && fault.covers(at) && kind < u64::from(fault.share_permille)
        };
        if kind >= 25 && !self.plan.faults.iter().any(|fault| may_stop(&fault)) {
            return Vec::new();
        }
        let mut other = Sketch::ordinary(format!("{number:06x}n"), at, None, &self.world, &mut rng);
        other.paid = false;
        other.credits.clear();
        let mut unfinished = self.plan.faults.iter().filter(may_stop);
        let unfinished = unfinished.find(|fault| fault.scope.holds(&other.payment, &self.world));
        let channel = other.payment.channel.name;
        let declined = |(code, class)| What::Declined {
            channel,
            code,
            class,
        };
        let authorized = What::Authorized {
            channel,
            amount_minor: other.payment.amount_minor,
            currency: other.payment.currency,
        };
        match unfinished.map(|fault| fault.scenario) {
            Some(Scenario::UserIncomplete) => {
                other.then(0, What::Stage("gateway_in"));
                other.then(150, What::Stage("gateway_out"));
                other.then(9000, declined(("55", "auth_incomplete")));
            }
            Some(_) => other.then(0, authorized),
            None if kind < 10 => other.then(0, authorized),
            None if kind < 25 => {
                let reason = rng.pick(&[
                    ("51", "insufficient"),
                    ("61", "limit"),
                    ("55", "auth_incomplete"),
                    ("68", "timeout"),
                ]);
                other.then(0, declined(reason));
            }
            None => return Vec::new(),
        }
        other.into_drafts(|| None, |_| {})
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

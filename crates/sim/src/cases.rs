//! Faults of single payments: each edits one sketch, its variants in turn.

use crate::event::{Credit, Payment, What};
use crate::fault::SettledFault;
use crate::policy::ORPHAN_AFTER_MS;
use crate::rng::Rng;
use crate::scenario::Scenario;
use crate::sketch::Sketch;
use crate::world::World;
use crate::{batch, mischief, pattern};

/// How two lives belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bond {
    /// The second is the same payer paying again.
    Twins,
    /// The second is the first one's credit under a wrong id.
    NearId,
}

/// What a case did: the name of its variant, and a second life where it made one.
pub(crate) struct Done {
    pub(crate) detail: &'static str,
    pub(crate) companion: Option<(Bond, Sketch)>,
}

impl From<&'static str> for Done {
    fn from(detail: &'static str) -> Self {
        Self {
            detail,
            companion: None,
        }
    }
}

/// What a case may look at.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'a> {
    pub(crate) world: &'a World,
    /// Start of the plan, from which batches count.
    pub(crate) start: i64,
    /// How many payments this fault has touched before.
    pub(crate) turn: u32,
    pub(crate) fault: &'a SettledFault,
}

/// Does what the fault of `setting` does to `sketch`.
pub(crate) fn apply(sketch: &mut Sketch, setting: &Setting<'_>, rng: &mut Rng) -> Done {
    match setting.fault.scenario {
        Scenario::Everyday => {
            let turn = u32::try_from(rng.below(1000)).unwrap_or(0);
            let scenario = rng.pick(EVERYDAY);
            if scenario == Scenario::Mismatch {
                return mischief::slip(sketch, turn, rng).into();
            }
            stage(scenario, sketch, &Setting { turn, ..*setting }, rng)
        }
        scenario => stage(scenario, sketch, setting, rng),
    }
}

/// What happens every day, the more frequent the more often it stands here.
const EVERYDAY: &[Scenario] = &[
    Scenario::Late,
    Scenario::Late,
    Scenario::Late,
    Scenario::Loss,
    Scenario::Refund,
    Scenario::Refund,
    Scenario::Reversal,
    Scenario::Decline,
    Scenario::Hold,
    Scenario::Split,
    Scenario::Orphan,
    Scenario::Mismatch,
    Scenario::DuplicateCredit,
    Scenario::DuplicatePayment,
    Scenario::T1Waiting,
    Scenario::T1Waiting,
];

fn stage(scenario: Scenario, sketch: &mut Sketch, setting: &Setting<'_>, rng: &mut Rng) -> Done {
    let turn = setting.turn;
    match scenario {
        Scenario::Loss => loss(sketch, turn).into(),
        Scenario::Late => late(sketch, turn, rng).into(),
        Scenario::Split => split(sketch, turn, rng).into(),
        Scenario::DuplicateCredit => duplicate_credit(sketch, rng).into(),
        Scenario::DuplicatePayment => mischief::duplicate_payment(sketch, turn, rng),
        Scenario::Orphan => orphan(sketch, turn).into(),
        Scenario::Mismatch => mischief::mismatch(sketch, setting, rng).into(),
        Scenario::Refund => refund(sketch, turn).into(),
        Scenario::Reversal => reversal(sketch, turn).into(),
        Scenario::Decline => decline(sketch, turn).into(),
        Scenario::Hold => hold(sketch, turn).into(),
        Scenario::ExplainedWaits => explain(sketch, setting.fault.variant, rng).into(),
        Scenario::T1 => batch::settle_later(sketch, setting, rng).into(),
        Scenario::IdCorrupted => mischief::corrupt_id(sketch, turn, rng),
        Scenario::T1Waiting => batch::settle_tomorrow(sketch).into(),
        Scenario::BatchMissed => batch::settle_in_batches(sketch, setting, rng).into(),
        Scenario::RiskHoldOverdue => hold_for_ever(sketch, rng).into(),
        Scenario::AmountMismatch
        | Scenario::CurrencyMismatch
        | Scenario::TerminalMismatch
        | Scenario::FeeMismatch
        | Scenario::UserAmountError => pattern::apply(sketch, setting, rng).into(),
        _ => "none".into(),
    }
}

fn loss(sketch: &mut Sketch, turn: u32) -> &'static str {
    const REJECTIONS: [(&str, &str); 4] = [
        ("61", "limit"),
        ("51", "insufficient"),
        ("62", "frozen"),
        ("30", "format"),
    ];
    sketch.credits.clear();
    if turn % 3 < 2 {
        return "lost";
    }
    let (code, class) = REJECTIONS[(turn / 3 % 4) as usize];
    sketch.then(
        1500,
        What::Rejected {
            channel: sketch.payment.channel.name,
            code,
            class,
        },
    );
    "rejected"
}

fn late(sketch: &mut Sketch, turn: u32, rng: &mut Rng) -> &'static str {
    let [warn, breach, escalate] = [0, 1, 2].map(|index| sketch.tier_ms(index));
    let (after, detail) = match turn % 5 {
        0 => (
            rng.between(warn + 500, warn + (breach - warn) / 2),
            "after_first_tier",
        ),
        1 => (
            rng.between(breach + 500, breach + 40_000),
            "after_second_tier",
        ),
        2 => (warn, "on_the_deadline"),
        3 => (warn + 1, "a_millisecond_late"),
        _ => (
            rng.between(escalate + 500, escalate + 60_000),
            "after_last_tier",
        ),
    };
    let credit = sketch.whole_credit();
    sketch.credits.clear();
    sketch.credit(
        sketch.paid_at + after,
        30,
        Credit {
            credit_id: format!("c{}-late", sketch.name),
            ..credit
        },
    );
    sketch.sheltered = true;
    detail
}

fn split(sketch: &mut Sketch, turn: u32, rng: &mut Rng) -> &'static str {
    let first_at = sketch
        .credits
        .first()
        .map_or(sketch.paid_at + 2000, |step| step.at);
    sketch.credits.clear();
    let gross = sketch.payment.amount_minor;
    let (parts, detail) = match turn % 4 {
        0 => (vec![gross / 2, gross - gross / 2], "two_parts"),
        1 => (
            vec![gross / 3, gross / 3, gross - gross / 3 * 2],
            "three_parts",
        ),
        2 => (vec![gross / 2], "a_part_short"),
        _ => (vec![gross / 3 * 2; 2], "too_much"),
    };
    let mut at = first_at;
    for amount in parts {
        let part = Credit {
            amount_minor: Some(amount),
            partial: true,
            ..sketch.full_credit()
        };
        sketch.credit(at, 60, part);
        at += rng.between(300, 4000);
    }
    detail
}

fn duplicate_credit(sketch: &mut Sketch, rng: &mut Rng) -> &'static str {
    let Some(at) = sketch.credits.first().map(|step| step.at) else {
        return "none";
    };
    // It says its amount whatever the channel's habit: an extra credit is worth what it says.
    let again = sketch.full_credit();
    sketch.credit(at + rng.between(5000, 60_000), 60, again);
    "credited_twice"
}

fn orphan(sketch: &mut Sketch, turn: u32) -> &'static str {
    let mut credit = sketch.full_credit();
    credit.credit_id = format!("c{}-0", sketch.name);
    let at = sketch
        .credits
        .first()
        .map_or(sketch.paid_at, |step| step.at);
    sketch.credits.clear();
    sketch.credit(at, 60, credit);
    if turn % 3 == 2 {
        sketch.paid_at = at + ORPHAN_AFTER_MS + 20_000;
        return "payment_after_grace";
    }
    sketch.paid = false;
    "no_payment"
}

fn refund(sketch: &mut Sketch, turn: u32) -> &'static str {
    let gross = sketch.payment.amount_minor;
    let first = sketch.tier_ms(0);
    match turn % 4 {
        0 => {
            sketch.credits.clear();
            sketch.refund(first / 3 * 2, gross, "created");
            sketch.refund(first + 20_000, gross, "succeeded");
            "refunded_while_overdue"
        }
        1 => {
            sketch.credits.clear();
            sketch.refund(first / 3, gross, "succeeded");
            "refunded_in_time"
        }
        2 => {
            let part = gross / 4;
            sketch.refund(1200, part, "succeeded");
            sketch.credits.clear();
            let net = Credit {
                amount_minor: Some(gross - part),
                ..sketch.full_credit()
            };
            sketch.credit(sketch.paid_at + 5000, 60, net);
            sketch.sheltered = true;
            "refunded_in_part"
        }
        _ => {
            sketch.refund(700, gross, "succeeded");
            push_credits_behind(sketch, 1500);
            "credited_after_refund"
        }
    }
}

fn reversal(sketch: &mut Sketch, turn: u32) -> &'static str {
    let first = sketch.tier_ms(0);
    match turn % 4 {
        0 => {
            sketch.credits.clear();
            sketch.then(first / 3, What::Reversed);
            "reversed_in_time"
        }
        1 => {
            sketch.credits.clear();
            sketch.then(first + 15_000, What::Reversed);
            "reversed_while_overdue"
        }
        2 => {
            sketch.then(700, What::Reversed);
            push_credits_behind(sketch, 1500);
            "credited_after_reversal"
        }
        _ => {
            push_credits_behind(sketch, 100);
            let last = sketch
                .credits
                .iter()
                .map(|step| step.at)
                .max()
                .unwrap_or(sketch.paid_at);
            sketch.then(last - sketch.paid_at + 20_000, What::Reversed);
            sketch.sheltered = true;
            "reversed_after_credit"
        }
    }
}

fn decline(sketch: &mut Sketch, turn: u32) -> &'static str {
    let first = sketch.tier_ms(0);
    let declined = What::Declined {
        channel: sketch.payment.channel.name,
        code: "05",
        class: "not_permitted",
    };
    match turn % 4 {
        0 => {
            sketch.credits.clear();
            sketch.then(first / 4, declined);
            "declined_in_time"
        }
        1 => {
            sketch.credits.clear();
            sketch.then(first + 12_000, declined);
            "declined_while_overdue"
        }
        2 => {
            sketch.then(700, declined);
            push_credits_behind(sketch, 1500);
            "credited_after_decline"
        }
        _ => {
            sketch.then(400, declined);
            if let Some(step) = sketch.others.last_mut() {
                step.occurred_at = sketch.occurred_at - 3000;
            }
            "earlier_attempt_declined"
        }
    }
}

fn hold(sketch: &mut Sketch, turn: u32) -> &'static str {
    let (paid_at, lag) = (sketch.paid_at, 2500);
    let hold = |release_after: i64| What::Held {
        reason: "risk",
        release_by: Some(paid_at + release_after),
    };
    let credit = sketch.full_credit();
    sketch.credits.clear();
    match turn % 5 {
        0 => {
            sketch.then(900, hold(60_000));
            sketch.then(40_000, What::Released);
            sketch.credit(paid_at + 40_000 + lag, 60, credit);
            "released_in_time"
        }
        1 => {
            sketch.then(900, hold(25_000));
            sketch.then(50_000, What::Released);
            sketch.credit(paid_at + 50_000 + lag, 60, credit);
            "released_late"
        }
        2 => {
            sketch.then(900, hold(20_000));
            "never_released"
        }
        3 => {
            sketch.then(900, hold(30_000));
            sketch.then(15_000, What::Released);
            "lost_after_release"
        }
        _ => {
            sketch.then(900, hold(60_000));
            sketch.then(35_000, What::Reversed);
            "reversed_while_held"
        }
    }
}

/// It says before its deadline why no credit is due, or not yet.
fn explain(sketch: &mut Sketch, variant: u32, rng: &mut Rng) -> &'static str {
    let first = sketch.tier_ms(0);
    let credit = sketch.full_credit();
    sketch.credits.clear();
    match variant {
        0 => {
            let release_by = Some(sketch.paid_at + 90_000);
            let reason = "risk";
            sketch.then(rng.between(200, 900), What::Held { reason, release_by });
            let released = rng.between(30_000, 80_000);
            sketch.then(released, What::Released);
            sketch.credit(sketch.paid_at + released + 2500, 60, credit);
            "released_in_time"
        }
        1 => {
            let declined = What::Declined {
                channel: sketch.payment.channel.name,
                code: "05",
                class: "not_permitted",
            };
            sketch.then(rng.between(1000, (first / 2).min(8000)), declined);
            "declined_in_time"
        }
        _ => {
            let after = rng.between(3000, (first / 2).min(20_000));
            sketch.refund(after, sketch.payment.amount_minor, "succeeded");
            "refunded_in_time"
        }
    }
}

/// Risk control promises to release it within a minute, and does not.
fn hold_for_ever(sketch: &mut Sketch, rng: &mut Rng) -> &'static str {
    let release_by = Some(sketch.paid_at + rng.between(15_000, 60_000));
    sketch.credits.clear();
    let reason = "risk";
    sketch.then(rng.between(400, 1500), What::Held { reason, release_by });
    "never_released"
}

/// Moves credits that would come earlier to at least `after_ms` after the payment.
fn push_credits_behind(sketch: &mut Sketch, after_ms: i64) {
    let earliest = sketch.paid_at + after_ms;
    for step in &mut sketch.credits {
        let shift = (earliest - step.at).max(0);
        step.at += shift;
        step.occurred_at += shift;
        step.posted_at += shift;
    }
}

/// Whether `amount` is one that a whole credit of `payment` may have.
pub(crate) fn is_fit(payment: &Payment, amount: u64) -> bool {
    amount == payment.amount_minor
        || amount == payment.amount_minor - payment.fee_minor.unwrap_or(0)
}

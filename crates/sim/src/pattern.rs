//! What one source gets wrong in the same way every time.

use crate::cases::Setting;
use crate::event::Credit;
use crate::mischief::elsewhere;
use crate::rng::Rng;
use crate::scenario::Scenario;
use crate::sketch::Sketch;

/// Lets the source of the fault write its credit of `sketch`.
pub(crate) fn apply(sketch: &mut Sketch, setting: &Setting<'_>, rng: &mut Rng) -> &'static str {
    if setting.fault.scenario == Scenario::UserAmountError {
        let gross = sketch.payment.amount_minor;
        let order = gross + (1 + rng.below(20)) * 100;
        sketch.payment.order_amount_minor = Some(order);
        return "order_amount";
    }
    let Some(at) = sketch.credits.first().map(|step| step.at) else {
        return "none";
    };
    let mut credit = Credit {
        credit_id: format!("c{}-0", sketch.name),
        ..sketch.full_credit()
    };
    let detail = differ(sketch, &mut credit, setting, rng);
    sketch.credits.clear();
    sketch.credit(at, 60, credit);
    detail
}

fn differ(
    sketch: &Sketch,
    credit: &mut Credit,
    setting: &Setting<'_>,
    rng: &mut Rng,
) -> &'static str {
    let payment = &sketch.payment;
    let gross = payment.amount_minor;
    match (setting.fault.scenario, setting.fault.variant) {
        (Scenario::AmountMismatch, 0) => {
            credit.amount_minor = Some(gross - 1);
            "amount_short_by_one"
        }
        (Scenario::AmountMismatch, 1) => {
            credit.amount_minor = Some(gross * 100);
            "amount_times_hundred"
        }
        (Scenario::AmountMismatch, _) => {
            credit.amount_minor = Some((gross / 100).max(1));
            "amount_by_hundred"
        }
        (Scenario::CurrencyMismatch, _) => {
            let other = if payment.currency == "USD" {
                "HKD"
            } else {
                "USD"
            };
            credit.currency = Some(other);
            "currency"
        }
        (Scenario::TerminalMismatch, 0) => {
            credit.terminal_id = Some(elsewhere(setting, payment.terminal, rng, "T9000001").0);
            "terminal"
        }
        (Scenario::TerminalMismatch, _) => {
            credit.merchant_id = Some(elsewhere(setting, payment.terminal, rng, "M900001").1);
            "merchant"
        }
        (_, variant) => {
            let rate_ppm = u64::from(setting.fault.times_permille);
            let fee = ((gross * rate_ppm + 500_000) / 1_000_000).max(1);
            credit.amount_minor = Some(gross - fee);
            credit.fee_minor = (variant > 0).then_some(fee);
            credit.mcc = (variant > 1).then_some("5999");
            ["fee_silent", "fee", "fee_and_mcc"][variant.min(2) as usize]
        }
    }
}

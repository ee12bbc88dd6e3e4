//! Whether a credit fits its payment, and what is the matter where it does not.

use super::fact::Fact;
use super::payment::Payment;

/// The currencies differ.
pub(super) fn currency_differs(payment: &Payment, credit: &Fact) -> bool {
    credit
        .text("currency")
        .is_some_and(|currency| currency != payment.currency())
}

/// The terminal or the merchant differs.
pub(super) fn place_differs(payment: &Payment, credit: &Fact) -> bool {
    let differs = |field| {
        credit
            .text(field)
            .is_some_and(|said| Some(said) != payment.said.text(field))
    };
    differs("terminal_id") || differs("merchant_id")
}

/// The verdict on the amount of a whole credit; `None` where it fits.
pub(super) fn amount_verdict(payment: &Payment, credit: &Fact) -> Option<&'static str> {
    let amount = credit
        .money("amount_minor")
        .filter(|_| !currency_differs(payment, credit))?;
    if payment.fitting().contains(&amount) {
        return None;
    }
    let explained =
        explained_by_fee(payment, credit, amount) || explained_by_mcc(payment, credit, amount);
    Some(if explained {
        "FEE_MISMATCH"
    } else {
        "AMOUNT_MISMATCH"
    })
}

/// Another fee was withheld than the payment names.
fn explained_by_fee(payment: &Payment, credit: &Fact, amount: i128) -> bool {
    let fee = credit.money("fee_minor");
    fee != payment.said.money("fee_minor")
        && fee.is_some_and(|fee| amount == payment.amount() - payment.refunded() - fee)
}

/// Another category was priced: 0.1 % to 5 % are missing.
fn explained_by_mcc(payment: &Payment, credit: &Fact, amount: i128) -> bool {
    let (Some(paid), Some(priced)) = (payment.said.text("mcc"), credit.text("mcc")) else {
        return false;
    };
    let short = payment.amount() - payment.refunded() - amount;
    let whole = payment.amount();
    paid != priced && short * 1000 >= whole && short * 100 <= whole * 5
}

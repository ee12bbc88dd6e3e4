//! The cases that raise alerts, by kind.

use super::ledger::Case;
use super::payment::Payment;

fn breach(
    kind: &'static str,
    verdict: Option<&str>,
    money: (Option<i128>, Option<String>),
) -> Case {
    Case {
        kind,
        tier: "breach".to_owned(),
        verdict: verdict.map(str::to_owned),
        related: None,
        money,
        deadline: None,
        lag: None,
    }
}

fn money_of(payment: &Payment) -> (Option<i128>, Option<String>) {
    (Some(payment.amount()), Some(payment.currency().to_owned()))
}

/// A tier passed without a credit.
pub(super) fn missing(payment: &Payment, tier: &str, deadline: i64) -> Case {
    Case {
        tier: tier.to_owned(),
        related: payment.near.clone(),
        deadline: Some(deadline),
        ..breach("credit_missing", payment.verdict(), money_of(payment))
    }
}

/// A hold lasts too long.
pub(super) fn hold_overdue(payment: &Payment, deadline: i64) -> Case {
    let case = breach("hold_overdue", Some("RISK_HOLD_OVERDUE"), money_of(payment));
    Case {
        deadline: Some(deadline),
        ..case
    }
}

/// A credit, or the order, says another amount.
pub(super) fn amount(payment: &Payment, verdict: &str, lag: Option<i64>) -> Case {
    Case {
        lag,
        ..breach("amount_mismatch", Some(verdict), money_of(payment))
    }
}

/// A credit is in another currency.
pub(super) fn currency(payment: &Payment, lag: i64) -> Case {
    let case = breach(
        "currency_mismatch",
        Some("CURRENCY_MISMATCH"),
        money_of(payment),
    );
    Case {
        lag: Some(lag),
        ..case
    }
}

/// A credit went to another terminal or merchant.
pub(super) fn terminal(payment: &Payment, lag: i64) -> Case {
    let case = breach(
        "terminal_mismatch",
        Some("TERMINAL_MISMATCH"),
        money_of(payment),
    );
    Case {
        lag: Some(lag),
        ..case
    }
}

/// A credit after the payment was given back.
pub(super) fn after_reversal(payment: &Payment, lag: i64) -> Case {
    Case {
        lag: Some(lag),
        ..breach("credit_after_reversal", None, money_of(payment))
    }
}

/// A credit more than one.
pub(super) fn duplicate_credit(money: (Option<i128>, Option<String>), lag: i64) -> Case {
    Case {
        lag: Some(lag),
        ..breach("duplicate_credit", Some("DUPLICATE_CREDIT"), money)
    }
}

/// A payment made twice.
pub(super) fn duplicate_payment(later: &Payment, earlier: &str) -> Case {
    let case = breach(
        "duplicate_payment",
        Some("DUPLICATE_PAYMENT"),
        money_of(later),
    );
    Case {
        related: Some(earlier.to_owned()),
        ..case
    }
}

/// A credit without a payment; `near` is the payment it may belong to.
pub(super) fn orphan(money: (Option<i128>, Option<String>), near: Option<&str>) -> Case {
    let verdict = if near.is_some() {
        "ID_CORRUPTED"
    } else {
        "ORPHAN_CREDIT"
    };
    Case {
        related: near.map(str::to_owned),
        ..breach("orphan_credit", Some(verdict), money)
    }
}

//! Records in words: what of them matters for whether a credit is due. Who paid is never among it.

use settlewatch_join::Body;
use settlewatch_join::event::{Credited, Currency, Refund, Refusal, Succeeded};
use settlewatch_wire::format_time;

use crate::text::money;

/// A payment on one line.
pub(super) fn payment(payment: &Succeeded<'_>) -> String {
    let amount = money(i128::from(payment.amount_minor), payment.currency.as_str());
    format!(
        "{amount} over {}, merchant {}, terminal {}, {}",
        payment.channel, payment.merchant_id, payment.terminal_id, payment.settle_mode
    )
}

/// What a record says besides its type and payment.
pub(super) fn event(body: &Body<'_>) -> String {
    let parts = match body {
        Body::Succeeded(payment) => succeeded(payment),
        Body::Credited(credit) => credited(credit),
        Body::Refunded(refund) | Body::Reversed(refund) => refunded(refund),
        Body::Declined(refusal) | Body::Rejected(refusal) => refused(refusal),
        Body::Held {
            reason,
            expected_release_at,
            ..
        } => vec![
            reason.as_ref().map(|reason| reason.to_string()),
            expected_release_at.map(|at| format!("release expected {}", format_time(at))),
        ],
        Body::Stage { stage, .. } => vec![Some(stage.to_string())],
        Body::Authorized { .. }
        | Body::Released { .. }
        | Body::Heartbeat(_)
        | Body::AccountStatus { .. }
        | Body::BatchSettled(_)
        | Body::Marker(_) => Vec::new(),
    };
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join(", ")
}

type Parts = Vec<Option<String>>;

fn amount(amount_minor: Option<u64>, currency: Option<Currency>) -> Option<String> {
    let amount = i128::from(amount_minor?);
    Some(match currency {
        Some(currency) => money(amount, currency.as_str()),
        None => format!("{amount} minor units"),
    })
}

fn succeeded(payment: &Succeeded<'_>) -> Parts {
    let currency = Some(payment.currency);
    let fee = amount(payment.fee_minor, currency).map(|fee| format!("fee {fee}"));
    let order = amount(payment.order_amount_minor, currency).map(|order| format!("order {order}"));
    let due = payment.expected_credit_by;
    vec![
        amount(Some(payment.amount_minor), currency),
        fee,
        order,
        due.map(|at| format!("credit expected by {}", format_time(at))),
    ]
}

fn credited(credit: &Credited<'_>) -> Parts {
    let named = |name: &str, value: &Option<std::borrow::Cow<'_, str>>| {
        value.as_ref().map(|value| format!("{name} {value}"))
    };
    let fee = amount(credit.fee_minor, credit.currency).map(|fee| format!("fee {fee}"));
    vec![
        amount(credit.amount_minor, credit.currency),
        credit.partial.then(|| "partial".to_owned()),
        fee,
        named("credit", &credit.credit_id),
        named("merchant", &credit.merchant_id),
        named("terminal", &credit.terminal_id),
        named("batch", &credit.batch_id),
    ]
}

fn refunded(refund: &Refund<'_>) -> Parts {
    let id = refund.refund_id.as_ref();
    vec![
        Some(refund.status.to_string()),
        amount(refund.amount_minor, None),
        id.map(|id| format!("refund {id}")),
    ]
}

fn refused(refusal: &Refusal<'_>) -> Parts {
    let code = refusal.code.as_ref();
    vec![
        Some(refusal.class.to_string()),
        code.map(|code| format!("code {code}")),
        amount(refusal.amount_minor, refusal.currency),
    ]
}

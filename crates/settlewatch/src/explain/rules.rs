//! Why a rule does not match a payment.

use std::fmt::Display;

use settlewatch_join::event::Succeeded;
use settlewatch_join::settings::Matcher;

/// The first condition of `matcher` that `payment` does not meet, in words; `None` when it meets all.
pub(crate) fn unmet(matcher: &Matcher, payment: &Succeeded<'_>) -> Option<String> {
    let attrs = || {
        matcher.attrs.iter().find_map(|(name, values)| {
            let own = payment.attrs.iter().find(|(own, _)| own == name);
            let value = own.map(|(_, value)| value.as_ref());
            one_of(&format!("attrs.{name}"), values, value)
        })
    };
    one_of("channel", &matcher.channel, Some(&payment.channel))
        .or_else(|| {
            let mode = payment.settle_mode;
            let is_met = matcher.settle_mode.is_empty() || matcher.settle_mode.contains(&mode);
            (!is_met).then(|| differs("settle_mode", Some(mode), &matcher.settle_mode))
        })
        .or_else(|| {
            one_of(
                "merchant_id",
                &matcher.merchant_id,
                Some(&payment.merchant_id),
            )
        })
        .or_else(|| {
            let is_met =
                matcher.currency.is_empty() || matcher.currency.contains(&payment.currency);
            (!is_met).then(|| differs("currency", Some(payment.currency), &matcher.currency))
        })
        .or_else(|| amount(matcher, payment.amount_minor))
        .or_else(|| one_of("method", &matcher.method, payment.method.as_deref()))
        .or_else(|| one_of("region", &matcher.region, payment.region.as_deref()))
        .or_else(|| one_of("gateway", &matcher.gateway, payment.gateway.as_deref()))
        .or_else(|| {
            one_of(
                "connector",
                &matcher.connector,
                payment.connector.as_deref(),
            )
        })
        .or_else(attrs)
}

fn amount(matcher: &Matcher, amount_minor: u64) -> Option<String> {
    match (matcher.amount_min, matcher.amount_max) {
        (Some(min), _) if amount_minor < min => {
            Some(format!("amount_minor is {amount_minor}, less than {min}"))
        }
        (_, Some(max)) if amount_minor > max => {
            Some(format!("amount_minor is {amount_minor}, more than {max}"))
        }
        _ => None,
    }
}

fn one_of(name: &str, any: &[String], value: Option<&str>) -> Option<String> {
    let is_met = any.is_empty() || value.is_some_and(|value| any.iter().any(|one| one == value));
    (!is_met).then(|| differs(name, value, any))
}

fn differs(name: &str, value: Option<impl Display>, any: &[impl Display]) -> String {
    let any: Vec<String> = any.iter().map(|one| format!("`{one}`")).collect();
    let any = any.join(" or ");
    match value {
        Some(value) => format!("{name} is `{value}`, not {any}"),
        None => format!("there is no {name}, it must be {any}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use settlewatch_join::Body;
    use settlewatch_wire::{Limits, decode};

    use super::*;

    fn unmet_by(matcher: Matcher, extra: &str) -> Option<String> {
        let payment = format!(
            r#"{{"type":"payment.succeeded","event_id":"e","occurred_at":"2026-03-02T04:00:00Z","payment_id":"P",
            "channel":"qr","merchant_id":"M","terminal_id":"T","amount_minor":500,"currency":"CNY"{extra}}}"#
        );
        let event = decode(Some(payment.as_bytes()), &Limits { record_bytes: 4096 }).unwrap();
        let Body::Succeeded(payment) = event.body else {
            panic!("a payment")
        };
        unmet(&matcher, &payment)
    }

    #[test]
    fn the_first_condition_that_does_not_hold_is_named() {
        let channel = |any: &[&str]| Matcher {
            channel: any.iter().map(|one| (*one).to_owned()).collect(),
            ..Matcher::default()
        };
        assert_eq!(unmet_by(channel(&["card", "qr"]), ""), None);
        assert_eq!(
            unmet_by(channel(&["card", "cash"]), "").unwrap(),
            "channel is `qr`, not `card` or `cash`"
        );
        let large = Matcher {
            amount_min: Some(501),
            ..Matcher::default()
        };
        assert_eq!(
            unmet_by(large, "").unwrap(),
            "amount_minor is 500, less than 501"
        );
        let lane = || Matcher {
            attrs: vec![("lane".into(), vec!["slow".into()])],
            ..Matcher::default()
        };
        assert_eq!(unmet_by(lane(), r#","attrs":{"lane":"slow"}"#), None);
        assert_eq!(
            unmet_by(lane(), "").unwrap(),
            "there is no attrs.lane, it must be `slow`"
        );
    }
}

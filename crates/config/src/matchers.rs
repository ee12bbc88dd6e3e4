//! `match`: conditions of a rule, and which rule leaves nothing for another.

use settlewatch_join::event::SettleMode;
use settlewatch_join::settings::Matcher;

use crate::item::{Item, Kind};
use crate::report::Report;

/// The conditions; `None` when one of them is wrong.
pub(crate) fn compile(conditions: &Item, name: &str, report: &mut Report) -> Option<Matcher> {
    if conditions.is_absent() {
        return Some(Matcher::default());
    }
    if !conditions.is_section() || has_bad(conditions) {
        return None;
    }
    let texts = |key: &str| conditions.at(key).texts();
    let amount = conditions.at("amount_minor");
    let matcher = Matcher {
        channel: texts("channel"),
        settle_mode: texts("settle_mode")
            .iter()
            .filter_map(|word| SettleMode::parse(word))
            .collect(),
        merchant_id: texts("merchant_id"),
        currency: conditions
            .at("currency")
            .list()
            .iter()
            .filter_map(Item::currency)
            .collect(),
        amount_min: amount.at("min").count(),
        amount_max: amount.at("max").count(),
        method: texts("method"),
        region: texts("region"),
        gateway: texts("gateway"),
        connector: texts("connector"),
        attrs: conditions
            .open_keys()
            .iter()
            .map(|named| (attr_name(&named.name), named.item.texts()))
            .collect(),
    };
    check_amount(&matcher, amount, name, report);
    Some(matcher)
}

fn attr_name(key: &str) -> String {
    key.strip_prefix("attrs.").unwrap_or(key).to_owned()
}

fn has_bad(item: &Item) -> bool {
    match &item.kind {
        Kind::Bad => true,
        Kind::List(items) => items.iter().any(has_bad),
        Kind::Fields(fields) => {
            fields.fixed.iter().any(|(_, item)| has_bad(item))
                || fields.open.iter().any(|named| has_bad(&named.item))
        }
        _ => false,
    }
}

fn check_amount(matcher: &Matcher, amount: &Item, name: &str, report: &mut Report) {
    if let (Some(min), Some(max)) = (matcher.amount_min, matcher.amount_max)
        && min > max
    {
        let message =
            format!("the rule `{name}` matches no amount: `min` {min} is above `max` {max}");
        report.error(
            amount.at("min").mark,
            message,
            "swap the two, or remove one",
        );
    }
    let ranged = matcher.amount_min.is_some() || matcher.amount_max.is_some();
    if ranged && matcher.currency.is_empty() {
        let message =
            format!("the rule `{name}` compares amounts of every currency with one number");
        report.warning(
            amount.mark,
            message,
            "add `currency`: minor units of different currencies are worth different money",
        );
    }
}

/// Whether it matches every payment.
pub(crate) fn matches_everything(matcher: &Matcher) -> bool {
    *matcher == Matcher::default()
}

/// Whether every payment that `narrow` matches is matched by `wide` too.
pub(crate) fn covers(wide: &Matcher, narrow: &Matcher) -> bool {
    within(&wide.channel, &narrow.channel)
        && within(&wide.settle_mode, &narrow.settle_mode)
        && within(&wide.merchant_id, &narrow.merchant_id)
        && within(&wide.currency, &narrow.currency)
        && wide
            .amount_min
            .is_none_or(|min| narrow.amount_min.is_some_and(|other| other >= min))
        && wide
            .amount_max
            .is_none_or(|max| narrow.amount_max.is_some_and(|other| other <= max))
        && within(&wide.method, &narrow.method)
        && within(&wide.region, &narrow.region)
        && within(&wide.gateway, &narrow.gateway)
        && within(&wide.connector, &narrow.connector)
        && wide.attrs.iter().all(|(name, values)| {
            narrow
                .attrs
                .iter()
                .any(|(other, narrower)| other == name && within(values, narrower))
        })
}

/// Whether the condition `wide` holds wherever `narrow` does; an empty list is no condition.
fn within<T: PartialEq>(wide: &[T], narrow: &[T]) -> bool {
    wide.is_empty() || (!narrow.is_empty() && narrow.iter().all(|value| wide.contains(value)))
}

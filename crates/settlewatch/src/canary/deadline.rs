//! When the first deadline of a canary's payment passes, by the rules of the service.

use std::path::Path;
use std::time::Duration;

use settlewatch_config::{Config, Env, Purpose, load};
use settlewatch_join::Body;
use settlewatch_wire::{Limits, decode};

use crate::clock::duration;
use crate::explain::unmet;

/// From a payment to its first deadline, by the first rule that matches it.
pub(super) fn first_tier(config: &Config, payment: &str) -> Result<Duration, String> {
    let limits = Limits {
        record_bytes: config.limits.record_bytes,
    };
    let event = decode(Some(payment.as_bytes()), &limits);
    let event = event.map_err(|why| format!("its payments are no valid events: {}", why.detail))?;
    let Body::Succeeded(payment) = event.body else {
        unreachable!("it was written as a payment")
    };
    let mut rules = config.settings.rules.iter();
    let rule = rules.find(|rule| unmet(&rule.matcher, &payment).is_none());
    let rule = rule.ok_or("no rule matches its payments")?;
    let name = &rule.name;
    if rule.due.is_some() {
        return Err(format!(
            "the rule `{name}` matches its payments and waits for a bank's batch: put a rule before it that matches the \
             canary's channel and has tiers alone"
        ));
    }
    let tier = rule.tiers.first();
    let tier = tier.ok_or_else(|| format!("the rule `{name}` has no tier"))?;
    Ok(duration(tier.after))
}

/// The same by the file as it is now: rules change while services run.
pub(super) fn first_tier_of_file(path: &Path, payment: &str) -> Result<Duration, String> {
    let loaded = load(path, Purpose::Run, &Env::of_process());
    let loaded = loaded.map_err(|told| told.to_string())?;
    first_tier(&loaded.config, payment)
}

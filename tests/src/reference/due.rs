//! The deadlines of a payment by its rule.

use super::fact::Fact;
use super::input::{Config, Due, Rule};

/// A tier and when it passes.
#[derive(Clone, Debug)]
pub(super) struct Passing {
    pub(super) tier: String,
    pub(super) deadline: i64,
}

/// The deadlines of a payment, counted from one start.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    /// The due time of a batch.
    pub(super) due: Option<i64>,
    pub(super) tiers: Vec<Passing>,
    /// From the last tier, or from the end of a hold, to the write-off.
    pub(super) give_up: i64,
}

impl Clock {
    /// The clock of a payment that starts at `start`.
    pub(super) fn start(config: &Config, payment: &Fact, start: i64) -> Self {
        let rule = rule_of(config, payment);
        let due = rule.due.as_ref().map(|due| due_time(due, payment, start));
        let base = due.unwrap_or(start);
        let passing = |tier: &super::Tier| Passing {
            tier: tier.name.clone(),
            deadline: base + tier.after_ms,
        };
        Self {
            due,
            tiers: rule.tiers.iter().map(passing).collect(),
            give_up: rule.give_up_ms.unwrap_or(config.give_up_ms),
        }
    }

    pub(super) fn last_deadline(&self) -> i64 {
        self.tiers.last().expect("a rule has a tier").deadline
    }
}

/// The first rule that matches.
fn rule_of<'a>(config: &'a Config, payment: &Fact) -> &'a Rule {
    let mut rules = config.rules.iter();
    rules
        .find(|rule| matches(rule, payment))
        .expect("the last rule matches everything")
}

fn matches(rule: &Rule, payment: &Fact) -> bool {
    let amount = payment
        .money("amount_minor")
        .expect("a payment has an amount");
    let default = |field: &str| {
        if field == "settle_mode" {
            Some("realtime")
        } else {
            None
        }
    };
    let holds = |(field, values): &(String, Vec<String>)| {
        let value = payment.text(field).or(default(field));
        value.is_some_and(|value| values.iter().any(|any| any == value))
    };
    rule.fields.iter().all(holds)
        && rule.amount_min.is_none_or(|min| amount >= i128::from(min))
        && rule.amount_max.is_none_or(|max| amount <= i128::from(max))
}

/// What the payment expects, else what the calendar says, but not before the start.
fn due_time(due: &Due, payment: &Fact, start: i64) -> i64 {
    let by_calendar = || {
        let from_date = due
            .calendar
            .days
            .iter()
            .skip_while(|day| day.cut_off_ms < start);
        let mut business = from_date.filter(|day| day.business);
        business
            .nth(due.business_days)
            .expect("the calendar reaches as far as the test")
            .credit_by_ms
    };
    payment
        .time("expected_credit_by")
        .unwrap_or_else(by_calendar)
        .max(start)
}

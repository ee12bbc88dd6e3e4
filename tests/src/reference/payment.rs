//! One payment: what was said about it and what follows from all of that.

use std::collections::BTreeSet;

use super::due::Clock;
use super::fact::Fact;

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Waiting,
    Credited,
    Explained(&'static str),
    WrittenOff,
}

/// A hold that stopped the clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hold {
    pub(super) due: i64,
    pub(super) overdue: bool,
}

/// An accepted payment.
#[derive(Clone, Debug)]
pub(super) struct Payment {
    pub(super) said: Fact,
    pub(super) clock: Clock,
    /// How many tiers have passed on this clock.
    pub(super) passed: usize,
    pub(super) hold: Option<Hold>,
    /// Held after the first deadline and not released.
    pub(super) held_late: bool,
    /// Every other event of it, once each, in the order of judgement.
    pub(super) history: Vec<Fact>,
    pub(super) status: Status,
    /// The first full refund, reversal or decline, whether or not it closed the payment.
    pub(super) ended: Option<&'static str>,
    /// How much of the history lies before the latest end: refunds after it count anew.
    pub(super) settled: usize,
    /// The orphan whose id nearly matches.
    pub(super) near: Option<String>,
}

impl Payment {
    pub(super) fn new(said: Fact, clock: Clock) -> Self {
        Self {
            said,
            clock,
            passed: 0,
            hold: None,
            held_late: false,
            history: Vec::new(),
            status: Status::Waiting,
            ended: None,
            settled: 0,
            near: None,
        }
    }

    pub(super) fn waits(&self) -> bool {
        self.status == Status::Waiting
    }

    pub(super) fn amount(&self) -> i128 {
        self.said
            .money("amount_minor")
            .expect("a payment has an amount")
    }

    pub(super) fn currency(&self) -> &str {
        self.said
            .text("currency")
            .expect("a payment has a currency")
    }

    /// What a credit may amount to: the whole, or the whole less the fee, each less what was refunded.
    pub(super) fn fitting(&self) -> Vec<i128> {
        let open = self.amount() - self.refunded();
        let net = self.said.money("fee_minor").map(|fee| open - fee);
        [Some(open), net].into_iter().flatten().collect()
    }

    /// The sum of the refunds that succeeded since the latest end, each refund id once.
    pub(super) fn refunded(&self) -> i128 {
        let mut known = BTreeSet::new();
        let mut sum = 0;
        let history = self.history.iter().enumerate();
        for (i, refund) in history.filter(|(_, fact)| refunds(fact, &["succeeded"])) {
            let first = refund.text("refund_id").is_none_or(|id| known.insert(id));
            if first && i >= self.settled {
                sum += refund.money("amount_minor").unwrap_or(self.amount());
            }
        }
        sum
    }

    /// Whether a refund was asked for of which nothing more is known.
    fn refund_in_flight(&self) -> bool {
        let ids = |statuses: &[&str]| -> BTreeSet<Option<&str>> {
            let matching = self.history.iter().filter(|fact| refunds(fact, statuses));
            matching.map(|fact| fact.text("refund_id")).collect()
        };
        let done = ids(&["succeeded", "failed"]);
        ids(&["created"]).iter().any(|id| !done.contains(id))
    }

    /// The sum of the parts credited so far; `None` before the first that counts.
    pub(super) fn parts(&self) -> Option<i128> {
        let parts = self
            .history
            .iter()
            .filter(|fact| fact.kind() == "terminal.credited" && fact.partial());
        let counting =
            parts.filter(|fact| fact.text("currency").is_none_or(|c| c == self.currency()));
        counting
            .filter_map(|fact| fact.money("amount_minor"))
            .reduce(|a, b| a + b)
    }

    /// The business time of the latest credit.
    pub(super) fn last_credit_lag(&self) -> Option<i64> {
        let mut credits = self
            .history
            .iter()
            .rev()
            .filter(|fact| fact.kind() == "terminal.credited");
        credits
            .next()
            .map(|credit| credit.occurred_at() - self.said.occurred_at())
    }

    /// The verdict of its missing credit.
    pub(super) fn verdict(&self) -> Option<&'static str> {
        if self.refund_in_flight() {
            return Some("REFUND_IN_FLIGHT");
        }
        if self.held_late {
            return Some("RISK_HOLD");
        }
        if self.near.is_some() {
            return Some("ID_CORRUPTED");
        }
        let rejection = self
            .history
            .iter()
            .rev()
            .find(|fact| fact.kind() == "credit.rejected")?;
        match rejection.text("class")? {
            "limit" | "frequency" => Some("LIMIT_EXCEEDED"),
            "insufficient" => Some("BALANCE_INSUFFICIENT"),
            "frozen" => Some("ACCOUNT_FROZEN"),
            "duplicate" => Some("DUPLICATE_PAYMENT"),
            "auth_incomplete" => Some("AUTH_INCOMPLETE"),
            "format" => Some("INTERFACE_FAULT"),
            _ => None,
        }
    }

    /// When time alone next changes something about it.
    pub(super) fn next_due(&self) -> Option<i64> {
        if !self.waits() {
            return None;
        }
        Some(match self.hold {
            Some(hold) if hold.overdue => hold.due + self.clock.give_up,
            Some(hold) => hold.due,
            None => match self.clock.tiers.get(self.passed) {
                Some(tier) => tier.deadline,
                None => self.clock.last_deadline() + self.clock.give_up,
            },
        })
    }
}

fn refunds(fact: &Fact, statuses: &[&str]) -> bool {
    fact.kind() == "payment.refunded" && statuses.contains(&fact.status())
}

//! What an event does to its payment.

use super::case;
use super::credit;
use super::due::Clock;
use super::fact::{Fact, Id};
use super::payment::{Hold, Payment, Status};
use super::world::{Count, World};

/// The kinds that a later full refund or reversal resolves.
const RESOLVED_BY_GIVING_BACK: [&str; 5] = [
    "amount_mismatch",
    "currency_mismatch",
    "terminal_mismatch",
    "duplicate_credit",
    "credit_after_reversal",
];

impl World<'_> {
    /// Judges an event of a known payment as if it was appended `now`.
    pub(super) fn apply(&mut self, id: &Id, fact: &Fact, now: i64) -> Count {
        let payment = self.payment(id);
        let waits = payment.waits();
        let refunded = payment.refunded();
        payment.history.push(fact.clone());
        let changed = match (fact.kind(), fact.status()) {
            ("terminal.credited", _) => return self.credit(id, fact, now),
            ("payment.refunded", "succeeded") => self.refund(id, refunded, now),
            ("payment.reversed", "created" | "succeeded") => self.end(id, "reversed", now),
            ("payment.declined", _) if !self.earlier_attempt(id, fact) => {
                self.end(id, "declined", now)
            }
            ("payment.held", _) => waits && self.held(id, fact, now),
            ("payment.released", _) => waits && self.released(id, now),
            ("payment.stage", _) => true,
            _ => false,
        };
        self.reword(id, now);
        if waits || changed {
            Count::Used
        } else {
            Count::Late
        }
    }

    fn earlier_attempt(&mut self, id: &Id, decline: &Fact) -> bool {
        decline.occurred_at() < self.payment(id).said.occurred_at()
    }

    fn credit(&mut self, id: &Id, fact: &Fact, now: i64) -> Count {
        let payment = self.payment(id).clone();
        let lag = fact.occurred_at() - payment.said.occurred_at();
        match payment.status {
            Status::Waiting => self.awaited_credit(id, &payment, fact, now, lag),
            _ if payment.ended.is_some() => {
                self.ledger
                    .raise(id, now, case::after_reversal(&payment, lag))
            }
            Status::WrittenOff => return Count::Late,
            _ => self.extra_credit(id, &payment, fact, now, lag),
        }
        Count::Used
    }

    fn awaited_credit(&mut self, id: &Id, payment: &Payment, fact: &Fact, now: i64, lag: i64) {
        if credit::currency_differs(payment, fact) {
            self.ledger.raise(id, now, case::currency(payment, lag));
        }
        if credit::place_differs(payment, fact) {
            self.ledger.raise(id, now, case::terminal(payment, lag));
        }
        if fact.partial() {
            self.add_up(id, now);
            return;
        }
        if let Some(verdict) = credit::amount_verdict(payment, fact) {
            self.ledger
                .raise(id, now, case::amount(payment, verdict, Some(lag)));
        }
        self.close(id, Status::Credited, "credited_late", now, Some(lag));
    }

    /// Closes the payment if its parts are enough.
    fn add_up(&mut self, id: &Id, now: i64) {
        let payment = self.payment(id).clone();
        let Some(parts) = payment.parts() else {
            return;
        };
        let lag = payment.last_credit_lag();
        let exceeds = parts > payment.amount() - payment.refunded();
        if exceeds {
            self.ledger
                .raise(id, now, case::amount(&payment, "AMOUNT_MISMATCH", lag));
        }
        if exceeds || payment.fitting().contains(&parts) {
            self.close(id, Status::Credited, "credited_late", now, lag);
        }
    }

    fn extra_credit(&mut self, id: &Id, payment: &Payment, fact: &Fact, now: i64, lag: i64) {
        let subject = self.subjects.get_mut(id).expect("the id was heard of");
        let currency = fact
            .text("currency")
            .unwrap_or(payment.currency())
            .to_owned();
        let (first, sum) = subject.extra.get_or_insert((currency.clone(), None));
        if let Some(amount) = fact.money("amount_minor").filter(|_| *first == currency) {
            *sum = Some(sum.unwrap_or(0) + amount);
        }
        let money = (*sum, Some(first.clone()));
        self.ledger
            .raise(id, now, case::duplicate_credit(money, lag));
    }

    /// A refund that succeeded; `before` is what was refunded before it.
    fn refund(&mut self, id: &Id, before: i128, now: i64) -> bool {
        let payment = self.payment(id);
        let (refunded, amount) = (payment.refunded(), payment.amount());
        if refunded == before {
            return false;
        }
        if refunded >= amount {
            return self.end(id, "refunded", now);
        }
        if self.payment(id).waits() {
            self.add_up(id, now);
        }
        true
    }

    /// The payer has it back, or never paid: says whether that changed anything.
    fn end(&mut self, id: &Id, how: &'static str, now: i64) -> bool {
        let payment = self.payment(id);
        let mut changed = payment.ended.is_none();
        payment.ended.get_or_insert(how);
        payment.settled = payment.history.len();
        if payment.waits() {
            self.close(id, Status::Explained(how), how, now, None);
        }
        if how != "declined" {
            for kind in RESOLVED_BY_GIVING_BACK {
                changed |= self.ledger.resolve(id, kind, how, now, None);
            }
        }
        changed |= self.ledger.resolve(id, "duplicate_payment", how, now, None);
        for later in self.later_twins(id) {
            changed |= self
                .ledger
                .resolve(&later, "duplicate_payment", how, now, None);
        }
        changed
    }

    /// The payments whose open `duplicate_payment` names this one as the earlier.
    fn later_twins(&self, id: &Id) -> Vec<Id> {
        let names = |later: &&Id| {
            let alert = self.ledger.open(later, "duplicate_payment");
            later.0 == id.0 && alert.is_some_and(|it| it.related_payment_id.as_ref() == Some(&id.1))
        };
        self.accepted.iter().filter(names).cloned().collect()
    }

    pub(super) fn close(
        &mut self,
        id: &Id,
        status: Status,
        how: &'static str,
        now: i64,
        lag: Option<i64>,
    ) {
        self.payment(id).status = status;
        for kind in ["credit_missing", "hold_overdue"] {
            self.ledger.resolve(id, kind, how, now, lag);
        }
    }

    fn held(&mut self, id: &Id, fact: &Fact, now: i64) -> bool {
        let limit = fact.at + self.config.hold_limit_ms;
        let due = fact.time("expected_release_at").unwrap_or(limit).max(now);
        let payment = self.payment(id);
        if payment.passed == 0 {
            payment.hold = Some(Hold {
                due,
                overdue: false,
            });
        } else {
            payment.held_late = true;
        }
        true
    }

    fn released(&mut self, id: &Id, now: i64) -> bool {
        let config = self.config;
        let payment = self.payment(id);
        payment.held_late = false;
        if payment.hold.take().is_some() {
            payment.clock = Clock::start(config, &payment.said, now);
            self.ledger
                .resolve(id, "hold_overdue", "completed", now, None);
        }
        true
    }

    /// Revises the verdict of a missing credit that is still open.
    fn reword(&mut self, id: &Id, now: i64) {
        let payment = self.payment(id).clone();
        let open = self.ledger.open(id, "credit_missing");
        if open.is_some_and(|alert| alert.verdict.as_deref() != payment.verdict()) {
            self.say_verdict(id, &payment, now);
        }
    }

    pub(super) fn say_verdict(&mut self, id: &Id, payment: &Payment, now: i64) {
        let verdict = payment.verdict().map(str::to_owned);
        self.ledger
            .reword(id, "credit_missing", now, verdict, payment.near.clone());
    }
}

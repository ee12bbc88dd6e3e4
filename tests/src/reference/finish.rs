//! The sums at the end of the clock.

use std::collections::BTreeMap;

use super::fact::{Fact, Id};
use super::ledger::Paid;
use super::output::{Outcome, Sums};
use super::payment::{Payment, Status};
use super::world::{Subject, World};

impl World<'_> {
    /// The answer when the clock stops at `end`.
    pub(super) fn finish(mut self, end: i64) -> Outcome {
        let (mut counts, mut amounts) = (Sums::default(), BTreeMap::<String, Sums>::new());
        let mut waits = BTreeMap::new();
        let subjects = std::mem::take(&mut self.subjects);
        for (id, subject) in &subjects {
            let wait = match &subject.payment {
                Some(payment) => {
                    self.sum(id, payment, 1, &mut counts);
                    let of_currency = amounts.entry(payment.currency().to_owned()).or_default();
                    self.sum(id, payment, payment.amount(), of_currency);
                    wait_of_payment(payment, end)
                }
                None => self.wait_without_payment(subject),
            };
            if let Some(wait) = wait {
                *waits.entry(wait).or_default() += 1;
            }
            self.move_before_horizon(subject);
        }
        self.name_places(&subjects);
        let from_ms = self.since.unwrap_or(end);
        Outcome {
            revisions: self.ledger.revisions,
            counts,
            amounts,
            records: self.records,
            waits,
            from_ms,
            to_ms: end,
        }
    }

    /// Every alert but an orphan's says when and where the payment was made.
    fn name_places(&mut self, subjects: &BTreeMap<Id, Subject>) {
        for revision in self
            .ledger
            .revisions
            .iter_mut()
            .filter(|it| it.kind != "orphan_credit")
        {
            let id = (revision.tenant.clone(), revision.payment_id.clone());
            let payment = subjects[&id]
                .payment
                .as_ref()
                .expect("only orphans have no payment");
            let said = |field| payment.said.text(field).unwrap_or_default().to_owned();
            revision.paid = Some(Paid {
                at_ms: payment.said.occurred_at(),
                channel: said("channel"),
                merchant_id: said("merchant_id"),
                terminal_id: said("terminal_id"),
            });
        }
    }

    fn sum(&self, id: &Id, payment: &Payment, weight: i128, sums: &mut Sums) {
        sums.payments += weight;
        match payment.status {
            Status::Waiting => sums.pending += weight,
            Status::Credited => sums.credited += weight,
            Status::Explained(_) => sums.explained += weight,
            Status::WrittenOff => sums.written_off += weight,
        }
        if payment.waits() && self.ledger.open(id, "credit_missing").is_some() {
            sums.overdue += weight;
        }
    }

    /// Why no payment came, where that is plain.
    fn wait_without_payment(&self, subject: &Subject) -> Option<&'static str> {
        let facts: Vec<&Fact> = subject
            .early
            .iter()
            .filter(|fact| !self.before_horizon(fact))
            .collect();
        let authorised = |fact: &&Fact| fact.kind() == "payment.authorized";
        let given_up = |fact: &&Fact| match fact.kind() {
            "payment.stage" => true,
            "payment.declined" => fact.text("class") == Some("auth_incomplete"),
            _ => false,
        };
        if facts.is_empty() || !facts.iter().all(|fact| authorised(fact) || given_up(fact)) {
            return None;
        }
        Some(if facts.iter().any(authorised) {
            "AUTH_INCOMPLETE"
        } else {
            "USER_INCOMPLETE"
        })
    }

    /// Records that were used when they came and never found their payment.
    fn move_before_horizon(&mut self, subject: &Subject) {
        let early = subject
            .early
            .iter()
            .filter(|fact| self.before_horizon(fact));
        for stream in early.map(|fact| fact.stream).collect::<Vec<_>>() {
            self.records[stream].used -= 1;
            self.records[stream].before_horizon += 1;
        }
    }
}

fn wait_of_payment(payment: &Payment, end: i64) -> Option<&'static str> {
    match (payment.status, payment.hold) {
        (Status::Explained("declined"), _) => Some("DECLINED"),
        (Status::Explained("reversed"), _) => Some("REVERSED"),
        (Status::Explained(_), _) => Some("REFUNDED"),
        (Status::Waiting, Some(hold)) => (end < hold.due).then_some("RISK_HOLD"),
        (Status::Waiting, None) => payment
            .clock
            .due
            .filter(|due| end < *due)
            .map(|_| "BANK_BATCH_WAIT"),
        _ => None,
    }
}

//! What falls due when time passes.

use super::case;
use super::fact::{Fact, Id};
use super::near;
use super::payment::Status;
use super::world::World;

impl World<'_> {
    /// The next moment, not before `now`, at which something falls due.
    pub(super) fn next_due(&self, now: i64) -> Option<i64> {
        let payments = self
            .subjects
            .values()
            .filter_map(|it| it.payment.as_ref()?.next_due());
        let orphans = self.orphans();
        let graces = orphans
            .iter()
            .map(|(_, credit)| self.grace_end(credit))
            .filter(|end| *end > now);
        payments.chain(graces).min()
    }

    /// Decides what falls due `now`, after all records of this millisecond.
    pub(super) fn pass(&mut self, now: i64) {
        for id in self.accepted.clone() {
            while self.payment(&id).next_due().is_some_and(|due| due <= now) {
                self.fall_due(&id, now);
            }
        }
        for (id, credit) in self.orphans() {
            if self.grace_end(&credit) == now {
                let money = (
                    credit.money("amount_minor"),
                    credit.text("currency").map(str::to_owned),
                );
                let near = self.subjects[&id].near.clone();
                self.ledger
                    .raise(&id, now, case::orphan(money, near.as_deref()));
            }
        }
        self.pair(now);
    }

    fn fall_due(&mut self, id: &Id, now: i64) {
        let payment = self.payment(id);
        match (&mut payment.hold, payment.clock.tiers.get(payment.passed)) {
            (Some(hold), _) if !hold.overdue => {
                hold.overdue = true;
                let due = hold.due;
                let case = case::hold_overdue(payment, due);
                self.ledger.raise(id, now, case);
            }
            (None, Some(passing)) => {
                let case = case::missing(payment, &passing.tier, passing.deadline);
                payment.passed += 1;
                self.ledger.raise(id, now, case);
            }
            _ => self.close(id, Status::WrittenOff, "written_off", now, None),
        }
    }

    /// Pairs overdue payments with orphans whose ids nearly match, the best first.
    fn pair(&mut self, now: i64) {
        let mut pairs = Vec::new();
        for (orphan_id, credit) in self.orphans() {
            for payment_id in &self.accepted {
                if let Some(differing) = self.alike(payment_id, &orphan_id, &credit, now) {
                    let paid_at = self.subjects[payment_id]
                        .payment
                        .as_ref()
                        .map(|payment| payment.said.at);
                    pairs.push((
                        differing,
                        paid_at,
                        payment_id.clone(),
                        credit.at,
                        orphan_id.clone(),
                    ));
                }
            }
        }
        pairs.sort();
        for (_, _, payment_id, _, orphan_id) in pairs {
            if self.payment(&payment_id).near.is_none() && self.subjects[&orphan_id].near.is_none()
            {
                self.marry(&payment_id, &orphan_id, now);
            }
        }
    }

    /// How much the ids differ, if the two are both open and became known to be so `now`.
    fn alike(&self, payment_id: &Id, orphan_id: &Id, credit: &Fact, now: i64) -> Option<usize> {
        let payment = self.subjects[payment_id].payment.as_ref()?;
        let first_deadline = payment.clock.tiers.first()?.deadline;
        // What rules most pairs out comes first: each moment asks every pair.
        if first_deadline.max(self.grace_end(credit)) != now {
            return None;
        }
        let differing = near::difference(&payment_id.1, &orphan_id.1)?;
        self.ledger.open(payment_id, "credit_missing")?;
        self.ledger.open(orphan_id, "orphan_credit")?;
        near::fits(payment, payment_id, credit, orphan_id).then_some(differing)
    }

    fn marry(&mut self, payment_id: &Id, orphan_id: &Id, now: i64) {
        self.payment(payment_id).near = Some(orphan_id.1.clone());
        let payment = self.payment(payment_id).clone();
        self.say_verdict(payment_id, &payment, now);
        let orphan = self
            .subjects
            .get_mut(orphan_id)
            .expect("the id was heard of");
        orphan.near = Some(payment_id.1.clone());
        let verdict = Some("ID_CORRUPTED".to_owned());
        self.ledger.reword(
            orphan_id,
            "orphan_credit",
            now,
            verdict,
            Some(payment_id.1.clone()),
        );
    }
}

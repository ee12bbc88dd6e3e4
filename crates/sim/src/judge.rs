//! What the contract says of one id, found from the planned records alone.
//!
//! It reads as the contract does and shares no code with the detector: facts in the order of judgement, and
//! before each the deadlines that lie before it. What is appended on a deadline is in time.

use crate::event::{Credit, Draft, Payment, What};
use crate::judgement::{Judgement, Outcome};
use crate::policy::{self, GIVE_UP_MS, HOLD_LIMIT_MS, ORPHAN_AFTER_MS, Tier};
use crate::truth::Expected;

/// Judges `drafts`, all of one id and in the order of judgement, as known at `end`. A credit that happened before
/// `start` may have its payment there.
pub(crate) fn judge(drafts: &[Draft], start: i64, end: i64) -> Judgement {
    let mut judge = Judge {
        start,
        id: drafts.first().map_or("", |draft| &draft.key),
        ..Judge::default()
    };
    for draft in drafts
        .iter()
        .filter(|draft| !draft.again && draft.at <= end)
    {
        judge.pass_deadlines(draft.at);
        judge.apply(draft);
    }
    judge.pass_deadlines(end + 1);
    judge.finish()
}

/// How a waiting payment was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closed {
    Credited,
    Undone(&'static str),
    WrittenOff,
}

/// A hold that has not ended.
#[derive(Clone, Copy, Debug)]
struct Hold {
    due_at: i64,
    raised: bool,
}

#[derive(Default)]
struct Judge<'a> {
    id: &'a str,
    start: i64,
    payment: Option<(&'a Payment, i64, i64)>,
    closed: Option<Closed>,
    /// From when the tiers count, and how many have passed.
    base: i64,
    passed: usize,
    hold: Option<Hold>,
    /// What came before the payment.
    early: Vec<&'a Draft>,
    parts_minor: u64,
    refunded_minor: u64,
    refund_in_flight: bool,
    rejection: Option<&'static str>,
    found: Judgement,
}

impl<'a> Judge<'a> {
    fn tiers(&self) -> &'static [Tier] {
        self.payment
            .map_or(&[], |(payment, _, _)| policy::tiers(payment))
    }

    fn waiting(&self) -> bool {
        self.payment.is_some() && self.closed.is_none()
    }

    /// Lets everything happen that is due before `now`.
    fn pass_deadlines(&mut self, now: i64) {
        self.pass_grace(now);
        if !self.waiting() {
            return;
        }
        if let Some(hold) = self.hold {
            self.pass_hold(hold, now);
            return;
        }
        let tiers = self.tiers();
        while let Some((name, after)) = tiers.get(self.passed) {
            let at = self.base + after;
            if at >= now {
                return;
            }
            self.passed += 1;
            let verdict = self.missing_verdict();
            let alert = self.open("credit_missing", at);
            alert.tiers.push((name, at));
            if let Some(verdict) = verdict.filter(|_| alert.verdicts.is_empty()) {
                alert.verdicts.push((at, verdict));
            }
        }
        let last = tiers.last().map_or(0, |tier| tier.1);
        self.pass_give_up(self.base + last + GIVE_UP_MS, now);
    }

    fn pass_grace(&mut self, now: i64) {
        if self.payment.is_some() {
            return;
        }
        for draft in self.early.clone() {
            let What::Credited(credit) = &draft.what else {
                continue;
            };
            let due = draft.at + ORPHAN_AFTER_MS;
            if due < now && draft.occurred_at >= self.start {
                let alert = self.open("orphan_credit", due);
                if alert.verdicts.is_empty() {
                    alert.verdicts.push((due, "ORPHAN_CREDIT"));
                    alert.amount_minor = credit.amount_minor;
                    alert.currency = credit.currency;
                }
            }
        }
    }

    fn pass_hold(&mut self, hold: Hold, now: i64) {
        if !hold.raised && hold.due_at < now {
            self.hold = Some(Hold {
                raised: true,
                ..hold
            });
            self.case("hold_overdue", hold.due_at, "RISK_HOLD_OVERDUE");
        }
        self.pass_give_up(hold.due_at + GIVE_UP_MS, now);
    }

    fn pass_give_up(&mut self, at: i64, now: i64) {
        if at < now {
            self.close(at, Closed::WrittenOff, "written_off");
        }
    }

    fn apply(&mut self, draft: &'a Draft) {
        match &draft.what {
            What::Paid(payment) => self.paid(payment, draft.at, draft.occurred_at),
            _ if self.payment.is_none() => self.early.push(draft),
            _ => self.happened(draft, draft.at),
        }
    }

    /// What happened to a known payment is told at `at`.
    fn happened(&mut self, draft: &'a Draft, at: i64) {
        match &draft.what {
            What::Credited(credit) => self.credited(credit, at),
            What::Refunded {
                amount_minor,
                status,
                ..
            } => self.refunded(*amount_minor, status, at),
            What::Reversed => self.undo(at, "reversed"),
            What::Declined { .. } if !self.is_earlier_attempt(draft.occurred_at) => {
                self.undo(at, "declined")
            }
            What::Rejected { class, .. } if self.waiting() => {
                self.rejection = rejection_verdict(class).or(self.rejection);
                self.revise_missing(at);
            }
            What::Held { release_by, .. } if self.waiting() && self.passed == 0 => {
                let due_at = release_by.unwrap_or(at + HOLD_LIMIT_MS).max(at);
                self.hold = Some(Hold {
                    due_at,
                    raised: false,
                });
            }
            What::Released if self.hold.take().is_some() => {
                self.base = at;
                self.passed = 0;
                self.resolve("hold_overdue", at, "completed");
            }
            _ => {}
        }
    }

    fn is_earlier_attempt(&self, occurred_at: i64) -> bool {
        self.payment.is_some_and(|(_, _, paid)| occurred_at < paid)
    }

    fn paid(&mut self, payment: &'a Payment, at: i64, occurred_at: i64) {
        self.payment = Some((payment, at, occurred_at));
        self.base = policy::base(payment, at);
        self.found.paid_at = Some(at);
        self.found.first_deadline = self.tiers().first().map(|tier| self.base + tier.1);
        self.resolve("orphan_credit", at, "completed");
        if payment
            .order_amount_minor
            .is_some_and(|order| order != payment.amount_minor)
        {
            self.case("amount_mismatch", at, "USER_AMOUNT_ERROR");
        }
        for draft in std::mem::take(&mut self.early) {
            self.happened(draft, at);
        }
    }

    fn credited(&mut self, credit: &'a Credit, at: i64) {
        match self.closed {
            None => self.first_credit(credit, at),
            Some(Closed::Credited) => {
                let alert = self.open("duplicate_credit", at);
                if alert.verdicts.is_empty() {
                    // The alert is about the credits, as far as they say.
                    alert.amount_minor = credit.amount_minor;
                    alert.currency = credit.currency;
                    alert.verdicts.push((at, "DUPLICATE_CREDIT"));
                } else if let Some(amount) = credit.amount_minor {
                    alert.amount_minor = Some(alert.amount_minor.unwrap_or(0) + amount);
                    alert.currency = credit.currency;
                }
            }
            Some(Closed::Undone(_)) => {
                self.open("credit_after_reversal", at);
            }
            Some(Closed::WrittenOff) => {}
        }
    }

    /// What `credit` is worth: the payment's amount where it does not say.
    fn amount_of(&self, credit: &Credit) -> (u64, &'static str) {
        let payment = self.payment.map(|(payment, _, _)| payment);
        let amount = credit
            .amount_minor
            .or(payment.map(|payment| payment.amount_minor));
        let currency = credit.currency.or(payment.map(|payment| payment.currency));
        (amount.unwrap_or(0), currency.unwrap_or(""))
    }

    fn first_credit(&mut self, credit: &Credit, at: i64) {
        let Some((payment, _, _)) = self.payment else {
            return;
        };
        let (amount, currency) = self.amount_of(credit);
        self.parts_minor += amount;
        let gross = payment.amount_minor - self.refunded_minor;
        let net = gross.saturating_sub(payment.fee_minor.unwrap_or(0));
        let fits = self.parts_minor == gross || self.parts_minor == net;
        if credit.partial && !fits && self.parts_minor < gross {
            return;
        }
        self.close(at, Closed::Credited, "credited_late");
        if currency != payment.currency {
            self.case("currency_mismatch", at, "CURRENCY_MISMATCH");
        } else if !fits && credit.amount_minor.is_some() {
            let own_fee = credit
                .fee_minor
                .filter(|fee| Some(*fee) != payment.fee_minor);
            let explains = own_fee.is_some_and(|fee| amount + fee == gross);
            self.case(
                "amount_mismatch",
                at,
                if explains {
                    "FEE_MISMATCH"
                } else {
                    "AMOUNT_MISMATCH"
                },
            );
        }
        let differs =
            |said: &Option<String>, own: &str| said.as_deref().is_some_and(|said| said != own);
        if differs(&credit.terminal_id, &payment.terminal_id)
            || differs(&credit.merchant_id, &payment.merchant_id)
        {
            self.case("terminal_mismatch", at, "TERMINAL_MISMATCH");
        }
    }

    fn refunded(&mut self, amount_minor: u64, status: &str, at: i64) {
        if status == "succeeded" {
            self.refunded_minor += amount_minor;
        }
        let gross = self
            .payment
            .map_or(0, |(payment, _, _)| payment.amount_minor);
        if self.refunded_minor >= gross {
            self.undo(at, "refunded");
        } else {
            self.refund_in_flight = status == "created";
            self.revise_missing(at);
        }
    }

    /// A full refund, a reversal or a decline.
    fn undo(&mut self, at: i64, how: &'static str) {
        self.found.undone.get_or_insert((at, how));
        if self.closed.is_none() {
            self.close(at, Closed::Undone(how), how);
        }
        if how != "declined" {
            for kind in CASES_UNDONE {
                self.resolve(kind, at, how);
            }
        }
    }

    fn close(&mut self, at: i64, closed: Closed, how: &'static str) {
        self.closed = Some(closed);
        self.resolve("credit_missing", at, how);
        self.resolve("hold_overdue", at, how);
        self.hold = None;
    }

    fn missing_verdict(&self) -> Option<&'static str> {
        if self.refund_in_flight {
            Some("REFUND_IN_FLIGHT")
        } else {
            self.rejection
        }
    }

    fn revise_missing(&mut self, at: i64) {
        let verdict = self.missing_verdict();
        let open = self
            .found
            .alert("credit_missing")
            .filter(|alert| alert.resolved.is_none());
        let Some(alert) = open else {
            return;
        };
        let last = alert.verdicts.last().map_or(NONE, |(_, last)| *last);
        let verdict = verdict.unwrap_or(NONE);
        if last != verdict {
            alert.verdicts.push((at, verdict));
        }
    }

    /// Opens a case with its verdict.
    fn case(&mut self, kind: &'static str, at: i64, verdict: &'static str) {
        let alert = self.open(kind, at);
        alert.verdicts.push((at, verdict));
    }

    /// The alert of `kind`, opened at `at` if it is new.
    fn open(&mut self, kind: &'static str, at: i64) -> &mut Expected {
        let place = self
            .found
            .alerts
            .iter()
            .position(|alert| alert.kind == kind);
        let place = place.unwrap_or_else(|| {
            let payment = self.payment.map(|(payment, _, _)| payment);
            self.found.alerts.push(Expected {
                payment_id: self.id.to_owned(),
                kind,
                opens_at: at,
                tiers: Vec::new(),
                resolved: None,
                verdicts: Vec::new(),
                related: None,
                amount_minor: payment.map(|payment| payment.amount_minor),
                currency: payment.map(|payment| payment.currency),
            });
            self.found.alerts.len() - 1
        });
        &mut self.found.alerts[place]
    }

    fn resolve(&mut self, kind: &str, at: i64, how: &'static str) {
        if let Some(alert) = self.found.alert(kind) {
            alert.resolved.get_or_insert((how, at));
        }
    }

    fn finish(mut self) -> Judgement {
        self.found.outcome = self.payment.map(|(payment, _, _)| {
            let outcome = match self.closed {
                Some(Closed::Credited) => Outcome::Credited,
                Some(Closed::Undone(_)) => Outcome::Explained,
                Some(Closed::WrittenOff) | None => Outcome::Rest,
            };
            (outcome, payment.amount_minor, payment.currency)
        });
        self.found
    }
}

/// The verdict of an alert that has lost it.
const NONE: &str = "";

/// The kinds that a later full refund or reversal resolves.
const CASES_UNDONE: [&str; 5] = [
    "amount_mismatch",
    "currency_mismatch",
    "terminal_mismatch",
    "duplicate_credit",
    "credit_after_reversal",
];

fn rejection_verdict(class: &str) -> Option<&'static str> {
    Some(match class {
        "limit" | "frequency" => "LIMIT_EXCEEDED",
        "insufficient" => "BALANCE_INSUFFICIENT",
        "frozen" => "ACCOUNT_FROZEN",
        "duplicate" => "DUPLICATE_PAYMENT",
        "auth_incomplete" => "AUTH_INCOMPLETE",
        "format" => "INTERFACE_FAULT",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;

//! Everything that was appended so far, and the counting of each record.

use std::collections::{BTreeMap, BTreeSet};

use super::case;
use super::due::Clock;
use super::fact::{Fact, Id};
use super::input::{Config, Rec};
use super::ledger::Ledger;
use super::output::Counts;
use super::payment::Payment;

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    Used,
    Duplicate,
    Late,
}

/// Everything known under one payment id.
#[derive(Default)]
pub(super) struct Subject {
    pub(super) seen: BTreeSet<(String, String)>,
    /// What was appended before the payment.
    pub(super) early: Vec<Fact>,
    pub(super) payment: Option<Payment>,
    /// How many extra credits there were, in which currency, and their sum.
    pub(super) extra: Option<(String, Option<i128>)>,
    /// The payment whose id nearly matches that of this orphan.
    pub(super) near: Option<String>,
}

/// All of it.
pub(super) struct World<'a> {
    pub(super) config: &'a Config,
    pub(super) subjects: BTreeMap<Id, Subject>,
    /// Payments in the order of acceptance.
    pub(super) accepted: Vec<Id>,
    pub(super) ledger: Ledger,
    pub(super) records: [Counts; 4],
    /// Append time of the first record.
    pub(super) since: Option<i64>,
    /// Business time of each terminal's latest heartbeat.
    heartbeats: BTreeMap<String, i64>,
    auxiliary: BTreeSet<(String, String, String)>,
}

impl<'a> World<'a> {
    pub(super) fn new(config: &'a Config) -> Self {
        Self {
            config,
            subjects: BTreeMap::new(),
            accepted: Vec::new(),
            ledger: Ledger::default(),
            records: [Counts::default(); 4],
            since: None,
            heartbeats: BTreeMap::new(),
            auxiliary: BTreeSet::new(),
        }
    }

    /// Applies the next record.
    pub(super) fn append(&mut self, rec: &Rec) {
        let fact = Fact::of(rec);
        self.since.get_or_insert(fact.at);
        let count = match fact.subject() {
            Some(id) => self.hear(&id, &fact),
            None => self.hear_auxiliary(&fact),
        };
        let counts = &mut self.records[fact.stream];
        match count {
            Count::Used => counts.used += 1,
            Count::Duplicate => counts.duplicate += 1,
            Count::Late => counts.late += 1,
        }
    }

    fn hear_auxiliary(&mut self, fact: &Fact) -> Count {
        let news = if fact.kind() == "terminal.heartbeat" {
            let terminal = fact.text("terminal_id").unwrap_or_default().to_owned();
            let last = self.heartbeats.entry(terminal).or_insert(i64::MIN);
            let newer = fact.occurred_at() > *last;
            *last = fact.occurred_at().max(*last);
            newer
        } else {
            let subject = fact
                .text("merchant_id")
                .or(fact.text("batch_id"))
                .or(fact.text("kind"));
            let (kind, event) = fact.identity();
            self.auxiliary
                .insert((kind, subject.unwrap_or_default().to_owned(), event))
        };
        if news { Count::Used } else { Count::Duplicate }
    }

    fn hear(&mut self, id: &Id, fact: &Fact) -> Count {
        let subject = self.subjects.entry(id.clone()).or_default();
        let known = subject.payment.is_some();
        if fact.kind() == "payment.succeeded" {
            if known {
                return Count::Duplicate;
            }
            self.accept(id, fact);
            return Count::Used;
        }
        let first = subject.seen.insert(fact.identity());
        // Stages are recognised only while their payment is known.
        let recognised = known || fact.kind() != "payment.stage";
        if !first && recognised {
            return Count::Duplicate;
        }
        if known {
            return self.apply(id, fact, fact.at);
        }
        subject.early.push(fact.clone());
        Count::Used
    }

    pub(super) fn payment(&mut self, id: &Id) -> &mut Payment {
        let subject = self.subjects.get_mut(id).expect("the id was heard of");
        subject.payment.as_mut().expect("the payment was accepted")
    }

    /// The first record of a payment: what was appended before it is judged now.
    fn accept(&mut self, id: &Id, fact: &Fact) {
        let now = fact.at;
        let payment = Payment::new(fact.clone(), Clock::start(self.config, fact, now));
        if fact
            .money("order_amount_minor")
            .is_some_and(|order| order != payment.amount())
        {
            self.ledger
                .raise(id, now, case::amount(&payment, "USER_AMOUNT_ERROR", None));
        }
        if let Some(twin) = self.twin_of(id, &payment) {
            self.ledger
                .raise(id, now, case::duplicate_payment(&payment, &twin));
        }
        let subject = self.subjects.get_mut(id).expect("the id was heard of");
        let early = std::mem::take(&mut subject.early);
        subject.payment = Some(payment);
        let mut orphans = early
            .iter()
            .filter(|it| it.kind() == "terminal.credited" && !self.before_horizon(it));
        let decided = orphans.rfind(|it| self.grace_end(it) < now);
        let lag = decided.map(|credit| credit.occurred_at() - fact.occurred_at());
        self.ledger
            .resolve(id, "orphan_credit", "completed", now, lag);
        self.accepted.push(id.clone());
        for fact in &early {
            self.apply(id, fact, now);
        }
    }

    /// The latest earlier payment that is the same to its payer and was not given back.
    fn twin_of(&self, id: &Id, later: &Payment) -> Option<String> {
        let payer = later.said.text("payer_hash")?;
        let is_twin = |earlier: &Payment| {
            let same = |field| earlier.said.text(field) == later.said.text(field);
            earlier.said.text("payer_hash") == Some(payer)
                && same("merchant_id")
                && same("terminal_id")
                && same("currency")
                && earlier.amount() == later.amount()
                && later.said.at - earlier.said.at <= self.config.duplicate_window_ms
                && earlier.ended.is_none()
        };
        let same_tenant = self.accepted.iter().rev().filter(|other| other.0 == id.0);
        let mut payments =
            same_tenant.filter_map(|other| Some((other, self.subjects[other].payment.as_ref()?)));
        payments
            .find(|(_, earlier)| is_twin(earlier))
            .map(|(other, _)| other.1.clone())
    }

    /// Whether a record speaks of what came before the recording.
    pub(super) fn before_horizon(&self, fact: &Fact) -> bool {
        let of_kind = [
            "terminal.credited",
            "payment.refunded",
            "payment.reversed",
            "payment.stage",
        ];
        of_kind.contains(&fact.kind()) && self.since.is_some_and(|since| fact.occurred_at() < since)
    }

    pub(super) fn grace_end(&self, credit: &Fact) -> i64 {
        credit.at + self.config.orphan_after_ms
    }

    /// The credits that wait for their payments.
    pub(super) fn orphans(&self) -> Vec<(Id, Fact)> {
        let mut orphans = Vec::new();
        for (id, subject) in &self.subjects {
            let credits = subject
                .early
                .iter()
                .filter(|fact| fact.kind() == "terminal.credited");
            let countable = credits.filter(|credit| !self.before_horizon(credit));
            orphans.extend(countable.map(|credit| (id.clone(), credit.clone())));
        }
        orphans
    }
}

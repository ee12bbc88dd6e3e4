//! The accounts of a partition: payments, money and records, kept so that the sums always hold.

use alloc::vec::Vec;

use crate::alert::{AlertKind, Resolution};
use crate::event::{Currency, words};
use crate::table::Phase;

words! {
    /// What became of a record.
    Outcome {
        /// It was used.
        Used = "used",
        /// The same again.
        Duplicate = "duplicate",
        /// Valid, but its payment is closed and nothing changed.
        Late = "late",
        /// It refers to what came before knowledge began.
        BeforeHorizon = "before_horizon",
        /// It is not a valid event.
        Rejected = "rejected",
    }
}

words! {
    /// Waits that are explained: neither alert nor incident.
    Wait {
        /// A batch payment before its due time.
        BankBatchWait = "BANK_BATCH_WAIT",
        /// Held before its release time.
        RiskHold = "RISK_HOLD",
        /// Authorised only.
        AuthIncomplete = "AUTH_INCOMPLETE",
        /// Steps not finished.
        UserIncomplete = "USER_INCOMPLETE",
        /// Declined after it had succeeded.
        Declined = "DECLINED",
        /// Reversed.
        Reversed = "REVERSED",
        /// Refunded in full.
        Refunded = "REFUNDED",
    }
}

/// A number of payments and their money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// Their sum in minor units of one currency.
    pub amount_minor: i128,
}

impl Tally {
    pub(crate) fn add(&mut self, amount_minor: u64) {
        self.count += 1;
        self.amount_minor += i128::from(amount_minor);
    }

    pub(crate) fn remove(&mut self, amount_minor: u64) {
        self.count -= 1;
        self.amount_minor -= i128::from(amount_minor);
    }

    /// Adds another tally of the same currency.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.amount_minor += other.amount_minor;
    }
}

/// The payments of one currency: `payments = credited + explained + written_off + pending`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Book {
    /// Accepted.
    pub payments: Tally,
    /// Closed by a credit.
    pub credited: Tally,
    /// Closed by a full refund, a reversal or a decline.
    pub explained: Tally,
    /// Given up.
    pub written_off: Tally,
    /// Waiting.
    pub pending: Tally,
    /// Of the pending: past their first deadline.
    pub overdue: Tally,
}

impl Book {
    /// Adds another book of the same currency.
    pub fn merge(&mut self, other: &Self) {
        self.payments.merge(&other.payments);
        self.credited.merge(&other.credited);
        self.explained.merge(&other.explained);
        self.written_off.merge(&other.written_off);
        self.pending.merge(&other.pending);
        self.overdue.merge(&other.overdue);
    }
}

/// Alerts of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AlertCounts {
    /// Open now.
    pub open: u64,
    /// Resolved.
    pub resolved: u64,
}

/// The accounts of a partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    pub(crate) books: Vec<(Currency, Book)>,
    pub(crate) records: Vec<[u64; Outcome::ALL.len()]>,
    pub(crate) alerts: [AlertCounts; AlertKind::ALL.len()],
    pub(crate) waits: [u64; Wait::ALL.len()],
}

impl Ledger {
    /// The books by currency, in the order of first use.
    pub fn books(&self) -> &[(Currency, Book)] {
        &self.books
    }

    /// Records of a stream by outcome.
    pub fn records(&self, stream: u8, outcome: Outcome) -> u64 {
        self.records
            .get(usize::from(stream))
            .map_or(0, |counts| counts[outcome as usize])
    }

    /// Alerts of a kind.
    pub fn alerts(&self, kind: AlertKind) -> AlertCounts {
        self.alerts[kind as usize]
    }

    /// Explained waits that have ended or were counted when they were forgotten.
    pub fn waits(&self, wait: Wait) -> u64 {
        self.waits[wait as usize]
    }

    /// Counts a record once.
    pub fn count(&mut self, stream: u8, outcome: Outcome) {
        let stream = usize::from(stream);
        if stream >= self.records.len() {
            self.records.resize(stream + 1, [0; Outcome::ALL.len()]);
        }
        self.records[stream][outcome as usize] += 1;
    }

    pub(crate) fn count_wait(&mut self, wait: Wait) {
        self.waits[wait as usize] += 1;
    }

    pub(crate) fn book(&mut self, currency: Currency) -> &mut Book {
        let found = self.books.iter().position(|(code, _)| *code == currency);
        let at = found.unwrap_or_else(|| {
            self.books.push((currency, Book::default()));
            self.books.len() - 1
        });
        &mut self.books[at].1
    }

    pub(crate) fn accept(&mut self, currency: Currency, amount_minor: u64) {
        let book = self.book(currency);
        book.payments.add(amount_minor);
        book.pending.add(amount_minor);
    }

    pub(crate) fn overdue(&mut self, currency: Currency, amount_minor: u64) {
        self.book(currency).overdue.add(amount_minor);
    }

    pub(crate) fn close(
        &mut self,
        currency: Currency,
        amount_minor: u64,
        phase: Phase,
        was_overdue: bool,
    ) {
        let book = self.book(currency);
        book.pending.remove(amount_minor);
        if was_overdue {
            book.overdue.remove(amount_minor);
        }
        match phase {
            Phase::Credited => book.credited.add(amount_minor),
            Phase::WrittenOff => book.written_off.add(amount_minor),
            Phase::Refunded | Phase::Reversed | Phase::Declined => book.explained.add(amount_minor),
            Phase::Unknown | Phase::Waiting => unreachable!("a payment closes into a closed phase"),
        }
        match phase {
            Phase::Refunded => self.count_wait(Wait::Refunded),
            Phase::Reversed => self.count_wait(Wait::Reversed),
            Phase::Declined => self.count_wait(Wait::Declined),
            _ => {}
        }
    }

    /// An alert went from `before` (`None`: it is new) to `after` (`None`: open).
    pub(crate) fn alert(
        &mut self,
        kind: AlertKind,
        before: Option<Option<Resolution>>,
        after: Option<Resolution>,
    ) {
        let counts = &mut self.alerts[kind as usize];
        match before {
            Some(None) => counts.open -= 1,
            Some(Some(_)) => counts.resolved -= 1,
            None => {}
        }
        match after {
            None => counts.open += 1,
            Some(_) => counts.resolved += 1,
        }
    }
}

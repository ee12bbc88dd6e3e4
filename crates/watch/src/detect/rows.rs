//! Payments whose fate is known, and those that wait longer than most, as the watch keeps them.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use settlewatch_join::Fingerprint;
use settlewatch_join::event::{Currency, RefusalClass};

use super::baseline::{Taught, Thresholds};
use super::values::TupleId;
use crate::keep::keep;
use crate::keep::keep_enum;
use crate::pulse::{Note, What};
use crate::tables::Map;

/// Rows are kept so long, in seconds.
pub(crate) const KEPT_S: i64 = 1200;

/// Payments past their deadline that are kept until they end.
const WAITING_LIMIT: usize = 1_000_000;

/// What is asked of payments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bad {
    /// They take longer than many of their channel: what slows all shows in most of them, though few are slow.
    Long,
    /// They take longer than most.
    Slow,
    /// They take longer than nearly all, or never come.
    Lost,
}

/// A payment whose fate is known, or that waits long.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// When that became known.
    pub(crate) second: i64,
    pub(crate) accepted_ms: i64,
    pub(crate) tuple: TupleId,
    pub(crate) partition: i32,
    pub(crate) amount_minor: u64,
    pub(crate) currency: Currency,
    pub(crate) id: Option<Arc<str>>,
    /// Append to append, in milliseconds; `None` while it waits.
    pub(crate) lag_ms: Option<u64>,
    /// By business times, in milliseconds, where it was credited.
    pub(crate) business_ms: Option<i64>,
    /// Longer than many of its channel take.
    pub(crate) long: bool,
    pub(crate) slow: bool,
    pub(crate) lost: bool,
    pub(crate) overdue: bool,
    /// Ended otherwise than by a credit, or out of the statistics.
    pub(crate) ended: bool,
    /// Announced to be unusual.
    pub(crate) aside: bool,
    /// Its credit came under a corrupted id.
    pub(crate) misnamed: bool,
    /// Why its credit was rejected.
    pub(crate) class: Option<RefusalClass>,
    /// Whether it is due at once.
    pub(crate) timed: bool,
    /// Shares that are usual for its channel: slow, lost.
    pub(crate) usual: (f64, f64),
    /// Whether it was known when a payment of its channel takes long.
    pub(crate) judged: bool,
    /// What it taught of what is usual.
    pub(crate) taught: Option<Taught>,
}

impl Row {
    /// Whether it is bad as is asked.
    pub(crate) fn is_bad(&self, bad: Bad) -> bool {
        match bad {
            Bad::Long => self.long,
            Bad::Slow => self.slow,
            Bad::Lost => self.lost,
        }
    }

    /// Whether it says something of how long credits take: it is due at once, and did not end otherwise, and
    /// nobody announced that they take longer.
    pub(crate) fn counts(&self) -> bool {
        self.timed && !self.ended && !self.aside
    }

    /// Whether it waits, and its time is up; that its credit came under another id does not end its alert.
    pub(crate) fn is_open(&self) -> bool {
        self.lag_ms.is_none() && (!self.ended || self.misnamed)
    }
}

/// A payment that waits long.
#[derive(Clone, Debug)]
struct Waiting {
    /// Number of its row, once it has one.
    row: Option<u64>,
    note: Note,
    tuple: TupleId,
    thresholds: Thresholds,
}

/// What changed: for the sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The row is new.
    New(u64),
    /// The row is lost now.
    Lost(u64),
    /// The payment of a row that was overdue was credited.
    Late(u64),
    /// The payment of a row passed its first deadline.
    Overdue(u64),
}

/// The rows of the last minutes, by number.
#[derive(Default)]
pub(crate) struct Rows {
    rows: VecDeque<Row>,
    /// Number of the first row.
    first: u64,
    waiting: Map<Fingerprint, Waiting>,
    /// What becomes slow or lost in a second.
    due: BTreeMap<i64, Vec<Fingerprint>>,
}

impl Rows {
    /// Takes in a note of the second `second`.
    pub(crate) fn note(
        &mut self,
        note: &Note,
        tuple: TupleId,
        thresholds: Thresholds,
        second: i64,
        changes: &mut Vec<Change>,
    ) {
        match note.what {
            What::Paid => {}
            What::Waiting => self.wait(note, tuple, thresholds, second),
            What::Credited {
                lag_ms,
                business_ms,
                ..
            } => self.credited(
                note,
                tuple,
                thresholds,
                (lag_ms, business_ms),
                second,
                changes,
            ),
            What::Overdue => self.bad(note, tuple, thresholds, None, second, changes),
            What::Rejected(class) => {
                self.bad(note, tuple, thresholds, Some(class), second, changes);
            }
            What::Ended { .. } | What::Excused => self.end(note.payment, false),
            What::Misnamed => self.end(note.payment, true),
            What::Declined(_) => {}
        }
    }

    fn wait(&mut self, note: &Note, tuple: TupleId, thresholds: Thresholds, second: i64) {
        // A rejection may have told of it before.
        let is_known = self.waiting.contains_key(&note.payment);
        if is_known || self.waiting.len() >= WAITING_LIMIT {
            return;
        }
        let accepted = note.accepted_at.millis();
        let known = thresholds.is_known();
        for after in [thresholds.slow_ms, thresholds.lost_ms]
            .into_iter()
            .filter(|_| known)
        {
            let due = (accepted + after as i64).div_euclid(1000).max(second);
            self.due.entry(due).or_default().push(note.payment);
        }
        let waiting = Waiting {
            row: None,
            note: note.clone(),
            tuple,
            thresholds,
        };
        self.waiting.insert(note.payment, waiting);
    }

    fn credited(
        &mut self,
        note: &Note,
        tuple: TupleId,
        thresholds: Thresholds,
        (lag_ms, business_ms): (u64, i64),
        second: i64,
        changes: &mut Vec<Change>,
    ) {
        let waiting = self.waiting.remove(&note.payment);
        if let Some((number, known)) = waiting.and_then(|it| Some((it.row?, it.thresholds))) {
            if let Some(row) = self.get_mut(number) {
                // What was read late was not slow.
                row.slow &= row.overdue || row.class.is_some() || lag_ms > known.slow_ms;
                row.lost &= row.slow;
                row.long &= row.slow || lag_ms > known.long_ms;
                row.lag_ms = Some(lag_ms);
                row.business_ms = Some(business_ms);
                if row.overdue {
                    changes.push(Change::Late(number));
                }
            }
            return;
        }
        let mut row = row_of(note, tuple, thresholds, second);
        row.lag_ms = Some(lag_ms);
        row.business_ms = Some(business_ms);
        row.long = lag_ms > thresholds.long_ms;
        row.slow = lag_ms > thresholds.slow_ms;
        row.lost = lag_ms > thresholds.lost_ms;
        self.push(row, changes);
    }

    /// A payment is bad whatever its age: overdue, or its credit was rejected.
    fn bad(
        &mut self,
        note: &Note,
        tuple: TupleId,
        thresholds: Thresholds,
        class: Option<RefusalClass>,
        second: i64,
        changes: &mut Vec<Change>,
    ) {
        let overdue = note.what == What::Overdue;
        let known = self.waiting.get(&note.payment).and_then(|known| known.row);
        if let Some(number) = known {
            if let Some(row) = self.get_mut(number) {
                let was_lost = std::mem::replace(&mut row.lost, true);
                row.overdue |= overdue;
                row.class = class.or(row.class);
                if !was_lost {
                    changes.push(Change::Lost(number));
                }
                if overdue {
                    changes.push(Change::Overdue(number));
                }
            }
            return;
        }
        let mut row = row_of(note, tuple, thresholds, second);
        (row.long, row.slow, row.lost) = (true, true, true);
        (row.overdue, row.class) = (overdue, class);
        let number = self.push(row, changes);
        if overdue {
            changes.push(Change::Overdue(number));
        }
        if self.waiting.len() < WAITING_LIMIT {
            let waiting = Waiting {
                row: Some(number),
                note: note.clone(),
                tuple,
                thresholds,
            };
            self.waiting.insert(note.payment, waiting);
        }
    }

    /// Whether a payment is known to wait.
    pub(crate) fn awaits(&self, payment: Fingerprint) -> bool {
        self.waiting.contains_key(&payment)
    }

    /// A row says nothing of how long credits take.
    pub(crate) fn set_aside(&mut self, number: u64) {
        if let Some(row) = self.get_mut(number) {
            row.aside = true;
        }
    }

    /// Numbers of the rows, the oldest first.
    pub(crate) fn numbers(&self) -> Range<u64> {
        self.first..self.first + self.rows.len() as u64
    }

    fn end(&mut self, payment: Fingerprint, misnamed: bool) {
        let number = self
            .waiting
            .remove(&payment)
            .and_then(|waiting| waiting.row);
        if let Some(row) = number.and_then(|number| self.get_mut(number)) {
            row.ended = true;
            row.misnamed = misnamed;
        }
    }

    /// The second `second` ends: who became slow or lost in it. Returns the rows that are forgotten.
    pub(crate) fn end_second(&mut self, second: i64, changes: &mut Vec<Change>) -> Vec<Row> {
        while let Some(entry) = self.due.first_entry()
            && *entry.key() <= second
        {
            for payment in entry.remove() {
                self.fall_due(payment, second, changes);
            }
        }
        let kept = |row: &Row| row.second > second - KEPT_S;
        let old = self.rows.iter().position(kept).unwrap_or(self.rows.len());
        self.first += old as u64;
        self.rows.drain(..old).collect()
    }

    fn fall_due(&mut self, payment: Fingerprint, second: i64, changes: &mut Vec<Change>) {
        let Some(waiting) = self.waiting.get(&payment) else {
            return;
        };
        if let Some(number) = waiting.row {
            if let Some(row) = self.get_mut(number)
                && !row.lost
            {
                row.lost = true;
                changes.push(Change::Lost(number));
            }
            return;
        }
        let mut row = row_of(&waiting.note, waiting.tuple, waiting.thresholds, second);
        (row.long, row.slow) = (true, true);
        let number = self.push(row, changes);
        if let Some(waiting) = self.waiting.get_mut(&payment) {
            waiting.row = Some(number);
        }
    }

    fn push(&mut self, row: Row, changes: &mut Vec<Change>) -> u64 {
        let number = self.first + self.rows.len() as u64;
        let lost = row.lost;
        self.rows.push_back(row);
        changes.push(Change::New(number));
        if lost {
            changes.push(Change::Lost(number));
        }
        number
    }

    pub(crate) fn get(&self, number: u64) -> Option<&Row> {
        self.rows.get(number.checked_sub(self.first)? as usize)
    }

    fn get_mut(&mut self, number: u64) -> Option<&mut Row> {
        self.rows.get_mut(number.checked_sub(self.first)? as usize)
    }

    /// Number of the oldest row.
    pub(crate) fn first_number(&self) -> u64 {
        self.first
    }

    /// Rows that became known after the second `after`, the oldest first.
    pub(crate) fn since(&self, after: i64) -> impl Iterator<Item = &Row> {
        let start = self.rows.partition_point(|row| row.second <= after);
        self.rows.range(start..)
    }

    /// Every row, the oldest first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter()
    }

    /// Payments that wait but are not slow yet: tuple, append time in milliseconds; in no order.
    pub(crate) fn without_row(&self) -> impl Iterator<Item = (TupleId, i64)> + '_ {
        let waiting = self.waiting.values().filter(|it| it.row.is_none());
        let timed = waiting.filter(|it| it.note.timed);
        timed.map(|it| (it.tuple, it.note.accepted_at.millis()))
    }

    /// Payments that have waited longer than a moment, in no order.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (TupleId, &Note)> + '_ {
        let waiting = self.waiting.values().filter(|it| it.note.timed);
        waiting.map(|it| (it.tuple, &it.note))
    }

    /// Keeps what a row taught.
    pub(crate) fn teach(&mut self, number: u64, taught: Taught) {
        if let Some(row) = self.get_mut(number) {
            row.taught = Some(taught);
        }
    }
}

fn row_of(note: &Note, tuple: TupleId, thresholds: Thresholds, second: i64) -> Row {
    Row {
        second,
        accepted_ms: note.accepted_at.millis(),
        tuple,
        partition: note.partition,
        amount_minor: note.amount_minor,
        currency: note.currency,
        id: note.id.clone(),
        lag_ms: None,
        business_ms: None,
        long: false,
        slow: false,
        lost: false,
        overdue: false,
        ended: false,
        aside: false,
        misnamed: false,
        class: None,
        timed: note.timed,
        usual: (thresholds.slow_share, thresholds.lost_share),
        judged: thresholds.is_known(),
        taught: None,
    }
}

keep!(Row {
    second,
    accepted_ms,
    tuple,
    partition,
    amount_minor,
    currency,
    id,
    lag_ms,
    business_ms,
    long,
    slow,
    lost,
    overdue,
    ended,
    aside,
    misnamed,
    class,
    timed,
    usual,
    judged,
    taught,
});
keep!(Waiting {
    row,
    note,
    tuple,
    thresholds,
});
keep_enum!(Bad {
    0 => Long,
    1 => Slow,
    2 => Lost,
});
keep_enum!(Change {
    0 => New(number),
    1 => Lost(number),
    2 => Late(number),
    3 => Overdue(number),
});
keep!(Rows {
    rows,
    first,
    waiting,
    due,
});

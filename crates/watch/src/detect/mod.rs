//! Payments that take longer than is usual, or never end: how many, where, since when.

pub(crate) mod baseline;
pub(crate) mod counted;
pub(crate) mod flows;
mod going;
pub(crate) mod localise;
pub(crate) mod onset;
pub(crate) mod rates;
pub(crate) mod rows;
mod same;
pub(crate) mod scope;
pub(crate) mod sliding;
pub(crate) mod values;

use std::collections::BTreeMap;

use crate::keep::{Keep, Reader, Unreadable, Writer};
use crate::pulse::{CHANNEL, Dims, Note, What};

use baseline::{Learned, Taught, Thresholds};
use flows::Flows;
use rows::{Bad, Change, Row, Rows};
use scope::Scope;
use sliding::{Sliding, Sum};
use values::{TupleId, ValueId, Values};

/// Windows in which a fault may show, in seconds.
pub(crate) const WINDOWS_S: [i64; 3] = [15, 60, 300];

/// What was paid so long before a time that explains itself is not judged, in milliseconds: of it only what is slow
/// would become known now, and the longest window looks back as far.
pub(crate) const UNJUDGED_MS: i64 = 300_000;

/// The share of payments that usually take longer than many: one in five, and what few payments leave in doubt.
pub(crate) const LONG_SHARE: f64 = 0.25;

/// A row teaches what is usual when it is this old, so that a fault is seen before it is learned from.
const LEARNED_AFTER_S: i64 = 120;

/// In the beginning everything is learned again and again: something must be known. It lasts so long.
const BEGINNING_S: i64 = 300;

/// Payments younger than that teach nothing even in the beginning: who waits less is not noted.
const YOUNGEST_MS: i64 = 6_000;

/// Thresholds follow what was learned so often, in seconds.
const RENEWED_EVERY_S: i64 = 10;

/// Whether a row is explained by a fault that is known.
pub(crate) type Explained<'a> = &'a dyn Fn(&Row, &[ValueId]) -> bool;

/// Whether a row is announced to be unusual, whatever is known of it.
pub(crate) type Announced<'a> = &'a dyn Fn(&Row, &[ValueId]) -> bool;

/// What the watch knows of payments and their lags.
pub(crate) struct Detector {
    pub(crate) dims: Dims,
    pub(crate) values: Values,
    pub(crate) rows: Rows,
    learned: Learned,
    thresholds: BTreeMap<ValueId, Thresholds>,
    windows: Vec<Sliding>,
    pub(crate) flows: Flows,
    changes: Vec<Change>,
    /// Number of the first row that taught nothing yet.
    untaught: u64,
    first_s: Option<i64>,
}

impl Detector {
    pub(crate) fn new(dims: Dims) -> Self {
        Self {
            values: Values::new(&dims),
            dims,
            rows: Rows::default(),
            learned: Learned::default(),
            thresholds: BTreeMap::new(),
            windows: WINDOWS_S.iter().map(|&span| Sliding::new(span)).collect(),
            flows: Flows::default(),
            changes: Vec::new(),
            untaught: 0,
            first_s: None,
        }
    }

    /// Takes in a note of a second; `excluded` where it must not count.
    pub(crate) fn note(&mut self, note: &Note, tuple: TupleId, second: i64, excluded: bool) {
        self.first_s.get_or_insert(second);
        let ends = matches!(
            note.what,
            What::Ended { .. } | What::Excused | What::Misnamed
        );
        // What excludes it may have been announced after it was known to wait: then it still ends.
        if excluded && !ends && !self.rows.awaits(note.payment) {
            return;
        }
        let channel = self.values.of(tuple)[CHANNEL];
        let thresholds = self.thresholds(channel);
        self.rows
            .note(note, tuple, thresholds, second, &mut self.changes);
    }

    /// Values of the bad payments of a scope that became known after a second.
    pub(crate) fn bad_of(
        &self,
        scope: &Scope,
        bad: Bad,
        after_s: i64,
    ) -> impl Iterator<Item = &[ValueId]> {
        let rows = self.rows.since(after_s);
        let bad = rows.filter(move |row| row.is_bad(bad) && row.counts());
        let values = bad.map(|row| self.values.of(row.tuple));
        values.filter(|values| scope.holds(values))
    }

    /// When payments of a channel take long.
    pub(crate) fn thresholds(&self, channel: ValueId) -> Thresholds {
        self.thresholds
            .get(&channel)
            .copied()
            .unwrap_or(Thresholds::UNKNOWN)
    }

    /// The second `second` ends. What is explained teaches nothing and is not suspicious, what was announced counts
    /// nowhere. Returns what changed.
    pub(crate) fn end_second(
        &mut self,
        second: i64,
        announced: Announced<'_>,
        explained: Explained<'_>,
    ) -> Vec<Change> {
        for row in self.rows.end_second(second, &mut self.changes) {
            if let Some(taught) = row.taught {
                self.learned.remove(self.values.of(row.tuple), taught);
            }
        }
        let changes = std::mem::take(&mut self.changes);
        for change in &changes {
            if let Change::New(number) = *change {
                self.set_aside(number, announced);
            }
            self.sum(change, second, explained);
        }
        for window in &mut self.windows {
            window.advance(second);
        }
        self.learn(second, explained);
        changes
    }

    /// Something new was announced: of what is known by now, too.
    pub(crate) fn set_all_aside(&mut self, announced: Announced<'_>) {
        for number in self.rows.numbers() {
            self.set_aside(number, announced);
        }
    }

    fn set_aside(&mut self, number: u64, announced: Announced<'_>) {
        let row = self.rows.get(number);
        if row.is_some_and(|row| announced(row, self.values.of(row.tuple))) {
            self.rows.set_aside(number);
        }
    }

    fn sum(&mut self, change: &Change, second: i64, explained: Explained<'_>) {
        let (number, is_new) = match *change {
            Change::New(number) => (number, true),
            Change::Lost(number) => (number, false),
            Change::Late(_) | Change::Overdue(_) => return,
        };
        let Some(row) = self.rows.get(number).filter(|row| row.counts()) else {
            return;
        };
        let values = self.values.of(row.tuple);
        if explained(row, values) {
            return;
        }
        let sum = if is_new { sum_of(row) } else { Sum::LOST };
        for window in &mut self.windows {
            window.add(second, values, sum);
        }
    }

    fn learn(&mut self, second: i64, explained: Explained<'_>) {
        let Some(first) = self.first_s else { return };
        let renewed = second.rem_euclid(RENEWED_EVERY_S) == 0;
        if second < first + BEGINNING_S {
            if renewed {
                self.learn_anew(second, first, explained);
            }
            return;
        }
        if self.untaught == 0 {
            self.learned = Learned::default();
        }
        self.untaught = self.untaught.max(self.rows.first_number());
        while let Some(row) = self.rows.get(self.untaught) {
            if row.second > second - LEARNED_AFTER_S {
                break;
            }
            let values = self.values.of(row.tuple);
            if row.counts() && !explained(row, values) {
                let taught = Taught::of(row, second * 1000);
                self.learned.add(values, taught);
                self.rows.teach(self.untaught, taught);
            }
            self.untaught += 1;
        }
        if renewed {
            self.renew();
        }
    }

    fn renew(&mut self) {
        self.thresholds.extend(self.learned.thresholds());
        for (channel, shares) in self.learned.shares() {
            self.flows.learn(channel, shares);
        }
    }

    /// Everything but the last moments teaches, those who wait with their ages.
    fn learn_anew(&mut self, second: i64, first: i64, explained: Explained<'_>) {
        let now_ms = (second + 1) * 1000;
        let held_ms = ((now_ms - first * 1000) / 2).clamp(YOUNGEST_MS, LEARNED_AFTER_S * 1000);
        let until_ms = now_ms - held_ms;
        let mut learned = Learned::default();
        for row in self.rows.all() {
            let values = self.values.of(row.tuple);
            if row.accepted_ms <= until_ms && row.counts() && !explained(row, values) {
                learned.add(values, Taught::of(row, now_ms));
            }
        }
        for (tuple, accepted_ms) in self.rows.without_row() {
            if accepted_ms <= until_ms {
                let age_ms = (now_ms - accepted_ms) as u64;
                let taught = Taught::new(None, age_ms, false, false);
                learned.add(self.values.of(tuple), taught);
            }
        }
        self.learned = learned;
        self.renew();
    }

    /// How many payments of a row's kind are usually bad.
    pub(crate) fn usual_share(&self, row: &Row, bad: Bad) -> f64 {
        match bad {
            Bad::Long => LONG_SHARE,
            Bad::Slow => row.usual.0,
            Bad::Lost => row.usual.1,
        }
    }

    /// The usual share of bad payments of a value whose channel has `prior`.
    pub(crate) fn usual_of(&self, value: ValueId, prior: f64, bad: Bad) -> f64 {
        match bad {
            Bad::Long => LONG_SHARE,
            Bad::Slow => self.learned.share(value, prior, false),
            Bad::Lost => self.learned.share(value, prior, true),
        }
    }
}

/// What a row that is new adds: it is counted as lost apart.
fn sum_of(row: &Row) -> Sum {
    Sum {
        total: 1.0,
        long: f64::from(u8::from(row.long)),
        slow: f64::from(u8::from(row.slow)),
        slow_expected: row.usual.0,
        lost: 0.0,
        lost_expected: row.usual.1,
    }
}

impl Keep for Detector {
    fn write(&self, to: &mut Writer) {
        let Self {
            dims: _,
            values,
            rows,
            learned,
            thresholds,
            windows,
            flows,
            changes,
            untaught,
            first_s,
        } = self;
        // The names come first: what is read after them is held against them.
        values.write(to);
        rows.write(to);
        learned.write(to);
        thresholds.write(to);
        windows.write(to);
        flows.write(to);
        changes.write(to);
        untaught.write(to);
        first_s.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let detector = Self {
            dims: from.dims().clone(),
            values: Keep::read(from)?,
            rows: Keep::read(from)?,
            learned: Keep::read(from)?,
            thresholds: Keep::read(from)?,
            windows: Keep::read(from)?,
            flows: Keep::read(from)?,
            changes: Keep::read(from)?,
            untaught: Keep::read(from)?,
            first_s: Keep::read(from)?,
        };
        let whole = detector.windows.len() == WINDOWS_S.len();
        whole.then_some(detector).ok_or(Unreadable::Malformed)
    }
}

//! Payments that take longer than is usual, or never end: how many, where, since when.

pub(crate) mod baseline;
pub(crate) mod localise;
pub(crate) mod onset;
pub(crate) mod rates;
pub(crate) mod rows;
pub(crate) mod scope;
pub(crate) mod sliding;
pub(crate) mod values;

use std::collections::BTreeMap;

use crate::pulse::{CHANNEL, Dims, Note, What};

use baseline::{Lags, Thresholds, Usual};
use rows::{Change, Row, Rows};
use scope::Scope;
use sliding::{Sliding, Sum};
use values::{TupleId, ValueId, Values};

/// Windows in which a fault may show, in seconds.
pub(crate) const WINDOWS_S: [i64; 3] = [15, 60, 300];

/// A row teaches what is usual when it is this old, so that a fault is seen before it is learned from.
const LEARNED_AFTER_S: i64 = 120;

/// In the beginning rows teach earlier: something must be known.
const LEARNED_AT_FIRST_S: i64 = 20;

/// How long the beginning is.
const BEGINNING_S: i64 = 180;

/// Thresholds follow what was learned so often, in seconds.
const RENEWED_EVERY_S: i64 = 10;

/// What the watch knows of payments and their lags.
pub(crate) struct Detector {
    pub(crate) dims: Dims,
    pub(crate) values: Values,
    pub(crate) rows: Rows,
    lags: BTreeMap<ValueId, Lags>,
    thresholds: BTreeMap<ValueId, Thresholds>,
    usual: Usual,
    pub(crate) windows: Vec<Sliding>,
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
            lags: BTreeMap::new(),
            thresholds: BTreeMap::new(),
            usual: Usual::default(),
            windows: WINDOWS_S.iter().map(|&span| Sliding::new(span)).collect(),
            changes: Vec::new(),
            untaught: 0,
            first_s: None,
        }
    }

    /// Takes in a note of a second; `excluded` where it must not count.
    pub(crate) fn note(&mut self, note: &Note, tuple: TupleId, second: i64, excluded: bool) {
        self.first_s.get_or_insert(second);
        if excluded && !matches!(note.what, What::Ended { .. } | What::Excused) {
            return;
        }
        let channel = self.values.of(tuple)[CHANNEL];
        let thresholds = self.thresholds(channel);
        self.rows
            .note(note, tuple, thresholds, second, &mut self.changes);
    }

    /// When payments of a channel take long.
    pub(crate) fn thresholds(&self, channel: ValueId) -> Thresholds {
        self.thresholds
            .get(&channel)
            .copied()
            .unwrap_or(Thresholds::UNKNOWN)
    }

    /// The second `second` ends. What lies in `frozen` teaches nothing. Returns what changed.
    pub(crate) fn end_second(&mut self, second: i64, frozen: &[Scope]) -> Vec<Change> {
        self.rows.end_second(second, &mut self.changes);
        let changes = std::mem::take(&mut self.changes);
        for change in &changes {
            self.sum(change, second);
        }
        for window in &mut self.windows {
            window.advance(second);
        }
        self.learn(second, frozen);
        if second.rem_euclid(RENEWED_EVERY_S) == 0 {
            self.renew(frozen);
        }
        changes
    }

    fn sum(&mut self, change: &Change, second: i64) {
        let (number, sum) = match *change {
            Change::New(number) => (number, self.rows.get(number).map(sum_of)),
            Change::Lost(number) => {
                let lost = Sum {
                    lost: 1.0,
                    ..Sum::default()
                };
                (number, Some(lost))
            }
            Change::Late(_) | Change::Overdue(_) => return,
        };
        let (Some(row), Some(sum)) = (self.rows.get(number), sum) else {
            return;
        };
        if !row.timed {
            return;
        }
        let values = self.values.of(row.tuple);
        for window in &mut self.windows {
            window.add(second, values, sum);
        }
    }

    fn learn(&mut self, second: i64, frozen: &[Scope]) {
        let beginning = self
            .first_s
            .is_some_and(|first| second < first + BEGINNING_S);
        let after = if beginning {
            LEARNED_AT_FIRST_S
        } else {
            LEARNED_AFTER_S
        };
        while let Some(row) = self.rows.get(self.untaught.max(self.rows.first_number())) {
            if row.second > second - after {
                break;
            }
            let number = self.untaught.max(self.rows.first_number());
            self.untaught = number + 1;
            let values = self.values.of(row.tuple);
            if row.ended || !row.timed || frozen.iter().any(|scope| scope.holds(values)) {
                continue;
            }
            let lags = self.lags.entry(values[CHANNEL]).or_default();
            lags.learn(row.lag_ms, second);
            self.usual.learn(values, row.slow, row.lost, second);
        }
    }

    fn renew(&mut self, frozen: &[Scope]) {
        if frozen.iter().any(Scope::is_everything) {
            return;
        }
        let held = |channel: &ValueId| {
            frozen
                .iter()
                .any(|scope| scope.only(CHANNEL) == Some(*channel))
        };
        for (channel, lags) in &self.lags {
            if !held(channel) {
                self.thresholds.insert(*channel, lags.thresholds());
            }
        }
    }

    /// How many payments of a row's kind are usually slow, or lost.
    pub(crate) fn usual_share(&self, row: &Row, lost: bool) -> f64 {
        if lost { row.usual.1 } else { row.usual.0 }
    }

    /// The usual share of bad payments of a value whose channel has `prior`.
    pub(crate) fn usual_of(&self, value: ValueId, prior: f64, lost: bool) -> f64 {
        if lost {
            self.usual.lost_share(value, prior)
        } else {
            self.usual.slow_share(value, prior)
        }
    }
}

fn sum_of(row: &Row) -> Sum {
    Sum {
        total: 1.0,
        slow: f64::from(u8::from(row.slow)),
        slow_expected: row.usual.0,
        lost: 0.0,
        lost_expected: row.usual.1,
    }
}

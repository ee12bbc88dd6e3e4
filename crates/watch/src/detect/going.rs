//! Whether credits go on in a part of the way, while most of them do not come: then not all have stopped.

use std::collections::BTreeMap;

use super::Detector;
use super::localise::WAY;
use super::values::ValueId;

/// What is usual is what came in so many seconds before.
const USUAL_S: i64 = 60;

/// So many credits of a part are not chance.
const ENOUGH: u64 = 6;

/// A part goes on where at least this share of what is usual came: one in so many.
const ONE_IN: u64 = 2;

/// Credits of a part of the way, before an instant and after it.
#[derive(Clone, Copy, Default)]
struct Part {
    before: u64,
    after: u64,
}

impl Part {
    /// Whether it goes on `span_s` seconds after the instant.
    fn goes_on(self, span_s: u64) -> bool {
        let usual = self.before * span_s / USUAL_S.unsigned_abs();
        self.after >= ENOUGH && self.after * ONE_IN >= usual
    }
}

impl Detector {
    /// Whether a part of the way is still credited at `second`: after `since_s` about as much of it as in the minute
    /// before.
    pub(crate) fn some_go_on(&self, since_s: i64, second: i64) -> bool {
        let mut parts: BTreeMap<ValueId, Part> = BTreeMap::new();
        let first_s = since_s - USUAL_S;
        for row in self.rows.since(first_s) {
            let Some(lag_ms) = row.lag_ms else { continue };
            let credited_s = (row.accepted_ms + lag_ms as i64).div_euclid(1000);
            if credited_s <= first_s || !row.counts() {
                continue;
            }
            let values = self.values.of(row.tuple);
            let known = WAY.map(|dim| values[dim]).into_iter();
            for value in known.filter(|value| *value != ValueId::NONE) {
                let part = parts.entry(value).or_default();
                part.before += u64::from(credited_s <= since_s);
                part.after += u64::from(credited_s > since_s);
            }
        }
        let span_s = (second - since_s).max(0).unsigned_abs();
        parts.values().any(|part| part.goes_on(span_s))
    }
}

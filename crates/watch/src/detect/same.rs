//! How large places are, and whether two are one in other words.

use std::collections::BTreeMap;

use super::Detector;
use super::localise::{Suspicion, WAY};
use super::scope::Scope;
use super::values::{ValueId, count, nearly_all};

/// Payments of so long tell, in seconds.
const SEEN_S: i64 = 120;

/// So many payments tell.
const ENOUGH: u32 = 10;

/// Two places have the same payments where of a hundred of either so many lie in both.
const SAME: u32 = 95;

impl Detector {
    /// How many payments of a place became known after a second.
    pub(crate) fn payments_in(&self, scope: &Scope, after_s: i64) -> u64 {
        let rows = self.rows.since(after_s);
        let own = rows.filter(|row| scope.holds(self.values.of(row.tuple)));
        own.count() as u64
    }

    /// Whether nearly all slow payments of `inner` that were accepted after `since_s` lie in `outer`.
    pub(crate) fn suffers_in(&self, inner: &Scope, outer: &Scope, since_s: i64) -> bool {
        let rows = self.rows.since(since_s);
        let slow = rows.filter(|row| row.slow && row.accepted_ms.div_euclid(1000) > since_s);
        let own = slow.map(|row| self.values.of(row.tuple));
        let own = own.filter(|values| inner.holds(values));
        let (own, both) = count(own, |values| outer.holds(values));
        own > 0 && nearly_all((own, both))
    }

    /// Whether nearly all that is bad in a suspicion lies in one part of the way that has less than half of its payments:
    /// more of them may show that it is that part's alone.
    pub(crate) fn may_lie_in_a_part(&self, suspicion: &Suspicion, second: i64) -> bool {
        let mut parts: BTreeMap<ValueId, (u32, u32)> = BTreeMap::new();
        let (mut all, mut bad) = (0, 0);
        for row in self.rows.since(second - suspicion.window_s) {
            let values = self.values.of(row.tuple);
            if !row.counts() || !suspicion.scope.holds(values) {
                continue;
            }
            let is_bad = u32::from(row.is_bad(suspicion.bad));
            (all, bad) = (all + 1, bad + is_bad);
            for dim in WAY {
                let part = parts.entry(values[dim]).or_default();
                *part = (part.0 + 1, part.1 + is_bad);
            }
        }
        let mut parts = parts.values();
        parts.any(|(own, own_bad)| nearly_all((bad, *own_bad)) && own * 2 < all)
    }

    /// Whether two places have the same payments, of those that became known two minutes before `second` and since.
    pub(crate) fn are_same(&self, one: &Scope, other: &Scope, second: i64) -> bool {
        let (mut most, mut both) = ([0, 0], 0);
        for row in self.rows.since(second - SEEN_S) {
            let values = self.values.of(row.tuple);
            let is_in = [one.holds(values), other.holds(values)];
            most[0] += u32::from(is_in[0]);
            most[1] += u32::from(is_in[1]);
            both += u32::from(is_in == [true, true]);
        }
        both >= ENOUGH && both * 100 >= SAME * most[0].max(most[1])
    }
}

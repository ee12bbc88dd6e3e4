//! Whether two places are one in other words.

use super::Detector;
use super::scope::Scope;

/// Payments of so long tell, in seconds.
const SEEN_S: i64 = 120;

/// So many payments tell.
const ENOUGH: u32 = 10;

/// Two places have the same payments where of a hundred of either so many lie in both.
const SAME: u32 = 95;

impl Detector {
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

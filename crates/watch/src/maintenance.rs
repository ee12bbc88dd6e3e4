//! Announced maintenance, as the payments' values know its place.

use crate::detect::rows::Row;
use crate::detect::scope::Scope;
use crate::detect::values::ValueId;
use crate::pulse::DimIndex;

/// Payments that came so long before maintenance may still wait for their credit, in milliseconds.
pub(crate) const UNDER_WAY_MS: i64 = 60 * 1000;

/// When and where maintenance is announced.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    pub(crate) starts_ms: i64,
    /// `None` until it is over.
    pub(crate) ends_ms: Option<i64>,
    pub(crate) place: Vec<(DimIndex, ValueId)>,
}

impl Window {
    fn has(&self, lead_ms: i64, at_ms: i64) -> bool {
        at_ms >= self.starts_ms - lead_ms && self.ends_ms.is_none_or(|end| at_ms <= end)
    }

    /// Whether all payments of a scope have its place.
    fn has_all_of(&self, scope: &Scope) -> bool {
        let mut place = self.place.iter();
        place.all(|(dim, wanted)| scope.only(*dim) == Some(*wanted))
    }

    fn holds(&self, values: &[ValueId]) -> bool {
        self.place
            .iter()
            .all(|(dim, wanted)| values[*dim] == *wanted)
    }
}

/// All that is announced and remembered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Maintenance(pub(crate) Vec<Window>);

impl Maintenance {
    /// Whether a payment says nothing of how long credits take: accepted during maintenance of its place, or a moment
    /// before, or found to take long during it.
    pub(crate) fn excuses(&self, row: &Row, values: &[ValueId]) -> bool {
        self.excuse(row.accepted_ms, row.second * 1000, values)
    }

    fn excuse(&self, accepted_ms: i64, known_ms: i64, values: &[ValueId]) -> bool {
        self.0.iter().any(|window| {
            (window.has(UNDER_WAY_MS, accepted_ms) || window.has(0, known_ms))
                && window.holds(values)
        })
    }

    /// When the last maintenance of all of a scope ended, if that was from `from_ms` until `until_ms`.
    pub(crate) fn ended(&self, scope: &Scope, from_ms: i64, until_ms: i64) -> Option<i64> {
        let windows = self.0.iter().filter(|window| window.has_all_of(scope));
        let ends = windows.filter_map(|window| window.ends_ms);
        ends.filter(|end| (from_ms..=until_ms).contains(end)).max()
    }

    /// Whether it goes on at `now_ms`, or payments are left aside already.
    pub(crate) fn goes_on(&self, now_ms: i64, values: &[ValueId]) -> bool {
        let mut windows = self.0.iter();
        windows.any(|window| window.has(UNDER_WAY_MS, now_ms) && window.holds(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: [ValueId; 2] = [ValueId(1), ValueId(7)];
    const THERE: [ValueId; 2] = [ValueId(2), ValueId(7)];

    fn maintenance(ends_ms: Option<i64>) -> Maintenance {
        Maintenance(vec![Window {
            starts_ms: 100_000,
            ends_ms,
            place: vec![(0, ValueId(1))],
        }])
    }

    #[test]
    fn what_was_paid_or_became_known_during_it_is_excused() {
        let maintenance = maintenance(Some(300_000));
        assert!(maintenance.excuse(90_000, 310_000, &HERE), "under way");
        assert!(maintenance.excuse(10_000, 120_000, &HERE), "known");
        assert!(!maintenance.excuse(10_000, 99_000, &HERE), "before");
        assert!(!maintenance.excuse(301_000, 330_000, &HERE), "after");
        assert!(!maintenance.excuse(150_000, 160_000, &THERE), "elsewhere");
    }

    #[test]
    fn it_ended_where_it_had_all_of_a_place() {
        let maintenance = maintenance(Some(300_000));
        let here = Scope(vec![(0, vec![ValueId(1)]), (1, vec![ValueId(7)])]);
        assert_eq!(maintenance.ended(&here, 200_000, 310_000), Some(300_000));
        assert_eq!(maintenance.ended(&here, 301_000, 400_000), None, "long ago");
        assert_eq!(maintenance.ended(&here, 200_000, 290_000), None, "not yet");
        let elsewhere = Scope::one(0, ValueId(2));
        assert_eq!(maintenance.ended(&elsewhere, 200_000, 310_000), None);
        assert_eq!(maintenance.ended(&Scope::default(), 0, 310_000), None);
    }

    #[test]
    fn it_goes_on_until_it_ends() {
        assert!(maintenance(None).goes_on(i64::MAX, &HERE));
        let ended = maintenance(Some(300_000));
        assert!(ended.goes_on(40_000, &HERE));
        assert!(!ended.goes_on(300_001, &HERE));
        assert!(!ended.goes_on(200_000, &THERE));
    }
}

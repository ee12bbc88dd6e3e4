//! The place that a change names, where it has the payments of the place that was found: what was changed is to blame.

use crate::around::Around;
use crate::detect::Detector;
use crate::detect::scope::Scope;

/// `scope`, or the place of a change just before a fault that began at `onset_ms`, where that is the same in other words.
pub(super) fn by_change(
    scope: Scope,
    onset_ms: i64,
    detector: &Detector,
    around: &Around<'_>,
) -> Scope {
    let Detector { values, dims, .. } = detector;
    let changed = around.feeds.changed(onset_ms, values, dims);
    let mut changed = changed.filter(|place| *place != scope);
    let same = changed.find(|place| detector.are_same(&scope, place, onset_ms.div_euclid(1000)));
    same.unwrap_or(scope)
}

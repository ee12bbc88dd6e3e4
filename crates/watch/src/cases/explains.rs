//! Which payments wait because their credits came under corrupted ids, as far as patterns tell.

use super::Cases;
use super::pattern::Pattern;
use crate::detect::Detector;
use crate::detect::localise::Suspicion;
use crate::detect::rows::Row;
use crate::detect::values::ValueId;
use crate::incident::cause::Cause;

/// Payments that came so long before a pattern began may be touched by it, in milliseconds.
const LEAD_MS: i64 = 10_000;

/// Ids of a place are known to be corrupted where so many were, and account for what is missing where that would be this
/// share of it.
const CORRUPTED: f64 = 3.0;
const CORRUPTED_SHARE: f64 = 0.5;

impl Cases {
    /// Patterns that explain why payments wait.
    fn explaining(&self) -> impl Iterator<Item = &Pattern> {
        let open = self.open.iter();
        open.filter(|pattern| pattern.cause == Cause::IdCorrupted)
    }

    /// Whether there is any payment that [`explains`](Self::explains) may be true of.
    pub(crate) fn explain_any(&self) -> bool {
        self.explaining().next().is_some()
    }

    /// Whether a payment waits because its credit came under a corrupted id, as others of its place do.
    pub(crate) fn explains(&self, row: &Row, values: &[ValueId]) -> bool {
        self.explaining().any(|pattern| {
            row.accepted_ms >= pattern.started_ms - LEAD_MS && pattern.place.scope.holds(values)
        })
    }

    /// Whether payments of a place are missing because ids go on to be corrupted there, in a wider place than is known by
    /// now: no more are missing than came under corrupted ids before.
    pub(crate) fn account_for(
        &self,
        suspicion: &Suspicion,
        second: i64,
        detector: &Detector,
    ) -> bool {
        let began_ms = self.explaining().map(|pattern| pattern.started_ms).min();
        let pool = self.pools.get(&Cause::IdCorrupted);
        let Some((began_ms, pool)) = began_ms.zip(pool) else {
            return false;
        };
        let known = pool
            .cases
            .iter()
            .filter(|case| case.since_ms >= began_ms && suspicion.scope.holds(&case.values));
        let (count, last_ms) = known.fold((0.0, began_ms), |(count, last_ms), case| {
            (count + 1.0, last_ms.max(case.since_ms))
        });
        let rows = detector.rows.since(second - suspicion.window_s);
        let bad = rows.filter(|row| row.counts() && row.is_bad(suspicion.bad));
        let missing = bad.filter(|row| suspicion.scope.holds(detector.values.of(row.tuple)));
        let per_ms = count / ((last_ms - began_ms).max(1000) as f64);
        let usual = per_ms * (suspicion.window_s * 1000) as f64;
        count >= CORRUPTED && usual >= missing.count() as f64 * CORRUPTED_SHARE
    }
}

//! What is known of other faults where one is looked at.

use crate::detect::rows::{Bad, Row};
use crate::detect::scope::Scope;
use crate::detect::values::ValueId;
use crate::detect::{Detector, UNJUDGED_MS};
use crate::keep::keep;

use super::LEAD_MS;
use super::fault::{Fault, onset_of};

/// What began so long before or after is another fault, in milliseconds.
pub(super) const ANOTHER_MS: i64 = 20_000;

/// Where a fault is, and since and until when payments suffer, in milliseconds.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) scope: Scope,
    pub(super) onset_ms: i64,
    pub(super) until_ms: i64,
    pub(super) apart: bool,
    /// Payments of late.
    pub(super) payments: u64,
    /// Whether payments were credited under corrupted ids.
    pub(super) corrupted: bool,
}

keep!(Place {
    scope,
    onset_ms,
    until_ms,
    apart,
    payments,
    corrupted,
});

impl Place {
    /// Whether a payment suffers from it, or was paid at most `lead_ms` before those that do.
    pub(super) fn has(&self, accepted_ms: i64, values: &[ValueId], lead_ms: i64) -> bool {
        let during = self.onset_ms - lead_ms..=self.until_ms;
        during.contains(&accepted_ms) && self.scope.holds(values)
    }

    /// Whether what both have is this one's: it began at another time, in a smaller place.
    pub(super) fn takes_from(&self, other: &Self) -> bool {
        let began_ms = self.onset_ms - other.onset_ms;
        let smaller = self.scope != other.scope && self.payments < other.payments;
        smaller && began_ms.abs() > ANOTHER_MS
    }
}

/// Faults beside the one that is looked at.
pub(super) struct Others<'a> {
    pub(super) open: Vec<&'a Place>,
    /// Those that are over, and silences of whole streams.
    pub(super) over: &'a [Place],
}

impl Others<'_> {
    /// Whether one of several values is another fault's that is open.
    pub(super) fn have_a_part_of(&self, scope: &Scope) -> bool {
        let several = scope.0.iter().any(|(_, any)| any.len() > 1);
        several && self.open.iter().any(|other| contains(scope, &other.scope))
    }

    /// Whether one that is open began before `fault`.
    pub(super) fn are_older(&self, fault: &Fault) -> bool {
        let mut open = self.open.iter();
        open.any(|other| !other.apart && other.onset_ms < fault.onset_ms - ANOTHER_MS)
    }

    /// Whether one that is open has this very place.
    pub(super) fn are_at(&self, scope: &Scope) -> bool {
        self.open.iter().any(|other| other.scope == *scope)
    }

    /// Whether what is bad of a payment is explained by a fault that is no part of one in `scope`.
    fn explain(&self, scope: &Scope, accepted_ms: i64, values: &[ValueId]) -> bool {
        let mut over = self.over.iter();
        over.any(|over| over.has(accepted_ms, values, LEAD_MS))
            || self.open.iter().any(|other| {
                (other.apart || !contains(scope, &other.scope))
                    && other.has(accepted_ms, values, LEAD_MS)
            })
    }

    /// Since when a fault is in `scope`, in milliseconds: by the payments that others leave to it, where they tell.
    pub(super) fn onset_of(
        &self,
        detector: &Detector,
        scope: &Scope,
        second: i64,
        bad: Bad,
    ) -> Option<i64> {
        let own = |row: &Row, values: &[ValueId]| !self.explain(scope, row.accepted_ms, values);
        onset_of(detector, scope, second, bad, &own)
            .or_else(|| onset_of(detector, scope, second, bad, &|_, _| true))
    }

    /// Whether a payment suffered from one that is over, or suffers from one that began at another time than `fault`: from
    /// one around the place of `fault` it may suffer besides.
    pub(super) fn have(&self, fault: &Fault, accepted_ms: i64, values: &[ValueId]) -> bool {
        let is_beside = |other: &Scope| !contains(other, &fault.scope);
        let mut over = self.over.iter();
        over.any(|over| {
            is_beside(&over.scope) && over.has(accepted_ms, values, LEAD_MS + UNJUDGED_MS)
        }) || self.open.iter().any(|other| {
            (other.onset_ms - fault.onset_ms).abs() > ANOTHER_MS
                && is_beside(&other.scope)
                && other.has(accepted_ms, values, 0)
        })
    }
}

/// Whether everything in `inner` lies in `outer`.
pub(super) fn contains(outer: &Scope, inner: &Scope) -> bool {
    outer.0.iter().all(|(dim, any)| {
        inner
            .0
            .iter()
            .any(|(known, values)| known == dim && values.iter().all(|value| any.contains(value)))
    })
}

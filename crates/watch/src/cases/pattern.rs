//! A pattern that is open: cases of one verdict in one place, or with one signature.

use settlewatch_join::Timestamp;

use super::case::Kept;
use super::place::Place;
use super::signature::Signature;
use crate::detect::Detector;
use crate::detect::scope::Scope;
use crate::detect::values::distinct;
use crate::incident::book::{Entry, Report};
use crate::incident::cause::Cause;
use crate::incident::{Basis, Evidence, Finding, Severity};
use crate::keep::keep;
use crate::pulse::{MERCHANT, TERMINAL};

/// With fewer cases a better place is believed at once.
const FEW: f64 = 20.0;

/// Cases that an incident names.
const SAMPLES: usize = 5;

/// A pattern is over when no case became known for so long, in seconds.
const OVER_S: i64 = 240;

/// The same where a case becomes known only some minutes after the record that shows it.
const OVER_LATE_S: i64 = 150;

/// An open pattern.
pub(super) struct Pattern {
    pub(super) entry: Entry,
    pub(super) cause: Cause,
    pub(super) signature: Option<Signature>,
    pub(super) place: Place,
    /// Another place that explained the cases better when they were last looked at.
    pub(super) better: Option<Scope>,
    pub(super) started_ms: i64,
    pub(super) last_s: i64,
}

impl Pattern {
    /// Whether a case of its pool is one of its cases.
    pub(super) fn has(&self, case: &Kept) -> bool {
        let alike = match self.signature {
            Some(signature) => signature.holds(case),
            None => case.cause == self.cause,
        };
        alike && self.place.scope.holds(&case.values)
    }

    /// Whether cases with such a signature in such a place are this pattern: most of either are in the other.
    pub(super) fn is_about(
        &self,
        cause: Cause,
        signature: Option<Signature>,
        place: &Place,
        cases: &[&Kept],
    ) -> bool {
        let alike = match (self.signature, signature) {
            (Some(own), Some(other)) => own.is_like(other),
            // A signature shows only when there are enough cases.
            (None, Some(_)) => true,
            _ => self.cause == cause,
        };
        let (mut own, mut theirs, mut both) = (0, 0, 0);
        for case in cases {
            let is_own = self.place.scope.holds(&case.values);
            let is_theirs = place.scope.holds(&case.values);
            own += u32::from(is_own);
            theirs += u32::from(is_theirs);
            both += u32::from(is_own && is_theirs);
        }
        alike && (both * 2 > own || both * 2 > theirs)
    }

    /// Takes another place over when it explains the cases better, and goes on to. Returns whether it did.
    pub(super) fn improve(&mut self, place: Place) -> bool {
        if place.scope == self.place.scope {
            self.place = place;
            self.better = None;
            return false;
        }
        let again = self.better.as_ref() == Some(&place.scope);
        if !again && place.inside.bad >= FEW {
            self.better = Some(place.scope);
            return false;
        }
        self.place = place;
        self.better = None;
        true
    }

    /// Whether nothing showed it for long enough.
    pub(super) fn is_over(&self, second: i64) -> bool {
        let late = matches!(self.cause, Cause::OrphanCredit | Cause::IdCorrupted);
        second - self.last_s >= if late { OVER_LATE_S } else { OVER_S }
    }

    pub(super) fn report<'a>(
        &self,
        cases: impl Iterator<Item = &'a Kept>,
        detector: &Detector,
    ) -> Report {
        let Place {
            scope,
            inside,
            outside,
        } = &self.place;
        let mut evidence = Evidence {
            signature: self.signature.map(Signature::text),
            rate_inside: inside.rate(),
            rate_outside: outside.rate(),
            explains: inside.bad / (inside.bad + outside.bad).max(1.0),
            ..Evidence::default()
        };
        let (mut merchants, mut terminals) = (Vec::new(), Vec::new());
        let mut samples = Vec::new();
        for case in cases.filter(|case| self.has(case) && case.since_ms >= self.started_ms) {
            evidence.touched += 1;
            merchants.push(case.values[MERCHANT]);
            terminals.push(case.values[TERMINAL]);
            if samples.len() < SAMPLES {
                samples.push(case.id.to_string());
            }
            let money = case.currency.map(|currency| (currency, case.amount_minor));
            if let Some((currency, amount)) = money {
                *evidence.touched_minor.entry(currency).or_default() += amount;
            }
            if case.resolved {
                continue;
            }
            evidence.open += 1;
            if let Some((currency, amount)) = money {
                *evidence.amount_minor.entry(currency).or_default() += amount;
            }
        }
        evidence.merchants = distinct(merchants).len() as u64;
        evidence.terminals = distinct(terminals).len() as u64;
        Report {
            finding: Finding {
                cause: self.cause,
                basis: Basis::Inferred,
                confidence: 0.9,
                ruled_out: Vec::new(),
            },
            severity: if self.signature.is_some() {
                Severity::Warning
            } else {
                Severity::Info
            },
            scope: scope.named(&detector.values, &detector.dims),
            started_at: Timestamp::from_millis(self.started_ms),
            evidence,
            samples,
        }
    }
}

keep!(Pattern {
    entry,
    cause,
    signature,
    place,
    better,
    started_ms,
    last_s,
});

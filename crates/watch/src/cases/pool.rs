//! The cases of one verdict, and in which groups they are looked at.

use std::collections::VecDeque;
use std::sync::Arc;

use super::case::Kept;
use super::signature::{Signature, fee_rate};
use crate::incident::cause::Cause;
use crate::keep::keep;

/// Cases that are kept of one verdict.
const LIMIT: usize = 50_000;

/// A share of further cases, one in so many, is worth another look.
const GROWN: usize = 10;

/// An orphan may turn out to be a payment's credit under a corrupted id so long after it is known, in seconds.
const SETTLES_S: i64 = 5;

/// Cases that belong together, and what they have in common besides their verdict.
pub(super) struct Group<'a> {
    pub(super) cause: Cause,
    pub(super) signature: Option<Signature>,
    pub(super) cases: Vec<&'a Kept>,
}

/// The cases of one verdict; amounts that differ by a fee are kept with those that differ otherwise.
#[derive(Default)]
pub(super) struct Pool {
    pub(super) cases: VecDeque<Kept>,
    /// Cases since they were looked at.
    fresh: usize,
    heard_s: i64,
}

impl Pool {
    /// The verdict whose pool has the cases of a verdict.
    pub(super) fn of(cause: Cause) -> Cause {
        match cause {
            Cause::FeeMismatch => Cause::AmountMismatch,
            other => other,
        }
    }

    /// Takes a case in; `None` where it is known: another verdict on the same payment is no further case.
    pub(super) fn add(&mut self, case: Kept) -> Option<&Kept> {
        if self.cases.iter().rev().any(|known| known.id == case.id) {
            return None;
        }
        self.heard_s = case.second;
        self.fresh += 1;
        self.cases.push_back(case);
        if self.cases.len() > LIMIT {
            self.cases.pop_front();
        }
        self.cases.back()
    }

    pub(super) fn remove(&mut self, id: &Arc<str>) {
        self.cases.retain(|case| case.id != *id);
    }

    pub(super) fn resolve(&mut self, id: &Arc<str>) {
        let mut cases = self.cases.iter_mut().rev();
        if let Some(case) = cases.find(|case| case.id == *id) {
            case.resolved = true;
        }
    }

    pub(super) fn forget(&mut self, until_s: i64) {
        while self
            .cases
            .front()
            .is_some_and(|case| case.second <= until_s)
        {
            self.cases.pop_front();
        }
    }

    /// Whether there is enough that is new to look at it.
    pub(super) fn is_due(&mut self, cause: Cause, second: i64) -> bool {
        let settled = cause != Cause::OrphanCredit || second >= self.heard_s + SETTLES_S;
        let due = self.fresh > 0 && self.fresh * GROWN >= self.cases.len() && settled;
        if due {
            self.fresh = 0;
        }
        due
    }

    /// The cases that became known after the second `after`, in groups that may be patterns: first those with a
    /// signature, then the others by their verdict.
    pub(super) fn groups(&self, after: i64, contract_ppm: &[u64], least: usize) -> Vec<Group<'_>> {
        let mut rest: Vec<&Kept> = self.cases.iter().collect();
        rest.retain(|case| case.second > after);
        let mut groups = Vec::new();
        let rate = fee_rate(&rest, contract_ppm, least);
        let fixed = Signature::FIXED.map(|it| (it, Cause::AmountMismatch));
        let mut signatures: Vec<_> = rate
            .map(|it| (it, Cause::FeeMismatch))
            .into_iter()
            .collect();
        signatures.extend(fixed);
        // The one that explains the most first: a fee of a small amount is one unit.
        let count = |it: &Signature| rest.iter().filter(|case| it.holds(case)).count();
        signatures.sort_by_cached_key(|(it, _)| std::cmp::Reverse(count(it)));
        for (signature, cause) in signatures {
            take(&mut rest, signature, cause, least, &mut groups);
        }
        let mut causes: Vec<Cause> = rest.iter().map(|case| case.cause).collect();
        causes.sort_unstable();
        causes.dedup();
        for cause in causes {
            let cases = rest.iter().copied().filter(|case| case.cause == cause);
            groups.push(Group {
                cause,
                signature: None,
                cases: cases.collect(),
            });
        }
        groups.retain(|group| group.cases.len() >= least);
        groups
    }
}

/// Takes the cases with a signature out of `rest`, if there are enough.
fn take<'a>(
    rest: &mut Vec<&'a Kept>,
    signature: Signature,
    cause: Cause,
    least: usize,
    groups: &mut Vec<Group<'a>>,
) {
    let (alike, others): (Vec<_>, Vec<_>) = rest.iter().partition(|case| signature.holds(case));
    if alike.len() < least {
        return;
    }
    *rest = others;
    groups.push(Group {
        cause,
        signature: Some(signature),
        cases: alike,
    });
}

keep!(Pool {
    cases,
    fresh,
    heard_s,
});

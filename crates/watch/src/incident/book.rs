//! The incidents: opened, revised when the evidence changed materially, resolved, reopened.

use std::fmt::Write as _;

use settlewatch_join::event::Currency;
use settlewatch_join::{Fingerprint, Span, Timestamp};

use super::cause::Cause;
use super::{Evidence, Finding, Incident, Severity};

/// Revisions for evidence alone are at least so far apart, in milliseconds.
const QUIET_MS: i64 = 60_000;

/// What kinds of faults there are, as far as they are found apart from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Family {
    /// Payments that take long or are never credited.
    Credits,
    /// Streams and partitions that say nothing.
    Silence,
    /// Records that come late, or clocks that are wrong.
    Sources,
    /// Cases of one verdict.
    Cases(Cause),
    /// Acknowledgements of merchants.
    Acks,
    /// Batches that were due.
    Batches,
    /// What we have not read.
    Behind,
}

/// An incident as one of the finders sees it.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) finding: Finding,
    pub(crate) severity: Severity,
    pub(crate) scope: Vec<(String, Vec<String>)>,
    pub(crate) started_at: Timestamp,
    pub(crate) evidence: Evidence,
    pub(crate) samples: Vec<String>,
}

/// Number of an incident in the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry(usize);

impl Entry {
    /// Not in the book yet.
    pub(crate) const NONE: Self = Self(usize::MAX);
}

struct Kept {
    family: Family,
    shown: Incident,
    /// Whether it paged: it is said once.
    tenfold: u64,
}

/// All incidents that are open, or may be opened again.
pub(crate) struct Book {
    kept: Vec<Option<Kept>>,
    reopen_within: Span,
    /// Revisions that nobody took yet.
    said: Vec<Incident>,
}

impl Book {
    pub(crate) fn new(reopen_within: Span) -> Self {
        Self {
            kept: Vec::new(),
            reopen_within,
            said: Vec::new(),
        }
    }

    /// Opens an incident, or opens the one again that the same cause had a short time ago.
    pub(crate) fn open(&mut self, family: Family, report: Report, now: Timestamp) -> Entry {
        let again = self.kept.iter().position(|kept| {
            kept.as_ref().is_some_and(|kept| {
                kept.family == family
                    && kept.shown.scope == report.scope
                    && kept
                        .shown
                        .resolved_at
                        .is_some_and(|at| at + self.reopen_within >= now)
            })
        });
        if let Some(at) = again {
            let kept = self.kept[at].as_mut().expect("it was just found");
            kept.shown.resolved_at = None;
            let started_at = kept.shown.started_at.min(report.started_at);
            self.say(
                at,
                Report {
                    started_at,
                    ..report
                },
                now,
            );
            return Entry(at);
        }
        let id = id_of(family, &report, now);
        let touched = report.evidence.touched.max(1);
        let shown = Incident {
            id,
            revision: 1,
            severity: report.severity,
            finding: report.finding,
            scope: report.scope,
            opened_at: now,
            started_at: report.started_at.min(now),
            updated_at: now,
            resolved_at: None,
            evidence: report.evidence,
            samples: report.samples,
        };
        self.said.push(shown.clone());
        self.kept.push(Some(Kept {
            family,
            shown,
            tenfold: touched,
        }));
        Entry(self.kept.len() - 1)
    }

    /// Says what changed, where it is worth saying.
    pub(crate) fn update(&mut self, entry: Entry, report: Report, now: Timestamp) {
        let Some(kept) = self.kept.get_mut(entry.0).and_then(Option::as_mut) else {
            return;
        };
        let shown = &kept.shown;
        let turned = shown.finding.cause != report.finding.cause
            || shown.finding.basis != report.finding.basis
            || shown.scope != report.scope
            || shown.severity != report.severity;
        let grown = report.evidence.touched >= kept.tenfold.saturating_mul(3)
            && now.since(shown.updated_at) >= QUIET_MS;
        if turned || grown {
            kept.tenfold = report.evidence.touched.max(1);
            self.say(entry.0, report, now);
        }
    }

    /// The fault is over.
    pub(crate) fn resolve(&mut self, entry: Entry, report: Report, now: Timestamp) {
        if let Some(kept) = self.kept.get_mut(entry.0).and_then(Option::as_mut) {
            kept.shown.resolved_at = Some(now);
            self.say(entry.0, report, now);
        }
    }

    fn say(&mut self, at: usize, report: Report, now: Timestamp) {
        let Some(kept) = self.kept[at].as_mut() else {
            return;
        };
        let shown = &mut kept.shown;
        shown.revision += 1;
        shown.severity = report.severity;
        shown.finding = report.finding;
        shown.scope = report.scope;
        shown.started_at = report.started_at.min(shown.opened_at);
        shown.updated_at = now;
        shown.evidence = report.evidence;
        shown.samples = report.samples;
        self.said.push(shown.clone());
    }

    /// Forgets what cannot be opened again.
    pub(crate) fn forget(&mut self, now: Timestamp) {
        for kept in &mut self.kept {
            let over = kept.as_ref().and_then(|kept| kept.shown.resolved_at);
            if over.is_some_and(|at| at + self.reopen_within < now) {
                *kept = None;
            }
        }
    }

    /// The revisions since the last time, in the order of their identity.
    pub(crate) fn take(&mut self) -> Vec<Incident> {
        let mut said = std::mem::take(&mut self.said);
        said.sort_by(|a, b| {
            (a.updated_at, &a.id, a.revision).cmp(&(b.updated_at, &b.id, b.revision))
        });
        said
    }

    /// Incidents that are open.
    pub(crate) fn open_ones(&self) -> impl Iterator<Item = &Incident> {
        self.kept
            .iter()
            .flatten()
            .map(|kept| &kept.shown)
            .filter(|shown| shown.resolved_at.is_none())
    }
}

/// The identity of an incident: its family, its first scope, and the second in which it was opened.
fn id_of(family: Family, report: &Report, now: Timestamp) -> String {
    let mut text = format!("{family:?}");
    for (name, values) in &report.scope {
        let _ = write!(text, "|{name}={}", values.join(","));
    }
    let second = now.millis().div_euclid(1000).to_le_bytes();
    let hash = Fingerprint::of_parts(b'I', [text.as_bytes(), &second]);
    format!("inc-{:016x}", hash.0)
}

/// How bad an incident is by what stops and what it costs.
pub(crate) fn severity(
    nothing_credited: bool,
    evidence: &Evidence,
    critical_minor: &[(Currency, u64)],
) -> Severity {
    let dear = critical_minor.iter().any(|(currency, limit)| {
        evidence
            .amount_minor
            .get(currency)
            .is_some_and(|amount| *amount >= u128::from(*limit))
    });
    if nothing_credited || dear {
        Severity::Critical
    } else {
        Severity::Warning
    }
}

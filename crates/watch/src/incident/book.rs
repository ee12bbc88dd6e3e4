//! The incidents: opened, revised when the evidence changed materially, resolved, reopened.

use std::fmt::Write as _;

use settlewatch_join::event::Currency;
use settlewatch_join::{Fingerprint, Span, Timestamp};

pub(crate) use super::Scoped;
use super::cause::Cause;
use super::{Evidence, Finding, Incident, Severity, Told};
use crate::keep::{Keep, Reader, Unreadable, Writer, keep, keep_enum};

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
    pub(crate) scope: Scoped,
    pub(crate) started_at: Timestamp,
    pub(crate) evidence: Evidence,
    pub(crate) samples: Vec<String>,
}

/// The right to speak of an incident: its number in the book, and how often it changed hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry(usize, u32);

impl Entry {
    /// Not in the book yet.
    pub(crate) const NONE: Self = Self(usize::MAX, 0);
}

/// The scope of a whole stream.
pub(crate) fn stream_scope(name: &str) -> Scoped {
    vec![("stream".to_owned(), vec![name.to_owned()])]
}

struct Kept {
    family: Family,
    /// How often another finder took it over.
    hand: u32,
    shown: Incident,
    /// Payments that it had touched when that was said last.
    told: u64,
    /// When it began for the first time, where it was opened again.
    first: Option<Timestamp>,
}

impl Kept {
    /// When it began for the first time.
    fn began(&self) -> Timestamp {
        let began = self.shown.started_at;
        self.first.map_or(began, |first| first.min(began))
    }
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

    /// Opens an incident, or opens the one again that the same cause had a short time ago. What another finder tells of
    /// with the same cause and place is the same incident.
    pub(crate) fn open(&mut self, family: Family, report: Report, now: Timestamp) -> Entry {
        if let Some(at) = self.again(family, &report, now) {
            return self.go_on(at, family, report, now);
        }
        let id = self.new_id(family, &report, now);
        let touched = report.evidence.touched.max(1);
        let told = Told::first(report.finding.cause, report.severity, &report.scope);
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
            told,
        };
        self.said.push(shown.clone());
        self.kept.push(Some(Kept {
            family,
            hand: 0,
            shown,
            told: touched,
            first: None,
        }));
        Entry(self.kept.len() - 1, 0)
    }

    /// An identity that no other incident has: two signatures may be patterns of everything in the same second.
    fn new_id(&self, family: Family, report: &Report, now: Timestamp) -> String {
        let known = |id: &String| self.kept.iter().flatten().any(|it| it.shown.id == *id);
        let mut ids = (0..).map(|nth| id_of(family, report, now, nth));
        ids.find(|id| !known(id)).unwrap_or_default()
    }

    /// As [`open`](Self::open), but where payments were missed in one of `scopes` when it began, this is what was
    /// behind it: that incident goes on with this verdict, and who opened it has no say any more.
    pub(crate) fn take_over(
        &mut self,
        scopes: &[Scoped],
        family: Family,
        report: Report,
        now: Timestamp,
    ) -> Entry {
        let within = |shown: &Incident| scopes.iter().any(|scope| is_within(&shown.scope, scope));
        self.go_on_with(within, family, report, now)
    }

    /// The same of what stops all: what was missed anywhere, of everything or since at most `signs_ms` before, was its
    /// first sign.
    pub(crate) fn take_over_all(
        &mut self,
        signs_ms: i64,
        family: Family,
        report: Report,
        now: Timestamp,
    ) -> Entry {
        let first_ms = report.started_at.millis() - signs_ms;
        let own = report.scope.clone();
        let is_sign = |shown: &Incident| {
            let everything = shown.scope.is_empty() || shown.scope == own;
            everything || shown.started_at.millis() >= first_ms
        };
        self.go_on_with(is_sign, family, report, now)
    }

    /// The last incident of credits that `is_symptom` goes on with what is behind it.
    fn go_on_with(
        &mut self,
        is_symptom: impl Fn(&Incident) -> bool,
        family: Family,
        report: Report,
        now: Timestamp,
    ) -> Entry {
        let symptom = self.kept.iter().rposition(|kept| {
            kept.as_ref().is_some_and(|kept| {
                let end = kept.shown.resolved_at;
                kept.family == Family::Credits
                    && is_symptom(&kept.shown)
                    && end.is_none_or(|at| at >= report.started_at)
            })
        });
        match symptom {
            Some(at) => self.go_on(at, family, report, now),
            None => self.open(family, report, now),
        }
    }

    /// What `entry` tells of turned out to be of another family.
    pub(crate) fn hand_over(
        &mut self,
        entry: Entry,
        family: Family,
        report: Report,
        now: Timestamp,
    ) -> Entry {
        if self.owned(entry).is_some() {
            self.go_on(entry.0, family, report, now)
        } else {
            self.open(family, report, now)
        }
    }

    /// A known incident goes on, or again, as `family` sees it.
    fn go_on(&mut self, at: usize, family: Family, report: Report, now: Timestamp) -> Entry {
        let Some(kept) = self.kept[at].as_mut() else {
            return Entry::NONE;
        };
        if kept.shown.resolved_at.take().is_some() {
            kept.first = Some(kept.shown.started_at);
        }
        kept.family = family;
        kept.hand += 1;
        let entry = Entry(at, kept.hand);
        let started_at = kept.shown.started_at.min(report.started_at);
        let report = Report {
            started_at,
            ..report
        };
        self.say(at, report, now);
        entry
    }

    fn owned(&mut self, entry: Entry) -> Option<&mut Kept> {
        let kept = self.kept.get_mut(entry.0)?.as_mut()?;
        (kept.hand == entry.1).then_some(kept)
    }

    /// The incident that goes on, or again, where this one is opened.
    fn again(&self, family: Family, report: &Report, now: Timestamp) -> Option<usize> {
        self.kept.iter().position(|kept| {
            kept.as_ref().is_some_and(|kept| {
                let resolved_at = kept.shown.resolved_at;
                let recent = resolved_at.is_some_and(|at| at + self.reopen_within >= now);
                let found_so = kept.family != family
                    && kept.shown.finding.cause == report.finding.cause
                    && (recent || resolved_at.is_none());
                kept.shown.scope == report.scope && (kept.family == family && recent || found_so)
            })
        })
    }

    /// When the incident began for the first time, in milliseconds, that is opened again where this one is opened.
    pub(crate) fn first_ms(&self, family: Family, report: &Report, now: Timestamp) -> Option<i64> {
        let kept = self.kept[self.again(family, report, now)?].as_ref()?;
        let again = kept.shown.resolved_at.is_some();
        again.then(|| kept.began().millis())
    }

    /// When the incident began, in milliseconds, that goes on where this one is opened.
    pub(crate) fn began_ms(&self, family: Family, report: &Report, now: Timestamp) -> Option<i64> {
        let kept = self.kept[self.again(family, report, now)?].as_ref()?;
        Some(kept.began().millis())
    }

    /// Says what changed, where it is worth saying.
    pub(crate) fn update(&mut self, entry: Entry, report: Report, now: Timestamp) {
        let Some(kept) = self.owned(entry) else {
            return;
        };
        let report = as_bad_as(&kept.shown, report);
        let shown = &kept.shown;
        let turned = shown.finding.cause != report.finding.cause
            || shown.finding.basis != report.finding.basis
            || shown.scope != report.scope
            || shown.severity != report.severity;
        let grown = report.evidence.touched >= kept.told.saturating_mul(3)
            && now.since(shown.updated_at) >= QUIET_MS;
        if turned || grown {
            kept.told = report.evidence.touched.max(1);
            self.say(entry.0, report, now);
        }
    }

    /// The fault is over.
    pub(crate) fn resolve(&mut self, entry: Entry, report: Report, now: Timestamp) {
        if let Some(kept) = self.owned(entry) {
            let report = as_bad_as(&kept.shown, report);
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
        if shown.told.must_page(report.severity) {
            shown.told = Told::first(report.finding.cause, report.severity, &report.scope);
        }
        shown.severity = report.severity;
        shown.finding = report.finding;
        shown.scope = report.scope;
        let began = report.started_at.min(shown.opened_at);
        shown.started_at = kept.first.map_or(began, |first| first.min(began));
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
        let shown = self.kept.iter().flatten().map(|kept| &kept.shown);
        shown.filter(|shown| shown.resolved_at.is_none())
    }
}

/// The same fault is as bad as it was at its worst until it is over: people are told once.
fn as_bad_as(shown: &Incident, report: Report) -> Report {
    let severity = if shown.finding.cause == report.finding.cause {
        shown.severity.max(report.severity)
    } else {
        report.severity
    };
    Report { severity, ..report }
}

/// Whether everything in `inner` lies in `outer`; in everything lies itself alone.
fn is_within(inner: &Scoped, outer: &Scoped) -> bool {
    inner == outer || !outer.is_empty() && outer.iter().all(|condition| inner.contains(condition))
}

/// The identity of an incident: its family, its first scope, the second in which it was opened, and how many others have
/// all of that.
fn id_of(family: Family, report: &Report, now: Timestamp, nth: u32) -> String {
    let mut text = format!("{family:?}");
    for (name, values) in &report.scope {
        let _ = write!(text, "|{name}={}", values.join(","));
    }
    if nth > 0 {
        let _ = write!(text, "|{nth}");
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

keep_enum!(Family {
    0 => Credits,
    1 => Silence,
    2 => Sources,
    3 => Cases(cause),
    4 => Acks,
    5 => Batches,
    6 => Behind,
});
keep!(Kept {
    family,
    hand,
    shown,
    told,
    first,
});

impl Keep for Entry {
    fn write(&self, to: &mut Writer) {
        (self.0 as u64).write(to);
        self.1.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let place = u64::read(from)?;
        let place = usize::try_from(place).map_err(|_| Unreadable::Malformed)?;
        let entry = Self(place, Keep::read(from)?);
        from.owns(entry);
        Ok(entry)
    }
}

impl Book {
    /// Writes everything but the settings.
    pub(crate) fn write(&self, to: &mut Writer) {
        let Self {
            kept,
            reopen_within: _,
            said,
        } = self;
        kept.write(to);
        said.write(to);
    }

    /// Reads it.
    pub(crate) fn read(reopen_within: Span, from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        Ok(Self {
            kept: Keep::read(from)?,
            reopen_within,
            said: Keep::read(from)?,
        })
    }

    /// What is open and of which nobody speaks any more is over: where its fault goes on, it is opened again.
    pub(crate) fn close_all_but(&mut self, owned: &[Entry], now: Timestamp) {
        for at in 0..self.kept.len() {
            let Some(kept) = &self.kept[at] else { continue };
            let entry = Entry(at, kept.hand);
            if kept.shown.resolved_at.is_some() || owned.contains(&entry) {
                continue;
            }
            let shown = kept.shown.clone();
            let report = Report {
                finding: shown.finding,
                severity: shown.severity,
                scope: shown.scope,
                started_at: shown.started_at,
                evidence: shown.evidence,
                samples: shown.samples,
            };
            self.resolve(entry, report, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::Basis;

    fn report(cause: Cause, scope: &[(&str, &str)], started_s: i64) -> Report {
        let scope = scope.iter();
        Report {
            finding: Finding {
                cause,
                basis: Basis::Inferred,
                confidence: 0.9,
                ruled_out: Vec::new(),
            },
            severity: Severity::Warning,
            scope: scope
                .map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()]))
                .collect(),
            started_at: Timestamp::from_millis(started_s * 1000),
            evidence: Evidence::default(),
            samples: Vec::new(),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1000)
    }

    #[test]
    fn what_was_behind_a_symptom_is_a_revision_of_it() {
        let mut book = Book::new(Span::from_secs(600));
        let place = [("connector", "c")];
        let fault = || report(Cause::InterfaceFault, &place, 100);
        let symptom = book.open(Family::Credits, fault(), at(110));
        let late = || report(Cause::SyncDelay, &place, 101);
        let scopes = [late().scope];
        let owner = book.take_over(&scopes, Family::Sources, late(), at(200));
        // Who saw the symptom has no say any more.
        book.resolve(symptom, fault(), at(210));
        book.resolve(owner, late(), at(300));
        let said = book.take();
        let told: Vec<_> = said
            .iter()
            .map(|it| (it.revision, it.finding.cause))
            .collect();
        let expected = [
            (1, Cause::InterfaceFault),
            (2, Cause::SyncDelay),
            (3, Cause::SyncDelay),
        ];
        assert_eq!(told, expected);
        assert_eq!(said[2].resolved_at, Some(at(300)));
        assert!(said.iter().all(|it| it.id == said[0].id));
    }

    #[test]
    fn what_opens_again_began_when_it_began_first() {
        let mut book = Book::new(Span::from_secs(600));
        let place = [("channel", "c")];
        let first = || report(Cause::ChannelDown, &place, 100);
        let entry = book.open(Family::Credits, first(), at(110));
        book.resolve(entry, first(), at(200));
        let again = || report(Cause::ChannelDown, &place, 300);
        let entry = book.open(Family::Credits, again(), at(310));
        book.update(entry, report(Cause::ChannelCongested, &place, 302), at(320));
        book.resolve(entry, again(), at(400));
        let said = book.take();
        assert_eq!(said.len(), 5);
        assert!(
            said.iter()
                .all(|it| it.id == said[0].id && it.started_at == at(100))
        );
    }

    #[test]
    fn two_of_one_place_and_second_are_two() {
        let mut book = Book::new(Span::from_secs(600));
        let fault = || report(Cause::AmountMismatch, &[], 100);
        let family = Family::Cases(Cause::AmountMismatch);
        let entries = [0, 1].map(|_| book.open(family, fault(), at(110)));
        for entry in entries {
            book.resolve(entry, fault(), at(200));
        }
        let said = book.take();
        let mut keys: Vec<_> = said.iter().map(|it| (&it.id, it.revision)).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 4, "{said:?}");
    }

    #[test]
    fn what_was_over_before_is_another_fault() {
        let mut book = Book::new(Span::from_secs(600));
        let place = [("connector", "c")];
        let fault = || report(Cause::InterfaceFault, &place, 100);
        let entry = book.open(Family::Credits, fault(), at(110));
        book.resolve(entry, fault(), at(150));
        let late = report(Cause::SyncDelay, &place, 180);
        let scopes = [late.scope.clone()];
        book.take_over(&scopes, Family::Sources, late, at(200));
        let ids: Vec<_> = book.take().into_iter().map(|it| it.id).collect();
        assert_ne!(ids[0], ids[2]);
    }
}

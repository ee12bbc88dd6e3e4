//! Cases of one verdict: single ones are for the finance queue, a pattern of them is one incident.
//!
//! A pattern is a place in which cases are significantly more frequent than outside, among all payments, or a
//! signature that their amounts share. While it is open its place is looked for again as cases come.

mod case;
mod explains;
mod pattern;
mod payments;
mod place;
mod pool;
mod signature;

use std::collections::BTreeMap;

use settlewatch_join::{AlertKind, Span};

use crate::detect::Detector;
use crate::detect::counted::Counted;
use crate::detect::scope::Scope;
use crate::detect::values::TupleId;
use crate::faults::Faults;
use crate::incident::book::{Book, Entry, Family};
use crate::incident::cause::Cause;
use crate::keep::{Keep, Reader, Unreadable, Writer};
use crate::late::Late;
use crate::pulse::Case;
use crate::second::end_of;
use crate::terminals::Terminals;

use case::{Kept, cause_of, values_of};
use pattern::Pattern;
use payments::{KEPT_S, Payments};
use place::{Place, is_unusual, onset_ms, source_of};
use pool::{Group, Pool};
use signature::Signature;

/// Cases from so long before an open pattern began are counted with it, in seconds.
const BEFORE_S: i64 = 60;

/// So long after a corrupted id is known, in seconds, a fault that has its payment says whether it is of such ids.
const TURNS_S: i64 = 60;

/// Places of one group at a time.
const PLACES: usize = 2;

/// How many payments of a place are usual is seen in so many seconds.
const USUAL_S: i64 = 300;

/// After the first of them, and until now, payments may still become known that came before, in seconds.
const MISSING_S: (i64, i64) = (15, 2);

/// They have stopped where at most this share of what is usual comes.
const MISSING: f64 = 0.4;

/// Payments that must have been due for that to say anything.
const DUE: f64 = 6.0;

/// What patterns depend on.
#[derive(Clone, Debug)]
pub(crate) struct CaseSettings {
    pub(crate) cases: usize,
    pub(crate) within: Span,
    /// Fee rates that contracts name, in millionths.
    pub(crate) contract_ppm: Vec<u64>,
}

/// What others say of the same time and place.
#[derive(Clone, Copy)]
pub(crate) struct Elsewhere<'a> {
    pub(crate) faults: &'a Faults,
    pub(crate) late: &'a Late,
}

impl Elsewhere<'_> {
    /// Whether a case of a verdict has its reason elsewhere.
    fn covers(&self, second: i64, cause: Cause, case: &Kept) -> bool {
        match cause {
            // Their payments are missing: a fault that has them may turn out to be theirs, or is another one.
            Cause::IdCorrupted => {
                let turns = second - case.second < TURNS_S;
                self.faults.corrupt(second, case.since_ms, &case.values)
                    || turns && self.faults.covers(second, case.since_ms, &case.values)
            }
            // Their payments are late.
            Cause::OrphanCredit => self.late.may_cover(case.since_ms, &case.values),
            _ => false,
        }
    }
}

/// All cases of the last minutes, by verdict.
pub(crate) struct Cases {
    settings: CaseSettings,
    payments: Payments,
    /// Those of them that were credited, by when.
    credited: Payments,
    pools: BTreeMap<Cause, Pool>,
    open: Vec<Pattern>,
}

impl Cases {
    pub(crate) fn new(settings: CaseSettings) -> Self {
        Self {
            settings,
            payments: Payments::default(),
            credited: Payments::default(),
            pools: BTreeMap::new(),
            open: Vec::new(),
        }
    }

    /// A payment became known, whatever becomes of it.
    pub(crate) fn paid(&mut self, tuple: TupleId, second: i64) {
        self.payments.add(tuple, second);
    }

    /// A payment was credited.
    pub(crate) fn credited(&mut self, tuple: TupleId, second: i64) {
        self.credited.add(tuple, second);
    }

    /// What cases of a pool are counted against: what only a credit shows is not known of those that wait.
    fn among(&self, pool: Cause) -> &Payments {
        match pool {
            Cause::AmountMismatch
            | Cause::CurrencyMismatch
            | Cause::TerminalMismatch
            | Cause::DuplicateCredit => &self.credited,
            _ => &self.payments,
        }
    }

    /// An alert about a single payment or credit.
    pub(crate) fn heard(
        &mut self,
        case: &Case,
        tuple: TupleId,
        second: i64,
        detector: &Detector,
        terminals: &Terminals,
    ) {
        let Some(cause) = cause_of(case) else { return };
        if cause == Cause::IdCorrupted && case.kind == AlertKind::OrphanCredit {
            // It is counted where its payment is.
            if let Some(orphans) = self.pools.get_mut(&Cause::OrphanCredit) {
                orphans.remove(&case.id);
            }
            return;
        }
        let pool = self.pools.entry(Pool::of(cause)).or_default();
        if case.resolved && cause == Cause::OrphanCredit {
            // Its payment came: it was under way.
            pool.remove(&case.id);
            return;
        }
        if case.resolved {
            pool.resolve(&case.id);
            return;
        }
        let values = values_of(case, tuple, &detector.values, terminals);
        let kept = Kept::new(case, cause, values, second);
        // Another tier or verdict of a payment that is known is no further effect.
        let Some(kept) = pool.add(kept) else { return };
        let signed = is_signed(&self.open, Pool::of(cause), kept);
        for pattern in &mut self.open {
            let is_its = Pool::of(pattern.cause) == Pool::of(cause) && pattern.has(kept);
            if is_its && (pattern.signature.is_some() || !signed) {
                pattern.last_s = second;
            }
        }
    }

    pub(crate) fn end_second(
        &mut self,
        second: i64,
        detector: &Detector,
        elsewhere: Elsewhere<'_>,
        book: &mut Book,
    ) {
        self.payments.forget(second);
        self.credited.forget(second);
        let mut due = Vec::new();
        for (cause, pool) in &mut self.pools {
            pool.forget(second - KEPT_S);
            if pool.is_due(*cause, second) {
                due.push(*cause);
            }
        }
        for cause in due {
            for found in self.look(cause, second, detector, elsewhere) {
                self.raise(found, second, detector, book);
            }
        }
        self.close(second, detector, book);
    }

    /// The second after which cases are looked at.
    fn after(&self, pool: Cause, second: i64) -> i64 {
        let within_s = (self.settings.within.millis() / 1000) as i64;
        let open = self.open.iter().filter(|it| Pool::of(it.cause) == pool);
        let started_s = open.map(|it| it.started_ms.div_euclid(1000) - BEFORE_S);
        let oldest = second - KEPT_S;
        (second - within_s)
            .min(started_s.min().unwrap_or(second))
            .max(oldest)
    }

    /// What the cases of a pool have in common.
    fn look(
        &self,
        pool: Cause,
        second: i64,
        detector: &Detector,
        elsewhere: Elsewhere<'_>,
    ) -> Vec<Found> {
        let (after, least) = (self.after(pool, second), self.settings.cases);
        let groups = self.pools[&pool].groups(after, &self.settings.contract_ppm, least);
        let mut found = Vec::new();
        if groups.is_empty() {
            return found;
        }
        let payments = self.among(pool).since(after);
        for mut group in groups {
            group
                .cases
                .retain(|case| !elsewhere.covers(second, group.cause, case));
            let lines = place::lines(&payments, &group.cases, detector);
            let counted = place::counted(&lines);
            let mut places = place::places(&counted, detector, least, PLACES);
            if places.is_empty() {
                places.extend(self.unplaced(&group, &counted, second));
            }
            for place in places {
                let in_place = |case: &&&Kept| place.scope.holds(&case.values);
                let times = group.cases.iter().filter(in_place);
                let times: Vec<i64> = times.map(|case| case.since_ms).collect();
                let now_ms = (second + 1) * 1000;
                let started_ms = onset_ms(times, after * 1000, now_ms).unwrap_or(now_ms);
                let orphans = group.cause == Cause::OrphanCredit;
                if orphans && self.is_under_way(&place.scope, started_ms, second, detector) {
                    continue;
                }
                found.push(self.found(&group, place, started_ms));
            }
        }
        found
    }

    /// Whether the payments of a place have stopped since then: its credits have no payment yet, because those are
    /// under way.
    fn is_under_way(
        &self,
        scope: &Scope,
        started_ms: i64,
        second: i64,
        detector: &Detector,
    ) -> bool {
        let started_s = started_ms.div_euclid(1000);
        let count = |from: i64, until: i64| {
            let of = |tuple| scope.holds(detector.values.of(tuple));
            self.payments.between(from, until, of) as f64
        };
        let (from, until) = (started_s + MISSING_S.0, second - MISSING_S.1);
        let usual = count(started_s - USUAL_S, started_s - 1) / USUAL_S as f64;
        let due = usual * (until - from + 1).max(0) as f64;
        due >= DUE && count(from, until) <= MISSING * due
    }

    /// One signature is a pattern wherever it is, if it was not usual before; one rate if all of it is of one source.
    fn unplaced(&self, group: &Group<'_>, counted: &Counted<'_>, second: i64) -> Option<Place> {
        let signature = group.signature?;
        let within_s = (self.settings.within.millis() / 1000) as i64;
        let mut recent = group.cases.clone();
        recent.retain(|case| case.second > second - within_s);
        if recent.len() < self.settings.cases {
            return None;
        }
        if let Some(source) = source_of(&recent) {
            return Some(Place::of(counted, source));
        }
        if matches!(signature, Signature::Rate(_)) {
            return None;
        }
        let before = self.pools[&Pool::of(group.cause)]
            .cases
            .iter()
            .filter(|case| case.second <= second - within_s && signature.holds(case))
            .count() as f64;
        let ever = self.among(Pool::of(group.cause)).ever;
        let payments = ever as f64 - counted.total().total;
        let usual = before * counted.total().total / payments.max(1.0);
        is_unusual(recent.len(), usual).then(|| Place::of(counted, Scope::default()))
    }

    fn found(&self, group: &Group<'_>, place: Place, started_ms: i64) -> Found {
        let known = self.open.iter().position(|pattern| {
            Pool::of(pattern.cause) == Pool::of(group.cause)
                && pattern.is_about(group.cause, group.signature, &place, &group.cases)
        });
        Found {
            cause: group.cause,
            signature: group.signature,
            place,
            started_ms,
            known,
        }
    }

    fn raise(&mut self, found: Found, second: i64, detector: &Detector, book: &mut Book) {
        let now = end_of(second);
        if let Some(at) = found.known {
            let pattern = &mut self.open[at];
            if found.signature.is_some() {
                (pattern.cause, pattern.signature) = (found.cause, found.signature);
            }
            if pattern.improve(found.place) {
                pattern.started_ms = found.started_ms;
            }
            let pattern = &self.open[at];
            let report = pattern.report(self.cases_of(pattern), detector);
            book.update(self.open[at].entry, report, now);
            return;
        }
        let mut pattern = Pattern {
            entry: Entry::NONE,
            cause: found.cause,
            signature: found.signature,
            place: found.place,
            better: None,
            started_ms: found.started_ms,
            last_s: second,
        };
        let within_s = (self.settings.within.millis() / 1000) as i64;
        let recent = self
            .cases_of(&pattern)
            .filter(|case| case.second > second - within_s && pattern.has(case));
        if recent.count() < self.settings.cases {
            return;
        }
        let family = Family::Cases(pattern.cause);
        let mut report = pattern.report(self.cases_of(&pattern), detector);
        // An incident that goes on has what it had.
        if let Some(began_ms) = book.began_ms(family, &report, now) {
            pattern.started_ms = pattern.started_ms.min(began_ms);
            report = pattern.report(self.cases_of(&pattern), detector);
        }
        pattern.entry = book.open(family, report, now);
        self.open.push(pattern);
    }

    /// The cases of a pattern's pool, but for those that another one tells apart by its signature.
    fn cases_of<'a>(&'a self, pattern: &'a Pattern) -> impl Iterator<Item = &'a Kept> {
        let pool = Pool::of(pattern.cause);
        let cases = self.pools[&pool].cases.iter();
        cases.filter(move |case| pattern.signature.is_some() || !is_signed(&self.open, pool, case))
    }

    fn close(&mut self, second: i64, detector: &Detector, book: &mut Book) {
        let mut at = 0;
        while at < self.open.len() {
            if self.open[at].is_over(second) {
                let pattern = self.open.remove(at);
                let report = pattern.report(self.cases_of(&pattern), detector);
                book.resolve(pattern.entry, report, end_of(second));
            } else {
                at += 1;
            }
        }
    }
}

/// Whether an open pattern tells a case of a pool apart by its signature.
fn is_signed(open: &[Pattern], pool: Cause, case: &Kept) -> bool {
    let mut signed = open.iter().filter(|it| it.signature.is_some());
    signed.any(|it| Pool::of(it.cause) == pool && it.has(case))
}

/// A pattern as it was just seen.
struct Found {
    cause: Cause,
    signature: Option<Signature>,
    place: Place,
    started_ms: i64,
    /// Which of the open ones it is.
    known: Option<usize>,
}

impl Cases {
    /// Writes everything but the settings.
    pub(crate) fn write(&self, to: &mut Writer) {
        let Self {
            settings: _,
            payments,
            credited,
            pools,
            open,
        } = self;
        payments.write(to);
        credited.write(to);
        pools.write(to);
        open.write(to);
    }

    /// Reads it. A pattern in a place that is not known any more is over.
    pub(crate) fn read(settings: CaseSettings, from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let mut cases = Self {
            settings,
            payments: Keep::read(from)?,
            credited: Keep::read(from)?,
            pools: Keep::read(from)?,
            open: Keep::read(from)?,
        };
        for pattern in &cases.open {
            if pattern.place.scope.is_lost() {
                from.disowns(pattern.entry);
            }
        }
        cases.open.retain(|it| !it.place.scope.is_lost());
        let pools = &cases.pools;
        let is_pooled = |pattern: &Pattern| pools.contains_key(&Pool::of(pattern.cause));
        if cases.open.iter().all(is_pooled) {
            Ok(cases)
        } else {
            Err(Unreadable::Malformed)
        }
    }
}

//! Cases of one verdict: single ones are for the finance queue, a pattern of them is one incident.

use std::collections::{BTreeMap, VecDeque};

use settlewatch_join::event::Currency;
use settlewatch_join::{AlertKind, Span, Timestamp};

use crate::detect::Detector;
use crate::detect::rates::excess;
use crate::detect::scope::Scope;
use crate::detect::values::{TupleId, ValueId};
use crate::incident::book::{Book, Entry, Family, Report};
use crate::incident::cause::Cause;
use crate::incident::{Basis, Evidence, Finding, Severity};
use crate::pulse::{CONNECTOR, Case, DimIndex, GATEWAY, MERCHANT, TERMINAL};
use crate::scan::{ScanOptions, Table, scan};

/// One tenth of a per mille.
const PPM: u64 = 1_000_000;

/// Rates that fees have, in millionths.
const FEE_PPM: std::ops::RangeInclusive<u64> = 1_000..=50_000;

/// A pattern is over when no case came for so long, in seconds.
const OVER_S: i64 = 240;

/// A case as it is kept.
struct Kept {
    second: i64,
    tuple: TupleId,
    id: std::sync::Arc<str>,
    amount_minor: u128,
    currency: Option<Currency>,
    amounts: Option<(u64, u64)>,
}

/// A pattern that is open.
struct Pattern {
    entry: Entry,
    cause: Cause,
    scope: Scope,
    signature: Option<String>,
    started_s: i64,
    last_s: i64,
    opened_s: i64,
    finding: Finding,
    severity: Severity,
}

/// What patterns depend on.
#[derive(Clone, Debug)]
pub(crate) struct CaseSettings {
    pub(crate) cases: usize,
    pub(crate) within: Span,
    /// Fee rates that contracts name, in millionths.
    pub(crate) contract_ppm: Vec<u64>,
}

/// All cases of the last minutes, by verdict.
pub(crate) struct Cases {
    settings: CaseSettings,
    kept: BTreeMap<Cause, VecDeque<Kept>>,
    open: Vec<Pattern>,
    fresh: bool,
}

impl Cases {
    pub(crate) fn new(settings: CaseSettings) -> Self {
        Self {
            settings,
            kept: BTreeMap::new(),
            open: Vec::new(),
            fresh: false,
        }
    }

    /// An alert about a single payment or credit.
    pub(crate) fn heard(&mut self, case: &Case, tuple: TupleId, second: i64) {
        let Some(cause) = cause_of(case) else { return };
        if case.resolved {
            return;
        }
        let kept = self.kept.entry(cause).or_default();
        // Another verdict on the same payment is no further case.
        if kept.iter().any(|known| known.id == case.id) {
            return;
        }
        self.fresh = true;
        kept.push_back(Kept {
            second,
            tuple,
            id: std::sync::Arc::clone(&case.id),
            amount_minor: case.amount_minor,
            currency: case.currency,
            amounts: case.amounts,
        });
    }

    pub(crate) fn end_second(&mut self, second: i64, detector: &Detector, book: &mut Book) {
        let within = (self.settings.within.millis() / 1000) as i64;
        for kept in self.kept.values_mut() {
            while kept
                .front()
                .is_some_and(|case| case.second <= second - within)
            {
                kept.pop_front();
            }
        }
        if std::mem::take(&mut self.fresh) {
            self.look(second, detector, book);
        }
        self.close(second, detector, book);
    }

    fn look(&mut self, second: i64, detector: &Detector, book: &mut Book) {
        let causes: Vec<Cause> = self.kept.keys().copied().collect();
        for cause in causes {
            let kept = &self.kept[&cause];
            if kept.len() < self.settings.cases {
                continue;
            }
            let all: Vec<&Kept> = kept.iter().collect();
            let found = self.pattern(cause, &all, detector, second);
            for (cause, scope, signature) in found {
                self.raise(cause, scope, signature, second, detector, book);
            }
        }
    }

    /// What the cases of a verdict have in common.
    fn pattern(
        &self,
        cause: Cause,
        kept: &[&Kept],
        detector: &Detector,
        second: i64,
    ) -> Vec<(Cause, Scope, Option<String>)> {
        if matches!(cause, Cause::AmountMismatch | Cause::FeeMismatch) {
            let signed = self.signatures(kept, detector);
            if !signed.is_empty() {
                return signed;
            }
        }
        place_of(kept, detector, second, self.settings.cases)
            .map(|scope| (cause, scope, None))
            .into_iter()
            .collect()
    }

    /// Groups of cases that differ in the same way: one offset, one factor, one rate.
    fn signatures(
        &self,
        kept: &[&Kept],
        detector: &Detector,
    ) -> Vec<(Cause, Scope, Option<String>)> {
        let mut found = Vec::new();
        let least = self.settings.cases;
        for (name, is) in SIGNATURES {
            let alike: Vec<&Kept> = kept
                .iter()
                .copied()
                .filter(|case| case.amounts.is_some_and(|(due, paid)| is(due, paid)))
                .collect();
            if alike.len() >= least {
                let scope = shared(&alike, detector);
                found.push((Cause::AmountMismatch, scope, Some((*name).to_owned())));
            }
        }
        if let Some((scope, ppm)) = self.fee_rate(kept, detector) {
            let text = format!("fee rate {}.{:04} %", ppm / 10_000, ppm % 10_000);
            found.push((Cause::FeeMismatch, scope, Some(text)));
        }
        found
    }

    /// One rate that contracts do not name and that explains enough cases of one source.
    fn fee_rate(&self, kept: &[&Kept], detector: &Detector) -> Option<(Scope, u64)> {
        let rates: Vec<(u64, u64, &Kept)> = kept
            .iter()
            .filter_map(|case| {
                let (due, paid) = case.amounts?;
                let short = due.checked_sub(paid)?;
                // A rounded fee leaves a range of rates.
                let low = (2 * short).saturating_sub(1).checked_mul(PPM / 2)? / due;
                let high = (2 * short + 1).checked_mul(PPM / 2)? / due + 1;
                (short > 0).then_some((low, high, *case))
            })
            .collect();
        let mut best: Option<(usize, u64)> = None;
        for (low, high, _) in &rates {
            for ppm in [*low, *high, (low + high) / 2] {
                let count = rates
                    .iter()
                    .filter(|(from, to, _)| (*from..=*to).contains(&ppm))
                    .count();
                let known = self.settings.contract_ppm.contains(&ppm);
                if FEE_PPM.contains(&ppm) && !known && best.is_none_or(|(most, _)| count > most) {
                    best = Some((count, ppm));
                }
            }
        }
        let (count, ppm) = best?;
        if count < self.settings.cases {
            return None;
        }
        let alike: Vec<&(u64, u64, &Kept)> = rates
            .iter()
            .filter(|(from, to, _)| (*from..=*to).contains(&ppm))
            .collect();
        let exact = middle(&alike, ppm);
        let cases: Vec<&Kept> = alike.iter().map(|(_, _, case)| *case).collect();
        Some((shared(&cases, detector), exact))
    }

    fn raise(
        &mut self,
        cause: Cause,
        scope: Scope,
        signature: Option<String>,
        second: i64,
        detector: &Detector,
        book: &mut Book,
    ) {
        let known = self.open.iter().position(|pattern| {
            pattern.cause == cause && (pattern.signature == signature || pattern.scope == scope)
        });
        let (severity, basis) = if signature.is_some() {
            (Severity::Warning, Basis::Inferred)
        } else {
            (Severity::Info, Basis::Inferred)
        };
        let finding = Finding {
            cause,
            basis,
            confidence: 0.9,
            ruled_out: Vec::new(),
        };
        if let Some(at) = known {
            let pattern = &mut self.open[at];
            pattern.last_s = second;
            pattern.scope = scope;
            let report = self.report(at, detector);
            book.update(self.open[at].entry, report, crate::faults::end_of(second));
            return;
        }
        let mut pattern = Pattern {
            entry: Entry::NONE,
            cause,
            scope,
            signature,
            started_s: second,
            last_s: second,
            opened_s: second,
            finding,
            severity,
        };
        pattern.started_s = self.first_of(&pattern, detector).unwrap_or(second);
        self.open.push(pattern);
        let at = self.open.len() - 1;
        let report = self.report(at, detector);
        let now = crate::faults::end_of(second);
        self.open[at].entry = book.open(Family::Cases(cause), report, now);
    }

    /// The second of the first case of a pattern.
    fn first_of(&self, pattern: &Pattern, detector: &Detector) -> Option<i64> {
        self.of(pattern, detector).map(|case| case.second).min()
    }

    fn of<'a>(
        &'a self,
        pattern: &'a Pattern,
        detector: &'a Detector,
    ) -> impl Iterator<Item = &'a Kept> {
        // Amounts that differ by a fee are kept under either verdict.
        let pools: &[Cause] = match pattern.cause {
            Cause::FeeMismatch | Cause::AmountMismatch => {
                &[Cause::FeeMismatch, Cause::AmountMismatch]
            }
            _ => std::slice::from_ref(&pattern.cause),
        };
        let kept = pools
            .iter()
            .filter_map(|cause| self.kept.get(cause))
            .flatten();
        kept.filter(|case| pattern.scope.holds(detector.values.of(case.tuple)))
    }

    fn report(&self, at: usize, detector: &Detector) -> Report {
        let pattern = &self.open[at];
        let mut evidence = Evidence {
            signature: pattern.signature.clone(),
            ..Evidence::default()
        };
        let (mut merchants, mut terminals) = (Vec::new(), Vec::new());
        let mut samples = Vec::new();
        for case in self.of(pattern, detector) {
            evidence.touched += 1;
            evidence.open += 1;
            if let Some(currency) = case.currency {
                *evidence.amount_minor.entry(currency).or_default() += case.amount_minor;
            }
            let values = detector.values.of(case.tuple);
            merchants.push(values[MERCHANT]);
            terminals.push(values[TERMINAL]);
            if samples.len() < 5 {
                samples.push(case.id.to_string());
            }
        }
        evidence.merchants = crate::terminals::distinct(merchants).len() as u64;
        evidence.terminals = crate::terminals::distinct(terminals).len() as u64;
        Report {
            finding: pattern.finding.clone(),
            severity: pattern.severity,
            scope: pattern.scope.named(&detector.values, &detector.dims),
            started_at: Timestamp::from_millis(pattern.started_s * 1000),
            evidence,
            samples,
        }
    }

    fn close(&mut self, second: i64, detector: &Detector, book: &mut Book) {
        let mut at = 0;
        while at < self.open.len() {
            if second - self.open[at].last_s.max(self.open[at].opened_s) >= OVER_S {
                let report = self.report(at, detector);
                let pattern = self.open.remove(at);
                book.resolve(pattern.entry, report, crate::faults::end_of(second));
            } else {
                at += 1;
            }
        }
    }
}

/// Ways in which two amounts differ.
type Signature = (&'static str, fn(u64, u64) -> bool);

const SIGNATURES: &[Signature] = &[
    ("offset -1", |due, paid| due == paid + 1),
    ("offset +1", |due, paid| paid == due + 1),
    ("factor 100", |due, paid| due.checked_mul(100) == Some(paid)),
    ("factor 1/100", |due, paid| due / 100 == paid && due >= 100),
    ("factor 10", |due, paid| due.checked_mul(10) == Some(paid)),
    ("factor 1/10", |due, paid| due / 10 == paid && due >= 10),
];

/// The rate in the middle of what all cases allow, with four decimals of a per cent where they allow one.
fn middle(alike: &[&(u64, u64, &Kept)], ppm: u64) -> u64 {
    let low = alike.iter().map(|(low, ..)| *low).max().unwrap_or(ppm);
    let high = alike.iter().map(|(_, high, _)| *high).min().unwrap_or(ppm);
    // The roundest number in the range.
    for step in [10_000, 1_000, 100, 10] {
        let round = high / step * step;
        if round >= low {
            return round;
        }
    }
    (low + high) / 2
}

/// The verdict under which a case is kept.
fn cause_of(case: &Case) -> Option<Cause> {
    let by_kind = match case.kind {
        AlertKind::CreditMissing => return None,
        AlertKind::OrphanCredit => Cause::OrphanCredit,
        AlertKind::AmountMismatch => Cause::AmountMismatch,
        AlertKind::CurrencyMismatch => Cause::CurrencyMismatch,
        AlertKind::TerminalMismatch => Cause::TerminalMismatch,
        AlertKind::DuplicateCredit => Cause::DuplicateCredit,
        AlertKind::DuplicatePayment => Cause::DuplicatePayment,
        AlertKind::CreditAfterReversal => Cause::CreditAfterReversal,
        AlertKind::HoldOverdue => Cause::RiskHoldOverdue,
    };
    let by_verdict = case
        .verdict
        .and_then(|verdict| Cause::parse(verdict.as_str()));
    Some(by_verdict.unwrap_or(by_kind))
}

/// The scope that all cases share, of the sources that one fault may have: the widest common value.
fn shared(cases: &[&Kept], detector: &Detector) -> Scope {
    const SOURCES: [DimIndex; 4] = [
        CONNECTOR,
        GATEWAY,
        crate::pulse::ACQUIRER,
        crate::pulse::CHANNEL,
    ];
    for dim in SOURCES {
        let mut values = cases.iter().map(|case| detector.values.of(case.tuple)[dim]);
        let first = values.next().unwrap_or(ValueId::NONE);
        if first != ValueId::NONE && values.all(|value| value == first) {
            return Scope::one(dim, first);
        }
    }
    Scope::default()
}

/// The scope in which cases are significantly more frequent than outside.
fn place_of(kept: &[&Kept], detector: &Detector, second: i64, least: usize) -> Option<Scope> {
    let mut tuples: BTreeMap<TupleId, (f64, f64)> = BTreeMap::new();
    for row in detector.rows.since(second - 600) {
        tuples.entry(row.tuple).or_default().0 += 1.0;
    }
    for case in kept {
        let sums = tuples.entry(case.tuple).or_default();
        sums.0 = sums.0.max(sums.1 + 1.0);
        sums.1 += 1.0;
    }
    let dims = detector.dims.localised();
    let mut table = Table::new(dims.len());
    let mut line = vec![0; dims.len()];
    for (tuple, (total, bad)) in &tuples {
        for (place, dim) in line.iter_mut().zip(dims) {
            *place = detector.values.of(*tuple)[*dim].0;
        }
        table.push(&line, *total, *bad);
    }
    let options = ScanOptions {
        significance: 1e-4,
        min_bad: least as f64,
        min_ratio: 4.0,
        causes: 1,
        alternatives: 0,
        ..ScanOptions::default()
    };
    let cause = scan(&table, &options).into_iter().next()?;
    let found = cause.finding;
    let mean = found.outside_bad / found.outside_total.max(1.0) * found.total;
    if found.conditions.is_empty() || excess(found.bad, mean + 0.3) < 12.0 {
        return None;
    }
    let mut scope: Vec<_> = found
        .conditions
        .iter()
        .map(|(at, any)| (dims[*at], any.iter().map(|&value| ValueId(value)).collect()))
        .collect();
    scope.sort_unstable();
    Some(Scope(scope))
}

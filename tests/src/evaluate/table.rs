//! The sums over many seeds, as a table.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::bars::{self, Haste};
use super::calibration::Calibration;
use super::hold::Held;
use super::subject::Subject;
use super::trial::Trial;

/// What one line counts.
#[derive(Clone, Debug, Default)]
struct Row {
    seeds: u64,
    faults: u64,
    found: u64,
    verdicts: u64,
    scopes: u64,
    delays_ms: Vec<i64>,
    incidents: u64,
    false_ones: u64,
    pages: u64,
    hours: f64,
}

/// The sums.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: BTreeMap<Subject, Row>,
    hastes: BTreeMap<Haste, Vec<Option<i64>>>,
    calibration: Calibration,
}

impl Table {
    /// Adds what was held of `trial`.
    pub fn add(&mut self, trial: &Trial, held: &Held) {
        let row = self.rows.entry(trial.subject).or_default();
        row.seeds += 1;
        let hours = (trial.span_ms.1 - trial.span_ms.0) as f64 / 3_600_000.0;
        row.hours += hours;
        let paged = |place: &&usize| trial.incidents[**place].paged;
        row.false_ones += held.false_ones.iter().filter(paged).count() as u64;
        self.calibration.merge(&trial.calibration);
        row.pages += trial.incidents.iter().filter(|it| it.paged).count() as u64;
        for score in &held.scores {
            row.faults += 1;
            row.incidents += score.incidents.len() as u64;
            row.found += u64::from(score.best.is_some());
            row.verdicts += u64::from(score.verdict);
            row.scopes += u64::from(score.scope);
            row.delays_ms.extend(score.delay_ms);
            if let Some(haste) = Haste::of(&score.told) {
                self.hastes.entry(haste).or_default().push(score.delay_ms);
            }
        }
    }

    /// Adds what another table counted.
    pub fn merge(&mut self, other: Self) {
        for (subject, theirs) in other.rows {
            let row = self.rows.entry(subject).or_default();
            row.seeds += theirs.seeds;
            row.faults += theirs.faults;
            row.found += theirs.found;
            row.verdicts += theirs.verdicts;
            row.scopes += theirs.scopes;
            row.delays_ms.extend(theirs.delays_ms);
            row.incidents += theirs.incidents;
            row.false_ones += theirs.false_ones;
            row.pages += theirs.pages;
            row.hours += theirs.hours;
        }
        for (haste, delays) in other.hastes {
            self.hastes.entry(haste).or_default().extend(delays);
        }
        self.calibration.merge(&other.calibration);
    }

    /// The lines of the table, and below them what was reached against what must be; whether all of it was.
    pub fn told(&self) -> (String, bool) {
        let mut text = format!(
            "{:<24} {:>5} {:>7} {:>8} {:>7} {:>9} {:>10} {:>6} {:>6}\n",
            "scenario",
            "seeds",
            "found",
            "verdict",
            "scope",
            "delay",
            "incidents",
            "false",
            "pages"
        );
        for (subject, row) in &self.rows {
            text += &row.line(subject.name());
        }
        let (sums, reached) = self.against_the_bars();
        let reliability = self.calibration.text();
        (format!("{text}\n{reliability}\n{sums}"), reached)
    }

    fn sum(&self, take: impl Fn(&Row) -> u64) -> u64 {
        self.rows.values().map(take).sum()
    }

    fn against_the_bars(&self) -> (String, bool) {
        let mut sums = Sums::default();
        let (faults, found) = (self.sum(|row| row.faults), self.sum(|row| row.found));
        sums.least("recall", ratio(found, faults), bars::RECALL);
        let verdicts = ratio(self.sum(|row| row.verdicts), found);
        sums.least("verdict right, of the found", verdicts, bars::VERDICT);
        let scopes = ratio(self.sum(|row| row.scopes), found);
        sums.least("scope exact, of the found", scopes, bars::SCOPE);
        let incidents = ratio(self.sum(|row| row.incidents), faults);
        sums.most("incidents a fault", incidents, bars::INCIDENTS_A_FAULT);
        for haste in Haste::ALL {
            let (name, most_s) = haste.bar();
            let delays = self.hastes.get(&haste);
            let median = delays.and_then(|delays| median_with_misses(delays));
            let count = delays.map_or(0, Vec::len);
            let median = (count > 0).then(|| median.map_or(f64::INFINITY, |ms| ms as f64 / 1000.0));
            sums.most(
                &format!("{name}: median s of {count}"),
                median,
                most_s as f64,
            );
        }
        if let Some(clean) = self.rows.get(&Subject::Clean) {
            let in_fifty = clean.false_ones as f64 / clean.hours * 50.0;
            let name = format!("false incidents in 50 h, of {:.0} h", clean.hours);
            sums.most(&name, Some(in_fifty), bars::FALSE_IN_FIFTY_HOURS);
        }
        let quiet = self.rows.iter();
        let quiet = quiet.filter(|(subject, row)| **subject != Subject::Clean && row.faults == 0);
        let (runs, pages) = quiet.fold((0, 0), |(runs, pages), (_, row)| {
            (runs + row.seeds, pages + row.pages)
        });
        if runs > 0 {
            sums.most(
                &format!("pages in {runs} benign runs"),
                Some(pages as f64),
                0.0,
            );
        }
        let points = self.calibration.worst_points();
        let name = "expected and missed payments, points apart";
        sums.most(name, points, bars::POINTS);
        let [clean, steady] = self.calibration.coverage();
        let name = "intervals that hold what came, nothing wrong";
        sums.least(name, clean, bars::COVERAGE);
        let name = "the same in a fault, of a tenth or more";
        sums.least(name, steady, bars::COVERAGE);
        (sums.text, !sums.failed)
    }
}

impl Row {
    fn line(&self, name: &str) -> String {
        let share = |part| match ratio(part, self.faults) {
            Some(share) => format!("{:.0} %", share * 100.0),
            None => "-".into(),
        };
        let mut delays = self.delays_ms.clone();
        delays.sort_unstable();
        let delay = match delays.get(delays.len() / 2) {
            Some(ms) => format!("{:.1} s", *ms as f64 / 1000.0),
            None => "-".into(),
        };
        let incidents = ratio(self.incidents, self.faults);
        format!(
            "{name:<24} {:>5} {:>7} {:>8} {:>7} {delay:>9} {:>10} {:>6} {:>6}\n",
            self.seeds,
            share(self.found),
            share(self.verdicts),
            share(self.scopes),
            incidents.map_or("-".into(), |incidents| format!("{incidents:.2}")),
            self.false_ones,
            self.pages,
        )
    }
}

/// Lines that say what was reached.
#[derive(Default)]
struct Sums {
    text: String,
    failed: bool,
}

impl Sums {
    fn least(&mut self, name: &str, value: Option<f64>, bar: f64) {
        self.line(name, value, bar, "at least", |value| value >= bar);
    }

    fn most(&mut self, name: &str, value: Option<f64>, bar: f64) {
        self.line(name, value, bar, "at most", |value| value <= bar);
    }

    fn line(
        &mut self,
        name: &str,
        value: Option<f64>,
        bar: f64,
        side: &str,
        is_enough: impl Fn(f64) -> bool,
    ) {
        let Some(value) = value else { return };
        let enough = is_enough(value);
        self.failed |= !enough;
        let mark = if enough { "ok" } else { "MISSED" };
        let _ = writeln!(self.text, "{name:<52} {value:>8.3}  {side} {bar}  {mark}");
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The median where a miss takes for ever; `None` if half of them are misses.
fn median_with_misses(delays: &[Option<i64>]) -> Option<i64> {
    let mut sorted: Vec<i64> = delays.iter().map(|it| it.unwrap_or(i64::MAX)).collect();
    sorted.sort_unstable();
    let median = sorted.get(sorted.len() / 2).copied()?;
    (median < i64::MAX).then_some(median)
}

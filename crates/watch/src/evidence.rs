//! What the rows of a scope say since a fault began.

use std::collections::BTreeMap;
use std::sync::Arc;

use settlewatch_join::event::{Currency, RefusalClass};

use crate::detect::baseline::Thresholds;
use crate::detect::rows::Row;
use crate::detect::scope::Scope;
use crate::detect::values::{ValueId, distinct};
use crate::detect::{Detector, Explained};
use crate::incident::Evidence;
use crate::outlook::{Expected, Period, Waiting, expected};
use crate::pulse::{CHANNEL, GATEWAY, MERCHANT, TERMINAL};
use crate::survival::Survival;

/// Evidence in natural units that an amount tells bad payments from good ones.
const SPLIT_NATS: f64 = 15.0;

/// How credits go on is seen in so many milliseconds.
const PERIOD_MS: i64 = 30_000;

/// Late credits of a queue lie at least so far apart, in seconds: the first and the last.
const DRAINS_S: i64 = 20;

/// Of what was appended so long before an onset, in milliseconds, those suffer that waited then.
const LEAD_MS: i64 = 30_000;

/// Samples that an incident names.
const SAMPLES: usize = 5;

/// The rows of a scope, counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) total: u64,
    pub(crate) slow: u64,
    /// Slow ones that were appended before the onset, and waited then.
    pub(crate) slow_before: u64,
    pub(crate) lost: u64,
    pub(crate) overdue: u64,
    pub(crate) open: u64,
    pub(crate) open_minor: BTreeMap<Currency, u128>,
    /// What was touched in all: slow ones, and those that waited before the onset.
    pub(crate) touched_minor: BTreeMap<Currency, u128>,
    pub(crate) credited: u64,
    pub(crate) credited_late: u64,
    /// Slow ones that were credited by now.
    pub(crate) slow_credited: u64,
    /// The first and the last second in which slow payments were credited.
    pub(crate) late_ends_s: Option<(i64, i64)>,
    /// Append times of slow payments in milliseconds, and whether their credit came and was in time by business times.
    pub(crate) delayed_ms: Vec<(i64, bool)>,
    pub(crate) classes: BTreeMap<RefusalClass, u64>,
    /// Append times of lost payments in milliseconds, and whether their credit came under a corrupted id.
    pub(crate) lost_ms: Vec<(i64, bool)>,
    pub(crate) merchants: Vec<ValueId>,
    pub(crate) terminals: Vec<ValueId>,
    pub(crate) gateways: Vec<ValueId>,
    pub(crate) channels: Vec<ValueId>,
    /// Payments to look at: those that are missing now, and others.
    samples: Vec<Arc<str>>,
    other_samples: Vec<Arc<str>>,
    /// Amounts of bad payments and of good ones, by currency of the most.
    pub(crate) bad_amounts: Vec<u64>,
    pub(crate) good_amounts: Vec<u64>,
    /// Append times of good payments, in milliseconds.
    pub(crate) good_ms: Vec<i64>,
    /// Append time of the last bad payment, in milliseconds.
    pub(crate) last_bad_ms: i64,
    pub(crate) lag: Survival,
    pub(crate) outside_total: u64,
    pub(crate) outside_bad: u64,
}

impl Tally {
    /// Counts the rows of payments accepted from `onset_ms` until `until_ms`, as they are at `now_ms`. Those that were
    /// accepted before and waited then suffer as well: they count, but say nothing of how many of all do. What is
    /// `elsewhere` counts nowhere.
    pub(crate) fn of(
        detector: &Detector,
        scope: &Scope,
        (onset_ms, until_ms): (i64, i64),
        now_ms: i64,
        elsewhere: Explained<'_>,
    ) -> Self {
        let mut tally = Self::default();
        for row in detector.rows.since((onset_ms - LEAD_MS).div_euclid(1000)) {
            let is_told = row.accepted_ms <= until_ms && (!row.ended || row.overdue);
            if !is_told || row.accepted_ms < onset_ms - LEAD_MS {
                continue;
            }
            let values = detector.values.of(row.tuple);
            if elsewhere(row, values) {
                continue;
            }
            if row.accepted_ms < onset_ms {
                if scope.holds(values) && row.slow && waits_at(row, onset_ms) {
                    tally.slow_before += 1;
                    tally.count(row, values);
                }
            } else if scope.holds(values) {
                tally.add(row, values, now_ms, detector.thresholds(values[CHANNEL]));
            } else {
                tally.outside_total += 1;
                tally.outside_bad += u64::from(row.slow);
            }
        }
        tally.merchants = distinct(std::mem::take(&mut tally.merchants));
        tally.terminals = distinct(std::mem::take(&mut tally.terminals));
        tally.gateways = distinct(std::mem::take(&mut tally.gateways));
        tally.channels = distinct(std::mem::take(&mut tally.channels));
        tally
    }

    fn add(&mut self, row: &Row, values: &[ValueId], now_ms: i64, usual: Thresholds) {
        self.total += 1;
        match row.lag_ms {
            Some(lag_ms) => {
                self.lag.event(lag_ms, 1);
                self.credited += 1;
            }
            None => self
                .lag
                .censored((now_ms - row.accepted_ms).max(0) as u64, 1),
        }
        if !row.slow {
            self.good_amounts.push(row.amount_minor);
            self.good_ms.push(row.accepted_ms);
            return;
        }
        self.slow += 1;
        self.lost += u64::from(row.lost);
        if row.lost {
            self.lost_ms.push((row.accepted_ms, row.misnamed));
        }
        self.overdue += u64::from(row.overdue);
        self.bad_amounts.push(row.amount_minor);
        self.last_bad_ms = self.last_bad_ms.max(row.accepted_ms);
        self.gateways.push(values[GATEWAY]);
        self.channels.push(values[CHANNEL]);
        if let Some(class) = row.class {
            *self.classes.entry(class).or_default() += 1;
        }
        self.slow_credited += u64::from(row.lag_ms.is_some());
        if let Some(lag_ms) = row.lag_ms {
            let end_s = (row.accepted_ms + lag_ms as i64).div_euclid(1000);
            let (first, last) = self.late_ends_s.unwrap_or((end_s, end_s));
            self.late_ends_s = Some((first.min(end_s), last.max(end_s)));
        }
        // Where lags are not known yet, neither is what was in time.
        let in_time =
            usual.is_known() && row.business_ms.is_some_and(|ms| ms <= usual.slow_ms as i64);
        self.delayed_ms.push((row.accepted_ms, in_time));
        self.count(row, values);
    }

    /// Counts a slow row as one more.
    fn count(&mut self, row: &Row, values: &[ValueId]) {
        self.merchants.push(values[MERCHANT]);
        self.terminals.push(values[TERMINAL]);
        let amount_minor = u128::from(row.amount_minor);
        *self.touched_minor.entry(row.currency).or_default() += amount_minor;
        if row.overdue && row.lag_ms.is_some() {
            self.credited_late += 1;
        }
        if row.is_open() {
            self.open += 1;
            *self.open_minor.entry(row.currency).or_default() += amount_minor;
        }
        let samples = if row.is_open() {
            &mut self.samples
        } else {
            &mut self.other_samples
        };
        if let Some(id) = row.id.as_ref().filter(|_| samples.len() < SAMPLES) {
            samples.push(Arc::clone(id));
        }
    }

    /// Payments to look at, those first that are missing now.
    pub(crate) fn samples(&self) -> Vec<String> {
        let all = self.samples.iter().chain(&self.other_samples);
        all.take(SAMPLES).map(ToString::to_string).collect()
    }

    /// Where nothing was slow yet, those who wait since the onset are what is at risk.
    pub(crate) fn add_waiting(&mut self, detector: &Detector, scope: &Scope, onset_ms: i64) {
        let waiting = detector.rows.waiting().filter(|(tuple, note)| {
            note.accepted_at.millis() >= onset_ms && scope.holds(detector.values.of(*tuple))
        });
        let mut waiting: Vec<_> = waiting.collect();
        waiting.sort_unstable_by_key(|(_, note)| (note.accepted_at, note.payment));
        for (tuple, note) in waiting {
            let values = detector.values.of(tuple);
            self.merchants.push(values[MERCHANT]);
            self.terminals.push(values[TERMINAL]);
            self.open += 1;
            *self.open_minor.entry(note.currency).or_default() += u128::from(note.amount_minor);
            if let Some(id) = note.id.as_ref().filter(|_| self.samples.len() < SAMPLES) {
                self.samples.push(Arc::clone(id));
            }
        }
        self.merchants = distinct(std::mem::take(&mut self.merchants));
        self.terminals = distinct(std::mem::take(&mut self.terminals));
    }

    pub(crate) fn rate_inside(&self) -> f64 {
        self.slow as f64 / (self.total.max(1)) as f64
    }

    /// The share of bad payments while it lasted: until the last but a tenth of them. Who is credited afterwards says
    /// nothing of it.
    pub(crate) fn rate_during(&self) -> f64 {
        let mut bad_ms: Vec<i64> = self.delayed_ms.iter().map(|(at_ms, _)| *at_ms).collect();
        bad_ms.sort_unstable();
        let Some(last_ms) = bad_ms.get(bad_ms.len().saturating_sub(1) * 9 / 10) else {
            return 0.0;
        };
        let until = |times: &[i64]| times.iter().filter(|at_ms| *at_ms <= last_ms).count();
        let (bad, good) = (until(&bad_ms), until(&self.good_ms));
        bad as f64 / (bad + good).max(1) as f64
    }

    /// Whether most of what was lost came under a corrupted id, as far as that can be known: it takes minutes.
    pub(crate) fn is_misnamed(&self) -> bool {
        let (found, told) = found_of_told(&self.lost_ms);
        found >= 3 && found * 2 >= told
    }

    /// Whether most of what was slow was credited in time by business times, as far as it came: its records were under
    /// way.
    pub(crate) fn is_under_way(&self) -> bool {
        let (found, told) = found_of_told(&self.delayed_ms);
        found >= 4 && found * 10 >= told * 6
    }

    /// Whether nearly all that was slow was credited in the end, at more than one time: a queue drains, what comes back
    /// sends all at once.
    pub(crate) fn is_draining(&self) -> bool {
        let ends = self.late_ends_s;
        let spread = ends.is_some_and(|(first, last)| last - first >= DRAINS_S);
        self.slow_credited >= 6 && self.slow_credited * 10 >= self.slow * 6 && spread
    }

    /// The class that most rejections have, where most bad payments were rejected.
    pub(crate) fn main_class(&self) -> Option<RefusalClass> {
        main_class(&self.classes, self.slow)
    }

    /// The amount above which payments are missing, and below which they are not: the split of amounts that tells
    /// bad payments from good ones best, if it tells them well.
    pub(crate) fn amount_above(&self) -> Option<u64> {
        let good = self.good_amounts.iter().map(|amount| (*amount, false));
        let bad = self.bad_amounts.iter().map(|amount| (*amount, true));
        let mut amounts: Vec<(u64, bool)> = good.chain(bad).collect();
        amounts.sort_unstable();
        let (all, all_bad) = (amounts.len() as f64, self.bad_amounts.len() as f64);
        let (mut below, mut below_bad) = (0.0, 0.0);
        let mut best: Option<(f64, u64)> = None;
        for (at, (amount, bad)) in amounts.iter().enumerate() {
            below += 1.0;
            below_bad += f64::from(u8::from(*bad));
            if amounts.get(at + 1).is_none_or(|(next, _)| next == amount) {
                continue;
            }
            let (above, above_bad) = (all - below, all_bad - below_bad);
            let tells = above_bad >= 6.0
                && above_bad >= 0.7 * above
                && below >= 20.0
                && below_bad <= 0.12 * below;
            let evidence = nats(below_bad, below) + nats(above_bad, above) - nats(all_bad, all);
            if tells && best.is_none_or(|(most, _)| evidence > most) {
                best = Some((evidence, *amount));
            }
        }
        best.filter(|(evidence, _)| *evidence >= SPLIT_NATS)
            .map(|(_, amount)| amount)
    }

    /// As it is shown.
    pub(crate) fn evidence(&self) -> Evidence {
        Evidence {
            open: self.open,
            amount_minor: self.open_minor.clone(),
            merchants: self.merchants.len() as u64,
            terminals: self.terminals.len() as u64,
            rate_inside: self.rate_inside(),
            rate_outside: self.outside_bad as f64 / self.outside_total.max(1) as f64,
            explains: self.slow as f64 / (self.slow + self.outside_bad).max(1) as f64,
            lag_p95_ms: self.lag.quantile(0.95),
            touched: self.slow + self.slow_before,
            touched_minor: self.touched_minor.clone(),
            credited_late: self.credited_late,
            amount_above_minor: None,
            signature: None,
            expected_missing: None,
            burn: None,
        }
    }
}

/// Whether a payment was not credited at an instant.
fn waits_at(row: &Row, at_ms: i64) -> bool {
    let credited_ms = row.lag_ms.map(|lag_ms| row.accepted_ms + lag_ms as i64);
    credited_ms.is_none_or(|credited_ms| credited_ms > at_ms)
}

/// The class that most rejections have, where most of `bad` payments were rejected.
pub(crate) fn main_class(classes: &BTreeMap<RefusalClass, u64>, bad: u64) -> Option<RefusalClass> {
    let (class, count) = classes.iter().max_by_key(|(_, count)| **count)?;
    (*count >= 3 && *count * 2 >= bad).then_some(*class)
}

/// Payments of which something was found, and all that came no later than the last of them: of later ones it may not be
/// known yet.
fn found_of_told(payments: &[(i64, bool)]) -> (usize, usize) {
    let found = payments.iter().filter(|(_, found)| *found);
    let last_ms = found.clone().map(|(at_ms, _)| *at_ms).max();
    let told = |(at_ms, _): &&(i64, bool)| last_ms.is_some_and(|last_ms| *at_ms <= last_ms);
    (found.count(), payments.iter().filter(told).count())
}

/// How many of a scope's payments that have waited for more than a moment will miss their first deadline, if credits
/// go on as they did in the last moments.
pub(crate) fn expected_in(detector: &Detector, scope: &Scope, now_ms: i64) -> Expected {
    let start_ms = now_ms - PERIOD_MS;
    let age = |at_ms: i64, then_ms: i64| (then_ms - at_ms).max(0).unsigned_abs();
    let mut period = Period::default();
    let rows = detector.rows.since(start_ms.div_euclid(1000) - 1);
    for row in rows.filter(|row| row.counts() && scope.holds(detector.values.of(row.tuple))) {
        if let Some(lag_ms) = row.lag_ms {
            period.add(age(row.accepted_ms, start_ms).min(lag_ms), lag_ms, true, 1);
        }
    }
    // Sums of fractions depend on their order, so that alike ones are counted first.
    let mut alike: BTreeMap<(u64, u64, Currency), (u64, u128)> = BTreeMap::new();
    let waiting = detector.rows.waiting();
    for (_, note) in waiting.filter(|(tuple, _)| scope.holds(detector.values.of(*tuple))) {
        let age_ms = age(note.accepted_at.millis(), now_ms);
        let due_ms = age(note.accepted_at.millis(), note.due_at.millis());
        let sums = alike.entry((age_ms, due_ms, note.currency)).or_default();
        *sums = (sums.0 + 1, sums.1 + u128::from(note.amount_minor));
    }
    for ((age_ms, ..), (count, _)) in &alike {
        let entered_ms = age_ms.saturating_sub(PERIOD_MS.unsigned_abs());
        period.add(entered_ms, *age_ms, false, *count);
    }
    let waiting = alike.into_iter();
    let waiting = waiting.filter(|((age_ms, due_ms, _), _)| due_ms > age_ms);
    expected(
        &period.table(),
        waiting.map(
            |((age_ms, due_ms, currency), (count, amount_minor))| Waiting {
                age_ms,
                due_ms,
                currency,
                count,
                amount_minor,
            },
        ),
    )
}

/// Log-likelihood of `count` in `total` at their own rate.
fn nats(count: f64, total: f64) -> f64 {
    let part = |count: f64| {
        if count > 0.0 {
            count * (count / total).ln()
        } else {
            0.0
        }
    };
    part(count) + part(total - count)
}

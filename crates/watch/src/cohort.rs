//! The payments of a channel's last minutes: who waits since when, and who ended after how long.

use std::collections::{BTreeMap, VecDeque};

use settlewatch_join::event::Currency;
use settlewatch_join::{Span, Timestamp};

use crate::lag::LagBuckets;
use crate::outlook::{Expected, Period, Usual, Waiting, expected};
use crate::survival::Survival;

/// How far back the quantiles look.
pub(crate) const WINDOW: Span = Span::from_secs(5 * 60);

const SECOND_MS: i64 = 1000;

const MINUTE: Span = Span::from_secs(60);

/// Periods over which it is seen how credits go on: the shortest with enough payments counts.
const PERIODS: [Span; 4] = [
    Span::from_secs(20),
    Span::from_secs(60),
    Span::from_secs(180),
    WINDOW,
];

/// Payments that are enough.
const ENOUGH: u64 = 200;

/// Age at `now` of what was appended at `at`, in milliseconds.
fn age_at(at: Timestamp, now: Timestamp) -> u64 {
    now.since(at).max(0).unsigned_abs()
}

/// Lag bucket, by its lowest lag: credited, and closed otherwise.
type Lags = BTreeMap<u64, (u64, u64)>;

/// Payments that were appended in one second and no longer wait.
#[derive(Debug)]
struct Ended {
    second: i64,
    /// Of those whose clocks never stood still, and of those that were held.
    free: Lags,
    held: Lags,
    /// How many, but for those that were held, by the age in milliseconds at which they would have passed their first deadline.
    dues: BTreeMap<u64, u64>,
}

/// A payment of which it is known when it is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Its append time.
    pub accepted_at: Timestamp,
    /// Its first deadline.
    pub at: Timestamp,
    /// Its currency.
    pub currency: Currency,
    /// Its amount in minor units.
    pub amount_minor: u64,
}

/// How long a payment waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lag {
    /// From its append time on, in milliseconds.
    pub lag_ms: u64,
    /// Whether its clock stood still for a time: it had not the prospects of others.
    pub held: bool,
}

/// Payments of one millisecond that wait, with one deadline and currency, held or not.
#[derive(Clone, Copy, Debug)]
struct Alike {
    due_ms: u64,
    currency: Currency,
    held: bool,
    count: u64,
    amount_minor: u128,
}

/// The payments of one channel whose lag counts.
#[derive(Debug, Default)]
pub(crate) struct Cohort {
    /// Payments that wait, by their append times.
    waiting: BTreeMap<Timestamp, Vec<Alike>>,
    ended: VecDeque<Ended>,
    usual: Usual,
}

impl Cohort {
    pub(crate) fn accepted(&mut self, due: &Due) {
        let due_ms = due.at.since(due.accepted_at).max(0).unsigned_abs();
        self.waits(
            due.accepted_at,
            Alike {
                due_ms,
                currency: due.currency,
                held: false,
                count: 1,
                amount_minor: due.amount_minor.into(),
            },
        );
    }

    fn waits(&mut self, accepted_at: Timestamp, one: Alike) {
        let alike = self.waiting.entry(accepted_at).or_default();
        let known = alike.iter_mut().find(|it| {
            it.due_ms == one.due_ms && it.currency == one.currency && it.held == one.held
        });
        match known {
            Some(known) => {
                known.count += one.count;
                known.amount_minor += one.amount_minor;
            }
            None => alike.push(one),
        }
    }

    /// Risk control holds a payment. It waits on, but when it is credited says nothing of others from now on.
    pub(crate) fn held(
        &mut self,
        accepted_at: Timestamp,
        (currency, amount_minor): (Currency, u64),
    ) {
        let amount_minor = amount_minor.into();
        if let Some(due_ms) = self.leaves(accepted_at, currency, amount_minor, false) {
            self.waits(
                accepted_at,
                Alike {
                    due_ms,
                    currency,
                    held: true,
                    count: 1,
                    amount_minor,
                },
            );
        }
    }

    /// A payment ended; `credited`, or otherwise.
    pub(crate) fn closed(
        &mut self,
        accepted_at: Timestamp,
        (currency, amount_minor): (Currency, u64),
        lag: Lag,
        credited: bool,
        buckets: &LagBuckets,
    ) {
        let Some(due_ms) = self.leaves(accepted_at, currency, amount_minor.into(), lag.held) else {
            // It is older than the window.
            return;
        };
        let ended = self.ended_in(accepted_at);
        let lags = if lag.held {
            &mut ended.held
        } else {
            *ended.dues.entry(due_ms).or_default() += 1;
            &mut ended.free
        };
        let counts = lags.entry(buckets.lowest(lag.lag_ms)).or_default();
        counts.0 += u64::from(credited);
        counts.1 += u64::from(!credited);
    }

    /// One of those that wait does so no longer; of several it is one that can be it. Returns the age at which it is due.
    fn leaves(
        &mut self,
        accepted_at: Timestamp,
        currency: Currency,
        amount_minor: u128,
        held: bool,
    ) -> Option<u64> {
        let alike = self.waiting.get_mut(&accepted_at)?;
        let can_be = |it: &&mut Alike| {
            let alone = it.count == 1 && it.amount_minor == amount_minor;
            let fits = alone || it.count > 1 && it.amount_minor > amount_minor;
            it.currency == currency && it.held == held && fits
        };
        let known = alike.iter_mut().find(can_be)?;
        let due_ms = known.due_ms;
        known.count -= 1;
        known.amount_minor -= amount_minor;
        alike.retain(|it| it.count > 0);
        if alike.is_empty() {
            self.waiting.remove(&accepted_at);
        }
        Some(due_ms)
    }

    fn ended_in(&mut self, accepted_at: Timestamp) -> &mut Ended {
        let second = accepted_at.millis().div_euclid(SECOND_MS);
        let at = self.ended.partition_point(|ended| ended.second < second);
        if self
            .ended
            .get(at)
            .is_none_or(|ended| ended.second != second)
        {
            self.ended.insert(
                at,
                Ended {
                    second,
                    free: BTreeMap::new(),
                    held: BTreeMap::new(),
                    dues: BTreeMap::new(),
                },
            );
        }
        &mut self.ended[at]
    }

    /// The lag of the payments appended after `end − window`, as far as it is known at `end`.
    pub(crate) fn survival(&self, end: Timestamp, buckets: &LagBuckets) -> Survival {
        self.lags(end, buckets, true)
    }

    /// Of all of them, or of those alone whose clocks never stood still.
    fn lags(&self, end: Timestamp, buckets: &LagBuckets, held_too: bool) -> Survival {
        let from = end - WINDOW;
        let mut survival = Survival::new();
        let first_second = from.millis().div_euclid(SECOND_MS);
        for ended in self
            .ended
            .iter()
            .filter(|ended| ended.second >= first_second)
        {
            let held = Some(&ended.held).filter(|_| held_too);
            let lags = ended.free.iter().chain(held.into_iter().flatten());
            for (&lag_ms, &(credited, otherwise)) in lags {
                let lag_ms = buckets.middle(lag_ms);
                if credited > 0 {
                    survival.event(lag_ms, credited);
                }
                if otherwise > 0 {
                    survival.censored(lag_ms, otherwise);
                }
            }
        }
        for (&at, alike) in self.waiting.range(from..) {
            let counts = alike.iter().filter(|it| held_too || !it.held);
            let count = counts.map(|it| it.count).sum();
            survival.censored(buckets.middle(age_at(at, end)), count);
        }
        survival
    }

    /// The probability that a payment of the window that nobody holds is credited by its first deadline: of those of
    /// whose deadline it can be known at `end`.
    pub(crate) fn within_sla(&self, end: Timestamp, buckets: &LagBuckets) -> Option<f64> {
        let survival = self.lags(end, buckets, false);
        let from = end - WINDOW;
        let first_second = from.millis().div_euclid(SECOND_MS);
        let mut dues: BTreeMap<u64, u64> = BTreeMap::new();
        for ended in self.ended.iter().filter(|it| it.second >= first_second) {
            for (due_ms, count) in &ended.dues {
                *dues.entry(*due_ms).or_default() += count;
            }
        }
        let waiting = self.waiting.range(from..).flat_map(|(_, alike)| alike);
        for alike in waiting.filter(|it| !it.held) {
            *dues.entry(alike.due_ms).or_default() += alike.count;
        }
        let (mut within, mut all) = (0.0, 0.0);
        for (due_ms, count) in dues {
            if let Some(missed) = survival.after(buckets.middle(due_ms)) {
                within += count as f64 * (1.0 - missed);
                all += count as f64;
            }
        }
        (all > 0.0).then(|| within / all)
    }

    /// How many of those that wait at `end` will miss their first deadline, if credits go on as they did in the last
    /// moments.
    pub(crate) fn expected(&self, end: Timestamp, buckets: &LagBuckets) -> Expected {
        let periods = PERIODS.map(|span| self.period(end - span, end, buckets));
        let enough = periods.iter().find(|(_, seen)| *seen >= ENOUGH);
        let (period, _) = enough.unwrap_or(&periods[PERIODS.len() - 1]);
        let waiting = self.waiting.iter().flat_map(|(&at, alike)| {
            let age_ms = age_at(at, end);
            alike.iter().filter_map(move |it| {
                (!it.held && it.due_ms > age_ms).then_some(Waiting {
                    age_ms,
                    due_ms: it.due_ms,
                    currency: it.currency,
                    count: it.count,
                    amount_minor: it.amount_minor,
                })
            })
        });
        expected(&period.table_beside(self.usual.period()), waiting)
    }

    /// What happened from `start` to `end`, and to how many.
    fn period(&self, start: Timestamp, end: Timestamp, buckets: &LagBuckets) -> (Period, u64) {
        let (mut period, mut seen) = (Period::default(), 0);
        let mut add = |accepted_at: Timestamp, until_ms: u64, credited: bool, count: u64| {
            let entered_ms = age_at(accepted_at, start);
            if until_ms >= entered_ms && count > 0 {
                period.add(entered_ms, until_ms, credited, count);
                seen += count;
            }
        };
        for ended in &self.ended {
            // The middle of its second.
            let accepted_at = Timestamp::from_millis(ended.second * SECOND_MS + SECOND_MS / 2);
            for (&lag_ms, &(credited, otherwise)) in &ended.free {
                let lag_ms = buckets.middle(lag_ms);
                // Who is declined or reversed is not missed either.
                add(accepted_at, lag_ms, true, credited + otherwise);
            }
        }
        for (&at, alike) in &self.waiting {
            let waits = alike.iter().filter(|it| !it.held);
            let count = waits.map(|it| it.count).sum();
            add(at, age_at(at, end), false, count);
        }
        (period, seen)
    }

    /// The minute that ends at `end` is over.
    pub(crate) fn end_minute(&mut self, end: Timestamp, buckets: &LagBuckets) {
        let (minute, _) = self.period(end - MINUTE, end, buckets);
        self.usual.add(minute);
    }

    /// Forgets what no later end looks back to.
    pub(crate) fn forget_before(&mut self, end: Timestamp) {
        let from = end - WINDOW;
        self.waiting = self.waiting.split_off(&from);
        let second = from.millis().div_euclid(SECOND_MS);
        while self
            .ended
            .front()
            .is_some_and(|ended| ended.second < second)
        {
            self.ended.pop_front();
        }
    }
}

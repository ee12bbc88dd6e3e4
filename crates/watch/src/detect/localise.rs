//! Where payments take long or are lost more often than is usual: first whether anything stands out at all,
//! by sums alone, then where, by a scan over the rows.

use super::counted::{Counted, Part};
use super::flows::Stopped;
use super::rates::{excess, shrunk};
use super::rows::Bad;
use super::scope::Scope;
use super::sliding::Sum;
use super::values::{TupleId, ValueId, count, nearly_all};
use super::{Detector, Explained, LONG_SHARE, WINDOWS_S, sum_of};
use crate::keep::keep;
use crate::pulse::{
    ACQUIRER, APP, CARRIER, CHANNEL, CONNECTOR, DimIndex, GATEWAY, MERCHANT, MODEL, REGION, STORE,
    TERMINAL, VENDOR,
};
use crate::scan::ScanOptions;

/// Evidence in natural units at which a scan is worth its time.
const GATE_NATS: f64 = 9.0;

/// Evidence in natural units at which everything stands out; a place needs more.
const NATS: f64 = 13.0;

/// The same where nothing is usually lost, so that few payments say much.
const LOST_NATS: f64 = 10.0;

/// A place stands out where its rate is at least so high, and so many times higher than is usual: of what is slow, and of
/// what is lost, where little is usual.
const SLOW_RATE: (f64, f64) = (0.025, 1.5);
const LOST_RATE: (f64, f64) = (0.008, 3.0);

/// What is usual drifts by so much, by the load and with what is learned in the beginning.
const DRIFT: f64 = 1.15;

/// Where fewer are lost, most of them must be missing still: lags with long tails have their bursts.
const FEW_LOST: f64 = 0.05;

/// What was seen of a place before a look is looked at for so long, in seconds.
const BEFORE_S: i64 = 600;

/// Payments of a place that weigh as much as what is known of its channels.
const UNSEEN: f64 = 40.0;

/// Payments that weigh as much as that no wait explains itself.
const NOT_EXCUSED: f64 = 4.0;

/// What slows all makes at least this share of its payments take longer than many.
const MOST: f64 = 0.55;

/// Slow payments that are no place's make at least this share of all.
const EVERYWHERE: f64 = 0.1;

/// The parts of the way that a payment takes.
pub(crate) const WAY: [DimIndex; 4] = [CHANNEL, GATEWAY, CONNECTOR, ACQUIRER];

/// Of explanations that cover the same rows, the one whose dimension comes first.
pub(crate) const PREFERRED: [DimIndex; 12] = [
    CHANNEL, CONNECTOR, GATEWAY, ACQUIRER, REGION, CARRIER, TERMINAL, MERCHANT, STORE, VENDOR, APP,
    MODEL,
];

/// A place where something is wrong.
#[derive(Clone, Debug)]
pub(crate) struct Suspicion {
    pub(crate) scope: Scope,
    /// By what it was found.
    pub(crate) bad: Bad,
    pub(crate) window_s: i64,
    /// How unlikely it is, in natural units.
    pub(crate) nats: f64,
    /// Share of all that is bad in the window.
    pub(crate) coverage: f64,
    /// Since when, in milliseconds, where it was seen by what did not come.
    pub(crate) since_ms: Option<i64>,
    /// Whether all was as usual right before that.
    pub(crate) was_well: bool,
}

/// What stands out in a second.
#[derive(Clone, Debug, Default)]
pub(crate) struct Suspicions {
    /// Among the payments that nothing explains; where nothing is found there, among all.
    pub(crate) beside: Vec<Suspicion>,
    /// Among all payments.
    pub(crate) all: Vec<Suspicion>,
}

/// Which payments are looked at, and for what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Those of which something became known after this second.
    pub(crate) after_s: i64,
    /// How long that is, in seconds.
    pub(crate) window_s: i64,
    /// Those that were appended from then on, in milliseconds.
    pub(crate) accepted_ms: i64,
    /// What is bad.
    pub(crate) bad: Bad,
}

/// Whether a scope is a part of the way that payments take: what slows all of them a little lies there. Places where
/// people pay have slow hours.
fn is_way(scope: &Scope) -> bool {
    !scope.is_everything() && scope.0.iter().all(|(dim, _)| WAY.contains(dim))
}

impl Suspicion {
    /// A channel whose credits do not come.
    pub(crate) fn of_stop(stopped: &Stopped) -> Self {
        Self {
            scope: Scope::one(CHANNEL, stopped.channel),
            bad: Bad::Slow,
            window_s: stopped.span_s,
            nats: stopped.nats,
            coverage: 1.0,
            since_ms: Some(stopped.since_s * 1000),
            was_well: stopped.was_well,
        }
    }
}

impl Detector {
    /// What stands out at `second` beyond what is `explained`; where that alone has no place, among all payments that are
    /// not `excluded`: `None` where these are the same.
    pub(crate) fn suspicions(
        &self,
        second: i64,
        explained: Explained<'_>,
        excluded: Option<Explained<'_>>,
    ) -> Suspicions {
        for (at, window_s) in WINDOWS_S.into_iter().enumerate() {
            let mut kinds = vec![Bad::Lost, Bad::Slow, Bad::Long];
            kinds.retain(|bad| self.is_suspicious(at, *bad));
            if kinds.is_empty() {
                continue;
            }
            let after_s = second - window_s;
            let sums = self.unexplained(after_s, explained);
            for bad in kinds {
                let mut sums = sums.iter();
                if !sums.any(|(value, sum)| self.is_unusual(*value, sum, bad)) {
                    continue;
                }
                let look = Look {
                    after_s,
                    window_s,
                    accepted_ms: i64::MIN,
                    bad,
                };
                // What a shorter window shows is explained in a moment; a longer one is looked at then.
                let mut beside = self.localise(look, explained);
                let all = match excluded {
                    Some(excluded) => self.localise(look, excluded),
                    None => beside.clone(),
                };
                if beside.is_empty() {
                    beside.clone_from(&all);
                }
                if !beside.is_empty() {
                    return Suspicions { beside, all };
                }
            }
        }
        Suspicions::default()
    }

    /// Whether nearly all that is bad in a suspicion has a scope.
    pub(crate) fn lies_in(&self, second: i64, suspicion: &Suspicion, scope: &Scope) -> bool {
        let rows = self.rows.since(second - suspicion.window_s);
        let bad = rows.filter(|row| row.is_bad(suspicion.bad));
        let values = bad.map(|row| self.values.of(row.tuple));
        let own = values.filter(|values| suspicion.scope.holds(values));
        nearly_all(count(own, |values| scope.holds(values)))
    }

    /// Whether any value's sums are unusual.
    fn is_suspicious(&self, window: usize, bad: Bad) -> bool {
        self.windows[window]
            .suspects()
            .any(|(value, sum)| self.is_unusual(value, &sum, bad))
    }

    fn is_unusual(&self, value: ValueId, sum: &Sum, bad: Bad) -> bool {
        let (count, expected) = match bad {
            Bad::Long => (sum.long, sum.total * LONG_SHARE),
            Bad::Slow => (sum.slow, sum.slow_expected),
            Bad::Lost => (sum.lost, sum.lost_expected),
        };
        let total = sum.total.max(count);
        if count < 2.5 || bad == Bad::Long && count < MOST * total {
            return false;
        }
        let prior = (expected / total).clamp(0.001, 0.5);
        let mean = total * self.usual_of(value, prior, bad) * DRIFT;
        excess(count, mean) > GATE_NATS
    }

    /// Sums of the payments that nothing known explains by now, of those values of which any of them is bad: what others
    /// add up to does not matter.
    fn unexplained(&self, after_s: i64, explained: Explained<'_>) -> Vec<(ValueId, Sum)> {
        let rows = self.rows.since(after_s).filter(|row| row.counts());
        let rows = rows.map(|row| (row, self.values.of(row.tuple)));
        let left: Vec<_> = rows
            .filter(|(row, values)| !explained(row, values))
            .collect();
        let mut sums = Vec::new();
        let mut places = vec![usize::MAX; self.values.len()];
        for (_, values) in left.iter().filter(|(row, _)| row.long || row.lost) {
            for value in values.iter().filter(|value| **value != ValueId::NONE) {
                let place = &mut places[value.index()];
                if *place == usize::MAX {
                    *place = sums.len();
                    sums.push((*value, Sum::default()));
                }
            }
        }
        for (row, values) in left {
            let sum = Sum {
                lost: f64::from(u8::from(row.lost)),
                ..sum_of(row)
            };
            for value in values {
                if let Some((_, sums)) = sums.get_mut(places[value.index()]) {
                    sums.add(&sum, 1.0);
                }
            }
        }
        sums
    }

    /// Payments of a look, by their values.
    fn counted(&self, look: Look, excluded: Explained<'_>) -> Counted<'_> {
        let mut parts: Vec<(TupleId, Part)> = Vec::new();
        for row in self.rows.since(look.after_s) {
            let counts = row.counts() && row.accepted_ms >= look.accepted_ms;
            if counts && !excluded(row, self.values.of(row.tuple)) {
                let one = |is: bool| f64::from(u8::from(is));
                let part = Part {
                    total: 1.0,
                    bad: one(row.is_bad(look.bad)),
                    long: one(row.long),
                };
                parts.push((row.tuple, part));
            }
        }
        parts.sort_unstable_by_key(|(tuple, _)| *tuple);
        parts.dedup_by(|(tuple, part), (last, sum)| {
            let same = tuple == last;
            if same {
                *sum += *part;
            }
            same
        });
        let lines = parts.into_iter();
        Counted::new(
            lines
                .map(|(tuple, part)| (self.values.of(tuple), part))
                .collect(),
        )
    }

    /// The place that two places share, if all of it suffers.
    pub(crate) fn joined(&self, one: &Scope, other: &Scope, look: Look) -> Option<Scope> {
        self.counted(look, &|_, _| false)
            .joined(one, other, &self.dims)
    }

    /// Scans the rows of a look.
    pub(crate) fn localise(&self, look: Look, excluded: Explained<'_>) -> Vec<Suspicion> {
        let counted = self.counted(look, excluded);
        let options = ScanOptions {
            significance: 0.01,
            min_ratio: 2.0,
            causes: 3,
            values: 4,
            ..ScanOptions::default()
        };
        let causes = counted.causes(&self.dims, options).into_iter();
        causes
            .filter_map(|(scope, finding)| {
                let inside = counted.inside(&scope);
                let usual = self.usual_in(&scope, look, excluded);
                let excused = self.may_be_excused(&scope, look, excluded);
                let nats = self.stands_out(&scope, inside, (usual, excused), look.bad)?;
                let few = look.bad == Bad::Lost && inside.rate() < FEW_LOST;
                if few && !self.is_missing(&scope, look, excluded) {
                    return None;
                }
                Some(Suspicion {
                    scope,
                    bad: look.bad,
                    window_s: look.window_s,
                    nats,
                    coverage: finding.coverage,
                    since_ms: None,
                    was_well: false,
                })
            })
            .collect()
    }

    /// Whether most of what is bad in a scope is credited not even now.
    fn is_missing(&self, scope: &Scope, look: Look, excluded: Explained<'_>) -> bool {
        let rows = self.rows.since(look.after_s);
        let rows = rows.filter(|row| row.counts() && row.accepted_ms >= look.accepted_ms);
        let bad = rows.filter(|row| row.is_bad(look.bad));
        let own = bad.filter(|row| {
            let values = self.values.of(row.tuple);
            scope.holds(values) && !excluded(row, values)
        });
        let (missing, all) = own.fold((0, 0), |(missing, all), row| {
            (missing + u32::from(row.lag_ms.is_none()), all + 1)
        });
        missing * 2 > all
    }

    /// How many of those that wait in a scope may yet explain themselves, as others that waited did: held, declined,
    /// reversed or refunded before they were overdue.
    fn may_be_excused(&self, scope: &Scope, look: Look, excluded: Explained<'_>) -> f64 {
        let (mut excused, mut open, mut other) = (0.0, 0.0, 0.0);
        for row in self.rows.since(look.after_s) {
            let values = self.values.of(row.tuple);
            let is_its = row.accepted_ms >= look.accepted_ms && scope.holds(values);
            if !is_its || !row.timed || row.aside || excluded(row, values) {
                continue;
            }
            let late = row.overdue || row.class.is_some();
            if row.ended {
                excused += f64::from(u8::from(!late && !row.misnamed));
            } else if row.is_bad(look.bad) && row.lag_ms.is_none() && !late {
                open += 1.0;
            } else if row.is_bad(look.bad) {
                other += 1.0;
            }
        }
        open * shrunk(excused, excused + other, 0.0, NOT_EXCUSED)
    }

    /// Evidence that a scope is worse than usual, if there is enough.
    fn stands_out(
        &self,
        scope: &Scope,
        inside: Part,
        (usual, excused): (f64, f64),
        bad: Bad,
    ) -> Option<f64> {
        let is_place = match bad {
            Bad::Long => is_way(scope) && inside.rate() >= MOST,
            // What is usual of everything drifts a little, by the load and with what is learned in the beginning.
            Bad::Slow => !scope.is_everything() || inside.rate() >= EVERYWHERE,
            Bad::Lost => true,
        };
        if !is_place {
            return None;
        }
        let lost = bad == Bad::Lost;
        let slack = if lost { 0.02 } else { 0.3 };
        let nats = excess(inside.bad, inside.total * usual * DRIFT + slack + excused);
        let base = if lost { LOST_NATS } else { NATS };
        // The more scopes of its kind there are, the more.
        let enough = base + self.values.choices(scope);
        let least = if lost { 3.0 } else { 5.0 };
        let (share, times) = if lost { LOST_RATE } else { SLOW_RATE };
        let is_rate = inside.rate() >= share + times * usual;
        (nats >= enough && inside.bad >= least && is_rate).then_some(nats)
    }

    /// The share of bad payments that would be usual in a scope: by its channels, and by what was seen of it before.
    fn usual_in(&self, scope: &Scope, look: Look, excluded: Explained<'_>) -> f64 {
        let (mut total, mut usual) = (0.0, 0.0);
        let (mut before, mut before_bad) = (0.0, 0.0);
        for row in self.rows.since(look.after_s - BEFORE_S) {
            let values = self.values.of(row.tuple);
            if !row.counts() || !scope.holds(values) || excluded(row, values) {
                continue;
            }
            if row.second > look.after_s {
                total += 1.0;
                usual += self.usual_share(row, look.bad);
            } else if row.second <= look.after_s - 30 && row.judged {
                before += 1.0;
                before_bad += f64::from(u8::from(row.is_bad(look.bad)));
            }
        }
        if total <= 0.0 {
            return 0.0;
        }
        let prior = usual / total;
        // What stood out before is not usual: it was a fault, or the end of one.
        let seen = before_bad.min(before * prior * 4.0 + 1.0);
        // Places differ: where little was seen of one, its share may well be a multiple of the channel's.
        let doubt = 1.0 + 1.5 * UNSEEN / (UNSEEN + before);
        shrunk(seen, before, prior, UNSEEN) * doubt
    }
}

keep!(Suspicion {
    scope,
    bad,
    window_s,
    nats,
    coverage,
    since_ms,
    was_well,
});

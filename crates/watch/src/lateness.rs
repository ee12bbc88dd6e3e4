//! How late the records of each source are appended: synchronisation that lags, and clocks that are wrong.
//!
//! A source is a value of gateway or connector, for payments and for credits. What is appended late has a
//! larger difference between append and business time, and its payments and credits are further apart, or
//! nearer to each other, in the log. A wrong clock changes the difference alone.

use std::collections::{BTreeMap, VecDeque};

use crate::detect::values::{TupleId, ValueId, Values};
use crate::pulse::{CONNECTOR, GATEWAY};

/// Observations of a source that are kept.
const KEPT: usize = 600;

/// Now is the last so many seconds.
const NOW_S: i64 = 20;

/// What is usual is older than that, in seconds.
const USUAL_BEFORE_S: i64 = 45;

/// Observations that are enough, now and before.
const ENOUGH: (usize, usize) = (8, 20);

/// A shift below that, in milliseconds, is not worth a word.
const LEAST_SHIFT_MS: i64 = 3_000;

/// Payments or credits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    /// `payment.succeeded`.
    Payments,
    /// `terminal.credited`.
    Credits,
}

/// One record.
#[derive(Clone, Copy)]
struct Seen {
    second: i64,
    lateness_ms: i64,
    /// Append to append, of the payment and its credit.
    lag_ms: i64,
}

/// What is wrong with a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shift {
    /// The source; `None`: all of them.
    pub(crate) source: Option<(usize, ValueId)>,
    pub(crate) side: Side,
    /// Whether the clock is wrong, rather than the records late.
    pub(crate) clock: bool,
    /// By how much, in milliseconds.
    pub(crate) shift_ms: i64,
    /// When it was first seen.
    pub(crate) since_s: i64,
    /// When it was last seen.
    pub(crate) last_s: i64,
    pub(crate) count: u64,
}

/// The records of one source.
#[derive(Default)]
struct Source {
    seen: VecDeque<Seen>,
    /// Usual lateness and lag, once known; kept while it is shifted.
    usual: Option<(i64, i64, i64)>,
}

/// All sources.
#[derive(Default)]
pub(crate) struct Lateness {
    sources: BTreeMap<(Side, usize, ValueId), Source>,
}

impl Lateness {
    /// A payment and its credit were seen.
    pub(crate) fn credited(
        &mut self,
        values: &Values,
        tuple: TupleId,
        second: i64,
        (payment_ms, credit_ms): (i64, i64),
        lag_ms: i64,
    ) {
        let tuple = values.of(tuple);
        for dim in [GATEWAY, CONNECTOR] {
            let value = tuple[dim];
            for (side, lateness_ms) in [(Side::Payments, payment_ms), (Side::Credits, credit_ms)] {
                let source = self.sources.entry((side, dim, value)).or_default();
                source.seen.push_back(Seen {
                    second,
                    lateness_ms,
                    lag_ms,
                });
                if source.seen.len() > KEPT {
                    source.seen.pop_front();
                }
            }
        }
    }

    /// What is shifted at `now_s`.
    pub(crate) fn shifts(&mut self, now_s: i64) -> Vec<Shift> {
        let mut found = Vec::new();
        let mut alive = BTreeMap::<(Side, usize), (u64, u64)>::new();
        for (&(side, dim, value), source) in &mut self.sources {
            let Some((count, shift)) = source.shift(now_s) else {
                continue;
            };
            let sums = alive.entry((side, dim)).or_default();
            sums.0 += count;
            if let Some((clock, shift_ms, since_s, last_s)) = shift {
                sums.1 += count;
                if value == ValueId::NONE {
                    continue;
                }
                found.push(Shift {
                    source: Some((dim, value)),
                    side,
                    clock,
                    shift_ms,
                    since_s,
                    last_s,
                    count,
                });
            }
        }
        for side in [Side::Payments, Side::Credits] {
            let everywhere = [GATEWAY, CONNECTOR].iter().all(|dim| {
                alive
                    .get(&(side, *dim))
                    .is_none_or(|(all, shifted)| *shifted * 10 >= *all * 8)
            });
            let of_side: Vec<&Shift> = found.iter().filter(|shift| shift.side == side).collect();
            if everywhere && of_side.len() >= 2 {
                let whole = Shift {
                    source: None,
                    count: of_side.iter().map(|shift| shift.count).sum(),
                    since_s: of_side
                        .iter()
                        .map(|shift| shift.since_s)
                        .min()
                        .unwrap_or(now_s),
                    ..(*of_side[0]).clone()
                };
                found.retain(|shift| shift.side != side);
                found.push(whole);
            }
        }
        narrow(found)
    }
}

/// Of a gateway and a connector that are shifted alike, the one that is behind both: the one with more records.
fn narrow(mut found: Vec<Shift>) -> Vec<Shift> {
    found.sort_by_key(|shift| (shift.side, std::cmp::Reverse(shift.count), shift.since_s));
    let mut kept: Vec<Shift> = Vec::new();
    for shift in found {
        let other_dim = |known: &Shift| {
            known.side == shift.side
                && known.source.map(|(dim, _)| dim) != shift.source.map(|(dim, _)| dim)
                && known.clock == shift.clock
        };
        if !kept.iter().any(other_dim) {
            kept.push(shift);
        }
    }
    kept
}

impl Source {
    /// Records now, and by how much they are shifted: whether by a clock, by how much, since when, and until when.
    #[expect(clippy::type_complexity, reason = "one caller takes it apart at once")]
    fn shift(&mut self, now_s: i64) -> Option<(u64, Option<(bool, i64, i64, i64)>)> {
        let now: Vec<Seen> = self
            .seen
            .iter()
            .rev()
            .take_while(|seen| seen.second > now_s - NOW_S)
            .copied()
            .collect();
        if now.len() < ENOUGH.0 {
            return None;
        }
        let lateness = median(now.iter().map(|seen| seen.lateness_ms));
        let lag = median(now.iter().map(|seen| seen.lag_ms));
        let (usual, usual_lag, spread) = match self.usual {
            Some(usual) => usual,
            None => self.learn(now_s)?,
        };
        let least = LEAST_SHIFT_MS.max(4 * spread);
        let shift_ms = lateness - usual;
        let count = now.len() as u64;
        if shift_ms.abs() < least {
            // Nothing is wrong: what is usual follows.
            self.usual = None;
            return Some((count, None));
        }
        self.usual = Some((usual, usual_lag, spread));
        let shifted = |seen: &&Seen| (seen.lateness_ms - usual).abs() >= shift_ms.abs() / 2;
        // Most of it at least, or it is a mixture of something narrower.
        let most = now.iter().filter(shifted).count() * 10 >= now.len() * 8;
        if !most {
            return Some((count, None));
        }
        let moved = (lag - usual_lag).abs();
        let clock = shift_ms < 0 || moved * 3 < shift_ms.abs() && moved * 2 < usual_lag.max(1000);
        let since_s = self
            .seen
            .iter()
            .rev()
            .take_while(|seen| (seen.lateness_ms - usual).abs() >= shift_ms.abs() / 3)
            .last()
            .map_or(now_s, |seen| seen.second);
        Some((count, Some((clock, shift_ms, since_s, now[0].second))))
    }

    /// Usual lateness and lag, and how widely the lateness is spread.
    fn learn(&self, now_s: i64) -> Option<(i64, i64, i64)> {
        let before: Vec<&Seen> = self
            .seen
            .iter()
            .filter(|seen| seen.second <= now_s - USUAL_BEFORE_S)
            .collect();
        if before.len() < ENOUGH.1 {
            return None;
        }
        let usual = median(before.iter().map(|seen| seen.lateness_ms));
        let spread = median(before.iter().map(|seen| (seen.lateness_ms - usual).abs()));
        let lag = median(before.iter().map(|seen| seen.lag_ms));
        Some((usual, lag, spread))
    }
}

fn median(values: impl Iterator<Item = i64>) -> i64 {
    let mut sorted: Vec<i64> = values.collect();
    if sorted.is_empty() {
        return 0;
    }
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

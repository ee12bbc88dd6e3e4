//! Ways in which two amounts differ again and again: one offset, one factor, one rate.

use super::case::Kept;
use crate::keep::keep_enum;

/// A whole, in millionths.
const PPM: u64 = 1_000_000;

/// Rates that fees have, in millionths.
const FEE_PPM: std::ops::RangeInclusive<u64> = 1_000..=50_000;

/// Evidence in natural units that amounts agree on a rate: with small amounts chance finds one.
const AGREED_NATS: f64 = 9.0;

/// How two amounts differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signature {
    /// By so many minor units, more than due or less.
    Offset(i64),
    /// So many times what was due.
    Times(u64),
    /// One so many-th of what was due.
    Part(u64),
    /// By a share of what was due, in millionths.
    Rate(u64),
}

impl Signature {
    /// Those that are looked for whatever the amounts are.
    pub(super) const FIXED: [Self; 6] = [
        Self::Offset(-1),
        Self::Offset(1),
        Self::Times(100),
        Self::Part(100),
        Self::Times(10),
        Self::Part(10),
    ];

    /// Whether a case's amounts differ like this.
    pub(super) fn holds(self, case: &Kept) -> bool {
        let Some((due, paid)) = case.amounts else {
            return false;
        };
        match self {
            Self::Offset(by) => due.checked_add_signed(by) == Some(paid),
            Self::Times(times) => due.checked_mul(times) == Some(paid),
            Self::Part(parts) => due >= parts && due / parts == paid,
            Self::Rate(ppm) => {
                rates(due, paid).is_some_and(|(low, high)| low <= ppm && ppm <= high)
            }
        }
    }

    /// Whether it is the same source's mistake: a rate becomes more exact with each case.
    pub(super) fn is_like(self, other: Self) -> bool {
        match (self, other) {
            (Self::Rate(one), Self::Rate(two)) => one.abs_diff(two) * 20 <= one.max(two),
            _ => self == other,
        }
    }

    /// As it is shown.
    pub(super) fn text(self) -> String {
        match self {
            Self::Offset(by) => format!("offset {by:+}"),
            Self::Times(times) => format!("factor {times}"),
            Self::Part(parts) => format!("factor 1/{parts}"),
            Self::Rate(ppm) => format!("fee rate {}.{:04} %", ppm / 10_000, ppm % 10_000),
        }
    }
}

/// The rates that give the difference, in millionths: a rounded fee leaves a range of them.
fn rates(due: u64, paid: u64) -> Option<(u64, u64)> {
    let short = due.checked_sub(paid).filter(|short| *short > 0)?;
    let low = (2 * short).saturating_sub(1).checked_mul(PPM / 2)? / due;
    let high = (2 * short).checked_add(1)?.checked_mul(PPM / 2)? / due + 1;
    Some((low, high))
}

/// The one rate that contracts do not name and that explains the most cases, at least `least`.
pub(super) fn fee_rate(cases: &[&Kept], contract_ppm: &[u64], least: usize) -> Option<Signature> {
    let mut ranges: Vec<(u64, u64)> = cases
        .iter()
        .filter_map(|case| case.amounts)
        .filter_map(|(due, paid)| rates(due, paid))
        .filter(|(low, high)| *low <= *FEE_PPM.end() && *high >= *FEE_PPM.start())
        .collect();
    ranges.sort_unstable();
    let mut best: Option<(Vec<(u64, u64)>, u64)> = None;
    // Where the most ranges overlap, one of them ends; the widest overlap of a rate is at a lower end.
    for &(low, _) in &ranges {
        let ppm = low.max(*FEE_PPM.start());
        let alike = ranges
            .iter()
            .copied()
            .filter(|(from, to)| (*from..=*to).contains(&ppm));
        let alike: Vec<_> = alike.collect();
        if best
            .as_ref()
            .is_none_or(|(most, _)| alike.len() > most.len())
        {
            best = Some((alike, ppm));
        }
    }
    let (alike, ppm) = best?;
    let known = contract_ppm
        .iter()
        .any(|rate| alike.iter().all(|(low, high)| low <= rate && rate <= high));
    let agreed = alike.len() >= least && evidence(&alike, ranges.len()) >= AGREED_NATS;
    (agreed && !known).then(|| Signature::Rate(roundest(&alike, ppm)))
}

/// How unlikely it is that so many of `all` ranges overlap by chance, in natural units: the first one names the
/// rate, each further one meets it with the share of all rates that it covers.
fn evidence(alike: &[(u64, u64)], all: usize) -> f64 {
    let span = (FEE_PPM.end() - FEE_PPM.start()) as f64;
    let mut meets: Vec<f64> = alike
        .iter()
        .map(|(low, high)| -(((high - low).max(1) as f64 / span).min(1.0)).ln())
        .collect();
    meets.sort_by(f64::total_cmp);
    meets.pop();
    // As many ways are there to choose them.
    let choices: f64 = (0..alike.len())
        .map(|at| ((all - at) as f64 / (at + 1) as f64).ln())
        .sum();
    meets.iter().sum::<f64>() - choices
}

/// The roundest rate that all cases allow.
fn roundest(alike: &[(u64, u64)], ppm: u64) -> u64 {
    let low = alike.iter().map(|(low, _)| *low).max().unwrap_or(ppm);
    let high = alike.iter().map(|(_, high)| *high).min().unwrap_or(ppm);
    for step in [10_000, 1_000, 100, 10] {
        let round = high / step * step;
        if round >= low.max(1) {
            return round;
        }
    }
    low.midpoint(high)
}

keep_enum!(Signature {
    0 => Offset(by),
    1 => Times(times),
    2 => Part(parts),
    3 => Rate(ppm),
});

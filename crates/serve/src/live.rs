//! Channels as they stand now: each lane writes its share, whoever asks adds them up.

use std::sync::{Arc, Mutex, PoisonError};

use dashmap::DashMap;
use settlewatch_join::Timestamp;
use settlewatch_join::event::Currency;
use settlewatch_watch::Survival;

use crate::lags::LagCounts;

/// What channels beyond the limit are called together.
pub(crate) const OTHER: &str = "other";

/// What a lane knows of a channel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Share {
    pub(crate) pending: u64,
    pub(crate) overdue: u64,
    /// Payments accepted since the process began.
    pub(crate) payments: u64,
    /// Money that waits, by currency.
    pub(crate) amounts: Vec<(Currency, i128)>,
    /// Of it: past its first deadline.
    pub(crate) at_risk: Vec<(Currency, i128)>,
    /// Second in which the oldest that waits was appended.
    pub(crate) oldest_s: Option<i64>,
    pub(crate) lags: LagCounts,
    /// Payments of the window that wait: milliseconds that they have, and how many.
    pub(crate) waiting: Vec<(u64, u32)>,
}

/// The figures of one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Its name.
    pub channel: Arc<str>,
    /// Payments that wait.
    pub pending: u64,
    /// Of them: past their first deadline.
    pub overdue: u64,
    /// Payments accepted since the process began.
    pub payments: u64,
    /// Money that waits in minor units, by currency.
    pub amounts: Vec<(Currency, i128)>,
    /// Of it: past its first deadline.
    pub at_risk: Vec<(Currency, i128)>,
    /// Append time of the oldest that waits, in seconds since the epoch.
    pub oldest_s: Option<i64>,
    /// Quantiles of the lag in milliseconds, see [`QUANTILES`]; `None` where one cannot be known yet.
    pub lag_ms: [Option<u64>; 3],
}

impl Figures {
    /// How long the oldest has waited at `now`, in milliseconds; `None` where nothing waits or no time is known.
    pub fn age_ms(&self, now: Option<Timestamp>) -> Option<u64> {
        let oldest = Timestamp::from_millis(self.oldest_s?.saturating_mul(1000));
        Some(now?.since(oldest).max(0).unsigned_abs())
    }
}

/// The quantiles of [`Figures::lag_ms`], as labels.
pub const QUANTILES: [(&str, f64); 3] = [("0.5", 0.5), ("0.95", 0.95), ("0.99", 0.99)];

/// The channels of all lanes.
pub(crate) struct Live {
    limit: usize,
    names: Mutex<Vec<Arc<str>>>,
    /// Shares by channel and lane.
    channels: DashMap<Arc<str>, Vec<Share>>,
}

impl Live {
    /// At most `limit` channels under their own names.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit: limit.min(usize::from(u16::MAX)),
            names: Mutex::default(),
            channels: DashMap::new(),
        }
    }

    /// The number of a channel in this process, and whether it has its own; beyond the limit it is `other`.
    pub(crate) fn channel(&self, name: &str) -> (u16, bool) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let position =
            |names: &[Arc<str>], name: &str| names.iter().position(|known| **known == *name);
        if let Some(at) = position(&names, name) {
            return (at as u16, true);
        }
        let own = names.len() < self.limit;
        let name = if own { name } else { OTHER };
        let at = position(&names, name).unwrap_or_else(|| {
            names.push(name.into());
            names.len() - 1
        });
        (at as u16, own)
    }

    /// The name of a channel that has a number.
    pub(crate) fn name(&self, id: u16) -> Arc<str> {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names
            .get(usize::from(id))
            .map_or_else(|| OTHER.into(), Arc::clone)
    }

    /// Lets a lane write its share of a channel.
    pub(crate) fn write(&self, channel: &Arc<str>, lane: usize, write: impl FnOnce(&mut Share)) {
        let mut shares = self.channels.entry(Arc::clone(channel)).or_default();
        if shares.len() <= lane {
            shares.resize(lane + 1, Share::default());
        }
        write(&mut shares[lane]);
    }

    /// Every channel, by name.
    pub(crate) fn figures(&self) -> Vec<Figures> {
        let mut figures: Vec<Figures> = self
            .channels
            .iter()
            .map(|entry| sum(entry.key(), entry.value()))
            .collect();
        figures.sort_by(|a, b| a.channel.cmp(&b.channel));
        figures
    }
}

/// Adds amounts of the same currencies; in the order of the currencies.
fn add<'a>(amounts: impl Iterator<Item = &'a (Currency, i128)>) -> Vec<(Currency, i128)> {
    let mut sums: Vec<(Currency, i128)> = Vec::new();
    for &(currency, amount) in amounts {
        match sums.iter_mut().find(|(code, _)| *code == currency) {
            Some((_, sum)) => *sum += amount,
            None => sums.push((currency, amount)),
        }
    }
    sums.sort_by_key(|&(currency, _)| currency);
    sums
}

fn sum(channel: &Arc<str>, shares: &[Share]) -> Figures {
    let mut survival = Survival::new();
    for share in shares {
        share
            .lags
            .credited()
            .for_each(|(lag_ms, count)| survival.event(lag_ms, count));
        share
            .lags
            .otherwise()
            .for_each(|(lag_ms, count)| survival.censored(lag_ms, count));
        for &(age_ms, count) in &share.waiting {
            survival.censored(age_ms, u64::from(count));
        }
    }
    Figures {
        channel: Arc::clone(channel),
        pending: shares.iter().map(|share| share.pending).sum(),
        overdue: shares.iter().map(|share| share.overdue).sum(),
        payments: shares.iter().map(|share| share.payments).sum(),
        amounts: add(shares.iter().flat_map(|share| &share.amounts)),
        at_risk: add(shares.iter().flat_map(|share| &share.at_risk)),
        oldest_s: shares.iter().filter_map(|share| share.oldest_s).min(),
        lag_ms: QUANTILES.map(|(_, q)| survival.quantile(q)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_beyond_the_limit_are_other() {
        let live = Live::new(2);
        let (a, own) = live.channel("a");
        assert_eq!((&*live.name(a), own), ("a", true));
        live.channel("b");
        let (c, own) = live.channel("c");
        assert_eq!((&*live.name(c), own), (OTHER, false));
        assert_eq!(live.channel("d"), (c, false));
        assert_eq!(live.channel("a"), (a, true));
    }
}

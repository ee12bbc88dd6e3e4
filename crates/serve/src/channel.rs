//! What a lane counts of one channel, in plain numbers.

use std::sync::Arc;

use prometheus::local::LocalHistogram;
use settlewatch_join::event::Currency;
use settlewatch_join::{Closing, Timestamp, Waiting};

use crate::ages::{Ages, second_of};
use crate::count::Count;
use crate::descriptors::Metric;
use crate::edges::seconds;
use crate::families::Families;
use crate::lags::Lags;
use crate::live::Share;

/// A payment that was closed.
#[derive(Clone, Copy)]
pub(crate) struct Ended {
    pub(crate) closing: Closing,
    pub(crate) accepted_at: Timestamp,
    pub(crate) timed: bool,
    pub(crate) lag_ms: u64,
    pub(crate) overdue: bool,
    pub(crate) amount_minor: u64,
    pub(crate) currency: Currency,
}

/// One channel of one lane.
pub(crate) struct Channel {
    pub(crate) name: Arc<str>,
    pending: u64,
    overdue: u64,
    payments: u64,
    amounts: Vec<(Currency, i128)>,
    at_risk: Vec<(Currency, i128)>,
    /// Payments whose fate is known from their acceptance on, and whose lag counts.
    counted: Ages,
    /// The others that wait: batch payments, and those that waited when their partition was restored. What was
    /// restored would count as waiting beside none that had been credited.
    aside: Ages,
    lags: Lags,
    accepted: Count,
    credited: Count,
    explained: Count,
    written_off: Count,
    retracted: Count,
    lag: LocalHistogram,
}

fn change(amounts: &mut Vec<(Currency, i128)>, currency: Currency, change: i128) {
    match amounts.iter_mut().find(|(code, _)| *code == currency) {
        Some((_, amount)) => *amount += change,
        None => amounts.push((currency, change)),
    }
}

impl Channel {
    pub(crate) fn new(name: Arc<str>, families: &Families) -> Self {
        let closed =
            |outcome| Count::new(families.counter(Metric::PaymentsClosed, &[&name, outcome]));
        Self {
            pending: 0,
            overdue: 0,
            payments: 0,
            amounts: Vec::new(),
            at_risk: Vec::new(),
            counted: Ages::default(),
            aside: Ages::default(),
            lags: Lags::default(),
            accepted: Count::new(families.counter(Metric::Payments, &[&name])),
            credited: closed("credited"),
            explained: closed("explained"),
            written_off: closed("written_off"),
            retracted: Count::new(families.counter(Metric::AlertsRetracted, &[&name])),
            lag: families.histogram(Metric::CreditLag, &[&name]).local(),
            name,
        }
    }

    /// Whether a payment's lag counts that was appended in `second`, of a partition restored at `since_s`.
    fn counts(timed: bool, second: i64, since_s: i64) -> bool {
        timed && second > since_s
    }

    /// A payment waited when its partition was restored.
    pub(crate) fn restored(&mut self, waiting: &Waiting) {
        self.pending += 1;
        self.overdue += u64::from(waiting.overdue);
        let amount = i128::from(waiting.amount_minor);
        change(&mut self.amounts, waiting.currency, amount);
        if waiting.overdue {
            change(&mut self.at_risk, waiting.currency, amount);
        }
        self.aside.add(second_of(waiting.accepted_at));
    }

    /// A payment was accepted; `again` where it was counted before a restart.
    pub(crate) fn accepted(&mut self, payment: &Waiting, since_s: i64, again: bool) {
        self.pending += 1;
        let amount = i128::from(payment.amount_minor);
        change(&mut self.amounts, payment.currency, amount);
        let second = second_of(payment.accepted_at);
        if Self::counts(payment.timed, second, since_s) {
            self.counted.add(second);
        } else {
            self.aside.add(second);
        }
        self.payments += u64::from(!again);
        self.accepted.add(u64::from(!again));
    }

    pub(crate) fn overdue(&mut self, currency: Currency, amount_minor: u64) {
        self.overdue += 1;
        change(&mut self.at_risk, currency, i128::from(amount_minor));
    }

    pub(crate) fn ended(&mut self, payment: &Ended, since_s: i64, again: bool) {
        self.pending = self.pending.saturating_sub(1);
        self.overdue = self.overdue.saturating_sub(u64::from(payment.overdue));
        let amount = i128::from(payment.amount_minor);
        change(&mut self.amounts, payment.currency, -amount);
        if payment.overdue {
            change(&mut self.at_risk, payment.currency, -amount);
        }
        let second = second_of(payment.accepted_at);
        let credited = payment.closing == Closing::Credited;
        // Other rules may have made a batch payment of it since, or the other way round.
        if Self::counts(payment.timed, second, since_s) && self.counted.remove(second) {
            self.lags.ended(second, payment.lag_ms, credited);
        } else if !self.aside.remove(second) {
            self.counted.remove(second);
        }
        if again {
            return;
        }
        match payment.closing {
            Closing::Credited => self.credited.add(1),
            Closing::Explained => self.explained.add(1),
            Closing::WrittenOff => self.written_off.add(1),
        }
        if credited && payment.timed {
            self.lag.observe(seconds(payment.lag_ms));
        }
    }

    /// The histogram of lags has begun anew.
    pub(crate) fn renew_lag(&mut self, families: &Families) {
        self.lag = families.histogram(Metric::CreditLag, &[&self.name]).local();
    }

    pub(crate) fn retracted(&mut self) {
        self.retracted.add(1);
    }

    /// Hands the counters over.
    pub(crate) fn flush(&mut self) {
        for count in [
            &mut self.accepted,
            &mut self.credited,
            &mut self.explained,
            &mut self.written_off,
            &mut self.retracted,
        ] {
            count.flush();
        }
        self.lag.flush();
    }

    /// Writes what waits.
    pub(crate) fn share(&self, share: &mut Share) {
        share.pending = self.pending;
        share.overdue = self.overdue;
        share.payments = self.payments;
        share.amounts.clone_from(&self.amounts);
        share.at_risk.clone_from(&self.at_risk);
        let oldest = [self.counted.oldest(), self.aside.oldest()];
        share.oldest_s = oldest.into_iter().flatten().min();
    }

    /// Writes how long credits took lately, and who waits; everything is known up to `known`.
    pub(crate) fn share_lags(&mut self, known: Timestamp, share: &mut Share) {
        let end = second_of(known);
        let first = Lags::first_second(end);
        self.lags.sum_since(first, &mut share.lags);
        share.waiting.clear();
        let waiting = self
            .counted
            .since(first)
            .filter(|&(second, _)| second <= end);
        let age_ms = |second: i64| (end - second).unsigned_abs() * 1000;
        share
            .waiting
            .extend(waiting.map(|(second, count)| (age_ms(second), count)));
    }

    /// Forgets what waits: the partition numbers were taken away.
    pub(crate) fn forget(&mut self) {
        self.pending = 0;
        self.overdue = 0;
        self.amounts.clear();
        self.at_risk.clear();
        self.counted = Ages::default();
        self.aside = Ages::default();
        self.lags = Lags::default();
    }
}

#[cfg(test)]
mod tests {
    use settlewatch_join::ChannelIndex;

    use super::*;
    use crate::live::Live;

    const NOON: i64 = 1_775_707_200_000;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(NOON + ms)
    }

    fn currency() -> Currency {
        Currency::new(*b"CNY").expect("three capitals")
    }

    fn channel() -> Channel {
        let families = Families::new(&[1.0]).expect("the table is consistent");
        Channel::new("wechat".into(), &families)
    }

    fn payment(at: Timestamp) -> Waiting {
        Waiting {
            channel: ChannelIndex(0),
            accepted_at: at,
            timed: true,
            overdue: false,
            amount_minor: 100,
            currency: currency(),
        }
    }

    fn credited(accepted_at: Timestamp, lag_ms: u64) -> Ended {
        Ended {
            closing: Closing::Credited,
            accepted_at,
            timed: true,
            lag_ms,
            overdue: false,
            amount_minor: 100,
            currency: currency(),
        }
    }

    /// Quantiles of everything that is known up to `known`, from two lanes.
    fn quantiles(lanes: &mut [Channel], known: Timestamp) -> [Option<u64>; 3] {
        let live = Live::new(10);
        for (lane, channel) in lanes.iter_mut().enumerate() {
            let name = Arc::clone(&channel.name);
            live.write(&name, lane, |share| {
                channel.share(share);
                channel.share_lags(known, share);
            });
        }
        live.figures()[0].lag_ms
    }

    #[test]
    fn quantiles_are_those_of_all_lanes_together() {
        let mut lanes = [channel(), channel()];
        for i in 0..1000 {
            let (paid, lag_ms) = (at(1000 + i * 10), 1000 + i.unsigned_abs() * 10);
            let lane = &mut lanes[(i % 2) as usize];
            lane.accepted(&payment(paid), 0, false);
            lane.ended(&credited(paid, lag_ms), 0, false);
        }
        let [p50, p95, p99] = quantiles(&mut lanes, at(60_000));
        for (measured, exact) in [(p50, 5_990), (p95, 10_490), (p99, 10_890)] {
            let measured = measured.expect("everything was credited");
            assert!(
                u64::abs_diff(measured, exact) * 50 <= exact,
                "{measured} is not {exact}"
            );
        }
    }

    #[test]
    fn those_that_wait_make_a_quantile_unknown_and_time_makes_it_known_again() {
        let mut lanes = [channel()];
        for i in 0..100 {
            let paid = at(1000 + i * 100);
            lanes[0].accepted(&payment(paid), 0, false);
            if i < 40 {
                lanes[0].ended(&credited(paid, 2000), 0, false);
            }
        }
        assert_eq!(quantiles(&mut lanes, at(60_000)), [None; 3]);
        // Six minutes later credits flow again, and what waits is older than the window.
        for i in 0..100 {
            let paid = at(400_000 + i * 100);
            lanes[0].accepted(&payment(paid), 0, false);
            lanes[0].ended(&credited(paid, 20), 0, false);
        }
        assert_eq!(quantiles(&mut lanes, at(420_000)), [Some(20); 3]);
    }

    #[test]
    fn what_waited_at_a_restore_is_shown_but_not_held_against_the_credits_since() {
        let mut lanes = [channel()];
        let restored_s = second_of(at(60_000));
        for i in 0..100 {
            lanes[0].restored(&payment(at(i * 100)));
        }
        lanes[0].accepted(&payment(at(61_000)), restored_s, false);
        lanes[0].ended(&credited(at(61_000), 50), restored_s, false);
        lanes[0].ended(&credited(at(0), 61_000), restored_s, false);
        assert_eq!(quantiles(&mut lanes, at(70_000)), [Some(50); 3]);
        let mut share = Share::default();
        lanes[0].share(&mut share);
        assert_eq!((share.pending, share.amounts[0].1), (99, 9_900));
        assert_eq!(share.oldest_s, Some(second_of(at(0))));
    }
}

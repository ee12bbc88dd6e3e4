//! One row a minute and channel: how many were paid, credited, waiting, overdue, and how long a credit takes.

use std::collections::{BTreeMap, VecDeque};

use settlewatch_join::event::Currency;
use settlewatch_join::{Closing, Span, Timestamp};

use crate::cohort::{Cohort, Due, Lag};
use crate::lag::LagBuckets;
use crate::outlook::Expected;
use crate::survival::QUANTILES;

const MINUTE_MS: i64 = 60_000;

/// Minutes whose rows may still change: a credit belongs to the minute of its append time, but its channel
/// is known only when its payment comes.
const OPEN_MINUTES: usize = 60;

/// What a minute was like for a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelRow {
    /// When the minute began.
    pub minute: Timestamp,
    /// The channel.
    pub channel: String,
    /// Payments appended in it.
    pub payments: u64,
    /// Credits of known payments appended in it.
    pub credits: u64,
    /// Payments waiting at its end.
    pub pending: u64,
    /// Of them: past their first deadline.
    pub overdue: u64,
    /// Quantiles of the lag in milliseconds over the payments of the last 5 minutes, the waiting counted;
    /// `None` where one cannot be known yet: 50 %, 95 %, 99 %.
    pub lag_ms: [Option<u64>; 3],
    /// Share of the payments of the last 5 minutes, but for held ones, that are credited by their first deadline, the
    /// waiting counted; `None` where it cannot be known yet.
    pub within_sla: Option<f64>,
    /// How many of those that wait at its end, and are neither held nor overdue, will miss their first deadline.
    pub expected: Expected,
}

/// After so many minutes in which nothing happened, minutes get no rows until something does: a payment that
/// is due in the year 9999 must not write one for every minute until then.
const IDLE_MINUTES: i64 = 60;

#[derive(Debug, Default)]
struct Channel {
    payments: u64,
    credits: u64,
    pending: u64,
    overdue: u64,
    cohort: Cohort,
}

/// The channels of a recording, or of a lane.
#[derive(Debug, Default)]
pub struct Channels {
    buckets: LagBuckets,
    channels: BTreeMap<String, Channel>,
    /// Beginning of the current minute; `None` before the first record.
    minute: Option<i64>,
    /// Beginning of the last minute in which something happened.
    busy: i64,
    /// Finished minutes whose rows may still change, oldest first.
    open: VecDeque<Vec<ChannelRow>>,
    /// Rows that are final.
    done: Vec<ChannelRow>,
}

impl Channels {
    /// No channel yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn channel(&mut self, name: &str) -> &mut Channel {
        self.busy = self.minute.unwrap_or(self.busy);
        if !self.channels.contains_key(name) {
            self.channels.insert(name.into(), Channel::default());
        }
        self.channels.get_mut(name).expect("it was just put there")
    }

    /// A payment was accepted; `timed` where its lag counts.
    pub fn accepted(&mut self, name: &str, due: &Due, timed: bool) {
        let channel = self.channel(name);
        channel.payments += 1;
        channel.pending += 1;
        if timed {
            channel.cohort.accepted(due);
        }
    }

    /// A credit of a known payment was appended at `at`, now or in an earlier minute.
    pub fn credited(&mut self, name: &str, at: Timestamp) {
        let minute = minute_of(at);
        let earlier = self.open.iter_mut().rev().flatten();
        let row = earlier
            .take_while(|row| row.minute.millis() >= minute)
            .find(|row| row.minute.millis() == minute && row.channel == name);
        match row {
            Some(row) => row.credits += 1,
            None => self.channel(name).credits += 1,
        }
    }

    /// Risk control holds a payment whose lag counts.
    pub fn held(&mut self, name: &str, (accepted_at, money): (Timestamp, (Currency, u64))) {
        self.channel(name).cohort.held(accepted_at, money);
    }

    /// A payment passed its first deadline.
    pub fn overdue(&mut self, name: &str) {
        self.channel(name).overdue += 1;
    }

    /// A payment was closed; `timed` is how long it waited, where its lag counts.
    pub fn closed(
        &mut self,
        name: &str,
        closing: Closing,
        (accepted_at, money): (Timestamp, (Currency, u64)),
        timed: Option<Lag>,
        was_overdue: bool,
    ) {
        let buckets = std::mem::take(&mut self.buckets);
        let channel = self.channel(name);
        channel.pending -= 1;
        channel.overdue -= u64::from(was_overdue);
        if let Some(lag) = timed {
            let credited = closing == Closing::Credited;
            channel
                .cohort
                .closed(accepted_at, money, lag, credited, &buckets);
        }
        self.buckets = buckets;
    }

    /// Time reaches `at`: the minutes that end by then get their rows.
    pub fn advance(&mut self, at: Timestamp) {
        let reached = minute_of(at);
        let Some(mut minute) = self.minute else {
            self.minute = Some(reached);
            self.busy = reached;
            return;
        };
        while minute < reached && minute <= self.busy + IDLE_MINUTES * MINUTE_MS {
            let end = Timestamp::from_millis(minute + MINUTE_MS);
            self.end_minute(minute, end);
            minute += MINUTE_MS;
        }
        self.minute = Some(minute.max(reached));
    }

    /// Time ends at `at`, within a minute that gets its rows as far as it went.
    pub fn finish(&mut self, at: Timestamp) {
        self.advance(at);
        if let Some(minute) = self.minute.take() {
            self.end_minute(minute, at);
        }
        self.done.extend(self.open.drain(..).flatten());
    }

    /// Takes the rows that are final.
    pub fn take_rows(&mut self) -> Vec<ChannelRow> {
        std::mem::take(&mut self.done)
    }

    fn end_minute(&mut self, minute: i64, end: Timestamp) {
        let buckets = &self.buckets;
        let rows = self.channels.iter_mut().map(|(name, channel)| {
            let survival = channel.cohort.survival(end, buckets);
            let within_sla = channel.cohort.within_sla(end, buckets);
            let expected = channel.cohort.expected(end, buckets);
            channel.cohort.end_minute(end, buckets);
            channel.cohort.forget_before(end - Span::from_millis(1));
            ChannelRow {
                minute: Timestamp::from_millis(minute),
                channel: name.clone(),
                payments: std::mem::take(&mut channel.payments),
                credits: std::mem::take(&mut channel.credits),
                pending: channel.pending,
                overdue: channel.overdue,
                lag_ms: QUANTILES.map(|q| survival.quantile(q)),
                within_sla,
                expected,
            }
        });
        self.open.push_back(rows.collect());
        if self.open.len() > OPEN_MINUTES {
            self.done
                .extend(self.open.pop_front().into_iter().flatten());
        }
    }
}

fn minute_of(at: Timestamp) -> i64 {
    at.millis().div_euclid(MINUTE_MS) * MINUTE_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_775_707_200_000;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_millis(NOON + secs * 1000)
    }

    fn money() -> (Currency, u64) {
        (Currency::new(*b"CNY").expect("a currency"), 100)
    }

    fn quick(lag_ms: u64) -> Lag {
        Lag {
            lag_ms,
            held: false,
        }
    }

    fn due(accepted_at: Timestamp) -> Due {
        let (currency, amount_minor) = money();
        Due {
            accepted_at,
            at: accepted_at + Span::from_secs(30),
            currency,
            amount_minor,
        }
    }

    #[test]
    fn a_channel_that_stops_shows_null_instead_of_the_lag_of_the_lucky() {
        let mut channels = Channels::new();
        channels.advance(at(0));
        for second in 0..60 {
            channels.accepted("wechat", &due(at(second)), true);
            if second < 10 {
                channels.credited("wechat", at(second + 2));
                channels.closed(
                    "wechat",
                    Closing::Credited,
                    (at(second), money()),
                    Some(quick(2000)),
                    false,
                );
            }
        }
        channels.finish(at(59));
        let rows = channels.take_rows();
        assert_eq!(rows.len(), 1);
        let row = &rows[0];
        assert_eq!((row.payments, row.credits, row.pending), (60, 10, 50));
        assert_eq!(row.lag_ms, [None, None, None]);
        // Who came in the first thirty seconds has waited for as long as is allowed: of sixty ten are credited.
        let within = row.within_sla.expect("some have waited long enough");
        assert!((within - 10.0 / 60.0).abs() < 0.01, "{within}");
    }

    #[test]
    fn of_payments_that_are_held_nothing_is_expected_and_they_say_nothing_of_others() {
        let rows = [false, true].map(|some_held| {
            let mut channels = Channels::new();
            channels.advance(at(0));
            for second in 0..60 {
                channels.accepted("wechat", &due(at(second)), true);
                let is_held = second % 3 == 0;
                match (is_held, some_held) {
                    (true, false) => channels.closed(
                        "wechat",
                        Closing::Explained,
                        (at(second), money()),
                        Some(quick(0)),
                        false,
                    ),
                    (true, true) => {
                        channels.held("wechat", (at(second), money()));
                        if second == 0 {
                            let lag = Lag {
                                lag_ms: 55_000,
                                held: true,
                            };
                            channels.closed(
                                "wechat",
                                Closing::Credited,
                                (at(second), money()),
                                Some(lag),
                                false,
                            );
                        }
                    }
                    (false, _) if second < 58 => channels.closed(
                        "wechat",
                        Closing::Credited,
                        (at(second), money()),
                        Some(quick(2000)),
                        false,
                    ),
                    (false, _) => {}
                }
            }
            channels.finish(at(59));
            channels.take_rows().remove(0)
        });
        let [without, with] = rows;
        assert_eq!((without.pending, with.pending), (2, 21));
        assert_eq!((without.expected.of, with.expected.of), (2, 2));
        assert!((with.expected.count - without.expected.count).abs() < 0.05);
        assert_eq!(with.within_sla, without.within_sla);
        // They wait, and their waiting counts where it is asked how long credits take.
        assert_eq!((without.lag_ms[1].is_some(), with.lag_ms[1]), (true, None));
    }

    #[test]
    fn quantiles_follow_the_credits_while_they_flow() {
        let mut channels = Channels::new();
        channels.advance(at(0));
        for i in 0..100 {
            let paid = Timestamp::from_millis(NOON + i * 100);
            channels.accepted("wechat", &due(paid), true);
            channels.closed(
                "wechat",
                Closing::Credited,
                (paid, money()),
                Some(quick(1000 + i as u64 * 10)),
                false,
            );
        }
        channels.advance(at(60));
        channels.finish(at(61));
        let rows = channels.take_rows();
        assert_eq!(rows.len(), 2);
        let [p50, p95, p99] = rows[0]
            .lag_ms
            .map(|lag| lag.expect("everything was credited") as i64);
        for (measured, exact) in [(p50, 1490), (p95, 1940), (p99, 1980)] {
            assert!(
                (measured - exact).abs() * 100 <= exact,
                "{measured} is not {exact}"
            );
        }
    }

    #[test]
    fn rows_end_an_hour_after_the_last_event_and_go_on_with_the_next() {
        let mut channels = Channels::new();
        channels.advance(at(0));
        channels.accepted("wechat", &due(at(0)), true);
        channels.advance(Timestamp::MAX - Span::from_secs(3600));
        channels.accepted("wechat", &due(Timestamp::MAX - Span::from_secs(3600)), true);
        channels.finish(Timestamp::MAX - Span::from_secs(3000));
        let rows = channels.take_rows();
        assert!((60..80).contains(&rows.len()), "{} rows", rows.len());
        assert_eq!(rows.last().map(|row| row.pending), Some(2));
    }

    #[test]
    fn a_credit_counts_in_the_minute_of_its_append_time() {
        let mut channels = Channels::new();
        channels.advance(at(0));
        channels.accepted("wechat", &due(at(1)), true);
        channels.advance(at(70));
        channels.credited("wechat", at(59));
        channels.finish(at(70));
        let rows = channels.take_rows();
        assert_eq!((rows[0].credits, rows[1].credits), (1, 0));
    }
}

//! Channels whose credits stop or slow down: how many were due of the payments that wait, and how many came.
//!
//! A payment's lag says nothing until it is long; that many are due and few come says it within seconds.

use std::collections::{BTreeMap, VecDeque};

use super::rates::{shortfall, shrunk};
use super::values::ValueId;
use crate::keep::keep;
use crate::pulse::ChannelCount;

/// Payments older than that are not expected any more, in seconds.
const KEPT_S: i64 = 240;

/// Spans that are looked at, in seconds.
const SPANS_S: [i64; 4] = [4, 7, 12, 20];

/// A channel has nearly stopped where less than this share of what was due came.
const LEFT: f64 = 0.3;

/// A channel has slowed down where less than this share of what was due came.
const SLOWED: f64 = 0.65;

/// What is due may be overestimated by this much: loads and lags drift.
const SLACK: f64 = 0.8;

/// The same where more is known than the sum: which of the payments that wait were due.
const FINE_SLACK: f64 = 0.9;

/// Evidence in natural units that credits are missing.
const NATS: f64 = 18.0;

/// The same of those that are only fewer.
const FINE_NATS: f64 = 24.0;

/// Before a stop credits come as usual for so long, in seconds, where they came at all.
const WELL_S: i64 = 15;

/// So many of them tell.
const TELLING: f64 = 8.0;

/// Evidence in natural units with which another channel may suffer as well.
const HINT_NATS: f64 = 5.0;

/// Ages in seconds of payments that show which share explains itself: of late, and as a rule.
const EXPLAIN_S: [(i64, i64); 2] = [(6, 18), (6, 66)];

/// Payments that weigh as much as that none explains itself.
const FEW: f64 = 5.0;

/// Payments accepted and credited in one second.
#[derive(Clone, Copy, Debug, Default)]
struct Second {
    accepted: f64,
    credited: f64,
    /// Of those accepted: no credit is due, as their own records say by now.
    explained: f64,
}

/// Which channel stopped or slowed down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stopped {
    pub(crate) channel: ValueId,
    pub(crate) span_s: i64,
    /// Credits that were due within the span, and those that came.
    pub(crate) due: f64,
    pub(crate) came: f64,
    pub(crate) nats: f64,
    /// The first second of which credits are missing.
    pub(crate) since_s: i64,
    /// Whether credits came as usual right before.
    pub(crate) was_well: bool,
}

impl Stopped {
    fn is_one(&self) -> bool {
        self.came <= LEFT * self.due && self.nats >= NATS
            || self.came <= SLOWED * self.due && self.nats >= FINE_NATS
    }
}

/// Payments and credits of every channel, second by second.
#[derive(Default)]
pub(crate) struct Flows {
    seconds: BTreeMap<ValueId, VecDeque<(i64, Second)>>,
    /// Share of payments credited by the age of so many seconds.
    shares: BTreeMap<ValueId, Vec<f64>>,
}

impl Flows {
    /// Takes in what a pulse says of a channel in a second. Whose credit was there before them was never waited for, and
    /// a credit after a hold was not due.
    pub(crate) fn take_in(&mut self, channel: ValueId, second: i64, count: &ChannelCount) {
        let at_once = count.ended.iter();
        let at_once = at_once.filter(|ended| ended.lag_ms == 0 && ended.accepted_s == second);
        let at_once: u64 = at_once.map(|ended| ended.credited).sum();
        let accepted = count.accepted.saturating_sub(at_once);
        let credited = count.credited.saturating_sub(at_once + count.released);
        self.heard(channel, second, accepted, credited);
        for excused in &count.excused {
            self.explained(channel, excused.accepted_s, excused.count);
        }
    }

    /// So many payments of a channel were accepted and credited in a second.
    pub(crate) fn heard(&mut self, channel: ValueId, second: i64, accepted: u64, credited: u64) {
        let seconds = self.seconds.entry(channel).or_default();
        if seconds.back().is_none_or(|(last, _)| *last != second) {
            seconds.push_back((second, Second::default()));
        }
        if let Some((_, sums)) = seconds.back_mut() {
            sums.accepted += accepted as f64;
            sums.credited += credited as f64;
        }
        while seconds
            .front()
            .is_some_and(|(first, _)| *first <= second - KEPT_S)
        {
            seconds.pop_front();
        }
    }

    /// So many payments of a channel that were accepted in a second say why no credit is due.
    pub(crate) fn explained(&mut self, channel: ValueId, accepted_s: i64, count: u64) {
        let seconds = self.seconds.get_mut(&channel).into_iter().flatten();
        let mut of_then = seconds.rev().skip_while(|(at, _)| *at > accepted_s);
        if let Some((at, sums)) = of_then.next()
            && *at == accepted_s
        {
            sums.explained += count as f64;
        }
    }

    /// Credits of some channels in the seconds of a span, both inclusive, as far as they are remembered.
    pub(crate) fn credited(&self, channels: &[ValueId], (from_s, until_s): (i64, i64)) -> f64 {
        let seconds = channels
            .iter()
            .filter_map(|it| self.seconds.get(it))
            .flatten();
        let during = seconds.filter(|(at, _)| (from_s..=until_s).contains(at));
        during.map(|(_, sums)| sums.credited).sum()
    }

    /// What share of a channel's payments is usually credited by the age of 0, 1, 2 … seconds.
    pub(crate) fn learn(&mut self, channel: ValueId, shares: Vec<f64>) {
        self.shares.insert(channel, shares);
    }

    /// The channel that stopped or slowed down by `second`, where it is the only one: where several suffer, the fault
    /// lies elsewhere.
    pub(crate) fn stopped(&self, second: i64) -> Option<Stopped> {
        let mut found = None;
        let mut hints = 0;
        for (channel, shares) in &self.shares {
            let Some(seconds) = self.seconds.get(channel) else {
                continue;
            };
            let flow = Flow::new(seconds, shares, second);
            let looks = SPANS_S.map(|span_s| flow.look(*channel, second, span_s));
            let hint = looks.iter().any(|look| look.nats >= HINT_NATS);
            hints += u32::from(hint);
            let ones = looks.into_iter().filter(Stopped::is_one);
            if let Some(worst) = ones.max_by(|a, b| a.nats.total_cmp(&b.nats)) {
                let since_s = flow.since_s(second);
                let before = flow.look(*channel, since_s - 1, WELL_S);
                found = Some(Stopped {
                    since_s,
                    was_well: before.due >= TELLING && before.came >= SLACK * before.due,
                    ..worst
                });
            }
        }
        found.filter(|_| hints == 1)
    }
}

/// One channel.
struct Flow<'a> {
    seconds: &'a VecDeque<(i64, Second)>,
    shares: &'a [f64],
    /// Share of the payments that explain themselves in the end.
    explain: f64,
}

impl<'a> Flow<'a> {
    fn new(seconds: &'a VecDeque<(i64, Second)>, shares: &'a [f64], now: i64) -> Self {
        let explain = EXPLAIN_S.map(|(from_s, until_s)| {
            let then = seconds.iter().rev();
            let then = then.skip_while(|(at, _)| *at > now - from_s);
            let then = then.take_while(|(at, _)| *at > now - until_s);
            let (explained, accepted) = then.fold((0.0, 0.0), |(explained, accepted), (_, it)| {
                (explained + it.explained, accepted + it.accepted)
            });
            shrunk(explained, accepted, 0.0, FEW)
        });
        Self {
            seconds,
            shares,
            explain: explain.into_iter().fold(0.0, f64::max),
        }
    }

    /// Those of a second of which a credit is or was due: who waits may yet say why, as others did.
    fn expected(&self, sums: &Second) -> f64 {
        let left = (sums.accepted - sums.explained).max(0.0);
        left.min(sums.accepted * (1.0 - self.explain))
    }

    /// The share that is credited by an age in seconds.
    fn by(&self, age: i64) -> f64 {
        match (usize::try_from(age), self.shares.last()) {
            (Ok(age), Some(last)) => self.shares.get(age).copied().unwrap_or(*last),
            _ => 0.0,
        }
    }

    /// What was due and came in a span, and how unlikely so few are: by the sum, or by Bernstein's inequality (1924)
    /// for a sum of payments each of which is credited in the span or not.
    fn look(&self, channel: ValueId, second: i64, span_s: i64) -> Stopped {
        let start = second - span_s;
        let (mut due, mut variance, mut came) = (0.0, 0.0, 0.0);
        for (at, sums) in self.seconds {
            let share = self.by(second - at) - self.by(start - at);
            let expected = self.expected(sums) * share;
            due += expected;
            variance += expected * (1.0 - share);
            if *at > start {
                came += sums.credited;
            }
        }
        let missing = (FINE_SLACK * due - came).max(0.0);
        let fine = missing * missing / (2.0 * (variance + missing / 3.0)).max(1e-9);
        Stopped {
            channel,
            span_s,
            due,
            came,
            nats: shortfall(came, due * SLACK).max(fine),
            since_s: start + 1,
            was_well: false,
        }
    }

    /// The second since which the most credits are missing.
    fn since_s(&self, second: i64) -> i64 {
        let credited = |at: i64| -> f64 {
            let ones = self.seconds.iter().filter(|(known, _)| *known == at);
            ones.map(|(_, sums)| sums.credited).sum()
        };
        let (mut missing, mut best) = (0.0, (0.0, second));
        let last_span = SPANS_S[SPANS_S.len() - 1];
        for at in (second - last_span + 1..=second).rev() {
            let due: f64 = self
                .seconds
                .iter()
                .map(|(known, sums)| {
                    self.expected(sums) * (self.by(at - known) - self.by(at - 1 - known))
                })
                .sum();
            missing += FINE_SLACK * due - credited(at);
            if missing > best.0 {
                best = (missing, at);
            }
        }
        best.1
    }
}

keep!(Second {
    accepted,
    credited,
    explained
});
keep!(Flows { seconds, shares });

#[cfg(test)]
mod tests {
    use super::*;

    fn flows(channels: u32) -> Flows {
        let mut flows = Flows::default();
        for channel in 1..=channels {
            // Half after one second, all after two.
            flows.learn(ValueId(channel), vec![0.0, 0.5, 1.0]);
            (0..60).for_each(|second| flows.heard(ValueId(channel), second, 10, 10));
        }
        flows
    }

    /// Of two channels the second stops at 60 s, until 66 s.
    fn one_stopped() -> Flows {
        let mut flows = flows(2);
        for second in 60..66 {
            flows.heard(ValueId(1), second, 10, 10);
            flows.heard(ValueId(2), second, 10, 0);
        }
        flows
    }

    #[test]
    fn a_channel_that_stops_is_seen_within_seconds() {
        let flows = one_stopped();
        let stopped = flows.stopped(65).expect("one");
        assert_eq!(stopped.channel, ValueId(2));
        assert_eq!(stopped.since_s, 60);
        assert!(flows.stopped(60).is_none());
    }

    #[test]
    fn a_channel_that_takes_three_times_as_long_is_seen_before_any_payment_is_late() {
        let mut flows = flows(2);
        // One second becomes six; a few come as before.
        let seen = (60..72).find_map(|second| {
            flows.heard(ValueId(1), second, 10, 10);
            flows.heard(ValueId(2), second, 10, if second < 66 { 3 } else { 10 });
            flows.stopped(second).map(|stopped| (second, stopped))
        });
        let (second, stopped) = seen.expect("it is seen");
        assert!(second <= 66, "{second}");
        assert_eq!((stopped.channel, stopped.since_s), (ValueId(2), 60));
    }

    #[test]
    fn several_that_stop_are_no_channel() {
        let mut flows = flows(3);
        for second in 60..66 {
            flows.heard(ValueId(1), second, 10, 10);
            flows.heard(ValueId(2), second, 10, 0);
            flows.heard(ValueId(3), second, 10, 1);
        }
        assert_eq!(flows.stopped(65), None);
    }

    #[test]
    fn who_pays_less_is_credited_less() {
        let mut flows = flows(2);
        for second in 60..80 {
            flows.heard(ValueId(1), second, 10, 10);
            flows.heard(ValueId(2), second, 0, if second < 62 { 5 } else { 0 });
        }
        assert_eq!(flows.stopped(79), None);
    }
}

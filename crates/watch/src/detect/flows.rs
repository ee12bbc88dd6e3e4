//! Channels whose credits nearly stopped: how many were due of the payments that wait, and how many came.
//!
//! A payment's lag says nothing until it is long; that many are due and none comes says it within seconds.

use std::collections::{BTreeMap, VecDeque};

use super::rates::shortfall;
use super::values::ValueId;
use crate::keep::keep;

/// Payments older than that are not expected any more, in seconds.
const KEPT_S: i64 = 240;

/// Spans that are looked at, in seconds.
const SPANS_S: [i64; 4] = [4, 7, 12, 20];

/// A channel has nearly stopped where less than this share of what was due came.
const LEFT: f64 = 0.3;

/// What is due may be overestimated by this much: loads and lags drift.
const SLACK: f64 = 0.8;

/// Evidence in natural units that credits are missing.
const NATS: f64 = 18.0;

/// Evidence in natural units with which another channel may suffer as well.
const HINT_NATS: f64 = 5.0;

/// Payments accepted and credited in one second.
#[derive(Clone, Copy, Debug, Default)]
struct Second {
    accepted: f64,
    credited: f64,
}

/// Which channel nearly stopped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stopped {
    pub(crate) channel: ValueId,
    pub(crate) span_s: i64,
    /// Credits that were due within the span, and those that came.
    pub(crate) due: f64,
    pub(crate) came: f64,
    pub(crate) nats: f64,
    /// The second after the last one with a credit.
    pub(crate) since_s: i64,
}

/// Payments and credits of every channel, second by second.
#[derive(Default)]
pub(crate) struct Flows {
    seconds: BTreeMap<ValueId, VecDeque<(i64, Second)>>,
    /// Share of payments credited by the age of so many seconds.
    shares: BTreeMap<ValueId, Vec<f64>>,
}

impl Flows {
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

    /// What share of a channel's payments is usually credited by the age of 0, 1, 2 … seconds.
    pub(crate) fn learn(&mut self, channel: ValueId, shares: Vec<f64>) {
        self.shares.insert(channel, shares);
    }

    /// The channel that nearly stopped by `second`, where it is the only one: where several suffer, the fault lies
    /// elsewhere.
    pub(crate) fn stopped(&self, second: i64) -> Option<Stopped> {
        let mut found = None;
        let mut hints = 0;
        for (channel, shares) in &self.shares {
            let seconds = self.seconds.get(channel)?;
            let looks = SPANS_S
                .into_iter()
                .map(|span_s| look(*channel, seconds, shares, second, span_s));
            let worst = looks.max_by(|a, b| a.nats.total_cmp(&b.nats))?;
            hints += u32::from(worst.nats >= HINT_NATS);
            if worst.nats >= NATS && worst.came <= LEFT * worst.due {
                found = Some(worst);
            }
        }
        found.filter(|_| hints == 1)
    }
}

fn look(
    channel: ValueId,
    seconds: &VecDeque<(i64, Second)>,
    shares: &[f64],
    second: i64,
    span_s: i64,
) -> Stopped {
    let by = |age: i64| -> f64 {
        let last = shares.len() as i64 - 1;
        if age < 0 || last < 0 {
            0.0
        } else {
            shares[age.min(last) as usize]
        }
    };
    let start = second - span_s;
    let (mut due, mut came) = (0.0, 0.0);
    let mut since_s = start + 1;
    for (at, sums) in seconds {
        due += sums.accepted * (by(second - at) - by(start - at));
        if *at > start {
            came += sums.credited;
        }
        if sums.credited > 0.0 && *at > start {
            since_s = at + 1;
        }
    }
    Stopped {
        channel,
        span_s,
        due,
        came,
        nats: shortfall(came, due * SLACK),
        since_s: if came > 0.0 { start + 1 } else { since_s },
    }
}

keep!(Second { accepted, credited });
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

    #[test]
    fn a_channel_that_stops_is_seen_within_seconds() {
        let mut flows = flows(2);
        for second in 60..66 {
            flows.heard(ValueId(1), second, 10, 10);
            flows.heard(ValueId(2), second, 10, 0);
        }
        let stopped = flows.stopped(65).expect("one");
        assert_eq!(stopped.channel, ValueId(2));
        assert!(stopped.came < 0.5);
        assert!(flows.stopped(60).is_none());
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

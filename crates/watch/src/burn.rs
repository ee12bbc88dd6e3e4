//! How fast each channel spends its error budget: payments that miss their first deadline, against what the objective
//! allows. A second opinion in the evidence; it opens no incident.

use std::collections::{BTreeMap, VecDeque};

use crate::detect::rates::excess;
use crate::detect::values::ValueId;
use crate::keep::{Keep, Reader, Unreadable, Writer, keep};
use crate::pulse::What;

const WHOLE_PPM: u32 = 1_000_000;

/// A long window that says that it matters, and a short one that says that it goes on.
struct Pace {
    long_s: i64,
    short_s: i64,
    /// From so many times the allowed rate on it burns.
    times: f64,
}

// The pairs of windows of "Alerting on SLOs" (Beyer et al., The Site Reliability Workbook, 2018, chapter 5) spend 2 % of
// a budget of 30 days in an hour and 5 % in six. Payments are settled by the day, so the budget is that of a day and the
// windows are a thirtieth of those: 2 % in two minutes, 5 % in twelve; the rates are the same.
const FAST: Pace = Pace {
    long_s: 120,
    short_s: 10,
    times: 14.4,
};
const SLOW: Pace = Pace {
    long_s: 720,
    short_s: 60,
    times: 6.0,
};

/// Evidence in natural units that a rate is above a limit: where few pay, one miss is a large share of them.
const NATS: f64 = 7.0;

/// How fast a budget is spent over a long window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BurnRate {
    /// Times the rate that would spend the budget of a day in a day; `None` where no payment was decided.
    pub times: Option<f64>,
    /// Whether it is too fast, over the long window and over the short one that goes with it.
    pub burns: bool,
}

/// How fast a channel spends its error budget.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Burn {
    /// The channel.
    pub channel: String,
    /// Over two minutes.
    pub fast: BurnRate,
    /// Over twelve minutes.
    pub slow: BurnRate,
}

/// Payments of a second whose first deadline was met, and missed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Decided {
    met: u64,
    missed: u64,
}

/// What became of the payments of each channel, second by second, as far back as the longest window.
#[derive(Debug, Default)]
pub(crate) struct Burns {
    channels: BTreeMap<ValueId, VecDeque<(i64, Decided)>>,
}

impl Burns {
    /// Something was said in `second` of a payment of `channel` whose lag counts. Each payment is counted once: when it
    /// is credited in time, or when its first deadline passes.
    pub(crate) fn heard(&mut self, channel: ValueId, second: i64, what: &What) {
        let decided = match what {
            What::Credited { overdue: false, .. } => Decided { met: 1, missed: 0 },
            What::Overdue => Decided { met: 0, missed: 1 },
            _ => return,
        };
        if channel == ValueId::NONE {
            return;
        }
        let seconds = self.channels.entry(channel).or_default();
        match seconds.back_mut() {
            Some((last, sums)) if *last == second => {
                sums.met += decided.met;
                sums.missed += decided.missed;
            }
            _ => seconds.push_back((second, decided)),
        }
    }

    /// The second `second` ends: what no later window looks at is forgotten.
    pub(crate) fn end_second(&mut self, second: i64) {
        for seconds in self.channels.values_mut() {
            while seconds
                .front()
                .is_some_and(|(first, _)| *first <= second - SLOW.long_s)
            {
                seconds.pop_front();
            }
        }
        self.channels.retain(|_, seconds| !seconds.is_empty());
    }

    /// Channels of which something is known.
    pub(crate) fn channels(&self) -> impl Iterator<Item = ValueId> + '_ {
        self.channels.keys().copied()
    }

    /// How fast `channel` spends its budget by the end of `second`, where `objective_ppm` of a million payments are to
    /// be credited by their first deadline.
    pub(crate) fn of(&self, channel: ValueId, second: i64, objective_ppm: u32) -> [BurnRate; 2] {
        let allowed = f64::from(WHOLE_PPM.saturating_sub(objective_ppm).max(1));
        let allowed = allowed / f64::from(WHOLE_PPM);
        [FAST, SLOW].map(|pace| {
            let long = self.decided(channel, second - pace.long_s);
            let short = self.decided(channel, second - pace.short_s);
            let limit = pace.times * allowed;
            let proven = excess(long.missed as f64, limit * long.all()) >= NATS;
            let goes_on = short.missed > 0 && short.missed as f64 >= limit * short.all();
            BurnRate {
                times: (long.all() > 0.0).then(|| long.missed as f64 / long.all() / allowed),
                burns: proven && goes_on,
            }
        })
    }

    /// The same of a channel called `name`.
    pub(crate) fn named(
        &self,
        channel: ValueId,
        name: &str,
        second: i64,
        objective_ppm: u32,
    ) -> Burn {
        let [fast, slow] = self.of(channel, second, objective_ppm);
        Burn {
            channel: name.to_owned(),
            fast,
            slow,
        }
    }

    fn decided(&self, channel: ValueId, after_s: i64) -> Decided {
        let mut sums = Decided::default();
        let seconds = self.channels.get(&channel).into_iter().flatten().rev();
        for (_, decided) in seconds.take_while(|(second, _)| *second > after_s) {
            sums.met += decided.met;
            sums.missed += decided.missed;
        }
        sums
    }
}

impl Decided {
    fn all(self) -> f64 {
        (self.met + self.missed) as f64
    }
}

keep!(BurnRate { times, burns });
keep!(Burn {
    channel,
    fast,
    slow
});
keep!(Decided { met, missed });

impl Keep for Burns {
    fn write(&self, to: &mut Writer) {
        self.channels.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        Keep::read(from).map(|channels| Self { channels })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECTIVE: u32 = 999_000;
    const CHANNEL: ValueId = ValueId(1);

    fn met() -> What {
        What::Credited {
            lag_ms: 2000,
            business_ms: 2000,
            noted: false,
            overdue: false,
        }
    }

    /// Each second ten payments, of which in each `every`th second one is missed.
    fn burns(seconds: std::ops::Range<i64>, every: i64, burns: &mut Burns) {
        for second in seconds {
            let missed = u32::from(second % every == 0);
            (missed..10).for_each(|_| burns.heard(CHANNEL, second, &met()));
            (0..missed).for_each(|_| burns.heard(CHANNEL, second, &What::Overdue));
            burns.end_second(second);
        }
    }

    #[test]
    fn what_the_objective_allows_does_not_burn() {
        let mut steady = Burns::default();
        burns(0..1000, 100, &mut steady);
        let [fast, slow] = steady.of(CHANNEL, 999, OBJECTIVE);
        assert!((slow.times.expect("known") - 1.0).abs() < 0.2, "{slow:?}");
        assert!(!fast.burns && !slow.burns);
    }

    #[test]
    fn ten_times_the_allowed_rate_burns_slowly_and_thirty_times_fast() {
        let mut ten = Burns::default();
        burns(0..1000, 10, &mut ten);
        let [fast, slow] = ten.of(CHANNEL, 999, OBJECTIVE);
        assert!((slow.times.expect("known") - 10.0).abs() < 0.5, "{slow:?}");
        assert!(!fast.burns && slow.burns, "{fast:?} {slow:?}");
        let mut more = Burns::default();
        burns(0..1000, 3, &mut more);
        let [fast, slow] = more.of(CHANNEL, 999, OBJECTIVE);
        assert!(fast.burns && slow.burns, "{fast:?} {slow:?}");
    }

    #[test]
    fn a_fault_that_is_over_burns_no_longer_though_its_window_remembers_it() {
        let mut over = Burns::default();
        burns(0..60, 1, &mut over);
        assert!(over.of(CHANNEL, 59, OBJECTIVE)[0].burns);
        burns(61..75, 1000, &mut over);
        let [fast, _] = over.of(CHANNEL, 74, OBJECTIVE);
        assert!(fast.times.expect("known") > FAST.times && !fast.burns);
    }

    #[test]
    fn where_few_pay_one_that_is_missed_proves_nothing() {
        let mut few = Burns::default();
        few.heard(CHANNEL, 5, &What::Overdue);
        let [fast, slow] = few.of(CHANNEL, 5, OBJECTIVE);
        assert_eq!(fast.times.map(f64::round), Some(1000.0));
        assert!(!fast.burns && !slow.burns);
    }

    #[test]
    fn nobody_who_was_decided_has_no_rate_and_is_forgotten() {
        let mut burns = Burns::default();
        burns.heard(CHANNEL, 5, &What::Overdue);
        burns.heard(CHANNEL, 5, &What::Waiting);
        burns.end_second(5 + SLOW.long_s);
        assert_eq!(burns.channels().count(), 0);
        let [fast, slow] = burns.of(CHANNEL, 5 + SLOW.long_s, OBJECTIVE);
        assert_eq!((fast, slow), (BurnRate::default(), BurnRate::default()));
    }
}

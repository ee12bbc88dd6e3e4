//! Which second can be judged, and who stands aside meanwhile.

use alloc::vec::Vec;

use settlewatch_join::Timestamp;

use super::ledge::{Ledge, end_ms};
use super::pulses::SILENT_MS;
use crate::io::SourceId;

/// Records of one pulse partition that may wait for the others: about so many seconds.
const PULSES_AHEAD: usize = 120;

/// The same of one that is blind: they are taken in with the next second.
const BLIND_AHEAD: usize = 2000;

/// Nobody spoke of so many seconds: they are passed over.
const QUIET_S: i64 = 3600;

/// When it is.
pub(super) struct Moment {
    /// The shell's clock.
    pub(super) now_ms: u64,
    /// Broker time, about.
    pub(super) broker: Option<Timestamp>,
}

impl Moment {
    /// The second that is over for whoever nobody tells, by the brokers' clocks.
    fn current_second(&self) -> Option<i64> {
        let now_ms = self.broker?.millis().saturating_sub(SILENT_MS as i64);
        Some(now_ms.div_euclid(1000))
    }
}

impl<P> Ledge<P> {
    /// The next second, where it can be judged now.
    pub(super) fn ready_second(&mut self, moment: &Moment) -> Option<i64> {
        let second = match self.second {
            Some(second) => self.next_second(second, moment),
            None => self.first_second(moment)?,
        };
        let target_ms = end_ms(second);
        let pulses = self.pulses.iter();
        let front_ms = pulses.map(|it| it.read_ms()).max().unwrap_or(i64::MIN);
        let mut ready = true;
        for pulses in &mut self.pulses {
            ready &= pulses.is_ready(target_ms, front_ms, moment.now_ms);
        }
        let target = Timestamp::from_millis(target_ms);
        for feed in &mut self.feeds {
            ready &= feed.is_ready(target, moment.now_ms);
        }
        // Where nobody knows it, only the clock says that it is over.
        let is_over = front_ms >= target_ms || is_past(target_ms, moment.broker);
        (ready && is_over).then_some(second)
    }

    /// The second after `second`; where nobody speaks of an hour and more, the next of which somebody does, or that of now.
    fn next_second(&self, second: i64, moment: &Moment) -> i64 {
        let next = second.saturating_add(1);
        let news = self.pulses.iter().map(|it| it.begins_s());
        let news = news.flatten().min().or_else(|| moment.current_second());
        let all_silent = self.pulses.iter().all(|it| it.is_silent(moment.now_ms));
        let said = self.pulses.iter().all(|it| it.begins_s().is_some());
        match news {
            Some(news) if (said || all_silent) && news > next.saturating_add(QUIET_S) => news,
            _ => next,
        }
    }

    /// The second with which the very first step begins: the earliest of which anybody speaks, once everybody spoke or
    /// is silent; where nobody speaks at all, that of now.
    fn first_second(&mut self, moment: &Moment) -> Option<i64> {
        let mut first: Option<i64> = None;
        let mut all = true;
        for pulses in &mut self.pulses {
            match pulses.begins_s() {
                Some(begins) => first = Some(first.map_or(begins, |first| first.min(begins))),
                None => all &= pulses.is_ready(i64::MAX, i64::MIN, moment.now_ms),
            }
        }
        if !all {
            return None;
        }
        first.or_else(|| moment.current_second())
    }
}

/// Places to be fetched no more for now, and those to be fetched again.
type Balance = (Vec<(SourceId, i32)>, Vec<(SourceId, i32)>);

impl<P> Ledge<P> {
    /// Who is too far ahead stands aside until half of what waits was taken in; never who is waited for.
    pub(super) fn balance(&mut self, limit: usize, now_ms: u64) -> Balance {
        let target_ms = self
            .second
            .map_or(i64::MIN, |it| end_ms(it.saturating_add(1)));
        let target = Timestamp::from_millis(target_ms);
        let again = self.again.front();
        let (mut pause, mut resume) = (Vec::new(), Vec::new());
        for (at, pulses) in self.pulses.iter_mut().enumerate() {
            let wanted = match again.and_then(|step| step.pulses.get(at)) {
                Some(&position) => pulses.position() < position,
                None => pulses.read_ms() < target_ms && pulses.waiting() < BLIND_AHEAD,
            };
            let limit = PULSES_AHEAD >> u32::from(pulses.stands_aside);
            let aside = !wanted && pulses.waiting() > limit;
            if core::mem::replace(&mut pulses.stands_aside, aside) != aside {
                if aside {
                    pause.push((SourceId(0), at as i32));
                } else {
                    pulses.listen(now_ms);
                    resume.push((SourceId(0), at as i32));
                }
            }
        }
        for (at, feed) in self.feeds.iter_mut().enumerate() {
            let wanted = match again.and_then(|step| step.feeds.get(at)) {
                Some(step) => !feed.has_placed_before(step.position),
                None => !feed.is_known(target),
            };
            let limit = limit >> u32::from(feed.stands_aside);
            let aside = !wanted && feed.waiting() > limit;
            if core::mem::replace(&mut feed.stands_aside, aside) != aside {
                let list = if aside { &mut pause } else { &mut resume };
                list.push((feed.id, feed.partition));
            }
        }
        (pause, resume)
    }
}

fn is_past(target_ms: i64, broker: Option<Timestamp>) -> bool {
    broker.is_some_and(|now| now.millis() >= target_ms.saturating_add(SILENT_MS as i64))
}

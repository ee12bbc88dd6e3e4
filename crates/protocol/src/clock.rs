//! Broker time, as our monotonic clock plus an offset that acknowledgements bound.
//!
//! A record of a LogAppendTime topic is appended after we sent it and before we hear of it. So its timestamp
//! is at least the broker's time at the sending and at most that at the acknowledgement: each record bounds
//! the offset between the two clocks from both sides (Cristian 1989, with the broker's stamp in the middle).

use alloc::collections::VecDeque;

use settlewatch_join::Timestamp;

/// Samples are believed for so long: the clocks drift apart by some parts per million.
const KEPT_MS: u64 = 10 * 60 * 1000;

/// At most one sample in this time.
const APART_MS: u64 = 5000;

#[derive(Clone, Copy, Debug)]
struct Sample {
    at_ms: u64,
    /// Broker time − monotonic time, at least.
    low: i64,
    /// Broker time − monotonic time, at most.
    high: i64,
}

/// What is known of one broker's clock.
#[derive(Clone, Debug, Default)]
pub struct BrokerClock {
    samples: VecDeque<Sample>,
}

impl BrokerClock {
    /// A record was sent and acknowledged at these moments of our monotonic clock, and appended at `stamp`.
    pub fn acknowledged(&mut self, sent_ms: u64, acknowledged_ms: u64, stamp: Timestamp) {
        let sample = Sample {
            at_ms: acknowledged_ms,
            low: stamp.millis().saturating_sub_unsigned(acknowledged_ms),
            // A stamp is cut to the millisecond.
            high: stamp
                .millis()
                .saturating_add(1)
                .saturating_sub_unsigned(sent_ms),
        };
        if self.contradicts(&sample) {
            // Somebody set the broker's clock: what was learned before says nothing any more.
            self.samples.clear();
        }
        match self.samples.back_mut() {
            Some(last) if acknowledged_ms.saturating_sub(last.at_ms) < APART_MS => {
                last.low = last.low.max(sample.low);
                last.high = last.high.min(sample.high);
            }
            _ => self.samples.push_back(sample),
        }
        while self
            .samples
            .front()
            .is_some_and(|first| first.at_ms + KEPT_MS < acknowledged_ms)
        {
            self.samples.pop_front();
        }
    }

    fn contradicts(&self, sample: &Sample) -> bool {
        self.samples
            .iter()
            .any(|known| sample.high < known.low || sample.low > known.high)
    }

    /// The broker's time at a moment of our clock, at the earliest; `None` before the first record.
    pub fn earliest(&self, at_ms: u64) -> Option<Timestamp> {
        let low = self.samples.iter().map(|sample| sample.low).max()?;
        Some(Timestamp::from_millis(low.saturating_add_unsigned(at_ms)))
    }

    /// The broker's time at a moment of our clock, at the latest; `None` before the first record.
    pub fn latest(&self, at_ms: u64) -> Option<Timestamp> {
        let high = self.samples.iter().map(|sample| sample.high).min()?;
        Some(Timestamp::from_millis(high.saturating_add_unsigned(at_ms)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_brokers_time_lies_between_what_sendings_and_acknowledgements_allow() {
        let mut clock = BrokerClock::default();
        assert_eq!(clock.earliest(0), None);
        // The broker is 1,000,000 ms ahead of our clock.
        clock.acknowledged(100, 120, Timestamp::from_millis(1_000_110));
        clock.acknowledged(900, 903, Timestamp::from_millis(1_000_902));
        let earliest = clock.earliest(2000).expect("two samples").millis();
        let latest = clock.latest(2000).expect("two samples").millis();
        assert!(earliest <= 1_002_000 && 1_002_000 <= latest);
        assert!(latest - earliest <= 4);
    }

    #[test]
    fn a_clock_that_was_set_is_learned_anew() {
        let mut clock = BrokerClock::default();
        clock.acknowledged(100, 110, Timestamp::from_millis(1_000_105));
        clock.acknowledged(2000, 2010, Timestamp::from_millis(995_005));
        let earliest = clock.earliest(3000).expect("a sample").millis();
        assert!((995_990..=996_010).contains(&earliest), "{earliest}");
    }
}

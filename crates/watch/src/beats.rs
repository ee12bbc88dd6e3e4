//! The feed of heartbeats: whether nothing comes of it any more.
//!
//! Terminals may all beat at the same moment of an interval, so that single seconds say nothing.

use std::collections::BTreeMap;

use crate::keep::{Keep, Reader, Unreadable, Writer, read_by_stream, write_by_stream};
use crate::pulse::{Auxiliary, Pulse};
use crate::terminals::Heartbeat;

/// A feed is silent when no terminal has beaten for so many intervals: each of them has missed that many.
pub(crate) const MISSED: i64 = 2;

/// What all terminals say together.
#[derive(Default)]
pub(crate) struct Beats {
    /// Heartbeats by the index of the stream that they came with.
    by_stream: BTreeMap<u8, u64>,
    first_s: i64,
    last_s: Option<i64>,
}

impl Beats {
    /// Takes in a pulse whose auxiliary events were not taken out yet; `others` are the streams that carry such.
    pub(crate) fn heard(&mut self, pulse: &Pulse, others: impl Fn(u8) -> bool) {
        let beats = pulse.auxiliary.iter().filter_map(|event| match event {
            Auxiliary::Heartbeat { at, .. } => Some(at.millis().div_euclid(1000)),
            _ => None,
        });
        let (mut count, mut last_s) = (0, None);
        for at_s in beats {
            count += 1;
            last_s = last_s.max(Some(at_s));
        }
        let Some(last_s) = last_s else { return };
        if self.last_s.is_none() {
            self.first_s = last_s;
        }
        self.last_s = self.last_s.max(Some(last_s));
        for stream in pulse.streams.iter().filter(|it| others(it.stream)) {
            let known = self.by_stream.entry(stream.stream).or_default();
            *known += stream.records.min(count);
        }
    }

    /// The last second in which a terminal beat, and the stream of heartbeats, where it is silent at `now`.
    pub(crate) fn silent(&self, now: i64, feed: Heartbeat) -> Option<(u8, i64)> {
        let last_s = self.last_s?;
        let interval_s = (feed.interval.millis() / 1000).max(1) as i64;
        let was_there = last_s - self.first_s >= interval_s;
        let most = self.by_stream.iter().max_by_key(|(_, count)| **count);
        let (stream, _) = most?;
        (was_there && now - last_s > MISSED * interval_s).then_some((*stream, last_s))
    }

    /// When a terminal beat again after the second `since_s`.
    pub(crate) fn spoke(&self, since_s: i64) -> Option<i64> {
        self.last_s.filter(|last_s| *last_s > since_s)
    }
}

impl Keep for Beats {
    fn write(&self, to: &mut Writer) {
        let Self {
            by_stream,
            first_s,
            last_s,
        } = self;
        write_by_stream(by_stream, to);
        first_s.write(to);
        last_s.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        Ok(Self {
            by_stream: read_by_stream(from)?,
            first_s: Keep::read(from)?,
            last_s: Keep::read(from)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use settlewatch_join::{Span, Timestamp};

    use super::*;
    use crate::pulse::{KINDS, StreamCount};

    const FEED: Heartbeat = Heartbeat {
        interval: Span::from_secs(60),
        offline_after: Span::from_secs(150),
    };

    /// Terminals that beat all at once, once a minute, until the second `until`; with them an account's status comes.
    fn beats(until: i64) -> Beats {
        let mut beats = Beats::default();
        for second in (0..=until).step_by(60) {
            let at = Timestamp::from_millis(second * 1000);
            let beat = |terminal: &str| Auxiliary::Heartbeat {
                terminal_id: terminal.into(),
                at,
                queue_depth: None,
                error_code: None,
                uptime_s: None,
                app_version: None,
                signed_in: None,
            };
            let count = |stream, records| StreamCount {
                stream,
                partition: 0,
                records,
                rejected: 0,
                kinds: [0; KINDS],
            };
            let pulse = Pulse {
                second,
                auxiliary: vec![beat("a"), beat("b")],
                streams: vec![count(0, 90), count(3, 1), count(4, 2)],
                ..Pulse::default()
            };
            beats.heard(&pulse, |stream| stream > 2);
        }
        beats
    }

    #[test]
    fn it_is_silent_when_every_terminal_has_missed_two() {
        let beats = beats(600);
        assert_eq!(beats.silent(659, FEED), None, "they beat once a minute");
        assert_eq!(beats.silent(720, FEED), None);
        assert_eq!(beats.silent(721, FEED), Some((4, 600)));
        assert_eq!(beats.spoke(600), None);
        assert_eq!(beats.spoke(540), Some(600));
    }

    #[test]
    fn what_came_once_is_no_feed() {
        assert_eq!(beats(0).silent(10_000, FEED), None);
        assert_eq!(Beats::default().silent(10_000, FEED), None);
    }
}

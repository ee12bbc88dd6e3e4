//! Terminals as their heartbeats and payments show them.

use std::collections::VecDeque;
use std::sync::Arc;

use settlewatch_join::{Span, Timestamp};

use crate::beats::MISSED;
use crate::detect::values::{TupleId, ValueId, Values};
use crate::keep::keep;
use crate::pulse::{APP, Auxiliary, MODEL};
use crate::tables::Map;

/// Heartbeats of a terminal that are remembered.
const BEATS: usize = 24;

/// Terminals that are remembered; further ones are not known.
const LIMIT: usize = 500_000;

/// A terminal that stops takes payments with it whose credit was under way: they are older than the stop by so
/// much, in milliseconds, and a heartbeat in between is no sign of life.
const ONSET_MS: i64 = 15_000;

/// So many terminals whose heartbeats are overdue have stopped, before any of them has been silent for long.
const SEVERAL: usize = 3;

/// So many terminals make a feed that cannot fall silent by chance.
const MANY: usize = 10;

/// What is expected of heartbeats.
#[derive(Clone, Copy, Debug)]
pub struct Heartbeat {
    /// How often a terminal reports.
    pub interval: Span,
    /// A terminal that is silent for longer is offline.
    pub offline_after: Span,
}

/// One heartbeat.
#[derive(Clone, Debug)]
pub(crate) struct Beat {
    pub(crate) at_ms: i64,
    pub(crate) has_error: bool,
    pub(crate) uptime_s: Option<u64>,
    pub(crate) queue_depth: Option<u64>,
    pub(crate) signed_in: Option<bool>,
}

/// What is known of a terminal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Terminal {
    pub(crate) beats: VecDeque<Beat>,
    pub(crate) app_version: Option<Arc<str>>,
    /// The latest tuple of its payments.
    pub(crate) tuple: Option<TupleId>,
}

/// What a group of terminals' heartbeats say about a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hearts {
    /// No heartbeats are expected, or none ever came.
    NoFeed,
    /// Too early to say.
    Unknown,
    /// They beat.
    Alive,
    /// They stopped.
    Stopped,
}

/// All terminals.
#[derive(Default)]
pub(crate) struct Terminals {
    known: Map<Arc<str>, Terminal>,
    last_beat_ms: i64,
}

impl Terminals {
    pub(crate) fn heard(&mut self, event: &Auxiliary) {
        let Auxiliary::Heartbeat {
            terminal_id,
            at,
            queue_depth,
            error_code,
            uptime_s,
            app_version,
            signed_in,
        } = event
        else {
            return;
        };
        self.last_beat_ms = self.last_beat_ms.max(at.millis());
        if self.known.len() >= LIMIT && !self.known.contains_key(terminal_id) {
            return;
        }
        let terminal = self.known.entry(Arc::clone(terminal_id)).or_default();
        terminal.app_version = app_version.clone().or(terminal.app_version.take());
        terminal.beats.push_back(Beat {
            at_ms: at.millis(),
            has_error: error_code.is_some(),
            uptime_s: *uptime_s,
            queue_depth: *queue_depth,
            signed_in: *signed_in,
        });
        if terminal.beats.len() > BEATS {
            terminal.beats.pop_front();
        }
    }

    /// A payment came from a terminal.
    pub(crate) fn paid(&mut self, terminal_id: &Arc<str>, tuple: TupleId) {
        if let Some(terminal) = self.known.get_mut(terminal_id) {
            terminal.tuple = Some(tuple);
        } else if self.known.len() < LIMIT {
            let terminal = Terminal {
                tuple: Some(tuple),
                ..Terminal::default()
            };
            self.known.insert(Arc::clone(terminal_id), terminal);
        }
    }

    /// Whether any heartbeat ever came.
    pub(crate) fn ever_beat(&self) -> bool {
        self.last_beat_ms != 0
    }

    /// Whether many of them beat, or did once.
    pub(crate) fn many_beat(&self) -> bool {
        let beating = self.known.values().filter(|it| !it.beats.is_empty());
        beating.take(MANY).count() == MANY
    }

    pub(crate) fn get(&self, terminal_id: &str) -> Option<&Terminal> {
        self.known.get(terminal_id)
    }

    /// What the heartbeats of these terminals say of the time from `since` until `until`, as they are known at `now`.
    pub(crate) fn hearts<'a>(
        &self,
        terminals: impl Iterator<Item = &'a str>,
        (since, until): (Timestamp, Timestamp),
        now: Timestamp,
        feed: Heartbeat,
    ) -> Hearts {
        let interval_ms = feed.interval.millis() as i64;
        if self.last_beat_ms == 0 || now.millis() - self.last_beat_ms > MISSED * interval_ms {
            return Hearts::NoFeed;
        }
        let (mut all, mut offline, mut overdue, mut alive) = (0_usize, 0_usize, 0_usize, 0_usize);
        for terminal in terminals.filter_map(|id| self.known.get(id)) {
            let gap_ms = terminal.gap_ms(since.millis(), until.millis(), now.millis());
            let Some(gap_ms) = gap_ms else { continue };
            all += 1;
            if gap_ms > feed.offline_after.millis() as i64 {
                offline += 1;
            } else if gap_ms * 2 > interval_ms * 3 {
                overdue += 1;
            } else if terminal.beats_after(since.millis() + ONSET_MS) {
                alive += 1;
            }
        }
        let silent = offline + overdue;
        // One that is dead for its own reasons says nothing of the others, of which nothing can be known yet.
        if offline > alive && offline * 2 >= all || silent >= SEVERAL && silent > 2 * alive {
            Hearts::Stopped
        } else if alive > silent {
            Hearts::Alive
        } else {
            Hearts::Unknown
        }
    }
}

impl Terminal {
    /// The longest silence that begins before `until_ms` and ends after `since_ms`, or goes on; `None` where it never
    /// beat before `until_ms`.
    fn gap_ms(&self, since_ms: i64, until_ms: i64, now_ms: i64) -> Option<i64> {
        let ends = self.beats.iter().skip(1).map(|beat| beat.at_ms);
        self.beats
            .iter()
            .zip(ends.chain([now_ms]))
            .filter(|(beat, end)| beat.at_ms <= until_ms && *end > since_ms)
            .map(|(beat, end)| end - beat.at_ms)
            .max()
    }

    fn beats_after(&self, from_ms: i64) -> bool {
        self.beats.back().is_some_and(|beat| beat.at_ms > from_ms)
    }

    /// Whether its heartbeats show broken hardware between the two times: an error code, or that it started again.
    /// Who starts it again to mend it does so after the last payment that it spoiled; an error that had gone by the
    /// onset is another one.
    pub(crate) fn is_broken(&self, from_ms: i64, onset_ms: i64, until_ms: i64) -> bool {
        let during = |at_ms: i64| at_ms >= from_ms && at_ms <= until_ms;
        let started_again = self
            .beats
            .iter()
            .zip(self.beats.iter().skip(1))
            .any(|pair| match (pair.0.uptime_s, pair.1.uptime_s) {
                (Some(before), Some(after)) if after < before => {
                    during(pair.1.at_ms - (after as i64).saturating_mul(1000))
                }
                _ => false,
            });
        let clean = self.beats.iter().filter(|beat| !beat.has_error);
        let last_clean_ms = clean
            .map(|beat| beat.at_ms)
            .rfind(|at_ms| *at_ms < onset_ms);
        let from_ms = from_ms.max(last_clean_ms.unwrap_or(from_ms));
        let beats = self.beats.iter();
        let told = beats.filter(|beat| (from_ms..=until_ms).contains(&beat.at_ms));
        let (errors, last) = told.fold((0, false), |(errors, _), beat| {
            (errors + u32::from(beat.has_error), beat.has_error)
        });
        // One that the next heartbeat takes back was a warning: paper that is low, say.
        started_again || last || errors >= 2
    }

    /// Whether nobody was signed in at a heartbeat between the two times, or at the last one where there is none: who
    /// signs in again ends the fault, and does not undo it.
    pub(crate) fn is_signed_out(&self, from_ms: i64, until_ms: i64) -> bool {
        let mut during = self
            .beats
            .iter()
            .filter(|beat| beat.at_ms >= from_ms && beat.at_ms <= until_ms)
            .peekable();
        let is_out = |beat: &Beat| beat.signed_in == Some(false);
        match during.peek() {
            Some(_) => during.any(is_out),
            None => self.beats.back().is_some_and(is_out),
        }
    }

    /// Whether its heartbeats say how long its queue is.
    pub(crate) fn tells_queue(&self) -> bool {
        self.beats.iter().any(|beat| beat.queue_depth.is_some())
    }

    /// Whether its queue is longer than it was before `since`.
    pub(crate) fn is_queueing(&self, since_ms: i64) -> bool {
        let deepest = |after: bool| {
            let beats = self.beats.iter();
            beats
                .filter(|beat| (beat.at_ms >= since_ms) == after)
                .filter_map(|beat| beat.queue_depth)
                .max()
                .unwrap_or(0)
        };
        deepest(true) >= 3 && deepest(true) > 2 * deepest(false)
    }
}

/// Terminals of a model that must be known before one can be called outdated.
const MODEL_KNOWN: usize = 20;

/// Terminals whose software is old are outdated where this share of their model has newer one, in percent.
const OUTDATED: usize = 90;

/// Models and versions of one merchant; who has more has no software that is his mistake.
const VERSIONS: usize = 8;

impl Terminals {
    /// Whether the software of all these terminals is older than that of most of their model.
    pub(crate) fn are_outdated<'a>(
        &self,
        terminals: impl Iterator<Item = &'a str>,
        values: &Values,
    ) -> bool {
        let mut kinds: Vec<(ValueId, Vec<u64>)> = Vec::new();
        for id in terminals {
            let Some(kind) = self.known.get(id).and_then(|it| it.software(values)) else {
                return false;
            };
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
            if kinds.len() > VERSIONS {
                return false;
            }
        }
        let mut counts = vec![(0_usize, 0_usize); kinds.len()];
        for (model, theirs) in self.known.values().filter_map(|it| it.software(values)) {
            for ((own_model, own), (total, newer)) in kinds.iter().zip(&mut counts) {
                *total += usize::from(*own_model == model);
                *newer += usize::from(*own_model == model && theirs > *own);
            }
        }
        let is_outdated = |(total, newer): &(usize, usize)| {
            *total >= MODEL_KNOWN && newer * 100 >= total * OUTDATED
        };
        !counts.is_empty() && counts.iter().all(is_outdated)
    }
}

impl Terminal {
    /// Model and version, as far as they are known.
    fn software(&self, values: &Values) -> Option<(ValueId, Vec<u64>)> {
        let own = values.of(self.tuple?);
        let field = |dim: usize| Some(own[dim]).filter(|value| *value != ValueId::NONE);
        let text = match &self.app_version {
            Some(text) => text,
            None => values.text(field(APP)?).1,
        };
        Some((field(MODEL)?, version(text)))
    }
}

/// A version as numbers, so that 4.10 is newer than 4.9.
fn version(text: &str) -> Vec<u64> {
    text.split(|letter: char| !letter.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().unwrap_or(u64::MAX))
        .collect()
}

keep!(Beat {
    at_ms,
    has_error,
    uptime_s,
    queue_depth,
    signed_in,
});
keep!(Terminal {
    beats,
    app_version,
    tuple,
});
keep!(Terminals {
    known,
    last_beat_ms,
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_terminal_that_is_dead_for_its_own_reasons_stops_no_others() {
        let feed = Heartbeat {
            interval: Span::from_secs(60),
            offline_after: Span::from_secs(150),
        };
        let mut terminals = Terminals::default();
        let mut beats = |id: &str, until_s: i64| {
            for second in (0..until_s).step_by(60) {
                terminals.heard(&Auxiliary::Heartbeat {
                    terminal_id: id.into(),
                    at: Timestamp::from_millis(second * 1000),
                    queue_depth: None,
                    error_code: None,
                    uptime_s: None,
                    app_version: None,
                    signed_in: None,
                });
            }
        };
        beats("dead", 100);
        ["a", "b", "c"].into_iter().for_each(|id| beats(id, 600));
        let at = |second: i64| Timestamp::from_millis(second * 1000);
        let during = (at(590), at(610));
        let all = ["dead", "a", "b", "c"].into_iter();
        let said = terminals.hearts(all, during, at(610), feed);
        assert_eq!(said, Hearts::Unknown, "the next beats are due at 600");
        let said = terminals.hearts(["dead"].into_iter(), during, at(610), feed);
        assert_eq!(said, Hearts::Stopped);
    }
}

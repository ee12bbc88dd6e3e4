//! Terminals as their heartbeats and payments show them.

use std::collections::VecDeque;
use std::sync::Arc;

use settlewatch_join::Timestamp;

use crate::detect::values::{TupleId, ValueId};
use crate::pulse::Auxiliary;
use crate::tables::Map;

/// Heartbeats of a terminal that are remembered.
const BEATS: usize = 24;

/// Terminals that are remembered; further ones are not known.
const LIMIT: usize = 500_000;

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
    /// Terminals of models by software: model value → software text → terminals.
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

    pub(crate) fn get(&self, terminal_id: &str) -> Option<&Terminal> {
        self.known.get(terminal_id)
    }

    /// What the heartbeats of these terminals say of the time since `since`, with one due every `interval_ms`.
    pub(crate) fn hearts<'a>(
        &self,
        terminals: impl Iterator<Item = &'a str>,
        since: Timestamp,
        now: Timestamp,
        interval_ms: i64,
    ) -> Hearts {
        if self.last_beat_ms == 0 || now.millis() - self.last_beat_ms > 3 * interval_ms {
            return Hearts::NoFeed;
        }
        let (mut heard, mut expected, mut known) = (0.0, 0.0, 0_usize);
        for terminal in terminals.filter_map(|id| self.known.get(id)) {
            let before = terminal
                .beats
                .iter()
                .rev()
                .find(|beat| beat.at_ms <= since.millis());
            let Some(before) = before else { continue };
            if since.millis() - before.at_ms > 2 * interval_ms {
                continue;
            }
            known += 1;
            let elapsed = (now.millis() - before.at_ms).min(10 * interval_ms);
            expected += ((elapsed / interval_ms) as f64).max(0.0);
            let after = terminal.beats.iter().rev();
            heard += after
                .take_while(|beat| beat.at_ms > since.millis())
                .count()
                .min(10) as f64;
        }
        if known == 0 {
            return if self.known.is_empty() {
                Hearts::NoFeed
            } else {
                Hearts::Unknown
            };
        }
        if heard >= 1.0 && heard >= 0.5 * expected {
            Hearts::Alive
        } else if expected >= 2.0 && heard <= 0.25 * expected {
            Hearts::Stopped
        } else {
            Hearts::Unknown
        }
    }
}

impl Terminal {
    /// Whether its heartbeats show broken hardware from `from` on: an error code, or restarts.
    pub(crate) fn is_broken(&self, from_ms: i64, now_ms: i64) -> bool {
        let recent = || {
            self.beats
                .iter()
                .filter(|beat| beat.at_ms >= from_ms && beat.at_ms <= now_ms)
        };
        let restarts = recent()
            .zip(recent().skip(1))
            .filter(|(a, b)| matches!((a.uptime_s, b.uptime_s), (Some(a), Some(b)) if b < a))
            .count();
        recent().any(|beat| beat.has_error) || restarts >= 1
    }

    /// Whether nobody was signed in at its last heartbeat.
    pub(crate) fn is_signed_out(&self) -> bool {
        self.beats
            .back()
            .is_some_and(|beat| beat.signed_in == Some(false))
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

/// The terminals of a scope, without repetition, in the order of their values.
pub(crate) fn distinct(mut values: Vec<ValueId>) -> Vec<ValueId> {
    values.sort_unstable();
    values.dedup();
    values
}

/// Terminals of a model that must be known before one can be called outdated.
const MODEL_KNOWN: usize = 20;

impl Terminals {
    /// Whether a terminal's software is older than that of 95 % of the terminals of its model.
    pub(crate) fn is_outdated(
        &self,
        terminal_id: &str,
        values: &crate::detect::values::Values,
    ) -> bool {
        use crate::pulse::{APP, MODEL};
        let Some(terminal) = self.known.get(terminal_id) else {
            return false;
        };
        let field = |terminal: &Terminal, dim| {
            let value = values.of(terminal.tuple?)[dim];
            (value != ValueId::NONE).then_some(value)
        };
        let software = |terminal: &Terminal| match &terminal.app_version {
            Some(text) => Some(version(text)),
            None => field(terminal, APP).map(|value| version(values.text(value).1)),
        };
        let (Some(model), Some(own)) = (field(terminal, MODEL), software(terminal)) else {
            return false;
        };
        let (mut total, mut newer) = (0_usize, 0_usize);
        for other in self.known.values() {
            if field(other, MODEL) == Some(model)
                && let Some(theirs) = software(other)
            {
                total += 1;
                newer += usize::from(theirs > own);
            }
        }
        total >= MODEL_KNOWN && newer * 100 >= total * 95
    }
}

/// A version as numbers, so that 4.10 is newer than 4.9.
fn version(text: &str) -> Vec<u64> {
    text.split(|letter: char| !letter.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().unwrap_or(u64::MAX))
        .collect()
}

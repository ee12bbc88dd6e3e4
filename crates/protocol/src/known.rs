//! Known time: up to which broker time an input has been read.

use alloc::collections::VecDeque;

use settlewatch_join::{Span, Timestamp};

use crate::io::Probe;

/// How far a leader's clock may step back when the leadership changes: a record appended at t proves that
/// everything appended this much earlier stands before it.
const LEADER_CHANGE: Span = Span::from_millis(500);

/// Probes kept for one input; beyond it the oldest unanswered ones are dropped.
const PROBES: usize = 64;

/// What is known of one partition of an input.
#[derive(Debug)]
pub(crate) struct Known {
    position: i64,
    probes: VecDeque<Probe>,
    time: Timestamp,
    /// The end that proves it.
    end: i64,
}

impl Known {
    pub(crate) fn new(position: i64, time: Timestamp) -> Self {
        Self {
            position,
            probes: VecDeque::new(),
            time,
            end: position,
        }
    }

    /// The broker time up to which everything has been read.
    pub(crate) fn time(&self) -> Timestamp {
        self.time
    }

    /// The offset that is read next.
    pub(crate) fn position(&self) -> i64 {
        self.position
    }

    /// The end that was reached when known time became what it is.
    pub(crate) fn end(&self) -> i64 {
        self.end
    }

    fn proves(&mut self, time: Timestamp, end: i64) {
        if time > self.time {
            self.time = time;
            self.end = end;
        }
    }

    /// The record at `offset`, appended at `at`, was read.
    pub(crate) fn record(&mut self, offset: i64, at: Timestamp) {
        self.proves(at - LEADER_CHANGE, offset + 1);
    }

    /// A step that was committed knew everything up to `time` when it had read up to `position`.
    pub(crate) fn committed(&mut self, time: Timestamp, position: i64) {
        self.proves(time, position);
    }

    /// The first end beyond a record that has been asked for: the record was appended before its answer.
    pub(crate) fn bound_of(&self, offset: i64) -> Option<&Probe> {
        self.probes.iter().find(|probe| probe.end > offset)
    }

    /// The consumer stands at `position`.
    pub(crate) fn reached(&mut self, position: i64) {
        self.position = self.position.max(position);
        while let Some(probe) = self.probes.pop_front_if(|probe| probe.end <= self.position) {
            self.proves(probe.sent_at, probe.end);
        }
    }

    /// An end was asked for.
    pub(crate) fn probe(&mut self, probe: Probe) {
        if self.probes.len() >= PROBES {
            // The newest proves what the older would have: only time is lost.
            self.probes.pop_back();
        }
        self.probes.push_back(probe);
    }
}

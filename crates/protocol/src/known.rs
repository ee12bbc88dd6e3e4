//! Known time: up to which broker time an input has been read.

use alloc::collections::VecDeque;

use settlewatch_join::{Span, Timestamp};

use crate::io::Probe;

/// How far a leader's clock may step back when the leadership changes: a record appended at t proves that
/// everything appended this much earlier was appended before it.
const LEADER_CHANGE: Span = Span::from_millis(500);

/// Probes kept for one input; beyond it the oldest unanswered ones are dropped.
const PROBES: usize = 64;

/// What is known of one partition of an input.
#[derive(Debug)]
pub(crate) struct Known {
    position: i64,
    probes: VecDeque<Probe>,
    time: Timestamp,
}

impl Known {
    pub(crate) fn new(position: i64, time: Timestamp) -> Self {
        Self {
            position,
            probes: VecDeque::new(),
            time,
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

    /// A record appended at `at` was read from a LogAppendTime topic.
    pub(crate) fn record(&mut self, at: Timestamp) {
        self.time = self.time.max(at - LEADER_CHANGE);
    }

    /// The consumer stands at `position`. Returns the probes that it reached, in order.
    pub(crate) fn reached(&mut self, position: i64, mut reached: impl FnMut(&Probe)) {
        self.position = self.position.max(position);
        while let Some(probe) = self
            .probes
            .front()
            .filter(|probe| probe.end <= self.position)
        {
            self.time = self.time.max(probe.sent_at);
            reached(probe);
            self.probes.pop_front();
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

//! When a partition number's snapshot is due, and its way into the state topic.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use settlewatch_join::Timestamp;

use crate::io::Produce;
use crate::limits::Limits;
use crate::step::{Counted, Manifest, StateRecord, Step, chunk};

/// A snapshot on its way.
struct Outgoing<S> {
    chunks: VecDeque<Box<[u8]>>,
    sent: u64,
    manifest: Manifest<S>,
}

/// Whose snapshots they are: a partition number, or the watch.
pub(crate) trait Subject {
    /// What its state topic counts.
    type Step: Counted;

    /// Its partition of the state topic.
    fn number(&self) -> i32;

    /// Bytes of records that were applied since the last snapshot began, and steps.
    fn since_snapshot(&self) -> (usize, u64);

    /// Where it stands before its first step.
    fn beginning(&self) -> Self::Step;

    /// The state as chunks.
    fn snapshot(&mut self) -> VecDeque<Box<[u8]>>;

    /// Append time of the last record that was applied of every source.
    fn clocks(&self) -> Vec<Timestamp>;
}

/// The snapshots of one partition number.
pub(crate) struct Snapshots<S = Step> {
    limits: Limits,
    generation: u64,
    size: usize,
    outgoing: Option<Outgoing<S>>,
    /// The transaction under way holds the first chunk; the manifest.
    begins: bool,
    ends: bool,
    /// Where the one under way begins, the last complete one, and the one before it.
    begins_at: Option<i64>,
    last_at: Option<i64>,
    /// There is a complete snapshot.
    complete: bool,
    /// The snapshot that draining asks for was taken.
    drained: bool,
}

impl<S: Counted> Snapshots<S> {
    /// `snapshot_at`: where the last complete snapshot begins.
    pub(crate) fn new(limits: Limits, snapshot_at: Option<i64>) -> Self {
        Self {
            limits,
            generation: 0,
            size: 0,
            outgoing: None,
            begins: false,
            ends: false,
            begins_at: None,
            last_at: snapshot_at,
            complete: snapshot_at.is_some(),
            drained: false,
        }
    }

    /// Whether a step is wanted for the snapshot's sake.
    pub(crate) fn wants(&self, of: &impl Subject<Step = S>, draining: bool) -> bool {
        !self.complete || self.outgoing.is_some() || self.is_due(of, draining)
    }

    fn is_due(&self, of: &impl Subject<Step = S>, draining: bool) -> bool {
        let enough = (self.size * self.limits.snapshot_times_its_size)
            .max(self.limits.snapshot_at_least_bytes);
        let (bytes, steps) = of.since_snapshot();
        draining && !self.drained || bytes >= enough || steps >= self.limits.snapshot_at_most_steps
    }

    /// Nothing is on its way, and what draining asks for is done.
    pub(crate) fn is_idle(&self) -> bool {
        self.outgoing.is_none() && self.drained
    }

    /// Adds to a transaction, before the first step of all, a snapshot of the beginning. It is small, and whole in this
    /// transaction: no step ever stands in the log without one to begin from.
    pub(crate) fn first(
        &mut self,
        of: &mut impl Subject<Step = S>,
        identity: &Arc<[u8]>,
        records: &mut Vec<Produce>,
    ) {
        if self.complete || self.outgoing.is_some() {
            return;
        }
        let step = of.beginning();
        self.begin(of, &step, identity);
        self.send(of.number(), usize::MAX, records);
    }

    /// Adds to a transaction, after its step, what is due of a snapshot.
    pub(crate) fn step(
        &mut self,
        of: &mut impl Subject<Step = S>,
        step: &S,
        identity: &Arc<[u8]>,
        draining: bool,
        records: &mut Vec<Produce>,
    ) {
        if self.outgoing.is_none() && !self.ends && self.is_due(of, draining) {
            self.drained |= draining;
            self.begin(of, step, identity);
        }
        self.send(of.number(), self.limits.snapshot_bytes_per_step, records);
    }

    fn begin(&mut self, of: &mut impl Subject<Step = S>, step: &S, identity: &Arc<[u8]>) {
        self.generation = step.sequence();
        let chunks = of.snapshot();
        self.size = chunks.iter().map(|chunk| chunk.len()).sum();
        let manifest = Manifest {
            generation: self.generation,
            chunks: chunks.len() as u64,
            step: step.clone(),
            clocks: of.clocks(),
            identity: Arc::clone(identity),
        };
        self.outgoing = Some(Outgoing {
            chunks,
            sent: 0,
            manifest,
        });
        self.begins = true;
    }

    fn send(&mut self, number: i32, most_bytes: usize, records: &mut Vec<Produce>) {
        let Some(outgoing) = &mut self.outgoing else {
            return;
        };
        let mut bytes = 0;
        while bytes < most_bytes {
            let Some(next) = outgoing.chunks.pop_front() else {
                records.push(StateRecord::Manifest(outgoing.manifest.clone()).produce(number));
                self.ends = true;
                self.outgoing = None;
                return;
            };
            bytes += next.len();
            records.push(chunk(number, self.generation, outgoing.sent, &next));
            outgoing.sent += 1;
        }
    }

    /// The transaction under way wrote its first record of the state topic at `offset`.
    pub(crate) fn written(&mut self, offset: i64) {
        if core::mem::take(&mut self.begins) {
            self.begins_at = Some(offset);
        }
    }

    /// The transaction was committed: what is older than the last snapshot but one may go.
    pub(crate) fn committed(&mut self) -> Option<i64> {
        self.begins = false;
        if !core::mem::take(&mut self.ends) {
            return None;
        }
        self.complete = true;
        core::mem::replace(&mut self.last_at, self.begins_at.take())
    }
}

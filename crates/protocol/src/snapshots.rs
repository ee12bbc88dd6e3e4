//! When a partition number's snapshot is due, and its way into the state topic.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::io::Produce;
use crate::limits::Limits;
use crate::step::{Manifest, StateRecord, Step, chunk};
use crate::task::Task;

/// A snapshot on its way.
struct Outgoing {
    chunks: VecDeque<Box<[u8]>>,
    sent: u64,
    manifest: Manifest,
}

/// The snapshots of one partition number.
pub(crate) struct Snapshots {
    limits: Limits,
    generation: u64,
    size: usize,
    outgoing: Option<Outgoing>,
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

impl Snapshots {
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
    pub(crate) fn wants(&self, task: &Task, draining: bool) -> bool {
        !self.complete || self.outgoing.is_some() || self.is_due(task, draining)
    }

    fn is_due(&self, task: &Task, draining: bool) -> bool {
        let enough = (self.size * self.limits.snapshot_times_its_size)
            .max(self.limits.snapshot_at_least_bytes);
        draining && !self.drained
            || task.bytes_since_snapshot >= enough
            || task.steps_since_snapshot >= self.limits.snapshot_at_most_steps
    }

    /// Nothing is on its way, and what draining asks for is done.
    pub(crate) fn is_idle(&self) -> bool {
        self.outgoing.is_none() && self.drained
    }

    /// Adds to a transaction, before the first step of all, a snapshot of the beginning. It is small, and whole in this
    /// transaction: no step ever stands in the log without one to begin from.
    pub(crate) fn first(
        &mut self,
        task: &mut Task,
        identity: &Arc<[u8]>,
        records: &mut Vec<Produce>,
    ) {
        if self.complete || self.outgoing.is_some() {
            return;
        }
        let step = task.beginning();
        self.begin(task, &step, identity);
        self.send(task.number, usize::MAX, records);
    }

    /// Adds to a transaction, after its step, what is due of a snapshot.
    pub(crate) fn step(
        &mut self,
        task: &mut Task,
        step: &Step,
        identity: &Arc<[u8]>,
        draining: bool,
        records: &mut Vec<Produce>,
    ) {
        if self.outgoing.is_none() && !self.ends && self.is_due(task, draining) {
            self.drained |= draining;
            self.begin(task, step, identity);
        }
        self.send(task.number, self.limits.snapshot_bytes_per_step, records);
    }

    fn begin(&mut self, task: &mut Task, step: &Step, identity: &Arc<[u8]>) {
        self.generation = step.sequence;
        let chunks = task.snapshot();
        self.size = chunks.iter().map(|chunk| chunk.len()).sum();
        let manifest = Manifest {
            generation: self.generation,
            chunks: chunks.len() as u64,
            step: step.clone(),
            clocks: task.clocks(),
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

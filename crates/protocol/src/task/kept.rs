//! What a snapshot of a partition number is made of.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use settlewatch_join::Timestamp;

use super::Task;
use crate::snapshots::Subject;
use crate::step::Step;

impl Subject for Task {
    type Step = Step;

    fn number(&self) -> i32 {
        self.number
    }

    fn since_snapshot(&self) -> (usize, u64) {
        (self.bytes_since_snapshot, self.steps_since_snapshot)
    }

    fn beginning(&self) -> Step {
        Step {
            sequence: self.sequence,
            known: self.known,
            positions: self.positions(),
            ..Step::default()
        }
    }

    /// Each chunk has a letter that says what it is of.
    fn snapshot(&mut self) -> VecDeque<Box<[u8]>> {
        self.bytes_since_snapshot = 0;
        self.steps_since_snapshot = 0;
        let mut chunks = VecDeque::new();
        let mut put = |kind: u8, bytes: &[u8]| {
            chunks.push_back([&[kind][..], bytes].concat().into_boxed_slice());
        };
        self.partition.snapshot(&mut |bytes| put(PARTITION, bytes));
        self.post.pairs.snapshot(&mut |bytes| put(PAIRS, bytes));
        put(POST, &self.post.write());
        put(RULES, &self.rules.write());
        if let Some(rebuilt) = self.rebuilding() {
            put(REBUILT, &rebuilt.write());
        }
        self.pulses.snapshot(&mut |bytes| put(PULSES, bytes));
        chunks
    }

    fn clocks(&self) -> Vec<Timestamp> {
        self.sources
            .iter()
            .map(|source| source.applied_at)
            .collect()
    }
}

pub(crate) const PARTITION: u8 = b'p';
pub(crate) const PAIRS: u8 = b'r';
pub(crate) const POST: u8 = b'o';
pub(crate) const RULES: u8 = b'u';
pub(crate) const REBUILT: u8 = b'b';
pub(crate) const PULSES: u8 = b'w';

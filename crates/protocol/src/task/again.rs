//! Steps that were committed are applied again: the same records, in the same turns.

use alloc::collections::VecDeque;

use settlewatch_join::{Inbox, Place, Timestamp};

use super::Task;
use super::holes::open;
use crate::bytes::Malformed;
use crate::io::{Host, RawRecord};
use crate::output::Turn;
use crate::step::Step;

/// Where a record goes that got its place.
pub(super) struct Placed<'a> {
    apart: Option<&'a mut VecDeque<(Place, RawRecord)>>,
    inbox: &'a mut Inbox<RawRecord>,
}

impl<'a> Placed<'a> {
    pub(super) fn new(
        again: &VecDeque<Step>,
        apart: &'a mut VecDeque<(Place, RawRecord)>,
        inbox: &'a mut Inbox<RawRecord>,
    ) -> Self {
        let apart = (!again.is_empty()).then_some(apart);
        Self { apart, inbox }
    }

    pub(super) fn put(&mut self, place: Place, record: RawRecord) {
        match &mut self.apart {
            Some(apart) => apart.push_back((place, record)),
            None => self.inbox.put(place, record),
        }
    }
}

impl Task {
    /// Applies committed steps as far as their records have been read; their effects are in the log.
    pub(crate) fn catch_up(&mut self, host: &impl Host) -> Result<(), Malformed> {
        while self.again.front().is_some_and(|step| self.has_read(step)) {
            let Some(step) = self.again.pop_front() else {
                break;
            };
            let mut turn = Turn {
                again: true,
                ..Turn::default()
            };
            if let Some(rules) = step.rules {
                self.apply_rules(&rules, host)?;
            }
            self.apply_holes(&step.holes);
            self.holes = open(&step.holes);
            self.gather(&step.positions);
            while let Some((place, record)) = self.inbox.take(Timestamp::MAX) {
                self.apply(place, &record, host, &mut turn);
            }
            let post = step.positions.last().copied().unwrap_or(0);
            self.finish_step(step.known, post, host, &mut turn)?;
            self.sequence = step.sequence;
            for (source, &position) in self.sources.iter_mut().zip(&step.positions) {
                source.known.committed(step.known, position);
            }
        }
        if self.again.is_empty() {
            self.gather(&alloc::vec![i64::MAX; self.apart.len()]);
        }
        Ok(())
    }

    fn has_read(&self, step: &Step) -> bool {
        let inputs = self.sources.iter().zip(&step.positions);
        let post = step.positions.last().copied().unwrap_or(0);
        self.post_position >= post
            && inputs
                .into_iter()
                .all(|(source, &position)| source.has_placed_before(position))
    }

    /// Puts the records before these positions into the inbox: those that a step applied, and no other, though one
    /// that became readable later may stand before them in canonical order.
    fn gather(&mut self, positions: &[i64]) {
        for (apart, &position) in self.apart.iter_mut().zip(positions) {
            while let Some((place, record)) =
                apart.pop_front_if(|(_, record)| record.offset < position)
            {
                self.inbox.put(place, record);
            }
        }
    }
}

//! Steps that were committed are applied again: the same records, in the same turns.

use alloc::collections::VecDeque;

use settlewatch_join::{Inbox, Place, Span, Timestamp};

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
            if self.again.is_empty() {
                self.follow();
            }
        }
        if self.again.is_empty() {
            self.gather(&alloc::vec![i64::MAX; self.apart.len()]);
        }
        Ok(())
    }

    /// What is applied from now on follows what was, in canonical order. A step that was cut short knows a millisecond
    /// of which it has applied records; whoever wrote it had proven more, and that is forgotten. An append time that we
    /// settle ourselves would else fall into that millisecond, before a record that was applied.
    pub(super) fn follow(&mut self) {
        let known = self.known;
        for at in 0..self.sources.len() {
            let rank = self.sources[at].rank();
            if self.sources.iter().any(|it| it.is_past(rank, known)) {
                let floor = known + Span::from_millis(1);
                self.sources[at].follow(floor, &mut self.apart[at]);
            }
        }
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

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::io::SourceId;
    use crate::task::holes::tests::{NoEvents, at, begun, prove, step};

    fn read(task: &mut Task, source: u8, offset: i64, ms: i64) {
        task.read(RawRecord {
            source: SourceId(source),
            partition: 0,
            offset,
            ts: at(ms).millis(),
            key: None,
            value: None,
        });
    }

    /// A task that has to apply a step again that was cut short: it applied the first record of a millisecond.
    fn cut_short() -> Task {
        let step = Step {
            sequence: 1,
            known: at(100),
            positions: vec![0, 1, 0],
            ..Step::default()
        };
        let mut task = begun(0, false);
        for (source, &position) in task.sources.iter_mut().zip(&step.positions) {
            source.committed(position, step.known);
        }
        task.again = [step].into();
        task
    }

    #[test]
    fn what_was_not_applied_follows_what_was_in_canonical_order() {
        for read_before in [true, false] {
            let mut task = cut_short();
            // A payment that became readable after a credit of this millisecond was applied.
            let payment = |task: &mut Task| {
                prove(task, 0, 1, 130);
                read(task, 0, 0, 50);
            };
            if read_before {
                payment(&mut task);
            }
            read(&mut task, 1, 0, 100);
            prove(&mut task, 1, 2, 130);
            read(&mut task, 1, 1, 100);
            task.catch_up(&NoEvents).expect("nothing is malformed");
            assert!(!task.is_catching_up());
            if !read_before {
                payment(&mut task);
            }
            let (place, _) = task.inbox.next().expect("both wait");
            assert_eq!((place.at, place.stream, place.offset), (at(100), 1, 1));
            let step = step(&mut task);
            assert_eq!(step.append_times, [(SourceId(0), 0, at(101))]);
            assert_eq!(step.positions, [1, 2, 0]);
        }
    }
}

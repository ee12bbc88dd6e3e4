//! What a transaction will hold: steps, what they say, and letters to other partition numbers.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::bytes::Malformed;
use crate::io::{Host, Produce, SourceId};
use crate::output::Turn;
use crate::post::{Letter, envelope};
use crate::step::{StateRecord, Step, size};
use crate::task::Task;

/// A partition number to which there is nothing to say hears at least so often how far we are, in milliseconds.
const LETTER_AT_LEAST_MS: u64 = 250;

/// Offsets to send: what is read next.
pub(crate) type Offsets = Vec<(SourceId, i32, i64)>;

/// The transaction that is being filled.
#[derive(Default)]
pub(crate) struct Outbox {
    pub(crate) records: Vec<Produce>,
    offsets: Offsets,
    turns: Vec<(i32, settlewatch_join::Timestamp, Turn)>,
    /// When everybody heard last from each of our partition numbers.
    told_ms: BTreeMap<i32, u64>,
}

impl Outbox {
    pub(crate) fn is_full(&self, bytes: usize) -> bool {
        self.records.iter().map(size).sum::<usize>() >= bytes
    }

    /// Takes one step of a partition number in.
    pub(crate) fn step(&mut self, task: &mut Task, host: &impl Host) -> Result<Step, Malformed> {
        let mut turn = Turn::default();
        let step = task.turn(host, &mut turn)?;
        self.records.append(&mut turn.records);
        self.records
            .push(StateRecord::Step(step.clone()).produce(task.number));
        let sources = step.positions.iter().zip(0..);
        let offsets = sources.map(|(&at, source)| (SourceId(source), task.number, at));
        self.offsets.extend(offsets);
        self.turns.push((task.number, task.known(), turn));
        Ok(step)
    }

    /// Everything to be written, with a letter to every partition number that must hear from us; `None` where there
    /// is nothing.
    pub(crate) fn close(&mut self, now_ms: u64, numbers: i32) -> Option<(Vec<Produce>, Offsets)> {
        let mut records = core::mem::take(&mut self.records);
        let offsets = core::mem::take(&mut self.offsets);
        let mut turns = core::mem::take(&mut self.turns);
        if records.is_empty() {
            return None;
        }
        let news: Vec<bool> = turns
            .iter()
            .map(|(from, _, _)| self.tells_everybody(*from, now_ms))
            .collect();
        let mut letters = BTreeMap::<i32, Vec<Letter>>::new();
        for target in 0..numbers {
            for ((from, known, turn), &news) in turns.iter_mut().zip(&news) {
                let parcel = turn.parcels.remove(&target);
                if news || parcel.is_some() {
                    letters.entry(target).or_default().push(Letter {
                        from: *from,
                        known: *known,
                        parcel,
                    });
                }
            }
        }
        records.extend(
            letters
                .into_iter()
                .map(|(target, letters)| envelope(target, &letters)),
        );
        Some((records, offsets))
    }

    fn tells_everybody(&mut self, from: i32, now_ms: u64) -> bool {
        let told = self.told_ms.get(&from);
        let due = told.is_none_or(|told| now_ms >= told + LETTER_AT_LEAST_MS);
        if due {
            self.told_ms.insert(from, now_ms);
        }
        due
    }
}

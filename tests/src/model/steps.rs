//! The steps of the state topic, read by a reader of their own: what the lanes say about append times.

use super::log::{Entry, Log};

/// What one step says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) sequence: u64,
    /// Decided up to here.
    pub(super) known: i64,
    /// First offset that was not applied, by source.
    pub(super) positions: Vec<i64>,
    /// Append times that do not follow from the records: source, offset, time.
    pub(super) append_times: Vec<(u8, i64, i64)>,
    /// Whether records were lost unread.
    pub(super) hole: bool,
    /// When the record was appended: physical time.
    pub(super) appended: i64,
}

/// What is left of a record.
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl Bytes<'_> {
    pub(super) fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(super) fn number(&mut self) -> Option<i64> {
        self.take().map(i64::from_le_bytes)
    }

    pub(super) fn count(&mut self) -> Option<usize> {
        self.take().map(|bytes| u64::from_le_bytes(bytes) as usize)
    }

    /// As many of something as it says first.
    pub(super) fn list<T>(&mut self, one: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        (0..self.count()?).map(|_| one(self)).collect()
    }
}

/// What a record says, where it is a step.
pub(super) fn of_step(entry: &Entry) -> Option<&[u8]> {
    let key = entry.data.key.as_deref()?;
    let value = entry.data.value.as_deref();
    value.filter(|_| key.starts_with(b"d/"))
}

/// The committed steps of a partition number.
pub(super) fn steps(log: &Log) -> Vec<Step> {
    let of_steps = log.committed().filter_map(|(_, entry)| {
        let step = read(of_step(entry)?).expect("a step is as it was written");
        Some(Step {
            appended: entry.appended,
            ..step
        })
    });
    of_steps.collect()
}

fn read(value: &[u8]) -> Option<Step> {
    let mut from = Bytes(value.strip_prefix(&[1])?);
    let sequence = from.take().map(u64::from_le_bytes)?;
    let known = from.number()?;
    let positions = from.list(Bytes::number)?;
    let append_times =
        from.list(|from| Some((from.take::<1>()?[0], from.number()?, from.number()?)))?;
    let hole = from.count()? > 0;
    Some(Step {
        sequence,
        known,
        positions,
        append_times,
        hole,
        appended: 0,
    })
}

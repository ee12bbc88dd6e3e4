//! The steps of the watch's state topic, read by a reader of their own.

use crate::model::log::{Entry, Log};
use crate::model::steps::{Bytes, of_step};

/// What one step of the watch says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct WatchStep {
    pub(super) sequence: u64,
    pub(super) second: i64,
    /// First offset that was not taken in, by pulse partition.
    pub(super) pulses: Vec<i64>,
    /// The same of the auxiliary partitions, and up to when each is known.
    pub(super) feeds: Vec<(i64, i64)>,
    /// Append times that do not follow from the records: auxiliary partition, offset, time.
    pub(super) append_times: Vec<(usize, i64, i64)>,
    /// Auxiliary topics that were not known to the end of the second.
    pub(super) withheld: Vec<u8>,
    /// Rules that apply from this second on, where they are others than before.
    pub(super) rules: Option<Vec<u8>>,
    /// Which transaction it was meant for.
    pub(super) part_of: u64,
    /// When the record was appended: physical time.
    pub(super) appended: i64,
}

/// The committed steps.
pub(super) fn steps(log: &Log) -> Vec<WatchStep> {
    let committed = log.committed().map(|(_, entry)| entry);
    committed.filter_map(step).collect()
}

fn step(entry: &Entry) -> Option<WatchStep> {
    let step = read(of_step(entry)?).expect("a step is as it was written");
    Some(WatchStep {
        part_of: entry.data.part_of,
        appended: entry.appended,
        ..step
    })
}

/// Whose claim a record is, where it is one.
pub(super) fn claim(entry: &Entry) -> Option<u64> {
    let key = entry.data.key.as_deref()?;
    let value = entry.data.value.as_deref().filter(|_| key[0] == b'c')?;
    Bytes(value.strip_prefix(&[1])?)
        .take()
        .map(u64::from_le_bytes)
}

fn read(value: &[u8]) -> Option<WatchStep> {
    let mut from = Bytes(value.strip_prefix(&[1])?);
    let sequence = from.take().map(u64::from_le_bytes)?;
    let second = from.number()?;
    Some(WatchStep {
        sequence,
        second,
        pulses: from.list(Bytes::number)?,
        feeds: from.list(|from| Some((from.number()?, from.number()?)))?,
        append_times: from.list(|from| Some((from.count()?, from.number()?, from.number()?)))?,
        withheld: from.list(|from| Some(from.take::<1>()?[0]))?,
        rules: match from.take()? {
            [0] => None,
            _ => Some(from.list(|from| Some(from.take::<1>()?[0]))?),
        },
        part_of: 0,
        appended: 0,
    })
}

//! What one step of the watch did: which records it took in, and which second it judged.

use alloc::sync::Arc;
use alloc::vec::Vec;

use settlewatch_join::Timestamp;

use crate::bytes::{Malformed, Reader, Writer};
use crate::io::SourceId;
use crate::step::{Counted, list, time};

/// Where an auxiliary partition stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FeedStep {
    /// The first offset that was not taken in.
    pub(crate) position: i64,
    /// Up to when it is known.
    pub(crate) known: Timestamp,
}

/// One second that was judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct WatchStep {
    /// Counts the steps, without a gap.
    pub(crate) sequence: u64,
    /// The second, since 1970.
    pub(crate) second: i64,
    /// First offset that was not taken in, by pulse partition. Which of them were known to the end of the second follows
    /// from the records before it: the others were blind.
    pub(crate) pulses: Vec<i64>,
    /// The same of the auxiliary partitions, topic by topic.
    pub(crate) feeds: Vec<FeedStep>,
    /// Append times that do not follow from the records: auxiliary partition, offset, time.
    pub(crate) append_times: Vec<(u32, i64, Timestamp)>,
    /// Auxiliary topics that were not known to the end of the second.
    pub(crate) withheld: Vec<SourceId>,
    /// Rules that apply from this second on, where they are others than before.
    pub(crate) rules: Option<Arc<[u8]>>,
}

impl Counted for WatchStep {
    fn sequence(&self) -> u64 {
        self.sequence
    }

    fn write(&self, to: &mut Writer) {
        to.u64(self.sequence)
            .i64(self.second)
            .len(self.pulses.len());
        for &position in &self.pulses {
            to.i64(position);
        }
        to.len(self.feeds.len());
        for feed in &self.feeds {
            to.i64(feed.position).i64(feed.known.millis());
        }
        to.len(self.append_times.len());
        for &(feed, offset, at) in &self.append_times {
            to.u64(u64::from(feed)).i64(offset).i64(at.millis());
        }
        to.len(self.withheld.len());
        for source in &self.withheld {
            to.u8(source.0);
        }
        to.u8(u8::from(self.rules.is_some()));
        if let Some(rules) = &self.rules {
            to.bytes(rules);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            sequence: from.u64()?,
            second: from.i64()?,
            pulses: list(from, 8, Reader::i64)?,
            feeds: list(from, 16, |from| {
                Ok(FeedStep {
                    position: from.i64()?,
                    known: time(from)?,
                })
            })?,
            append_times: list(from, 24, |from| {
                let feed = u32::try_from(from.u64()?).map_err(|_| Malformed)?;
                Ok((feed, from.i64()?, time(from)?))
            })?,
            withheld: list(from, 1, |from| from.u8().map(SourceId))?,
            rules: match from.u8()? {
                0 => None,
                1 => Some(from.bytes()?.into()),
                _ => return Err(Malformed),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::StateRecord;

    #[test]
    fn a_step_comes_back_as_it_was_and_never_in_part() {
        let step = WatchStep {
            sequence: 9,
            second: 1_775_707_200,
            pulses: [3, 0, 12].into(),
            feeds: [FeedStep {
                position: 7,
                known: Timestamp::from_millis(12_345),
            }]
            .into(),
            append_times: [(1, 6, Timestamp::from_millis(-4))].into(),
            withheld: [SourceId(4)].into(),
            rules: Some(b"rules"[..].into()),
        };
        let produce = StateRecord::Step(step.clone()).produce(0);
        let (key, value) = (produce.key.expect("a key"), produce.value.expect("a value"));
        assert_eq!(StateRecord::read(&key, &value), Ok(StateRecord::Step(step)));
        for len in 0..value.len() {
            let read: Result<StateRecord<'_, WatchStep>, _> =
                StateRecord::read(&key, &value[..len]);
            assert_eq!(read, Err(Malformed));
        }
    }
}

//! Where a partition number begins that has no state.

use std::time::Duration;

use rdkafka::error::KafkaResult;
use settlewatch_join::Timestamp;
use settlewatch_protocol::{SourceId, StartPoint};

use crate::clocks::{Clocks, Monotonic};
use crate::ends::{Answer, Ends};
use crate::reader::Reader;
use crate::topics::Topics;

/// Where the configuration says that the first start begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartAt {
    /// With what is appended from now on.
    Latest,
    /// With everything there is.
    Earliest,
    /// With what is stamped then or later.
    Time(Timestamp),
}

/// Who answers.
pub(crate) struct Finder<'a> {
    pub(crate) reader: &'a Reader,
    pub(crate) ends: &'a Ends,
    pub(crate) clocks: &'a Clocks,
    pub(crate) monotonic: Monotonic,
    pub(crate) topics: &'a Topics,
    pub(crate) wait: Duration,
}

impl Finder<'_> {
    /// Finds the beginning of a partition number.
    pub(crate) fn find(&self, number: i32, start_at: StartAt) -> KafkaResult<StartPoint> {
        let group_has_offsets = self.reader.has_offsets(number, self.wait)?;
        let inputs: Vec<_> = (0..self.topics.inputs.len())
            .map(|i| (SourceId(i as u8), number))
            .collect();
        // What was appended before this moment lies before the ends that are asked for after it.
        let now = self.clocks.about(self.monotonic.now_ms());
        let now = now.unwrap_or(Timestamp::MIN);
        let (answers, knows_since) = match start_at {
            StartAt::Latest => (self.ends.ends(&inputs, self.wait)?, now),
            StartAt::Time(at) => (self.ends.since(&inputs, at.millis(), self.wait)?, at),
            StartAt::Earliest => {
                let firsts = self.ends.firsts(&inputs, self.wait)?;
                let since = self.since(&firsts);
                (firsts, since)
            }
        };
        let pairs = SourceId(self.topics.inputs.len() as u8);
        let pairs = self.ends.firsts(&[(pairs, number)], self.wait)?;
        let mut positions = vec![0; self.topics.inputs.len() + 1];
        for (source, _, offset) in answers.into_iter().chain(pairs) {
            positions[usize::from(source.0)] = offset;
        }
        Ok(StartPoint {
            positions,
            knows_since,
            group_has_offsets,
        })
    }

    /// From when a log is whole that begins at `firsts`: from the first record that is left, or from ever where
    /// none was deleted.
    fn since(&self, firsts: &[Answer]) -> Timestamp {
        let cut = firsts.iter().filter(|&&(_, _, offset)| offset > 0);
        let times = cut.filter_map(|&first| self.ends.timestamp_at(first, self.wait));
        times.max().map_or(Timestamp::MIN, Timestamp::from_millis)
    }
}

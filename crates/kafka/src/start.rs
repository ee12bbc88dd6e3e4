//! Where a partition number begins that has no state.

use std::collections::BTreeMap;
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

/// 2000-01-01T00:00:00Z: no payment is older.
const OLDEST: Timestamp = Timestamp::from_millis(946_684_800_000);

/// Who answers a lane.
pub(crate) struct Finder<'a> {
    pub(crate) reader: &'a Reader,
    pub(crate) clocks: &'a Clocks,
    pub(crate) monotonic: Monotonic,
    pub(crate) beginnings: Beginnings<'a>,
}

impl Finder<'_> {
    /// Finds the beginning of a partition number.
    pub(crate) fn find(&self, number: i32, start_at: StartAt) -> KafkaResult<StartPoint> {
        let wait = self.beginnings.wait;
        let group_has_offsets = self.reader.has_offsets(number, wait)?;
        // What was appended before this moment lies before the ends that are asked for after it.
        let now = self.clocks.about(self.monotonic.now_ms());
        let start = self
            .beginnings
            .find(number, start_at, now.unwrap_or(OLDEST))?;
        Ok(StartPoint {
            group_has_offsets,
            ..start
        })
    }
}

impl Finder<'_> {
    /// Finds the beginning of everything at once. Where the configuration names a time, what is stamped then or later
    /// is read.
    pub(crate) fn find_all(
        &self,
        number: i32,
        places: &[(SourceId, i32)],
        start_at: StartAt,
    ) -> KafkaResult<StartPoint> {
        let Beginnings { ends, wait, .. } = self.beginnings;
        let group_has_offsets = self.reader.has_offsets(number, wait)?;
        let now = self.clocks.about(self.monotonic.now_ms());
        let answers = match start_at {
            StartAt::Latest => ends.ends(places, wait)?,
            StartAt::Earliest => ends.firsts(places, wait)?,
            StartAt::Time(at) => ends.since(places, at.millis(), wait)?,
        };
        let by_place: BTreeMap<_, _> = answers.iter().map(|it| ((it.0, it.1), it.2)).collect();
        let positions = places.iter().map(|place| by_place.get(place).copied());
        Ok(StartPoint {
            positions: positions.map(|at| at.unwrap_or(0)).collect(),
            knows_since: now.unwrap_or(OLDEST),
            group_has_offsets,
        })
    }
}

/// Who knows where partitions begin.
pub(crate) struct Beginnings<'a> {
    pub(crate) ends: &'a Ends,
    pub(crate) topics: &'a Topics,
    pub(crate) wait: Duration,
}

impl Beginnings<'_> {
    /// Finds the beginning of a partition number; `now` is broker time, at the latest.
    pub(crate) fn find(
        &self,
        number: i32,
        start_at: StartAt,
        now: Timestamp,
    ) -> KafkaResult<StartPoint> {
        let inputs: Vec<_> = (0..self.topics.inputs.len())
            .map(|i| (SourceId(i as u8), number))
            .collect();
        let (answers, knows_since) = match start_at {
            StartAt::Latest => (self.ends.ends(&inputs, self.wait)?, now),
            StartAt::Time(at) => (self.ends.since(&inputs, at.millis(), self.wait)?, at),
            StartAt::Earliest => {
                let firsts = self.ends.firsts(&inputs, self.wait)?;
                let since = self.since(&firsts, now);
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
            group_has_offsets: false,
        })
    }

    /// From when the logs are whole that begin at `firsts`: from the first record of all, or, where records were
    /// deleted, from the first that is left of the youngest. Timestamps that no clock shows are no help.
    fn since(&self, firsts: &[Answer], now: Timestamp) -> Timestamp {
        let stamped = firsts.iter().filter_map(|&first| {
            let ts = Timestamp::from_millis(self.ends.timestamp_at(first, self.wait)?);
            (ts >= OLDEST && ts <= now).then_some((first.2 > 0, ts))
        });
        let (cut, whole): (Vec<_>, Vec<_>) = stamped.partition(|&(cut, _)| cut);
        let latest = cut.iter().map(|&(_, ts)| ts).max();
        let earliest = whole.iter().map(|&(_, ts)| ts).min();
        latest.or(earliest).unwrap_or(now)
    }
}

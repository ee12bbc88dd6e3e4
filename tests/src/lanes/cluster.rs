//! Logs without a broker: what was appended is there at once, and transactions are whole.

use settlewatch_join::Timestamp;
use settlewatch_protocol::{Input, Produce, RawRecord, SourceId, Topic, Transaction, TxnStep};

use super::recording::{INPUTS, Kept, Recording};

type Bytes = Box<[u8]>;

/// Logs by partition number.
pub(super) struct Cluster {
    /// By topic first.
    inputs: Vec<Vec<Vec<Kept>>>,
    /// With the time of their append.
    pairs: Vec<Vec<(i64, Bytes)>>,
    state: Vec<Vec<(Bytes, Bytes)>>,
    /// With the step's transaction.
    pub(super) pulses: Vec<Vec<Bytes>>,
    /// Alerts, and what they say.
    pub(super) alerts: Vec<Bytes>,
}

impl Cluster {
    pub(super) fn new(recording: &Recording) -> Self {
        let numbers = usize::try_from(recording.numbers).expect("few");
        let mut inputs = vec![vec![Vec::new(); numbers]; INPUTS];
        for kept in &recording.records {
            let log = &mut inputs[usize::from(kept.place.stream)];
            log[usize::try_from(kept.place.partition).expect("few")].push(kept.clone());
        }
        Self {
            inputs,
            pairs: vec![Vec::new(); numbers],
            state: vec![Vec::new(); numbers],
            pulses: vec![Vec::new(); numbers],
            alerts: Vec::new(),
        }
    }

    fn place(source: SourceId, number: i32) -> (usize, usize) {
        (
            usize::from(source.0),
            usize::try_from(number).expect("never negative"),
        )
    }

    /// The offset after the last record that was appended by `now`.
    pub(super) fn end(&self, source: SourceId, number: i32, now: Timestamp) -> i64 {
        let (topic, at) = Self::place(source, number);
        let end = match self.inputs.get(topic) {
            Some(logs) => logs[at].partition_point(|kept| kept.place.at <= now),
            None => self.pairs[at].len(),
        };
        i64::try_from(end).expect("few")
    }

    pub(super) fn record(&self, source: SourceId, number: i32, offset: i64) -> RawRecord {
        let (topic, at) = Self::place(source, number);
        let index = usize::try_from(offset).expect("never negative");
        let (ts, key, value) = match self.inputs.get(topic) {
            Some(logs) => {
                let kept = &logs[at][index];
                let key = Some(kept.key.clone());
                (kept.place.at.millis(), key, kept.value.clone())
            }
            None => {
                let (ts, value) = &self.pairs[at][index];
                (*ts, None, value.clone())
            }
        };
        RawRecord {
            source,
            partition: number,
            offset,
            ts,
            key,
            value: Some(value),
        }
    }

    /// The state topic of a partition number.
    pub(super) fn state(&self, number: i32) -> Vec<Input> {
        let log = &self.state[usize::try_from(number).expect("never negative")];
        let records = (0..).zip(log).map(|(offset, (key, value))| Input::State {
            partition: number,
            offset,
            key: key.clone(),
            value: value.clone(),
        });
        records.collect()
    }

    /// Commits a transaction; the first offset in each partition of the state topic, and how many records of the pulse
    /// topic.
    pub(super) fn commit(
        &mut self,
        transaction: &Transaction,
        now: Timestamp,
    ) -> (Vec<(i32, i64)>, usize) {
        let before: Vec<_> = self.state.iter().map(Vec::len).collect();
        let mut pulses = 0;
        for step in &transaction.steps {
            let TxnStep::Produce(records) = step else {
                continue;
            };
            for record in records {
                pulses += usize::from(record.topic == Topic::Pulse);
                self.append(record, now);
            }
        }
        let grown = (0..).zip(self.state.iter().zip(before));
        let grown = grown.filter(|(_, (log, before))| log.len() > *before);
        let firsts = grown.map(|(number, (_, before))| (number, before as i64));
        (firsts.collect(), pulses)
    }

    fn append(&mut self, record: &Produce, now: Timestamp) {
        let at = usize::try_from(record.partition).expect("never negative");
        let value = record.value.clone().unwrap_or_default();
        match record.topic {
            Topic::State => {
                let key = record.key.clone().unwrap_or_default();
                self.state[at].push((key, value));
            }
            Topic::Pairs => self.pairs[at].push((now.millis(), value)),
            Topic::Pulse => self.pulses[at].push(value),
            Topic::Alerts => self.alerts.push(value),
            Topic::DeadLetters | Topic::Incidents => {}
        }
    }
}

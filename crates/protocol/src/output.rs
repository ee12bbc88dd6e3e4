//! Effects as records: alerts, dead letters, and parcels by target.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use settlewatch_join::snapshot::Parcel;
use settlewatch_join::{Alert, Effect, Effects, Note, Partition, Timestamp};

use crate::io::{Host, Produce, RawRecord, Topic};

/// What a step wants written.
pub(crate) struct Turn {
    /// Whether it was committed before a restart: nothing is written of it.
    pub(crate) again: bool,
    /// What is dated before was written by a predecessor whose state was lost.
    pub(crate) written_before: Timestamp,
    /// The proof that alerts carry.
    pub(crate) proof: Box<[u8]>,
    pub(crate) records: Vec<Produce>,
    /// What is said to other partition numbers, and to this one's own pairs stage.
    pub(crate) parcels: BTreeMap<i32, Parcel>,
}

/// The header in which an alert carries its proof.
pub const PROOF_HEADER: &str = "settlewatch-proof";

/// Longest value that a dead letter carries.
const DEAD_LETTER_BYTES: usize = 512 * 1024;

impl Default for Turn {
    fn default() -> Self {
        Self {
            again: false,
            written_before: Timestamp::MIN,
            proof: Box::default(),
            records: Vec::new(),
            parcels: BTreeMap::new(),
        }
    }
}

impl Turn {
    /// Takes effects of a partition number in; there are `numbers` of them.
    pub(crate) fn take(
        &mut self,
        (number, numbers): (i32, i32),
        partition: &Partition,
        effects: &mut Effects,
        host: &impl Host,
    ) {
        for effect in effects.drain(..) {
            match effect {
                Effect::Alert(_) if self.again => {}
                Effect::Alert(alert) if alert.decided_at < self.written_before => {}
                Effect::Pair(message) if message.place.at < self.written_before => {}
                Effect::Alert(alert) => self.alert(number, &alert, host),
                Effect::Pair(message) => {
                    let target = message.key.0 % u64::from(numbers.unsigned_abs().max(1));
                    self.parcel(target as i32).messages.push(*message);
                }
                Effect::Note(note) => self.note(*note),
                Effect::Flow(flow) => host.flow(number, partition, &flow, self.again),
            }
        }
    }

    fn alert(&mut self, number: i32, alert: &Alert, host: &impl Host) {
        self.records.push(Produce {
            topic: Topic::Alerts,
            partition: number,
            key: Some(alert.payment_id.as_bytes().into()),
            value: Some(host.alert(alert).into()),
            headers: [(PROOF_HEADER.into(), self.proof.clone())].into(),
            decided_at: Some(alert.decided_at),
        });
    }

    pub(crate) fn note(&mut self, note: Note) {
        if note.at < self.written_before {
            return;
        }
        self.parcel(note.to.home() as i32).notes.push(note);
    }

    fn parcel(&mut self, target: i32) -> &mut Parcel {
        self.parcels.entry(target).or_default()
    }

    /// A record that is no valid event goes where people find it, as it came.
    pub(crate) fn dead_letter(
        &mut self,
        number: i32,
        record: &RawRecord,
        topic: &str,
        reason: &str,
        detail: &str,
    ) {
        if self.again {
            return;
        }
        let value = record.value.as_deref();
        let mut headers: Vec<(String, Box<[u8]>)> = Vec::new();
        let mut header = |name: &str, value: &[u8]| headers.push((name.into(), value.into()));
        header("reason", reason.as_bytes());
        header("detail", detail.as_bytes());
        header("topic", topic.as_bytes());
        header("partition", record.partition.to_string().as_bytes());
        header("offset", record.offset.to_string().as_bytes());
        if value.is_some_and(|value| value.len() > DEAD_LETTER_BYTES) {
            header("truncated", b"true");
        }
        self.records.push(Produce {
            topic: Topic::DeadLetters,
            partition: number,
            key: record.key.clone(),
            value: value.map(|value| value[..value.len().min(DEAD_LETTER_BYTES)].into()),
            headers,
            decided_at: None,
        });
    }
}

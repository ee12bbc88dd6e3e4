//! What the proof in an alert's header claims, against where the records stand.

use serde_json::Value;
use settlewatch_kafka::Found;
use settlewatch_protocol::PROOF_HEADER;

use super::{Judgement, Seen};

/// The proof in an alert's header.
pub(super) fn proof_of(alert: &Found) -> Option<Value> {
    let mut headers = alert.headers.iter();
    let (_, proof) = headers.find(|(name, _)| name == PROOF_HEADER)?;
    serde_json::from_slice(proof).ok()
}

impl Judgement {
    /// The reading that the alert's header speaks of went far enough, and nothing of that time stands beyond it.
    pub(super) fn proof(&mut self, alert: &Found, records: &[Seen], decided_at: i64) {
        let Some(proof) = proof_of(alert) else {
            self.problems.push("the alert carries no proof".into());
            return;
        };
        let known = proof["known"].as_i64().unwrap_or(i64::MIN);
        self.check(
            known > decided_at,
            format!(
                "everything was known up to {known}, {} ms after the decision",
                known - decided_at
            ),
        );
        for input in proof["inputs"].as_array().into_iter().flatten() {
            let (topic, partition) = (
                input["topic"].as_str().unwrap_or_default(),
                &input["partition"],
            );
            let (to, end, at) = (&input["read_to"], &input["end"], &input["at"]);
            self.check(
                to.as_i64() >= end.as_i64() && at.as_i64() >= Some(known),
                format!("{topic}[{partition}] was read to {to}; at {at} it ended at {end}"),
            );
            for late in records.iter().filter(|seen| {
                seen.topic == topic
                    && Some(i64::from(seen.partition)) == partition.as_i64()
                    && Some(seen.offset) >= to.as_i64()
                    && seen.at_ms <= decided_at
                    && seen.stamped
            }) {
                self.problems.push(format!(
                    "{} ({}) was appended by then, and became readable only later",
                    late.place, late.kind
                ));
            }
        }
    }
}

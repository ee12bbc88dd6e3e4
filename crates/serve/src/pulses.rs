//! What is written for the watch, counted.

use std::sync::Arc;

use prometheus::IntCounter;
use settlewatch_watch::pulse::Collected;

use crate::descriptors::Metric;
use crate::limit::Limit;
use crate::metrics::Inner;

/// The eyes on what lanes write for the watch. Clones count together.
#[derive(Clone)]
pub struct PulseObserver {
    shared: Arc<Inner>,
    records: IntCounter,
    bytes: IntCounter,
    sent: IntCounter,
    left_out: IntCounter,
}

impl PulseObserver {
    pub(crate) fn new(shared: Arc<Inner>) -> Self {
        let families = &shared.families;
        Self {
            records: families.counter(Metric::PulseRecords, &[]),
            bytes: families.counter(Metric::PulseBytes, &[]),
            sent: families.counter(Metric::PulseNotes, &["sent"]),
            left_out: families.counter(Metric::PulseNotes, &["left_out"]),
            shared,
        }
    }

    /// Records that a step writes, and what was collected for them.
    pub fn written(&self, records: &[Vec<u8>], collected: Collected) {
        let bytes: usize = records.iter().map(Vec::len).sum();
        self.records.inc_by(records.len() as u64);
        self.bytes.inc_by(bytes as u64);
        self.sent.inc_by(collected.noted);
        self.left_out.inc_by(collected.left_out);
        if collected.not_kept > 0 {
            let limit = Limit::WaitingPayments.as_str();
            let hits = self.shared.families.counter(Metric::LimitHits, &[limit]);
            hits.inc_by(collected.not_kept);
        }
    }
}

//! The record that resolved an alert.

use super::{Judgement, Seen};

impl Judgement {
    /// Some record of the payment, or of its twin, is what the resolution says.
    pub(super) fn resolved<'a>(
        &mut self,
        resolution: &str,
        mut records: impl Iterator<Item = &'a Seen>,
        decided_at: i64,
    ) {
        let kinds: &[&str] = match resolution {
            "credited_late" | "credited_in_time" => &["terminal.credited"],
            "refunded" => &["payment.refunded"],
            "reversed" => &["payment.reversed"],
            "declined" => &["payment.declined"],
            "completed" => &["payment.succeeded", "payment.released"],
            _ => {
                return self
                    .facts
                    .push(format!("{resolution}: no record says that"));
            }
        };
        let at = |seen: &&Seen| {
            kinds.contains(&seen.kind.as_str())
                && (seen.at_ms == decided_at || resolution == "credited_in_time")
        };
        match records.find(at) {
            Some(cause) => self
                .facts
                .push(format!("{resolution} by {} ({})", cause.place, cause.kind)),
            None => self.problems.push(format!(
                "no {} was appended at {decided_at}",
                kinds.join(" or ")
            )),
        }
    }
}

//! One check: two payments, of which one is credited, and what the alerts topic says of them.
//!
//! It reads no clock and no topic: it is told.

use std::time::{Duration, Instant};

use serde_json::Value;
use settlewatch_serve::CheckOutcome;

/// So much earlier than its deadline an alert may seem to come: clocks run differently.
const EARLY: Duration = Duration::from_secs(1);

/// An alert that comes after so many margins is missing.
const MISSING_AFTER: u32 = 3;

/// When what must come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    /// From the payment to its first deadline.
    pub(super) tier: Duration,
    /// How long after its deadline an alert may come.
    pub(super) margin: Duration,
    /// When the first payment is credited.
    pub(super) credit_after: Duration,
}

/// A check that goes on.
#[derive(Debug)]
pub(super) struct Round {
    /// The payment that is credited.
    pub(super) credited: String,
    /// The payment that is not.
    pub(super) uncredited: String,
    timing: Timing,
    /// Before the first record was written.
    began: Instant,
    /// When the brokers had both payments.
    written: Instant,
    credit_written: bool,
    /// A record was not taken.
    refused: bool,
    /// When the alert of the payment that is not credited was read.
    alerted: Option<Instant>,
    /// The payment that is credited was alerted.
    falsely: bool,
}

impl Round {
    pub(super) fn new(
        (credited, uncredited): (String, String),
        timing: Timing,
        began: Instant,
        written: Instant,
    ) -> Self {
        Self {
            credited,
            uncredited,
            timing,
            began,
            written,
            credit_written: false,
            refused: false,
            alerted: None,
            falsely: false,
        }
    }

    /// Whether the credit is to be written now.
    pub(super) fn credit_is_due(&self, now: Instant) -> bool {
        !self.credit_written && !self.refused && now >= self.written + self.timing.credit_after
    }

    /// The credit was written by `now`, and the brokers took it or not. Taken after the deadline, an alert is right.
    pub(super) fn credit_written(&mut self, taken: bool, now: Instant) {
        self.credit_written = true;
        self.refused |= !taken || now >= self.began + self.timing.tier;
    }

    /// The brokers did not take the payments.
    pub(super) fn not_written(&mut self) {
        self.refused = true;
    }

    /// Whether the first payment has its credit, as far as we know.
    pub(super) fn is_credited(&self) -> bool {
        self.credit_written && !self.refused
    }

    /// An alert was read.
    pub(super) fn alert(&mut self, alert: &Value, now: Instant) {
        if alert["state"] != "open" {
            return;
        }
        if alert["payment_id"] == self.credited.as_str() {
            self.falsely = true;
        }
        if alert["payment_id"] == self.uncredited.as_str() && alert["kind"] == "credit_missing" {
            self.alerted.get_or_insert(now);
        }
    }

    fn deadline(&self) -> Instant {
        self.written + self.timing.tier
    }

    /// From the deadline to the alert, where it came.
    pub(super) fn delay(&self) -> Option<Duration> {
        let alerted = self.alerted?;
        Some(alerted.saturating_duration_since(self.deadline()))
    }

    /// What came of it; `None` while that is open. The payment that is credited must stay silent for as long as the
    /// other one has time to be heard.
    pub(super) fn judge(&self, now: Instant) -> Option<CheckOutcome> {
        if self.refused {
            return Some(CheckOutcome::NotWritten);
        }
        let limit = self.deadline() + self.timing.margin;
        let Some(alerted) = self.alerted else {
            let missing = self.deadline() + self.timing.margin * MISSING_AFTER;
            return (now >= missing).then_some(CheckOutcome::MissingAlert);
        };
        if now < limit {
            return None;
        }
        let early = alerted + EARLY < self.began + self.timing.tier;
        Some(if self.falsely || early {
            CheckOutcome::FalseAlert
        } else if alerted > limit {
            CheckOutcome::LateAlert
        } else {
            CheckOutcome::Ok
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TIMING: Timing = Timing {
        tier: Duration::from_secs(30),
        margin: Duration::from_secs(10),
        credit_after: Duration::from_secs(3),
    };

    fn round(begin: Instant) -> Round {
        let mut round = Round::new(("a".into(), "b".into()), TIMING, begin, begin);
        assert!(!round.credit_is_due(begin + Duration::from_secs(2)));
        assert!(round.credit_is_due(begin + Duration::from_secs(3)));
        round.credit_written(true, begin + Duration::from_secs(3));
        round
    }

    fn open(payment_id: &str) -> Value {
        json!({"payment_id": payment_id, "kind": "credit_missing", "state": "open"})
    }

    /// What a check says that reads these alerts, and when.
    fn judged(alerts: &[(&str, u64)]) -> (CheckOutcome, u64) {
        let begin = Instant::now();
        let mut round = round(begin);
        for second in 0.. {
            let now = begin + Duration::from_secs(second);
            for (payment_id, _) in alerts.iter().filter(|&&(_, at)| at == second) {
                round.alert(&open(payment_id), now);
            }
            if let Some(outcome) = round.judge(now) {
                return (outcome, second);
            }
        }
        unreachable!("seconds do not end")
    }

    #[test]
    fn an_alert_in_time_and_silence_are_good() {
        assert_eq!(judged(&[("b", 30)]), (CheckOutcome::Ok, 40));
        assert_eq!(judged(&[("b", 40)]), (CheckOutcome::Ok, 40));
    }

    #[test]
    fn an_alert_after_the_margin_is_late_and_after_three_it_is_missing() {
        assert_eq!(judged(&[("b", 41)]), (CheckOutcome::LateAlert, 41));
        assert_eq!(judged(&[("b", 61)]), (CheckOutcome::MissingAlert, 60));
        assert_eq!(judged(&[]), (CheckOutcome::MissingAlert, 60));
    }

    #[test]
    fn an_alert_of_the_credited_payment_or_before_the_deadline_is_false() {
        assert_eq!(
            judged(&[("b", 31), ("a", 32)]),
            (CheckOutcome::FalseAlert, 40)
        );
        assert_eq!(judged(&[("b", 20)]), (CheckOutcome::FalseAlert, 40));
    }

    #[test]
    fn other_payments_and_resolutions_say_nothing() {
        let begin = Instant::now();
        let mut round = round(begin);
        let resolved = json!({"payment_id": "a", "kind": "credit_missing", "state": "resolved"});
        round.alert(&resolved, begin);
        round.alert(&open("c"), begin);
        let end = begin + Duration::from_secs(60);
        assert_eq!(round.judge(end), Some(CheckOutcome::MissingAlert));
        assert_eq!(round.delay(), None);
    }

    #[test]
    fn a_credit_that_was_not_taken_in_time_says_nothing_of_the_service() {
        let begin = Instant::now();
        for (taken, after_s) in [(false, 3), (true, 30)] {
            let mut round = Round::new(("a".into(), "b".into()), TIMING, begin, begin);
            round.credit_written(taken, begin + Duration::from_secs(after_s));
            assert_eq!(round.judge(begin), Some(CheckOutcome::NotWritten));
            assert!(!round.is_credited());
        }
    }
}

//! What alerts say to the watch: cases, and payments of which nothing else tells.

use std::sync::Arc;

use settlewatch_join::{Alert, AlertKind, Fingerprint, Resolution, Timestamp, Verdict};

use super::collector::Collector;
use super::tuple::{CHANNEL, Draft, MERCHANT, TERMINAL, Tuple};
use super::{Case, Note, What};

impl Collector {
    /// Takes in an alert revision.
    pub fn alert(&mut self, alert: &Alert) {
        let fingerprint = Fingerprint::of_payment(alert.tenant.as_deref(), &alert.payment_id);
        if alert.kind == AlertKind::CreditMissing {
            let excused = matches!(
                alert.verdict,
                Some(Verdict::RefundInFlight | Verdict::RiskHold)
            );
            let is_told = self.open.contains_key(&fingerprint) || self.closed == Some(fingerprint);
            // Further tiers are no news.
            let is_news = alert.revision == 1 || alert.resolution.is_some();
            if is_news && !excused && !is_told {
                self.due_by_batch(fingerprint, alert);
            }
            if alert.verdict != Some(Verdict::IdCorrupted) {
                return;
            }
            self.misname(fingerprint, alert.decided_at);
        }
        let tuple = match self.open.get(&fingerprint) {
            Some(open) if self.is_shared(fingerprint) => Arc::clone(&open.tuple),
            _ => self.tuple_of(alert),
        };
        self.pulse.cases.push(Case {
            id: alert.payment_id.as_str().into(),
            kind: alert.kind,
            verdict: alert.verdict,
            tuple,
            at: alert.decided_at,
            since: self.happened(fingerprint, alert),
            amount_minor: alert.amount_minor.unwrap_or(0),
            currency: alert.currency,
            amounts: self.amounts(fingerprint, alert),
            resolved: alert.resolution.is_some(),
        });
    }

    /// When what an alert is about was appended.
    fn happened(&self, payment: Fingerprint, alert: &Alert) -> Timestamp {
        let known = match alert.kind {
            AlertKind::CreditMissing => self.open.get(&payment).map(|open| open.accepted_at),
            AlertKind::OrphanCredit => self.early_at(payment),
            _ => None,
        };
        known.unwrap_or(alert.decided_at)
    }

    /// Minor units due and credited, where the record that is being applied is the credit of a mismatch.
    fn amounts(&self, payment: Fingerprint, alert: &Alert) -> Option<(u64, u64)> {
        let (known, times) = self.credit?;
        let due = u64::try_from(alert.amount_minor?).ok()?;
        (known == payment && alert.kind == AlertKind::AmountMismatch)
            .then_some((due, times.amount_minor?))
    }

    /// A payment of which only its alert tells, one that waits for a batch: it is overdue, or was.
    fn due_by_batch(&mut self, payment: Fingerprint, alert: &Alert) {
        let (Some(currency), Some(paid_at)) = (alert.currency, alert.paid_at) else {
            return;
        };
        let note = Note {
            payment,
            tuple: self.tuple_of(alert),
            partition: -1,
            accepted_at: paid_at,
            due_at: alert.deadline.unwrap_or(paid_at),
            at: alert.decided_at,
            amount_minor: alert
                .amount_minor
                .and_then(|amount| u64::try_from(amount).ok())
                .unwrap_or(0),
            currency,
            timed: false,
            id: Some(alert.payment_id.as_str().into()),
            what: match alert.resolution {
                None => What::Overdue,
                Some(Resolution::CreditedLate | Resolution::CreditedInTime) => What::Credited {
                    lag_ms: alert.lag_ms.unwrap_or(0).unsigned_abs(),
                    business_ms: 0,
                    noted: true,
                    overdue: true,
                },
                Some(resolution) => What::Ended {
                    written_off: resolution == Resolution::WrittenOff,
                },
            },
        };
        self.push(note);
    }

    fn tuple_of(&mut self, alert: &Alert) -> Arc<Tuple> {
        let dims = &self.settings.dims;
        let mut fields = vec![
            (CHANNEL, alert.channel.as_deref()),
            (MERCHANT, alert.merchant_id.as_deref()),
            (TERMINAL, alert.terminal_id.as_deref()),
        ];
        for (name, value) in alert.dimensions.iter().flatten() {
            if let Some(dim) = dims.find(name) {
                fields.push((dim, Some(value.as_str())));
            }
        }
        self.tuples.intern(&Draft::of_fields(&fields, dims))
    }
}

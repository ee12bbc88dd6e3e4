//! What was found about one id.

use crate::truth::Expected;

/// How a payment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Credited,
    Explained,
    Rest,
}

/// What was found about one id.
#[derive(Debug, Default)]
pub(crate) struct Judgement {
    /// Outcome, amount and currency of the payment, where there is one.
    pub(crate) outcome: Option<(Outcome, u64, &'static str)>,
    pub(crate) alerts: Vec<Expected>,
    /// Append time of the payment.
    pub(crate) paid_at: Option<i64>,
    /// When and how the payment was first undone: refunded in full, reversed or declined.
    pub(crate) undone: Option<(i64, &'static str)>,
    /// When the first tier of the payment passes or passed.
    pub(crate) first_deadline: Option<i64>,
}

impl Judgement {
    /// The alert of `kind`.
    pub(crate) fn alert(&mut self, kind: &str) -> Option<&mut Expected> {
        self.alerts.iter_mut().find(|alert| alert.kind == kind)
    }
}

//! Acknowledgements of merchants after a credit: which came in time, late, or not yet.

use std::collections::VecDeque;
use std::sync::Arc;

use settlewatch_join::{Fingerprint, Span, Timestamp};

use super::Ack;
use super::collector::Open;
use crate::tables::Map;

/// A credited payment whose merchant has not acknowledged it.
struct Expected {
    open: Open,
    credited_at: Timestamp,
    told: bool,
}

/// What is waited for.
pub(super) struct Acks {
    limits: Option<(Span, Span)>,
    expected: Map<Fingerprint, Expected>,
    late: VecDeque<(Timestamp, Fingerprint)>,
    gone: VecDeque<(Timestamp, Fingerprint)>,
    /// Acknowledgements that came before the credit.
    before: Map<Fingerprint, Timestamp>,
    before_order: VecDeque<(Timestamp, Fingerprint)>,
}

impl Acks {
    pub(super) fn new(limits: Option<(Span, Span)>) -> Self {
        Self {
            limits,
            expected: Map::default(),
            late: VecDeque::new(),
            gone: VecDeque::new(),
            before: Map::default(),
            before_order: VecDeque::new(),
        }
    }

    /// A payment was credited: its merchant should say so, or has said so before the credit was read.
    pub(super) fn expect(
        &mut self,
        payment: Fingerprint,
        open: &Open,
        at: Timestamp,
        acks: &mut Vec<Ack>,
    ) {
        let Some((late, keep)) = self.limits else {
            return;
        };
        let expected = Expected {
            open: open.clone(),
            credited_at: at,
            told: false,
        };
        if self.before.remove(&payment).is_some() {
            acks.push(ack(&expected, false, true));
            return;
        }
        self.late.push_back((at + late, payment));
        self.gone.push_back((at + keep, payment));
        self.expected.insert(payment, expected);
    }

    /// The merchant's acknowledgement came.
    pub(super) fn came(&mut self, payment: Fingerprint, at: Timestamp, acks: &mut Vec<Ack>) {
        let Some((late, keep)) = self.limits else {
            return;
        };
        let Some(expected) = self.expected.remove(&payment) else {
            self.before.insert(payment, at);
            self.before_order.push_back((at + keep, payment));
            return;
        };
        let is_late = at > expected.credited_at + late;
        acks.push(ack(&expected, is_late, true));
    }

    /// Time reaches `at`: what is late by then, and does not come, is told.
    pub(super) fn advance(&mut self, at: Timestamp, acks: &mut Vec<Ack>) {
        while let Some(&(due, payment)) = self.late.front()
            && due < at
        {
            self.late.pop_front();
            if let Some(expected) = self.expected.get_mut(&payment)
                && !expected.told
            {
                expected.told = true;
                acks.push(ack(expected, true, false));
            }
        }
        while let Some(&(due, payment)) = self.gone.front()
            && due < at
        {
            self.gone.pop_front();
            self.expected.remove(&payment);
        }
        while let Some(&(due, payment)) = self.before_order.front()
            && due < at
        {
            self.before_order.pop_front();
            self.before.remove(&payment);
        }
    }
}

fn ack(expected: &Expected, late: bool, came: bool) -> Ack {
    Ack {
        tuple: Arc::clone(&expected.open.tuple),
        late,
        came,
        id: late.then(|| Arc::clone(&expected.open.id)),
        amount_minor: expected.open.amount_minor,
        currency: expected.open.currency,
        credited_at: expected.credited_at,
    }
}

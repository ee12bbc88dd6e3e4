//! Acknowledgements of merchants after a credit: which came in time, late, or not yet.

use std::collections::VecDeque;
use std::sync::Arc;

use settlewatch_join::{Fingerprint, Span, Timestamp};

use super::Ack;
use super::collector::Open;
use crate::tables::Map;

/// A credited payment whose merchant has not acknowledged it.
#[derive(Clone)]
pub(super) struct Expected {
    pub(super) open: Open,
    pub(super) credited_at: Timestamp,
    /// Whether it was said that it is late.
    pub(super) told: bool,
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
        if self.limits.is_none() {
            return;
        }
        let expected = Expected {
            open: open.clone(),
            credited_at: at,
            told: false,
        };
        if self.before.remove(&payment).is_some() {
            acks.push(ack(&expected, false, true));
            return;
        }
        self.put(payment, expected);
    }

    /// An acknowledgement is waited for, if any are.
    pub(super) fn put(&mut self, payment: Fingerprint, expected: Expected) {
        let Some((late, keep)) = self.limits else {
            return;
        };
        let at = expected.credited_at;
        if !expected.told {
            self.late.push_back((at + late, payment));
        }
        self.gone.push_back((at + keep, payment));
        self.expected.insert(payment, expected);
    }

    /// One came before the credit, if any are waited for.
    pub(super) fn put_before(&mut self, payment: Fingerprint, at: Timestamp) {
        if let Some((_, keep)) = self.limits {
            self.before.insert(payment, at);
            self.before_order.push_back((at + keep, payment));
        }
    }

    /// Those that are waited for, in the order in which they will not be any more.
    pub(super) fn expected_in_order(&self) -> Vec<(Fingerprint, Expected)> {
        let known = self.gone.iter().filter_map(|&(due, payment)| {
            let it = self.expected.get(&payment)?;
            let (_, keep) = self.limits?;
            (it.credited_at + keep == due).then(|| (payment, it.clone()))
        });
        known.collect()
    }

    /// Those that came before the credit, in the order in which they are forgotten.
    pub(super) fn before_in_order(&self) -> Vec<(Fingerprint, Timestamp)> {
        let known = self.before_order.iter().filter_map(|&(due, payment)| {
            let &at = self.before.get(&payment)?;
            let (_, keep) = self.limits?;
            (at + keep == due).then_some((payment, at))
        });
        known.collect()
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

    /// When the next acknowledgement is late, if it does not come.
    pub(super) fn next_late(&self) -> Option<Timestamp> {
        self.late.front().map(|&(due, _)| due)
    }

    /// The acknowledgement that is late next is told, if it did not come.
    pub(super) fn tell_late(&mut self, acks: &mut Vec<Ack>) {
        let (Some((due, payment)), Some((late, _))) = (self.late.pop_front(), self.limits) else {
            return;
        };
        if let Some(expected) = self.expected.get_mut(&payment)
            && expected.credited_at + late == due
            && !expected.told
        {
            expected.told = true;
            acks.push(ack(expected, true, false));
        }
    }

    /// What is not waited for any more at `at` is forgotten.
    pub(super) fn forget(&mut self, at: Timestamp) {
        let Some((_, keep)) = self.limits else {
            return;
        };
        while let Some(&(due, payment)) = self.gone.front()
            && due < at
        {
            self.gone.pop_front();
            let of_then = |it: &Expected| it.credited_at + keep == due;
            if self.expected.get(&payment).is_some_and(of_then) {
                self.expected.remove(&payment);
            }
        }
        while let Some(&(due, payment)) = self.before_order.front()
            && due < at
        {
            self.before_order.pop_front();
            if self
                .before
                .get(&payment)
                .is_some_and(|&it| it + keep == due)
            {
                self.before.remove(&payment);
            }
        }
    }
}

fn ack(expected: &Expected, late: bool, came: bool) -> Ack {
    Ack {
        tuple: Arc::clone(&expected.open.tuple),
        partition: expected.open.partition,
        late,
        came,
        id: late.then(|| Arc::clone(&expected.open.id)),
        amount_minor: expected.open.amount_minor,
        currency: expected.open.currency,
        credited_at: expected.credited_at,
    }
}

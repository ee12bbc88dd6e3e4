//! The way of a payment through its gateway, by the stages that are reported.

use std::collections::VecDeque;
use std::sync::Arc;

use settlewatch_join::event::Stage;
use settlewatch_join::{Fingerprint, Span, Timestamp};

use super::Leg;
use super::tuple::Tuple;
use crate::second::second_of;
use crate::tables::Map;

/// Stages of a payment are remembered so long.
const KEPT: Span = Span::from_secs(600);

/// What is known of a payment's way.
#[derive(Clone, Copy, Default)]
pub(super) struct Way {
    pub(super) entered: Option<Timestamp>,
    pub(super) left: Option<Timestamp>,
    /// When it is forgotten.
    pub(super) until: Timestamp,
}

/// Payments on their way.
#[derive(Default)]
pub(super) struct Legs {
    ways: Map<Fingerprint, Way>,
    order: VecDeque<(Timestamp, Fingerprint)>,
    legs: Vec<Leg>,
}

impl Legs {
    /// A stage was reached at `occurred_at`, and appended at `at`.
    pub(super) fn stage(
        &mut self,
        payment: Fingerprint,
        stage: Stage,
        occurred_at: Timestamp,
        at: Timestamp,
        tuple: Option<&Arc<Tuple>>,
    ) {
        if !matches!(stage, Stage::GatewayIn | Stage::GatewayOut) {
            return;
        }
        let way = self.ways.entry(payment).or_insert_with(|| {
            self.order.push_back((at + KEPT, payment));
            Way {
                until: at + KEPT,
                ..Way::default()
            }
        });
        match stage {
            Stage::GatewayIn => way.entered = Some(occurred_at),
            _ => way.left = Some(occurred_at),
        }
        let way = *way;
        if let Some(tuple) = tuple {
            self.tell(payment, way, tuple);
        }
    }

    /// A payment was accepted whose stages may have come before it.
    pub(super) fn accepted(&mut self, payment: Fingerprint, tuple: &Arc<Tuple>) {
        if let Some(way) = self.ways.get(&payment).copied() {
            self.tell(payment, way, tuple);
        }
    }

    /// Tells that a payment entered, or left.
    fn tell(&mut self, payment: Fingerprint, way: Way, tuple: &Arc<Tuple>) {
        let Some(entered) = way.entered else { return };
        self.legs.push(Leg {
            tuple: Arc::clone(tuple),
            entered_s: second_of(entered),
            gateway_ms: way.left.map(|left| left.since(entered)),
        });
        if way.left.is_some() {
            self.ways.remove(&payment);
        }
    }

    pub(super) fn forget(&mut self, payment: Fingerprint) {
        self.ways.remove(&payment);
    }

    pub(super) fn advance(&mut self, at: Timestamp) {
        while let Some(&(until, payment)) = self.order.front()
            && until < at
        {
            self.order.pop_front();
            if self
                .ways
                .get(&payment)
                .is_some_and(|way| way.until == until)
            {
                self.ways.remove(&payment);
            }
        }
    }

    /// Legs of the second that is under way.
    pub(super) fn made(&self) -> &[Leg] {
        &self.legs
    }

    /// Payments on their way, in the order in which they are forgotten.
    pub(super) fn in_order(&self) -> Vec<(Fingerprint, Way)> {
        let known = self.order.iter().filter_map(|&(until, payment)| {
            let &way = self.ways.get(&payment)?;
            (way.until == until).then_some((payment, way))
        });
        known.collect()
    }

    /// What was known before.
    pub(super) fn put(&mut self, made: Vec<Leg>, ways: Vec<(Fingerprint, Way)>) {
        self.legs = made;
        for (payment, way) in ways {
            self.order.push_back((way.until, payment));
            self.ways.insert(payment, way);
        }
    }

    pub(super) fn take(&mut self) -> Vec<Leg> {
        std::mem::take(&mut self.legs)
    }
}

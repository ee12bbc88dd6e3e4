//! What few payments need beyond their entry: parts, refunds, holds, rejections, alerts, early records.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};

use crate::alert::{AlertKind, AlertState, Resolution, Verdict};
use crate::event::{Event, RefundStatus, RefusalClass};
use crate::identity::Fingerprint;
use crate::pairs::PaymentRef;
use crate::time::Timestamp;

/// The unusual side of a payment. In an outage every payment that waits has an alert, and hardly one anything
/// else: the rest is made when the first of it is written, and read as if it were there.
#[derive(Debug, Default)]
pub(crate) struct Extras {
    /// Events seen while the payment is in the table, by identity.
    pub(crate) seen: Vec<Fingerprint>,
    pub(crate) alerts: Vec<AlertState>,
    pub(crate) rare: Option<Box<Rare>>,
}

/// What few of the unusual payments need.
#[derive(Debug, Default)]
pub(crate) struct Rare {
    /// Records that came before their payment, in the order of their append times.
    pub(crate) early: Vec<Early>,
    /// The due time that the payment itself names, in rules with `due`.
    pub(crate) expected_credit_by: Option<Timestamp>,
    /// When the last hold that stopped the clock was released.
    pub(crate) released_at: Option<Timestamp>,
    /// Sum of the parts credited so far, minor units of the payment's currency.
    pub(crate) parts_minor: u128,
    /// Business lag of the latest part.
    pub(crate) part_lag_ms: Option<i64>,
    /// Refunds by their id.
    pub(crate) refunds: Vec<RefundState>,
    /// Sum of the refunds that succeeded since the payment was last whole, minor units.
    pub(crate) refunded_minor: u128,
    pub(crate) hold: Option<Hold>,
    /// Class of the latest rejected credit.
    pub(crate) rejection: Option<RefusalClass>,
    /// The id that nearly matches, once both sides agreed.
    pub(crate) near: Option<String>,
    /// First full refund, reversal or valid decline.
    pub(crate) ended: Option<(Timestamp, Resolution)>,
    /// Later payments that are twins of this one and want to hear of its end.
    pub(crate) twins: Vec<PaymentRef>,
}

/// What is read where nothing was written.
static NOTHING: Rare = Rare {
    early: Vec::new(),
    expected_credit_by: None,
    released_at: None,
    parts_minor: 0,
    part_lag_ms: None,
    refunds: Vec::new(),
    refunded_minor: 0,
    hold: None,
    rejection: None,
    near: None,
    ended: None,
    twins: Vec::new(),
};

impl Deref for Extras {
    type Target = Rare;

    fn deref(&self) -> &Rare {
        self.rare.as_deref().unwrap_or(&NOTHING)
    }
}

impl DerefMut for Extras {
    fn deref_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }
}

/// A record that came before its payment.
#[derive(Debug)]
pub(crate) struct Early {
    /// Its append time.
    pub(crate) at: Timestamp,
    /// Its stream, for the counters.
    pub(crate) stream: u8,
    /// Dated before knowledge began: what it counts as is open until its payment comes or the grace ends.
    pub(crate) uncounted: bool,
    /// A credit whose grace has ended.
    pub(crate) decided: bool,
    /// Counted as before the horizon.
    pub(crate) passed: bool,
    pub(crate) event: Event<'static>,
}

/// A refund over its states.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RefundState {
    /// Fingerprint of its id; `None` for refunds without one.
    pub(crate) id: Option<Fingerprint>,
    pub(crate) status: RefundStatus,
}

/// A hold that has not been released.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hold {
    /// When it should be released.
    pub(crate) until: Timestamp,
    /// It came by the first tier's deadline and stopped the clock.
    pub(crate) stops_clock: bool,
    /// `hold_overdue` was raised for this release time.
    pub(crate) raised: bool,
}

impl Extras {
    /// The alert that no credit came by a deadline, once one has passed.
    pub(crate) fn missing(&self) -> Option<&AlertState> {
        let mut alerts = self.alerts.iter();
        alerts.find(|alert| alert.kind == AlertKind::CreditMissing)
    }

    /// Notes an identity; `false` when it was there.
    pub(crate) fn first_sight(&mut self, identity: Fingerprint) -> bool {
        let new = !self.seen.contains(&identity);
        if new {
            self.seen.push(identity);
        }
        new
    }

    pub(crate) fn alert(&self, kind: AlertKind) -> Option<&AlertState> {
        self.alerts.iter().find(|alert| alert.kind == kind)
    }

    pub(crate) fn is_open(&self, kind: AlertKind) -> bool {
        self.alert(kind).is_some_and(AlertState::is_open)
    }

    /// Whether a refund was asked for and has neither succeeded nor failed.
    pub(crate) fn refund_in_flight(&self) -> bool {
        self.refunds
            .iter()
            .any(|refund| refund.status == RefundStatus::Created)
    }

    /// The hold that stops the clock, if one does.
    pub(crate) fn stopping_hold(&self) -> Option<&Hold> {
        self.hold.as_ref().filter(|hold| hold.stops_clock)
    }

    /// Whether a hold stops the clock, or did.
    pub(crate) fn was_held(&self) -> bool {
        self.released_at.is_some() || self.stopping_hold().is_some()
    }

    /// What the payment's own records say about a missing credit, by precedence.
    pub(crate) fn verdict(&self) -> Option<Verdict> {
        if self.refund_in_flight() {
            Some(Verdict::RefundInFlight)
        } else if self.hold.is_some() {
            Some(Verdict::RiskHold)
        } else if self.near.is_some() {
            Some(Verdict::IdCorrupted)
        } else {
            self.rejection.and_then(Verdict::of_rejection)
        }
    }

    /// Whether the entry must outlive its closing by more than the usual while.
    pub(crate) fn must_be_remembered(&self) -> bool {
        !self.alerts.is_empty()
            || !self.twins.is_empty()
            || self.ended.is_some()
            || self.refunded_minor > 0
            || !self.refunds.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payment_with_an_alert_and_nothing_else_takes_at_most_120_bytes_more() {
        assert!(size_of::<Extras>() + size_of::<AlertState>() <= 120);
    }

    #[test]
    fn what_was_not_written_is_read_as_nothing_and_takes_no_room() {
        let mut extras = Extras::default();
        assert!(extras.refunds.is_empty() && extras.verdict().is_none() && extras.rare.is_none());
        extras.refunded_minor = 3;
        assert_eq!(extras.refunded_minor, 3);
    }
}

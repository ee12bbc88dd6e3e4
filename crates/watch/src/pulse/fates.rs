//! What becomes of single payments: accepted, overdue, closed, explained.

use std::sync::Arc;

use settlewatch_join::event::Event;
use settlewatch_join::{Closing, Fingerprint, Flow, Timestamp};

use super::collector::{Collector, NOTED_AFTER};
use super::tuple::CHANNEL;
use super::{ChannelCount, Ended, Excused, Note, Side, What};
use crate::second::second_of;

impl Collector {
    /// Takes in what the decision says of a payment.
    pub fn flow(&mut self, flow: &Flow) {
        match *flow {
            Flow::Accepted {
                payment,
                at,
                timed,
                due,
                ..
            } => {
                if let Some(open) = self.open.get_mut(&payment) {
                    open.due_at = due;
                }
                if !timed {
                    self.settles_later(payment, at);
                } else {
                    self.ages.push_back((at + NOTED_AFTER, payment));
                    self.count_channel(payment, |count| count.accepted += 1);
                }
            }
            Flow::Overdue { payment, at, .. } => {
                let noted = self.open.get_mut(&payment).map(|open| {
                    open.overdue = true;
                    !open.excused
                });
                if noted == Some(true) {
                    self.note(payment, at, What::Overdue);
                }
            }
            Flow::Closed {
                payment,
                closing,
                at,
                lag_ms,
                overdue,
                ..
            } => self.closed(payment, closing, at, lag_ms, overdue),
            // What a hold explains, its record says.
            Flow::Held { .. } | Flow::Credit { .. } | Flow::Raised { .. } => {}
        }
    }

    fn count_channel(&mut self, payment: Fingerprint, add: impl FnOnce(&mut ChannelCount)) {
        let open = self.open.get(&payment);
        let Some(channel) = open.and_then(|open| open.tuple.values[CHANNEL].as_ref()) else {
            return;
        };
        let count = self.channels.entry(Arc::clone(channel));
        add(count.or_insert_with(|| ChannelCount::of(Arc::clone(channel))));
    }

    fn closed(
        &mut self,
        payment: Fingerprint,
        closing: Closing,
        at: Timestamp,
        lag_ms: u64,
        overdue: bool,
    ) {
        let times = match self.credit {
            Some((known, times)) if known == payment => Some(times),
            _ => self.early.remove(&payment),
        };
        let Some(open) = self.open.get(&payment) else {
            return;
        };
        let credited = closing == Closing::Credited;
        let tuple = Arc::clone(&open.tuple);
        if open.timed {
            let ended = Ended {
                accepted_s: second_of(open.accepted_at),
                lag_ms: self.buckets.lowest(lag_ms),
                credited: u64::from(credited),
                otherwise: u64::from(!credited),
            };
            let excused = open.excused;
            self.count_channel(payment, |count| count_ended(count, ended, excused));
        }
        if credited && let Some(times) = times {
            let lateness_ms = times.at.since(times.occurred_at);
            self.arrived(Side::Credits, &tuple, lateness_ms);
        }
        let Some(open) = self.open.get(&payment) else {
            return;
        };
        let what = if credited {
            let occurred_at = times.map_or(at, |times| times.occurred_at);
            What::Credited {
                lag_ms,
                business_ms: occurred_at.since(open.occurred_at),
                noted: open.noted,
                overdue,
            }
        } else {
            What::Ended {
                written_off: closing == Closing::WrittenOff,
            }
        };
        let (excused, wanted) = (
            open.excused,
            closing == Closing::Credited || open.noted || overdue,
        );
        if !excused && wanted {
            self.note(payment, at, what);
        }
        if let Some(open) = self.open.remove(&payment) {
            self.closed = Some(payment);
            if closing == Closing::Credited && !excused && self.is_shared(payment) {
                self.acks.expect(payment, &open, at, &mut self.pulse.acks);
            }
            self.legs.forget(payment);
        }
    }

    pub(super) fn note(&mut self, payment: Fingerprint, at: Timestamp, what: What) {
        let Some(open) = self.open.get(&payment) else {
            return;
        };
        let named = !matches!(what, What::Credited { noted: false, .. });
        self.push(Note {
            payment,
            tuple: Arc::clone(&open.tuple),
            partition: open.partition,
            accepted_at: open.accepted_at,
            due_at: match what {
                What::Credited { .. } => open.accepted_at,
                _ => open.due_at,
            },
            at,
            amount_minor: open.amount_minor,
            currency: open.currency,
            timed: open.timed,
            id: named.then(|| Arc::clone(&open.id)),
            what,
        });
    }

    /// It may wait for days; its alert says what is needed then.
    fn settles_later(&mut self, payment: Fingerprint, at: Timestamp) {
        if let Some(open) = self.open.get_mut(&payment) {
            open.timed = false;
            self.note(payment, at, What::Paid);
            self.open.remove(&payment);
        }
    }

    /// What explains the wait of a payment takes it out of the statistics.
    pub(super) fn excuse(&mut self, event: &Event<'_>, payment_id: &str, at: Timestamp) {
        let fingerprint = Fingerprint::of_payment(event.tenant.as_deref(), payment_id);
        let Some(open) = self.open.get_mut(&fingerprint) else {
            return;
        };
        let (known, told) = (open.excused, open.noted || open.overdue);
        open.excused = true;
        if open.timed && !known {
            let excused = Excused {
                accepted_s: second_of(open.accepted_at),
                count: 1,
            };
            self.count_channel(fingerprint, |count| count.excuse(excused));
        }
        if told {
            self.note(fingerprint, at, What::Excused);
        }
    }

    /// A payment waits because its credit came under a corrupted id.
    pub(super) fn misname(&mut self, payment: Fingerprint, at: Timestamp) {
        let Some(open) = self.open.get_mut(&payment) else {
            return;
        };
        if !std::mem::replace(&mut open.excused, true) {
            self.note(payment, at, What::Misnamed);
        }
    }

    /// Append time of a credit whose payment is not known.
    pub(super) fn early_at(&self, payment: Fingerprint) -> Option<Timestamp> {
        self.early.get(&payment).map(|times| times.at)
    }
}

/// Counts a payment that ended, whose wait had been explained where it was `excused`.
fn count_ended(count: &mut ChannelCount, ended: Ended, excused: bool) {
    count.credited += ended.credited;
    count.end(ended);
    if excused {
        count.released += ended.credited;
    } else if ended.otherwise > 0 {
        count.excuse(Excused {
            accepted_s: ended.accepted_s,
            count: ended.otherwise,
        });
    }
}

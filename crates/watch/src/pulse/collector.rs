//! Makes the pulses of a partition from its records and from what was decided about them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use settlewatch_join::event::{Body, Credited, Event, RefundStatus, Refusal, Stage, Succeeded};
use settlewatch_join::{Fingerprint, Outcome, Place, Record, Span, Timestamp};

use super::WHOLE_PPM;
use super::acks::Acks;
use super::auxiliary::{auxiliary_of, kind_of};
use super::legs::Legs;
use super::tuple::{
    CHANNEL, CONNECTOR, CURRENCY, Dims, Draft, GATEWAY, MERCHANT, TERMINAL, Tuple, Tuples,
};
use super::{Arrivals, ChannelCount, KINDS, Note, Pulse, Side, StreamCount, What};
use crate::lag::LagBuckets;
use crate::second::second_of;
use crate::tables::Map;

/// A payment that waits this long is worth a note of its own.
pub(crate) const NOTED_AFTER: Span = Span::from_secs(5);

/// Credits that came before their payment are remembered so long.
const EARLY_KEPT: Span = Span::from_secs(600);

/// What the pulses depend on.
#[derive(Clone, Debug)]
pub struct CollectorSettings {
    /// The dimensions of every tuple.
    pub dims: Dims,
    /// When a merchant's acknowledgement is late, and until when it is waited for; `None` where there are none.
    pub merchant_ack: Option<(Span, Span)>,
    /// The share of payments of which notes, legs and acknowledgements are sent, in parts per million.
    pub share_ppm: u32,
    /// Payments whose details are kept until they end; further ones are counted, and told of by their alerts alone.
    pub open_limit: usize,
}

/// What a collector did since it was asked last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Notes that go into pulses.
    pub noted: u64,
    /// Notes that do not: their payments are not in the share.
    pub left_out: u64,
    /// Payments whose details are not kept: too many wait.
    pub not_kept: u64,
}

/// A payment that waits.
#[derive(Clone)]
pub(super) struct Open {
    pub(super) tuple: Arc<Tuple>,
    pub(super) id: Arc<str>,
    pub(super) partition: i32,
    pub(super) accepted_at: Timestamp,
    pub(super) due_at: Timestamp,
    pub(super) occurred_at: Timestamp,
    pub(super) amount_minor: u64,
    pub(super) currency: settlewatch_join::event::Currency,
    pub(super) timed: bool,
    pub(super) noted: bool,
    pub(super) overdue: bool,
    pub(super) excused: bool,
}

/// When a credit was appended, and when it happened.
#[derive(Clone, Copy)]
pub(super) struct CreditTimes {
    pub(super) at: Timestamp,
    pub(super) occurred_at: Timestamp,
    pub(super) amount_minor: Option<u64>,
}

/// Side, gateway, connector.
pub(super) type SourceKey = (Side, Option<Arc<str>>, Option<Arc<str>>);

/// The maker of one partition's pulses. Seconds end when [`advance`](Self::advance) passes them.
pub struct Collector {
    pub(super) settings: CollectorSettings,
    pub(super) tuples: Tuples,
    pub(super) open: Map<Fingerprint, Open>,
    /// Payments in the order in which they will have waited long.
    pub(super) ages: VecDeque<(Timestamp, Fingerprint)>,
    /// Credits whose payment is not known yet.
    pub(super) early: Map<Fingerprint, CreditTimes>,
    early_order: VecDeque<(Timestamp, Fingerprint)>,
    /// The credit that is being applied.
    pub(super) credit: Option<(Fingerprint, CreditTimes)>,
    /// The payment that was closed last: what its alert says next is known.
    pub(super) closed: Option<Fingerprint>,
    pub(super) acks: Acks,
    pub(super) legs: Legs,
    pub(super) buckets: LagBuckets,
    pub(super) counts: BTreeMap<(u8, i32), StreamCount>,
    pub(super) channels: BTreeMap<Arc<str>, ChannelCount>,
    pub(super) arrivals: BTreeMap<SourceKey, Vec<i64>>,
    /// The second that is under way.
    pub(super) pulse: Pulse,
    done: Vec<Pulse>,
    /// The id of payments that are never named.
    nobody: Arc<str>,
    collected: Collected,
}

impl Collector {
    /// A collector whose first second is that of `first`.
    pub fn new(settings: CollectorSettings, first: Timestamp) -> Self {
        Self {
            acks: Acks::new(settings.merchant_ack),
            settings,
            tuples: Tuples::default(),
            open: Map::default(),
            ages: VecDeque::new(),
            early: Map::default(),
            early_order: VecDeque::new(),
            credit: None,
            closed: None,
            legs: Legs::default(),
            buckets: LagBuckets::default(),
            counts: BTreeMap::new(),
            channels: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            pulse: Pulse {
                second: second_of(first),
                ..Pulse::default()
            },
            done: Vec::new(),
            nobody: "".into(),
            collected: Collected::default(),
        }
    }

    /// Takes a record in, before the effects that it had.
    pub fn record(&mut self, record: &Record<'_>, outcome: Option<Outcome>) {
        self.count(
            &record.place,
            Some(&record.event),
            outcome == Some(Outcome::Rejected),
        );
        self.credit = None;
        let used = matches!(outcome, Some(Outcome::Used) | None);
        if !used {
            return;
        }
        let event = &record.event;
        let at = record.place.at;
        match &event.body {
            Body::Succeeded(payment) => self.paid(record, payment),
            Body::Credited(credit) => self.credited(event, credit, at),
            Body::Stage { payment_id, stage } => self.stage(event, payment_id, *stage, at),
            Body::Rejected(refusal) => self.refused(event, refusal, at, What::Rejected),
            Body::Declined(refusal) => self.refused(event, refusal, at, What::Declined),
            Body::Held { payment_id, .. } => self.excuse(event, payment_id, at),
            Body::Refunded(refund) | Body::Reversed(refund)
                if refund.status != RefundStatus::Failed =>
            {
                self.excuse(event, &refund.payment_id, at);
            }
            _ => self.auxiliary(event, at),
        }
    }

    /// Every effect of the record that was taken in last was told: what follows is not about it.
    pub fn end_record(&mut self) {
        self.credit = None;
    }

    /// Counts a record that is no valid event.
    pub fn rejected(&mut self, place: &Place) {
        self.count(place, None, true);
    }

    fn count(&mut self, place: &Place, event: Option<&Event<'_>>, rejected: bool) {
        let key = (place.stream, place.partition);
        let count = self.counts.entry(key).or_insert_with(|| StreamCount {
            stream: place.stream,
            partition: place.partition,
            records: 0,
            rejected: 0,
            kinds: [0; KINDS],
        });
        count.records += 1;
        count.rejected += u64::from(rejected);
        let Some(event) = event else { return };
        if let Some(kind) = kind_of(&event.body) {
            count.kinds[kind] += 1;
        }
    }

    fn paid(&mut self, record: &Record<'_>, payment: &Succeeded<'_>) {
        if self.open.len() >= self.settings.open_limit {
            self.collected.not_kept += 1;
            return;
        }
        let event = &record.event;
        let fingerprint =
            Fingerprint::of_payment(event.tenant.as_deref(), payment.payment_id.as_ref());
        let (tuple, id) = if self.is_shared(fingerprint) {
            let draft = Draft::of_payment(payment, &self.settings.dims);
            let id = payment.payment_id.as_ref().into();
            (self.tuples.intern(&draft), id)
        } else {
            // It is only counted.
            let fields = [
                (CHANNEL, Some(payment.channel.as_ref())),
                (GATEWAY, payment.gateway.as_deref()),
                (CONNECTOR, payment.connector.as_deref()),
            ];
            let draft = Draft::of_fields(&fields, &self.settings.dims);
            (self.tuples.intern(&draft), Arc::clone(&self.nobody))
        };
        let open = Open {
            tuple,
            id,
            partition: record.place.partition,
            accepted_at: record.place.at,
            due_at: record.place.at,
            occurred_at: event.occurred_at,
            amount_minor: payment.amount_minor,
            currency: payment.currency,
            timed: true,
            noted: false,
            overdue: false,
            excused: false,
        };
        if self.is_shared(fingerprint) {
            self.legs.accepted(fingerprint, &open.tuple);
        }
        let lateness_ms = open.accepted_at.since(open.occurred_at);
        self.arrived(Side::Payments, &open.tuple, lateness_ms);
        self.open.insert(fingerprint, open);
    }

    fn credited(&mut self, event: &Event<'_>, credit: &Credited<'_>, at: Timestamp) {
        let fingerprint = Fingerprint::of_payment(event.tenant.as_deref(), &credit.payment_id);
        let times = CreditTimes {
            at,
            occurred_at: event.occurred_at,
            amount_minor: credit.amount_minor,
        };
        self.credit = Some((fingerprint, times));
        // Its payment may be under way.
        let is_early =
            !self.open.contains_key(&fingerprint) && self.early.len() < self.settings.open_limit;
        if is_early {
            self.came_early(fingerprint, times);
        }
    }

    /// A credit came whose payment is not known.
    pub(super) fn came_early(&mut self, payment: Fingerprint, times: CreditTimes) {
        self.early.insert(payment, times);
        self.early_order.push_back((times.at + EARLY_KEPT, payment));
    }

    /// Credits whose payment is not known, in the order in which they are forgotten.
    pub(super) fn early_in_order(&self) -> Vec<(Fingerprint, CreditTimes)> {
        let known = self.early_order.iter().filter_map(|&(until, payment)| {
            let &times = self.early.get(&payment)?;
            (times.at + EARLY_KEPT == until).then_some((payment, times))
        });
        known.collect()
    }

    fn stage(&mut self, event: &Event<'_>, payment_id: &str, stage: Stage, at: Timestamp) {
        let fingerprint = Fingerprint::of_payment(event.tenant.as_deref(), payment_id);
        if !self.is_shared(fingerprint) {
            return;
        }
        let tuple = self.open.get(&fingerprint).map(|open| &open.tuple);
        self.legs
            .stage(fingerprint, stage, event.occurred_at, at, tuple);
        if stage == Stage::MerchantAck {
            self.acks.came(fingerprint, at, &mut self.pulse.acks);
        }
    }

    fn refused(
        &mut self,
        event: &Event<'_>,
        refusal: &Refusal<'_>,
        at: Timestamp,
        what: impl Fn(settlewatch_join::event::RefusalClass) -> What,
    ) {
        let fingerprint = Fingerprint::of_payment(event.tenant.as_deref(), &refusal.payment_id);
        let what = what(refusal.class);
        if self.open.contains_key(&fingerprint) {
            self.note(fingerprint, at, what);
            return;
        }
        let currency = refusal.currency.as_ref();
        let fields = [
            (CHANNEL, refusal.channel.as_deref()),
            (MERCHANT, refusal.merchant_id.as_deref()),
            (TERMINAL, refusal.terminal_id.as_deref()),
            (CURRENCY, currency.map(|currency| currency.as_str())),
        ];
        let draft = Draft::of_fields(&fields, &self.settings.dims);
        let Some(currency) = refusal.currency else {
            return;
        };
        let tuple = self.tuples.intern(&draft);
        self.push(Note {
            payment: fingerprint,
            tuple,
            partition: -1,
            accepted_at: at,
            due_at: at,
            at,
            amount_minor: refusal.amount_minor.unwrap_or(0),
            currency,
            timed: false,
            id: Some(refusal.payment_id.as_ref().into()),
            what,
        });
    }

    fn auxiliary(&mut self, event: &Event<'_>, at: Timestamp) {
        self.pulse.auxiliary.extend(auxiliary_of(event, at));
    }

    pub(super) fn arrived(&mut self, side: Side, tuple: &Tuple, lateness_ms: i64) {
        let of = |dim: usize| tuple.values.get(dim).cloned().flatten();
        let key = (side, of(GATEWAY), of(CONNECTOR));
        self.arrivals.entry(key).or_default().push(lateness_ms);
    }

    /// Whether notes of a payment are sent.
    pub(super) fn is_shared(&self, payment: Fingerprint) -> bool {
        // The hash as a fraction of its range.
        let place = (u128::from(payment.0) * u128::from(WHOLE_PPM)) >> 64;
        place < u128::from(self.settings.share_ppm)
    }

    /// Puts a note into the pulse, if its payment is in the share.
    pub(super) fn push(&mut self, note: Note) {
        if self.is_shared(note.payment) {
            self.collected.noted += 1;
            self.pulse.notes.push(note);
        } else {
            self.collected.left_out += 1;
        }
    }

    /// Time reaches `at`, which must be told before what is dated then: the seconds before it end, and who waits long by
    /// the end of each is noted. Nothing happens within a second, so that it does not matter who else is told when.
    pub fn advance(&mut self, at: Timestamp) {
        let second = second_of(at);
        if second <= self.pulse.second {
            return;
        }
        let begins = Timestamp::from_millis(second.saturating_mul(1000));
        loop {
            let age = self.ages.front().map(|&(due, _)| due);
            let late = self.acks.next_late();
            let Some(due) = age
                .into_iter()
                .chain(late)
                .min()
                .filter(|&due| due < begins)
            else {
                break;
            };
            self.end_seconds(due);
            if age == Some(due) {
                self.age();
            } else {
                self.acks.tell_late(&mut self.pulse.acks);
            }
        }
        self.end_seconds(begins);
        self.forget(begins);
    }

    /// The payment that is to wait long next does so, if it still waits.
    fn age(&mut self) {
        let Some((due, payment)) = self.ages.pop_front() else {
            return;
        };
        let waits = self.open.get_mut(&payment).is_some_and(|open| {
            let waits = open.accepted_at + NOTED_AFTER == due && !open.excused && !open.overdue;
            open.noted |= waits;
            waits
        });
        if waits {
            self.note(payment, due, What::Waiting);
        }
    }

    fn end_seconds(&mut self, at: Timestamp) {
        let second = second_of(at);
        if second <= self.pulse.second {
            return;
        }
        self.pulse.legs = self.legs.take();
        self.pulse.streams = std::mem::take(&mut self.counts).into_values().collect();
        let arrivals = std::mem::take(&mut self.arrivals).into_iter();
        self.pulse.arrivals = arrivals
            .map(|((side, gateway, connector), mut lateness_ms)| {
                lateness_ms.sort_unstable();
                Arrivals {
                    side,
                    gateway,
                    connector,
                    lateness_ms,
                }
            })
            .collect();
        self.pulse.channels = std::mem::take(&mut self.channels).into_values().collect();
        let next = Pulse {
            second,
            ..Pulse::default()
        };
        self.done.push(std::mem::replace(&mut self.pulse, next));
    }

    fn forget(&mut self, at: Timestamp) {
        while let Some(&(until, payment)) = self.early_order.front()
            && until < at
        {
            self.early_order.pop_front();
            let of_then = |times: &CreditTimes| times.at + EARLY_KEPT == until;
            if self.early.get(&payment).is_some_and(of_then) {
                self.early.remove(&payment);
            }
        }
        self.acks.forget(at);
        self.legs.advance(at);
    }

    /// Takes the pulses of the seconds that ended.
    pub fn take(&mut self) -> Vec<Pulse> {
        std::mem::take(&mut self.done)
    }

    /// What it did since it was asked last.
    pub fn collected(&mut self) -> Collected {
        std::mem::take(&mut self.collected)
    }

    /// What it depends on.
    pub(super) fn settings(&self) -> &CollectorSettings {
        &self.settings
    }
}

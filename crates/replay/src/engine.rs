//! The decision over N virtual partitions on one virtual clock.
//!
//! 1. Records are applied in canonical order, each to the partition of its payment.
//! 2. When the clock leaves a millisecond, its deadlines are decided in every partition.
//! 3. Then what the partitions say to each other is exchanged until nobody has anything left to say.
//!
//! Nothing here depends on N: messages meet by key, and everything of a millisecond is settled before the
//! next one begins.

use std::collections::HashMap;
use std::sync::Arc;

use settlewatch_join::{
    Alert, Body, ChannelIndex, Effect, Effects, Event, Fingerprint, Flow, KnowsSince, Ledger,
    Message, Note, Outcome, Pairs, Partition, Place, Record, Settings, Timestamp, Wait,
};
use settlewatch_watch::incident::Incident;
use settlewatch_watch::pulse::Pulse;
use settlewatch_watch::{ChannelRow, Channels, Due, GatewayRow, Lag};

use crate::watching::Watching;

/// A cluster in one thread.
pub struct Engine {
    partitions: Vec<Partition>,
    /// When each partition decides next, at the earliest.
    next: Vec<Timestamp>,
    pairs: Vec<Pairs>,
    /// The millisecond that is being applied.
    now: Timestamp,
    exchange: Exchange,
    effects: Effects,
    channels: ChannelNames,
    rows: Channels,
    /// Alerts of the current millisecond.
    alerts: Vec<Alert>,
    waiting: usize,
    /// The detection of incidents; `None` where nobody asked for it, or where it is over.
    watching: Option<Watching>,
}

/// What partitions say to each other and to the pairs stage.
#[derive(Default)]
struct Exchange {
    messages: Vec<Message>,
    notes: Vec<Note>,
}

/// Channel names by partition and index.
#[derive(Default)]
struct ChannelNames(Vec<Vec<Arc<str>>>);

impl ChannelNames {
    fn get(&mut self, at: usize, partition: &Partition, channel: ChannelIndex) -> Arc<str> {
        if self.0.len() <= at {
            self.0.resize(at + 1, Vec::new());
        }
        let names = &mut self.0[at];
        while names.len() <= usize::from(channel.0) {
            let next = ChannelIndex(names.len() as u16);
            names.push(partition.channel_name(next).into());
        }
        Arc::clone(&names[usize::from(channel.0)])
    }
}

impl Engine {
    /// An engine of `partitions` virtual partitions whose first record is appended at `first`.
    pub fn new(settings: &Arc<Settings>, partitions: usize, first: Timestamp) -> Self {
        let partitions = partitions.max(1);
        let since = KnowsSince(first);
        let make = |home| Partition::new(Arc::clone(settings), since).with_home(home);
        let mut rows = Channels::new();
        rows.advance(first);
        Self {
            partitions: (0..partitions as u32).map(make).collect(),
            next: vec![Timestamp::MAX; partitions],
            pairs: (0..partitions)
                .map(|_| Pairs::new(settings.duplicate_window))
                .collect(),
            now: first,
            exchange: Exchange::default(),
            effects: Effects::new(),
            channels: ChannelNames::default(),
            rows,
            alerts: Vec::new(),
            waiting: 0,
            watching: None,
        }
    }

    /// Looks for incidents too.
    #[must_use]
    pub fn watched_by(mut self, watching: Watching) -> Self {
        self.watching = Some(watching);
        self
    }

    /// From now on deadlines pass, and nothing else: incidents stay as they are.
    pub fn stop_watching(&mut self) {
        if let Some(watching) = &mut self.watching {
            watching.stop();
        }
    }

    /// Revisions of incidents since the last time.
    pub fn take_incidents(&mut self) -> Vec<Incident> {
        self.watching
            .as_mut()
            .map(Watching::take)
            .unwrap_or_default()
    }

    /// Pulses since the last time, where the watching keeps them.
    pub fn take_pulses(&mut self) -> Vec<Pulse> {
        self.watching
            .as_mut()
            .map(Watching::take_pulses)
            .unwrap_or_default()
    }

    /// Rows of gateways since the last time.
    pub fn take_gateway_rows(&mut self) -> Vec<GatewayRow> {
        self.watching
            .as_mut()
            .map(Watching::take_gateway_rows)
            .unwrap_or_default()
    }

    /// Incidents by verdict.
    pub fn incidents(&self) -> std::collections::BTreeMap<&'static str, u64> {
        self.watching
            .as_ref()
            .map(Watching::counts)
            .unwrap_or_default()
    }

    /// Applies a record, after settling every millisecond before it. Alerts that became final go to `sink`,
    /// ordered by (decided at, alert id, revision).
    ///
    /// Returns what the record counts as; `None` where that is open until its payment comes or the grace ends.
    pub fn apply(&mut self, record: &Record<'_>, sink: &mut dyn FnMut(Alert)) -> Option<Outcome> {
        self.reach(record.place.at, sink);
        let at = self.partition_of(&record.event);
        let outcome = self.partitions[at].apply(record, &mut self.effects);
        if let Some(watching) = &mut self.watching {
            watching.record(record, outcome);
        }
        self.drain(at);
        if let Some(watching) = &mut self.watching {
            watching.end_record();
        }
        outcome
    }

    /// Counts a record that is no valid event.
    pub fn reject(&mut self, place: &Place, sink: &mut dyn FnMut(Alert)) {
        self.reach(place.at, sink);
        self.partitions[0].reject(place.stream);
        if let Some(watching) = &mut self.watching {
            watching.rejected(place);
        }
    }

    /// Settles everything dated up to and including `last`.
    pub fn settle(&mut self, last: Timestamp, sink: &mut dyn FnMut(Alert)) {
        self.reach(last.next(), sink);
    }

    /// Settles everything dated before `at`, and stands there. A moment in the past changes nothing.
    fn reach(&mut self, at: Timestamp, sink: &mut dyn FnMut(Alert)) {
        if at <= self.now {
            return;
        }
        self.end_millisecond(sink);
        while let Some(next) = self.next_decision().filter(|&next| next < at) {
            self.now = next.max(self.now);
            self.rows.advance(self.now);
            self.watch(self.now);
            self.end_millisecond(sink);
        }
        self.now = at;
        self.rows.advance(at);
        self.watch(at);
    }

    fn watch(&mut self, at: Timestamp) {
        if let Some(watching) = &mut self.watching {
            watching.advance(at);
        }
    }

    /// When the next deadline is decided, at the earliest.
    pub fn next_decision(&self) -> Option<Timestamp> {
        self.next
            .iter()
            .copied()
            .min()
            .filter(|&next| next < Timestamp::MAX)
    }

    /// Decides the deadlines of the current millisecond and lets everybody hear what concerns them.
    fn end_millisecond(&mut self, sink: &mut dyn FnMut(Alert)) {
        for at in 0..self.partitions.len() {
            if self.next[at] <= self.now {
                self.partitions[at].advance(self.now.next(), &mut self.effects);
                self.drain(at);
            }
        }
        while !(self.exchange.messages.is_empty() && self.exchange.notes.is_empty()) {
            self.deliver_messages();
            self.deliver_notes();
        }
        self.alerts
            .sort_by_key(|alert| (alert.decided_at, alert.alert_id, alert.revision));
        self.alerts.drain(..).for_each(&mut *sink);
    }

    fn deliver_messages(&mut self) {
        let mut messages = std::mem::take(&mut self.exchange.messages);
        messages.sort_by_key(|message| message.place);
        let count = self.pairs.len();
        let mut by_partition = vec![Vec::new(); count];
        for message in messages {
            by_partition[index_of(message.key, count)].push(message);
        }
        for (pairs, messages) in self.pairs.iter_mut().zip(&by_partition) {
            if !messages.is_empty() {
                pairs.apply(messages, self.now, &mut self.exchange.notes);
            }
        }
    }

    fn deliver_notes(&mut self) {
        let notes = std::mem::take(&mut self.exchange.notes);
        let count = self.partitions.len();
        let mut by_partition = vec![Vec::new(); count];
        for note in notes {
            by_partition[note.to.home() as usize].push(note);
        }
        for (at, notes) in by_partition.iter().enumerate() {
            if !notes.is_empty() {
                self.partitions[at].notes(notes, &mut self.effects);
                self.drain(at);
            }
        }
    }

    /// Takes the effects of a partition in.
    fn drain(&mut self, at: usize) {
        let mut effects = std::mem::take(&mut self.effects);
        for effect in effects.drain(..) {
            match effect {
                Effect::Alert(alert) => {
                    if let Some(watching) = &mut self.watching {
                        watching.alert(&alert);
                    }
                    self.alerts.push(*alert);
                }
                Effect::Pair(message) => self.exchange.messages.push(*message),
                Effect::Note(note) => self.exchange.notes.push(*note),
                Effect::Flow(flow) => self.flow(at, &flow),
            }
        }
        self.effects = effects;
        self.next[at] = self.partitions[at]
            .next_decision()
            .unwrap_or(Timestamp::MAX);
    }

    fn flow(&mut self, at: usize, flow: &Flow) {
        if let Some(watching) = &mut self.watching {
            watching.flow(flow);
        }
        let partition = &self.partitions[at];
        let mut name = |channel| self.channels.get(at, partition, channel);
        match *flow {
            Flow::Accepted {
                channel,
                at,
                timed,
                due,
                amount_minor,
                currency,
                ..
            } => {
                self.waiting += 1;
                let due = Due {
                    accepted_at: at,
                    at: due,
                    currency,
                    amount_minor,
                };
                self.rows.accepted(&name(channel), &due, timed);
            }
            Flow::Credit { channel, at } => self.rows.credited(&name(channel), at),
            Flow::Held {
                channel,
                accepted_at,
                timed,
                amount_minor,
                currency,
            } => {
                if timed {
                    let paid = (accepted_at, (currency, amount_minor));
                    self.rows.held(&name(channel), paid);
                }
            }
            Flow::Overdue { channel, .. } => self.rows.overdue(&name(channel)),
            Flow::Closed {
                channel,
                closing,
                accepted_at,
                timed,
                lag_ms,
                overdue,
                held,
                amount_minor,
                currency,
                ..
            } => {
                self.waiting -= 1;
                let paid = (accepted_at, (currency, amount_minor));
                let lag = timed.then_some(Lag { lag_ms, held });
                self.rows
                    .closed(&name(channel), closing, paid, lag, overdue);
            }
            Flow::Raised { .. } => {}
        }
    }

    fn partition_of(&self, event: &Event<'_>) -> usize {
        let count = self.partitions.len();
        if count == 1 {
            return 0;
        }
        let subject = event
            .body
            .payment_id()
            .unwrap_or_else(|| auxiliary_subject(&event.body));
        index_of(
            Fingerprint::of_payment(event.tenant.as_deref(), subject),
            count,
        )
    }

    /// Time ends at `at`: what is open is counted.
    pub fn finish(&mut self, at: Timestamp, sink: &mut dyn FnMut(Alert)) {
        self.settle(at, sink);
        self.rows.finish(at);
        self.partitions.iter_mut().for_each(Partition::finish);
    }

    /// Rows of channels that are final.
    pub fn take_rows(&mut self) -> Vec<ChannelRow> {
        self.rows.take_rows()
    }

    /// Payments that wait.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Whether the passing of deadlines alone still decides something: a payment waits, or a credit has
    /// its grace.
    pub fn is_undecided(&self) -> bool {
        self.waiting > 0 || self.partitions.iter().any(Partition::has_undecided_credits)
    }

    /// The accounts of every partition.
    pub fn ledgers(&self) -> impl Iterator<Item = &Ledger> {
        self.partitions.iter().map(Partition::ledger)
    }

    /// Explained waits at the moment `at`.
    pub fn waits(&self, at: Timestamp) -> HashMap<Wait, u64> {
        let mut counts = HashMap::new();
        for (wait, count) in self
            .partitions
            .iter()
            .flat_map(|partition| partition.waits(at))
        {
            *counts.entry(wait).or_default() += count;
        }
        counts
    }

    /// Records of a stream by outcome.
    pub fn records(&self, stream: u8, outcome: Outcome) -> u64 {
        self.ledgers()
            .map(|ledger| ledger.records(stream, outcome))
            .sum()
    }

    /// The partition that knows a payment.
    pub fn partition(&self, tenant: Option<&str>, payment_id: &str) -> &Partition {
        let fingerprint = Fingerprint::of_payment(tenant, payment_id);
        &self.partitions[index_of(fingerprint, self.partitions.len())]
    }

    /// Bytes of memory of the tables, the attribute dictionaries and the finished ids, about.
    pub fn bytes(&self) -> [usize; 3] {
        self.partitions.iter().fold([0; 3], |sum, partition| {
            let bytes = partition.bytes();
            [sum[0] + bytes[0], sum[1] + bytes[1], sum[2] + bytes[2]]
        })
    }
}

/// What spreads auxiliary events over the partitions.
fn auxiliary_subject<'a>(body: &'a Body<'_>) -> &'a str {
    match body {
        Body::Heartbeat(heartbeat) => &heartbeat.terminal_id,
        Body::AccountStatus { merchant_id, .. } => merchant_id,
        Body::BatchSettled(batch) => &batch.batch_id,
        _ => "",
    }
}

fn index_of(key: Fingerprint, count: usize) -> usize {
    (key.0 % count as u64) as usize
}

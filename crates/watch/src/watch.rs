//! The watch: pulses in, incidents out.
//!
//! 1. [`Watch::absorb`] takes the pulses of a second, of one partition or of many.
//! 2. [`Watch::end_second`] says that the second is complete, and returns what changed of the incidents.
//!
//! It depends on nothing else: not on the number of partitions, not on a clock.

mod explaining;
mod kept;
#[cfg(test)]
mod scenes;
mod settings;
#[cfg(test)]
mod story;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::around::Around;
use crate::batches::{BatchFeed, Batches, End};
use crate::behind::Behind;
use crate::burn::{Burn, Burns};
use crate::cases::{Cases, Elsewhere};
use crate::detect::localise::{Suspicion, Suspicions};
use crate::detect::rows::{Change, Row};
use crate::detect::values::ValueId;
use crate::detect::{Detector, Explained, UNJUDGED_MS};
use crate::faults::Faults;
use crate::feeds::Feeds;
use crate::filled;
use crate::gateways::{GatewayRow, Gateways};
use crate::incident::Incident;
use crate::incident::book::Book;
use crate::late::Late;
use crate::lateness::Lateness;
use crate::maintenance::Maintenance;
use crate::merchants::Merchants;
use crate::pulse::{Auxiliary, CHANNEL, CONNECTOR, GATEWAY, Note, Pulse, What};
use crate::second::end_of;
use crate::silence::{Moment, Silence};
use crate::sources::Sources;
use crate::terminals::{Heartbeat, Terminals};

use explaining::Explaining;
use settings::case_settings;

pub use settings::WatchSettings;

/// One global view of everything.
pub struct Watch {
    settings: WatchSettings,
    detector: Detector,
    terminals: Terminals,
    feeds: Feeds,
    gateways: Gateways,
    sources: Sources,
    lateness: Lateness,
    late: Late,
    faults: Faults,
    silence: Silence,
    cases: Cases,
    merchants: Merchants,
    batches: Batches,
    behind: Behind,
    burns: Burns,
    book: Book,
    /// Notes of the second that is not complete, in the order of their payments.
    notes: Vec<Note>,
    /// Pulses of seconds that are not complete.
    waiting: Vec<Pulse>,
    /// Values and tuples that were named when those that nothing refers to were let go last.
    named: usize,
    /// The last minute of the gateways, until somebody takes it.
    gateway_rows: Vec<GatewayRow>,
}

impl Watch {
    /// A watch that knows nothing yet.
    pub fn new(settings: WatchSettings) -> Self {
        Self {
            detector: Detector::new(settings.dims.clone()),
            terminals: Terminals::default(),
            feeds: Feeds::default(),
            gateways: Gateways::default(),
            gateway_rows: Vec::new(),
            sources: Sources::default(),
            lateness: Lateness::default(),
            late: Late::default(),
            faults: Faults::default(),
            silence: Silence::new(settings.streams.clone()),
            cases: Cases::new(case_settings(&settings)),
            merchants: Merchants::default(),
            batches: Batches::default(),
            behind: Behind::default(),
            burns: Burns::default(),
            book: Book::new(settings.reopen_within),
            notes: Vec::new(),
            waiting: Vec::new(),
            named: 0,
            settings,
        }
    }

    /// Takes a pulse in, of a second that is not complete, or of an earlier one of which it comes late.
    pub fn absorb(&mut self, pulse: Pulse) {
        self.waiting.push(pulse);
    }

    /// Everything of an input partition is known up to the second `known_s`, inclusive. A partition of which that was
    /// said once and not for long is one that we are behind with: nothing is claimed of it, and an incident says so.
    pub fn known(&mut self, partition: i32, known_s: i64) {
        self.behind.known(partition, known_s);
    }

    /// Of these streams, that are not keyed by payment, not everything is known up to the second that ends next: what they
    /// do not say means nothing.
    pub fn withhold(&mut self, streams: &[String]) {
        self.feeds.withhold(streams);
    }

    /// The second `second` is complete: what is known of it was absorbed. Returns the revisions of incidents.
    pub fn end_second(&mut self, second: i64) -> Vec<Incident> {
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        let (pulses, later) = waiting.partition(|pulse| pulse.second <= second);
        self.waiting = later;
        self.take_in(second, pulses);
        self.burns.end_second(second);
        let changes = self.end_rows(second);
        self.behind.end_second(second, &mut self.book);
        self.end_sources(second, &changes);
        let suspicions = self.suspicions(second);
        // A feed that is behind says as little as one that is not configured.
        let is_known = self.feeds.is_known();
        let reported = |configured: bool, heard: bool| (configured || heard) && is_known;
        let around = Around {
            terminals: &self.terminals,
            feeds: &self.feeds,
            gateways: &self.gateways,
            heartbeat: self.heartbeat(),
            account_feed: reported(self.settings.account_feed, self.feeds.has_accounts),
            marker_feed: reported(self.settings.marker_feed, self.feeds.has_markers),
            silent_since_ms: self.silence.since_ms(second),
            silences_ms: self.silence.spans_ms(),
            critical_minor: &self.settings.critical_minor,
            burns: &self.burns,
            objective_ppm: self.settings.objective_ppm,
        };
        self.faults.end_second(
            second,
            &self.detector,
            &changes,
            suspicions,
            &around,
            &mut self.book,
        );
        let elsewhere = Elsewhere {
            faults: &self.faults,
            late: &self.late,
        };
        self.cases
            .end_second(second, &self.detector, elsewhere, &mut self.book);
        self.merchants
            .end_second(second, &self.detector, &mut self.book);
        self.batches.end_second(
            second,
            &self.detector,
            BatchFeed {
                of: &self.feeds,
                reported: reported(self.settings.batch_feed, self.feeds.has_batches),
                to_batch_date_s: self.settings.to_batch_date_s,
            },
            &self.settings.critical_minor,
            &mut self.book,
        );
        self.book.forget(end_of(second));
        self.feeds.forget(second * 1000);
        let rows = self.gateways.end_second(second, &self.detector.values);
        if !rows.is_empty() {
            self.gateway_rows = rows;
        }
        self.let_go();
        self.book.take()
    }

    fn end_sources(&mut self, second: i64, changes: &[Change]) {
        // Who has not read everything does not say that somebody is silent.
        let blind = self.behind.is_any(second);
        self.sources.end_second(second, blind);
        let moment = Moment {
            second,
            detector: &self.detector,
            sources: &self.sources,
            critical_minor: &self.settings.critical_minor,
            maintained: self.feeds.is_everything_maintained(second * 1000) || blind,
            heartbeat: self.heartbeat(),
            terminals: &self.terminals,
        };
        self.silence.end_second(&moment, changes, &mut self.book);
        self.late.end_second(
            &moment,
            &mut self.lateness,
            &mut self.silence,
            &mut self.book,
        );
    }

    /// What is expected of heartbeats, where all of them are known.
    fn heartbeat(&self) -> Option<Heartbeat> {
        let feed = self.settings.heartbeat;
        feed.filter(|_| self.feeds.is_known())
    }

    fn maintenance(&self) -> Maintenance {
        let Detector { values, dims, .. } = &self.detector;
        self.feeds.maintenance(values, dims)
    }

    /// Which rows fall into announced maintenance.
    fn announced(&self) -> impl Fn(&Row, &[ValueId]) -> bool + use<> {
        let maintenance = self.maintenance();
        move |row, values| maintenance.excuses(row, values)
    }

    fn end_rows(&mut self, second: i64) -> Vec<Change> {
        let sources = Explaining::new(&self.silence, &self.late, &self.behind, second);
        let faults = &self.faults;
        let explained = |row: &Row, values: &[ValueId]| {
            sources.explains(row, values, 0) || faults.covers(second, row.accepted_ms, values)
        };
        let announced = self.announced();
        self.detector.end_second(second, &announced, &explained)
    }

    fn suspicions(&self, second: i64) -> Suspicions {
        if self.silence.since_ms(second).is_some() {
            return Suspicions::default();
        }
        let sources = Explaining::new(&self.silence, &self.late, &self.behind, second);
        // Of payments before maintenance those are left whose credits take long: they say nothing of its place.
        let maintenance = self.maintenance();
        let is_maintained = |values: &[ValueId]| maintenance.goes_on(second * 1000, values);
        let doubtful = self.sources.maybe_silent(second);
        let beside_faults = |row: &Row, values: &[ValueId]| {
            is_maintained(values)
                || doubtful.binary_search(&row.partition).is_ok()
                || sources.explains(row, values, UNJUDGED_MS)
        };
        let excluded = |row: &Row, values: &[ValueId]| {
            beside_faults(row, values)
                || self
                    .faults
                    .had(second, row.accepted_ms, values, UNJUDGED_MS)
        };
        let explained = |row: &Row, values: &[ValueId]| {
            beside_faults(row, values)
                || self.faults.covers(second, row.accepted_ms, values)
                || self.cases.explains(row, values)
        };
        let knows_any = self.faults.are_known() || self.cases.explain_any();
        let excluded = knows_any.then_some(&excluded as Explained<'_>);
        let mut found = self.detector.suspicions(second, &explained, excluded);
        let stopped = self.detector.flows.stopped(second);
        let stop = stopped.filter(|stopped| self.may_open_early(stopped.channel, second));
        let stop = stop.map(|stopped| Suspicion::of_stop(&stopped));
        let early = stop.filter(|stop| self.faults.leave_room_for(stop));
        found.beside.extend(early);
        let accounted = |it: &Suspicion| self.cases.account_for(it, second, &self.detector);
        found.beside.retain(|suspicion| !accounted(suspicion));
        found
    }

    /// Whether nothing that is known explains why the credits of a channel do not come.
    fn may_open_early(&self, channel: ValueId, second: i64) -> bool {
        let text = self.detector.values.text(channel).1;
        !self.behind.is_any(second) && !self.feeds.may_stop(text, second * 1000)
    }

    /// Everything of a second, in an order that does not depend on where it came from.
    fn take_in(&mut self, second: i64, mut pulses: Vec<Pulse>) {
        for pulse in &mut pulses {
            self.sources.heard(pulse);
            self.notes.append(&mut pulse.notes);
        }
        let mut notes = std::mem::take(&mut self.notes);
        notes.sort_by_key(|note| (note.at, note.payment, rank(&note.what)));
        let mut auxiliary: Vec<_> = pulses
            .iter_mut()
            .flat_map(|pulse| pulse.auxiliary.drain(..))
            .collect();
        auxiliary.sort_by_cached_key(|event| format!("{event:?}"));
        for event in &auxiliary {
            self.terminals.heard(event);
            self.feeds.heard(event);
        }
        if auxiliary.iter().any(Auxiliary::is_maintenance) {
            let announced = self.announced();
            self.detector.set_all_aside(&announced);
        }
        for note in &notes {
            self.note(note, second);
        }
        notes.clear();
        self.notes = notes;
        let mut cases: Vec<_> = pulses
            .iter_mut()
            .flat_map(|pulse| pulse.cases.drain(..))
            .collect();
        cases.sort_by(|a, b| (a.at, &a.id, a.kind).cmp(&(b.at, &b.id, b.kind)));
        for case in &cases {
            let tuple = self.detector.values.tuple(&case.tuple);
            self.cases
                .heard(case, tuple, second, &self.detector, &self.terminals);
        }
        self.take_in_ways(second, &mut pulses);
    }

    fn take_in_ways(&mut self, second: i64, pulses: &mut [Pulse]) {
        self.take_in_arrivals(second, pulses);
        for pulse in pulses.iter() {
            for count in &pulse.channels {
                let channel = self.detector.values.named(CHANNEL, &count.channel);
                self.detector.flows.take_in(channel, second, count);
            }
        }
        let mut legs: Vec<_> = pulses
            .iter_mut()
            .flat_map(|pulse| pulse.legs.drain(..))
            .collect();
        legs.sort_by_key(|leg| (leg.tuple.hash, leg.entered_s, leg.gateway_ms));
        for leg in &legs {
            let tuple = self.detector.values.tuple(&leg.tuple);
            let gateway = self.detector.values.of(tuple)[GATEWAY];
            self.gateways.heard(gateway, second, leg);
        }
        let mut acks: Vec<_> = pulses
            .iter_mut()
            .flat_map(|pulse| pulse.acks.drain(..))
            .collect();
        acks.sort_by_key(|ack| (ack.credited_at, ack.tuple.hash, ack.late, ack.came));
        for ack in &acks {
            if self.is_hidden(ack, second) {
                continue;
            }
            let tuple = self.detector.values.tuple(&ack.tuple);
            let values = self.detector.values.of(tuple);
            self.merchants.heard(ack, values, second);
        }
    }

    fn take_in_arrivals(&mut self, second: i64, pulses: &mut [Pulse]) {
        let mut all: BTreeMap<_, Vec<i64>> = BTreeMap::new();
        for arrivals in pulses.iter_mut().flat_map(|pulse| pulse.arrivals.drain(..)) {
            let key = (arrivals.side, arrivals.gateway, arrivals.connector);
            all.entry(key).or_default().extend(arrivals.lateness_ms);
        }
        let values = &mut self.detector.values;
        for ((side, gateway, connector), mut lateness_ms) in all {
            lateness_ms.sort_unstable();
            let mut id = |dim, text: Option<Arc<str>>| {
                text.map_or(ValueId::NONE, |text| values.named(dim, &text))
            };
            let key = (side, id(GATEWAY, gateway), id(CONNECTOR, connector));
            self.lateness.heard(key, second, &lateness_ms);
        }
    }

    fn note(&mut self, note: &Note, second: i64) {
        let values = &mut self.detector.values;
        let tuple = filled::tuple_of(&note.tuple, values, &mut self.terminals);
        if let Some(end) = end_of_late(note) {
            let values = values.of(tuple);
            self.batches.ended(note.payment, values, end);
            return;
        }
        if matches!(note.what, What::Paid | What::Credited { .. }) {
            self.cases.paid(tuple, second);
        }
        if matches!(note.what, What::Credited { .. }) {
            self.cases.credited(tuple, second);
        }
        let values = self.detector.values.of(tuple);
        if !note.timed && note.what == What::Overdue {
            if !self
                .faults
                .lack_part_of_a_batch(note.accepted_at.millis(), values)
            {
                self.batches.missed(note, tuple, values, second);
            }
            return;
        }
        let maintained = self.feeds.is_maintained(
            note.accepted_at.millis(),
            values,
            &self.detector.values,
            &self.detector.dims,
        );
        if note.timed && !maintained {
            self.burns.heard(values[CHANNEL], second, &note.what);
        }
        self.detector.note(note, tuple, second, maintained);
    }

    /// The rows of the last minute that ended, one a gateway of which stages are reported; once.
    pub fn take_gateway_rows(&mut self) -> Vec<GatewayRow> {
        std::mem::take(&mut self.gateway_rows)
    }

    /// How fast each channel spends its error budget by the end of `second`, in the order of their names.
    pub fn burns(&self, second: i64) -> Vec<Burn> {
        let known = self.burns.channels();
        let mut burns: Vec<_> = known
            .map(|channel| {
                let name = self.detector.values.text(channel).1;
                let objective_ppm = self.settings.objective_ppm;
                self.burns.named(channel, name, second, objective_ppm)
            })
            .collect();
        burns.sort_by(|a, b| a.channel.cmp(&b.channel));
        burns
    }

    /// Incidents that are open.
    pub fn open(&self) -> impl Iterator<Item = &Incident> {
        self.book.open_ones()
    }
}

/// How a payment ended that a batch did not bring in time; `None` where that is not what a note says.
fn end_of_late(note: &Note) -> Option<End> {
    match note.what {
        _ if note.timed => None,
        What::Credited { .. } => Some(End::Credited),
        What::Ended { .. } => Some(End::Otherwise),
        _ => None,
    }
}

/// What is said first of several notes of one payment in one millisecond.
fn rank(what: &What) -> u8 {
    match what {
        What::Paid => 0,
        What::Waiting => 1,
        What::Excused | What::Misnamed => 2,
        What::Rejected(_) => 3,
        What::Declined(_) => 4,
        What::Overdue => 5,
        What::Credited { .. } => 6,
        What::Ended { .. } => 7,
    }
}

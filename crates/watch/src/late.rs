//! Incidents of late sources and wrong clocks.

use settlewatch_join::Timestamp;

use crate::detect::Detector;
use crate::detect::rows::Row;
use crate::detect::scope::Scope;
use crate::detect::values::ValueId;
use crate::evidence::Tally;
use crate::incident::book::{Book, Entry, Family, Report, Scoped};
use crate::incident::cause::Cause;
use crate::incident::{Basis, Evidence, Finding, Severity};
use crate::keep::keep;
use crate::lateness::{Event, Lateness};
use crate::places::Place;
use crate::pulse::Side;
use crate::second::end_of;
use crate::silence::{Moment, Silence};
use crate::sources::{CREDITS, PAYMENTS};

/// What was paid so long before a source fell behind may wait because of it, in seconds.
const LEAD_S: i64 = 60;

/// After the last late record what is still under way comes within so many seconds.
const FOLLOWS_S: i64 = 5;

/// Sources are compared so often, in seconds.
const COMPARED_EVERY_S: i64 = 2;

/// Late sources explain their payments so long afterwards, in seconds.
const REMEMBERED_S: i64 = 1200;

/// What comes while a source catches up is looked at over so many seconds.
const FLOOD_S: i64 = 10;

/// Where and when payments wait because their source is late.
struct Past {
    scope: Scope,
    from_s: i64,
    until_s: i64,
}

impl Past {
    fn of(event: &Event, until_s: i64) -> Self {
        Self {
            scope: event.place.scope(),
            from_s: event.fine_s - LEAD_S,
            until_s,
        }
    }

    fn has(&self, at_ms: i64, lead_ms: i64) -> bool {
        at_ms >= self.from_s * 1000 - lead_ms && at_ms < self.until_s.saturating_mul(1000)
    }
}

/// Incidents, by the number of their event.
#[derive(Default)]
pub(crate) struct Late {
    open: Vec<(u64, Entry)>,
    now: Vec<Past>,
    over: Vec<Past>,
}

impl Late {
    /// Whether a row is slow because its source is, or was, late, or was paid at most `lead_ms` before.
    pub(crate) fn explains(&self, row: &Row, values: &[ValueId], lead_ms: i64) -> bool {
        let mut pasts = self.now.iter().chain(&self.over);
        pasts.any(|past| past.has(row.accepted_ms, lead_ms) && past.scope.holds(values))
    }

    /// Whether a credit that was appended at `at_ms` may be of a source that is, or was, late: of its payment's
    /// attributes not all are known.
    pub(crate) fn may_cover(&self, at_ms: i64, values: &[ValueId]) -> bool {
        let mut pasts = self.now.iter().chain(&self.over);
        pasts.any(|past| past.has(at_ms, 0) && past.scope.may_hold(values))
    }

    /// The second ended.
    pub(crate) fn end_second(
        &mut self,
        moment: &Moment<'_>,
        lateness: &mut Lateness,
        silence: &mut Silence,
        book: &mut Book,
    ) {
        let second = moment.second;
        if second.rem_euclid(COMPARED_EVERY_S) != 0 {
            return;
        }
        lateness.look(second);
        for event in lateness.take_over(second) {
            self.close(&event, moment, silence, book);
        }
        self.now.clear();
        for event in lateness.events() {
            let known = self.open.iter().find(|(number, _)| *number == event.number);
            if let Some((_, entry)) = known {
                let report = report(event, moment, silence);
                book.update(*entry, report, end_of(second));
            } else if !self.tell(event, moment, silence, book) {
                continue;
            }
            if !event.clock {
                self.now.push(Past::of(event, i64::MAX));
            }
        }
        self.over
            .retain(|past| past.until_s + REMEMBERED_S > second);
    }

    /// Opens the incident of an event; not while what was silent sends what is missing.
    fn tell(
        &mut self,
        event: &Event,
        moment: &Moment<'_>,
        silence: &mut Silence,
        book: &mut Book,
    ) -> bool {
        let second = moment.second;
        let wide = event.place.is_wide() && !event.clock;
        let silent = silence.silent_before(event.since_s).filter(|_| wide);
        let catches_up = silent.is_some_and(|(stream, rate)| {
            let floods = |from_s: i64| {
                let span = (from_s, from_s + FLOOD_S - 1);
                moment.sources.is_flooding(stream, rate, span)
            };
            let flooded = || floods(event.since_s) || floods(second - FLOOD_S + 1);
            second - event.since_s < FLOOD_S || !event.constant && flooded()
        });
        if wide {
            silence.catches_up(event.last_s);
        }
        if !event.steady || !event.has_stood() || catches_up {
            return false;
        }
        let entry = silent.and_then(|_| silence.give_up(event.since_s, second));
        let report = report(event, moment, silence);
        let now = end_of(second);
        let entry = match entry {
            Some(entry) => book.hand_over(entry, Family::Sources, report, now),
            None => {
                let mut scopes = symptoms(event, moment, book);
                scopes.push(report.scope.clone());
                book.take_over(&scopes, Family::Sources, report, now)
            }
        };
        self.open.push((event.number, entry));
        true
    }

    fn close(&mut self, event: &Event, moment: &Moment<'_>, silence: &Silence, book: &mut Book) {
        let at = self
            .open
            .iter()
            .position(|(number, _)| *number == event.number);
        let Some(at) = at else { return };
        let (_, entry) = self.open.remove(at);
        let report = report(event, moment, silence);
        book.resolve(entry, report, end_of(moment.second));
        if !event.clock {
            self.over.push(Past::of(event, event.last_s + FOLLOWS_S));
        }
    }
}

/// The places of open incidents whose payments are slow because of an event: nearly all that were made since lie in its
/// place.
fn symptoms(event: &Event, moment: &Moment<'_>, book: &Book) -> Vec<Scoped> {
    let Detector { values, dims, .. } = moment.detector;
    let place = event.place.scope();
    let open = book.open_ones().map(|incident| &incident.scope);
    let within = open.filter(|named| {
        let scope = Scope::of_names(named, values, dims);
        scope.is_some_and(|scope| moment.detector.suffers_in(&scope, &place, event.fine_s))
    });
    within.cloned().collect()
}

fn report(event: &Event, moment: &Moment<'_>, silence: &Silence) -> Report {
    let detector = moment.detector;
    let seconds = event.shift_ms / 1000;
    let (cause, why) = if event.clock {
        (
            Cause::ClockSkew,
            format!(
                "not a delay: records are appended in time, their business times are off by {} s",
                -seconds
            ),
        )
    } else {
        (
            Cause::SyncDelay,
            format!("not the clock: records were missing before they came {seconds} s late"),
        )
    };
    let scope = match event.place {
        Place::Stream(Side::Payments) => silence.scope_of(PAYMENTS),
        Place::Stream(Side::Credits) => silence.scope_of(CREDITS),
        place => place.scope().named(&detector.values, &detector.dims),
    };
    let onset_s = if event.clock {
        event.since_s
    } else {
        event.fine_s
    };
    let (evidence, samples) = if event.clock {
        let evidence = Evidence {
            touched: event.count,
            rate_inside: 1.0,
            ..Evidence::default()
        };
        (evidence, Vec::new())
    } else {
        let during = (onset_s * 1000, (event.last_s + FOLLOWS_S) * 1000);
        let now_ms = end_of(moment.second).millis();
        let place = event.place.scope();
        let tally = Tally::of(detector, &place, during, now_ms, &|_, _| false);
        let samples = tally.samples();
        (tally.evidence(), samples)
    };
    Report {
        finding: Finding {
            cause,
            basis: Basis::Inferred,
            confidence: 0.9,
            ruled_out: vec![why],
        },
        severity: Severity::Warning,
        scope,
        started_at: Timestamp::from_millis(onset_s * 1000),
        evidence,
        samples,
    }
}

keep!(Past {
    scope,
    from_s,
    until_s,
});
keep!(Late { open, now, over });

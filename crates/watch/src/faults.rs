//! Faults of payments that are late or lost: from a suspicion to an incident and to its end.

use settlewatch_join::event::Currency;
use settlewatch_join::{Span, Timestamp};

use crate::detect::Detector;
use crate::detect::localise::Suspicion;
use crate::detect::onset::onset_ms;
use crate::detect::rates::excess;
use crate::detect::rows::{Change, Row};
use crate::detect::scope::Scope;
use crate::detect::values::ValueId;
use crate::evidence::Tally;
use crate::feeds::Feeds;
use crate::gateways::Gateways;
use crate::incident::book::{Book, Entry, Family, Report, severity};
use crate::incident::cause::Cause;
use crate::incident::{Finding, Severity};
use crate::pulse::{CHANNEL, MERCHANT, STORE, TERMINAL};
use crate::stop::Stop;
use crate::terminals::Terminals;
use crate::verdict::Scene;

/// A suspicion must stand for so many seconds, unless it is beyond doubt.
const STANDS_S: i64 = 2;

/// Evidence in natural units that is beyond doubt.
const CERTAIN_NATS: f64 = 60.0;

/// A fault is over when nothing was touched by it for so long, in seconds.
const OVER_S: i64 = 100;

/// A fault goes on while it stood out within so many seconds.
const STANDING_S: i64 = 10;

/// Evidence is looked at again so often, in seconds; in its first half minute every second.
const REVIEWED_S: i64 = 5;

/// The same of the place, which takes more time.
const RESCOPED_S: i64 = 15;

/// Evidence in natural units with which a fault still stands out.
const STILL_NATS: f64 = 1.8;

/// What came before a fault is remembered so long after it was opened, in seconds.
const REMEMBERED_S: i64 = 900;

/// Payments that came so long before the onset may be slow because of it, in milliseconds.
const LEAD_MS: i64 = 10_000;

/// Rows before the onset that a review looks at, in seconds.
const BEFORE_S: i64 = 30;

/// A fault that is open.
struct Fault {
    entry: Entry,
    scope: Scope,
    lost: bool,
    onset_ms: i64,
    opened_s: i64,
    /// When a payment was last touched by it.
    effect_s: i64,
    /// When it last stood out.
    seen_s: i64,
    was_down: bool,
    confidence: f64,
    /// A better place, and since when.
    better: Option<(Scope, i64)>,
    /// A verdict that differs from the one that was said, and since when.
    turning: Option<(Cause, i64)>,
    finding: Option<Finding>,
}

/// A suspicion that has not stood long enough.
struct Pending {
    suspicion: Suspicion,
    since_s: i64,
    seen_s: i64,
}

/// What a verdict needs besides the rows.
pub(crate) struct Around<'a> {
    pub(crate) terminals: &'a Terminals,
    pub(crate) feeds: &'a Feeds,
    pub(crate) gateways: &'a Gateways,
    pub(crate) heartbeat: Option<Span>,
    pub(crate) account_feed: bool,
    pub(crate) marker_feed: bool,
    pub(crate) critical_minor: &'a [(Currency, u64)],
}

/// All of them.
#[derive(Default)]
pub(crate) struct Faults {
    open: Vec<Fault>,
    pending: Vec<Pending>,
    /// Places of faults that are over, and until when their payments explain themselves.
    over: Vec<(Scope, i64, i64)>,
}

impl Faults {
    /// Whether a row's slowness is explained by a fault that is over.
    pub(crate) fn is_over_for(&self, row: &Row, values: &[ValueId]) -> bool {
        self.over.iter().any(|(scope, from_ms, until_ms)| {
            row.accepted_ms >= *from_ms && row.accepted_ms <= *until_ms && scope.holds(values)
        })
    }

    /// Whether a row's slowness is explained by a fault that is over, or open.
    pub(crate) fn explains(&self, row: &Row, values: &[ValueId]) -> bool {
        let open = self
            .open
            .iter()
            .any(|fault| row.accepted_ms >= fault.onset_ms - LEAD_MS && fault.scope.holds(values));
        open || self.is_over_for(row, values)
    }

    /// Whether no open fault explains that a channel's credits do not come: none of something that lies across
    /// channels.
    pub(crate) fn leave_room_for(&self, channel: &Scope) -> bool {
        self.open.iter().all(|fault| {
            let is_small = [TERMINAL, MERCHANT, STORE]
                .iter()
                .any(|dim| fault.scope.has(*dim));
            is_small
                || fault.scope == *channel
                || fault.scope.has(CHANNEL) && !contains(channel, &fault.scope)
        })
    }

    /// The second `second` ended with these changes and suspicions.
    pub(crate) fn end_second(
        &mut self,
        second: i64,
        detector: &Detector,
        changes: &[Change],
        suspicions: Vec<Suspicion>,
        around: &Around<'_>,
        book: &mut Book,
    ) {
        self.touch(second, detector, changes);
        for suspicion in suspicions {
            self.place(second, detector, suspicion, around, book);
        }
        self.pending.retain(|pending| pending.seen_s + 3 >= second);
        for fault in &mut self.open {
            fault.review(second, detector, around, book);
        }
        self.fold(second, detector, around, book);
        self.close(second, detector, around, book);
    }

    /// What changed for payments of open faults keeps them open.
    fn touch(&mut self, second: i64, detector: &Detector, changes: &[Change]) {
        for change in changes {
            let (Change::Late(number) | Change::Overdue(number)) = *change else {
                continue;
            };
            let Some(row) = detector.rows.get(number) else {
                continue;
            };
            let values = detector.values.of(row.tuple);
            for fault in &mut self.open {
                let is_its = row.accepted_ms >= fault.onset_ms - 1000
                    && row.accepted_ms <= fault.seen_s * 1000
                    && fault.scope.holds(values);
                if is_its {
                    fault.effect_s = second;
                }
            }
        }
    }

    /// A suspicion belongs to a fault that is open, or is a new one.
    fn place(
        &mut self,
        second: i64,
        detector: &Detector,
        suspicion: Suspicion,
        around: &Around<'_>,
        book: &mut Book,
    ) {
        let known = self
            .open
            .iter()
            .position(|fault| fault.is_about(&suspicion, second, detector));
        if let Some(at) = known {
            let fault = &mut self.open[at];
            fault.seen_s = second;
            fault.confidence = fault.confidence.max(confidence(&suspicion));
            return;
        }
        let pending = self
            .pending
            .iter_mut()
            .find(|pending| pending.suspicion.scope == suspicion.scope);
        let since_s = match pending {
            Some(pending) => {
                pending.seen_s = second;
                pending.suspicion = suspicion.clone();
                pending.since_s
            }
            None => {
                self.pending.push(Pending {
                    suspicion: suspicion.clone(),
                    since_s: second,
                    seen_s: second,
                });
                second
            }
        };
        if second - since_s >= STANDS_S - 1 || suspicion.nats >= CERTAIN_NATS {
            self.pending
                .retain(|pending| pending.suspicion.scope != suspicion.scope);
            self.open(second, detector, &suspicion, around, book);
        }
    }

    fn open(
        &mut self,
        second: i64,
        detector: &Detector,
        suspicion: &Suspicion,
        around: &Around<'_>,
        book: &mut Book,
    ) {
        let onset = suspicion
            .since_ms
            .or_else(|| onset_of(detector, &suspicion.scope, second, suspicion.lost));
        let Some(onset) = onset else { return };
        let mut fault = Fault {
            entry: Entry::NONE,
            scope: suspicion.scope.clone(),
            lost: suspicion.lost,
            onset_ms: onset,
            opened_s: second,
            effect_s: second,
            seen_s: second,
            was_down: false,
            confidence: confidence(suspicion),
            better: None,
            turning: None,
            finding: None,
        };
        fault.stop(second, detector);
        let report = fault.report(second, detector, around);
        fault.finding = Some(report.finding.clone());
        fault.entry = book.open(Family::Credits, report, end_of(second));
        self.open.push(fault);
    }

    /// A fault within another one is part of it.
    fn fold(&mut self, second: i64, detector: &Detector, around: &Around<'_>, book: &mut Book) {
        let mut at = 0;
        while at < self.open.len() {
            let inner = &self.open[at];
            let outer = self.open.iter().enumerate().find(|(other, outer)| {
                *other != at
                    && (outer.scope == inner.scope && *other < at
                        || outer.scope != inner.scope && contains(&outer.scope, &inner.scope))
            });
            if outer.is_some() {
                let folded = self.open.remove(at);
                let report = folded.report(second, detector, around);
                book.resolve(folded.entry, report, end_of(second));
            } else {
                at += 1;
            }
        }
    }

    fn close(&mut self, second: i64, detector: &Detector, around: &Around<'_>, book: &mut Book) {
        let (over, open) = std::mem::take(&mut self.open)
            .into_iter()
            .partition(|fault| fault.is_over(second));
        self.open = open;
        for fault in Vec::<Fault>::from_iter(over) {
            let mut fault = fault;
            let mut report = fault.report(second, detector, around);
            fault.settle(second, &mut report);
            book.resolve(fault.entry, report, end_of(second));
            let until_ms = fault.seen_s.max(fault.effect_s) * 1000;
            self.over
                .push((fault.scope, fault.onset_ms - LEAD_MS, until_ms));
        }
        self.over
            .retain(|(_, _, until_ms)| until_ms + 1_200_000 > second * 1000);
    }

    /// Evidence of each open fault, by its place in the book.
    pub(crate) fn is_quiet(&self) -> bool {
        self.open.is_empty() && self.pending.is_empty()
    }
}

impl Fault {
    /// Whether a suspicion is about this fault: most of what is bad in either lies in the other.
    fn is_about(&self, suspicion: &Suspicion, second: i64, detector: &Detector) -> bool {
        if self.scope == suspicion.scope {
            return true;
        }
        let (mut theirs, mut ours, mut both) = (0_u32, 0_u32, 0_u32);
        for row in detector.rows.since(second - suspicion.window_s) {
            if !row.is_bad(suspicion.lost) {
                continue;
            }
            let values = detector.values.of(row.tuple);
            let in_theirs = suspicion.scope.holds(values);
            let in_ours = self.scope.holds(values) && row.accepted_ms >= self.onset_ms - 5000;
            theirs += u32::from(in_theirs);
            ours += u32::from(in_ours);
            both += u32::from(in_theirs && in_ours);
        }
        both * 2 > theirs || (both * 2 > ours && ours >= 3)
    }

    /// Looks at the place and the verdict again.
    fn review(&mut self, second: i64, detector: &Detector, around: &Around<'_>, book: &mut Book) {
        let young = second - self.opened_s < 30;
        if self.stands_out(second, detector) {
            self.seen_s = second;
        }
        let standing = self.is_standing(second);
        let age_s = second - self.opened_s;
        let due = age_s < 10 || age_s % if young { 3 } else { RESCOPED_S } == 0;
        if standing && due {
            self.rescope(second, detector);
        }
        if young || second.rem_euclid(REVIEWED_S) == 0 {
            if standing {
                self.stop(second, detector);
            }
            let mut report = self.report(second, detector, around);
            self.settle(second, &mut report);
            book.update(self.entry, report, end_of(second));
        }
    }

    /// Whether its place is worse than usual, of late.
    fn stands_out(&self, second: i64, detector: &Detector) -> bool {
        [30, 120].into_iter().any(|window_s| {
            let (mut bad, mut mean) = (0.0, 0.0);
            for row in detector.rows.since(second - window_s) {
                let counts = row.timed && !row.ended;
                if counts && self.scope.holds(detector.values.of(row.tuple)) {
                    bad += f64::from(u8::from(row.is_bad(self.lost)));
                    mean += detector.usual_share(row, self.lost);
                }
            }
            let frequent = mean >= 0.3 || window_s > 30;
            frequent
                && (window_s == 30 || mean < 0.3 * 4.0)
                && bad >= 2.0 * mean
                && excess(bad, mean) > STILL_NATS
        })
    }

    /// Whether it goes on, as far as is known.
    fn is_standing(&self, second: i64) -> bool {
        second - self.seen_s < STANDING_S
    }

    /// Whether credits stopped: as long as what came before the fault is remembered.
    fn stop(&mut self, second: i64, detector: &Detector) {
        if second - self.opened_s > REMEMBERED_S {
            return;
        }
        let now_ms = (second + 1) * 1000;
        let stop = Stop::of(detector, &self.scope, self.onset_ms, now_ms);
        if let Some(stop) = &stop
            && !self.was_down
        {
            self.onset_ms = self.onset_ms.max(stop.since_ms + 1);
        }
        self.was_down = stop.is_some();
    }

    /// A verdict is said when it has stood for some seconds: evidence comes piece by piece.
    fn settle(&mut self, second: i64, report: &mut Report) {
        let Some(said) = &self.finding else { return };
        if !self.is_standing(second) {
            // What comes after a fault says nothing of it.
            report.finding = said.clone();
            return;
        }
        let same = said.cause == report.finding.cause && said.basis == report.finding.basis;
        if same {
            self.turning = None;
            self.finding = Some(report.finding.clone());
            return;
        }
        let since = match &self.turning {
            Some((cause, since)) if *cause == report.finding.cause => *since,
            _ => {
                self.turning = Some((report.finding.cause, second));
                second
            }
        };
        if second - since >= 3 {
            self.turning = None;
            self.finding = Some(report.finding.clone());
        } else {
            report.finding = said.clone();
        }
    }

    /// The place that explains best what was bad since the fault began.
    fn rescope(&mut self, second: i64, detector: &Detector) {
        let after = self.onset_ms.div_euclid(1000) - BEFORE_S;
        let after = after.max(second - 600);
        let found = detector
            .localise(after, second - after, self.lost, &|_, _| false)
            .into_iter()
            .find(|suspicion| self.is_about(suspicion, second, detector));
        let Some(found) = found.filter(|found| found.scope != self.scope) else {
            self.better = None;
            return;
        };
        let since = match &self.better {
            Some((scope, since)) if *scope == found.scope => *since,
            _ => {
                self.better = Some((found.scope, second));
                return;
            }
        };
        if second - since >= 3 {
            self.scope = found.scope;
            self.better = None;
            if let Some(onset) = onset_of(detector, &self.scope, second, self.lost) {
                self.onset_ms = onset.min(self.onset_ms + 30_000);
            }
        }
    }

    fn report(&self, second: i64, detector: &Detector, around: &Around<'_>) -> Report {
        let now = end_of(second);
        let until_ms = if self.is_standing(second) {
            i64::MAX
        } else {
            self.seen_s * 1000
        };
        let tally = Tally::of(
            detector,
            &self.scope,
            (self.onset_ms, until_ms),
            now.millis(),
        );
        let named = self.scope.named(&detector.values, &detector.dims);
        let scene = Scene {
            detector,
            terminals: around.terminals,
            feeds: around.feeds,
            gateways: around.gateways,
            heartbeat: around.heartbeat,
            account_feed: around.account_feed,
            marker_feed: around.marker_feed,
            scope: &self.scope,
            named: &named,
            onset_ms: self.onset_ms,
            now,
            tally: &tally,
            was_down: self.was_down,
        };
        let finding = scene.verdict(self.confidence);
        let mut evidence = tally.evidence();
        if finding.cause == Cause::LimitExceeded {
            evidence.amount_above_minor = tally.amount_above();
        }
        let severity = match finding.cause {
            Cause::TerminalBusy => Severity::Info,
            _ => severity(self.was_down, &evidence, around.critical_minor),
        };
        Report {
            finding,
            severity,
            scope: named,
            started_at: Timestamp::from_millis(self.onset_ms),
            evidence,
            samples: tally.samples.iter().map(ToString::to_string).collect(),
        }
    }

    fn is_over(&self, second: i64) -> bool {
        second - self.seen_s >= OVER_S / 2 && second - self.effect_s.max(self.seen_s) >= OVER_S
            || second - self.seen_s >= 2 * OVER_S
    }
}

/// Whether everything in `inner` lies in `outer`.
fn contains(outer: &Scope, inner: &Scope) -> bool {
    outer.0.iter().all(|(dim, any)| {
        inner
            .0
            .iter()
            .any(|(known, values)| known == dim && values.iter().all(|value| any.contains(value)))
    })
}

fn onset_of(detector: &Detector, scope: &Scope, second: i64, lost: bool) -> Option<i64> {
    let rows = detector
        .rows
        .since(second - 900)
        .filter(|row| row.timed && !row.ended && scope.holds(detector.values.of(row.tuple)));
    onset_ms(rows, |row| detector.usual_share(row, lost), lost)
}

fn confidence(suspicion: &Suspicion) -> f64 {
    let odds = 1.0 - (-suspicion.nats / 20.0).exp();
    (0.5 + 0.5 * odds * suspicion.coverage.clamp(0.3, 1.0)).min(0.99)
}

/// The last millisecond of a second is over.
pub(crate) fn end_of(second: i64) -> Timestamp {
    Timestamp::from_millis((second + 1) * 1000)
}

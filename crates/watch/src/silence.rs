//! Incidents of sources: those that say nothing, come late, or have a wrong clock.

use settlewatch_join::Timestamp;
use settlewatch_join::event::Currency;

use crate::detect::Detector;
use crate::detect::rows::{Change, Row};
use crate::detect::scope::Scope;
use crate::evidence::Tally;
use crate::faults::end_of;
use crate::incident::book::{Book, Entry, Family, Report, severity};
use crate::incident::cause::Cause;
use crate::incident::{Basis, Finding, Severity};
use crate::lateness::Shift;
use crate::sources::{Aftermath, Silent, Sources};

/// Index of the stream of credits.
const CREDITS: u8 = 1;

/// Streams whose silence is an incident: payments, credits, lifecycle.
const STREAMS: u8 = 3;

/// Over when nothing was touched for so long, in seconds.
const OVER_S: i64 = 75;

/// A source that speaks again catches up within so many seconds, or it is late for good.
const CATCHES_UP_S: i64 = 15;

/// A source that is silent, or was until a moment ago.
struct Open {
    entry: Entry,
    silent: Silent,
    /// When it spoke again.
    spoke_s: Option<i64>,
    effect_s: i64,
    finding: Finding,
    everything: bool,
}

/// A source whose records are late, or whose clock is wrong.
struct Late {
    entry: Entry,
    shift: Shift,
    last_s: i64,
}

/// Names of the streams, by index.
pub(crate) struct Silence {
    streams: Vec<String>,
    open: Vec<Open>,
    late: Vec<Late>,
    /// Times in which payments explain themselves: partition, from, until in milliseconds.
    over: Vec<(Option<i32>, i64, i64)>,
}

impl Silence {
    pub(crate) fn new(streams: Vec<String>) -> Self {
        Self {
            streams,
            open: Vec::new(),
            late: Vec::new(),
            over: Vec::new(),
        }
    }

    /// Whether every credit is missing, or everything is late.
    pub(crate) fn is_everything(&self) -> bool {
        self.open
            .iter()
            .any(|open| open.silent.partition.is_none() && open.silent.stream <= CREDITS)
    }

    /// Whether a row is slow because a source is, or was, silent.
    pub(crate) fn explains(&self, row: &Row) -> bool {
        let is_in = |partition: Option<i32>, from_ms: i64, until_ms: i64| {
            row.accepted_ms >= from_ms
                && row.accepted_ms <= until_ms
                && partition.is_none_or(|known| known == row.partition)
        };
        let open = self.open.iter().any(|open| {
            let until = open.spoke_s.map_or(i64::MAX, |spoke| (spoke + 5) * 1000);
            is_in(
                open.silent.partition,
                (open.silent.since_s - 30) * 1000,
                until,
            )
        });
        open || self
            .over
            .iter()
            .any(|(partition, from, until)| is_in(*partition, *from, *until))
    }

    /// The second `second` ended.
    #[expect(clippy::too_many_arguments, reason = "what a second is made of")]
    pub(crate) fn end_second(
        &mut self,
        second: i64,
        detector: &Detector,
        sources: &Sources,
        shifts: Vec<Shift>,
        changes: &[Change],
        critical_minor: &[(Currency, u64)],
        maintained: bool,
        book: &mut Book,
    ) {
        self.touch(second, detector, changes);
        if !maintained {
            self.fall_silent(second, detector, sources, critical_minor, book);
        }
        for at in 0..self.open.len() {
            self.review(at, second, detector, sources, critical_minor, book);
        }
        self.shifted(second, detector, shifts, book);
        self.close(second, detector, critical_minor, book);
    }

    fn touch(&mut self, second: i64, detector: &Detector, changes: &[Change]) {
        for change in changes {
            let (Change::Late(number) | Change::Overdue(number)) = *change else {
                continue;
            };
            let Some(row) = detector.rows.get(number) else {
                continue;
            };
            for open in &mut self.open {
                let until = open.spoke_s.map_or(i64::MAX, |spoke| (spoke + 5) * 1000);
                let during = row.accepted_ms >= (open.silent.since_s - 30) * 1000
                    && row.accepted_ms <= until;
                let here = open
                    .silent
                    .partition
                    .is_none_or(|partition| partition == row.partition);
                if during && here {
                    open.effect_s = second;
                }
            }
        }
    }

    fn fall_silent(
        &mut self,
        second: i64,
        detector: &Detector,
        sources: &Sources,
        critical_minor: &[(Currency, u64)],
        book: &mut Book,
    ) {
        for silent in sources.silent(second, STREAMS) {
            let known = self.open.iter().any(|open| {
                open.silent.partition.is_none() && open.spoke_s.is_none()
                    || open.silent.stream == silent.stream
                        && open.silent.partition == silent.partition
            });
            // Stages come and go with payments: their silence alone is told by its own verdicts.
            let counts = silent.stream < 2
                && (silent.stream != CREDITS
                    || silent.partition.is_some()
                    || sources.payments_go_on(silent.since_s, second));
            if known || !counts {
                continue;
            }
            let mut open = Open {
                entry: Entry::NONE,
                spoke_s: None,
                effect_s: second,
                finding: self.judge(&silent, sources, second),
                everything: false,
                silent,
            };
            open.everything = open.finding.cause == Cause::PlatformBackend;
            let report = self.report(&open, second, detector, critical_minor);
            open.entry = book.open(Family::Silence, report, end_of(second));
            self.open.push(open);
        }
    }

    fn judge(&self, silent: &Silent, sources: &Sources, second: i64) -> Finding {
        let (cause, basis, why) = if silent.stream != CREDITS || silent.partition.is_some() {
            (
                Cause::SourceSilent,
                Basis::Inferred,
                "the others go on: only this feed is silent",
            )
        } else {
            match sources.aftermath(silent.since_s, second) {
                Aftermath::AsUsual => (
                    Cause::SourceSilent,
                    Basis::Confirmed,
                    "not the platform: what follows a credit arrives as usual",
                ),
                Aftermath::Stopped => (
                    Cause::PlatformBackend,
                    Basis::Confirmed,
                    "not the feed alone: what follows a credit stopped too",
                ),
                Aftermath::Rejections => (
                    Cause::PlatformBackend,
                    Basis::Confirmed,
                    "not the feed: rejections come in place of credits",
                ),
                Aftermath::Unknown => (
                    Cause::SourceSilent,
                    Basis::Guess,
                    "a dead feed and a dead platform look alike from here: no stages or batches follow credits that would tell",
                ),
            }
        };
        Finding {
            cause,
            basis,
            confidence: if basis == Basis::Guess { 0.5 } else { 0.9 },
            ruled_out: vec![why.into()],
        }
    }

    fn review(
        &mut self,
        at: usize,
        second: i64,
        detector: &Detector,
        sources: &Sources,
        critical_minor: &[(Currency, u64)],
        book: &mut Book,
    ) {
        let open = &self.open[at];
        match open.spoke_s {
            None => {
                let spoke_s = sources.speaks(&open.silent);
                let finding = self.judge(&open.silent, sources, second);
                let open = &mut self.open[at];
                open.spoke_s = spoke_s;
                // What is seen while it lasts is the evidence; the first seconds may mislead.
                if spoke_s.is_none() && second - open.silent.since_s < 90 {
                    open.everything = finding.cause == Cause::PlatformBackend;
                    open.finding = finding;
                }
                if spoke_s.is_some() {
                    open.effect_s = second;
                }
            }
            Some(spoke) if second - spoke == CATCHES_UP_S => {
                let late = open.silent.partition.is_none()
                    && open.silent.stream == CREDITS
                    && is_still_late(detector, second);
                if late {
                    let open = &mut self.open[at];
                    open.everything = true;
                    open.finding = Finding {
                        cause: Cause::SyncDelay,
                        basis: Basis::Inferred,
                        confidence: 0.9,
                        ruled_out: vec![
                            "not silent: credits come again, each as late as the one before".into(),
                        ],
                    };
                }
            }
            Some(_) => {}
        }
        let report = self.report(&self.open[at], second, detector, critical_minor);
        book.update(self.open[at].entry, report, end_of(second));
    }

    fn report(
        &self,
        open: &Open,
        second: i64,
        detector: &Detector,
        critical_minor: &[(Currency, u64)],
    ) -> Report {
        let onset_ms = (open.silent.since_s + 1) * 1000;
        let now = end_of(second);
        let tally = Tally::of(
            detector,
            &Scope::default(),
            (onset_ms, i64::MAX),
            now.millis(),
        );
        let mut scope = Vec::new();
        if !open.everything {
            let name = self.streams.get(usize::from(open.silent.stream));
            scope.push(("stream".to_owned(), vec![name.cloned().unwrap_or_default()]));
            if let Some(partition) = open.silent.partition {
                scope.push(("partition".to_owned(), vec![partition.to_string()]));
            }
        }
        let evidence = tally.evidence();
        let total = open.silent.partition.is_none() && open.silent.stream == CREDITS;
        Report {
            finding: open.finding.clone(),
            severity: severity(total, &evidence, critical_minor),
            scope,
            started_at: Timestamp::from_millis(onset_ms),
            evidence,
            samples: tally.samples.iter().map(ToString::to_string).collect(),
        }
    }

    fn shifted(&mut self, second: i64, detector: &Detector, shifts: Vec<Shift>, book: &mut Book) {
        for shift in shifts {
            let everything = self
                .open
                .iter()
                .any(|open| open.finding.cause == Cause::SyncDelay || open.spoke_s.is_some());
            if everything && !shift.clock {
                continue;
            }
            let known = self.late.iter().position(|late| {
                late.shift.source == shift.source && late.shift.clock == shift.clock
            });
            if let Some(at) = known {
                self.late[at].last_s = second;
                let report = late_report(&shift, detector);
                book.update(self.late[at].entry, report, end_of(second));
                continue;
            }
            let report = late_report(&shift, detector);
            let entry = book.open(Family::Sources, report, end_of(second));
            self.late.push(Late {
                entry,
                last_s: second,
                shift,
            });
        }
    }

    fn close(
        &mut self,
        second: i64,
        detector: &Detector,
        critical_minor: &[(Currency, u64)],
        book: &mut Book,
    ) {
        let mut at = 0;
        while at < self.open.len() {
            let open = &self.open[at];
            let late = open.finding.cause == Cause::SyncDelay && is_still_late(detector, second);
            let over = open.spoke_s.is_some() && second - open.effect_s >= OVER_S && !late;
            if over {
                let report = self.report(open, second, detector, critical_minor);
                let open = self.open.remove(at);
                book.resolve(open.entry, report, end_of(second));
                self.over.push((
                    open.silent.partition,
                    (open.silent.since_s - 30) * 1000,
                    open.effect_s.max(open.spoke_s.unwrap_or(second)) * 1000,
                ));
            } else {
                at += 1;
            }
        }
        self.over
            .retain(|(_, _, until)| until + 1_200_000 > second * 1000);
        let (over, late) = std::mem::take(&mut self.late)
            .into_iter()
            .partition(|late| second - late.last_s >= OVER_S);
        self.late = late;
        for late in Vec::<Late>::from_iter(over) {
            let report = late_report(&late.shift, detector);
            book.resolve(late.entry, report, end_of(second));
        }
    }

    /// Scopes whose records are late: what is slow there is explained.
    pub(crate) fn late_scopes(&self) -> Vec<(Scope, i64)> {
        self.late
            .iter()
            .filter(|late| !late.shift.clock)
            .map(|late| {
                let scope = late
                    .shift
                    .source
                    .map_or_else(Scope::default, |(dim, value)| Scope::one(dim, value));
                (scope, late.shift.since_s)
            })
            .collect()
    }
}

/// Whether the credits of the last seconds came as late in the log as those before, though by business time
/// they were in time.
fn is_still_late(detector: &Detector, second: i64) -> bool {
    let credited = detector.rows.since(second - 5).filter(|row| row.timed);
    let (mut all, mut late) = (0, 0);
    for row in credited {
        if let (Some(lag), Some(business)) = (row.lag_ms, row.business_ms) {
            all += 1;
            let apart = lag as i64 - business;
            late += u32::from(apart >= 5_000 && business < 30_000);
        }
    }
    all >= 5 && late * 2 >= all
}

fn late_report(shift: &Shift, detector: &Detector) -> Report {
    let scope = shift
        .source
        .map_or_else(Scope::default, |(dim, value)| Scope::one(dim, value));
    let (cause, why) = if shift.clock {
        (
            Cause::ClockSkew,
            format!(
                "not a delay: records are appended in time, their business times are off by {} s",
                -shift.shift_ms / 1000
            ),
        )
    } else {
        (
            Cause::SyncDelay,
            format!(
                "not the clock: the records are appended {} s later than usual",
                shift.shift_ms / 1000
            ),
        )
    };
    let evidence = crate::incident::Evidence {
        touched: shift.count,
        rate_inside: 1.0,
        ..Default::default()
    };
    Report {
        finding: Finding {
            cause,
            basis: Basis::Inferred,
            confidence: 0.9,
            ruled_out: vec![why],
        },
        severity: Severity::Warning,
        scope: scope.named(&detector.values, &detector.dims),
        started_at: Timestamp::from_millis(shift.since_s * 1000),
        evidence,
        samples: Vec::new(),
    }
}

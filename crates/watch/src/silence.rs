//! Incidents of streams and partitions that say nothing.

use settlewatch_join::Timestamp;
use settlewatch_join::event::Currency;

use crate::detect::Detector;
use crate::detect::rows::{Change, Row};
use crate::detect::scope::Scope;
use crate::detect::values::ValueId;
use crate::evidence::Tally;
use crate::incident::book::{Book, Entry, Family, Report, Scoped, severity, stream_scope};
use crate::incident::cause::Cause;
use crate::incident::{Basis, Finding};
use crate::keep::{Keep, Reader, Unreadable, Writer, keep};
use crate::second::end_of;
use crate::sources::{
    Aftermath, CREDITS, LIFECYCLE, NO_STREAM, PAYMENTS, Silent, Sources, hides_payments,
};
use crate::terminals::{Heartbeat, Terminals};

/// Over when nothing was touched for so long, in seconds.
const OVER_S: i64 = 75;

/// What was paid so long before a silence may wait because of it, in seconds.
const LEAD_S: i64 = 30;

/// After it speaks again, in seconds, what is missing follows at once.
const FOLLOWS_S: i64 = 5;

/// What is seen in the first seconds may mislead; so long the evidence is looked at again, in seconds.
const JUDGED_S: i64 = 90;

/// When it has spoken so long without anything late, in seconds, what is wrong then is another fault.
const SETTLED_S: i64 = 15;

/// Partitions that fall silent within so many seconds are one fault.
const TOGETHER_S: i64 = 30;

/// What began so long before all fell silent, in milliseconds, was its first sign: who was credited last is not known to
/// the second.
pub(crate) const FIRST_SIGNS_MS: i64 = 10_000;

/// What was silent explains its payments so long afterwards, in milliseconds.
const REMEMBERED_MS: i64 = 1_200_000;

/// What a second is made of, for incidents of sources.
pub(crate) struct Moment<'a> {
    pub(crate) second: i64,
    pub(crate) detector: &'a Detector,
    pub(crate) sources: &'a Sources,
    pub(crate) critical_minor: &'a [(Currency, u64)],
    /// Whether everything is under maintenance: nothing falls silent then.
    pub(crate) maintained: bool,
    /// What is expected of heartbeats; `None` where they are not, or not all of them were read.
    pub(crate) heartbeat: Option<Heartbeat>,
    pub(crate) terminals: &'a Terminals,
}

impl Moment<'_> {
    /// Whether credits seem to stop only because most are of a part of the way that did.
    fn stops_in_part(&self, silent: &Silent) -> bool {
        silent.stream == CREDITS
            && silent.hides_all()
            && self.detector.some_go_on(silent.since_s, self.second)
    }

    fn silent(&self) -> impl Iterator<Item = Silent> {
        let beats = self.heartbeat.and_then(|feed| {
            let (second, terminals) = (self.second, self.terminals);
            self.sources.without_beats(second, feed, terminals)
        });
        let mut silent = self.sources.silent(self.second);
        silent.retain(|it| !self.stops_in_part(it));
        silent.into_iter().chain(beats)
    }
}

/// A source that is silent, or was until a moment ago.
struct Open {
    entry: Entry,
    silent: Silent,
    /// When it spoke again.
    spoke_s: Option<i64>,
    /// The last second in which what it says was late: it catches up.
    late_s: i64,
    effect_s: i64,
    finding: Finding,
}

/// Payments that explain themselves: partitions, from and until in milliseconds.
#[derive(Clone)]
struct Past {
    stream: u8,
    partitions: Vec<i32>,
    from_ms: i64,
    until_ms: i64,
}

impl Past {
    fn is_whole(&self) -> bool {
        self.partitions.is_empty() && hides_payments(self.stream)
    }

    fn explains(&self, row: &Row, lead_ms: i64) -> bool {
        hides_payments(self.stream) && self.hides(row.partition, row.accepted_ms, lead_ms)
    }

    /// Whether what a partition said of `at_ms` was hidden, or of at most `lead_ms` before.
    fn hides(&self, partition: i32, at_ms: i64, lead_ms: i64) -> bool {
        at_ms >= self.from_ms - lead_ms
            && at_ms <= self.until_ms
            && (self.partitions.is_empty() || self.partitions.contains(&partition))
    }
}

/// All of them.
pub(crate) struct Silence {
    /// Names of the streams, by index.
    streams: Vec<String>,
    open: Vec<Open>,
    over: Vec<Past>,
}

impl Open {
    /// Whether nothing is known of any payment.
    fn is_whole(&self) -> bool {
        self.silent.hides_all()
    }

    /// Whether it has spoken for a while, and nothing that was held back comes any more.
    fn is_settled(&self, second: i64) -> bool {
        let spoke_s = self.spoke_s.map(|spoke_s| spoke_s.max(self.late_s));
        spoke_s.is_some_and(|spoke_s| second - spoke_s >= SETTLED_S)
    }

    fn onset_ms(&self) -> i64 {
        (self.silent.since_s + 1) * 1000
    }

    fn is_everything(&self) -> bool {
        [Cause::PlatformBackend, Cause::InterfaceFault].contains(&self.finding.cause)
    }

    /// Whether a silence is this one: what speaks again is found silent for a moment more.
    fn has(&self, silent: &Silent) -> bool {
        let began = self.spoke_s.is_none_or(|spoke_s| silent.since_s < spoke_s);
        if !self.silent.hides_payments() || !silent.hides_payments() {
            let all = self.silent.partitions.is_empty();
            return began && self.silent.stream == silent.stream && (all || self.has_all(silent));
        }
        let same = silent.stream == self.silent.stream && self.has_all(silent);
        began && (self.is_whole() || same)
    }

    fn has_all(&self, silent: &Silent) -> bool {
        let mut partitions = silent.partitions.keys();
        !silent.partitions.is_empty()
            && partitions.all(|it| self.silent.partitions.contains_key(it))
    }

    /// Whose payments explain themselves.
    fn explains(&self, row: &Row, lead_ms: i64) -> bool {
        self.silent.hides_payments() && self.past().explains(row, lead_ms)
    }

    fn past(&self) -> Past {
        let until = |spoke: i64| (spoke.max(self.late_s) + FOLLOWS_S) * 1000;
        Past {
            stream: self.silent.stream,
            partitions: self.silent.partitions.keys().copied().collect(),
            from_ms: (self.silent.since_s - LEAD_S) * 1000,
            until_ms: self.spoke_s.map_or(i64::MAX, until),
        }
    }
}

impl Silence {
    pub(crate) fn new(streams: Vec<String>) -> Self {
        Self {
            streams,
            open: Vec::new(),
            over: Vec::new(),
        }
    }

    /// Since when a whole stream says nothing, or did so until a moment before `second`, in milliseconds.
    pub(crate) fn since_ms(&self, second: i64) -> Option<i64> {
        let wholes = self.open.iter().filter(|open| open.is_whole());
        let unsettled = wholes.filter(|open| !open.is_settled(second));
        unsettled.map(|open| open.onset_ms()).min()
    }

    /// When whole streams said nothing: since and until in milliseconds. Whoever paid then is no other fault's.
    pub(crate) fn spans_ms(&self) -> Vec<(i64, i64)> {
        let open = self.open.iter().map(Open::past);
        let all = open.chain(self.over.iter().cloned());
        let wholes = all.filter(Past::is_whole);
        let spans = wholes.map(|past| (past.from_ms + LEAD_S * 1000, past.until_ms));
        spans.collect()
    }

    /// Whether a row is slow because a source is, or was, silent, or was paid at most `lead_ms` before.
    pub(crate) fn explains(&self, row: &Row, lead_ms: i64) -> bool {
        let mut open = self.open.iter();
        open.any(|open| open.explains(row, lead_ms))
            || self.over.iter().any(|past| past.explains(row, lead_ms))
    }

    /// Whether stages of what was credited at `credited_ms` are missing or late because their partition is, or was, silent.
    pub(crate) fn hides_stages(&self, partition: i32, credited_ms: i64) -> bool {
        let hides = |past: &Past| past.stream == LIFECYCLE && past.hides(partition, credited_ms, 0);
        let mut open = self.open.iter();
        open.any(|open| hides(&open.past())) || self.over.iter().any(hides)
    }

    /// The second ended.
    pub(crate) fn end_second(&mut self, moment: &Moment<'_>, changes: &[Change], book: &mut Book) {
        self.touch(moment, changes);
        if !moment.maintained {
            for silent in moment.silent() {
                self.fall_silent(moment, silent, book);
            }
        }
        for at in 0..self.open.len() {
            self.review(at, moment, book);
        }
        self.close(moment, book);
    }

    fn touch(&mut self, moment: &Moment<'_>, changes: &[Change]) {
        for change in changes {
            let (Change::Late(number) | Change::Overdue(number)) = *change else {
                continue;
            };
            let Some(row) = moment.detector.rows.get(number) else {
                continue;
            };
            for open in &mut self.open {
                if open.explains(row, 0) {
                    open.effect_s = moment.second;
                }
            }
        }
    }

    fn fall_silent(&mut self, moment: &Moment<'_>, silent: Silent, book: &mut Book) {
        let whole = silent.hides_all();
        if self.open.iter().any(|open| open.has(&silent)) {
            return;
        }
        let mut alike = self.open.iter_mut().filter(|open| {
            let near = (open.silent.since_s - silent.since_s).abs() <= TOGETHER_S;
            open.silent.stream == silent.stream && open.spoke_s.is_none() && near
        });
        if !silent.partitions.is_empty()
            && let Some(known) = alike.next()
        {
            known.silent.partitions.extend(silent.partitions);
            return;
        }
        // Partitions that fell silent first were the beginning of it.
        let part = alike.next().map(|open| open.entry);
        let mut open = Open {
            entry: Entry::NONE,
            spoke_s: None,
            late_s: silent.since_s,
            effect_s: moment.second,
            finding: judge(&silent, moment),
            silent,
        };
        let report = self.report(&open, moment);
        let now = end_of(moment.second);
        open.entry = match part {
            Some(entry) => book.hand_over(entry, Family::Silence, report, now),
            None if whole => book.take_over_all(FIRST_SIGNS_MS, Family::Silence, report, now),
            None => {
                let scopes = [report.scope.clone()];
                book.take_over(&scopes, Family::Silence, report, now)
            }
        };
        self.open.retain(|open| part != Some(open.entry));
        self.open.push(open);
    }

    fn review(&mut self, at: usize, moment: &Moment<'_>, book: &mut Book) {
        let open = &mut self.open[at];
        if open.spoke_s.is_some() && moment.sources.is_catching_up(&open.silent, moment.second) {
            open.late_s = moment.second;
        }
        if open.spoke_s.is_none() {
            open.spoke_s = moment.sources.spoke(&open.silent, moment.second);
            if open.spoke_s.is_some() {
                open.effect_s = moment.second;
            } else if moment.second - open.silent.since_s < JUDGED_S {
                open.finding = judge(&open.silent, moment);
            }
        }
        let report = self.report(&self.open[at], moment);
        book.update(self.open[at].entry, report, end_of(moment.second));
    }

    fn report(&self, open: &Open, moment: &Moment<'_>) -> Report {
        let onset_ms = open.onset_ms();
        let now_ms = end_of(moment.second).millis();
        let during = (onset_ms, open.past().until_ms);
        let tally = if open.silent.hides_payments() {
            let elsewhere = |row: &Row, _: &[ValueId]| !open.silent.is_of(row.partition);
            let all = Scope::default();
            Tally::of(moment.detector, &all, during, now_ms, &elsewhere)
        } else {
            Tally::default()
        };
        let mut scope = Vec::new();
        if !open.is_everything() {
            scope = self.scope_of(open.silent.stream);
            let partitions = open.silent.partitions.keys();
            let partitions: Vec<String> = partitions.map(ToString::to_string).collect();
            if !partitions.is_empty() {
                scope.push(("partition".to_owned(), partitions));
            }
        }
        let evidence = tally.evidence();
        let nothing = open.is_whole() && open.silent.stream == CREDITS;
        Report {
            finding: open.finding.clone(),
            severity: severity(nothing, &evidence, moment.critical_minor),
            scope,
            started_at: Timestamp::from_millis(onset_ms),
            evidence,
            samples: tally.samples(),
        }
    }

    /// The scope of a stream, by its index.
    pub(crate) fn scope_of(&self, stream: u8) -> Scoped {
        let name = self.streams.get(usize::from(stream));
        stream_scope(name.map_or("", String::as_str))
    }

    fn close(&mut self, moment: &Moment<'_>, book: &mut Book) {
        let second = moment.second;
        let mut at = 0;
        while at < self.open.len() {
            let open = &self.open[at];
            if open.spoke_s.is_some() && second - open.effect_s.max(open.late_s) >= OVER_S {
                let report = self.report(open, moment);
                let open = self.open.remove(at);
                book.resolve(open.entry, report, end_of(second));
                if open.silent.stream <= LIFECYCLE {
                    self.over.push(open.past());
                }
            } else {
                at += 1;
            }
        }
        let now_ms = second * 1000;
        self.over
            .retain(|past| past.until_ms + REMEMBERED_MS > now_ms);
    }

    /// Records of streams came late in `second`: what was silent catches up.
    pub(crate) fn catches_up(&mut self, second: i64) {
        for open in &mut self.open {
            if open.spoke_s.is_some() {
                open.late_s = open.late_s.max(second);
            }
        }
    }

    /// Usual rate and index of the stream that was silent until `since_s` or later, as far as it is known.
    pub(crate) fn silent_before(&self, since_s: i64) -> Option<(u8, f64)> {
        let mut wholes = self.open.iter().filter(|open| open.is_whole());
        let found = wholes.find(|open| open.silent.since_s <= since_s)?;
        Some((found.silent.stream, found.silent.rate))
    }

    /// What was silent is late from now on: its incidents are another's.
    pub(crate) fn give_up(&mut self, since_s: i64, second: i64) -> Option<Entry> {
        let of_it = |open: &Open| open.is_whole() && open.silent.since_s <= since_s;
        let at = self.open.iter().position(of_it)?;
        let mut open = self.open.remove(at);
        open.spoke_s = open.spoke_s.or(Some(second));
        self.over.push(open.past());
        Some(open.entry)
    }
}

fn judge(silent: &Silent, moment: &Moment<'_>) -> Finding {
    let rejected =
        silent.partitions.is_empty() && moment.sources.is_rejected(silent, moment.second);
    let (cause, basis, why) = if rejected {
        (
            Cause::InterfaceFault,
            Basis::Confirmed,
            "not silent: its records come, and are rejected because they cannot be read",
        )
    } else if silent.stream == PAYMENTS
        && silent.partitions.is_empty()
        && !moment
            .sources
            .go_on_beside_payments(silent.since_s, moment.second)
    {
        (
            Cause::SourceSilent,
            Basis::Guess,
            "nothing comes of the other feeds either: dead feeds and nobody who pays look alike from here",
        )
    } else if silent.stream != CREDITS || !silent.partitions.is_empty() {
        (
            Cause::SourceSilent,
            Basis::Inferred,
            "the others go on: only this feed is silent",
        )
    } else {
        match moment.sources.aftermath(silent.since_s, moment.second) {
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

keep!(Open {
    entry,
    silent,
    spoke_s,
    late_s,
    effect_s,
    finding,
});
keep!(Past {
    stream,
    partitions,
    from_ms,
    until_ms,
});

impl Keep for Silence {
    fn write(&self, to: &mut Writer) {
        let Self {
            streams: _,
            open,
            over,
        } = self;
        open.write(to);
        over.write(to);
    }

    /// A stream that is not configured any more is not silent.
    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let mut silence = Self {
            streams: from.streams().to_vec(),
            open: Keep::read(from)?,
            over: Keep::read(from)?,
        };
        for open in &silence.open {
            if open.silent.stream == NO_STREAM {
                from.disowns(open.entry);
            }
        }
        silence.open.retain(|open| open.silent.stream != NO_STREAM);
        Ok(silence)
    }
}

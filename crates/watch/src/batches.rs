//! Batches that were due and did not settle.

use std::collections::BTreeMap;
use std::sync::Arc;

use settlewatch_join::event::Currency;
use settlewatch_join::{Fingerprint, Timestamp};

use crate::detect::Detector;
use crate::detect::scope::Scope;
use crate::detect::values::{TupleId, ValueId, distinct};
use crate::feeds::Feeds;
use crate::incident::book::{Book, Entry, Family, Report, severity};
use crate::incident::cause::Cause;
use crate::incident::{Basis, Evidence, Finding};
use crate::keep::{keep, keep_enum};
use crate::pulse::{CHANNEL, MERCHANT, Note, TERMINAL};
use crate::second::end_of;

/// Payments of one channel that must be overdue, at least.
const LEAST: usize = 3;

/// Over when nothing more fell due for so long, in seconds.
const OVER_S: i64 = 290;

/// What began so far apart at most, in seconds, is one fault.
const TOGETHER_S: i64 = 60;

/// A missed payment is kept so long, in seconds.
const KEPT_S: i64 = 3600;

/// Samples that an incident names.
const SAMPLES: usize = 5;

const DAY_MS: i64 = 24 * 3600 * 1000;

/// One payment that a batch did not bring in time.
struct Missed {
    second: i64,
    /// When it was due.
    due_at: Timestamp,
    tuple: TupleId,
    id: Arc<str>,
    amount: (Currency, u64),
    /// How it ended, where it did.
    end: Option<End>,
}

/// How a payment ended that a batch did not bring in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It was credited late.
    Credited,
    /// It was refunded, reversed, declined, written off.
    Otherwise,
}

/// Channels whose batches were missed at the same time, for the same reason as far as is known: a bank's, or ours.
struct Open {
    entry: Entry,
    channels: Vec<ValueId>,
    started_s: i64,
    last_s: i64,
    reason: Reason,
}

impl Open {
    /// Whether it is the same that `channel` misses since `started_s`.
    fn is_of(&self, channel: ValueId, started_s: i64, reason: Reason) -> bool {
        let together = (self.started_s - started_s).abs() <= TOGETHER_S && self.reason == reason;
        together || self.channels.contains(&channel)
    }
}

/// What is known of a batch that was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    /// It settled, and payments that were due are not in it.
    Incomplete,
    /// It did not settle.
    Missing,
    /// Nobody says whether it settled.
    Unreported,
}

impl Reason {
    fn basis(self) -> Basis {
        match self {
            Self::Incomplete => Basis::Confirmed,
            Self::Missing => Basis::Inferred,
            Self::Unreported => Basis::Guess,
        }
    }

    fn text(self, several: bool) -> &'static str {
        match (self, several) {
            (Self::Incomplete, false) => "its batch settled without these payments",
            (Self::Incomplete, true) => "their batches settled without these payments",
            (Self::Missing, false) => "no batch of this channel settled by then",
            (Self::Missing, true) => "no batch of at least one of these channels settled by then",
            (Self::Unreported, _) => {
                "no batches are reported: cannot tell a late batch from one without these payments"
            }
        }
    }
}

/// What is reported of batches.
#[derive(Clone, Copy)]
pub(crate) struct BatchFeed<'a> {
    pub(crate) of: &'a Feeds,
    /// Whether somebody reports them, and all of that is known.
    pub(crate) reported: bool,
    /// Seconds from a first deadline to the moment whose date in UTC is the batch's.
    pub(crate) to_batch_date_s: i64,
}

/// All channels that settle in batches.
#[derive(Default)]
pub(crate) struct Batches {
    missed: BTreeMap<ValueId, BTreeMap<Fingerprint, Missed>>,
    open: Vec<Open>,
    fresh: Vec<ValueId>,
}

impl Batches {
    /// A payment that is due by a batch is overdue.
    pub(crate) fn missed(&mut self, note: &Note, tuple: TupleId, values: &[ValueId], second: i64) {
        let channel = values[CHANNEL];
        let missed = self.missed.entry(channel).or_default();
        let new = Missed {
            second,
            due_at: note.due_at,
            tuple,
            id: note.id.clone().unwrap_or_else(|| "".into()),
            amount: (note.currency, note.amount_minor),
            end: None,
        };
        missed.insert(note.payment, new);
        self.fresh.push(channel);
    }

    /// It waits no longer.
    pub(crate) fn ended(&mut self, payment: Fingerprint, values: &[ValueId], end: End) {
        let of_channel = self.missed.get_mut(&values[CHANNEL]);
        if let Some(missed) = of_channel.and_then(|missed| missed.get_mut(&payment)) {
            missed.end = Some(end);
        }
    }

    pub(crate) fn end_second(
        &mut self,
        second: i64,
        detector: &Detector,
        feeds: BatchFeed<'_>,
        critical_minor: &[(Currency, u64)],
        book: &mut Book,
    ) {
        let teller = Teller {
            detector,
            feeds,
            critical_minor,
            now: end_of(second),
        };
        let mut touched = Vec::new();
        for channel in distinct(std::mem::take(&mut self.fresh)) {
            // Once a second: all of a batch are due at one moment. What an incident counts is kept with it.
            let missed = self.missed.entry(channel).or_default();
            if !self
                .open
                .iter()
                .any(|open| open.channels.contains(&channel))
            {
                missed.retain(|_, missed| missed.second > second - KEPT_S);
            }
            if missed.len() >= LEAST {
                touched.push(self.place(channel, second, &teller));
            }
        }
        touched.sort_unstable();
        touched.dedup();
        for at in touched {
            let report = self.report(&self.open[at], &teller);
            let open = &mut self.open[at];
            open.last_s = second;
            if open.entry == Entry::NONE {
                open.entry = book.open(Family::Batches, report, teller.now);
            } else {
                book.update(open.entry, report, teller.now);
            }
        }
        let is_over = |open: &Open| second - open.last_s >= OVER_S;
        let (over, open) = std::mem::take(&mut self.open)
            .into_iter()
            .partition(is_over);
        self.open = open;
        for open in over {
            let report = self.report(&open, &teller);
            book.resolve(open.entry, report, teller.now);
            for channel in &open.channels {
                self.missed.remove(channel);
            }
        }
    }

    /// Which of those that are open a channel belongs to; a new one is not told yet.
    fn place(&mut self, channel: ValueId, second: i64, teller: &Teller<'_>) -> usize {
        let seconds = self.missed[&channel].values().map(|missed| missed.second);
        let started_s = seconds.min().unwrap_or(second);
        let reason = self.reason(channel, teller);
        let mut open = self.open.iter();
        if let Some(at) = open.position(|open| open.is_of(channel, started_s, reason)) {
            let open = &mut self.open[at];
            open.channels.push(channel);
            open.channels = distinct(std::mem::take(&mut open.channels));
            open.started_s = open.started_s.min(started_s);
            return at;
        }
        self.open.push(Open {
            entry: Entry::NONE,
            channels: vec![channel],
            started_s,
            last_s: second,
            reason,
        });
        self.open.len() - 1
    }

    fn report(&self, open: &Open, teller: &Teller<'_>) -> Report {
        let channels = open.channels.iter();
        let missed: Vec<&Missed> = channels
            .filter_map(|channel| self.missed.get(channel))
            .flat_map(BTreeMap::values)
            .collect();
        let reasons = open.channels.iter();
        let reasons = reasons.map(|channel| self.reason(*channel, teller));
        // Of several the one that claims least.
        let reason = reasons.max_by_key(|reason| *reason as u8);
        let all = self.missed.values().map(BTreeMap::len).sum();
        teller.report(open, &missed, all, reason.unwrap_or(open.reason))
    }

    fn reason(&self, channel: ValueId, teller: &Teller<'_>) -> Reason {
        let missed = self.missed.get(&channel).into_iter();
        let due = missed.flat_map(|missed| missed.values().map(|it| it.due_at));
        teller.reason(channel, due.max())
    }
}

/// What is needed to tell of payments that batches did not bring.
struct Teller<'a> {
    detector: &'a Detector,
    feeds: BatchFeed<'a>,
    critical_minor: &'a [(Currency, u64)],
    now: Timestamp,
}

impl Teller<'_> {
    /// What is known of the batch of a channel that was due then.
    fn reason(&self, channel: ValueId, due_at: Option<Timestamp>) -> Reason {
        let text = self.detector.values.text(channel).1;
        let due_ms = due_at.unwrap_or(self.now).millis() + self.feeds.to_batch_date_s * 1000;
        let due_date = due_ms.div_euclid(DAY_MS);
        let settled = self.feeds.of.settled(text);
        if settled.is_some_and(|date| i64::from(date) >= due_date) {
            Reason::Incomplete
        } else if self.feeds.reported {
            Reason::Missing
        } else {
            Reason::Unreported
        }
    }

    fn evidence(&self, missed: &[&Missed]) -> Evidence {
        let mut evidence = Evidence {
            rate_inside: 1.0,
            touched: missed.len() as u64,
            ..Evidence::default()
        };
        for missed in missed {
            let (currency, amount) = missed.amount;
            *evidence.touched_minor.entry(currency).or_default() += u128::from(amount);
            match missed.end {
                Some(End::Credited) => evidence.credited_late += 1,
                Some(End::Otherwise) => {}
                None => {
                    evidence.open += 1;
                    *evidence.amount_minor.entry(currency).or_default() += u128::from(amount);
                }
            }
        }
        let values = &self.detector.values;
        let count = |dim: usize| {
            let all = missed.iter().map(|missed| values.of(missed.tuple)[dim]);
            distinct(all.collect()).len() as u64
        };
        evidence.merchants = count(MERCHANT);
        evidence.terminals = count(TERMINAL);
        evidence
    }

    /// `all` payments were missed by batches of late, in any channel.
    fn report(&self, open: &Open, missed: &[&Missed], all: usize, reason: Reason) -> Report {
        let evidence = Evidence {
            explains: missed.len() as f64 / all.max(1) as f64,
            ..self.evidence(missed)
        };
        let Detector { values, dims, .. } = self.detector;
        let scope = Scope::of(CHANNEL, open.channels.clone());
        let text = reason.text(open.channels.len() > 1);
        let not_ruled_out = self.feeds.of.not_ruled_out();
        let ruled_out = [text.into()].into_iter().chain(not_ruled_out).collect();
        let mut named: Vec<&&Missed> = missed.iter().collect();
        named.sort_by_key(|missed| (missed.end.is_some(), missed.second));
        let samples = named.iter().take(SAMPLES).map(|it| it.id.to_string());
        Report {
            finding: Finding {
                cause: Cause::BankBatchMissed,
                basis: reason.basis(),
                confidence: 0.95,
                ruled_out,
            },
            severity: severity(false, &evidence, self.critical_minor),
            scope: scope.named(values, dims),
            started_at: Timestamp::from_millis(open.started_s * 1000),
            evidence,
            samples: samples.collect(),
        }
    }
}

keep_enum!(End {
    0 => Credited,
    1 => Otherwise,
});
keep_enum!(Reason {
    0 => Incomplete,
    1 => Missing,
    2 => Unreported,
});
keep!(Batches {
    missed,
    open,
    fresh,
});
keep!(Open {
    entry,
    channels,
    started_s,
    last_s,
    reason,
});
keep!(Missed {
    second,
    due_at,
    tuple,
    id,
    amount,
    end,
});

#[cfg(test)]
mod tests {
    use settlewatch_join::Span;

    use super::*;
    use crate::pulse::{Dims, Tuple, What};

    struct Bench {
        batches: Batches,
        detector: Detector,
        book: Book,
    }

    impl Bench {
        fn new() -> Self {
            Self {
                batches: Batches::default(),
                detector: Detector::new(Dims::new(&[])),
                book: Book::new(Span::from_secs(600)),
            }
        }

        /// A payment of a channel and the number of its values.
        fn note(&mut self, channel: &str, number: u64) -> (Note, TupleId) {
            let merchant = format!("M{number}");
            let tuple = Tuple::of(&[(CHANNEL, channel), (MERCHANT, &merchant)]);
            let at = Timestamp::from_millis(0);
            let note = Note {
                payment: Fingerprint(number),
                tuple: Arc::clone(&tuple),
                partition: -1,
                accepted_at: at,
                due_at: at,
                at,
                amount_minor: 100,
                currency: Currency::new(*b"CNY").expect("three letters"),
                timed: false,
                id: Some(format!("P{number}").into()),
                what: What::Overdue,
            };
            let tuple = self.detector.values.tuple(&tuple);
            (note, tuple)
        }

        fn miss(&mut self, channel: &str, numbers: std::ops::Range<u64>, second: i64) {
            for number in numbers {
                let (note, tuple) = self.note(channel, number);
                let values = self.detector.values.of(tuple);
                self.batches.missed(&note, tuple, values, second);
            }
        }

        fn end(&mut self, second: i64) -> Vec<crate::incident::Incident> {
            let feeds = Feeds::default();
            let feeds = BatchFeed {
                of: &feeds,
                reported: false,
                to_batch_date_s: 0,
            };
            let Self { batches, book, .. } = self;
            batches.end_second(second, &self.detector, feeds, &[], book);
            book.take()
        }
    }

    #[test]
    fn what_several_channels_miss_together_is_one_incident() {
        let mut bench = Bench::new();
        bench.miss("a", 0..5, 100);
        bench.miss("b", 10..14, 100);
        let said = bench.end(100);
        let last = said.last().expect("it is told");
        let channels = vec![("channel".to_owned(), vec!["a".to_owned(), "b".to_owned()])];
        assert_eq!((said.len(), &last.scope), (1, &channels));
        assert_eq!((last.evidence.open, last.evidence.merchants), (9, 9));
        // A minute later still, an hour later not.
        bench.miss("c", 20..23, 130);
        let said = bench.end(130);
        assert_eq!(said.len(), 1);
        assert_eq!((said[0].scope[0].1.len(), said[0].revision), (3, 2));
        bench.miss("d", 30..33, 200);
        let said = bench.end(200);
        assert_eq!((said.len(), said[0].revision), (1, 1), "another cause");
    }

    #[test]
    fn what_is_credited_late_is_open_no_longer() {
        let mut bench = Bench::new();
        bench.miss("a", 0..5, 110);
        assert_eq!(bench.end(110)[0].evidence.open, 5);
        for (number, end) in [(0, End::Credited), (1, End::Credited), (2, End::Otherwise)] {
            let (note, tuple) = bench.note("a", number);
            let values = bench.detector.values.of(tuple);
            bench.batches.ended(note.payment, values, end);
        }
        let said = bench.end(110 + OVER_S);
        let evidence = &said.last().expect("it is over").evidence;
        assert_eq!((evidence.open, evidence.touched), (2, 5));
        assert_eq!(evidence.credited_late, 2);
        let sum = |money: &BTreeMap<_, u128>| money.values().sum::<u128>();
        assert_eq!(
            (sum(&evidence.amount_minor), sum(&evidence.touched_minor)),
            (200, 500)
        );
        assert_eq!(said.last().map(|it| it.samples[0].as_str()), Some("P3"));
    }

    #[test]
    fn what_falls_due_every_few_minutes_is_one_incident_with_all_of_it() {
        let mut bench = Bench::new();
        let mut said = Vec::new();
        for number in 0..30 {
            let second = 110 + number as i64 * 180;
            bench.miss("a", number..number + 1, second);
            said.extend(bench.end(second));
        }
        said.extend(bench.end(110 + 29 * 180 + OVER_S));
        let ends = said.iter().filter(|it| it.resolved_at.is_some());
        assert_eq!(ends.count(), 1, "it does not flap");
        assert_eq!(said.last().map(|it| it.evidence.open), Some(30));
    }
}

//! Batches that were due and did not settle.

use std::collections::BTreeMap;
use std::sync::Arc;

use settlewatch_join::Timestamp;
use settlewatch_join::event::Currency;

use crate::detect::Detector;
use crate::detect::scope::Scope;
use crate::detect::values::{TupleId, ValueId, distinct};
use crate::feeds::Feeds;
use crate::incident::book::{Book, Entry, Family, Report, severity};
use crate::incident::cause::Cause;
use crate::incident::{Basis, Evidence, Finding};
use crate::keep::keep;
use crate::pulse::{CHANNEL, MERCHANT, Note, TERMINAL};
use crate::second::end_of;

/// Payments of one channel that must be overdue, at least.
const LEAST: usize = 3;

/// Over when nothing more fell due for so long, in seconds.
const OVER_S: i64 = 120;

const DAY_MS: i64 = 24 * 3600 * 1000;

/// One payment that a batch did not bring.
struct Missed {
    second: i64,
    tuple: TupleId,
    id: Arc<str>,
    amount: (Currency, u64),
}

/// A channel whose batch did not come.
struct Open {
    entry: Entry,
    last_s: i64,
    started_s: i64,
}

/// What is reported of batches.
#[derive(Clone, Copy)]
pub(crate) struct BatchFeed<'a> {
    pub(crate) of: &'a Feeds,
    /// Whether somebody is to report them.
    pub(crate) configured: bool,
}

impl BatchFeed<'_> {
    fn is_reported(&self) -> bool {
        (self.configured || self.of.has_batches) && self.of.is_known()
    }
}

/// All channels that settle in batches.
#[derive(Default)]
pub(crate) struct Batches {
    missed: BTreeMap<ValueId, Vec<Missed>>,
    open: BTreeMap<ValueId, Open>,
    fresh: Vec<ValueId>,
}

impl Batches {
    /// A payment that is due by a batch is overdue.
    pub(crate) fn missed(&mut self, note: &Note, tuple: TupleId, values: &[ValueId], second: i64) {
        let channel = values[CHANNEL];
        let missed = self.missed.entry(channel).or_default();
        missed.retain(|missed| missed.second > second - 3600);
        missed.push(Missed {
            second,
            tuple,
            id: note.id.clone().unwrap_or_else(|| "".into()),
            amount: (note.currency, note.amount_minor),
        });
        self.fresh.push(channel);
    }

    pub(crate) fn end_second(
        &mut self,
        second: i64,
        detector: &Detector,
        feeds: BatchFeed<'_>,
        critical_minor: &[(Currency, u64)],
        book: &mut Book,
    ) {
        let now = end_of(second);
        for channel in distinct(std::mem::take(&mut self.fresh)) {
            if self.missed[&channel].len() < LEAST {
                continue;
            }
            let started_s = self.missed[&channel][0].second;
            let report = self.report(channel, started_s, detector, feeds, critical_minor, now);
            match self.open.get_mut(&channel) {
                Some(open) => {
                    open.last_s = second;
                    book.update(open.entry, report, now);
                }
                None => {
                    let open = Open {
                        entry: book.open(Family::Batches, report, now),
                        last_s: second,
                        started_s,
                    };
                    self.open.insert(channel, open);
                }
            }
        }
        let over: Vec<ValueId> = self
            .open
            .iter()
            .filter(|(_, open)| second - open.last_s >= OVER_S)
            .map(|(channel, _)| *channel)
            .collect();
        for channel in over {
            if let Some(open) = self.open.remove(&channel) {
                let started_s = open.started_s;
                let report = self.report(channel, started_s, detector, feeds, critical_minor, now);
                book.resolve(open.entry, report, now);
                self.missed.remove(&channel);
            }
        }
    }

    fn report(
        &self,
        channel: ValueId,
        started_s: i64,
        detector: &Detector,
        feeds: BatchFeed<'_>,
        critical_minor: &[(Currency, u64)],
        now: Timestamp,
    ) -> Report {
        let mut evidence = Evidence::default();
        let (mut merchants, mut terminals, mut samples) = (Vec::new(), Vec::new(), Vec::new());
        for missed in &self.missed[&channel] {
            evidence.open += 1;
            evidence.touched += 1;
            *evidence.amount_minor.entry(missed.amount.0).or_default() +=
                u128::from(missed.amount.1);
            let values = detector.values.of(missed.tuple);
            merchants.push(values[MERCHANT]);
            terminals.push(values[TERMINAL]);
            if samples.len() < 5 {
                samples.push(missed.id.to_string());
            }
        }
        evidence.merchants = distinct(merchants).len() as u64;
        evidence.terminals = distinct(terminals).len() as u64;
        evidence.rate_inside = 1.0;
        let text = detector.values.text(channel).1;
        let today = now.millis().div_euclid(DAY_MS) as i32;
        // A batch of yesterday's date may be said in another time zone.
        let settled = feeds.of.settled(text).is_some_and(|date| date + 1 >= today);
        let (basis, why) = if settled {
            (Basis::Confirmed, "its batch settled without these payments")
        } else if feeds.is_reported() {
            (Basis::Inferred, "no batch of this channel settled by then")
        } else {
            (
                Basis::Guess,
                "no batches are reported: cannot tell a late batch from one without these payments",
            )
        };
        Report {
            finding: Finding {
                cause: Cause::BankBatchMissed,
                basis,
                confidence: 0.95,
                ruled_out: [why.into()]
                    .into_iter()
                    .chain(feeds.of.not_ruled_out())
                    .collect(),
            },
            severity: severity(false, &evidence, critical_minor),
            scope: Scope::one(CHANNEL, channel).named(&detector.values, &detector.dims),
            started_at: Timestamp::from_millis(started_s * 1000),
            evidence,
            samples,
        }
    }
}

keep!(Batches {
    missed,
    open,
    fresh,
});
keep!(Open {
    entry,
    last_s,
    started_s,
});
keep!(Missed {
    second,
    tuple,
    id,
    amount,
});

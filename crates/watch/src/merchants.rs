//! Merchants whose own systems acknowledge late, though they are credited on time.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use settlewatch_join::Timestamp;

use crate::detect::Detector;
use crate::detect::rates::{excess, shrunk, wilson};
use crate::detect::scope::Scope;
use crate::detect::values::{ValueId, distinct};
use crate::incident::book::{Book, Entry, Family, Report};
use crate::incident::cause::Cause;
use crate::incident::{Basis, Evidence, Finding, Severity};
use crate::keep::keep;
use crate::pulse::{Ack, MERCHANT, TERMINAL};
use crate::second::end_of;

/// Acknowledgements of a merchant that are remembered, and so many while its incident is open, which counts them.
const KEPT: usize = 200;
const KEPT_OPEN: usize = 20_000;

/// Standard deviations by which a merchant surely acknowledges most of its payments: of thousands of merchants that
/// acknowledge some of them, one has acknowledged its first few by chance.
const SURE: f64 = 3.3;

/// Now is the last so many seconds.
const NOW_S: i64 = 180;

/// Late ones that make an incident, at least.
const LEAST: usize = 4;

/// Acknowledgements get lost: so large a share of them is never a surprise.
const LOSSY: f64 = 0.03;

/// Evidence in natural units at which a merchant stands out.
const NATS: f64 = 11.0;

/// Over when nothing was late for so long, in seconds.
const OVER_S: i64 = 120;

/// One acknowledgement, or its absence.
struct Seen {
    second: i64,
    late: bool,
    came: bool,
    id: Option<Arc<str>>,
    terminal: ValueId,
    credited_ms: i64,
}

/// A merchant's incident.
struct Open {
    entry: Entry,
    merchant: ValueId,
    /// Whether it acknowledged most of its payments before.
    acknowledged: bool,
    started_ms: i64,
    last_s: i64,
}

/// All merchants that acknowledge.
#[derive(Default)]
pub(crate) struct Merchants {
    seen: BTreeMap<ValueId, VecDeque<Seen>>,
    /// All merchants: late ones and all of the last minutes.
    all: VecDeque<(i64, bool)>,
    late_all: usize,
    /// Merchants with something late in this second.
    fresh: Vec<ValueId>,
    open: Vec<Open>,
}

impl Merchants {
    pub(crate) fn heard(&mut self, ack: &Ack, values: &[ValueId], second: i64) {
        let merchant = values[MERCHANT];
        let seen = self.seen.entry(merchant).or_default();
        // Nothing came of a merchant that seldom acknowledges: that says nothing.
        let open = self.open.iter().find(|open| open.merchant == merchant);
        let counts =
            ack.came || open.is_some_and(|open| open.acknowledged) || acknowledges(seen.iter());
        seen.push_back(Seen {
            second,
            late: ack.late,
            came: ack.came,
            id: ack.id.clone(),
            terminal: values[TERMINAL],
            credited_ms: ack.credited_at.millis(),
        });
        let kept = if open.is_some() { KEPT_OPEN } else { KEPT };
        while seen.len() > kept {
            seen.pop_front();
        }
        if !counts {
            return;
        }
        self.all.push_back((second, ack.late));
        self.late_all += usize::from(ack.late);
        if ack.late {
            self.fresh.push(merchant);
        }
    }

    pub(crate) fn end_second(&mut self, second: i64, detector: &Detector, book: &mut Book) {
        while self
            .all
            .front()
            .is_some_and(|(at, _)| *at <= second - NOW_S)
        {
            let (_, late) = self.all.pop_front().expect("it was just seen");
            self.late_all -= usize::from(late);
        }
        let fresh = distinct(std::mem::take(&mut self.fresh));
        for merchant in fresh {
            self.look(merchant, second, detector, book);
        }
        let mut at = 0;
        while at < self.open.len() {
            if second - self.open[at].last_s >= OVER_S {
                let open = self.open.remove(at);
                let report = self.report(&open, detector);
                book.resolve(open.entry, report, end_of(second));
            } else {
                at += 1;
            }
        }
    }

    fn look(&mut self, merchant: ValueId, second: i64, detector: &Detector, book: &mut Book) {
        let seen = &self.seen[&merchant];
        let before = || seen.iter().filter(|seen| seen.second <= second - NOW_S);
        let acknowledges = acknowledges(before());
        let counted = || seen.iter().filter(|seen| seen.came || acknowledges);
        let now = || counted().filter(|seen| seen.second > second - NOW_S);
        let late: Vec<&Seen> = now().filter(|seen| seen.late).collect();
        let total = now().count() as f64;
        let count = late.len() as f64;
        // What others do, and what this one did before.
        let others = (self.all.len() as f64 - total).max(0.0);
        let others_late = (self.late_all as f64 - count).max(0.0);
        let prior = shrunk(others_late, others, 0.01, 100.0);
        let before = counted().filter(|seen| seen.second <= second - NOW_S);
        let (known, known_late) = before.fold((0.0, 0.0), |(all, late), seen| {
            (all + 1.0, late + f64::from(u8::from(seen.late)))
        });
        let share = shrunk(known_late, known, prior, 20.0).max(LOSSY);
        if let Some(open) = self.open.iter_mut().find(|open| open.merchant == merchant) {
            // One that got lost does not keep it open.
            let says = |seen: &&Seen| seen.came || open.acknowledged;
            let lately = seen.iter().rev().filter(says).take(LEAST);
            if lately.filter(|seen| seen.late).count() * 2 >= LEAST {
                open.last_s = second;
            }
            return;
        }
        // Where everybody is late, it is not the merchant.
        let everybody = others_late >= 0.3 * others.max(1.0);
        let stands_out = late.len() >= LEAST
            && count * 2.0 >= total
            && excess(count, total * share) >= NATS
            && !everybody;
        if !stands_out {
            return;
        }
        let started_ms = late.first().map_or(second * 1000, |seen| seen.credited_ms);
        let mut open = Open {
            entry: Entry::NONE,
            merchant,
            acknowledged: acknowledges,
            started_ms,
            last_s: second,
        };
        let report = self.report(&open, detector);
        open.entry = book.open(Family::Acks, report, end_of(second));
        self.open.push(open);
    }

    fn report(&self, open: &Open, detector: &Detector) -> Report {
        let mut evidence = Evidence {
            merchants: 1,
            ..Evidence::default()
        };
        let (mut samples, mut terminals, mut total) = (Vec::new(), Vec::new(), 0_u64);
        let seen = self.seen[&open.merchant].iter();
        for seen in seen.filter(|seen| seen.credited_ms >= open.started_ms) {
            total += 1;
            if !seen.late {
                continue;
            }
            evidence.touched += 1;
            terminals.push(seen.terminal);
            if let Some(id) = seen.id.as_ref().filter(|_| samples.len() < 5) {
                samples.push(id.to_string());
            }
        }
        evidence.rate_inside = evidence.touched as f64 / total.max(1) as f64;
        evidence.terminals = distinct(terminals).len() as u64;
        Report {
            finding: Finding {
                cause: Cause::MerchantBackendSlow,
                basis: Basis::Confirmed,
                confidence: 0.95,
                ruled_out: vec!["not the channel: the credits were in time".into()],
            },
            severity: Severity::Warning,
            scope: Scope::one(MERCHANT, open.merchant).named(&detector.values, &detector.dims),
            started_at: Timestamp::from_millis(open.started_ms),
            evidence,
            samples,
        }
    }
}

/// Whether a merchant acknowledged most of what is known of it: only then it says something that it does not.
fn acknowledges<'a>(seen: impl Iterator<Item = &'a Seen>) -> bool {
    let (came, all) = seen.fold((0.0, 0.0), |(came, all), seen| {
        (came + f64::from(u8::from(seen.came)), all + 1.0)
    });
    wilson(came, all, SURE).0 >= 0.5
}

keep!(Seen {
    second,
    late,
    came,
    id,
    terminal,
    credited_ms,
});
keep!(Open {
    entry,
    merchant,
    acknowledged,
    started_ms,
    last_s,
});
keep!(Merchants {
    seen,
    all,
    late_all,
    fresh,
    open,
});

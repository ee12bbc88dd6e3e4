//! Faults of credits: from a suspicion to an incident and to its end.

mod apart;
mod changed;
mod ended;
mod fault;
mod others;
mod pending;
mod told;

use crate::around::Around;
use crate::detect::Detector;
use crate::detect::localise::{Suspicion, Suspicions};
use crate::detect::rows::Change;
use crate::detect::scope::Scope;
use crate::detect::values::ValueId;
use crate::incident::book::{Book, Entry, Family};
use crate::keep::{Keep, Reader, Unreadable, Writer};
use crate::pulse::{CHANNEL, MERCHANT, STORE, TERMINAL};
use crate::second::end_of;
use crate::silence::FIRST_SIGNS_MS;

use changed::by_change;
use fault::{Fault, TAIL_MS};
use others::{ANOTHER_MS, Others, Place, contains};
use pending::Pending;

/// Payments that came so long before the onset may be slow because of it, in milliseconds.
const LEAD_MS: i64 = 30_000;

/// Parts of a place show that they suffer within so many seconds of each other.
const TOGETHER_S: i64 = 60;

/// How large places are is seen by the payments of so many seconds.
const COUNTED_S: i64 = 300;

/// How often that is looked at, in seconds.
const COUNTED_EVERY_S: i64 = 15;

/// All of them.
#[derive(Default)]
pub(crate) struct Faults {
    open: Vec<Fault>,
    pending: Vec<Pending>,
    over: Vec<Place>,
}

impl Faults {
    /// Whether a payment accepted at `accepted_ms` falls into a fault that is over, or open at `second`.
    pub(crate) fn covers(&self, second: i64, accepted_ms: i64, values: &[ValueId]) -> bool {
        let mut open = self.open.iter();
        open.any(|fault| fault.has(second, accepted_ms, values, 0))
            || self.covered(accepted_ms, values, 0)
    }

    /// The same of faults whose payments were credited under corrupted ids: what makes others late corrupts none.
    pub(crate) fn corrupt(&self, second: i64, accepted_ms: i64, values: &[ValueId]) -> bool {
        let mut open = self.open.iter().filter(|fault| fault.is_of_corrupted_ids());
        let mut over = self.over.iter().filter(|over| over.corrupted);
        open.any(|fault| fault.has(second, accepted_ms, values, 0))
            || over.any(|over| over.has(accepted_ms, values, LEAD_MS))
    }

    /// Whether a fault is open, or is over and remembered.
    pub(crate) fn are_known(&self) -> bool {
        !self.open.is_empty() || !self.over.is_empty()
    }

    /// Whether a batch that is due now lacks a payment because of a fault that has nothing to do with batches: one that
    /// no channel has for itself.
    pub(crate) fn lack_part_of_a_batch(&self, accepted_ms: i64, values: &[ValueId]) -> bool {
        let elsewhere = |scope: &Scope| scope.0.iter().any(|(dim, _)| *dim != CHANNEL);
        let mut open = self.open.iter();
        let open = open.any(|fault| elsewhere(&fault.scope) && fault.scope.holds(values));
        let mut over = self.over.iter();
        open || over.any(|over| elsewhere(&over.scope) && over.has(accepted_ms, values, LEAD_MS))
    }

    /// Whether it falls into a fault that is over, or was paid at most `lead_ms` before.
    pub(crate) fn covered(&self, accepted_ms: i64, values: &[ValueId], lead_ms: i64) -> bool {
        let mut over = self.over.iter();
        over.any(|over| over.has(accepted_ms, values, LEAD_MS + lead_ms))
    }

    /// Whether no open fault explains that a channel's credits do not come: none of something that lies across
    /// channels, and none that has long begun where they came until now.
    pub(crate) fn leave_room_for(&self, stop: &Suspicion) -> bool {
        let channel = &stop.scope;
        self.open.iter().all(|fault| {
            let is_small = [TERMINAL, MERCHANT, STORE]
                .iter()
                .any(|dim| fault.scope.has(*dim));
            fault.is_ended()
                || is_small
                || fault.scope == *channel
                || is_another(stop, fault)
                || fault.scope.has(CHANNEL) && !contains(channel, &fault.scope)
        })
    }

    /// Whether it falls into a fault that is over, or does not go on any more, as far as is known.
    pub(crate) fn had(
        &self,
        second: i64,
        accepted_ms: i64,
        values: &[ValueId],
        lead_ms: i64,
    ) -> bool {
        let mut past = self.open.iter().filter(|fault| !fault.is_standing(second));
        self.covered(accepted_ms, values, lead_ms)
            || past.any(|fault| fault.has(second, accepted_ms, values, lead_ms))
    }

    /// The second `second` ended with these changes and suspicions.
    pub(crate) fn end_second(
        &mut self,
        second: i64,
        detector: &Detector,
        changes: &[Change],
        suspicions: Suspicions,
        around: &Around<'_>,
        book: &mut Book,
    ) {
        self.touch(second, detector, changes);
        for suspicion in suspicions.beside {
            if self.is_known(second, detector, &suspicion, &suspicions.all) {
                continue;
            }
            self.place(second, detector, suspicion, around, book);
        }
        self.pending.retain(|pending| pending.seen_s + 3 >= second);
        let over = self.over_or_silent(around);
        let places = self.divide(second, detector, &over);
        for (at, fault) in self.open.iter_mut().enumerate() {
            let others = places.iter().enumerate().filter(|(other, _)| *other != at);
            let others = Others {
                open: others.map(|(_, place)| place).collect(),
                over: &over,
            };
            fault.review(second, detector, around, &others, book);
        }
        self.fold(second, detector, around, book);
        self.close(second, detector, around, book);
    }

    /// What several places have is the smallest one's, and what a silent stream hides is nobody's. Returns where the open
    /// ones are.
    fn divide(&mut self, second: i64, detector: &Detector, over: &[Place]) -> Vec<Place> {
        let due = second.rem_euclid(COUNTED_EVERY_S) == 0;
        let unknown = self
            .open
            .iter_mut()
            .filter(|fault| due || fault.payments == 0);
        for fault in unknown {
            fault.payments = detector.payments_in(&fault.scope, second - COUNTED_S);
        }
        let places = self.places(second);
        for (fault, place) in self.open.iter_mut().zip(&places) {
            let others = places.iter().chain(over);
            let within = others.filter(|other| other.takes_from(place));
            fault.within = within.cloned().collect();
        }
        places
    }

    fn places(&self, second: i64) -> Vec<Place> {
        let open = self.open.iter();
        open.map(|fault| fault.place(second)).collect()
    }

    /// Faults that are over, and silences of whole streams: of them others know nothing.
    fn over_or_silent(&self, around: &Around<'_>) -> Vec<Place> {
        let silences = around.silences_ms.iter();
        let silences = silences.map(|&(onset_ms, until_ms)| Place {
            scope: Scope::default(),
            onset_ms,
            until_ms,
            apart: false,
            payments: 0,
            corrupted: false,
        });
        self.over.iter().cloned().chain(silences).collect()
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
                let until_ms = fault.until_ms(second).min(fault.seen_s * 1000);
                let is_its = row.accepted_ms >= fault.onset_ms - 1000
                    && row.accepted_ms <= until_ms
                    && fault.scope.holds(values);
                if is_its {
                    fault.effect_s = second;
                }
            }
        }
    }

    /// Whether a suspicion belongs to a fault that is open: by itself, as payments that do not say where they are, or as
    /// a part of what is found among all payments, the fault's too, where the fault began a moment ago.
    fn is_known(
        &mut self,
        second: i64,
        detector: &Detector,
        suspicion: &Suspicion,
        all: &[Suspicion],
    ) -> bool {
        let whole = all
            .iter()
            .filter(|whole| detector.lies_in(second, suspicion, &whole.scope));
        let whole: Vec<&Suspicion> = whole.collect();
        let known = self.open.iter_mut().find(|fault| {
            if is_another(suspicion, fault) {
                return false;
            }
            let around_it = fault.is_standing(second) && contains(&fault.scope, &suspicion.scope);
            let young = fault.is_standing(second) && second - fault.opened_s <= TOGETHER_S;
            around_it
                || fault.is_about(suspicion, second, detector)
                || fault.may_have(suspicion, second, detector)
                || young
                    && whole
                        .iter()
                        .any(|whole| fault.is_about(whole, second, detector))
        });
        if let Some(fault) = known {
            fault.seen_s = second;
            fault.ended_ms = None;
            fault.confidence = fault.confidence.max(confidence(suspicion));
            return true;
        }
        false
    }

    /// Since when a suspicion stands, in milliseconds.
    fn onset_of(
        &self,
        second: i64,
        detector: &Detector,
        suspicion: &Suspicion,
        around: &Around<'_>,
    ) -> Option<i64> {
        let places = self.places(second);
        let over = self.over_or_silent(around);
        let others = Others {
            open: places.iter().collect(),
            over: &over,
        };
        let found = || others.onset_of(detector, &suspicion.scope, second, suspicion.bad);
        suspicion.since_ms.or_else(found)
    }

    fn open(
        &mut self,
        second: i64,
        detector: &Detector,
        suspicion: &Suspicion,
        around: &Around<'_>,
        book: &mut Book,
    ) {
        // What it lies around was there before, and was found to be another one.
        for inner in &mut self.open {
            inner.apart |= inner.lies_in(suspicion, second, detector);
        }
        let Some(onset) = self.onset_of(second, detector, suspicion, around) else {
            return;
        };
        let scope = by_change(suspicion.scope.clone(), onset, detector, around);
        if self.grow(second, suspicion, &scope, onset) {
            return;
        }
        let mut fault = Fault {
            entry: Entry::NONE,
            scope,
            bad: suspicion.bad,
            onset_ms: onset,
            first_ms: None,
            opened_s: second,
            effect_s: second,
            seen_s: second,
            ended_ms: None,
            was_down: false,
            down_s: None,
            confidence: confidence(suspicion),
            early: suspicion.since_ms.is_some(),
            apart: self.open.iter().any(|outer| is_another(suspicion, outer)),
            payments: 0,
            within: Vec::new(),
            better: None,
            turning: None,
            finding: None,
        };
        fault.stop(second, detector, around);
        let now = end_of(second);
        let mut report = fault.report(second, detector, around);
        fault.first_ms = book.first_ms(Family::Credits, &report, now);
        if fault.first_ms.is_some() {
            report = fault.report(second, detector, around);
        }
        fault.entry = book.open(Family::Credits, report, now);
        self.open.push(fault);
    }

    /// A place around that of a fault which began with it is the fault's: people know of it by now.
    fn grow(&mut self, second: i64, suspicion: &Suspicion, scope: &Scope, onset_ms: i64) -> bool {
        let inner = self.open.iter_mut().find(|inner| {
            !inner.apart
                && inner.is_standing(second)
                && inner.scope != *scope
                && contains(scope, &inner.scope)
                && (inner.onset_ms - onset_ms).abs() <= ANOTHER_MS
        });
        let Some(inner) = inner else { return false };
        inner.move_to(scope.clone());
        inner.bad = suspicion.bad;
        inner.early = suspicion.since_ms.is_some();
        inner.onset_ms = onset_ms;
        inner.seen_s = second;
        inner.confidence = inner.confidence.max(confidence(suspicion));
        true
    }

    /// A fault within another one, or within the silence of a stream, is part of it.
    fn fold(&mut self, second: i64, detector: &Detector, around: &Around<'_>, book: &mut Book) {
        let mut at = 0;
        while at < self.open.len() {
            let inner = &self.open[at];
            let outer = self.open.iter().enumerate().find(|(other, outer)| {
                *other != at
                    && (outer.scope == inner.scope && *other < at
                        || outer.scope != inner.scope
                            && !inner.apart
                            && !outer.is_ended()
                            && outer.until_ms(second) >= inner.onset_ms
                            && contains(&outer.scope, &inner.scope))
            });
            // What a stream that says nothing explains is no other fault, nor was its first sign.
            let silent = around.silent_since_ms.is_some_and(|since_ms| {
                inner.scope.is_everything() || inner.onset_ms >= since_ms - FIRST_SIGNS_MS
            });
            if outer.is_some() || silent {
                let mut folded = self.open.remove(at);
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
        for mut fault in Vec::<Fault>::from_iter(over) {
            let report = fault.report(second, detector, around);
            book.resolve(fault.entry, report, end_of(second));
            let effect_ms = fault.seen_s.max(fault.effect_s) * 1000;
            let until_ms = fault
                .ended_ms
                .map_or(effect_ms, |ended_ms| ended_ms + TAIL_MS);
            self.over.push(Place {
                corrupted: fault.is_of_corrupted_ids(),
                scope: fault.scope,
                onset_ms: fault.onset_ms,
                until_ms,
                apart: false,
                payments: fault.payments,
            });
        }
        self.over
            .retain(|over| over.until_ms + 1_200_000 > second * 1000);
    }
}

/// Whether credits of a channel came as usual in spite of a fault of everything, long after it began, until they stopped.
fn is_another(stop: &Suspicion, fault: &Fault) -> bool {
    let long_after = |since_ms: i64| since_ms > fault.onset_ms + ANOTHER_MS;
    fault.scope.is_everything() && stop.was_well && stop.since_ms.is_some_and(long_after)
}

fn confidence(suspicion: &Suspicion) -> f64 {
    let odds = 1.0 - (-suspicion.nats / 20.0).exp();
    (0.5 + 0.5 * odds * suspicion.coverage.clamp(0.3, 1.0)).min(0.99)
}

impl Keep for Faults {
    fn write(&self, to: &mut Writer) {
        let Self {
            open,
            pending,
            over,
        } = self;
        open.write(to);
        pending.write(to);
        over.write(to);
    }

    /// What lies in a place that is not known any more is over.
    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let mut faults = Self {
            open: Keep::read(from)?,
            pending: Keep::read(from)?,
            over: Keep::read(from)?,
        };
        for fault in &faults.open {
            if fault.scope.is_lost() {
                from.disowns(fault.entry);
            }
        }
        faults.open.retain(|fault| !fault.scope.is_lost());
        for fault in &mut faults.open {
            fault.better.take_if(|(scope, _)| scope.is_lost());
        }
        faults.pending.retain(|it| !it.suspicion.scope.is_lost());
        faults.over.retain(|over| !over.scope.is_lost());
        Ok(faults)
    }
}

//! One fault that is open: where it is, since when, and what is said of it.

use crate::detect::Detector;
use crate::detect::localise::{Look, Suspicion};
use crate::detect::onset::onset_ms;
use crate::detect::rates::excess;
use crate::detect::rows::{Bad, Row};
use crate::detect::scope::Scope;
use crate::detect::values::{ValueId, count, nearly_all};
use crate::incident::book::{Book, Entry};
use crate::incident::cause::Cause;
use crate::incident::{Basis, Finding};
use crate::keep::keep;
use crate::stop::Stop;

use super::LEAD_MS;
use super::changed::by_change;
use super::ended::ended_ms;
use super::others::{ANOTHER_MS, Others, Place};
use crate::around::Around;
use crate::second::end_of;

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

/// Rows before the onset that a review looks at, in seconds.
const BEFORE_S: i64 = 30;

/// Payments that were appended so long before the onset may be the first that suffer, in milliseconds.
const FIRST_MS: i64 = 2_000;

/// Another verdict must stand for so long, in seconds.
const TURNS_S: i64 = 3;

/// A fault is not over sooner, in seconds.
const ENDS_S: i64 = 20;

/// The last payments of a fault suffer less and less, for so long, in milliseconds.
pub(super) const TAIL_MS: i64 = 15_000;

/// Where nothing was credited for so long, in seconds, it was down whatever comes then.
const DOWN_S: i64 = 30;

/// A fault that was seen early is dated again when it is so old, in seconds.
const DATED_S: i64 = 30;

/// Bad payments of a suspicion, of a fault, and those that both have.
#[derive(Default)]
struct Shared {
    theirs: u32,
    ours: u32,
    both: u32,
}

impl Shared {
    fn is_in_theirs(&self) -> bool {
        self.both * 2 > self.ours && self.ours >= 3
    }
}

/// A fault that is open.
pub(super) struct Fault {
    pub(super) entry: Entry,
    pub(super) scope: Scope,
    pub(super) bad: Bad,
    pub(super) onset_ms: i64,
    /// When it began for the first time, in milliseconds, where its incident was opened again.
    pub(super) first_ms: Option<i64>,
    pub(super) opened_s: i64,
    /// When a payment was last touched by it.
    pub(super) effect_s: i64,
    /// When it last stood out.
    pub(super) seen_s: i64,
    /// From when on payments are as usual again, in milliseconds.
    pub(super) ended_ms: Option<i64>,
    pub(super) was_down: bool,
    /// Since when credits have stopped, in seconds.
    pub(super) down_s: Option<i64>,
    pub(super) confidence: f64,
    /// Whether it was seen by what did not come, before any payment was late.
    pub(super) early: bool,
    /// Whether it was there before another one that lies around it.
    pub(super) apart: bool,
    /// Payments of its place of late.
    pub(super) payments: u64,
    /// Faults that take payments from it: they began at another time in smaller places.
    pub(super) within: Vec<Place>,
    /// A better place, and since when.
    pub(super) better: Option<(Scope, i64)>,
    /// A verdict that differs from the one that was said, and since when.
    pub(super) turning: Option<(Cause, i64)>,
    pub(super) finding: Option<Finding>,
}

impl Fault {
    pub(super) fn place(&self, second: i64) -> Place {
        Place {
            scope: self.scope.clone(),
            onset_ms: self.onset_ms,
            until_ms: self.until_ms(second).saturating_add(TAIL_MS),
            apart: self.apart,
            payments: self.payments,
            corrupted: self.is_of_corrupted_ids(),
        }
    }

    /// Whether its payments were credited under corrupted ids.
    pub(super) fn is_of_corrupted_ids(&self) -> bool {
        let finding = self.finding.as_ref();
        finding.is_some_and(|finding| finding.cause == Cause::IdCorrupted)
    }

    /// Whether a payment of its place suffers from a fault in a smaller one.
    pub(super) fn leaves(&self, accepted_ms: i64, values: &[ValueId]) -> bool {
        let mut within = self.within.iter();
        within.any(|other| other.has(accepted_ms, values, 0))
    }

    /// Whether a suspicion is about this fault: most of what is bad in either lies in the other.
    pub(super) fn is_about(&self, suspicion: &Suspicion, second: i64, detector: &Detector) -> bool {
        if self.scope == suspicion.scope {
            return true;
        }
        let shared = self.shared(suspicion, second, detector);
        shared.both * 2 > shared.theirs
            || shared.is_in_theirs() && !self.apart && !self.is_apart(suspicion, second, detector)
    }

    /// Whether most of what is bad in this fault lies in the place of a suspicion.
    pub(super) fn lies_in(&self, suspicion: &Suspicion, second: i64, detector: &Detector) -> bool {
        self.shared(suspicion, second, detector).is_in_theirs()
    }

    /// Whether a suspicion is of payments that do not say enough to tell whether they lie in this fault, and began with it.
    pub(super) fn may_have(&self, suspicion: &Suspicion, second: i64, detector: &Detector) -> bool {
        if !self.is_standing(second) {
            return false;
        }
        let Suspicion { scope, bad, .. } = suspicion;
        let own = detector.bad_of(scope, *bad, second - suspicion.window_s);
        let silent = count(own, |values| self.scope.may_hold(values));
        let beside = |_: &Row, values: &[ValueId]| !self.scope.holds(values);
        let onset = || onset_of(detector, &suspicion.scope, second, suspicion.bad, &beside);
        nearly_all(silent)
            && onset().is_some_and(|onset| (onset - self.onset_ms).abs() <= ANOTHER_MS)
    }

    fn shared(&self, suspicion: &Suspicion, second: i64, detector: &Detector) -> Shared {
        let mut shared = Shared::default();
        for row in detector.rows.since(second - suspicion.window_s) {
            if !row.is_bad(suspicion.bad) {
                continue;
            }
            let values = detector.values.of(row.tuple);
            let in_theirs = suspicion.scope.holds(values);
            let in_ours = self.has(second, row.accepted_ms, values, 0);
            shared.theirs += u32::from(in_theirs);
            shared.ours += u32::from(in_ours);
            shared.both += u32::from(in_theirs && in_ours);
        }
        shared
    }

    /// Looks at the place and the verdict again.
    pub(super) fn review(
        &mut self,
        second: i64,
        detector: &Detector,
        around: &Around<'_>,
        others: &Others<'_>,
        book: &mut Book,
    ) {
        let young = second - self.opened_s < 30;
        if self.bad == Bad::Long && self.are_most_slow(second, detector) {
            self.bad = Bad::Slow;
        }
        let age_s = second - self.opened_s;
        if age_s >= ENDS_S && second.rem_euclid(REVIEWED_S) == 0 {
            self.ended_ms = ended_ms(detector, self, second);
        }
        if !self.is_ended() && self.stands_out(second, detector) {
            self.seen_s = second;
        }
        let standing = self.is_standing(second);
        let due = age_s < 10 || age_s % if young { 3 } else { RESCOPED_S } == 0;
        // What lies around it would pull it along.
        if standing && due && !self.apart {
            self.rescope(second, detector, around, others);
        }
        if self.early && age_s == DATED_S {
            self.date(second, detector, others);
        }
        if young || second.rem_euclid(REVIEWED_S) == 0 {
            if standing {
                self.stop(second, detector, around);
            }
            let report = self.report(second, detector, around);
            book.update(self.entry, report, end_of(second));
        }
    }

    /// Who did not come said that it began; those who came late say when.
    fn date(&mut self, second: i64, detector: &Detector, others: &Others<'_>) {
        let onset = others.onset_of(detector, &self.scope, second, self.bad);
        if let Some(onset) = onset.filter(|at| (at - self.onset_ms).abs() <= DATED_S * 1000) {
            self.onset_ms = onset;
        }
    }

    /// Whether most of its payments are slow, of late, where at first few were.
    fn are_most_slow(&self, second: i64, detector: &Detector) -> bool {
        let rows = detector.rows.since(second - 30);
        let own =
            rows.filter(|row| row.counts() && self.scope.holds(detector.values.of(row.tuple)));
        let (slow, all) = own.fold((0, 0), |(slow, all), row| {
            (slow + u32::from(row.slow), all + 1)
        });
        all >= 10 && slow * 2 >= all
    }

    /// Whether its place is worse than usual, of late. A small loss is seen among what is lost alone.
    pub(super) fn stands_out(&self, second: i64, detector: &Detector) -> bool {
        let is_loss = || self.bad == Bad::Slow && self.stands_out_by(Bad::Lost, second, detector);
        self.stands_out_by(self.bad, second, detector) || is_loss()
    }

    fn stands_out_by(&self, what: Bad, second: i64, detector: &Detector) -> bool {
        [30, 120].into_iter().any(|window_s| {
            let (mut bad, mut mean) = (0.0, 0.0);
            for row in detector.rows.since(second - window_s) {
                let values = detector.values.of(row.tuple);
                let is_its = row.counts() && self.scope.holds(values);
                if is_its && !self.leaves(row.accepted_ms, values) {
                    bad += f64::from(u8::from(row.is_bad(what)));
                    mean += detector.usual_share(row, what);
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
    pub(super) fn is_standing(&self, second: i64) -> bool {
        !self.is_ended() && second - self.seen_s < STANDING_S
    }

    /// Whether payments are as usual again, though some may still suffer from what was.
    pub(super) fn is_ended(&self) -> bool {
        self.ended_ms.is_some()
    }

    /// Payments suffer that were accepted until then, in milliseconds.
    pub(super) fn until_ms(&self, second: i64) -> i64 {
        if self.is_standing(second) {
            i64::MAX
        } else {
            self.ended_ms.unwrap_or(self.seen_s * 1000)
        }
    }

    /// Whether a payment suffers from it, or was paid at most `lead_ms` before those that do.
    pub(super) fn has(
        &self,
        second: i64,
        accepted_ms: i64,
        values: &[ValueId],
        lead_ms: i64,
    ) -> bool {
        let until_ms = self.until_ms(second).saturating_add(TAIL_MS);
        let during = self.onset_ms - LEAD_MS - lead_ms..=until_ms;
        during.contains(&accepted_ms) && self.scope.holds(values)
    }

    /// Whether credits stopped: as long as what came before the fault is remembered.
    pub(super) fn stop(&mut self, second: i64, detector: &Detector, around: &Around<'_>) {
        let mut silences = around.silences_ms.iter();
        // Of what began before it a silence hides whether it stopped.
        let hidden = silences
            .any(|(since_ms, until_ms)| *since_ms > self.onset_ms && *until_ms > self.onset_ms);
        if hidden || second - self.opened_s > REMEMBERED_S {
            return;
        }
        let now_ms = (second + 1) * 1000;
        let Detector { values, dims, .. } = detector;
        let maintenance = around.feeds.maintenance(values, dims);
        let stop = Stop::of(detector, &self.scope, &maintenance, self.onset_ms, now_ms);
        // A stop long after it began says nothing of when it began.
        if let Some(stop) = &stop
            && !self.was_down
            && second - self.opened_s <= DATED_S
        {
            self.onset_ms = self.onset_ms.max(stop.since_ms + 1);
        }
        // What is credited slowly after so long says nothing against it.
        let long = self.down_s.is_some_and(|down_s| second - down_s >= DOWN_S);
        self.was_down = stop.is_some() || self.was_down && long;
        self.down_s = self.down_s.or(Some(second)).filter(|_| self.was_down);
    }

    /// What is said of it, where `draft` is what would be said now: a verdict is said when it has stood for some seconds,
    /// evidence comes piece by piece.
    pub(super) fn settled(&mut self, second: i64, draft: Finding) -> Finding {
        let Some(said) = &self.finding else {
            self.finding = Some(draft.clone());
            return draft;
        };
        if self.keeps(second, said, &draft) {
            return said.clone();
        }
        if said.cause != draft.cause || said.basis != draft.basis {
            let since = match &self.turning {
                Some((cause, since)) if *cause == draft.cause => *since,
                _ => second,
            };
            if second - since < TURNS_S {
                self.turning = Some((draft.cause, since));
                return said.clone();
            }
        }
        self.turning = None;
        self.finding = Some(draft.clone());
        draft
    }

    /// Whether `draft` says nothing of it, whatever it says.
    fn keeps(&self, second: i64, said: &Finding, draft: &Finding) -> bool {
        // What comes after a fault says nothing of it.
        let late = !self.is_standing(second) && draft.cause != Cause::IdCorrupted;
        // Legs from before a long fault are forgotten: what they showed is not unsaid.
        let unsaid = said.cause == Cause::GatewayDelay
            && said.basis == Basis::Confirmed
            && draft.basis != Basis::Confirmed;
        // Nor does what happens around it.
        late || unsaid || self.apart
    }

    /// The payments since it began.
    pub(super) fn look(&self, second: i64) -> Look {
        let after_s = self.onset_ms.div_euclid(1000) - BEFORE_S;
        let after_s = after_s.max(second - 600);
        Look {
            after_s,
            window_s: second - after_s,
            accepted_ms: self.onset_ms - FIRST_MS,
            bad: self.bad,
        }
    }

    /// It has another place; what was said of the one before says nothing of it.
    pub(super) fn move_to(&mut self, scope: Scope) {
        self.scope = scope;
        self.payments = 0;
        self.better = None;
        self.finding = None;
        self.turning = None;
    }

    /// The place that explains best what was bad since the fault began.
    fn rescope(
        &mut self,
        second: i64,
        detector: &Detector,
        around: &Around<'_>,
        others: &Others<'_>,
    ) {
        let found = detector
            .localise(self.look(second), &|row, values| {
                others.have(self, row.accepted_ms, values)
            })
            .into_iter()
            .find(|suspicion| self.is_about(suspicion, second, detector));
        // Several values may be several faults, where one of them is known.
        let found = found.filter(|found| !others.have_a_part_of(&found.scope));
        // What is left beside an older one is not everything.
        let found = found.filter(|found| !found.scope.is_everything() || !others.are_older(self));
        // Nor is it another one's place, where it has bad payments beside that.
        let found = found.filter(|found| {
            !others.are_at(&found.scope) || self.is_within(&found.scope, second, detector)
        });
        let found = found.map(|found| by_change(found.scope, self.onset_ms, detector, around));
        let Some(found) = found.filter(|found| *found != self.scope) else {
            self.better = None;
            return;
        };
        let since = match &self.better {
            Some((scope, since)) if *scope == found => *since,
            _ => {
                self.better = Some((found, second));
                return;
            }
        };
        if second - since >= 3 {
            self.move_to(found);
            if let Some(onset) = others.onset_of(detector, &self.scope, second, self.bad) {
                self.onset_ms = onset.min(self.onset_ms + 30_000);
            }
        }
    }

    /// Whether nearly all that is bad in it lies in another place.
    fn is_within(&self, place: &Scope, second: i64, detector: &Detector) -> bool {
        let own = detector.bad_of(&self.scope, self.bad, self.look(second).after_s);
        let (own, both) = count(own, |values| place.holds(values));
        own > 0 && nearly_all((own, both))
    }

    pub(super) fn is_over(&self, second: i64) -> bool {
        second - self.seen_s >= OVER_S / 2 && second - self.effect_s.max(self.seen_s) >= OVER_S
            || second - self.seen_s >= 2 * OVER_S
    }
}

/// Since when the payments of a scope are bad that are its `own`, in milliseconds.
pub(super) fn onset_of(
    detector: &Detector,
    scope: &Scope,
    second: i64,
    bad: Bad,
    own: &dyn Fn(&Row, &[ValueId]) -> bool,
) -> Option<i64> {
    let rows = detector.rows.since(second - 900).filter(|row| {
        let values = detector.values.of(row.tuple);
        row.counts() && scope.holds(values) && own(row, values)
    });
    let now_ms = end_of(second).millis();
    onset_ms(now_ms, rows, |row| detector.usual_share(row, bad), bad)
}

keep!(Fault {
    entry,
    scope,
    bad,
    onset_ms,
    first_ms,
    opened_s,
    effect_s,
    seen_s,
    ended_ms,
    was_down,
    down_s,
    confidence,
    early,
    apart,
    payments,
    within,
    better,
    turning,
    finding,
});

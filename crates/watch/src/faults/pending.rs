//! What stands out and is no fault yet: how long it must stand, and where it belongs.

use crate::around::Around;
use crate::detect::Detector;
use crate::detect::localise::Suspicion;
use crate::incident::book::Book;
use crate::keep::keep;
use crate::pulse::CHANNEL;
use crate::second::end_of;
use crate::stop::Stop;

use super::others::contains;
use super::{Faults, TOGETHER_S, is_another};

/// A suspicion must stand for so many seconds, unless it is beyond doubt.
const STANDS_S: i64 = 2;

/// The same where no place stands out: of the first payments chance may leave any place out.
const STANDS_EVERYWHERE_S: i64 = 5;

/// The same where most of what is bad lies in a part of everything all the same.
const STANDS_IN_DOUBT_S: i64 = 12;

/// Evidence in natural units that is beyond doubt.
const CERTAIN_NATS: f64 = 60.0;

/// A channel of which nothing was credited for so many seconds may have stopped.
const STILL_S: i64 = 3;

/// Whether it did is known when it has been suspected for so long, in seconds.
const DECIDED_S: i64 = 8;

/// A suspicion that has not stood long enough.
pub(super) struct Pending {
    pub(super) suspicion: Suspicion,
    pub(super) since_s: i64,
    pub(super) seen_s: i64,
}

impl Faults {
    /// What is not known stands for a moment, and is a new fault then.
    pub(super) fn place(
        &mut self,
        second: i64,
        detector: &Detector,
        suspicion: Suspicion,
        around: &Around<'_>,
        book: &mut Book,
    ) {
        if self.join(second, detector, &suspicion) {
            return;
        }
        let suspicion = self.remembered(second, detector, suspicion);
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
        let stands_s = must_stand_s(second, detector, &suspicion);
        let stood_s = second - since_s;
        let undecided =
            || stood_s < DECIDED_S && self.may_yet_stop(second, detector, &suspicion, around);
        if stood_s >= stands_s - 1 && !undecided() {
            self.pending
                .retain(|pending| pending.suspicion.scope != suspicion.scope);
            self.open(second, detector, &suspicion, around, book);
        }
    }

    /// Whether a channel may turn out to have stopped in a moment: people are told once.
    fn may_yet_stop(
        &self,
        second: i64,
        detector: &Detector,
        suspicion: &Suspicion,
        around: &Around<'_>,
    ) -> bool {
        let scope = &suspicion.scope;
        let [(CHANNEL, channels)] = scope.0.as_slice() else {
            return false;
        };
        if detector
            .flows
            .credited(channels, (second - STILL_S + 1, second))
            > 0.0
        {
            return false;
        }
        let onset_ms = self.onset_of(second, detector, suspicion, around);
        onset_ms.is_some_and(|onset_ms| {
            let maintenance = around.feeds.maintenance(&detector.values, &detector.dims);
            let now_ms = end_of(second).millis();
            Stop::of(detector, scope, &maintenance, onset_ms, now_ms).is_none()
        })
    }

    /// What nearly all lies in the place of a fault that is over is there again: the first payments alone would not tell.
    fn remembered(&self, second: i64, detector: &Detector, suspicion: Suspicion) -> Suspicion {
        let mut over = self.over.iter().rev();
        let known = over.find(|over| {
            contains(&suspicion.scope, &over.scope)
                && detector.lies_in(second, &suspicion, &over.scope)
        });
        match known.map(|over| over.scope.clone()) {
            Some(scope) => Suspicion { scope, ..suspicion },
            None => suspicion,
        }
    }

    /// A fault that began a moment ago may have begun in another part of the same place: then it is that place's.
    fn join(&mut self, second: i64, detector: &Detector, suspicion: &Suspicion) -> bool {
        for fault in &mut self.open {
            let young = second - fault.opened_s <= TOGETHER_S && fault.is_standing(second);
            if !young || is_another(suspicion, fault) {
                continue;
            }
            let joined = detector.joined(&fault.scope, &suspicion.scope, fault.look(second));
            if let Some(wider) = joined {
                fault.move_to(wider);
                fault.seen_s = second;
                return true;
            }
        }
        false
    }
}

/// How long a suspicion must stand before it is believed, in seconds.
fn must_stand_s(second: i64, detector: &Detector, suspicion: &Suspicion) -> i64 {
    if !suspicion.scope.is_everything() {
        return if suspicion.nats >= CERTAIN_NATS {
            0
        } else {
            STANDS_S
        };
    }
    if detector.may_lie_in_a_part(suspicion, second) {
        STANDS_IN_DOUBT_S
    } else {
        STANDS_EVERYWHERE_S
    }
}

keep!(Pending {
    suspicion,
    since_s,
    seen_s,
});

//! Whether what a wider place suffers from is another fault than one that is known within it.

use std::collections::BTreeMap;

use settlewatch_join::event::RefusalClass;

use crate::detect::Detector;
use crate::detect::localise::Suspicion;
use crate::detect::onset::onset_ms;
use crate::detect::rows::{Bad, Row};
use crate::detect::scope::Scope;
use crate::evidence::main_class;
use crate::second::end_of;

use super::LEAD_MS;
use super::fault::Fault;

/// What does not come is dated to within so many milliseconds.
const DATED_MS: i64 = 10_000;

/// What begins so long after another began is not the same.
const LATER_MS: i64 = 15_000;

/// Bad payments that must be missing beside a fault before what is beside it began: fewer may be missing by chance.
const MISSING: f64 = 5.0;

/// Of those that were to be expected, so many may be there.
const FEW: f64 = 0.25;

/// Bad payments that say what their cause is.
const TELLING: u32 = 5;

/// Payments of a wider place that lie beside a fault, and those that lie in it.
#[derive(Default)]
struct Sides<'a> {
    own: Vec<&'a Row>,
    beside: Vec<&'a Row>,
}

impl Fault {
    /// Whether `suspicion`, of a place that this fault lies in, is another fault: beside this one it began later, or its
    /// payments are not rejected for the reason for which this fault's are.
    pub(super) fn is_apart(&self, suspicion: &Suspicion, second: i64, detector: &Detector) -> bool {
        let sides = self.sides(&suspicion.scope, second, detector);
        let reason = reason_of(&sides.own, self.bad);
        if let Some(since_ms) = suspicion.since_ms {
            return reason.is_some() || since_ms > self.onset_ms + DATED_MS;
        }
        let bad = sides.beside.iter().filter(|row| row.is_bad(self.bad));
        let other_reason = reason.is_some_and(|class| {
            let (same, all) = bad.fold((0, 0), |(same, all), row| {
                (same + u32::from(row.class == Some(class)), all + 1)
            });
            all >= TELLING && same * 5 < all
        });
        other_reason || self.began_before(second, &sides.beside, detector)
    }

    fn sides<'a>(&self, wider: &Scope, second: i64, detector: &'a Detector) -> Sides<'a> {
        let since_s = (self.onset_ms - LEAD_MS).div_euclid(1000).max(second - 900);
        let mut sides = Sides::default();
        for row in detector.rows.since(since_s) {
            let values = detector.values.of(row.tuple);
            if !row.counts() || row.accepted_ms < self.onset_ms {
                continue;
            }
            if self.scope.holds(values) {
                sides.own.push(row);
            } else if wider.holds(values) {
                sides.beside.push(row);
            }
        }
        sides
    }

    /// Whether payments beside this fault were well when it began, and are not now.
    fn began_before(&self, second: i64, beside: &[&Row], detector: &Detector) -> bool {
        let usual = |row: &Row| detector.usual_share(row, self.bad);
        let now_ms = end_of(second).millis();
        let Some(onset) = onset_ms(now_ms, beside.iter().copied(), usual, self.bad) else {
            return false;
        };
        // What slows all shows in one place a little sooner than in another.
        if onset < self.onset_ms + LATER_MS {
            return false;
        }
        let (mut before, mut after) = ((0.0, 0.0), (0.0, 0.0));
        for row in beside {
            let side = if row.accepted_ms < onset {
                &mut before
            } else {
                &mut after
            };
            side.0 += f64::from(u8::from(row.is_bad(self.bad)));
            side.1 += 1.0;
        }
        let expected = before.1 * after.0 / f64::max(after.1, 1.0);
        expected >= MISSING && before.0 <= expected * FEW
    }
}

/// Why most of what is bad was rejected.
fn reason_of(rows: &[&Row], bad: Bad) -> Option<RefusalClass> {
    let bad = rows
        .iter()
        .filter(|row| row.is_bad(bad) || row.class.is_some());
    let mut all = 0;
    let mut classes: BTreeMap<RefusalClass, u64> = BTreeMap::new();
    for row in bad {
        all += 1;
        if let Some(class) = row.class {
            *classes.entry(class).or_default() += 1;
        }
    }
    main_class(&classes, all)
}

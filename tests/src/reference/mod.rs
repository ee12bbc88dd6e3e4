//! A naive judge of recorded payments, written from the contract alone: slow, small, and it forgets nothing.
//!
//! 1. Records are applied one by one in canonical order; every fact about a payment is kept.
//! 2. Between two moments at which something is appended or falls due nothing can change, so only those
//!    moments are visited, in order.
//! 3. At each moment first its records are applied, then every payment and every orphan is asked whether
//!    something of it falls due, then near ids are paired.

mod case;
mod credit;
mod due;
mod events;
mod fact;
mod finish;
mod input;
mod ledger;
mod near;
mod output;
mod passing;
mod payment;
mod time;
mod world;

pub use input::{Calendar, Config, Day, Due, Rec, Rule, Tier};
pub use ledger::{Paid, Revision};
pub use output::{Counts, Outcome, STREAMS, Sums};
pub use time::{parse_ms, rfc3339};

/// What comes out of `records`, which are in canonical order, when the clock goes to `end_ms` inclusive.
pub fn judge(records: &[Rec], config: &Config, end_ms: i64) -> Outcome {
    let mut world = world::World::new(config);
    let read: Vec<&Rec> = records
        .iter()
        .take_while(|rec| rec.at_ms <= end_ms)
        .collect();
    let mut next = 0;
    let mut now = i64::MIN;
    loop {
        let appended = read.get(next).map(|rec| rec.at_ms);
        let due = world.next_due(now).filter(|due| *due <= end_ms);
        let Some(moment) = appended.into_iter().chain(due).min() else {
            break;
        };
        now = moment;
        while let Some(rec) = read.get(next).filter(|rec| rec.at_ms == now) {
            world.append(rec);
            next += 1;
        }
        world.pass(now);
    }
    world.finish(end_ms)
}

#[cfg(test)]
mod tests;

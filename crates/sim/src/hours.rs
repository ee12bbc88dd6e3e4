//! When terminals are not in use: shops close, some are switched off for a while, some start anew.

use crate::fault::SettledFault;
use crate::murmur;
use crate::scenario::Scenario;
use crate::world::World;

/// Terminals that are switched off are so for a quarter of this, once in it, and so are restarts as far apart.
const CYCLE_MS: i64 = 2_400_000;

/// When the shop of a terminal closes because of `fault`.
fn closes_at(fault: &SettledFault, store: &str) -> i64 {
    let length = fault.until - fault.from;
    fault.from + length * i64::from(murmur::partition(store, 1000)) / 1000
}

/// Whether the terminal with this index is off at `at`, so that nobody pays there and it says nothing.
pub(crate) fn is_off(
    index: usize,
    at: i64,
    start: i64,
    faults: &[SettledFault],
    world: &World,
) -> bool {
    let terminal = &world.terminals[index];
    let is_closed = |fault: &SettledFault| {
        let is_here = fault.scope.0.is_empty() || fault.scope.holds_terminal(terminal, world);
        is_here && at >= closes_at(fault, &terminal.store)
    };
    let mut closing = faults.iter();
    closing.any(|fault| fault.scenario == Scenario::Closing && is_closed(fault))
        || !terminal.steady && {
            let own = i64::from(murmur::partition(&terminal.id, 1 << 20));
            let passed = (at - start + own * 1000) % CYCLE_MS;
            own % 100 == 0 && passed < CYCLE_MS / 4
        }
}

/// How long ago the terminal with this index was started without a reason that anybody need know, milliseconds.
pub(crate) fn since_restart(index: usize, at: i64, start: i64, world: &World) -> Option<i64> {
    let terminal = &world.terminals[index];
    let own = i64::from(murmur::partition(&terminal.id, 1 << 20));
    let restarts_at = start + own * 1000 % CYCLE_MS;
    (!terminal.steady && own % 50 == 1 && at >= restarts_at).then(|| at - restarts_at)
}

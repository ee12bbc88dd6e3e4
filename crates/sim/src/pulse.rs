//! The terminals' heartbeats, one a minute each.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use crate::event::{Draft, Heartbeat, Topic, What};
use crate::fault::SettledFault;
use crate::hours;
use crate::rng::Rng;
use crate::scenario::Scenario;
use crate::weather::queued_ms;
use crate::world::World;

/// Purpose of the random stream that spreads the heartbeats.
const PULSE: u64 = 6;
const INTERVAL_MS: i64 = 60_000;

/// How many restarts a minute make an uptime of seconds.
const RESTARTED_S: i64 = 50;
/// Payments that wait in a terminal while its lag is a second longer: it takes one in two seconds.
const QUEUED_MS: i64 = 2000;

/// When each terminal speaks next.
#[derive(Debug)]
pub(crate) struct Pulse {
    start: i64,
    next: BinaryHeap<Reverse<(i64, usize)>>,
    /// The faults that terminals meet, by the terminal.
    faults: BTreeMap<usize, Vec<SettledFault>>,
    /// Those that close shops.
    closing: Vec<SettledFault>,
}

impl Pulse {
    /// The heartbeats of `world` under `faults` from `start` on. The first terminal speaks at once: the recording
    /// begins there.
    pub(crate) fn new(seed: u64, start: i64, world: &World, faults: &[SettledFault]) -> Self {
        let mut rng = Rng::stream(seed, PULSE, 0);
        let terminals = 0..world.terminals.len();
        let first = terminals.map(|terminal| {
            let phase = rng.between(0, INTERVAL_MS - 1);
            Reverse((if terminal == 0 { start } else { start + phase }, terminal))
        });
        Self {
            start,
            next: first.collect(),
            faults: met(world, faults),
            closing: faults
                .iter()
                .filter(|fault| fault.scenario == Scenario::Closing)
                .cloned()
                .collect(),
        }
    }

    /// The next heartbeat at `until` or before.
    pub(crate) fn beat(&mut self, until: i64, world: &World) -> Option<Draft> {
        loop {
            let Reverse((at, index)) = *self.next.peek().filter(|next| next.0.0 <= until)?;
            self.next.pop();
            self.next.push(Reverse((at + INTERVAL_MS, index)));
            let mut heartbeat = self.ordinary(at, index, world);
            let faults = self.faults.get(&index).into_iter().flatten();
            let alive = faults
                .filter(|fault| fault.covers(at))
                .all(|fault| is_said(fault, at, &mut heartbeat));
            // The recording begins with the first terminal, whatever it does afterwards.
            let is_off =
                at > self.start && hours::is_off(index, at, self.start, &self.closing, world);
            if !alive || is_off {
                continue;
            }
            let minute = (at - self.start) / INTERVAL_MS;
            return Some(Draft {
                at,
                // Not before the first record, which the first heartbeat is.
                occurred_at: (at - 5 - at % 80).max(self.start),
                topic: Topic::Terminals,
                key: world.terminals[index].id.clone(),
                event_id: format!("h{index}-{minute}"),
                again: false,
                what: What::Heartbeat(heartbeat),
            });
        }
    }

    fn ordinary(&self, at: i64, index: usize, world: &World) -> Heartbeat {
        let terminal = &world.terminals[index];
        let minute = (at - self.start) / INTERVAL_MS;
        let mut rng = Rng::stream(index as u64, PULSE, minute.cast_unsigned());
        let network = if terminal.wired {
            "ethernet"
        } else {
            rng.pick(&["4g", "4g", "4g", "wifi"])
        };
        Heartbeat {
            network,
            rssi_dbm: -rng.between(48, 96),
            queue_depth: rng.below(20) / 19,
            uptime_s: match hours::since_restart(index, at, self.start, world) {
                Some(ms) => ms / 1000,
                None => 86_400 * (1 + index as i64 % 40) + (at - self.start) / 1000,
            },
            app_version: terminal.app_version,
            error_code: rng.permille(1).then_some("W_PAPER_LOW"),
            signed_in: true,
        }
    }
}

/// The faults that each terminal meets.
fn met(world: &World, faults: &[SettledFault]) -> BTreeMap<usize, Vec<SettledFault>> {
    let mut met: BTreeMap<usize, Vec<SettledFault>> = BTreeMap::new();
    for fault in faults.iter().filter(|fault| shows(fault.scenario)) {
        for (index, terminal) in world.terminals.iter().enumerate() {
            if fault.scope.holds_terminal(terminal, world) {
                met.entry(index).or_default().push(fault.clone());
            }
        }
    }
    met
}

/// Whether heartbeats show `scenario`.
const fn shows(scenario: Scenario) -> bool {
    matches!(
        scenario,
        Scenario::NetworkRegion
            | Scenario::TerminalOffline
            | Scenario::TerminalHardware
            | Scenario::TerminalBusy
            | Scenario::MerchantOperation
    )
}

/// Lets `heartbeat` at `at` say what `fault` does to its terminal; whether the terminal speaks at all.
fn is_said(fault: &SettledFault, at: i64, heartbeat: &mut Heartbeat) -> bool {
    let since_s = (at - fault.from) / 1000;
    let stops = at - fault.from >= (fault.until - fault.from) / 2;
    match (fault.scenario, fault.variant) {
        (Scenario::NetworkRegion | Scenario::TerminalOffline, _) => return false,
        (Scenario::TerminalHardware, 2) => {
            heartbeat.uptime_s = since_s % RESTARTED_S;
            return !stops;
        }
        (Scenario::TerminalHardware, variant) => {
            heartbeat.error_code = Some("E_SECURE_MODULE");
            return variant == 0 || !stops;
        }
        (Scenario::TerminalBusy, _) => {
            let waiting = queued_ms(fault, at) / QUEUED_MS;
            heartbeat.queue_depth = waiting.cast_unsigned();
        }
        (Scenario::MerchantOperation, 0) => heartbeat.signed_in = false,
        _ => {}
    }
    true
}

//! The terminals' heartbeats, one a minute each.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::event::{Draft, Heartbeat, Topic, What};
use crate::rng::Rng;
use crate::world::World;

/// Purpose of the random stream that spreads the heartbeats.
const PULSE: u64 = 6;
const INTERVAL_MS: i64 = 60_000;

/// When each terminal speaks next.
#[derive(Debug)]
pub(crate) struct Pulse {
    start: i64,
    next: BinaryHeap<Reverse<(i64, usize)>>,
}

impl Pulse {
    /// The heartbeats of `world` from `start` on. The first terminal speaks at once: the recording begins there.
    pub(crate) fn new(seed: u64, start: i64, world: &World) -> Self {
        let mut rng = Rng::stream(seed, PULSE, 0);
        let terminals = 0..world.terminals.len();
        let first = terminals.map(|terminal| {
            let phase = rng.between(0, INTERVAL_MS - 1);
            Reverse((if terminal == 0 { start } else { start + phase }, terminal))
        });
        Self {
            start,
            next: first.collect(),
        }
    }

    /// The next heartbeat at `until` or before.
    pub(crate) fn beat(&mut self, until: i64, world: &World) -> Option<Draft> {
        let Reverse((at, index)) = *self.next.peek().filter(|next| next.0.0 <= until)?;
        self.next.pop();
        self.next.push(Reverse((at + INTERVAL_MS, index)));
        let terminal = &world.terminals[index];
        let minute = (at - self.start) / INTERVAL_MS;
        let mut rng = Rng::stream(index as u64, PULSE, minute.cast_unsigned());
        let network = if terminal.wired {
            "ethernet"
        } else {
            rng.pick(&["4g", "4g", "4g", "wifi"])
        };
        let uptime_s = 86_400 * (1 + index as i64 % 40) + (at - self.start) / 1000;
        let what = What::Heartbeat(Heartbeat {
            network,
            rssi_dbm: -rng.between(48, 96),
            queue_depth: rng.below(20) / 19,
            uptime_s,
            app_version: terminal.app_version,
        });
        Some(Draft {
            at,
            // Not before the first record, which the first heartbeat is.
            occurred_at: (at - rng.between(5, 90)).max(self.start),
            topic: Topic::Terminals,
            key: terminal.id.clone(),
            event_id: format!("h{index}-{minute}"),
            again: false,
            what,
        })
    }
}

//! What a world is made of, drawn from its seed.

use settlewatch_protocol::Limits;

use super::cluster::Topics;
use super::group::{Assignor, Group};
use super::kafka::{Coordinator, Side};
use super::member::Setup;
use super::mutation::Mutation;
use super::run::Slot;
use super::transactions::Transactions;
use super::upstream::Habits;
use super::watching;
use crate::generate::Rng;

pub(super) fn setup(
    rng: &mut Rng,
    topics: Topics,
    begins: i64,
    mutation: Option<Mutation>,
) -> Setup {
    let some = rng.chance(30);
    Setup {
        topics,
        create_time: (0..topics.inputs).map(|_| some && rng.chance(60)).collect(),
        transaction_timeout_ms: rng.pick(&[700, 1500, 3000]),
        named: rng.chance(50),
        probe_every_ms: rng.pick(&[20, 50, 100]),
        wall_ahead_ms: rng.between(-3000, 3000),
        begins,
        limits: limits(rng, Limits::default()),
        waiting_records: rng.pick(&[0, 100_000]),
        watch: watching::Setup::new(rng),
        mutation,
    }
}

/// Limits that a small world meets.
pub(super) fn limits(rng: &mut Rng, usual: Limits) -> Limits {
    if rng.chance(40) {
        return usual;
    }
    Limits {
        snapshot_times_its_size: rng.pick(&[0, 4]),
        snapshot_at_least_bytes: rng.pick(&[0, 500, 3000]),
        snapshot_at_most_steps: rng.pick(&[3, 20, 10_000]),
        snapshot_bytes_per_step: rng.pick(&[1, 1, 900, 2 << 20]),
        transaction_bytes: rng.pick(&[1, 2000, 8 << 20]),
        effects_per_step: rng.pick(&[1, 3, 10_000]),
        waiting_at_least: rng.pick(&[1, 4, 500]),
    }
}

/// Who coordinates a side whose group reads so many topics, of so many partitions.
pub(super) fn coordinator(
    rng: &mut Rng,
    assignor: Assignor,
    (topics, numbers): (usize, i32),
) -> Coordinator {
    let session = rng.pick(&[300, 600, 1000]);
    Coordinator {
        group: Group::new(assignor, topics, numbers, session),
        transactions: Transactions::new(rng.pick(&[0, 5, 5, 60, 400])),
    }
}

pub(super) fn habits(rng: &mut Rng) -> Habits {
    Habits {
        transactional: rng.pick(&[0, 0, 30, 80]),
        aborted: rng.pick(&[0, 10, 40]),
        hanging: rng.pick(&[0, 0, 10]),
        open_ms: rng.pick(&[10, 100, 1500]),
        lying: rng.pick(&[0, 10]),
    }
}

/// Places for the processes of a side; their names count up from `first`.
pub(super) fn slots(
    rng: &mut Rng,
    (side, first): (Side, u32),
    (begins, ends): (i64, i64),
) -> Vec<Slot> {
    let count = rng.between(1, 3);
    let slot = |name: u32| {
        let late = rng.chance(25);
        Slot {
            side,
            member: None,
            name: first + name,
            up_at: if late && name > 0 {
                rng.between(begins, ends)
            } else {
                begins
            },
            paused_until: begins,
            wakes_at: begins,
            drains_at: rng.chance(25).then(|| rng.between(begins + 500, ends)),
        }
    };
    (0..u32::try_from(count).expect("few")).map(slot).collect()
}

//! Records that are applied together are judged as if they came one by one.

use settlewatch_join::{Effects, KnowsSince, Partition};

use super::common::{at, usual};
use super::random::{Random, START_MS, records};

#[test]
fn records_applied_together_have_the_effects_and_leave_the_state_of_records_one_by_one() {
    for seed in 1..60 {
        let records = records(&mut Random::new(seed), 400);
        let new = || Partition::new(usual(), KnowsSince(at(START_MS)));
        let (mut alone, mut together) = (new(), new());

        let (mut effects_alone, mut counted_alone) = (Effects::new(), Vec::new());
        for record in &records {
            counted_alone.push(alone.apply(record, &mut effects_alone));
        }
        let (mut effects, mut counted) = (Effects::new(), Vec::new());
        // Lengths that leave the groups full, half full and empty.
        let (first, rest) = records.split_at(seed as usize);
        for records in [first, &[], rest] {
            together.apply_all(records, &mut effects, |outcome| counted.push(outcome));
        }

        assert_eq!(counted, counted_alone, "seed {seed}");
        assert_eq!(effects, effects_alone, "seed {seed}");
        assert_eq!(snapshot(&together), snapshot(&alone), "seed {seed}");
    }
}

fn snapshot(partition: &Partition) -> Vec<u8> {
    let mut bytes = Vec::new();
    partition.snapshot(&mut |chunk| bytes.extend_from_slice(chunk));
    bytes
}

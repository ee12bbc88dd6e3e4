//! Small random worlds: few payments, few ids, short times, everything close to its deadline.

mod events;
mod ids;
mod rng;
mod rules;
mod strays;
mod times;

use serde_json::Value;

use crate::reference::{Config, Rec, parse_ms, rfc3339};
use crate::render::{self, Draft};
use crate::story::clock;

pub use rng::Rng;
pub use rules::calendar;

/// A recording and the rules it is judged by.
#[derive(Clone, Debug)]
pub struct World {
    /// What it came from.
    pub seed: u64,
    /// The rules.
    pub config: Config,
    /// The records, before they have places.
    pub drafts: Vec<Draft>,
}

impl World {
    /// The world of `seed`.
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let batch = rng.chance(15);
        let config = rules::config(&mut rng, batch);
        let drafts = events::drafts(&mut rng, &config);
        Self {
            seed,
            config,
            drafts,
        }
    }

    /// Its records over `partitions` partitions, in canonical order.
    pub fn records(&self, partitions: u64) -> Vec<Rec> {
        let mut drafts = self.drafts.clone();
        bump_early_business_times(&mut drafts);
        render::place(&drafts, partitions)
    }

    /// When its clock stops: at its last record.
    pub fn end_ms(&self) -> i64 {
        self.drafts
            .iter()
            .map(|draft| draft.at_ms)
            .max()
            .unwrap_or(clock("12:00:00"))
    }
}

/// Lines of several partitions in a random order that keeps the order of each partition.
pub fn interleave(records: &[Rec], rng: &mut Rng) -> Vec<String> {
    let mut partitions = std::collections::BTreeMap::<(usize, i32), Vec<&Rec>>::new();
    for rec in records {
        partitions
            .entry((rec.stream, rec.partition))
            .or_default()
            .push(rec);
    }
    let mut queues: Vec<Vec<&Rec>> = partitions.into_values().collect();
    queues.iter_mut().for_each(|queue| queue.reverse());
    let mut order = Vec::new();
    while !queues.is_empty() {
        let indices: Vec<usize> = (0..queues.len()).collect();
        let index = rng.pick(&indices);
        order.extend(queues[index].pop().cloned());
        queues.retain(|queue| !queue.is_empty());
    }
    render::lines(&order)
}

/// What came before its payment and is from before the recording may be judged either way: whether it is
/// unmatched depends on how long one waits. So only what never finds a payment keeps such a time.
fn bump_early_business_times(drafts: &mut [Draft]) {
    let since = drafts
        .iter()
        .map(|draft| draft.at_ms)
        .min()
        .unwrap_or_default();
    let subject = |value: &Value| {
        (
            value.get("tenant").cloned(),
            value.get("payment_id").cloned(),
        )
    };
    let paid: Vec<_> = drafts
        .iter()
        .filter(|draft| draft.value["type"] == "payment.succeeded")
        .map(|draft| subject(&draft.value))
        .collect();
    for draft in drafts.iter_mut() {
        let occurred = draft.value["occurred_at"].as_str().and_then(parse_ms);
        let reversal = draft.value["type"] == "payment.reversed";
        let early = occurred.is_some_and(|occurred| occurred < since);
        if early
            && draft.value["type"] != "payment.succeeded"
            && (reversal || paid.contains(&subject(&draft.value)))
        {
            draft.value["occurred_at"] = rfc3339(since).into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::judge;

    #[test]
    fn the_same_seed_gives_the_same_world() {
        assert_eq!(World::new(7).drafts, World::new(7).drafts);
        assert_ne!(World::new(7).drafts, World::new(8).drafts);
    }

    #[test]
    fn lines_of_a_partition_keep_their_order() {
        let records = World::new(3).records(3);
        let lines = interleave(&records, &mut Rng::new(1));
        assert_eq!(lines.len(), records.len());
        let mut ends = std::collections::BTreeMap::new();
        for line in lines {
            let line: Value = serde_json::from_str(&line).expect("a line is JSON");
            let end = ends
                .entry((line["topic"].to_string(), line["partition"].as_i64()))
                .or_insert(0);
            assert_eq!(line["offset"].as_i64(), Some(*end));
            *end += 1;
        }
    }

    #[test]
    fn every_payment_and_every_record_is_counted_once() {
        for seed in 0..200 {
            let world = World::new(seed);
            let outcome = judge(&world.records(3), &world.config, world.end_ms());
            let it = outcome.counts;
            assert_eq!(
                it.payments,
                it.credited + it.explained + it.written_off + it.pending,
                "seed {seed}"
            );
            let counted = outcome
                .records
                .iter()
                .map(|it| it.used + it.duplicate + it.late + it.before_horizon);
            assert_eq!(
                counted.sum::<u64>(),
                world.drafts.len() as u64,
                "seed {seed}"
            );
        }
    }

    /// Every kind of alert, resolution, verdict, wait and count occurs, so a property over these worlds
    /// compares something.
    #[test]
    fn the_worlds_meet_everything_the_contract_names() {
        let mut met = std::collections::BTreeSet::<String>::new();
        for seed in 0..600 {
            let world = World::new(seed);
            let outcome = judge(&world.records(3), &world.config, world.end_ms());
            for it in &outcome.revisions {
                met.extend(
                    [Some(it.kind), it.resolution]
                        .into_iter()
                        .flatten()
                        .map(str::to_owned),
                );
                met.insert(format!("{} {}", it.kind, it.resolution.unwrap_or(it.state)));
                met.extend(it.verdict.clone());
            }
            met.extend(outcome.waits.keys().map(|wait| (*wait).to_owned()));
            let late = outcome
                .records
                .iter()
                .map(|counts| counts.late)
                .sum::<u64>();
            let early = outcome
                .records
                .iter()
                .map(|counts| counts.before_horizon)
                .sum::<u64>();
            met.extend(
                [(late, "late"), (early, "early")]
                    .iter()
                    .filter(|it| it.0 > 0)
                    .map(|it| it.1.to_owned()),
            );
        }
        let expected = include_str!("expected.txt")
            .split('\n')
            .filter(|line| !line.is_empty());
        let missing: Vec<&str> = expected.filter(|it| !met.contains(*it)).collect();
        assert!(missing.is_empty(), "never met: {missing:?} in {met:?}");
    }
}

//! Partitions that were added to the topics: their payments wait in the state of others.

use std::time::{Duration, Instant};

use settlewatch_config::{Run, Stream};
use settlewatch_kafka::{Topics, Upkeep};

use crate::exit::{Failed, NotReady};

/// How long other processes may need to begin with theirs, where all begin at the same time.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often is looked.
const APART: Duration = Duration::from_millis(500);

/// Refuses to run where some partitions have state and others never had any.
pub(super) fn refuse(run: &Run, streams: &[Stream], numbers: i32) -> anyhow::Result<()> {
    let upkeep = Upkeep::new(run, Topics::of(run, streams), PATIENCE)
        .map_err(|error| NotReady(vec![error.into()]))?;
    let state = upkeep.topics().state.clone();
    let begun = Instant::now();
    loop {
        let ends = upkeep.topic_ends(&state, numbers);
        let ends = ends.map_err(|error| NotReady(vec![error.into()]))?;
        let ends = ends.iter().zip(0_i32..);
        let without: Vec<i32> = ends
            .filter_map(|(&end, number)| (end == 0).then_some(number))
            .collect();
        let some = !without.is_empty() && without.len() < numbers as usize;
        if !some {
            return Ok(());
        }
        if begun.elapsed() > PATIENCE {
            return Err(Failed(format!(
                "the partitions {without:?} of `{state}` never had any state, and the others have: were partitions added? \
                 What waits must move first: stop every process and run `settlewatch state migrate`. Where it was \
                 lost instead: `settlewatch state rebuild`"
            ))
            .into());
        }
        std::thread::sleep(APART);
    }
}

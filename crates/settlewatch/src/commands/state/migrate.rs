//! `state migrate`: the state of all partitions, divided among more of them.
//!
//! Kafka adds partitions and takes none away, and a key's partition changes with their number. So what waits must move
//! to where its next records will be:
//!
//! 1. Nobody owns the state, and every topic has the new number of partitions.
//! 2. The old state is restored, records that were applied since its snapshots are applied again; it stays as it is.
//! 3. Payments, pairs and letters under way are divided by their keys.
//! 4. The new snapshots are written first, and in one last transaction what makes them count.

use std::collections::BTreeMap;
use std::io::{Write, stdout};
use std::sync::Arc;

use settlewatch_config::{Env, Loaded, Purpose, load};
use settlewatch_kafka::{CheckOptions, Checked, Entry, Upkeep, check};
use settlewatch_protocol::{
    Divided, LaneConfig, Migration, Produce, RawRecord, SourceId, StateLook,
};
use settlewatch_wire::format_time;

use super::keys::Keying;
use super::{Reading, WAIT, not_ready, of_run, reading, refuse_while_owned, topics};
use crate::cli::MigrateArgs;
use crate::exit::{BadConfig, Failed, NotReady, Usage};
use crate::service;
use crate::text::grouped;

/// Bytes of chunks that go into one transaction.
const TRANSACTION_BYTES: usize = 8 << 20;

pub(super) fn run(args: &MigrateArgs) -> anyhow::Result<()> {
    let loaded = load(&args.config, Purpose::Run, &Env::of_process()).map_err(BadConfig)?;
    let run = of_run(&loaded.config);
    let options = CheckOptions {
        wait: WAIT,
        transactions: false,
    };
    let checked = check(run, &loaded.config.streams, options).map_err(NotReady)?;
    let count = checked.numbers;
    if count != args.partitions {
        return Err(Usage(format!(
            "the topics have {count} partitions: --partitions {count}"
        ))
        .into());
    }
    let upkeep = Upkeep::new(run, topics(&loaded.config), WAIT).map_err(not_ready)?;
    refuse_while_owned(&upkeep.members().map_err(not_ready)?, run)?;
    let looks = looks(&upkeep, count)?;
    let old_count = looks.len() as i32;
    writeln!(
        stdout(),
        "{}: {old_count} of {count} partitions have state",
        run.output.state
    )?;
    let mut moved = Moved::restored(&loaded, &checked, &upkeep, looks)?;
    let keying = Keying::told_by(&moved.migration, old_count, args.partitioner, &checked)?;
    writeln!(
        stdout(),
        "keys choose partitions by {}",
        keying.partitioner.describe()
    )?;
    let misplaced = moved.misplaced(keying, count)?;
    if misplaced > 0 && !args.accept_misplaced {
        return Err(Failed(format!(
            "nothing was changed: {misplaced} records that were not read yet lie in the partitions of old, and their \
             payments move. They would be judged where they lie, and may alert without reason: --accept-misplaced. To \
             have none: stop the producers, let the service read all, stop it, and only then add partitions"
        ))
        .into());
    }
    let divided = moved.divide(keying, count)?;
    writeln!(
        stdout(),
        "{} payments at hand, decided up to {}",
        grouped(divided.payments),
        format_time(divided.known)
    )?;
    if !args.yes {
        return Err(Failed("nothing was changed: with --yes it will be".into()).into());
    }
    write(&upkeep, divided)?;
    writeln!(stdout(), "the state lies in {count} partitions now")?;
    Ok(())
}

/// The state of every partition that has one: those of the old count.
fn looks(upkeep: &Upkeep, count: i32) -> anyhow::Result<Vec<StateLook>> {
    let mut looks = Vec::new();
    for number in 0..count {
        let (look, read_to) = reading::look(upkeep, number).map_err(not_ready)?;
        if read_to.committed < read_to.end {
            return Err(Failed(format!(
                "a transaction is open in the state of partition {number}: try again when it has ended, after \
                 kafka.transaction_timeout at the latest"
            ))
            .into());
        }
        looks.push(look);
    }
    let old_count = looks.iter().take_while(|look| !look.is_empty()).count();
    if looks[old_count..].iter().any(|look| !look.is_empty()) {
        return Err(Failed(format!(
            "partition {old_count} has no state, but one behind it has: rebuild it first, with `settlewatch state rebuild`"
        ))
        .into());
    }
    match old_count {
        0 => Err(Failed("there is no state: nothing is to be moved".into()).into()),
        all if all == looks.len() => {
            Err(Failed(format!("the state lies in {count} partitions already")).into())
        }
        _ => {
            looks.truncate(old_count);
            Ok(looks)
        }
    }
}

/// The old state on its way.
struct Moved<'a> {
    migration: Migration<Reading>,
    upkeep: &'a Upkeep,
    old_count: i32,
    /// Where the inputs were read to, by old number; the pairs topic last, to its end.
    positions: BTreeMap<i32, Vec<i64>>,
}

impl<'a> Moved<'a> {
    fn restored(
        loaded: &Loaded,
        checked: &Checked,
        upkeep: &'a Upkeep,
        looks: Vec<StateLook>,
    ) -> anyhow::Result<Self> {
        let rules: Arc<[u8]> = loaded.decision.as_bytes().into();
        let run = of_run(&loaded.config);
        let config = service::lane_config(&loaded.config, run, checked, &rules, 0);
        let old_count = looks.len() as i32;
        let config = LaneConfig {
            numbers: old_count,
            ..config
        };
        let mut migration = Migration::new(config, Reading::new(&loaded.config));
        for (number, look) in (0..).zip(looks) {
            let restored = migration.restore(number, look);
            restored.map_err(|why| Failed(format!("the state of partition {number}: {why}")))?;
        }
        let mut moved = Self {
            migration,
            upkeep,
            old_count,
            positions: BTreeMap::new(),
        };
        moved.read_again()?;
        Ok(moved)
    }

    /// Reads what was applied since the snapshots, and all that is under way in the pairs topic.
    fn read_again(&mut self) -> anyhow::Result<()> {
        let pairs = SourceId(self.upkeep.topics().inputs.len() as u8);
        for (source, number, from, to) in self.migration.needs() {
            let topic = self.upkeep.topics().source(source).to_owned();
            let (first, end) = self.upkeep.marks(&topic, number).map_err(not_ready)?;
            let to = if source == pairs { end } else { to };
            if from < to {
                if first > from {
                    return Err(Failed(format!(
                        "records of {topic} partition {number} that were applied since the last snapshot are gone: it \
                         begins at offset {first}, and {from} is needed"
                    ))
                    .into());
                }
                let migration = &mut self.migration;
                let read = self.upkeep.read(&topic, number, Some(from), &mut |entry| {
                    if entry.offset < to {
                        migration.read(raw(source, number, entry));
                    }
                });
                read.map_err(not_ready)?;
            }
            self.migration.reached(source, number, to);
        }
        self.migration.catch_up().map_err(Failed)?;
        for number in 0..self.old_count {
            if let Some(mut positions) = self.migration.positions(number) {
                let topic = &self.upkeep.topics().pairs;
                let (_, end) = self.upkeep.marks(topic, number).map_err(not_ready)?;
                if let Some(last) = positions.last_mut() {
                    *last = end;
                }
                self.positions.insert(number, positions);
            }
        }
        Ok(())
    }

    /// How many records were not read whose keys belong to other partitions now.
    fn misplaced(&mut self, keying: Keying, count: i32) -> anyhow::Result<u64> {
        let mut misplaced = 0;
        for (&number, positions) in &self.positions {
            for (topic, &position) in self.upkeep.topics().inputs.iter().zip(positions) {
                let (_, end) = self.upkeep.marks(topic, number).map_err(not_ready)?;
                if position >= end {
                    continue;
                }
                let read = self
                    .upkeep
                    .read(topic, number, Some(position), &mut |entry| {
                        let home = keying.partitioner.partition(entry.key, count);
                        misplaced += u64::from(home != Some(number));
                    });
                read.map_err(not_ready)?;
            }
        }
        Ok(misplaced)
    }

    fn divide(self, keying: Keying, count: i32) -> anyhow::Result<Divided> {
        let mut positions = self.positions;
        for number in self.old_count..count {
            let mut firsts = Vec::new();
            for (_, topic) in self.upkeep.topics().sources() {
                firsts.push(self.upkeep.marks(topic, number).map_err(not_ready)?.0);
            }
            positions.insert(number, firsts);
        }
        let home = |tenant: Option<&str>, id: &str| keying.home(tenant, id, count).unsigned_abs();
        let at = |number: i32| positions.get(&number).cloned().unwrap_or_default();
        Ok(self.migration.divide(count, &home, at).map_err(Failed)?)
    }
}

fn raw(source: SourceId, partition: i32, entry: Entry<'_>) -> RawRecord {
    RawRecord {
        source,
        partition,
        offset: entry.offset,
        ts: entry.ts,
        key: entry.has_key.then(|| entry.key.into()),
        value: entry.has_value.then(|| entry.value.into()),
    }
}

/// Writes chunks, transaction by transaction, and in the last what makes them count.
fn write(upkeep: &Upkeep, divided: Divided) -> anyhow::Result<()> {
    let writer = upkeep.writer().map_err(not_ready)?;
    let (mut batch, mut bytes) = (Vec::<Produce>::new(), 0);
    for chunk in divided.chunks {
        bytes += chunk.value.as_ref().map_or(0, |value| value.len());
        batch.push(chunk);
        if bytes >= TRANSACTION_BYTES {
            writer
                .write(std::mem::take(&mut batch))
                .map_err(not_ready)?;
            bytes = 0;
        }
    }
    if !batch.is_empty() {
        writer.write(batch).map_err(not_ready)?;
    }
    writer.write(divided.manifests).map_err(not_ready)?;
    Ok(())
}

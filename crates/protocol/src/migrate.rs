//! The state of all partition numbers, divided among another count of them.
//!
//! 1. [`Migration::restore`] every old number, read [`Migration::needs`] again, and [`Migration::catch_up`]: then
//!    memory holds what the last step held.
//! 2. [`Migration::divide`] gives every payment to its new number, and what is under way in the pairs topic with it.
//! 3. Nothing is decided on the way: the new numbers begin at the least known time of the old ones.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use settlewatch_join::snapshot::Parcel;
use settlewatch_join::{Home, KnowsSince, Message, Note, Pairs, Partition, Timestamp};

use crate::assembly::{restored, sources};
use crate::io::{Host, Produce, RawRecord, SourceId};
use crate::lane::LaneConfig;
use crate::limits::Limits;
use crate::look::StateLook;
use crate::post::{Letter, Post, envelope};
use crate::pulses::Maker;
use crate::rules::Rules;
use crate::snapshots::{Snapshots, Subject};
use crate::step::Step;
use crate::task::{Beginning, Task};

/// Old numbers on their way.
pub struct Migration<H> {
    /// With the count of the old numbers.
    config: LaneConfig,
    host: H,
    tasks: BTreeMap<i32, Task>,
}

/// What the new numbers begin with.
pub struct Divided {
    /// Chunks of snapshots: without their manifests they mean nothing.
    pub chunks: Vec<Produce>,
    /// What makes them count, and letters that were under way: all of it in one transaction.
    pub manifests: Vec<Produce>,
    /// Payments at hand.
    pub payments: usize,
    /// Everything is decided up to here.
    pub known: Timestamp,
}

impl<H: Host> Migration<H> {
    /// `config` has the count of the old numbers.
    pub fn new(config: LaneConfig, host: H) -> Self {
        Self {
            config,
            host,
            tasks: BTreeMap::new(),
        }
    }

    /// Restores an old number.
    ///
    /// # Errors
    /// Its state cannot be used.
    pub fn restore(&mut self, number: i32, look: StateLook) -> Result<(), String> {
        let restorer = look.into_restorer()?;
        let (task, _) = restored(&self.config, &self.host, number, restorer)?;
        if task.is_rebuilding() {
            return Err("it was rebuilt, and has not caught up with what it had decided".into());
        }
        self.tasks.insert(number, task);
        Ok(())
    }

    /// What must be read again: from here, up to there.
    pub fn needs(&self) -> Vec<(SourceId, i32, i64, i64)> {
        let mut needs = Vec::new();
        for (&number, task) in &self.tasks {
            let from = task.positions().into_iter().zip(task.needed());
            needs.extend(
                from.zip(0..)
                    .map(|((from, to), source)| (SourceId(source), number, from, to)),
            );
        }
        needs
    }

    /// A record was read, in the order of offsets.
    pub fn read(&mut self, record: RawRecord) {
        if let Some(task) = self.tasks.get_mut(&record.partition) {
            task.read(record);
        }
    }

    /// An input was read up to here.
    pub fn reached(&mut self, source: SourceId, number: i32, position: i64) {
        if let Some(task) = self.tasks.get_mut(&number) {
            task.reached(source, position);
        }
    }

    /// Applies again what was committed.
    ///
    /// # Errors
    /// Records are missing, or cannot be read.
    pub fn catch_up(&mut self) -> Result<(), String> {
        for (number, task) in &mut self.tasks {
            if task.catch_up(&self.host).is_err() {
                return Err(format!("partition {number}: a record cannot be read"));
            }
            if task.is_holed() {
                return Err(format!(
                    "partition {number}: records were lost unread, and it is not known yet up to when"
                ));
            }
            if task.is_catching_up() {
                return Err(format!(
                    "partition {number}: records that were applied since the last snapshot are gone"
                ));
            }
        }
        let mut rules = self.tasks.values().map(|task| &task.rules.text);
        let first = rules.next();
        if rules.any(|other| Some(other) != first) {
            return Err("not all partitions have the same rules".into());
        }
        Ok(())
    }

    /// Shows every payment at hand: its number, tenant and id.
    pub fn each_payment(&self, visit: &mut dyn FnMut(i32, Option<&str>, &str)) {
        for (&number, task) in &self.tasks {
            task.partition
                .each_payment(&mut |tenant, id| visit(number, tenant, id));
        }
    }

    /// First offset that was not applied, of every input of an old number; the pairs topic last.
    pub fn positions(&self, number: i32) -> Option<Vec<i64>> {
        Some(self.tasks.get(&number)?.positions())
    }

    /// Divides everything among `count` numbers. `home` is where a payment belongs now; `positions` where the inputs of
    /// a number are read from, the pairs topic last, from its end.
    ///
    /// # Errors
    /// The state cannot be used.
    pub fn divide(
        self,
        count: i32,
        home: Home<'_>,
        positions: impl Fn(i32) -> Vec<i64>,
    ) -> Result<Divided, String> {
        let Self {
            config,
            host,
            tasks,
        } = self;
        let (Some(known), Some(rules)) = (
            tasks.values().map(Task::known).min(),
            tasks.values().next().map(|task| task.rules.clone()),
        ) else {
            return Err("there is no state".into());
        };
        let since = tasks.values().map(|task| task.partition.knows_since());
        let since = KnowsSince(since.max().unwrap_or(known));
        let settings = host.settings(&rules.text)?;
        let new = |number: i32| {
            let empty = Partition::new(Arc::clone(&settings), since);
            empty.with_home(number.unsigned_abs()).standing_at(known)
        };
        let mut partitions: Vec<Partition> = (0..count).map(new).collect();
        let mut scattered = Scattered::of(tasks, &mut partitions, home, (config.numbers, count))?;
        let window = settings.duplicate_window;
        let stages = Pairs::divide(scattered.stages, window, count.unsigned_abs(), home);
        let mut divided = Divided {
            chunks: Vec::new(),
            manifests: scattered.under_way.letters(known, count),
            payments: partitions.iter().map(Partition::len).sum(),
            known,
        };
        let config = LaneConfig {
            numbers: count,
            ..config
        };
        for ((number, partition), stage) in (0..).zip(partitions).zip(stages) {
            let (sequence, clocks) = scattered.stood.remove(&number).unwrap_or_default();
            let begin = New {
                config: &config,
                rules: &rules,
                known,
                // A snapshot of a later step than any that is there: those end with it.
                sequence: sequence + 1,
                clocks,
                positions: positions(number),
            };
            let messages = scattered.under_way.of(number, count);
            begin.write(number, partition, (stage, messages), &mut divided);
        }
        Ok(divided)
    }
}

/// What the old numbers held besides payments.
struct Scattered {
    stages: Vec<Pairs>,
    under_way: UnderWay,
    /// Last step, and the clocks of the inputs, by number.
    stood: BTreeMap<i32, (u64, Vec<Timestamp>)>,
}

impl Scattered {
    /// Gives the payments of old numbers to the new ones.
    fn of(
        tasks: BTreeMap<i32, Task>,
        partitions: &mut [Partition],
        home: Home<'_>,
        (old_count, count): (i32, i32),
    ) -> Result<Self, String> {
        let mut scattered = Self {
            stages: Vec::new(),
            under_way: UnderWay::default(),
            stood: BTreeMap::new(),
        };
        for (number, task) in tasks {
            scattered
                .stood
                .insert(number, (task.sequence, task.clocks()));
            // Where the new count is a multiple of the old, a number takes over from one alone.
            let asks = |at: usize| {
                count % old_count != 0 || at as i64 % i64::from(old_count) == i64::from(number)
            };
            task.partition.divide(partitions, home, asks);
            let (stage, messages, notes) = task
                .post
                .scatter()
                .map_err(|_| "a record of the pairs topic cannot be read")?;
            scattered.stages.push(stage);
            scattered.under_way.messages.extend(messages);
            scattered.under_way.notes.extend(notes);
        }
        scattered.under_way.move_home(home);
        Ok(scattered)
    }
}

/// Messages and notes that are under way.
#[derive(Default)]
struct UnderWay {
    messages: Vec<Message>,
    notes: Vec<Note>,
}

impl UnderWay {
    fn move_home(&mut self, home: Home<'_>) {
        self.messages.iter_mut().for_each(|it| it.move_home(home));
        self.notes.iter_mut().for_each(|it| it.move_home(home));
    }

    /// Messages to the stage of a number.
    fn of(&self, number: i32, count: i32) -> Vec<Message> {
        let count = u64::from(count.unsigned_abs().max(1));
        let own = self
            .messages
            .iter()
            .filter(|message| message.key.0 % count == u64::from(number.unsigned_abs()));
        own.cloned().collect()
    }

    /// Notes as letters, from whoever will send the next.
    fn letters(&mut self, known: Timestamp, count: i32) -> Vec<Produce> {
        let mut by_home = BTreeMap::<i32, Vec<Note>>::new();
        for note in self.notes.drain(..) {
            by_home.entry(note.to.home() as i32).or_default().push(note);
        }
        let letters = by_home.into_iter().filter(|&(target, _)| target < count);
        letters
            .map(|(target, notes)| {
                let parcel = Parcel {
                    messages: Vec::new(),
                    notes,
                };
                let letter = Letter {
                    from: target,
                    known,
                    parcel: Some(parcel),
                };
                envelope(target, &[letter])
            })
            .collect()
    }
}

/// How a new number begins.
struct New<'a> {
    config: &'a LaneConfig,
    rules: &'a Rules,
    known: Timestamp,
    sequence: u64,
    clocks: Vec<Timestamp>,
    positions: Vec<i64>,
}

impl New<'_> {
    fn write(
        self,
        number: i32,
        partition: Partition,
        (stage, messages): (Pairs, Vec<Message>),
        to: &mut Divided,
    ) {
        let step = Step {
            sequence: self.sequence,
            known: self.known,
            positions: self.positions,
            ..Step::default()
        };
        let senders = alloc::vec![self.known; usize::try_from(self.config.numbers).unwrap_or(0)];
        let beginning = Beginning {
            // Whoever goes on begins to collect anew: what waits was collected by other numbers.
            pulses: Maker::default(),
            partition,
            post: Post::gathered(stage, senders, messages),
            sources: sources(self.config, &step, &self.clocks),
            step,
            rules: self.rules.clone(),
        };
        let mut task = Task::new(number, self.config.numbers, beginning, Vec::new());
        let mut records = Vec::new();
        Snapshots::new(Limits::default(), None).first(
            &mut task,
            &self.config.identity,
            &mut records,
        );
        // The manifest comes last.
        to.manifests.extend(records.pop());
        to.chunks.append(&mut records);
    }
}

impl StateLook {
    fn into_restorer(self) -> Result<crate::restore::Restorer, String> {
        match self.broken {
            Some(broken) => Err(broken),
            None => Ok(self.restorer),
        }
    }
}

/// The payments' key as producers may write it: with the tenant before the id, or without.
pub fn keys(tenant: Option<&str>, id: &str) -> [Option<Box<str>>; 2] {
    let with = tenant.map(|tenant| format!("{tenant}/{id}").into_boxed_str());
    [Some(id.to_string().into_boxed_str()), with]
}

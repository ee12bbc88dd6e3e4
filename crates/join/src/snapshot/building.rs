//! A partition that is being put together, frame by frame.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::ledger::Ledger;
use crate::partition::Partition;
use crate::settings::{KnowsSince, Settings};
use crate::table::{Entry, Phase, Slot, Table};
use crate::time::Timestamp;
use crate::wheel::Wheel;

use super::codec::{Input, Malformed};
use super::entry::{Context, read_entry};
use super::finished::FinishedReader;
use super::partition::rules_digest;
use super::tags;
use super::tuples::Loaded;

/// The partition so far, and what the rest of its snapshot refers to.
pub(super) struct Building {
    partition: Partition,
    head: Option<Head>,
    places: Loaded,
    routes: Loaded,
    slots: Slots,
    last_timer: i64,
    finished: Option<FinishedReader>,
}

/// What the head says beyond the partition's own fields.
struct Head {
    /// Rules now, by their position when the snapshot was written.
    rules: Vec<u16>,
    /// Streams now, by their position then; `None` where there is no such stream any more.
    streams: Vec<Option<u8>>,
    /// The rules are not those that the snapshot was written under.
    other_rules: bool,
}

/// Which slots are free.
#[derive(Default)]
struct Slots {
    /// In the order in which the table frees and takes them.
    list: Vec<u32>,
    last: i64,
    /// In ascending order, once the entries begin.
    ascending: Option<Vec<u32>>,
    /// How many of them lie behind the entries read so far.
    passed: usize,
}

impl Building {
    pub(super) fn new(settings: Arc<Settings>) -> Self {
        Self {
            partition: Partition::new(settings, KnowsSince(Timestamp::MIN)),
            head: None,
            places: Loaded::default(),
            routes: Loaded::default(),
            slots: Slots::default(),
            last_timer: 0,
            finished: None,
        }
    }

    /// Takes a frame. What a later version added is skipped.
    pub(super) fn frame(&mut self, tag: u8, mut input: Input<'_>) -> Result<(), Malformed> {
        let attributes = &mut self.partition.attributes;
        match tag {
            tags::HEAD => self.read_head(input),
            _ if self.head.is_none() => Err(Malformed),
            tags::TENANTS => read_all(input, &mut self.partition.tenants),
            tags::CHANNELS => read_all(input, &mut attributes.channels),
            tags::LEDGER => self.read_ledger(input),
            tags::PLACES => self
                .places
                .read(input, |tuple| attributes.places.load(tuple, 0)),
            tags::ROUTES => self
                .routes
                .read(input, |tuple| attributes.load_route(tuple)),
            tags::FREE => self.slots.read(input),
            tags::ENTRIES => self.read_entries(input),
            tags::TIMERS => self.read_timers(input),
            tags::AUXILIARY => {
                self.partition.auxiliary.swept_at = input.read()?;
                Ok(())
            }
            tags::TERMINALS => self.read_terminals(input),
            tags::FINISHED => self.begin_finished(input),
            tags::HOUR => self.finished()?.hour(input),
            tags::KEYS => self.finished()?.keys(input),
            tags::FILTER => self.finished()?.filter(input),
            tags::WORDS => self.finished()?.words(input),
            _ => Ok(()),
        }
    }

    fn read_head(&mut self, mut input: Input<'_>) -> Result<(), Malformed> {
        if self.head.is_some() {
            return Err(Malformed);
        }
        let partition = &mut self.partition;
        partition.home = input.read()?;
        partition.known = input.read()?;
        partition.knows_since = KnowsSince(input.read()?);
        partition.hole_until = input.read()?;
        let wheel = Wheel::standing_at(input.read()?).ok_or(Malformed)?;
        partition.table = Table::restoring(wheel);
        let settings = &partition.settings;
        let other_rules = input.read::<u64>()? != rules_digest(settings);
        let rules = input.read::<Vec<String>>()?;
        let streams = input.read::<Vec<String>>()?;
        self.head = Some(Head {
            rules: rules.iter().map(|name| rule_now(settings, name)).collect(),
            streams: streams
                .iter()
                .map(|name| stream_now(settings, name))
                .collect(),
            other_rules,
        });
        Ok(())
    }

    fn head(&self) -> Result<&Head, Malformed> {
        self.head.as_ref().ok_or(Malformed)
    }

    fn read_ledger(&mut self, mut input: Input<'_>) -> Result<(), Malformed> {
        let mut ledger: Ledger = input.read()?;
        let head = self.head()?;
        let written = core::mem::take(&mut ledger.records);
        for (then, counts) in written.into_iter().enumerate() {
            let then = u8::try_from(then).map_err(|_| Malformed)?;
            // The counters of a stream that is no more go with it.
            let Some(now) = head.stream(then).map(usize::from) else {
                continue;
            };
            if now >= ledger.records.len() {
                ledger.records.resize(now + 1, Default::default());
            }
            ledger.records[now] = counts;
        }
        self.partition.ledger = ledger;
        Ok(())
    }

    fn read_entries(&mut self, mut input: Input<'_>) -> Result<(), Malformed> {
        let head = self.head.as_ref().ok_or(Malformed)?;
        let partition = &mut self.partition;
        let context = Context {
            known: partition.known,
            tenants: partition.tenants.len(),
            rules: &head.rules,
            places: &self.places,
            routes: &self.routes,
        };
        while !input.is_empty() {
            let mut entry = read_entry(&mut input, &context, &mut partition.attributes)?;
            head.move_streams(&mut entry);
            self.slots.pass(&mut partition.table);
            let tenant = usize::from(entry.tenant).checked_sub(1);
            let tenant = tenant.and_then(|at| partition.tenants.get(at));
            partition
                .table
                .restore_slot(tenant.map(AsRef::as_ref), Some(entry));
        }
        Ok(())
    }

    fn read_timers(&mut self, mut input: Input<'_>) -> Result<(), Malformed> {
        while !input.is_empty() {
            let slot = read_slot(&mut input, &mut self.last_timer)?;
            let ahead = input.read()?;
            if !self.partition.table.restore_timer(slot, ahead) {
                return Err(Malformed);
            }
        }
        Ok(())
    }

    fn read_terminals(&mut self, mut input: Input<'_>) -> Result<(), Malformed> {
        while !input.is_empty() {
            let (terminal, at) = input.read()?;
            self.partition.auxiliary.terminals.insert(terminal, at);
        }
        Ok(())
    }

    fn begin_finished(&mut self, input: Input<'_>) -> Result<(), Malformed> {
        self.end_finished()?;
        let horizon = self.partition.settings.redelivery_horizon;
        self.finished = Some(FinishedReader::new(input, horizon)?);
        Ok(())
    }

    fn end_finished(&mut self) -> Result<(), Malformed> {
        let Some(reader) = self.finished.take() else {
            return Ok(());
        };
        match reader.owner {
            tags::OF_PARTITION => self.partition.finished = reader.finish()?,
            tags::OF_AUXILIARY => self.partition.auxiliary.seen = reader.finish()?,
            _ => {}
        }
        Ok(())
    }

    fn finished(&mut self) -> Result<&mut FinishedReader, Malformed> {
        self.finished.as_mut().ok_or(Malformed)
    }

    /// The partition, when all frames were taken.
    pub(super) fn finish(mut self) -> Result<Partition, Malformed> {
        self.end_finished()?;
        let other_rules = self.head()?.other_rules;
        self.slots.finish(&mut self.partition.table)?;
        let attributes = &self.partition.attributes;
        let all_used =
            self.places.all_used(&attributes.places) && self.routes.all_used(&attributes.routes);
        if other_rules {
            self.partition.redate_waiting();
        }
        all_used.then_some(self.partition).ok_or(Malformed)
    }
}

impl Head {
    /// A stream as it is numbered now.
    fn stream(&self, then: u8) -> Option<u8> {
        // Streams beyond the named ones keep their number.
        self.streams
            .get(usize::from(then))
            .copied()
            .unwrap_or(Some(then))
    }

    fn move_streams(&self, entry: &mut Entry) {
        let early = entry
            .extras
            .iter_mut()
            .flat_map(|extras| extras.rare.iter_mut())
            .flat_map(|rare| &mut rare.early);
        for early in early {
            match self.stream(early.stream) {
                Some(now) => early.stream = now,
                // Nobody counts it any more.
                None => early.uncounted = false,
            }
        }
    }
}

impl Slots {
    fn read(&mut self, mut input: Input<'_>) -> Result<(), Malformed> {
        while !input.is_empty() && self.ascending.is_none() {
            let slot = read_slot(&mut input, &mut self.last)?;
            self.list.push(slot);
        }
        input.is_empty().then_some(()).ok_or(Malformed)
    }

    /// Adds the free slots that come before the next entry.
    fn pass(&mut self, table: &mut Table) {
        let ascending = self.ascending.get_or_insert_with(|| {
            let mut ascending = self.list.clone();
            ascending.sort_unstable();
            ascending
        });
        while ascending.get(self.passed) == Some(&table.slots()) {
            table.restore_slot(None, None);
            self.passed += 1;
        }
    }

    /// Adds those behind the last entry. One that is there twice, or lies further on, is malformed.
    fn finish(mut self, table: &mut Table) -> Result<(), Malformed> {
        self.pass(table);
        let all = self.passed == self.list.len();
        table.restore_free(self.list);
        all.then_some(()).ok_or(Malformed)
    }
}

impl Partition {
    /// Dates what waits by the rules in force.
    fn redate_waiting(&mut self) {
        let waiting = self
            .table
            .iter()
            .filter(|(_, entry)| entry.phase == Phase::Waiting);
        let waiting: Vec<Slot> = waiting.map(|(slot, _)| slot).collect();
        for slot in waiting {
            self.redate_one(slot);
            let due = self.next_due(slot).max(self.known);
            // What stays where it is keeps its place among those that are due with it.
            if !self.table.is_due_at(slot, due) {
                self.table.set_timer(slot, due);
            }
        }
    }
}

fn rule_now(settings: &Settings, name: &str) -> u16 {
    let same = settings.rules.iter().position(|rule| rule.name == name);
    // The last rule matches everything; at most 65,535 are configured.
    same.unwrap_or(settings.rules.len().saturating_sub(1)) as u16
}

fn stream_now(settings: &Settings, name: &str) -> Option<u8> {
    let same = settings.streams.iter().position(|stream| stream == name);
    same.and_then(|at| u8::try_from(at).ok())
}

fn read_slot(input: &mut Input<'_>, last: &mut i64) -> Result<u32, Malformed> {
    let slot = last.checked_add(input.read::<i64>()?).ok_or(Malformed)?;
    *last = slot;
    u32::try_from(slot).map_err(|_| Malformed)
}

fn read_all<T: super::codec::Coded>(
    mut input: Input<'_>,
    all: &mut Vec<T>,
) -> Result<(), Malformed> {
    while !input.is_empty() {
        all.push(input.read()?);
    }
    Ok(())
}

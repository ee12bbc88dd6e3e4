//! Payments that are divided anew among more partitions are told as if they had always been there.

use std::sync::Arc;

use settlewatch_join::{
    Effect, Effects, Event, Home, KnowsSince, Ledger, Message, Note, Pairs, Partition, Record,
    Settings, Timestamp,
};

use super::common::{at, usual};
use super::random::{Random, START_MS, records};

/// Partitions and stages, settled millisecond by millisecond.
struct Fleet {
    settings: Arc<Settings>,
    partitions: Vec<Partition>,
    stages: Vec<Pairs>,
    now: Timestamp,
    alerts: Vec<String>,
}

fn hash(tenant: Option<&str>, id: &str) -> u32 {
    let bytes = tenant.unwrap_or("").bytes().chain(id.bytes());
    bytes.fold(7, |hash: u32, byte| {
        hash.wrapping_mul(31).wrapping_add(byte.into())
    }) % 30
}

fn subject(event: &Event<'_>) -> String {
    event.body.payment_id().unwrap_or_default().to_owned()
}

impl Fleet {
    fn new(settings: &Arc<Settings>, count: u32) -> Self {
        let new =
            |home| Partition::new(Arc::clone(settings), KnowsSince(at(START_MS))).with_home(home);
        let window = settings.duplicate_window;
        Self {
            settings: Arc::clone(settings),
            partitions: (0..count).map(new).collect(),
            stages: (0..count).map(|_| Pairs::new(window)).collect(),
            now: at(START_MS),
            alerts: Vec::new(),
        }
    }

    fn count(&self) -> u32 {
        self.partitions.len() as u32
    }

    fn apply(&mut self, record: &Record<'_>) {
        self.settle(record.place.at);
        let tenant = record.event.tenant.as_deref();
        let home = hash(tenant, &subject(&record.event)) % self.count();
        let mut effects = Effects::new();
        self.partitions[home as usize].apply(record, &mut effects);
        self.exchange(effects);
    }

    fn settle(&mut self, until: Timestamp) {
        let next = |partitions: &[Partition]| {
            let next = partitions.iter().filter_map(Partition::next_decision).min();
            next.filter(|&next| next < until)
        };
        while let Some(next) = next(&self.partitions) {
            self.now = next.max(self.now);
            let mut effects = Effects::new();
            for partition in &mut self.partitions {
                partition.advance(self.now.next(), &mut effects);
            }
            self.exchange(effects);
        }
        self.now = until.max(self.now);
    }

    fn exchange(&mut self, mut effects: Effects) {
        while !effects.is_empty() {
            let (mut messages, mut notes) = (Vec::<Message>::new(), Vec::<Note>::new());
            for effect in effects.drain(..) {
                match effect {
                    Effect::Pair(message) => messages.push(*message),
                    Effect::Note(note) => notes.push(*note),
                    Effect::Alert(alert) => self.alerts.push(format!("{alert:?}")),
                    Effect::Flow(_) => {}
                }
            }
            messages.sort_by_key(|message| message.place);
            let count = u64::from(self.count());
            for (i, stage) in self.stages.iter_mut().enumerate() {
                let own = messages.iter().filter(|it| it.key.0 % count == i as u64);
                let own: Vec<Message> = own.cloned().collect();
                stage.apply(&own, self.now, &mut notes);
            }
            for (i, partition) in self.partitions.iter_mut().enumerate() {
                let own = notes.iter().filter(|note| note.to.home() == i as u32);
                let own: Vec<Note> = own.cloned().collect();
                partition.notes(&own, &mut effects);
            }
        }
    }

    fn divided(self, count: u32) -> Self {
        let home: Home<'_> = &|tenant, id| hash(tenant, id) % count;
        let mut new = Self::new(&self.settings, count);
        let known = self.partitions.iter().map(Partition::known).min();
        let known = known.expect("there are partitions");
        new.partitions = new
            .partitions
            .into_iter()
            .map(|it| it.standing_at(known))
            .collect();
        for partition in self.partitions {
            partition.divide(&mut new.partitions, home, |_| true);
        }
        let window = self.settings.duplicate_window;
        new.stages = Pairs::divide(self.stages, window, count, home);
        (new.now, new.alerts) = (self.now, self.alerts);
        new
    }

    /// The accounts of all, in an order that does not depend on who holds what.
    fn accounts(&self) -> Vec<String> {
        let of = |ledger: &Ledger| ledger.books().to_vec();
        let mut books = std::collections::BTreeMap::new();
        for partition in &self.partitions {
            for (currency, book) in of(partition.ledger()) {
                books
                    .entry(currency.as_str().to_owned())
                    .or_insert_with(settlewatch_join::Book::default)
                    .merge(&book);
            }
        }
        let mut all: Vec<String> = books.iter().map(|it| format!("{it:?}")).collect();
        for kind in settlewatch_join::AlertKind::ALL {
            let counts = self.partitions.iter().map(|it| it.ledger().alerts(*kind));
            let sums = counts.fold((0, 0), |sums, it| (sums.0 + it.open, sums.1 + it.resolved));
            all.push(format!("{kind:?} {sums:?}"));
        }
        all
    }
}

#[test]
fn what_is_told_does_not_depend_on_a_division_on_the_way() {
    let mut alerts = 0;
    for seed in 1..40 {
        let settings = usual();
        let records = records(&mut Random::new(seed), 400);
        let (first, rest) = records.split_at(100 + 5 * seed as usize);
        let until = at(START_MS + 10_000_000_000);
        let run = |before: u32, after: u32| {
            let mut fleet = Fleet::new(&settings, before);
            first.iter().for_each(|record| fleet.apply(record));
            if after != before {
                fleet = fleet.divided(after);
            }
            rest.iter().for_each(|record| fleet.apply(record));
            fleet.settle(until);
            let accounts = fleet.accounts();
            fleet.alerts.sort();
            (fleet.alerts, accounts)
        };
        let expected = run(5, 5);
        alerts += expected.0.len();
        assert_eq!(run(3, 5), expected, "seed {seed}: from 3 to 5");
        assert_eq!(run(2, 4), run(4, 4), "seed {seed}: from 2 to 4");
    }
    assert!(alerts > 1000, "{alerts}");
}

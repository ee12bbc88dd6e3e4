//! Random records of one partition, and a partition with its pairs stage that hears them.

use std::borrow::Cow;
use std::sync::Arc;

use settlewatch_join::event::{
    AccountStatus, BatchSettled, Currency, Heartbeat, Marker, MarkerKind, Refund, RefundStatus,
    Refusal, RefusalClass, SettleMode, Stage,
};
use settlewatch_join::{
    Body, Effect, Effects, Event, KnowsSince, Pairs, Partition, Place, Record, Settings, Timestamp,
};

use super::common::{at, credit, payment};

pub(crate) const START_MS: i64 = 1_775_700_000_000;

/// xorshift64*, so that a failure is a seed.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % bound
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize].clone()
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.chance(50).then(|| make(self))
    }
}

/// A partition and its pairs stage, settled millisecond by millisecond.
pub(crate) struct World {
    pub(crate) partition: Partition,
    pub(crate) pairs: Pairs,
    pub(crate) now: Timestamp,
    /// Every effect, in order.
    pub(crate) told: Vec<String>,
}

impl World {
    pub(crate) fn new(settings: &Arc<Settings>) -> Self {
        let since = KnowsSince(at(START_MS));
        Self {
            partition: Partition::new(Arc::clone(settings), since).with_home(3),
            pairs: Pairs::new(settings.duplicate_window),
            now: at(START_MS),
            told: Vec::new(),
        }
    }

    pub(crate) fn apply(&mut self, record: &Record<'_>) {
        self.settle(record.place.at);
        let mut effects = Effects::new();
        let outcome = self.partition.apply(record, &mut effects);
        self.told.push(format!("{outcome:?}"));
        self.exchange(effects);
    }

    /// Decides everything dated before `until`.
    pub(crate) fn settle(&mut self, until: Timestamp) {
        while let Some(next) = self.partition.next_decision().filter(|&next| next < until) {
            self.now = next.max(self.now);
            let mut effects = Effects::new();
            self.partition.advance(self.now.next(), &mut effects);
            self.exchange(effects);
        }
        self.now = until.max(self.now);
    }

    pub(crate) fn hole(&mut self, from: Timestamp, to: Timestamp) {
        self.settle(from);
        self.now = to;
        let mut effects = Effects::new();
        let lost = self.partition.hole(from, to, &mut effects);
        self.told.push(format!("{lost} lost"));
        self.exchange(effects);
    }

    fn exchange(&mut self, mut effects: Effects) {
        while !effects.is_empty() {
            let (mut messages, mut notes) = (Vec::new(), Vec::new());
            for effect in effects.drain(..) {
                self.told.push(format!("{effect:?}"));
                match effect {
                    Effect::Pair(message) => messages.push(*message),
                    Effect::Note(note) => notes.push(*note),
                    Effect::Alert(_) | Effect::Flow(_) => {}
                }
            }
            messages.sort_by_key(|message| message.place);
            self.pairs.apply(&messages, self.now, &mut notes);
            self.partition.notes(&notes, &mut effects);
        }
    }
}

/// Ids of all shapes, some of them near each other.
const IDS: [&str; 14] = [
    "42000000001",
    "42000000002",
    "42000000012",
    "42000000021",
    "42000000010",
    "PAY-20260409-a",
    "PAY-20260409-b",
    "00000000-0000-4000-8000-000000000001",
    "00000000-0000-4000-8000-000000000002",
    "订单一",
    "订单二",
    "a very long id that no packed form can hold, not even this one: 1",
    "x.y:z",
    "P",
];

/// Records whose append times never decrease; some are delivered again.
pub(crate) fn records(random: &mut Random, count: usize) -> Vec<Record<'static>> {
    let mut records: Vec<Record<'static>> = Vec::new();
    let mut now = START_MS;
    for offset in 0..count as i64 {
        now += random.pick(&[0, 0, 0, 40, 300, 900, 1_000, 2_000, 5_000]);
        if random.chance(2) {
            now += random.pick(&[70_000, 700_000, 3_700_000, 90_000_000, 800_000_000]);
        }
        let mut event = event(random, now, offset);
        if random.chance(15) && !records.is_empty() {
            let again = random.below(records.len() as u64) as usize;
            event = records[again].event.clone();
        }
        let stream = match event.body {
            Body::Succeeded(_) => 0,
            Body::Credited(_) => 1,
            _ => 2,
        };
        let place = Place {
            at: at(now),
            stream,
            partition: 0,
            offset,
        };
        records.push(Record { place, event });
    }
    records
}

fn event(random: &mut Random, now: i64, number: i64) -> Event<'static> {
    let (id, occurred_at) = (random.pick(&IDS), now - random.pick(&[0, 5, 900, 5_000]));
    let body = body(random, id, now);
    Event {
        tenant: random
            .pick(&[None, None, None, Some("north"), Some("south")])
            .map(Cow::Borrowed),
        event_id: Cow::Owned(format!("E{number}")),
        occurred_at: at(occurred_at),
        body,
    }
}

fn body(random: &mut Random, id: &'static str, now: i64) -> Body<'static> {
    let payment_id = Cow::Borrowed(id);
    match random.below(20) {
        0..=6 => succeeded(random, id, now),
        7..=10 => credited(random, id),
        11 => Body::Refunded(refund(random, id)),
        12 if random.chance(50) => Body::Reversed(refund(random, id)),
        12 => Body::Released { payment_id },
        13 => Body::Held {
            payment_id,
            reason: random.maybe(|_| Cow::Borrowed("risk")),
            expected_release_at: random.maybe(|random| at(now + random.below(9_000) as i64)),
        },
        14 if random.chance(40) => Body::Declined(refusal(random, id)),
        14 | 15 => Body::Rejected(refusal(random, id)),
        16 => Body::Authorized { payment_id },
        17 | 18 => Body::Stage {
            payment_id,
            stage: random.pick(Stage::ALL),
        },
        _ => auxiliary(random),
    }
}

fn succeeded(random: &mut Random, id: &str, now: i64) -> Body<'static> {
    let amount_minor = random.pick(&[100, 200]);
    let text = |text: &'static str| Some(Cow::Borrowed(text));
    Body::Succeeded(settlewatch_join::event::Succeeded {
        terminal_id: Cow::Borrowed(random.pick(&["T1", "T2"])),
        amount_minor,
        currency: random.pick(&[currency(*b"CNY"), currency(*b"CNY"), currency(*b"USD")]),
        fee_minor: random.maybe(|_| 3),
        order_amount_minor: random.maybe(|random| random.pick(&[amount_minor, amount_minor, 7])),
        settle_mode: random.pick(&[SettleMode::Realtime, SettleMode::Realtime, SettleMode::T1]),
        expected_credit_by: random.maybe(|random| at(now + random.below(200_000) as i64)),
        payer_hash: random.maybe(|_| Cow::Borrowed("payer")),
        region: random.pick(&[None, text("east"), text("west")]),
        mcc: random.pick(&[None, text("5411")]),
        ..payment(id, random.pick(&["alipay_qr", "unionpay_qr", "pos"]))
    })
}

fn credited(random: &mut Random, id: &str) -> Body<'static> {
    Body::Credited(settlewatch_join::event::Credited {
        credit_id: random.maybe(|random| Cow::Borrowed(random.pick(&["C1", "C2", "C3"]))),
        amount_minor: random.pick(&[None, Some(100), Some(100), Some(200), Some(97), Some(50)]),
        currency: random.maybe(|_| currency(*b"CNY")),
        terminal_id: random.maybe(|random| Cow::Borrowed(random.pick(&["T1", "T1", "T2"]))),
        partial: random.chance(30),
        ..credit(id)
    })
}

fn refund(random: &mut Random, id: &'static str) -> Refund<'static> {
    Refund {
        payment_id: Cow::Borrowed(id),
        refund_id: random.maybe(|random| Cow::Borrowed(random.pick(&["R1", "R2"]))),
        amount_minor: random.maybe(|random| random.pick(&[30, 100])),
        status: random.pick(RefundStatus::ALL),
    }
}

fn refusal(random: &mut Random, id: &'static str) -> Refusal<'static> {
    Refusal {
        payment_id: Cow::Borrowed(id),
        channel: random.maybe(|_| Cow::Borrowed("pos")),
        merchant_id: None,
        terminal_id: random.maybe(|_| Cow::Borrowed("T1")),
        amount_minor: random.maybe(|_| 100),
        currency: random.maybe(|_| currency(*b"CNY")),
        code: random.maybe(|_| Cow::Borrowed("61")),
        class: random.pick(RefusalClass::ALL),
    }
}

fn auxiliary(random: &mut Random) -> Body<'static> {
    match random.below(4) {
        0 => Body::AccountStatus {
            merchant_id: Cow::Borrowed("M1"),
            status: AccountStatus::Frozen,
        },
        1 => Body::BatchSettled(BatchSettled {
            channel: Cow::Borrowed("pos"),
            batch_id: Cow::Borrowed(random.pick(&["B1", "B2"])),
            settle_date: None,
            count: None,
            total_minor: None,
        }),
        2 => Body::Marker(Marker {
            kind: MarkerKind::Deploy,
            scope: Vec::new(),
            starts_at: None,
            ends_at: None,
        }),
        _ => Body::Heartbeat(Heartbeat {
            terminal_id: Cow::Borrowed(random.pick(&["T1", "T2", "T3"])),
            network: None,
            rssi_dbm: None,
            queue_depth: None,
            error_code: None,
            uptime_s: None,
            app_version: None,
            signed_in: None,
        }),
    }
}

fn currency(letters: [u8; 3]) -> Currency {
    Currency::new(letters).expect("three capitals")
}

//! Steady traffic without memory: every payment and every event is a function of its number.
//!
//! Payment k arrives at step k and is credited `waiting` steps later on average, in an order that is random
//! within half of that; so about `waiting` payments wait, and none of them is where the cache expects it.

use settlewatch_join::event::{Credited, Currency, Place, SettleMode, Stage, Succeeded};
use settlewatch_join::{Body, Event, Record, Timestamp};

use crate::ids::{Arena, Piece};
use crate::zipf::{Zipf, mix};

/// 2026-03-10T02:00:00Z, so that a run of 30 minutes stays within its hour.
const START_MS: i64 = 1_773_108_000_000;
const MERCHANTS: u64 = 20_000;
const TERMINALS: u64 = 100_000;
/// Steps after which a payment's stage follows.
const STAGE_AFTER: u64 = 64;

/// What the traffic is made of.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Payments that wait.
    pub waiting: u64,
    /// Payments a millisecond.
    pub per_ms: u64,
    /// Two stages a payment, one before and one after its credit.
    pub stages: bool,
    /// Payments name their payer, and the pairs stage hears of them.
    pub payer: bool,
}

/// The traffic, and the room to make a block of events in.
#[derive(Debug)]
pub(crate) struct Traffic {
    shape: Shape,
    zipf: Zipf,
    arena: Arena,
    steps: Vec<Step>,
    next: u64,
}

/// One event to be.
#[derive(Debug)]
struct Step {
    at: Timestamp,
    what: What,
    id: Piece,
    event_id: Piece,
    payment: u64,
    attributes: [Piece; 13],
}

#[derive(Clone, Copy, Debug)]
enum What {
    Payment,
    Credit,
    Stage(Stage),
}

const CHANNELS: [&str; 6] = [
    "unionpay_qr",
    "wechat",
    "alipay",
    "visa",
    "mastercard",
    "ecny",
];
const REGIONS: [&str; 8] = [
    "east", "west", "north", "south", "central", "coast", "lakes", "hills",
];
const CARRIERS: [&str; 3] = ["cmcc", "cucc", "ctcc"];
const MODELS: [&str; 5] = ["A920", "N950", "QM800", "P2", "X990"];
const VENDORS: [&str; 4] = ["pax", "newland", "centerm", "sunmi"];
const VERSIONS: [&str; 4] = ["4.1.0", "4.1.2", "4.2.0", "5.0.1"];
const METHODS: [&str; 3] = ["qr", "nfc", "chip"];
const GATEWAYS: [&str; 4] = ["gw-a", "gw-b", "gw-c", "gw-d"];
const ACQUIRERS: [&str; 5] = ["acq-1", "acq-2", "acq-3", "acq-4", "acq-5"];
const CONNECTORS: [&str; 4] = ["conn-1", "conn-2", "conn-3", "conn-4"];

fn pick<'a>(names: &[&'a str], number: u64) -> &'a str {
    names[(number % names.len() as u64) as usize]
}

/// The payment credited at step `step` of `waiting`: a permutation within blocks.
fn credited_at(step: u64, waiting: u64) -> Option<u64> {
    let number = step.checked_sub(waiting)?;
    let block = (waiting / 2).next_power_of_two() / 2;
    let (base, within) = (number & !(block.max(1) - 1), number & (block.max(1) - 1));
    // An odd factor permutes the residues of a power of two.
    let scrambled = within.wrapping_mul(0x9e37_79b1).wrapping_add(base >> 3) & (block.max(1) - 1);
    Some(base + scrambled)
}

impl Traffic {
    /// Traffic from its first payment.
    pub(crate) fn new(shape: Shape) -> Self {
        Self {
            shape,
            zipf: Zipf::new(TERMINALS),
            arena: Arena::default(),
            steps: Vec::new(),
            next: 0,
        }
    }

    /// From when the partition should know its inputs.
    pub(crate) fn start() -> Timestamp {
        Timestamp::from_millis(START_MS)
    }

    /// Payments made so far.
    pub(crate) fn payments(&self) -> u64 {
        self.next
    }

    /// Makes the events of the next `payments` steps.
    pub(crate) fn block(&mut self, payments: u64) -> Vec<Record<'_>> {
        self.plan(payments);
        let mut records = Vec::with_capacity(self.steps.len());
        for (step, offset) in self.steps.iter().zip(0..) {
            records.push(self.record(step, offset));
        }
        records
    }

    /// Writes the text of the next `payments` steps; the events borrow it.
    fn plan(&mut self, payments: u64) {
        self.arena.clear();
        self.steps.clear();
        for step in self.next..self.next + payments {
            let at = Timestamp::from_millis(START_MS + (step / self.shape.per_ms) as i64);
            let credited = credited_at(step, self.shape.waiting);
            self.step(at, What::Payment, step);
            if let Some(payment) = step.checked_sub(STAGE_AFTER).filter(|_| self.shape.stages) {
                self.step(at, What::Stage(Stage::GatewayOut), payment);
            }
            if let Some(payment) = credited {
                self.step(at, What::Credit, payment);
                if self.shape.stages {
                    self.step(at, What::Stage(Stage::TerminalNotified), payment);
                }
            }
        }
        self.next += payments;
    }

    fn step(&mut self, at: Timestamp, what: What, payment: u64) {
        let arena = &mut self.arena;
        // Twenty-eight digits, as large acquirers give them.
        let id = arena.number("4200001668202603", payment, 12);
        let event_id = arena.number(
            match what {
                What::Payment => "p",
                What::Credit => "c",
                What::Stage(_) => "s",
            },
            payment,
            12,
        );
        let attributes = match what {
            What::Payment => attributes(arena, &self.zipf, payment),
            _ => [id; 13],
        };
        self.steps.push(Step {
            at,
            what,
            id,
            event_id,
            payment,
            attributes,
        });
    }

    fn record<'a>(&'a self, step: &Step, offset: i64) -> Record<'a> {
        let text = |piece| self.arena.get(piece).into();
        let body = match step.what {
            What::Payment => Body::Succeeded(self.succeeded(step)),
            What::Credit => Body::Credited(Credited {
                payment_id: text(step.id),
                credit_id: Some(text(step.event_id)),
                channel: None,
                amount_minor: Some(amount(step.payment)),
                currency: Currency::new(*b"CNY"),
                fee_minor: None,
                terminal_id: None,
                merchant_id: None,
                mcc: None,
                partial: false,
                batch_id: None,
            }),
            What::Stage(stage) => Body::Stage {
                payment_id: text(step.id),
                stage,
            },
        };
        let stream = match step.what {
            What::Payment => 0,
            What::Credit => 1,
            What::Stage(_) => 2,
        };
        Record {
            place: Place {
                at: step.at,
                stream,
                partition: 0,
                offset,
            },
            event: Event {
                tenant: None,
                event_id: text(step.event_id),
                occurred_at: Timestamp::from_millis(step.at.millis() - 40),
                body,
            },
        }
    }

    fn succeeded<'a>(&'a self, step: &Step) -> Succeeded<'a> {
        let text = |piece| self.arena.get(piece).into();
        let [
            merchant,
            terminal,
            store,
            region,
            carrier,
            model,
            vendor,
            version,
            mcc,
            gateway,
            acquirer,
            connector,
            method,
        ] = step.attributes.map(text);
        Succeeded {
            payment_id: text(step.id),
            channel: pick(&CHANNELS, mix(step.payment) >> 9).into(),
            merchant_id: merchant,
            terminal_id: terminal,
            amount_minor: amount(step.payment),
            currency: Currency::new(*b"CNY").expect("CNY is a code"),
            fee_minor: Some(38),
            order_amount_minor: None,
            settle_mode: SettleMode::Realtime,
            expected_credit_by: None,
            payer_hash: self.shape.payer.then(|| text(step.event_id)),
            gateway: Some(gateway),
            acquirer: Some(acquirer),
            connector: Some(connector),
            store_id: Some(store),
            region: Some(region),
            carrier: Some(carrier),
            terminal_model: Some(model),
            pos_vendor: Some(vendor),
            app_version: Some(version),
            method: Some(method),
            mcc: Some(mcc),
            attrs: Vec::new(),
        }
    }
}

fn amount(payment: u64) -> u64 {
    100 + mix(payment) % 50_000
}

/// The thirteen attributes: nine that the terminal fixes, four of the route.
fn attributes(arena: &mut Arena, zipf: &Zipf, payment: u64) -> [Piece; 13] {
    let random = mix(payment ^ 0x5a5a);
    let terminal = zipf.choose(random);
    let merchant = terminal % MERCHANTS;
    [
        arena.number("M10", merchant, 8),
        arena.number("T", terminal, 8),
        arena.number("S", merchant * 3, 6),
        arena.text(pick(&REGIONS, merchant)),
        arena.text(pick(&CARRIERS, terminal >> 2)),
        arena.text(pick(&MODELS, terminal >> 3)),
        arena.text(pick(&VENDORS, terminal >> 3)),
        arena.text(pick(&VERSIONS, terminal >> 5)),
        arena.number("", 5000 + merchant % 100, 4),
        arena.text(pick(&GATEWAYS, random)),
        arena.text(pick(&ACQUIRERS, random >> 4)),
        arena.text(pick(&CONNECTORS, random >> 8)),
        arena.text(pick(&METHODS, random >> 12)),
    ]
}

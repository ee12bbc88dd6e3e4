//! Random events about few payments.

use serde_json::{Value, json};

use super::ids;
use super::rng::Rng;
use crate::reference::{Config, rfc3339};
use crate::render::Draft;
use crate::story::clock;

/// What the events of one payment are drawn from.
pub(super) struct About {
    pub(super) tenant: Option<&'static str>,
    pub(super) id: String,
    pub(super) at: i64,
    pub(super) amount: i64,
    pub(super) fee: Option<i64>,
    pub(super) currency: &'static str,
    pub(super) mcc: Option<&'static str>,
    pub(super) terminal: &'static str,
    pub(super) batch: bool,
    /// When a batch says it expects its credit.
    pub(super) expected: Option<i64>,
}

/// Random drafts: payments, what happens to them, strays, redeliveries, and a heartbeat that ends the clock.
pub(super) fn drafts(rng: &mut Rng, config: &Config) -> Vec<Draft> {
    let mut told = Teller {
        rng,
        config,
        drafts: Vec::new(),
        events: 0,
        base: 0,
    };
    told.base = told.beginning();
    if told.rng.chance(80) {
        told.heartbeat(told.base - 5_000);
    }
    let payments = told.rng.pick(&[2, 3, 4, 6, 12]);
    for _ in 0..payments {
        let about = told.payment();
        told.credits(&about);
        told.lifecycle(&about);
    }
    told.strays();
    told.redeliver();
    let last = told
        .drafts
        .iter()
        .map(|draft| draft.at_ms)
        .max()
        .unwrap_or(told.base);
    let end = last + told.rng.pick(&[0, 100, 5_000, 5_000, 700_000]);
    told.heartbeat(end);
    told.drafts
}

/// Tells events in a random world.
pub(super) struct Teller<'a> {
    pub(super) rng: &'a mut Rng,
    pub(super) config: &'a Config,
    pub(super) drafts: Vec<Draft>,
    events: u64,
    base: i64,
}

impl Teller<'_> {
    pub(super) fn batch(&self) -> bool {
        self.config.rules.iter().any(|rule| rule.due.is_some())
    }

    /// Noon, or in a world of batches some edge of the business day.
    fn beginning(&mut self) -> i64 {
        let edges = [
            "12:00:00",
            "14:59:59.900",
            "2026-03-04T09:59:59.900Z",
            "2026-03-06T15:00:00.001Z",
        ];
        clock(if self.batch() {
            self.rng.pick(&edges)
        } else {
            edges[0]
        })
    }

    pub(super) fn push(&mut self, about: &About, at: i64, stream: usize, kind: &str, more: Value) {
        self.events += 1;
        let lag = self.rng.pick(&[0, 0, 1, 5, 40, 400]);
        let mut value = json!({
            "type": kind,
            "event_id": format!("e{}", self.events),
            "occurred_at": rfc3339(at - lag),
            "payment_id": about.id,
        });
        let fields = value.as_object_mut().expect("an event is an object");
        fields.extend(
            about
                .tenant
                .map(|tenant| ("tenant".to_owned(), tenant.into())),
        );
        let Value::Object(more) = more else {
            unreachable!("further fields are an object");
        };
        fields.extend(more.into_iter().filter(|(_, value)| !value.is_null()));
        // Any co-partitioned stream carries any type.
        let stream = if self.rng.chance(8) {
            self.rng.pick(&[0, 1, 2])
        } else {
            stream
        };
        self.drafts.push(Draft {
            at_ms: at,
            stream,
            value,
        });
    }

    pub(super) fn heartbeat(&mut self, at: i64) {
        self.events += 1;
        let value = json!({
            "type": "terminal.heartbeat",
            "event_id": format!("e{}", self.events),
            "occurred_at": rfc3339(at),
            "terminal_id": "T1",
        });
        self.drafts.push(Draft {
            at_ms: at,
            stream: 3,
            value,
        });
    }

    /// Whether an event so far is about this id.
    pub(super) fn heard_of(&self, id: &str) -> bool {
        self.drafts
            .iter()
            .any(|draft| draft.value["payment_id"] == id)
    }

    fn payment(&mut self) -> About {
        let about = self.about();
        let rng = &mut *self.rng;
        let mode = if about.batch {
            Some(rng.pick(&["d0", "t1"]))
        } else {
            rng.pick(&[None, Some("realtime")])
        };
        let order = rng.chance(8).then_some(about.amount + 1);
        let merchant = if rng.chance(90) { "M1" } else { "M2" };
        let payer = rng.pick(&[None, Some("h1"), Some("h1"), Some("h2")]);
        let more = json!({
            "channel": rng.pick(&["qr", "card"]),
            "merchant_id": merchant,
            "terminal_id": about.terminal,
            "amount_minor": about.amount,
            "currency": about.currency,
            "fee_minor": about.fee,
            "order_amount_minor": order,
            "settle_mode": mode,
            "expected_credit_by": about.expected.map(rfc3339),
            "payer_hash": payer,
            "mcc": about.mcc,
            "attrs": if rng.chance(30) { json!({"lane": "fast"}) } else { Value::Null },
        });
        self.push(&about, about.at, 0, "payment.succeeded", more);
        about
    }

    pub(super) fn about(&mut self) -> About {
        let mut id = ids::payment_id(self.rng);
        if self.batch() && self.heard_of(&id) {
            // What comes days after a payment closed may be remembered in part only.
            id = format!("{id}-{}", self.events);
        }
        let batch = self.batch() && self.rng.chance(70);
        let rng = &mut *self.rng;
        let at = self.base + rng.pick(&[0, 0, 1, 50, 100, 101, 200, 300, 700]);
        About {
            tenant: rng.chance(5).then_some("t"),
            id,
            at,
            expected: (batch && rng.chance(30)).then(|| at + rng.between(-50, 900)),
            amount: rng.pick(&[1_000, 1_000, 1_000, 5_000, 77]),
            fee: rng.pick(&[None, None, Some(0), Some(6)]),
            currency: rng.pick(&["CNY", "CNY", "CNY", "EUR"]),
            mcc: rng.pick(&[None, Some("5411")]),
            terminal: rng.pick(&["T1", "T1", "T2"]),
            batch,
        }
    }

    fn credits(&mut self, about: &About) {
        let most = if about.batch { 1 } else { 3 };
        for n in 0..self.rng.pick(&[0, 1, 1, 1, 2, 3]).min(most) {
            let at = if about.batch {
                self.batch_time(about)
            } else {
                self.time(about)
            };
            let credit = self.credit(about, n);
            self.push(about, at, 1, "terminal.credited", credit);
        }
    }

    pub(super) fn credit(&mut self, about: &About, n: i64) -> Value {
        let rng = &mut *self.rng;
        let (whole, fee) = (about.amount, about.fee.unwrap_or(0));
        let partial = rng.pick(&[None, None, None, Some(false), Some(true), Some(true)]);
        let parts = [whole / 2, whole - whole / 2, whole - whole / 4, whole];
        let wholes = [
            whole,
            whole,
            whole - fee,
            whole - 10,
            whole - whole / 4,
            whole + 1,
            whole - 1,
        ];
        let amount = if partial == Some(true) {
            rng.pick(&parts)
        } else {
            rng.pick(&wholes)
        };
        let other = rng.chance(8);
        let currency = if other {
            Some("USD")
        } else {
            rng.pick(&[None, Some(about.currency)])
        };
        let terminal = if rng.chance(8) {
            Some("T9")
        } else {
            rng.pick(&[None, Some(about.terminal)])
        };
        json!({
            "credit_id": if rng.chance(60) { Some(format!("C{n}")) } else { None },
            "amount_minor": if rng.chance(80) { Some(amount) } else { None },
            "currency": currency,
            "fee_minor": rng.pick(&[None, None, about.fee, Some(10)]),
            "terminal_id": terminal,
            "merchant_id": rng.pick(&[None, None, Some("M1")]),
            "mcc": rng.pick(&[None, about.mcc, Some("5812")]),
            "partial": partial,
        })
    }

    fn lifecycle(&mut self, about: &About) {
        for _ in 0..self.rng.pick(&[0, 0, 1, 2, 4]) {
            let at = self.time(about);
            let (kind, more) = self.change(about, at);
            // Days after the payment closed, what is said before any payment looks like one that never came.
            let says_little = kind == "payment.authorized"
                || kind == "payment.stage"
                || more["class"] == "auth_incomplete";
            let at = if says_little {
                at.min(about.at + 2_000)
            } else {
                at
            };
            self.push(about, at, 2, kind, more);
        }
    }

    fn change(&mut self, about: &About, at: i64) -> (&'static str, Value) {
        let rng = &mut *self.rng;
        let status = rng.pick(&[None, Some("created"), Some("succeeded"), Some("failed")]);
        let classes = [
            "limit",
            "frequency",
            "insufficient",
            "frozen",
            "not_permitted",
            "duplicate",
            "auth_incomplete",
            "format",
            "issuer_down",
            "system",
            "unheard_of",
        ];
        match rng.between(0, 13) {
            0..=3 => {
                let amount = rng.pick(&[
                    None,
                    Some(about.amount),
                    Some(about.amount / 4),
                    Some(about.amount / 2),
                ]);
                let id = rng.pick(&[None, Some("R1"), Some("R1"), Some("R2")]);
                (
                    "payment.refunded",
                    json!({"refund_id": id, "amount_minor": amount, "status": status}),
                )
            }
            4 => ("payment.reversed", json!({"status": status})),
            5 => ("payment.declined", json!({"class": rng.pick(&classes)})),
            6..=8 => {
                let release = rng
                    .chance(50)
                    .then(|| rfc3339(at + rng.pick(&[-10, 0, 1, 50, 300])));
                (
                    "payment.held",
                    json!({"reason": "risk", "expected_release_at": release}),
                )
            }
            9..=10 => ("payment.released", json!({})),
            11..=12 => ("credit.rejected", json!({"class": rng.pick(&classes)})),
            _ => match rng.between(0, 2) {
                0 => ("payment.authorized", json!({})),
                _ => (
                    "payment.stage",
                    json!({"stage": rng.pick(&["gateway_in", "merchant_ack"])}),
                ),
            },
        }
    }
}

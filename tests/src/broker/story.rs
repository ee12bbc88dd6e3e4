//! What may happen to one payment, as records to append.

use serde_json::{Map, Value, json};

use crate::broker::Rules;
use crate::generate::Rng;
use crate::reference::rfc3339;

/// A record to append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// When, in milliseconds since the story began.
    pub after_ms: i64,
    /// Rank of its stream.
    pub stream: usize,
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: Vec<u8>,
    /// It is no event.
    pub junk: bool,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Credited in time.
    InTime,
    /// Credited about when a tier passes.
    Brink,
    /// Credited after a tier.
    Late,
    /// Never credited.
    Never,
    /// The credit is there before the payment.
    CreditFirst,
    /// Refunded, reversed or declined.
    Explained,
    /// Held and released.
    Held,
    /// Held for too long.
    HeldOver,
    /// Credited in parts.
    Parts,
    /// Credited with another amount, fee, currency, terminal or merchant.
    Mismatch,
    /// Credited twice.
    Twice,
    /// Credited after it was taken back.
    AfterReversal,
    /// The same payer pays the same twice.
    Twin,
    /// A credit without a payment.
    Orphan,
    /// Delivered again.
    Redelivered,
    /// The credit's id has one wrong sign.
    Corrupted,
    /// Its credit is rejected, with a reason.
    Rejected,
    /// What is no event.
    Junk,
}

/// What payers' hashes begin with, so that one is found where none may be.
pub const PAYER: &str = "payer-";

/// How often each is told, in parts of a hundred.
const SHARES: [(Kind, i64); 18] = [
    (Kind::InTime, 34),
    (Kind::Brink, 6),
    (Kind::Late, 10),
    (Kind::Never, 5),
    (Kind::CreditFirst, 4),
    (Kind::Explained, 6),
    (Kind::Held, 3),
    (Kind::HeldOver, 2),
    (Kind::Parts, 4),
    (Kind::Mismatch, 4),
    (Kind::Twice, 3),
    (Kind::AfterReversal, 2),
    (Kind::Twin, 3),
    (Kind::Orphan, 3),
    (Kind::Redelivered, 4),
    (Kind::Corrupted, 2),
    (Kind::Rejected, 2),
    (Kind::Junk, 3),
];

impl Kind {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        SHARES.into_iter().map(|(kind, _)| kind)
    }

    /// One of them, as often as they are to be told.
    pub fn pick(rng: &mut Rng) -> Self {
        let mut left = rng.between(1, 100);
        for (kind, share) in SHARES {
            left -= share;
            if left <= 0 {
                return kind;
            }
        }
        Self::InTime
    }
}

/// One payment and what happens to it.
#[derive(Debug)]
pub struct Story<'a> {
    rng: &'a mut Rng,
    begin_ms: i64,
    id: String,
    payment: Map<String, Value>,
    tiers_ms: Vec<i64>,
    events: u32,
    appends: Vec<Append>,
}

impl<'a> Story<'a> {
    /// The records of a story that begins at `begin_ms` by business time.
    pub fn tell(kind: Kind, rules: &Rules, begin_ms: i64, rng: &'a mut Rng) -> Vec<Append> {
        let mut story = Self::new(rules, begin_ms, rng);
        story.happen(kind);
        story.appends.sort_by_key(|append| append.after_ms);
        story.appends
    }

    fn new(rules: &Rules, begin_ms: i64, rng: &'a mut Rng) -> Self {
        let id = format!("{:016x}", rng.bits());
        let large = rng.chance(15);
        let amount = if large {
            rng.between(1_000_000, 9_000_000)
        } else {
            rng.between(100, 99_999)
        };
        let rule = rules
            .rules
            .iter()
            .find(|rule| rule.amount_min.is_none_or(|min| amount >= min));
        let tiers_ms = rule.expect("the last rule matches everything").tiers.iter();
        let tiers_ms = tiers_ms.map(|tier| tier.after_ms).collect();
        let payment = json!({
            "payment_id": id,
            "channel": rng.pick(&["qr", "card", "wallet"]),
            "merchant_id": format!("M{}", rng.between(1, 40)),
            "terminal_id": format!("T{}", rng.between(1, 90)),
            "amount_minor": amount,
            "currency": rng.pick(&["CNY", "HKD"]),
            "gateway": rng.pick(&["gw-a", "gw-b"]),
        });
        let Value::Object(payment) = payment else {
            unreachable!("an object was written");
        };
        Self {
            rng,
            begin_ms,
            id,
            payment,
            tiers_ms,
            events: 0,
            appends: Vec::new(),
        }
    }

    fn amount(&self) -> i64 {
        self.payment["amount_minor"].as_i64().expect("a number")
    }

    /// A moment after a tier and before the next, or a second after the last.
    fn after_a_tier(&mut self) -> i64 {
        let tiers = i64::try_from(self.tiers_ms.len()).expect("few");
        let at = usize::try_from(self.rng.between(0, tiers - 1)).expect("from 0 up");
        let next = self
            .tiers_ms
            .get(at + 1)
            .copied()
            .unwrap_or(self.tiers_ms[at] + 1_000);
        self.rng.between(self.tiers_ms[at] + 20, next)
    }

    fn in_time(&mut self) -> i64 {
        let first = self.tiers_ms[0];
        self.rng.between(10, first * 2 / 3)
    }

    fn event(&mut self, after_ms: i64, stream: usize, kind: &str, fields: Value) {
        self.events += 1;
        let mut event = json!({
            "type": kind,
            "event_id": format!("{}-{}", self.id, self.events),
            "occurred_at": rfc3339(self.begin_ms + after_ms),
            "payment_id": self.id,
        });
        let (Value::Object(event), Value::Object(fields)) = (&mut event, fields) else {
            unreachable!("objects were written");
        };
        event.extend(fields);
        let key = event["payment_id"].as_str().expect("a text").to_owned();
        self.appends.push(Append {
            after_ms,
            stream,
            key,
            value: serde_json::to_vec(event).expect("JSON can be written"),
            junk: false,
        });
    }

    fn pay(&mut self, after_ms: i64, fields: Value) {
        let mut all = Value::Object(self.payment.clone());
        let Value::Object(more) = fields else {
            unreachable!("an object was written");
        };
        all.as_object_mut().expect("an object").extend(more);
        self.event(after_ms, 0, "payment.succeeded", all);
    }

    fn credit(&mut self, after_ms: i64, fields: Value) {
        let mut all = json!({"amount_minor": self.amount(), "currency": self.payment["currency"]});
        let Value::Object(more) = fields else {
            unreachable!("an object was written");
        };
        all.as_object_mut().expect("an object").extend(more);
        self.event(after_ms, 1, "terminal.credited", all);
    }

    fn life(&mut self, after_ms: i64, kind: &str, fields: Value) {
        self.event(after_ms, 2, kind, fields);
    }

    fn again(&mut self, index: usize, after_ms: i64) {
        let mut append = self.appends[index].clone();
        append.after_ms = after_ms;
        self.appends.push(append);
    }

    fn happen(&mut self, kind: Kind) {
        match kind {
            Kind::InTime => {
                let after = self.in_time();
                self.pay(0, json!({}));
                self.credit(after, json!({}));
            }
            Kind::Brink => {
                let tiers = self.tiers_ms.clone();
                let after = self.rng.pick(&tiers) + self.rng.between(-15, 15);
                self.pay(0, json!({}));
                self.credit(after, json!({}));
            }
            Kind::Late => {
                let after = self.after_a_tier();
                self.pay(0, json!({}));
                self.credit(after, json!({}));
            }
            Kind::Never => self.pay(0, json!({})),
            Kind::CreditFirst => {
                let after = self.rng.between(20, 1_500);
                self.credit(0, json!({}));
                self.pay(after, json!({}));
            }
            Kind::Explained => self.explained(),
            Kind::Held => {
                self.pay(0, json!({}));
                self.life(100, "payment.held", json!({"reason": "risk"}));
                self.life(1_800, "payment.released", json!({}));
                let after = 1_800 + self.rng.between(50, 3_000);
                self.credit(after, json!({}));
            }
            Kind::HeldOver => {
                let expected = rfc3339(self.begin_ms + 2_500);
                self.pay(0, json!({}));
                self.life(
                    80,
                    "payment.held",
                    json!({"reason": "manual", "expected_release_at": expected}),
                );
                if self.rng.chance(50) {
                    self.credit(4_000, json!({}));
                }
            }
            Kind::Parts => self.parts(),
            Kind::Mismatch => self.mismatch(),
            Kind::Twice | Kind::AfterReversal | Kind::Redelivered => self.repeated(kind),
            Kind::Twin => self.twin(),
            Kind::Orphan => {
                self.credit(0, json!({}));
                if self.rng.chance(50) {
                    self.pay(2_600, json!({}));
                }
            }
            Kind::Corrupted => self.corrupted(),
            Kind::Rejected => {
                let class =
                    self.rng
                        .pick(&["limit", "insufficient", "frozen", "format", "timeout"]);
                self.pay(0, json!({}));
                self.life(300, "credit.rejected", json!({"class": class}));
                if self.rng.chance(50) {
                    let after = self.after_a_tier();
                    self.credit(after, json!({}));
                }
            }
            Kind::Junk => self.junk(),
        }
    }

    fn explained(&mut self) {
        let after = if self.rng.chance(50) {
            self.in_time()
        } else {
            self.after_a_tier()
        };
        self.pay(0, json!({}));
        match self.rng.between(1, 4) {
            1 => self.life(after, "payment.refunded", json!({})),
            2 => self.life(after, "payment.reversed", json!({})),
            3 => self.life(after, "payment.declined", json!({"class": "issuer_down"})),
            _ => {
                let half = self.amount() / 2;
                self.life(
                    50,
                    "payment.refunded",
                    json!({"refund_id": "r1", "amount_minor": half}),
                );
                let rest = self.amount() - half;
                self.credit(after, json!({"amount_minor": rest}));
            }
        }
    }

    fn parts(&mut self) {
        let half = self.amount() / 2;
        let rest = self.amount() - half;
        let (first, second) = (self.in_time(), self.after_a_tier());
        self.pay(0, json!({}));
        self.credit(
            first,
            json!({"partial": true, "credit_id": "p1", "amount_minor": half}),
        );
        let whole = self.rng.chance(80);
        if whole {
            self.credit(
                second,
                json!({"partial": true, "credit_id": "p2", "amount_minor": rest}),
            );
        }
    }

    fn mismatch(&mut self) {
        let after = self.in_time();
        let amount = self.amount();
        if self.rng.chance(20) {
            self.pay(0, json!({"order_amount_minor": amount + 100}));
            self.credit(after, json!({}));
            return;
        }
        self.pay(0, json!({}));
        let wrong = [
            json!({"amount_minor": amount + 7}),
            json!({"amount_minor": amount - 1, "fee_minor": 1}),
            json!({"currency": "USD"}),
            json!({"terminal_id": "T-other"}),
            json!({"merchant_id": "M-other"}),
        ];
        let wrong = self.rng.pick(&wrong);
        self.credit(after, wrong);
    }

    fn repeated(&mut self, kind: Kind) {
        let after = self.in_time();
        self.pay(0, json!({}));
        match kind {
            Kind::Twice => {
                self.credit(after, json!({"credit_id": "c1"}));
                let later = after + self.rng.between(1, 3_000);
                self.credit(later, json!({"credit_id": "c2"}));
            }
            Kind::AfterReversal => {
                self.life(after, "payment.reversed", json!({}));
                let later = after + self.rng.between(20, 3_000);
                self.credit(later, json!({}));
            }
            _ => {
                self.credit(after, json!({}));
                let (first, second) = (self.rng.between(5, 4_000), self.rng.between(5, 4_000));
                self.again(0, first);
                self.again(1, after + second);
            }
        }
    }

    fn twin(&mut self) {
        let payer = format!("{PAYER}{:x}", self.rng.bits());
        self.payment.insert("payer_hash".into(), json!(payer));
        let after = self.in_time();
        self.pay(0, json!({}));
        self.credit(after, json!({}));
        self.id = format!("{:016x}", self.rng.bits());
        self.payment.insert("payment_id".into(), json!(self.id));
        let later = self.rng.between(20, 1_500);
        self.pay(later, json!({}));
        match self.rng.between(1, 3) {
            1 => self.life(later + 900, "payment.refunded", json!({})),
            _ => self.credit(later + after, json!({})),
        }
    }

    fn corrupted(&mut self) {
        self.pay(0, json!({}));
        let (at, whole) = (self.rng.between(0, 15), self.id.clone());
        let at = usize::try_from(at).expect("from 0 up");
        let sign = if &whole[at..=at] == "7" { "8" } else { "7" };
        let wrong = format!("{}{sign}{}", &whole[..at], &whole[at + 1..]);
        let after = self.in_time();
        self.credit(after, json!({"payment_id": wrong}));
    }

    fn junk(&mut self) {
        let values: [&[u8]; 5] = [
            b"{\"type\":\"payment.succeeded\"",
            b"",
            b"\xff\xfe{}",
            b"{\"type\":\"nothing\",\"event_id\":\"e\",\"occurred_at\":\"2026-04-09T12:00:00Z\"}",
            b"{\"type\":\"terminal.credited\",\"event_id\":\"e\",\"occurred_at\":\"yesterday\",\"payment_id\":\"p\"}",
        ];
        let mut value = self.rng.pick(&values).to_vec();
        if self.rng.chance(30) {
            // Whatever is wrong with a record, its payer is told to nobody.
            let payer = format!(",\"payer_hash\":\"{PAYER}{:x}\"}}", self.rng.bits());
            let cut = b"{\"type\":\"payment.succeeded\",\"event_id\":\"e\",\"occurred_at\":\"now\"";
            value = [cut, payer.as_bytes()].concat();
        }
        let stream = usize::try_from(self.rng.between(0, 2)).expect("from 0 up");
        self.appends.push(Append {
            after_ms: 0,
            stream,
            key: self.id.clone(),
            value,
            junk: true,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::short_rules;

    #[test]
    fn shares_are_parts_of_a_hundred() {
        assert_eq!(SHARES.iter().map(|(_, share)| share).sum::<i64>(), 100);
    }

    #[test]
    fn a_seed_tells_the_same_story() {
        for (kind, _) in SHARES {
            let tell = || Story::tell(kind, &short_rules(), 1_000, &mut Rng::new(7));
            let story = tell();
            assert!(!story.is_empty(), "{kind:?}");
            assert_eq!(story, tell(), "{kind:?}");
        }
    }
}

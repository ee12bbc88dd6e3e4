//! One payment's whole life while it is being planned: faults edit it before it becomes records.

use std::sync::Arc;

use crate::channels::{Channel, Detail, IdStyle};
use crate::civil::date_digits;
use crate::draw::Family;
use crate::event::{Credit, Draft, Payment, Topic, What};
use crate::policy;
use crate::rng::Rng;
use crate::world::World;

/// One future record.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Append time.
    pub(crate) at: i64,
    /// Business time.
    pub(crate) occurred_at: i64,
    /// When what follows a credit follows it, which is its append time unless its feed alone is late.
    pub(crate) posted_at: i64,
    pub(crate) what: What,
}

/// A life in the making.
#[derive(Clone, Debug)]
pub(crate) struct Sketch {
    /// Unique among all lives; event and credit ids begin with it.
    pub(crate) name: String,
    pub(crate) payment: Payment,
    /// Append and business time of the payment.
    pub(crate) paid_at: i64,
    pub(crate) occurred_at: i64,
    /// Whether there is a payment at all: a misrouted credit has none.
    pub(crate) paid: bool,
    pub(crate) credits: Vec<Step>,
    pub(crate) others: Vec<Step>,
    /// Whether it is spared by faults of the surroundings, because its own times are the point.
    pub(crate) sheltered: bool,
    /// How much longer than usual the gateway takes, milliseconds.
    pub(crate) gateway_ms: i64,
    /// How much later than usual the merchant acknowledges, milliseconds.
    pub(crate) ack_ms: i64,
    /// When the account was posted, where the terminal was never credited.
    pub(crate) posted_at: Option<i64>,
}

impl Sketch {
    /// An ordinary life: paid at `at`, on `channel` or any, credited after its channel's lag.
    pub(crate) fn ordinary(
        name: String,
        at: i64,
        channel: Option<&'static Channel>,
        world: &World,
        rng: &mut Rng,
    ) -> Self {
        let payment = draw_payment(at, channel, world, rng);
        let occurred_at = at - rng.between(20, 250);
        let lag = world.draw_lag(payment.channel, rng);
        let mut sketch = Self {
            name,
            payment,
            paid_at: at,
            occurred_at,
            paid: true,
            credits: Vec::new(),
            others: Vec::new(),
            sheltered: false,
            gateway_ms: 0,
            ack_ms: 0,
            posted_at: None,
        };
        let delay = rng.between(20, 250);
        let credit = sketch.whole_credit();
        sketch.credit(
            at + 1 + i64::try_from(lag).unwrap_or(i64::MAX / 4),
            delay,
            credit,
        );
        sketch
    }

    /// The credit that fits, said as the channel says it.
    pub(crate) fn whole_credit(&self) -> Credit {
        let payment = &self.payment;
        let (says_amount, says_place) = match payment.channel.detail {
            Detail::Bare => (false, false),
            Detail::Amount => (true, false),
            Detail::Full => (true, true),
        };
        let fee = payment
            .fee_minor
            .filter(|fee| payment.channel.net && *fee > 0);
        Credit {
            credit_id: format!("c{}-{}", self.name, self.credits.len()),
            channel: payment.channel.name,
            amount_minor: says_amount.then(|| payment.amount_minor - fee.unwrap_or(0)),
            currency: says_amount.then_some(payment.currency),
            fee_minor: fee.filter(|_| says_amount),
            terminal_id: says_place.then(|| payment.terminal_id.clone()),
            merchant_id: says_place.then(|| payment.merchant_id.clone()),
            mcc: None,
            partial: false,
            batch_id: None,
        }
    }

    /// The same, with everything that a credit can say, for the gross amount.
    pub(crate) fn full_credit(&self) -> Credit {
        Credit {
            amount_minor: Some(self.payment.amount_minor),
            currency: Some(self.payment.currency),
            fee_minor: None,
            terminal_id: Some(self.payment.terminal_id.clone()),
            merchant_id: Some(self.payment.merchant_id.clone()),
            ..self.whole_credit()
        }
    }

    /// Adds a credit appended at `at`, `delay_ms` after it happened.
    pub(crate) fn credit(&mut self, at: i64, delay_ms: i64, credit: Credit) {
        let what = What::Credited(credit);
        self.credits.push(Step {
            at,
            occurred_at: at - delay_ms,
            posted_at: at,
            what,
        });
    }

    /// Adds what happened `after_ms` after the payment's append time.
    pub(crate) fn then(&mut self, after_ms: i64, what: What) {
        let at = self.paid_at + after_ms;
        self.others.push(Step {
            at,
            occurred_at: at - 40,
            posted_at: at,
            what,
        });
    }

    /// Adds a refund of `amount_minor`.
    pub(crate) fn refund(&mut self, after_ms: i64, amount_minor: u64, status: &'static str) {
        let refund_id = format!("r{}", self.name);
        self.then(
            after_ms,
            What::Refunded {
                refund_id,
                amount_minor,
                status,
            },
        );
    }

    /// Lets every credit happen `by_ms` later.
    pub(crate) fn delay_credits(&mut self, by_ms: i64) {
        for step in &mut self.credits {
            step.at += by_ms;
            step.occurred_at += by_ms;
            step.posted_at += by_ms;
        }
    }

    /// Milliseconds from the payment's append time to tier `index`, or to the last one.
    pub(crate) fn tier_ms(&self, index: usize) -> i64 {
        let tiers = policy::tiers(&self.payment);
        tiers.get(index).or(tiers.last()).map_or(0, |tier| tier.1)
    }

    /// The records of this life in the order of judgement; event ids are dealt out here. `again` tells which
    /// of the payment and its credits are delivered a second time, and after how long; `shift` moves times.
    pub(crate) fn into_drafts(
        self,
        mut again: impl FnMut() -> Option<i64>,
        shift: impl Fn(&mut Draft),
    ) -> Vec<Draft> {
        let key = self.payment.id.clone();
        let mut drafts = Vec::with_capacity(self.others.len() + self.credits.len() + 1);
        let mut push = |at, occurred_at, topic, what: What, again: Option<i64>| {
            let event_id = format!("e{}-{}", self.name, drafts.len());
            let mut draft = Draft {
                at,
                occurred_at,
                topic,
                key: key.clone(),
                event_id,
                again: false,
                what,
            };
            shift(&mut draft);
            let at = draft.at;
            let copy = again.map(|after| Draft {
                at: at + after,
                again: true,
                ..draft.clone()
            });
            drafts.push(draft);
            drafts.extend(copy);
        };
        if self.paid {
            let what = What::Paid(Arc::new(self.payment));
            push(
                self.paid_at,
                self.occurred_at,
                Topic::Payments,
                what,
                again(),
            );
        }
        for step in self.credits {
            push(
                step.at,
                step.occurred_at,
                Topic::Credits,
                step.what,
                again(),
            );
        }
        for step in self.others {
            push(step.at, step.occurred_at, Topic::Lifecycle, step.what, None);
        }
        drafts.sort_by_key(|draft| (draft.at, draft.topic));
        drafts
    }
}

pub(crate) fn draw_payment(
    at: i64,
    channel: Option<&'static Channel>,
    world: &World,
    rng: &mut Rng,
) -> Payment {
    let drawn = world.draw_channel(rng);
    let channel = channel.unwrap_or(drawn);
    let terminal = world.draw_terminal(rng);
    let place = &world.terminals[terminal];
    let currency = if rng.permille(850) {
        channel.currencies[0]
    } else {
        rng.pick(channel.currencies)
    };
    let amount_minor = draw_amount(rng);
    let fee = (amount_minor * channel.fee_ppm + 500_000) / 1_000_000;
    Payment {
        id: draw_id(channel.ids, at, rng),
        channel,
        terminal,
        terminal_id: place.id.clone(),
        merchant_id: world.merchants[place.merchant].id.clone(),
        amount_minor,
        currency,
        fee_minor: (channel.fee_ppm > 0).then_some(fee),
        order_amount_minor: rng.permille(400).then_some(amount_minor),
        settle_mode: "realtime",
        expected_credit_by: None,
        payer_hash: format!("{:016x}", rng.next()),
        route: rng.pick(channel.routes),
        acquirer: rng.pick(channel.acquirers),
        method: rng.pick(channel.methods),
    }
}

/// Mostly tens of yuan, often whole ones, and very few large sums.
fn draw_amount(rng: &mut Rng) -> u64 {
    let amount = if rng.permille(3) {
        policy::LARGE_MINOR + rng.below(20_000_000)
    } else {
        200 + Family::Heavy.draw(3600, rng).min(policy::LARGE_MINOR - 201)
    };
    if rng.permille(350) {
        (amount / 100).max(2) * 100
    } else {
        amount
    }
}

fn draw_id(style: IdStyle, at: i64, rng: &mut Rng) -> String {
    let date = date_digits(at);
    match style {
        IdStyle::Digits => format!("{date}{:020}", rng.next()),
        IdStyle::Reference => {
            let letters = b"0123456789ABCDEFGHJKLMNPQRSTVWXYZ";
            let tail: String = (0..12).map(|_| char::from(rng.pick(letters))).collect();
            format!("UP{date}-{tail}")
        }
        IdStyle::Uuid => {
            let (high, low) = (rng.next(), rng.next());
            format!(
                "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
                high >> 32,
                high >> 16 & 0xffff,
                high & 0xfff,
                0x8000 | (low >> 48 & 0x3fff),
                low & 0xffff_ffff_ffff
            )
        }
    }
}

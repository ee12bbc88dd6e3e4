//! Settlement in batches.

use std::collections::BTreeMap;

use crate::cases::Setting;
use crate::civil::date;
use crate::event::{Credit, Draft, Topic, What};
use crate::policy;
use crate::rng::Rng;
use crate::sketch::Sketch;

/// How often a channel settles within a day.
const PERIOD_MS: i64 = 120_000;
/// A payment joins the first batch that is at least this far off.
const CLOSING_MS: i64 = 30_000;
/// Credits are due this long after their batch begins; `batch.settled` follows the last credit.
const DUE_MS: i64 = 30_000;
const SETTLED_MS: i64 = 22_000;

/// Makes `sketch` a batch payment: due tomorrow by the calendar, due tomorrow in so many words, or due in
/// one of today's batches, of which every third is missed.
pub(crate) fn settle_later(
    sketch: &mut Sketch,
    setting: &Setting<'_>,
    rng: &mut Rng,
) -> &'static str {
    let credit = sketch.full_credit();
    sketch.credits.clear();
    sketch.payment.settle_mode = "t1";
    match setting.turn % 4 {
        0 => return "due_by_calendar",
        2 => {
            sketch.payment.expected_credit_by = Some(policy::base(&sketch.payment, sketch.paid_at));
            return "due_tomorrow";
        }
        _ => {}
    }
    let batch = Batch::join(sketch, setting);
    if batch.number % 3 == 0 {
        return "batch_missed";
    }
    batch.settle(sketch, credit, rng)
}

/// One of today's batches of a channel.
struct Batch {
    /// Counted from 1.
    number: i64,
    /// When its credits begin.
    begins: i64,
}

impl Batch {
    /// The batch that `sketch` is in time for; it is due with it from now on.
    fn join(sketch: &mut Sketch, setting: &Setting<'_>) -> Self {
        let number = (sketch.paid_at + CLOSING_MS - setting.start) / PERIOD_MS + 1;
        let begins = setting.start + number * PERIOD_MS;
        sketch.payment.settle_mode = "d0";
        sketch.payment.expected_credit_by = Some(begins + DUE_MS);
        Self { number, begins }
    }

    /// Credits `sketch` with the others of the batch.
    fn settle(&self, sketch: &mut Sketch, credit: Credit, rng: &mut Rng) -> &'static str {
        let name = sketch.payment.channel.name;
        let batch_id = Some(format!("{name}-{:04}", self.number));
        sketch.credit(
            self.begins + rng.between(1000, 20_000),
            60,
            Credit { batch_id, ..credit },
        );
        "batch_settled"
    }
}

/// Makes `sketch` a payment of tomorrow's batch.
pub(crate) fn settle_tomorrow(sketch: &mut Sketch) -> &'static str {
    sketch.credits.clear();
    sketch.payment.settle_mode = "t1";
    "due_by_calendar"
}

/// Makes `sketch` a payment of one of today's batches. Of those that begin while the fault is on, one payment in ten
/// is credited, or none (variant 1).
pub(crate) fn settle_in_batches(
    sketch: &mut Sketch,
    setting: &Setting<'_>,
    rng: &mut Rng,
) -> &'static str {
    let fault = setting.fault;
    let credit = sketch.full_credit();
    sketch.credits.clear();
    let batch = Batch::join(sketch, setting);
    let left_out = fault.variant == 1 || !rng.permille(100);
    if fault.covers(batch.begins) && left_out {
        return "batch_missed";
    }
    batch.settle(sketch, credit, rng)
}

/// When the credits of the first batch that begins at `from` or later are due.
pub(crate) const fn first_due(start: i64, from: i64) -> i64 {
    let number = (from - start + PERIOD_MS - 1) / PERIOD_MS;
    start + number * PERIOD_MS + DUE_MS
}

/// Batches that have begun to fill.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batches {
    /// By the time of their `batch.settled`, channel and id: credits and their sum in minor units.
    open: BTreeMap<(i64, &'static str, String), (u64, u64)>,
}

impl Batches {
    /// Adds the batch credits of `sketch`.
    pub(crate) fn add(&mut self, sketch: &Sketch, start: i64) {
        for step in &sketch.credits {
            let What::Credited(Credit {
                batch_id: Some(id),
                amount_minor,
                ..
            }) = &step.what
            else {
                continue;
            };
            let number = id
                .rsplit('-')
                .next()
                .and_then(|number| number.parse::<i64>().ok())
                .unwrap_or(0);
            let at = start + number * PERIOD_MS + SETTLED_MS;
            let batch = self
                .open
                .entry((at, sketch.payment.channel.name, id.clone()))
                .or_default();
            batch.0 += 1;
            batch.1 += amount_minor.unwrap_or(0);
        }
    }

    /// The `batch.settled` records that are due at `at` or before.
    pub(crate) fn settled(&mut self, at: i64) -> Vec<Draft> {
        let mut drafts = Vec::new();
        while let Some(first) = self.open.first_entry().filter(|first| first.key().0 <= at) {
            let ((at, channel, batch_id), (count, total_minor)) = first.remove_entry();
            drafts.push(Draft {
                at,
                occurred_at: at - 100,
                topic: Topic::Terminals,
                key: channel.to_owned(),
                event_id: format!("b-{batch_id}"),
                again: false,
                what: What::BatchSettled {
                    channel,
                    batch_id,
                    settle_date: date(at),
                    count,
                    total_minor,
                },
            });
        }
        drafts
    }
}

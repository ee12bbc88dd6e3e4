//! What must come out of the records: alerts, sums and faults.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::civil::{Zone, rfc3339};
use crate::event::Topic;
use crate::judgement::{Judgement, Outcome};
use crate::plan::Plan;
use crate::told::Told;

/// One expected alert. Times are milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The payment, or the id that a credit without payment names.
    pub payment_id: String,
    /// `credit_missing`, `orphan_credit`, ….
    pub kind: &'static str,
    /// When it opens.
    pub opens_at: i64,
    /// When it passes each tier (`credit_missing` alone has several).
    pub tiers: Vec<(&'static str, i64)>,
    /// How and when it is resolved.
    pub resolved: Option<(&'static str, i64)>,
    /// The verdicts that it takes one after the other, and when; an empty one is none any more.
    pub verdicts: Vec<(i64, &'static str)>,
    /// The other payment of a duplicate or a corrupted id, and since when it is named.
    pub related: Option<(i64, String)>,
    /// Minor units that it is about.
    pub amount_minor: Option<u64>,
    /// Their currency.
    pub currency: Option<&'static str>,
}

impl Expected {
    /// The verdict of its last revision by `at`.
    fn verdict_at(&self, at: i64) -> Option<&'static str> {
        let known = self.verdicts.iter().rfind(|(since, _)| *since <= at);
        known
            .map(|(_, verdict)| *verdict)
            .filter(|verdict| !verdict.is_empty())
    }

    /// This alert as it stands at `at`; `None` before it opens.
    fn cut(&self, at: i64) -> Option<Value> {
        if self.opens_at > at {
            return None;
        }
        let time = |at: i64| rfc3339(at, Zone::Utc);
        let passed = self.tiers.iter().filter(|(_, passes)| *passes <= at);
        let tiers: Map<_, _> = passed
            .map(|(name, passes)| ((*name).to_owned(), time(*passes).into()))
            .collect();
        let resolved = self.resolved.filter(|(_, when)| *when <= at);
        let verdicts = self.verdict_at(at).map(|verdict| [verdict]);
        let related = self.related.as_ref().filter(|(since, _)| *since <= at);
        Some(json!({
            "payment_id": self.payment_id,
            "kind": self.kind,
            "opens_at": time(self.opens_at),
            "tiers": tiers,
            "resolution": resolved.map(|(how, _)| how),
            "resolves_at": resolved.map(|(_, when)| time(when)),
            "verdicts": verdicts,
            "related_payment_id": related.map(|(_, id)| id),
            "amount_minor": self.amount_minor,
            "currency": self.currency,
        }))
    }
}

/// How many payments ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// All of them.
    pub total: u128,
    /// Credited, late ones too.
    pub credited: u128,
    /// Refunded in full, reversed or declined.
    pub explained: u128,
    /// Waiting or written off.
    pub rest: u128,
}

impl Sums {
    const fn add(&mut self, outcome: Outcome, by: u128) {
        self.total += by;
        match outcome {
            Outcome::Credited => self.credited += by,
            Outcome::Explained => self.explained += by,
            Outcome::Rest => self.rest += by,
        }
    }

    fn json(self, write: impl Fn(u128) -> Value) -> Value {
        json!({
            "total": write(self.total),
            "credited": write(self.credited),
            "explained": write(self.explained),
            "rest": write(self.rest),
        })
    }
}

/// A payment that a fault touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injected {
    /// The payment.
    pub payment_id: String,
    /// The scenario that touched it.
    pub scenario: &'static str,
    /// What it did.
    pub detail: &'static str,
}

/// What must come out.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    /// Every alert of the payments so far, also of times yet to come.
    pub alerts: Vec<Expected>,
    /// The payments that faults touched.
    pub injected: Vec<Injected>,
    /// Payments by outcome.
    pub payments: Sums,
    /// Their amounts in minor units, by currency.
    pub amount_minor: BTreeMap<&'static str, Sums>,
    /// Records by topic, and how many of them are second deliveries.
    pub records: BTreeMap<Topic, (u64, u64)>,
    /// Append time of the first and the last record, milliseconds since the epoch.
    pub span_ms: Option<(i64, i64)>,
    /// Payments and records that each fault of the plan touched.
    pub touched: Vec<u64>,
}

impl Truth {
    pub(crate) fn new(faults: usize) -> Self {
        Self {
            touched: vec![0; faults],
            ..Self::default()
        }
    }

    /// Takes in what was found about one id.
    pub(crate) fn take(&mut self, judgement: Judgement) {
        if let Some((outcome, amount, currency)) = judgement.outcome {
            self.payments.add(outcome, 1);
            self.amount_minor
                .entry(currency)
                .or_default()
                .add(outcome, u128::from(amount));
        }
        self.alerts.extend(judgement.alerts);
    }

    /// Alerts of `kind` that are open by the end of the records.
    pub fn count(&self, kind: &str) -> usize {
        let end = self.span_ms.map_or(i64::MIN, |(_, last)| last);
        self.alerts
            .iter()
            .filter(|alert| alert.kind == kind && alert.opens_at <= end)
            .count()
    }

    /// The content of `truth.json`: the state at the last record's append time.
    pub fn json(&self, plan: &Plan) -> Value {
        let (from, to) = self.span_ms.unwrap_or((plan.start, plan.start));
        let mut alerts: Vec<&Expected> = self.alerts.iter().collect();
        alerts.sort_by(|a, b| {
            (a.opens_at, &a.payment_id, a.kind).cmp(&(b.opens_at, &b.payment_id, b.kind))
        });
        let money = self.amount_minor.iter();
        let money: Map<_, _> = money
            .map(|(currency, sums)| {
                (
                    (*currency).to_owned(),
                    sums.json(|sum| sum.to_string().into()),
                )
            })
            .collect();
        let records = self.records.iter().map(|(topic, (written, again))| {
            (
                topic.name().to_owned(),
                json!({"written": written, "again": again}),
            )
        });
        let faults = plan.told(&self.touched);
        let injected = self.injected.iter().map(|one| {
            json!({"payment_id": one.payment_id, "scenario": one.scenario, "detail": one.detail})
        });
        json!({
            "schema": "settlewatch.truth/1",
            "about": ABOUT,
            "seed": plan.seed,
            "from": rfc3339(from, Zone::Utc),
            "to": rfc3339(to, Zone::Utc),
            "faults": faults.iter().map(Told::json).collect::<Vec<_>>(),
            "injected": injected.collect::<Vec<_>>(),
            "alerts": alerts.iter().filter_map(|alert| alert.cut(to)).collect::<Vec<_>>(),
            "sums": self.payments.json(|sum| u64::try_from(sum).unwrap_or(u64::MAX).into()),
            "amount_minor": money,
            "records": records.collect::<Map<_, _>>(),
        })
    }
}

const ABOUT: &str = "What replay must say of the records beside this file with settlewatch.yaml, its clock stopped at \
`to`: one entry an alert, and no other alert. `tiers` are those passed by then; resolution and resolves_at are null \
where the alert is open; verdicts has that of its last revision, null where it has none. \
rest = pending + written off; `again` counts second deliveries of the same record. Of a fault, `verdict` is its \
cause's, `also` has others that are right; `incident` is true where an incident must say it, false where nobody may be \
paged, null where nothing is claimed.";

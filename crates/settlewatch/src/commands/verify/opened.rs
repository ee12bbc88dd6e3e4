//! Alerts that records raise by what they say: two credits, a mismatch, an orphan, a twin, a hold.

use serde_json::Value;
use settlewatch_config::Config;
use settlewatch_wire::parse_time;

use super::{Judgement, Seen};

/// What a decision is derived from.
pub(super) struct Evidence<'a> {
    /// Records of the payment.
    pub(super) records: &'a [Seen],
    /// Records of the earlier of two twins.
    pub(super) twin: &'a [Seen],
    /// The logical moment of the decision.
    pub(super) decided_at: i64,
    pub(super) config: &'a Config,
}

impl Evidence<'_> {
    /// Records of a type that were appended by the decision, in the order in which they lie.
    fn by_then<'b>(&'b self, kind: &'b str) -> impl Iterator<Item = &'b Seen> {
        let records = self.records.iter();
        records.filter(move |seen| seen.kind == kind && seen.at_ms <= self.decided_at)
    }

    fn paid(&self) -> Option<&Seen> {
        self.by_then("payment.succeeded").next()
    }

    /// A credit that was appended at the very moment, or that the payment met when it came at that moment.
    fn credits(&self) -> impl Iterator<Item = &Seen> {
        let paid_now = self
            .paid()
            .is_some_and(|paid| paid.at_ms == self.decided_at);
        self.by_then("terminal.credited")
            .filter(move |credit| credit.at_ms == self.decided_at || paid_now)
    }

    /// A credit at the moment that differs from the payment in a field that both name.
    fn differing(&self, fields: &[&str]) -> Option<(&Seen, String)> {
        let paid = self.paid()?;
        self.credits().find_map(|credit| {
            let differs = |field: &&&str| {
                let (ours, theirs) = (&paid.value[**field], &credit.value[**field]);
                !theirs.is_null() && theirs != ours
            };
            let field = fields.iter().find(differs)?;
            let (ours, theirs) = (&paid.value[*field], &credit.value[*field]);
            Some((credit, format!("{field}: paid {ours}, credited {theirs}")))
        })
    }

    /// The sum that whole and partial credits give by then, where each says its amount.
    fn credited_minor(&self) -> u128 {
        let mut ids = Vec::new();
        let mut sum = 0;
        for credit in self.by_then("terminal.credited") {
            let id = identity(credit);
            if !ids.contains(&id) {
                ids.push(id);
                sum += u128::from(credit.value["amount_minor"].as_u64().unwrap_or(0));
            }
        }
        sum
    }
}

/// What tells a credit from a redelivery of itself.
fn identity(credit: &Seen) -> &Value {
    match &credit.value["credit_id"] {
        Value::Null => &credit.value["event_id"],
        id => id,
    }
}

fn time(value: &Value) -> Option<i64> {
    parse_time(value.as_str()?).map(|at| at.millis())
}

impl Judgement {
    /// An alert of any kind but `credit_missing` was raised, or raised anew.
    pub(super) fn opened(&mut self, kind: &str, evidence: &Evidence<'_>) {
        let cause = match kind {
            "orphan_credit" => orphan(evidence),
            "duplicate_credit" => second_credit(evidence),
            "currency_mismatch" => differs(evidence, &["currency"]),
            "terminal_mismatch" => differs(evidence, &["terminal_id", "merchant_id"]),
            "amount_mismatch" => amount(evidence),
            "credit_after_reversal" => after_reversal(evidence),
            "hold_overdue" => overdue_hold(evidence),
            "duplicate_payment" => twin(evidence),
            _ => Err(format!("{kind} is no kind that this version knows")),
        };
        match cause {
            Ok(fact) => self.facts.push(fact),
            Err(problem) => self.problems.push(problem),
        }
    }
}

/// What a kind follows from, or why it does not.
type Cause = Result<String, String>;

fn orphan(evidence: &Evidence<'_>) -> Cause {
    let grace_ms = evidence.config.settings.orphan_after.millis();
    if let Some(paid) = evidence.paid() {
        return Err(format!(
            "{} was appended by then: it is no orphan",
            paid.place
        ));
    }
    let due =
        |credit: &&Seen| credit.at_ms.saturating_add_unsigned(grace_ms) <= evidence.decided_at;
    let credit = evidence.by_then("terminal.credited").find(due);
    credit
        .map(|credit| format!("{} stood without a payment for {grace_ms} ms", credit.place))
        .ok_or_else(|| format!("no credit was appended {grace_ms} ms before"))
}

fn second_credit(evidence: &Evidence<'_>) -> Cause {
    let mut ids: Vec<&Value> = Vec::new();
    for credit in evidence.by_then("terminal.credited") {
        if !ids.contains(&identity(credit)) {
            ids.push(identity(credit));
        }
    }
    if ids.len() < 2 {
        return Err("there are no two credits of different ids".into());
    }
    let last = evidence.credits().last();
    last.map(|last| format!("{} credits by then, the last {}", ids.len(), last.place))
        .ok_or_else(|| "no credit was appended at that moment".into())
}

fn differs(evidence: &Evidence<'_>, fields: &[&str]) -> Cause {
    let found = evidence.differing(fields);
    found
        .map(|(credit, what)| format!("{}: {what}", credit.place))
        .ok_or_else(|| {
            format!(
                "no credit at that moment differs in {}",
                fields.join(" or ")
            )
        })
}

fn amount(evidence: &Evidence<'_>) -> Cause {
    let Some(paid) = evidence.paid() else {
        return Err("no payment was appended by then".into());
    };
    let (amount, order) = (
        &paid.value["amount_minor"],
        &paid.value["order_amount_minor"],
    );
    if paid.at_ms == evidence.decided_at && !order.is_null() && order != amount {
        return Ok(format!(
            "{}: the order asks for {order}, paid {amount}",
            paid.place
        ));
    }
    if let Some((credit, what)) = evidence.differing(&["amount_minor"]) {
        return Ok(format!("{}: {what}", credit.place));
    }
    let due = u128::from(amount.as_u64().unwrap_or(0));
    let credited = evidence.credited_minor();
    if credited > due {
        return Ok(format!("parts add up to {credited}, paid {amount}"));
    }
    let refund = evidence
        .by_then("payment.refunded")
        .find(|refund| refund.value["status"].as_str() != Some("failed"));
    refund
        .map(|refund| format!("the payment is due less {} refunds", refund.place))
        .ok_or_else(|| "every credit at that moment has the amount of the payment".into())
}

fn after_reversal(evidence: &Evidence<'_>) -> Cause {
    let Some(credit) = evidence.credits().last() else {
        return Err("no credit was appended at that moment".into());
    };
    let ends = ["payment.reversed", "payment.declined", "payment.refunded"];
    let mut ended = ends.iter().flat_map(|kind| evidence.by_then(kind));
    ended
        .next()
        .map(|end| format!("{} came after {} ({})", credit.place, end.place, end.kind))
        .ok_or_else(|| "the payment was not reversed, declined or refunded by then".into())
}

fn overdue_hold(evidence: &Evidence<'_>) -> Cause {
    let limit_ms = evidence.config.settings.hold_limit.millis();
    let holds = evidence.by_then("payment.held");
    let due = holds.map(|hold| {
        let named = time(&hold.value["expected_release_at"]);
        let until = named.unwrap_or(hold.at_ms.saturating_add_unsigned(limit_ms));
        // A release time that had passed already takes effect when the hold comes.
        (hold, until.max(hold.at_ms))
    });
    let Some((hold, until)) = due
        .filter(|&(_, until)| until <= evidence.decided_at)
        .last()
    else {
        return Err("no hold was due for release by then".into());
    };
    let mut releases = evidence.by_then("payment.released");
    match releases.find(|release| release.at_ms >= hold.at_ms && release.at_ms <= until) {
        Some(release) => Err(format!("{} released it in time", release.place)),
        None => Ok(format!(
            "{} should have been released by {until}",
            hold.place
        )),
    }
}

fn twin(evidence: &Evidence<'_>) -> Cause {
    let window_ms = evidence.config.settings.duplicate_window.millis();
    let later = evidence.paid();
    let earlier = evidence
        .twin
        .iter()
        .find(|seen| seen.kind == "payment.succeeded");
    let (Some(later), Some(earlier)) = (later, earlier) else {
        return Err("the two payments are not both there".into());
    };
    let fields = [
        "merchant_id",
        "terminal_id",
        "amount_minor",
        "currency",
        "payer_hash",
    ];
    if let Some(field) = fields
        .iter()
        .find(|field| later.value[**field] != earlier.value[**field])
    {
        return Err(format!(
            "{} and {} differ in {field}",
            later.place, earlier.place
        ));
    }
    let apart_ms = later.at_ms.saturating_sub(earlier.at_ms);
    if apart_ms < 0 || apart_ms.unsigned_abs() > window_ms {
        return Err(format!(
            "the two are {apart_ms} ms apart, the window is {window_ms} ms"
        ));
    }
    // The payer itself is nobody's business here.
    Ok(format!(
        "{} is the same {apart_ms} ms after {}",
        later.place, earlier.place
    ))
}

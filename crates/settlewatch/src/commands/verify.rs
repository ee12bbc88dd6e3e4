//! `verify`: derives an alert again from Kafka alone.
//!
//! On purpose it shares nothing with the decision: it knows records as JSON, the proof in the alert's headers, and the
//! few sentences that make a deadline pass.

use std::io::{Write, stdout};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;
use settlewatch_config::{Config, Purpose};
use settlewatch_kafka::{CheckOptions, Checked, Found, check, history, revisions};
use settlewatch_wire::parse_time;

use super::config;
use crate::cli::VerifyArgs;
use crate::clock;
use crate::exit::{Failed, NotReady};

const WAIT: Duration = Duration::from_secs(15);

pub(crate) fn run(args: &VerifyArgs) -> anyhow::Result<()> {
    let config = config::loaded(&args.config, Purpose::Run)?;
    let run = config.run.as_ref();
    let run = run.expect("a configuration that was read to run has all of it");
    let options = CheckOptions {
        wait: WAIT,
        transactions: false,
    };
    let checked = check(run, &config.streams, options).map_err(NotReady)?;
    let since = clock::now() - args.since;
    let alerts = revisions(run, &checked, &args.alert_id, since, WAIT)
        .map_err(|error| NotReady(vec![error.into()]))?;
    let mut judged = 0;
    let mut wrong = 0;
    for alert in alerts
        .found
        .iter()
        .filter(|found| is_of(found, &args.alert_id))
    {
        let judgement = judge(alert, &config, &checked, args)?;
        writeln!(stdout(), "{judgement}")?;
        judged += 1;
        wrong += usize::from(!judgement.problems.is_empty());
    }
    match (judged, wrong) {
        (0, _) => {
            let id = &args.alert_id;
            Err(Failed(format!(
                "no revision of alert {id} within the time that was looked at"
            ))
            .into())
        }
        (_, 0) => Ok(()),
        (_, wrong) => Err(Failed(format!(
            "{wrong} of {judged} revisions do not follow from the records"
        ))
        .into()),
    }
}

fn is_of(found: &Found, alert_id: &str) -> bool {
    let line: Option<Value> = found
        .value
        .as_deref()
        .and_then(|value| serde_json::from_slice(value).ok());
    line.is_some_and(|line| line["alert_id"] == alert_id)
}

/// What became of one revision.
struct Judgement {
    title: String,
    /// What was found to be so.
    facts: Vec<String>,
    /// What does not follow.
    problems: Vec<String>,
}

impl std::fmt::Display for Judgement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.title)?;
        for fact in &self.facts {
            writeln!(f, "  ok     {fact}")?;
        }
        for problem in &self.problems {
            writeln!(f, "  WRONG  {problem}")?;
        }
        Ok(())
    }
}

/// A record of the payment, as far as it matters.
struct Seen {
    kind: String,
    at_ms: i64,
    place: String,
    topic: String,
    partition: i32,
    offset: i64,
    value: Value,
}

fn seen(found: &Found) -> Option<Seen> {
    let value: Value = serde_json::from_slice(found.value.as_deref()?).ok()?;
    Some(Seen {
        kind: value["type"].as_str()?.to_owned(),
        at_ms: found.ts,
        place: format!("{}[{}]@{}", found.topic, found.partition, found.offset),
        topic: found.topic.clone(),
        partition: found.partition,
        offset: found.offset,
        value,
    })
}

fn judge(
    alert: &Found,
    config: &Config,
    checked: &Checked,
    args: &VerifyArgs,
) -> anyhow::Result<Judgement> {
    let line: Value = serde_json::from_slice(alert.value.as_deref().unwrap_or_default())
        .context("the alert is no JSON")?;
    let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
    let payment_id = text("payment_id");
    let key = match line["tenant"].as_str() {
        Some(tenant) => format!("{tenant}/{payment_id}"),
        None => payment_id.clone(),
    };
    let run = config.run.as_ref().expect("it was read to run");
    let since = clock::now() - args.since;
    let records = history(&run.kafka, checked, key.as_bytes(), since, WAIT)
        .map_err(|error| NotReady(vec![error.into()]))?;
    let records: Vec<Seen> = records.found.iter().filter_map(seen).collect();
    let mut judgement = Judgement {
        title: format!(
            "{} revision {} of {payment_id}: {} {}, decided at {}",
            text("kind"),
            line["revision"],
            text("state"),
            text("tier"),
            text("decided_at")
        ),
        facts: Vec::new(),
        problems: Vec::new(),
    };
    let decided_at = parse_time(&text("decided_at")).map_or(0, |at| at.millis());
    judgement.proof(alert, &records, decided_at);
    match (text("kind").as_str(), text("state").as_str()) {
        ("credit_missing", "open") => judgement.missing(&line, &records, config),
        (_, "resolved") => judgement.resolved(&text("resolution"), &records, decided_at),
        _ => judgement.has_cause(&records, decided_at),
    }
    Ok(judgement)
}

impl Judgement {
    fn check(&mut self, holds: bool, what: impl Into<String>) {
        if holds {
            self.facts.push(what.into());
        } else {
            self.problems.push(what.into());
        }
    }

    /// The reading that the alert's header speaks of went far enough, and nothing of that time stands beyond it.
    fn proof(&mut self, alert: &Found, records: &[Seen], decided_at: i64) {
        let header = alert
            .headers
            .iter()
            .find(|(name, _)| name == "settlewatch-proof");
        let proof: Option<Value> = header.and_then(|(_, value)| serde_json::from_slice(value).ok());
        let Some(proof) = proof else {
            self.problems.push("the alert carries no proof".into());
            return;
        };
        let known = proof["known"].as_i64().unwrap_or(i64::MIN);
        self.check(
            known > decided_at,
            format!(
                "everything was known up to {known}, {} ms after the decision",
                known - decided_at
            ),
        );
        for input in proof["inputs"].as_array().into_iter().flatten() {
            let (topic, partition) = (
                input["topic"].as_str().unwrap_or_default(),
                &input["partition"],
            );
            let (to, end, at) = (&input["read_to"], &input["end"], &input["at"]);
            self.check(
                to.as_i64() >= end.as_i64() && at.as_i64() >= Some(known),
                format!("{topic}[{partition}] was read to {to}; at {at} it ended at {end}"),
            );
            for late in records.iter().filter(|seen| {
                seen.topic == topic
                    && Some(i64::from(seen.partition)) == partition.as_i64()
                    && Some(seen.offset) >= to.as_i64()
                    && seen.at_ms <= decided_at
            }) {
                self.problems.push(format!(
                    "{} ({}) was appended by then, and became readable only later",
                    late.place, late.kind
                ));
            }
        }
    }

    /// The payment is there, its deadline is a rule's, and nothing had closed it or stopped its clock.
    fn missing(&mut self, line: &Value, records: &[Seen], config: &Config) {
        let Some(paid) = records.iter().find(|seen| seen.kind == "payment.succeeded") else {
            self.problems.push("no payment.succeeded is there".into());
            return;
        };
        self.facts
            .push(format!("paid: {} appended at {}", paid.place, paid.at_ms));
        let deadline = line["deadline"]
            .as_str()
            .and_then(parse_time)
            .map_or(0, |at| at.millis());
        let tier = line["tier"].as_str().unwrap_or_default();
        let starts = records
            .iter()
            .filter(|seen| seen.kind == "payment.released");
        let starts: Vec<i64> = starts.map(|seen| seen.at_ms).chain([paid.at_ms]).collect();
        let rule = config.settings.rules.iter().find(|rule| {
            rule.due.is_some()
                || rule.tiers.iter().any(|it| {
                    *it.name == *tier
                        && starts.iter().any(|start| {
                            start.saturating_add_unsigned(it.after.millis()) == deadline
                        })
                })
        });
        self.check(
            rule.is_some(),
            format!(
                "the deadline of {tier}, {deadline}, is {} of rule `{}`",
                if rule.is_some_and(|rule| rule.due.is_some()) {
                    "for the calendar"
                } else {
                    "append time + tier"
                },
                rule.map_or("none", |rule| rule.name.as_str())
            ),
        );
        for closing in records
            .iter()
            .filter(|seen| seen.at_ms <= deadline && closes(seen, paid))
        {
            self.problems.push(format!(
                "{} ({}) was appended at {}, in time",
                closing.place, closing.kind, closing.at_ms
            ));
        }
        if self.problems.is_empty() {
            self.facts
                .push("nothing that closes it was appended by the deadline".into());
        }
    }

    fn resolved(&mut self, resolution: &str, records: &[Seen], decided_at: i64) {
        let kinds: &[&str] = match resolution {
            "credited_late" | "credited_in_time" => &["terminal.credited"],
            "refunded" => &["payment.refunded"],
            "reversed" => &["payment.reversed"],
            "declined" => &["payment.declined"],
            "completed" => &["payment.succeeded", "payment.released"],
            _ => {
                return self
                    .facts
                    .push(format!("{resolution}: no record says that"));
            }
        };
        let at = |seen: &&Seen| {
            kinds.contains(&seen.kind.as_str())
                && (seen.at_ms == decided_at || resolution == "credited_in_time")
        };
        match records.iter().find(at) {
            Some(cause) => self
                .facts
                .push(format!("{resolution} by {} ({})", cause.place, cause.kind)),
            None => self.problems.push(format!(
                "no {} was appended at {decided_at}",
                kinds.join(" or ")
            )),
        }
    }

    /// Some record of the payment stands at the moment of the decision, or before it where a grace ended.
    fn has_cause(&mut self, records: &[Seen], decided_at: i64) {
        match records.iter().rfind(|seen| seen.at_ms <= decided_at) {
            Some(cause) => self.facts.push(format!(
                "the last record by then: {} ({})",
                cause.place, cause.kind
            )),
            None => self
                .problems
                .push("no record of the payment was appended by then".into()),
        }
    }
}

/// Whether a record closes the payment, or may have: then `explain` tells the whole.
fn closes(seen: &Seen, paid: &Seen) -> bool {
    let succeeded = seen.value["status"]
        .as_str()
        .is_none_or(|status| status == "succeeded");
    let amount = |seen: &Seen| seen.value["amount_minor"].as_u64();
    match seen.kind.as_str() {
        "terminal.credited" => seen.value["partial"].as_bool() != Some(true),
        "payment.refunded" => {
            succeeded && amount(seen).is_none_or(|refunded| Some(refunded) >= amount(paid))
        }
        "payment.reversed" => seen.value["status"].as_str() != Some("failed"),
        "payment.declined" => {
            let time = |seen: &Seen| seen.value["occurred_at"].as_str().and_then(parse_time);
            time(seen) >= time(paid)
        }
        _ => false,
    }
}

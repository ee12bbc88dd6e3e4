//! `verify`: derives an alert again from Kafka alone.
//!
//! On purpose it shares nothing with the decision: it knows records as JSON, the proof in the alert's headers, and the
//! few sentences that make a deadline pass.

mod fields;
mod missing;
mod opened;
mod proof;
mod resolved;

use std::io::{Write, stdout};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;
use settlewatch_config::Config;
use settlewatch_join::Timestamp;
use settlewatch_kafka::{CheckOptions, Checked, Found, check, history, revisions};
use settlewatch_wire::parse_time;

use super::config;
use crate::cli::VerifyArgs;
use crate::clock;
use crate::exit::{Failed, NotReady};
use opened::Evidence;

const WAIT: Duration = Duration::from_secs(15);

pub(crate) fn run(args: &VerifyArgs) -> anyhow::Result<()> {
    let (config, rules) = config::with_rules(&args.config)?;
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
    let judge = Judge {
        config: &config,
        rules: &rules,
        checked: &checked,
        since,
    };
    let mut judged = 0;
    let mut wrong = 0;
    let mut alerts = alerts.found;
    alerts.retain(|found| is_of(found, &args.alert_id));
    for alert in &alerts {
        let judgement = judge.judge(alert)?;
        writeln!(stdout(), "{judgement}")?;
        judged += 1;
        wrong += usize::from(!judgement.problems.is_empty());
    }
    let gaps = gaps(&alerts);
    if !gaps.is_empty() {
        wrong += gaps.len();
        writeln!(
            stdout(),
            "  WRONG  revisions {gaps:?} are missing or there twice"
        )?;
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

/// The rules that an alert's proof names.
fn decided_by(alert: &Found) -> Option<String> {
    proof::proof_of(alert)?["rules"].as_str().map(str::to_owned)
}

/// The key under which records of a payment of the alert's tenant lie.
fn keyed(line: &Value, payment_id: &str) -> String {
    match line["tenant"].as_str() {
        Some(tenant) => format!("{tenant}/{payment_id}"),
        None => payment_id.to_owned(),
    }
}

/// Numbers of revisions that are missing between the first and the last of an alert, or that came twice.
fn gaps(alerts: &[Found]) -> Vec<u64> {
    let mut numbers: Vec<u64> = alerts
        .iter()
        .filter_map(|found| serde_json::from_slice::<Value>(found.value.as_deref()?).ok())
        .filter_map(|line| line["revision"].as_u64())
        .collect();
    numbers.sort_unstable();
    let (Some(&first), Some(&last)) = (numbers.first(), numbers.last()) else {
        return Vec::new();
    };
    let count = |number| numbers.iter().filter(|&&other| other == number).count();
    (first..=last)
        .filter(|&number| count(number) != 1)
        .collect()
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
    /// Whether its timestamp is the broker's.
    stamped: bool,
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
        stamped: found.log_append_time,
        value,
    })
}

/// Everything that revisions are judged by.
struct Judge<'a> {
    config: &'a Config,
    /// What a proof calls the rules of this file.
    rules: &'a str,
    checked: &'a Checked,
    since: Timestamp,
}

impl Judge<'_> {
    /// The records with the key of a payment.
    fn records(&self, line: &Value, payment_id: &str) -> anyhow::Result<Vec<Seen>> {
        let run = self.config.run.as_ref().expect("it was read to run");
        let key = keyed(line, payment_id);
        let records = history(&run.kafka, self.checked, key.as_bytes(), self.since, WAIT)
            .map_err(|error| NotReady(vec![error.into()]))?;
        Ok(records.found.iter().filter_map(seen).collect())
    }

    /// Inputs whose timestamps are their producers': when a record was appended is not in the log.
    fn unstamped(&self) -> Vec<&str> {
        let inputs = self.checked.inputs.iter();
        let unstamped = inputs.filter(|input| !input.log_append_time);
        unstamped.map(|input| input.topic.as_str()).collect()
    }

    fn judge(&self, alert: &Found) -> anyhow::Result<Judgement> {
        let line: Value = serde_json::from_slice(alert.value.as_deref().unwrap_or_default())
            .context("the alert is no JSON")?;
        let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
        let records = self.records(&line, &text("payment_id"))?;
        let decided_at = parse_time(&text("decided_at")).map_or(0, |at| at.millis());
        let mut judgement = Judgement::of(&line);
        judgement.proof(alert, &records, decided_at);
        judgement.fields(&line, &records);
        let unstamped = self.unstamped();
        if unstamped.is_empty() {
            let by = decided_by(alert).unwrap_or_default();
            self.cause(&mut judgement, (&line, &by), &records, decided_at)?;
        } else {
            judgement.facts.push(format!(
                "{} have their producers' timestamps: when a record was appended is not in the log, so what was in time \
                 is not judged",
                unstamped.join(", ")
            ));
        }
        Ok(judgement)
    }

    /// Whether the records say what the alert says, `by` the rules of its proof.
    fn cause(
        &self,
        judgement: &mut Judgement,
        (line, by): (&Value, &str),
        records: &[Seen],
        decided_at: i64,
    ) -> anyhow::Result<()> {
        let text = |field: &str| line[field].as_str().unwrap_or_default();
        let twin = match line["related_payment_id"].as_str() {
            Some(related) if text("kind") == "duplicate_payment" => self.records(line, related)?,
            _ => Vec::new(),
        };
        match (text("kind"), text("state")) {
            ("credit_missing", "open") if by == self.rules => {
                judgement.missing(line, records, self.config);
            }
            ("credit_missing", "open") => {
                judgement.facts.push(format!(
                    "decided by the rules {by}; this file has the rules {}: whether its deadline was right is not judged",
                    self.rules
                ));
                judgement.in_time(line, records);
            }
            (_, "resolved") => {
                let either = records.iter().chain(&twin);
                judgement.resolved(text("resolution"), either, decided_at);
            }
            (kind, _) => judgement.opened(
                kind,
                &Evidence {
                    records,
                    twin: &twin,
                    decided_at,
                    config: self.config,
                },
            ),
        }
        Ok(())
    }
}

impl Judgement {
    /// Of a revision, nothing being said yet.
    fn of(line: &Value) -> Self {
        let text = |field: &str| line[field].as_str().unwrap_or_default();
        Self {
            title: format!(
                "{} revision {} of {}: {} {}, decided at {}",
                text("kind"),
                line["revision"],
                text("payment_id"),
                text("state"),
                text("tier"),
                text("decided_at")
            ),
            facts: Vec::new(),
            problems: Vec::new(),
        }
    }

    fn check(&mut self, holds: bool, what: impl Into<String>) {
        if holds {
            self.facts.push(what.into());
        } else {
            self.problems.push(what.into());
        }
    }
}

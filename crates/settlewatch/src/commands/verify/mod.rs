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
    let mut judged = 0;
    let mut wrong = 0;
    for alert in alerts
        .found
        .iter()
        .filter(|found| is_of(found, &args.alert_id))
    {
        let judgement = judge(alert, &config, &rules, &checked, args)?;
        writeln!(stdout(), "{judgement}")?;
        judged += 1;
        wrong += usize::from(!judgement.problems.is_empty());
    }
    let gaps = gaps(&alerts.found, &args.alert_id);
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
    let mut headers = alert.headers.iter();
    let (_, proof) = headers.find(|(name, _)| name == "settlewatch-proof")?;
    let proof: Value = serde_json::from_slice(proof).ok()?;
    proof["rules"].as_str().map(str::to_owned)
}

/// The key under which records of a payment of the alert's tenant lie.
fn keyed(line: &Value, payment_id: &str) -> String {
    match line["tenant"].as_str() {
        Some(tenant) => format!("{tenant}/{payment_id}"),
        None => payment_id.to_owned(),
    }
}

/// Numbers of revisions that are missing between the first and the last that were found, or that came twice.
fn gaps(found: &[Found], alert_id: &str) -> Vec<u64> {
    let of_it = found.iter().filter(|found| is_of(found, alert_id));
    let mut numbers: Vec<u64> = of_it
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

fn judge(
    alert: &Found,
    config: &Config,
    rules: &str,
    checked: &Checked,
    args: &VerifyArgs,
) -> anyhow::Result<Judgement> {
    let line: Value = serde_json::from_slice(alert.value.as_deref().unwrap_or_default())
        .context("the alert is no JSON")?;
    let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
    let payment_id = text("payment_id");
    let key = keyed(&line, &payment_id);
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
    judgement.fields(&line, &records);
    let unstamped: Vec<&str> = checked
        .inputs
        .iter()
        .filter(|input| !input.log_append_time)
        .map(|input| input.topic.as_str())
        .collect();
    if !unstamped.is_empty() {
        judgement.facts.push(format!(
            "{} have their producers' timestamps: when a record was appended is not in the log, so what was in time is not \
             judged",
            unstamped.join(", ")
        ));
        return Ok(judgement);
    }
    let by = decided_by(alert).unwrap_or_default();
    if by != rules && line["kind"] == "credit_missing" && line["state"] == "open" {
        judgement.facts.push(format!(
            "decided by the rules {by}; this file has the rules {rules}: whether its deadline was right is not judged"
        ));
        judgement.in_time(&line, &records);
        return Ok(judgement);
    }
    let twin = match line["related_payment_id"].as_str() {
        Some(related) if line["kind"] == "duplicate_payment" => {
            let key = keyed(&line, related);
            let found = history(&run.kafka, checked, key.as_bytes(), since, WAIT)
                .map_err(|error| NotReady(vec![error.into()]))?;
            found.found.iter().filter_map(seen).collect()
        }
        _ => Vec::new(),
    };
    match (text("kind").as_str(), text("state").as_str()) {
        ("credit_missing", "open") => judgement.missing(&line, &records, config),
        (_, "resolved") => judgement.resolved(&text("resolution"), &records, decided_at),
        (kind, _) => judgement.opened(
            kind,
            &Evidence {
                records: &records,
                twin: &twin,
                decided_at,
                config,
            },
        ),
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
}

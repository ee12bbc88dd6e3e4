//! The records of one payment, from the brokers into a file that a replay can read.

use std::fmt::Write as _;
use std::io::Write;
use std::time::Duration;

use serde_json::{Value, json};
use settlewatch_config::Config;
use settlewatch_join::Timestamp;
use settlewatch_kafka::{CheckOptions, Found, History, alerts_of, check, history};
use settlewatch_wire::format_time;
use tempfile::NamedTempFile;

use crate::cli::ExplainArgs;
use crate::clock;
use crate::exit::NotReady;
use crate::incidents::{covering_text, of_topic};
use crate::terminal::say;

/// How long the cluster may take for an answer.
const WAIT: Duration = Duration::from_secs(15);

/// What was fetched.
pub(super) struct Fetched {
    /// Lines as `kcat -C -J` prints them; deleted in the end.
    pub(super) file: NamedTempFile,
    /// Where was looked, and what that cannot show.
    pub(super) limits: String,
    /// What the service wrote of the payment.
    pub(super) written: String,
    /// From when on everything with the key was looked at.
    pub(super) since: Timestamp,
    /// Up to when the records tell: now by the clock of this machine, or the last record before an open transaction.
    pub(super) until: Timestamp,
}

/// Fetches the records with the payment's key.
pub(super) fn fetch(
    config: &Config,
    args: &ExplainArgs,
    payment_id: &str,
) -> anyhow::Result<Fetched> {
    let run = config.run.as_ref();
    let run = run.expect("a configuration that was read to run has all of it");
    let options = CheckOptions {
        wait: WAIT,
        transactions: false,
    };
    let checked = check(run, &config.streams, options).map_err(NotReady)?;
    let now = clock::now();
    let key = match &args.tenant {
        Some(tenant) => format!("{tenant}/{payment_id}"),
        None => payment_id.to_owned(),
    };
    let since = now - args.since;
    let history = history(&run.kafka, &checked, key.as_bytes(), since, WAIT)
        .map_err(|error| NotReady(vec![error.into()]))?;
    let written = alerts_of(run, &checked, (key.as_bytes(), payment_id), since, WAIT)
        .map_err(|error| NotReady(vec![error.into()]))?;
    let alerts = alerts_in(&written, args.tenant.as_deref());
    // Whoever may not read incidents still sees everything else.
    let incidents = match of_topic(run) {
        Ok(incidents) => incidents,
        Err(error) => {
            say(format_args!("incidents are not shown: {error:#}"));
            Vec::new()
        }
    };
    let mut file = NamedTempFile::new()?;
    for found in &history.found {
        writeln!(file, "{}", line(found))?;
    }
    file.flush()?;
    Ok(Fetched {
        file,
        limits: limits(&history, since, &key),
        written: revisions(&alerts) + &covering_text(&incidents, &alerts),
        since,
        until: told_until(&history, since).unwrap_or(now),
    })
}

/// Up to when the records tell, where something keeps them from being read to the end.
fn told_until(history: &History, since: Timestamp) -> Option<Timestamp> {
    let stuck = history.stuck.iter();
    stuck
        .map(|(_, _, last)| last.map_or(since, Timestamp::from_millis))
        .min()
}

/// Alerts of the payment, a revision each.
fn alerts_in(history: &History, tenant: Option<&str>) -> Vec<Value> {
    let found = history.found.iter();
    let lines = found.filter_map(|found| serde_json::from_slice(found.value.as_deref()?).ok());
    lines
        .filter(|line: &Value| line["tenant"].as_str() == tenant)
        .collect()
}

/// What the service wrote, a line a revision.
fn revisions(lines: &[Value]) -> String {
    let mut text = String::from("\nin the alerts topic:\n");
    let mut none = true;
    for line in lines {
        none = false;
        let of = |field: &str| line[field].as_str().unwrap_or("-").to_owned();
        let state = line["resolution"]
            .as_str()
            .map_or_else(|| of("tier"), str::to_owned);
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "  {} revision {}: {} {state}, decided at {}",
            of("kind"),
            line["revision"],
            of("state"),
            of("decided_at")
        );
    }
    if none {
        text.push_str("  nothing\n");
    }
    text.push_str(
        "What is written is what the service decided: by the rules of that time, with what it knew. Where the report \
         above says otherwise, the rules were changed since, the service began later, or a transaction holds it.\n",
    );
    text
}

fn line(found: &Found) -> serde_json::Value {
    let value = found.value.as_deref().map(String::from_utf8_lossy);
    json!({
        "topic": found.topic,
        "partition": found.partition,
        "offset": found.offset,
        "tstype": if found.log_append_time { "logappend" } else { "create" },
        "ts": found.ts,
        "payload": value,
    })
}

fn limits(history: &History, since: Timestamp, key: &str) -> String {
    let mut text = format!(
        "\nlooked for the key `{key}` in what is stamped {} or later:\n",
        format_time(since)
    );
    for (topic, partition, first, end) in &history.looked {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "  {topic} partition {partition}, offsets {first} to {end}"
        );
    }
    text.push_str("Records with another key, older ones, and other payments (duplicates, near ids) were not seen.\n");
    for (topic, partition, last) in &history.stuck {
        let last = last.map_or_else(
            || "nothing".to_owned(),
            |last| format_time(Timestamp::from_millis(last)).to_string(),
        );
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{topic} partition {partition} could be read up to {last} only: a transaction is open, or the cluster stopped \
             answering. Deadlines after that are held, here and by the service."
        );
    }
    text
}

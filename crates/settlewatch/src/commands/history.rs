//! The records of one payment, from the brokers into a file that a replay can read.

use std::fmt::Write as _;
use std::io::Write;
use std::time::Duration;

use serde_json::json;
use settlewatch_config::Config;
use settlewatch_join::Timestamp;
use settlewatch_kafka::{CheckOptions, Found, History, check, history};
use settlewatch_wire::format_time;
use tempfile::NamedTempFile;

use crate::cli::ExplainArgs;
use crate::clock;
use crate::exit::NotReady;

/// How long the cluster may take for an answer.
const WAIT: Duration = Duration::from_secs(15);

/// What was fetched.
pub(super) struct Fetched {
    /// Lines as `kcat -C -J` prints them; deleted in the end.
    pub(super) file: NamedTempFile,
    /// Where was looked, and what that cannot show.
    pub(super) limits: String,
    /// The clock of this machine.
    pub(super) now: Timestamp,
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
    let mut file = NamedTempFile::new()?;
    for found in &history.found {
        writeln!(file, "{}", line(found))?;
    }
    file.flush()?;
    let limits = limits(&history, since, &key);
    Ok(Fetched { file, limits, now })
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
    if !history.complete {
        text.push_str("Not everything there could be read: a transaction is open, or the cluster stopped answering.\n");
    }
    text
}

//! A set of alerts from lines: those of `alerts.ndjson`, or of a dump of the alerts topic by `kcat -C -J`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Deserialize;

use crate::exit::Usage;

/// What is compared of one revision.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Revision {
    pub(super) revision: u32,
    pub(super) kind: String,
    pub(super) state: String,
    pub(super) tier: String,
    pub(super) resolution: Option<String>,
    pub(super) verdict: Option<String>,
    pub(super) decided_at: String,
    pub(super) deadline: Option<String>,
    pub(super) amount_minor: Option<u128>,
    pub(super) currency: Option<String>,
    pub(super) channel: Option<String>,
}

/// What identifies an alert: its own id is a function of these.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) tenant: Option<String>,
    pub(super) payment_id: String,
    pub(super) kind: String,
}

/// An alert: all its revisions, the first first.
pub(super) type Alerts = BTreeMap<Key, Vec<Revision>>;

#[derive(Deserialize)]
struct Line {
    tenant: Option<String>,
    payment_id: String,
}

/// Fields of a line that `kcat -C -J` prints.
#[derive(Deserialize)]
struct Envelope {
    #[allow(dead_code)]
    topic: String,
    #[serde(default)]
    payload: Option<String>,
}

/// The alerts of a file, or of the folder that `replay --out` wrote.
pub(super) fn read(path: &Path) -> anyhow::Result<Alerts> {
    let path = file_of(path);
    let shown = path.display();
    let file = File::open(&path).with_context(|| format!("cannot open {shown}"))?;
    let mut alerts = Alerts::new();
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line.with_context(|| format!("cannot read {shown}"))?;
        if line.trim().is_empty() {
            continue;
        }
        take(&line, &mut alerts).with_context(|| format!("{shown}:{}", number + 1))?;
    }
    for revisions in alerts.values_mut() {
        revisions.sort_by_key(|revision| revision.revision);
    }
    Ok(alerts)
}

fn file_of(path: &Path) -> PathBuf {
    if path.is_dir() {
        path.join("alerts.ndjson")
    } else {
        path.to_path_buf()
    }
}

fn take(line: &str, alerts: &mut Alerts) -> anyhow::Result<()> {
    let payload = match serde_json::from_str::<Envelope>(line) {
        // A record without a value is what compaction leaves behind.
        Ok(Envelope { payload: None, .. }) => return Ok(()),
        Ok(Envelope {
            payload: Some(payload),
            ..
        }) => payload,
        Err(_) => line.to_owned(),
    };
    let (line, revision) = parse(&payload).map_err(|error| {
        Usage(format!(
            "not an alert ({error}): lines of alerts.ndjson are read, and what `kcat -C -J` prints of the alerts topic"
        ))
    })?;
    let key = Key {
        tenant: line.tenant,
        payment_id: line.payment_id,
        kind: revision.kind.clone(),
    };
    let revisions = alerts.entry(key).or_default();
    let number = revision.revision;
    match revisions.iter().find(|known| known.revision == number) {
        Some(known) if *known == revision => {}
        Some(_) => bail!("revision {number} of an alert comes twice, and the two differ"),
        None => revisions.push(revision),
    }
    Ok(())
}

/// Read twice: an amount may have more digits than a flattened field could take.
fn parse(payload: &str) -> serde_json::Result<(Line, Revision)> {
    Ok((
        serde_json::from_str(payload)?,
        serde_json::from_str(payload)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALERT: &str = r#"{"schema":"settlewatch.alert/1","alert_id":"00","revision":1,"payment_id":"P1","kind":"credit_missing","state":"open","tier":"warn","channel":"wechat","merchant_id":"M","terminal_id":"T","amount_minor":100,"currency":"CNY","paid_at":null,"deadline":"2026-03-10T02:00:30Z","decided_at":"2026-03-10T02:00:30Z","resolution":null,"lag_ms":null,"verdict":null,"related_payment_id":null,"dimensions":{}}"#;

    #[test]
    fn lines_of_a_replay_and_of_kcat_are_the_same_alerts() {
        let mut plain = Alerts::new();
        take(ALERT, &mut plain).expect("an alert");
        let dumped =
            serde_json::json!({"topic": "alerts", "partition": 0, "offset": 7, "payload": ALERT});
        let mut kcat = Alerts::new();
        take(&dumped.to_string(), &mut kcat).expect("an envelope");
        assert_eq!(plain, kcat);
        take(ALERT, &mut plain).expect("the same again says nothing new");
        assert_eq!(plain, kcat);
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let mut alerts = Alerts::new();
        take(ALERT, &mut alerts).expect("an alert");
        let other = ALERT.replace("warn", "breach");
        assert!(take(&other, &mut alerts).is_err());
        assert!(take("{}", &mut alerts).is_err());
    }
}

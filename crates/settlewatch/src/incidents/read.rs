//! Where incidents and alerts are read from: the brokers, or the folder of a replay.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;
use settlewatch_config::{Config, Purpose, Run};
use settlewatch_join::Timestamp;
use settlewatch_kafka::{CheckOptions, Checked, check, written};

use super::list::is_of;
use super::told::{Incidents, Told, gathered};
use crate::cli::IncidentsSource;
use crate::commands::config;
use crate::exit::{Failed, NotReady, Usage};

/// The file of incidents in the folder of a replay.
const INCIDENTS: &str = "incidents.ndjson";

const WAIT: Duration = Duration::from_secs(15);

/// Where they are.
pub(super) enum Source {
    /// In topics, which this file names.
    Topics(PathBuf, Box<Config>),
    /// In a folder that `replay --out` wrote.
    Folder(PathBuf),
}

impl Source {
    pub(super) fn of(args: &IncidentsSource) -> anyhow::Result<Self> {
        match (&args.config, &args.replayed) {
            (Some(file), None) => {
                let config = config::loaded(file, Purpose::Run)?;
                Ok(Self::Topics(file.clone(), Box::new(config)))
            }
            (None, Some(folder)) => {
                is_folder(folder)?;
                Ok(Self::Folder(folder.clone()))
            }
            _ => Err(Usage(
                "where are they? --config FILE for those of a service, or --replayed DIR for those of a replay".into(),
            )
            .into()),
        }
    }

    /// The option that names it.
    pub(super) fn option(&self) -> String {
        match self {
            Self::Topics(file, _) => format!("--config {}", file.display()),
            Self::Folder(folder) => format!("--replayed {}", folder.display()),
        }
    }

    /// Where incidents lie.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Topics(_, config) => format!("topic {}", run_of(config).output.incidents),
            Self::Folder(folder) => folder.join(INCIDENTS).display().to_string(),
        }
    }

    /// All incidents that are there.
    pub(super) fn incidents(&self) -> anyhow::Result<Incidents> {
        let all = match self {
            Self::Topics(_, config) => {
                checked(config)?;
                of_topic(run_of(config))?
            }
            Self::Folder(folder) => {
                let path = folder.join(INCIDENTS);
                let mut all = Vec::new();
                each_line(&path, |line| {
                    let told = Told::parse(line.as_bytes());
                    all.push(told.ok_or("no revision of an incident")?);
                    Ok(())
                })?;
                all
            }
        };
        Ok(gathered(all))
    }

    /// The alerts of a payment, each as its last revision.
    pub(super) fn alerts_of(
        &self,
        payment_id: &str,
        tenant: Option<&str>,
    ) -> anyhow::Result<Vec<Value>> {
        self.alerts(None, &|alert| is_of(alert, payment_id, tenant))
    }

    /// Alerts that are wanted, each as its last revision, in the order of their payments; of a topic those that were
    /// written `since` then.
    pub(super) fn alerts(
        &self,
        since: Option<Timestamp>,
        wanted: &dyn Fn(&Value) -> bool,
    ) -> anyhow::Result<Vec<Value>> {
        let mut last = std::collections::BTreeMap::<String, Value>::new();
        let mut take = |payload: &[u8]| {
            let alert: Value = serde_json::from_slice(payload).map_err(|_| "no alert")?;
            let id = alert["alert_id"].as_str().ok_or("no alert")?.to_owned();
            let revision = |alert: &Value| alert["revision"].as_u64();
            let known = last
                .get(&id)
                .is_some_and(|it| revision(it) >= revision(&alert));
            if !known && wanted(&alert) {
                last.insert(id, alert);
            }
            Ok(())
        };
        match self {
            Self::Topics(_, config) => {
                let run = run_of(config);
                let checked = checked(config)?;
                let since = since.unwrap_or(Timestamp::from_millis(0));
                let topic = &run.output.alerts;
                let history = written(&run.kafka, topic, checked.numbers, since, WAIT);
                let history = history.map_err(|error| NotReady(vec![error.into()]))?;
                for found in history.found {
                    // What is no alert of ours is nobody's business here.
                    let _: Result<(), &str> = take(found.value.as_deref().unwrap_or_default());
                }
            }
            Self::Folder(folder) => {
                each_line(&folder.join("alerts.ndjson"), |line| take(line.as_bytes()))?;
            }
        }
        let mut alerts: Vec<Value> = last.into_values().collect();
        alerts.sort_by(|a, b| a["payment_id"].as_str().cmp(&b["payment_id"].as_str()));
        Ok(alerts)
    }
}

/// Whether this is what `replay --out` wrote.
fn is_folder(folder: &Path) -> anyhow::Result<()> {
    let shown = folder.display();
    if folder.is_file() {
        let parent = folder.parent().filter(|it| !it.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new(".")).display();
        return Err(Usage(format!(
            "--replayed {shown}: this is a file; the folder is wanted that `replay --out` wrote: --replayed {parent}"
        ))
        .into());
    }
    if !folder.join(INCIDENTS).exists() {
        let what = if folder.is_dir() {
            format!("no {INCIDENTS} lies in it")
        } else {
            "there is no such folder".to_owned()
        };
        return Err(Failed(format!(
            "--replayed {shown}: {what}; `settlewatch replay --out {shown}` writes it"
        ))
        .into());
    }
    Ok(())
}

fn run_of(config: &Config) -> &Run {
    let run = config.run.as_ref();
    run.expect("a configuration that was read to run has all of it")
}

/// Every revision in the topic of incidents.
pub(crate) fn of_topic(run: &Run) -> anyhow::Result<Vec<Told>> {
    let beginning = Timestamp::from_millis(0);
    let history = written(&run.kafka, &run.output.incidents, 1, beginning, WAIT);
    let history = history.map_err(|error| NotReady(vec![error.into()]))?;
    let values = history.found.into_iter().filter_map(|found| found.value);
    Ok(values.filter_map(|value| Told::parse(&value)).collect())
}

/// Whether the brokers are there and everything on them is as it must be.
pub(super) fn checked(config: &Config) -> anyhow::Result<Checked> {
    let options = CheckOptions {
        wait: WAIT,
        transactions: false,
    };
    Ok(check(run_of(config), &config.streams, options).map_err(NotReady)?)
}

fn each_line(
    path: &Path,
    mut take: impl FnMut(&str) -> Result<(), &'static str>,
) -> anyhow::Result<()> {
    let shown = path.display();
    let file = File::open(path).with_context(|| format!("cannot open {shown}"))?;
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line.with_context(|| format!("cannot read {shown}"))?;
        take(&line).map_err(|why| {
            Usage(format!(
                "{shown}:{}: {why}: the files that `replay --out` writes are read",
                number + 1
            ))
        })?;
    }
    Ok(())
}

/// A value as a line.
pub(super) fn json_line(json: &Value) -> String {
    format!("{json}\n")
}

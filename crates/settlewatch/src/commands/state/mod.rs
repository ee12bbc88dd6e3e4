//! `state`: what a person may do with the state while the service is stopped, or while it cannot go on.

mod inspect;
mod keys;
mod migrate;
mod reading;
mod rebuild;

use std::sync::Arc;
use std::time::Duration;

use settlewatch_config::{Config, Purpose, Run};
use settlewatch_join::{Alert, Event, Settings};
use settlewatch_kafka::{AdminError, Problem, Topics};
use settlewatch_protocol::{Host, SourceId};
use settlewatch_wire::Limits;

use super::config;
use crate::cli::{StateArgs, StateCommand};
use crate::exit::{Failed, NotReady};
use crate::service;

/// How long the cluster may take for an answer.
const WAIT: Duration = Duration::from_secs(15);

pub(crate) fn run(args: &StateArgs) -> anyhow::Result<()> {
    match &args.command {
        StateCommand::Inspect(args) => inspect::run(args),
        StateCommand::Rebuild(args) => rebuild::run(args),
        StateCommand::Migrate(args) => migrate::run(args),
    }
}

fn not_ready(error: AdminError) -> NotReady {
    NotReady(vec![Problem::from(error)])
}

fn of_run(config: &Config) -> &Run {
    let run = config.run.as_ref();
    run.expect("a configuration that was read to run has all of it")
}

/// The topics as a lane knows them: inputs that are keyed by payment, in their order.
fn topics(config: &Config) -> Topics {
    Topics::of(of_run(config), &config.streams)
}

/// Refuses while somebody may be at work on the state.
fn refuse_while_owned(members: &[String], run: &Run) -> Result<(), Failed> {
    if members.is_empty() {
        return Ok(());
    }
    Err(Failed(format!(
        "nothing was changed: the group {} has members, who own the state: {}. Stop the service first; what was killed \
         is a member until kafka.session_timeout ({} s) has passed",
        run.kafka.group_id,
        members.join(", "),
        run.kafka.session_timeout.millis() / 1000
    )))
}

/// What events and rules mean, for whoever writes no alert.
struct Reading {
    limits: Limits,
}

impl Reading {
    fn new(config: &Config) -> Self {
        let record_bytes = config.limits.record_bytes;
        Self {
            limits: Limits { record_bytes },
        }
    }
}

impl Host for Reading {
    fn event<'a>(
        &self,
        _source: SourceId,
        value: Option<&'a [u8]>,
    ) -> Result<Event<'a>, (&'static str, String)> {
        service::event(value, &self.limits)
    }

    fn alert(&self, _alert: &Alert) -> Vec<u8> {
        Vec::new()
    }

    fn topic(&self, _source: SourceId) -> &str {
        ""
    }

    fn settings(&self, rules: &[u8]) -> Result<Arc<Settings>, String> {
        service::settings(rules).map(Arc::new)
    }
}

fn loaded(path: &std::path::Path) -> anyhow::Result<Config> {
    config::loaded(path, Purpose::Run)
}

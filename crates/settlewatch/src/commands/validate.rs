//! `validate`: syntax, schema and semantics of a configuration, and of the cluster that it names.

use std::io::{Write, stdout};
use std::path::Path;
use std::time::Duration;

use settlewatch_config::{Config, Env, Purpose, load};
use settlewatch_kafka::{AdminError, CheckOptions, Problem, check, verify};

use super::config;
use crate::cli::ValidateArgs;
use crate::exit::NotReady;
use crate::terminal::say;

/// How long the cluster may take for an answer.
const WAIT: Duration = Duration::from_secs(10);

pub(crate) fn run(args: &ValidateArgs) -> anyhow::Result<()> {
    let purpose = if args.replay {
        Purpose::Replay
    } else {
        Purpose::Run
    };
    let loaded = match purpose {
        Purpose::Replay => config::for_replay(&args.config),
        Purpose::Run => config::for_run(&args.config, args.shadow),
    };
    let config = loaded.inspect_err(|_| {
        if purpose == Purpose::Run && is_good_for_replay(&args.config) {
            say(format_args!(
                "note: for `replay`, `test` and `explain --input` it is valid as it stands: `validate --replay` checks just \
                 that\n"
            ));
        }
    })?;
    if let Some(run) = &config.run {
        verify(&run.kafka).map_err(bad_client)?;
    }
    let (rules, streams) = (config.settings.rules.len(), config.streams.len());
    writeln!(
        stdout(),
        "{}: valid; {rules} rules, {streams} streams",
        args.config.display()
    )?;
    if args.env {
        environment(&config)?;
    }
    Ok(())
}

fn is_good_for_replay(path: &Path) -> bool {
    load(path, Purpose::Replay, &Env::of_process()).is_ok()
}

fn bad_client(what: String) -> NotReady {
    NotReady(vec![Problem::from(AdminError::Settings(what))])
}

fn environment(config: &Config) -> anyhow::Result<()> {
    let run = config
        .run
        .as_ref()
        .expect("a configuration that was read to run has all of it");
    let options = CheckOptions {
        wait: WAIT,
        transactions: true,
    };
    let checked = check(run, &config.streams, options).map_err(NotReady)?;
    for notice in &checked.notices {
        say(format_args!("warning: {notice}\n"));
    }
    let width = checked
        .findings
        .iter()
        .map(|(what, _)| what.chars().count())
        .max();
    let width = width.unwrap_or(0);
    for (what, words) in &checked.findings {
        writeln!(stdout(), "{what:width$}  {words}")?;
    }
    Ok(())
}

//! Loading the configuration, with its warnings shown.

use std::path::Path;

use settlewatch_config::{Config, Env, Purpose, Run, load};

use settlewatch_protocol::rules_id;

use crate::exit::BadConfig;
use crate::terminal::say;

/// Loads a configuration for replaying; warnings go to standard error.
pub(crate) fn for_replay(path: &Path) -> anyhow::Result<Config> {
    loaded(path, Purpose::Replay)
}

pub(crate) fn loaded(path: &Path, purpose: Purpose) -> anyhow::Result<Config> {
    let loaded = load(path, purpose, &Env::of_process()).map_err(BadConfig)?;
    for warning in &loaded.warnings {
        say(format_args!("{warning}\n"));
    }
    Ok(loaded.config)
}

/// Loads the configuration of a service, or of its shadow.
pub(crate) fn for_run(path: &Path, shadow: bool) -> anyhow::Result<Config> {
    let mut config = loaded(path, Purpose::Run)?;
    if shadow {
        config.run = config.run.map(Run::shadow);
    }
    Ok(config)
}

/// Loads the configuration of a service, with what an alert's proof calls its rules.
pub(crate) fn with_rules(path: &Path) -> anyhow::Result<(Config, String)> {
    let loaded = load(path, Purpose::Run, &Env::of_process()).map_err(BadConfig)?;
    let rules = rules_id(loaded.decision.as_bytes());
    Ok((loaded.config, format!("{rules:016x}")))
}

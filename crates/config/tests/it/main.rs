//! The configuration as its users meet it.
#![allow(missing_docs)]

mod calendars;
mod diagnostics;
mod environment;
mod examples;
mod hostile;
mod meaning;
mod secrets;
mod security;

use settlewatch_config::{Config, Diagnostics, Env, Loaded, Purpose, load_str};

/// The least that a replay needs, before `rest`.
pub(crate) fn minimal(rest: &str) -> String {
    format!(
        "version: 1\nstreams: {{payments: {{topic: payments}}}}\nrules: [{{name: all, tiers: {{breach: 120s}}}}]\n{rest}"
    )
}

/// The least that the service needs, before `rest`.
pub(crate) fn minimal_run(rest: &str) -> String {
    minimal(&format!(
        "kafka: {{bootstrap_servers: \"localhost:9092\"}}\n{rest}"
    ))
}

pub(crate) fn replay(text: &str) -> Result<Loaded, Diagnostics> {
    load_str("s.yaml", text, Purpose::Replay, &Env::empty())
}

pub(crate) fn run(text: &str) -> Result<Loaded, Diagnostics> {
    load_str("s.yaml", text, Purpose::Run, &Env::empty())
}

pub(crate) fn good(text: &str) -> Config {
    replay(text)
        .unwrap_or_else(|errors| panic!("{errors}"))
        .config
}

pub(crate) fn with_env<const N: usize>(
    text: &str,
    purpose: Purpose,
    vars: [(&str, &str); N],
) -> Result<Config, Diagnostics> {
    load_str("s.yaml", text, purpose, &Env::from_iter(vars)).map(|loaded| loaded.config)
}

/// Every message of a configuration that must be wrong.
pub(crate) fn messages(text: &str) -> Vec<String> {
    let errors = run(text).expect_err("the configuration is wrong");
    errors
        .list()
        .iter()
        .map(|found| found.message.clone())
        .collect()
}

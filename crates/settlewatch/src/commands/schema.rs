//! `schema`: the JSON Schema of the configuration.

use std::io::{Write, stdout};

pub(crate) fn run() -> anyhow::Result<()> {
    let schema = serde_json::to_string_pretty(&settlewatch_config::schema())?;
    writeln!(stdout(), "{schema}")?;
    Ok(())
}

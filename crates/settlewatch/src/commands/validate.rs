//! `validate`: syntax, schema and semantics of a configuration.

use std::io::{Write, stdout};

use settlewatch_config::Purpose;

use super::config;
use crate::cli::ValidateArgs;

pub(crate) fn run(args: &ValidateArgs) -> anyhow::Result<()> {
    let purpose = if args.replay {
        Purpose::Replay
    } else {
        Purpose::Run
    };
    let config = config::loaded(&args.config, purpose)?;
    let (rules, streams) = (config.settings.rules.len(), config.streams.len());
    writeln!(
        stdout(),
        "{}: valid; {rules} rules, {streams} streams",
        args.config.display()
    )?;
    Ok(())
}

//! The commands, one a file.

mod completions;
pub(crate) mod config;
mod explain;
mod history;
mod metrics;
mod reading;
mod replay;
mod schema;
mod simulate;
mod state;
mod test;
mod topics;
mod validate;
mod verify;

use crate::cli::Command;

pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Demo(args) => crate::demo::run(&args),
        Command::Run(args) => crate::service::run(&args.config, args.shadow),
        Command::Replay(args) => replay::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Incidents(args) => crate::incidents::run(&args),
        Command::Diff(args) => crate::diff::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Canary(args) => crate::canary::run(&args),
        Command::Localise(args) => crate::localise::run(&args),
        Command::Validate(args) => validate::run(&args),
        Command::Topics(args) => topics::run(&args),
        Command::State(args) => state::run(&args),
        Command::Schema => schema::run(),
        Command::Metrics(args) => metrics::run(&args),
        Command::Completions { shell } => completions::run(shell),
    }
}

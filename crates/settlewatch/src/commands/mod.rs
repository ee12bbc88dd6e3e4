//! The commands, one a file.

mod config;
mod replay;
mod schema;
mod validate;

use crate::cli::Command;

pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Replay(args) => replay::run(&args),
        Command::Validate(args) => validate::run(&args),
        Command::Schema => schema::run(),
    }
}

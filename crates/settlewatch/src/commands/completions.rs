//! `completions`: what makes a shell complete commands and options.

use std::io::{Write, stdout};

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;

pub(crate) fn run(shell: Shell) -> anyhow::Result<()> {
    // Into memory first: the generator panics where its writer fails, and a pipe may close.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "settlewatch", &mut script);
    stdout().write_all(&script)?;
    Ok(())
}

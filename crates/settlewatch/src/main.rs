//! The `settlewatch` binary: commands, exit status, nothing else.
// They panic where nobody listens: `writeln!` and `terminal::say` do not.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod canary;
mod cli;
mod clock;
mod commands;
mod demo;
mod diff;
mod exit;
mod explain;
mod incidents;
mod localise;
#[cfg(test)]
mod pages;
mod service;
mod suite;
mod terminal;
mod text;
mod traffic;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match commands::run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::report(&error),
    }
}

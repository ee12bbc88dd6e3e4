//! How a command ends: 0 done, 1 failed, 2 usage (by the argument parser), 69 a service is not there, 78 bad
//! configuration.

use std::fmt;
use std::process::ExitCode;

use settlewatch_config::Diagnostics;
use settlewatch_kafka::{Cause, Problem};

use crate::terminal::say;

/// The check or the run failed; its reason has been shown.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Failed(pub(crate) String);

/// The arguments fit the grammar but not each other or the world.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

/// The configuration has errors.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BadConfig(pub(crate) Diagnostics);

/// The cluster is not as it must be, at least one reason; each has its remedy.
#[derive(Debug, thiserror::Error)]
pub(crate) struct NotReady(pub(crate) Vec<Problem>);

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.0 {
            writeln!(f, "error: {problem}\n")?;
        }
        let count = self.0.len();
        write!(f, "{count} problem{}", if count == 1 { "" } else { "s" })
    }
}

impl NotReady {
    fn status(&self) -> u8 {
        let any = |cause| self.0.iter().any(|problem| problem.cause == cause);
        if any(Cause::Settings) {
            BAD_CONFIG
        } else if any(Cause::Unreachable) {
            UNAVAILABLE
        } else {
            FAILED
        }
    }
}

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const UNAVAILABLE: u8 = 69;
const BAD_CONFIG: u8 = 78;

/// Shows an error, with what caused it, and gives the exit status.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    if is_closed_pipe(error) {
        // Whoever read our output has seen enough.
        return ExitCode::SUCCESS;
    }
    if let Some(BadConfig(diagnostics)) = error.downcast_ref() {
        say(format_args!("{diagnostics}"));
        return ExitCode::from(BAD_CONFIG);
    }
    if let Some(not_ready) = error.downcast_ref::<NotReady>() {
        say(format_args!("{not_ready}"));
        return ExitCode::from(not_ready.status());
    }
    say(format_args!("error: {}", with_causes(error)));
    ExitCode::from(if error.is::<Usage>() { USAGE } else { FAILED })
}

/// An error and what caused it, where that is not said yet: some messages end with their cause.
fn with_causes(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    io.map(std::io::Error::kind)
        .any(|kind| kind == std::io::ErrorKind::BrokenPipe)
}

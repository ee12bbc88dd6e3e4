//! `test`: the unit tests of a configuration.

use std::io::{IsTerminal, Write, stdout};

use crate::cli::TestArgs;
use crate::exit::{BadConfig, Failed};
use crate::suite::{self, Suite};
use crate::terminal::say;
use crate::text;

pub(crate) fn run(args: &TestArgs) -> anyhow::Result<()> {
    let suites: Result<Vec<Suite>, _> = args.files.iter().map(|file| suite::read(file)).collect();
    let suites = suites.map_err(BadConfig)?;
    let colour = text::colour(stdout().is_terminal());
    let (mut run, mut failed) = (0_usize, 0_usize);
    for suite in &suites {
        for case in &suite.cases {
            let verdict = suite::judge(case, &suite.config)?;
            run += 1;
            let heading = suite::heading(&suite.name, case);
            for warning in &verdict.warnings {
                say(format_args!("warning: {heading}: {warning}"));
            }
            if verdict.passed {
                writeln!(stdout(), "ok    {heading}")?;
            } else {
                failed += 1;
                let failure = suite::failure(case, &verdict, colour);
                write!(stdout(), "FAIL  {heading}\n{failure}")?;
            }
        }
    }
    finish(run, failed)
}

/// A run that showed nothing has failed.
fn finish(run: usize, failed: usize) -> anyhow::Result<()> {
    let cases = if run == 1 { "case" } else { "cases" };
    match (run, failed) {
        (0, _) => Err(Failed("there are no cases: nothing was tested".into()).into()),
        (_, 0) => Ok(writeln!(stdout(), "\n{run} {cases} passed")?),
        _ => {
            writeln!(stdout(), "\n- expected   + came")?;
            Err(Failed(format!("{failed} of {run} {cases} failed")).into())
        }
    }
}

//! `diff`: two sets of alerts, by payment and by money. For a change of rules, for shadow beside production, for
//! live beside replay.

mod compare;
mod read;
mod report;

use std::io::{Write as _, stdout};

use crate::cli::DiffArgs;
use crate::exit::Failed;

use compare::compare;
use read::read;

pub(crate) fn run(args: &DiffArgs) -> anyhow::Result<()> {
    let (before, after) = (read(&args.before)?, read(&args.after)?);
    let found = compare(&before, &after);
    let text = if args.json {
        report::json(&found)
    } else {
        report::text(&found, args.all)
    };
    write!(stdout(), "{text}")?;
    if found.differs() {
        return Err(Failed("the two sets of alerts differ".into()).into());
    }
    Ok(())
}

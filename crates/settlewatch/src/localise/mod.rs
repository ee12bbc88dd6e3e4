//! `localise`: which attribute combination concentrates the bad outcomes of a table.

mod read;
mod report;

use std::io::{Write as _, stdout};

use settlewatch_watch::scan::{ScanOptions, rank};

use crate::cli::LocaliseArgs;

/// Cells of the table that may be visited: tables of a hundred thousand rows are searched in full, in seconds.
const WORK: u64 = 200_000_000;

pub(crate) fn run(args: &LocaliseArgs) -> anyhow::Result<()> {
    let input = read::read(&args.file)?;
    let options = ScanOptions {
        max_conditions: usize::from(args.max_conditions),
        work: WORK,
        ..ScanOptions::default()
    };
    let ranked = rank(&input.table, &options, usize::from(args.top));
    let found = report::Found::new(&input, &options, ranked);
    let text = if args.json {
        found.json()
    } else {
        found.text()
    };
    write!(stdout(), "{text}")?;
    Ok(())
}

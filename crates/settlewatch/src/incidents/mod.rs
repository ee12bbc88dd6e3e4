//! `incidents`: which faults are open, what is known of one, and which payments it covers; in English and Chinese.

mod covers;
mod follow;
mod list;
mod read;
mod show;
mod told;
mod words;

use std::io::{Write as _, stdout};

use serde_json::Value;

use crate::cli::{IncidentsArgs, IncidentsCommand};
use crate::exit::Usage;

pub(crate) use read::of_topic;
pub(crate) use told::Told;
pub(crate) use words::{Language, line};

/// The incidents that cover alerts of a payment, a line each, for `explain`; empty where there is no alert.
pub(crate) fn covering_text(revisions: &[Told], alerts: &[Value]) -> String {
    if alerts.is_empty() {
        return String::new();
    }
    let incidents = told::gathered(revisions.iter().cloned());
    let covering = covers::covering(told::latest(&incidents), alerts);
    let mut text = String::from("\nincidents that cover it\n");
    if covering.is_empty() {
        text += "  none\n";
    }
    for told in covering {
        text += &format!("  {}\n", words::line(told, Language::En));
    }
    text
}

pub(crate) fn run(args: &IncidentsArgs) -> anyhow::Result<()> {
    let source = &args.source;
    if let (Some(option), Some(IncidentsCommand::Show(_) | IncidentsCommand::Follow(_))) =
        (args.list.given(), &args.command)
    {
        return Err(Usage(format!("{option} is an option of `incidents list` alone")).into());
    }
    let text = match &args.command {
        None => list::text(source, &args.list)?,
        Some(IncidentsCommand::List(list)) => list::text(source, &list.or(&args.list))?,
        Some(IncidentsCommand::Show(show)) => show::text(source, show)?,
        Some(IncidentsCommand::Follow(follow)) => return follow::run(source, follow),
    };
    stdout().write_all(text.as_bytes())?;
    Ok(())
}

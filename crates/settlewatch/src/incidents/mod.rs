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
    let text = match &args.command {
        None => list::text(&args.list)?,
        Some(IncidentsCommand::List(args)) => list::text(args)?,
        Some(IncidentsCommand::Show(args)) => show::text(args)?,
        Some(IncidentsCommand::Follow(args)) => return follow::run(args),
    };
    stdout().write_all(text.as_bytes())?;
    Ok(())
}

//! `replay`: the decision over recorded records.

use std::io::{IsTerminal, Write, stdout};
use std::path::Path;

use settlewatch_join::Alert;
use settlewatch_replay::input::{LiveOptions, Options, Progress};
use settlewatch_replay::{Finished, Observer, Output, Replay};

use super::config;
use crate::cli::ReplayArgs;
use crate::exit::Usage;
use crate::terminal::StatusLine;
use crate::text;

pub(crate) fn run(args: &ReplayArgs) -> anyhow::Result<()> {
    let config = config::for_replay(&args.input.config)?;
    let until = args.input.until.unwrap_or_default();
    let mut replay = Replay::new(&config, usize::from(args.partitions), until);
    if let Some(out) = &args.out {
        replay = replay.write_to(Output::create(out)?);
    }
    let finished = if is_standard_input(&args.input.input)? {
        live(replay, args)?
    } else {
        files(replay, args)?
    };
    warn_of_calendars(&config, &finished);
    text::summary::print(&finished.summary, args.out.as_deref())?;
    Ok(())
}

fn is_standard_input(input: &[std::path::PathBuf]) -> anyhow::Result<bool> {
    let dash = Path::new("-");
    match input {
        [only] if only == dash => Ok(true),
        several if several.iter().any(|file| file == dash) => {
            Err(Usage("--input -: standard input cannot be mixed with files".into()).into())
        }
        _ => Ok(false),
    }
}

fn files(replay: Replay<'_>, args: &ReplayArgs) -> anyhow::Result<Finished> {
    let mut line = StatusLine::new();
    let mut progress = |progress: Progress| line.show(|| text::progress(&progress));
    let options = Options {
        memory_bytes: (args.memory as usize) << 20,
        progress: Some(&mut progress),
        ..Options::default()
    };
    let finished = replay.files(args.input.input.clone(), options, &mut ())?;
    Ok(finished)
}

/// Shows alerts as they fall due.
struct Shown {
    colour: bool,
}

impl Observer for Shown {
    fn alert(&mut self, alert: &Alert) {
        // A reader that has gone away ends the replay at its summary.
        let _ = writeln!(stdout(), "{}", text::alert(alert, self.colour));
    }
}

fn live(replay: Replay<'_>, args: &ReplayArgs) -> anyhow::Result<Finished> {
    let options = LiveOptions {
        memory_bytes: (args.memory as usize) << 20,
        ..LiveOptions::default()
    };
    let mut shown = Shown {
        colour: text::colour(stdout().is_terminal()),
    };
    Ok(replay.live(options, &mut shown)?)
}

fn warn_of_calendars(config: &settlewatch_config::Config, finished: &Finished) {
    let (Some(from), Some(to)) = (finished.summary.from, finished.summary.to) else {
        return;
    };
    for warning in config.calendar_warnings(from, to) {
        eprintln!("warning: {warning}");
    }
}

//! `replay`: the decision over recorded records.

use std::io::{IsTerminal, Write, stdout};

use settlewatch_join::Alert;
use settlewatch_replay::{Observer, Output, Replay};

use super::{config, reading};
use crate::cli::ReplayArgs;
use crate::text;

pub(crate) fn run(args: &ReplayArgs) -> anyhow::Result<()> {
    let live = reading::is_standard_input(&args.input.input)?;
    let config = config::for_replay(&args.input.config)?;
    let until = args.input.until.unwrap_or_default();
    let mut replay = Replay::new(&config, usize::from(args.partitions), until);
    if let Some(out) = &args.out {
        replay = replay.write_to(Output::create(out)?);
    }
    let mut shown = Shown {
        colour: text::colour(stdout().is_terminal()),
    };
    let observer: &mut dyn Observer = if live { &mut shown } else { &mut () };
    let finished = reading::replayed(replay, &args.input, observer)?;
    reading::warn_of_calendars(&config, &finished);
    text::summary::print(&finished.summary, args.out.as_deref())?;
    Ok(())
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

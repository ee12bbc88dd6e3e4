//! Reading what a replay is about: recorded files, or standard input as it comes.

use std::path::{Path, PathBuf};

use settlewatch_config::Config;
use settlewatch_replay::input::{LiveOptions, Options, Progress};
use settlewatch_replay::{Finished, Observer, Replay};

use crate::cli::InputArgs;
use crate::clock;
use crate::exit::Usage;
use crate::terminal::{StatusLine, say};
use crate::text;

/// Whether `-` is all there is to read.
pub(crate) fn is_standard_input(input: &[PathBuf]) -> anyhow::Result<bool> {
    let dash = Path::new("-");
    match input {
        [only] if only == dash => Ok(true),
        several if several.iter().any(|file| file == dash) => {
            Err(Usage("--input -: standard input cannot be mixed with files".into()).into())
        }
        _ => Ok(false),
    }
}

/// Replays what the arguments name.
pub(crate) fn replayed(
    replay: Replay<'_>,
    args: &InputArgs,
    observer: &mut dyn Observer,
) -> anyhow::Result<Finished> {
    let memory_bytes = (args.memory as usize) << 20;
    if is_standard_input(&args.input)? {
        let options = LiveOptions {
            memory_bytes,
            real_time: Some(clock::now()),
            ..LiveOptions::default()
        };
        return Ok(replay.live(options, observer)?);
    }
    let mut line = StatusLine::new();
    let mut progress = |progress: Progress| line.show(|| text::progress(&progress));
    let options = Options {
        memory_bytes,
        progress: Some(&mut progress),
        ..Options::default()
    };
    Ok(replay.files(args.input.clone(), options, observer)?)
}

/// Says where a replay went beyond what a calendar knows.
pub(crate) fn warn_of_calendars(config: &Config, finished: &Finished) {
    let (Some(from), Some(to)) = (finished.summary.from, finished.summary.to) else {
        return;
    };
    for warning in config.calendar_warnings(from, to) {
        say(format_args!("warning: {warning}"));
    }
}

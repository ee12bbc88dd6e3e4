//! `replay`: the decision over recorded records.

use std::io::{IsTerminal, Write, stdout};

use settlewatch_join::Alert;
use settlewatch_replay::{Observer, Output, Replay, Summary};

use super::{config, reading};
use crate::cli::ReplayArgs;
use crate::exit::Failed;
use crate::terminal::say;
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
    judge_input(&finished.summary)
}

/// Says what a person who gave the wrong files must know.
///
/// # Errors
/// There were lines, and none of them is a record.
fn judge_input(summary: &Summary) -> anyhow::Result<()> {
    let counts = summary.counts();
    match (summary.from, summary.input.bad_lines) {
        (None, 0) => say(format_args!("warning: the input has no records")),
        (None, lines) => {
            let why = format!(
                "none of {lines} lines of the input is a record: `kcat -C -J` writes what can be replayed"
            );
            return Err(Failed(why).into());
        }
        _ if counts.payments.count > 0 && counts.credited.count == 0 => say(format_args!(
            "warning: {} payments and not one credit: are the files of all streams given?",
            counts.payments.count
        )),
        _ => {}
    }
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

#[cfg(test)]
mod tests {
    use settlewatch_join::{Book, Tally, Timestamp};

    use super::*;

    #[test]
    fn input_without_a_record_fails_where_it_has_lines() {
        let mut summary = Summary::default();
        assert!(judge_input(&summary).is_ok(), "an empty recording is one");
        summary.input.bad_lines = 656;
        let error = judge_input(&summary).expect_err("none is a record");
        assert!(error.to_string().contains("none of 656 lines"), "{error}");
        summary.from = Some(Timestamp::from_millis(1));
        let book = Book {
            payments: Tally {
                count: 3,
                amount_minor: 300,
            },
            ..Book::default()
        };
        summary.books.insert("CNY".into(), book);
        assert!(judge_input(&summary).is_ok(), "some lines are records");
    }
}

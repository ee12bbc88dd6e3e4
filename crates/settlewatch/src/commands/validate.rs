//! `validate`: syntax, schema and semantics of a configuration, and of the cluster that it names.

use std::io::{Write, stdout};
use std::path::Path;
use std::time::Duration;

use settlewatch_config::{Config, Env, Purpose, RatePpm, Run, load};
use settlewatch_join::Span;
use settlewatch_kafka::{AdminError, CheckOptions, Problem, Topics, Upkeep, check, verify};
use settlewatch_protocol::SourceId;

use super::config;
use crate::cli::ValidateArgs;
use crate::clock::now;
use crate::exit::NotReady;
use crate::terminal::say;

/// How long the cluster may take for an answer.
const WAIT: Duration = Duration::from_secs(10);

pub(crate) fn run(args: &ValidateArgs) -> anyhow::Result<()> {
    let purpose = if args.replay {
        Purpose::Replay
    } else {
        Purpose::Run
    };
    let loaded = match purpose {
        Purpose::Replay => config::for_replay(&args.config),
        Purpose::Run => config::for_run(&args.config, args.shadow),
    };
    let config = loaded.inspect_err(|_| {
        if purpose == Purpose::Run && is_good_for_replay(&args.config) {
            say(format_args!(
                "note: for `replay`, `test` and `explain --input` it is valid as it stands: `validate --replay` checks just \
                 that\n"
            ));
        }
    })?;
    if let Some(run) = &config.run {
        verify(&run.kafka).map_err(bad_client)?;
    }
    let (rules, streams) = (config.settings.rules.len(), config.streams.len());
    writeln!(
        stdout(),
        "{}: valid; {rules} rules, {streams} streams",
        args.config.display()
    )?;
    if args.env {
        environment(&config)?;
    }
    Ok(())
}

/// How many payments the watch can hear of one by one in a second.
const HEARD_PER_SECOND: u64 = 2000;

/// How fast payments came in the last minute.
const RATE_OVER: Span = Span::from_secs(60);

/// Payments per second, as far as offsets tell.
fn payments_per_second(config: &Config, run: &Run, numbers: i32) -> anyhow::Result<u64> {
    let refused = |error: AdminError| NotReady(vec![Problem::from(error)]);
    let topics = Topics::of(run, &config.streams);
    let upkeep = Upkeep::new(run, topics, WAIT).map_err(refused)?;
    // Payments have the first rank.
    let since = now() - RATE_OVER;
    let appended = upkeep.appended_since(SourceId(0), numbers, since);
    Ok(appended.map_err(refused)? * 1000 / RATE_OVER.millis())
}

/// What to do where the watch would hear of more payments than it can.
fn heard_too_often(rate: u64, share: RatePpm) -> Option<String> {
    let heard = rate.saturating_mul(u64::from(share.0)) / 1_000_000;
    let fits = (HEARD_PER_SECOND * 1_000_000 / rate.max(1)).clamp(1, 1_000_000);
    (heard > HEARD_PER_SECOND).then(|| {
        format!(
            "some {rate} payments a second came in the last minute, and the watch is to hear of {heard} of them one by \
             one: more than {HEARD_PER_SECOND} are too many\n  = help: set `watch.share: \"0.{fits:06}\"` or less"
        )
    })
}

fn is_good_for_replay(path: &Path) -> bool {
    load(path, Purpose::Replay, &Env::of_process()).is_ok()
}

fn bad_client(what: String) -> NotReady {
    NotReady(vec![Problem::from(AdminError::Settings(what))])
}

fn environment(config: &Config) -> anyhow::Result<()> {
    let run = config
        .run
        .as_ref()
        .expect("a configuration that was read to run has all of it");
    let options = CheckOptions {
        wait: WAIT,
        transactions: true,
    };
    let checked = check(run, &config.streams, options).map_err(NotReady)?;
    for notice in &checked.notices {
        say(format_args!("warning: {notice}\n"));
    }
    let rate = payments_per_second(config, run, checked.numbers)?;
    if let Some(warning) = heard_too_often(rate, config.watch.share) {
        say(format_args!("warning: {warning}\n"));
    }
    let width = checked
        .findings
        .iter()
        .map(|(what, _)| what.chars().count())
        .max();
    let width = width.unwrap_or(0);
    for (what, words) in &checked.findings {
        writeln!(stdout(), "{what:width$}  {words}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_that_is_too_much_for_the_rate_is_told_with_one_that_fits() {
        assert_eq!(heard_too_often(0, RatePpm(1_000_000)), None);
        assert_eq!(heard_too_often(2_000, RatePpm(1_000_000)), None);
        assert_eq!(heard_too_often(20_000, RatePpm(100_000)), None);
        let told = heard_too_often(20_000, RatePpm(1_000_000)).expect("ten times too many");
        assert!(told.contains("watch.share: \"0.100000\""), "{told}");
    }
}

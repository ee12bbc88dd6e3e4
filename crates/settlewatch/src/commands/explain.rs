//! `explain`: everything about one payment.

use std::io::{Write, stdout};

use settlewatch_config::Purpose;
use settlewatch_replay::{Replay, Until};

use super::{config, history, reading};
use crate::cli::{ExplainArgs, InputArgs};
use crate::exit::Failed;
use crate::explain::{Gatherer, Subject, report};

pub(crate) fn run(args: &ExplainArgs) -> anyhow::Result<()> {
    if !args.input.is_empty() {
        return explain(args, args.input.clone(), args.until.unwrap_or_default());
    }
    let config = config::loaded(&args.config, Purpose::Run)?;
    let fetched = history::fetch(&config, args)?;
    let until = args.until.unwrap_or(Until::Time(fetched.now));
    explain(args, vec![fetched.file.path().to_path_buf()], until)?;
    stdout().write_all(fetched.limits.as_bytes())?;
    Ok(())
}

fn explain(args: &ExplainArgs, input: Vec<std::path::PathBuf>, until: Until) -> anyhow::Result<()> {
    let config = config::for_replay(&args.config)?;
    let subject = Subject {
        tenant: args.tenant.clone(),
        payment_id: args.payment_id.clone(),
    };
    let input = InputArgs {
        config: args.config.clone(),
        input,
        until: Some(until),
        memory: args.memory,
    };
    let mut gatherer = Gatherer::new(&config, subject);
    let replay = Replay::new(&config, 1, until);
    let finished = reading::replayed(replay, &input, &mut gatherer)?;
    reading::warn_of_calendars(&config, &finished);
    let found = gatherer.finish(&finished);
    if found.is_empty() {
        let id = &found.subject.payment_id;
        return Err(Failed(format!("no record mentions payment `{id}`{}", found.hint())).into());
    }
    stdout().write_all(report(&found, &config)?.as_bytes())?;
    Ok(())
}

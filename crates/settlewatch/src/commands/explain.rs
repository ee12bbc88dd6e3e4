//! `explain`: everything about one payment.

use std::ffi::OsString;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

use settlewatch_config::Purpose;
use settlewatch_join::Timestamp;
use settlewatch_replay::{Replay, Until};

use super::{config, history, reading};
use crate::cli::{ExplainArgs, InputArgs};
use crate::exit::{Failed, Usage};
use crate::explain::{Gatherer, Subject, report};

pub(crate) fn run(args: &ExplainArgs) -> anyhow::Result<()> {
    let (payment_id, input) = sorted_out(args)?;
    if !input.is_empty() {
        return explain(
            args,
            payment_id,
            input,
            args.until.unwrap_or_default(),
            None,
        );
    }
    let config = config::loaded(&args.config, Purpose::Run)?;
    let fetched = history::fetch(&config, args, &payment_id)?;
    let until = args.until.unwrap_or(Until::Time(fetched.until));
    let fetched_file = vec![fetched.file.path().to_path_buf()];
    explain(args, payment_id, fetched_file, until, Some(fetched.since))?;
    stdout().write_all(fetched.written.as_bytes())?;
    stdout().write_all(fetched.limits.as_bytes())?;
    Ok(())
}

/// The payment and the files. `--input` takes every word up to the next option, so that a shell may fill in names: the
/// payment's id is then the last of them.
fn sorted_out(args: &ExplainArgs) -> Result<(String, Vec<PathBuf>), Usage> {
    let mut files = args.input.clone();
    if let Some(id) = &args.payment_id {
        return Ok((id.clone(), files));
    }
    let last = if files.len() > 1 { files.pop() } else { None };
    match last.map(PathBuf::into_os_string).map(OsString::into_string) {
        Some(Ok(id)) if !Path::new(&id).exists() => Ok((id, files)),
        _ => Err(Usage(
            "which payment? settlewatch explain PAYMENT_ID --config FILE --input FILE…".into(),
        )),
    }
}

fn explain(
    args: &ExplainArgs,
    payment_id: String,
    input: Vec<PathBuf>,
    until: Until,
    known_since: Option<Timestamp>,
) -> anyhow::Result<()> {
    let config = config::for_replay(&args.config)?;
    let subject = Subject {
        tenant: args.tenant.clone(),
        payment_id,
    };
    let input = InputArgs {
        config: args.config.clone(),
        input,
        until: Some(until),
        memory: args.memory,
    };
    let mut gatherer = Gatherer::new(&config, subject);
    let mut replay = Replay::new(&config, 1, until);
    // Of the records of one payment alone no fault can be told.
    replay = match known_since {
        Some(since) => replay.known_since(since),
        None => replay.watched(),
    };
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

//! `explain`: everything about one payment.

use std::io::{Write, stdout};

use settlewatch_replay::Replay;

use super::{config, reading};
use crate::cli::ExplainArgs;
use crate::exit::Failed;
use crate::explain::{Gatherer, Subject, report};

pub(crate) fn run(args: &ExplainArgs) -> anyhow::Result<()> {
    let config = config::for_replay(&args.input.config)?;
    let subject = Subject {
        tenant: args.tenant.clone(),
        payment_id: args.payment_id.clone(),
    };
    let mut gatherer = Gatherer::new(&config, subject);
    let replay = Replay::new(&config, 1, args.input.until.unwrap_or_default());
    let finished = reading::replayed(replay, &args.input, &mut gatherer)?;
    reading::warn_of_calendars(&config, &finished);
    let found = gatherer.finish(&finished);
    if found.is_empty() {
        let id = &found.subject.payment_id;
        return Err(Failed(format!("no record mentions payment `{id}`{}", found.hint())).into());
    }
    stdout().write_all(report(&found, &config)?.as_bytes())?;
    Ok(())
}

//! `incidents follow`: revisions as they come, until it is interrupted.

use std::io::{Write as _, stdout};
use std::time::Duration;

use settlewatch_config::Purpose;
use settlewatch_kafka::{Tail, TailFrom};

use super::read::{checked, json_line};
use super::told::Told;
use super::words::line;
use crate::cli::{IncidentsFollowArgs, IncidentsSource};
use crate::commands::config;
use crate::exit::{Failed, Usage};

const WAIT: Duration = Duration::from_secs(1);

pub(super) fn run(told: &IncidentsSource, args: &IncidentsFollowArgs) -> anyhow::Result<()> {
    let Some(file) = &told.config else {
        let why = "a service is followed: --config FILE; of a replay `incidents list --replayed DIR` tells everything";
        return Err(Usage(why.into()).into());
    };
    let config = config::loaded(file, Purpose::Run)?;
    let run = config.run.as_ref();
    let run = run.expect("a configuration that was read to run has all of it");
    checked(&config)?;
    let from = if args.all {
        TailFrom::Beginning
    } else {
        TailFrom::End
    };
    let tail = Tail::new(&run.kafka, &run.output.incidents, 1, from).map_err(Failed)?;
    let language = told.language();
    let json = told.json;
    loop {
        let Some(record) = tail.next(WAIT) else {
            continue;
        };
        let Some(told) = Told::parse(&record.value) else {
            continue;
        };
        let text = if json {
            json_line(&told.json)
        } else {
            format!(
                "{}  {:>3}  {}\n",
                told.text("updated_at"),
                told.revision(),
                line(&told, language)
            )
        };
        let mut out = stdout();
        out.write_all(text.as_bytes())?;
        out.flush()?;
    }
}

//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use settlewatch_replay::Until;

/// Which payments succeeded but were never credited, how much money that is, and why.
#[derive(Debug, Parser)]
#[command(name = "settlewatch", version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Replay recorded records on a virtual clock: what would have alerted
    Replay(ReplayArgs),
    /// Check a configuration
    Validate(ValidateArgs),
    /// Print the JSON Schema of the configuration, for editors
    Schema,
}

#[derive(Debug, Args)]
pub(crate) struct InputArgs {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,

    /// Recorded records as `kcat -C -J` prints them (.gz and .zst are unpacked), in any order; - is
    /// standard input
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    pub(crate) input: Vec<PathBuf>,

    /// Where the clock stops: an RFC 3339 time, or `drained` when nothing is pending any more; by default
    /// at the last record
    #[arg(long, value_name = "TIME|drained", value_parser = until)]
    pub(crate) until: Option<Until>,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,

    /// Folder for alerts.ndjson, incidents.ndjson, rejected.ndjson, channels.ndjson and summary.json
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// Virtual partitions; the output is the same for any number
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) partitions: u16,

    /// Megabytes of records held in memory; what is beyond is sorted on disk
    #[arg(long, value_name = "MB", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) memory: u32,
}

#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,

    /// Check only what `replay` and `test` need
    #[arg(long)]
    pub(crate) replay: bool,
}

fn until(text: &str) -> Result<Until, String> {
    if text == "drained" {
        return Ok(Until::Drained);
    }
    let time = settlewatch_wire::parse_time(text);
    time.map(Until::Time).ok_or_else(|| {
        "expected `drained` or an RFC 3339 time with an offset, such as 2026-04-09T12:00:00+08:00".into()
    })
}

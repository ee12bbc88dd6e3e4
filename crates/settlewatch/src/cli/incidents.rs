//! Arguments of `incidents`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::incidents::Language;

/// Where incidents are, and how they are told.
#[derive(Debug, Args)]
pub(crate) struct IncidentsSource {
    /// Configuration file of the service that writes them
    #[arg(long, value_name = "FILE", conflicts_with = "replayed")]
    pub(crate) config: Option<PathBuf>,

    /// Folder that `replay --out` wrote, instead of a service
    #[arg(long, value_name = "DIR")]
    pub(crate) replayed: Option<PathBuf>,

    /// Language; by default that of the environment
    #[arg(long, value_name = "LANGUAGE")]
    pub(crate) lang: Option<Language>,

    /// As lines of JSON, as they were written
    #[arg(long)]
    pub(crate) json: bool,
}

impl IncidentsSource {
    /// That which was asked for, or that of the environment.
    pub(crate) fn language(&self) -> Language {
        let of_environment = Language::of_environment;
        self.lang.unwrap_or_else(of_environment)
    }
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct IncidentsArgs {
    #[command(subcommand)]
    pub(crate) command: Option<IncidentsCommand>,

    #[command(flatten)]
    pub(crate) list: IncidentsListArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum IncidentsCommand {
    /// Each on one line as its last revision tells it: open ones first, the worst first; also without this word
    List(IncidentsListArgs),
    /// Everything of one: evidence, what was ruled out, what to do, how it came to be known, and its payments
    Show(IncidentsShowArgs),
    /// Revisions as they are written, until it is interrupted
    Follow(IncidentsFollowArgs),
}

#[derive(Debug, Args)]
pub(crate) struct IncidentsListArgs {
    #[command(flatten)]
    pub(crate) source: IncidentsSource,

    /// Only those that are open
    #[arg(long)]
    pub(crate) open: bool,

    /// Only those that cover this payment, by its alerts
    #[arg(long, value_name = "PAYMENT_ID")]
    pub(crate) payment: Option<String>,

    /// Tenant of the payment, where records name one
    #[arg(long, value_name = "T", requires = "payment")]
    pub(crate) tenant: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct IncidentsShowArgs {
    /// The incident
    #[arg(value_name = "INCIDENT_ID")]
    pub(crate) incident_id: String,

    #[command(flatten)]
    pub(crate) source: IncidentsSource,

    /// Also the alerts of the payments that it covers
    #[arg(long)]
    pub(crate) payments: bool,
}

#[derive(Debug, Args)]
pub(crate) struct IncidentsFollowArgs {
    /// Configuration file of the service that writes them
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,

    /// Also what was written before
    #[arg(long)]
    pub(crate) all: bool,

    /// Language; by default that of the environment
    #[arg(long, value_name = "LANGUAGE")]
    pub(crate) lang: Option<Language>,

    /// As lines of JSON, as they were written
    #[arg(long)]
    pub(crate) json: bool,
}

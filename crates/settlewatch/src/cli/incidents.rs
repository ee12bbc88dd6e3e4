//! Arguments of `incidents`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::incidents::Language;

/// Where incidents are, and how they are told; before or after the word that says what of them.
#[derive(Debug, Args)]
pub(crate) struct IncidentsSource {
    /// Configuration file of the service that writes them
    #[arg(long, value_name = "FILE", conflicts_with = "replayed", global = true)]
    pub(crate) config: Option<PathBuf>,

    /// Folder that `replay --out` wrote, instead of a service; nothing can be followed in it
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) replayed: Option<PathBuf>,

    /// Language; by default that of the environment
    #[arg(long, value_name = "LANGUAGE", global = true)]
    pub(crate) lang: Option<Language>,

    /// As lines of JSON, as they were written
    #[arg(long, global = true)]
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
pub(crate) struct IncidentsArgs {
    #[command(subcommand)]
    pub(crate) command: Option<IncidentsCommand>,

    #[command(flatten)]
    pub(crate) source: IncidentsSource,

    #[command(flatten)]
    pub(crate) list: IncidentsListArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum IncidentsCommand {
    /// Each on one line as its last revision tells it: open ones first, the worst first; also without this word
    List(IncidentsListArgs),
    /// Everything of one: evidence, what was ruled out, what to do, how it came to be known; with --payments its payments
    Show(IncidentsShowArgs),
    /// Revisions as they are written, until it is interrupted
    Follow(IncidentsFollowArgs),
}

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct IncidentsListArgs {
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

impl IncidentsListArgs {
    /// What was asked for before the word and after it, the latter first.
    pub(crate) fn or(&self, before: &Self) -> Self {
        let told = |here: &Option<String>, there: &Option<String>| here.clone().or(there.clone());
        Self {
            open: self.open || before.open,
            payment: told(&self.payment, &before.payment),
            tenant: told(&self.tenant, &before.tenant),
        }
    }

    /// The first option that was given.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let payment = self.payment.as_ref().map(|_| "--payment");
        self.open.then_some("--open").or(payment)
    }
}

#[derive(Debug, Args)]
pub(crate) struct IncidentsShowArgs {
    /// The incident
    #[arg(value_name = "INCIDENT_ID")]
    pub(crate) incident_id: String,

    /// Also the alerts of the payments that it covers; with --json as further lines, whose `schema` tells them from the
    /// revisions of the incident
    #[arg(long)]
    pub(crate) payments: bool,
}

#[derive(Debug, Args)]
pub(crate) struct IncidentsFollowArgs {
    /// Also what was written before
    #[arg(long)]
    pub(crate) all: bool,
}

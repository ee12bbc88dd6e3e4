//! The command line.

mod incidents;
mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use settlewatch_join::{Span, Timestamp};
use settlewatch_kafka::{Partitioner, StartAt};
use settlewatch_replay::Until;
use settlewatch_sim::{Fault, Load, Rate};

pub(crate) use incidents::{
    IncidentsArgs, IncidentsCommand, IncidentsFollowArgs, IncidentsListArgs, IncidentsShowArgs,
    IncidentsSource,
};
use values::{duration, fault, load, partitioner, start_at, time, until};

/// Which payments succeeded but were never credited, how much money that is, and why.
#[derive(Debug, Parser)]
#[command(name = "settlewatch", version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Watch the whole product at work in this terminal, without a Kafka
    Demo(DemoArgs),
    /// Run the service against a real Kafka
    Run(RunArgs),
    /// Replay recorded records on a virtual clock: what would have alerted
    Replay(ReplayArgs),
    /// Tell everything about one payment: its records, its rule, its deadlines, and why it did or did not alert
    Explain(ExplainArgs),
    /// Tell which faults are open, what is known of one and what to do, and which payments it covers
    Incidents(IncidentsArgs),
    /// Compare two sets of alerts by payment and by money; status 1 where they differ
    Diff(DiffArgs),
    /// Derive an alert again from Kafka alone, by the proof of reading that it carries
    Verify(VerifyArgs),
    /// Run the unit tests of a configuration: events at virtual times, and the alerts they must raise
    Test(TestArgs),
    /// Write a seeded recording of payments and faults, with the truth beside it
    Simulate(SimulateArgs),
    /// Check a service that runs, from end to end: every minute a payment that is credited and one that never is
    Canary(CanaryArgs),
    /// Rank the attribute combinations that concentrate the bad outcomes of a table
    Localise(LocaliseArgs),
    /// Check a configuration for `run`; with --replay for `replay` and `test`, with --env the cluster too
    Validate(ValidateArgs),
    /// Print the topics that are read and written, and with --create make those of ours that are missing
    Topics(TopicsArgs),
    /// Look at the state of the service, or make it anew; for when a person is needed
    State(StateArgs),
    /// Print the JSON Schema of the configuration, for editors
    Schema,
    /// List the metrics
    Metrics(MetricsArgs),
    /// Print a script that makes a shell complete commands and options
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// Whether something for a terminal is used.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Screen {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// In any case
    Always,
    /// Not at all
    Never,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Ends by itself after so long, with status 1 if it did not see what it must
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub(crate) length: Option<Span>,

    /// Lines of text instead of a picture, as where there is no terminal
    #[arg(long)]
    pub(crate) headless: bool,

    /// How many times as fast: traffic, deadlines and story
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=50))]
    pub(crate) speed: u32,

    /// Payments a second at speed 1
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) rate: u32,

    /// The same seed tells the same story
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub(crate) seed: u64,

    /// Language; by default that of the environment
    #[arg(long, value_name = "LANGUAGE")]
    pub(crate) lang: Option<crate::incidents::Language>,

    /// Colour
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Screen,

    /// Where metrics and probes are served; another port where it is taken
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9464")]
    pub(crate) listen: String,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,

    /// Beside the service that pages: a group, topics and state of its own, named `…-shadow`, and nobody is notified
    #[arg(long)]
    pub(crate) shadow: bool,
}

#[derive(Debug, Args)]
pub(crate) struct InputArgs {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,

    /// Recorded records as `kcat -C -J` prints them (.gz and .zst are unpacked), in any order; - is
    /// standard input, as it grows: let kcat print each line at once, `kcat -u -C -J`
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    pub(crate) input: Vec<PathBuf>,

    /// Where the clock stops: an RFC 3339 time, or `drained` when nothing is pending any more; by default
    /// at the last record. Standard input need not end: what came by then, and silence, is enough
    #[arg(long, value_name = "TIME|drained", value_parser = until)]
    pub(crate) until: Option<Until>,

    /// Megabytes of records held in memory; what is beyond is sorted on disk
    #[arg(long, value_name = "MB", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) memory: u32,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,

    /// Folder for alerts.ndjson, incidents.ndjson, rejected.ndjson, channels.ndjson, gateways.ndjson and summary.json
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// Virtual partitions; the output is the same for any number
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) partitions: u16,
}

#[derive(Debug, Args)]
#[command(
    override_usage = "settlewatch explain --config <FILE> [OPTIONS] <PAYMENT_ID> [--input <FILE>...]"
)]
pub(crate) struct ExplainArgs {
    /// The payment; it may also stand after the files of --input, as the last word
    #[arg(value_name = "PAYMENT_ID")]
    pub(crate) payment_id: Option<String>,

    /// Its tenant, where records name one
    #[arg(long, value_name = "T")]
    pub(crate) tenant: Option<String>,

    /// Configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,

    /// Recorded records as `kcat -C -J` prints them, or - for standard input; without them, the brokers are asked for
    /// the records with the payment's key
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) input: Vec<PathBuf>,

    /// How far back the brokers are asked
    #[arg(long, value_name = "DURATION", default_value = "48h", value_parser = duration, conflicts_with = "input")]
    pub(crate) since: Span,

    /// Where the clock stops: an RFC 3339 time, or `drained` when nothing is pending any more; by default at the last
    /// recorded record, or now
    #[arg(long, value_name = "TIME|drained", value_parser = until)]
    pub(crate) until: Option<Until>,

    /// Megabytes of records held in memory; what is beyond is sorted on disk
    #[arg(long, value_name = "MB", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) memory: u32,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// Alerts as they were: the folder of a replay, its alerts.ndjson, or the topic as `kcat -C -J` prints it
    #[arg(value_name = "BEFORE")]
    pub(crate) before: PathBuf,

    /// Alerts as they are, in the same shapes
    #[arg(value_name = "AFTER")]
    pub(crate) after: PathBuf,

    /// List every difference
    #[arg(long, conflicts_with = "json")]
    pub(crate) all: bool,

    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The alert
    #[arg(value_name = "ALERT_ID")]
    pub(crate) alert_id: String,

    /// Configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,

    /// How far back alerts and records are looked for
    #[arg(long, value_name = "DURATION", default_value = "48h", value_parser = duration)]
    pub(crate) since: Span,
}

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Files of test cases
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    /// Folder for the records, the configuration and the truth
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// The same seed gives the same bytes
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,

    /// Faults, separated by commas; without any, nothing goes wrong. Each may have a time, a channel, or another
    /// place, and measures: channel-stopped@2m-5m:alipay, channel-loss:channel=visa:region=east:share=5%,
    /// gateway-delay:gateway=gw-a:delay=20s:ramp, channel-slowed:times=3, terminal-hardware:variant=2
    #[arg(long, value_name = "NAME[@FROM-UNTIL][:CHANNEL|FIELD=VALUE|share=|times=|delay=|variant=|ramp]…", value_delimiter = ',', value_parser = fault)]
    pub(crate) scenario: Vec<Fault>,

    /// Everything is drawn from the seed: world, lags, load, and the times, places and measures of the faults, of which
    /// only the names are given; fifty payments a second
    #[arg(long, conflicts_with_all = ["rate", "partitions", "start", "terminals", "load", "varied", "config"])]
    pub(crate) drawn: bool,

    /// Lags, attributes and shares of the traffic drawn from the seed, uneven as in life
    #[arg(long)]
    pub(crate) varied: bool,

    /// How the number of payments changes
    #[arg(long, value_name = "SHAPE", default_value = "constant", value_parser = load)]
    pub(crate) load: Load,

    /// Number of terminals
    #[arg(long, value_name = "N", default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) terminals: u32,

    /// Write to the Kafka and the topics of this configuration, in real time, instead of to files
    #[arg(long, value_name = "FILE", conflicts_with_all = ["out", "start", "partitions"])]
    pub(crate) config: Option<PathBuf>,

    /// Payments a second, on average
    #[arg(long, value_name = "N", default_value = "20", value_parser = Rate::parse)]
    pub(crate) rate: Rate,

    /// How long the recording is: 90s, 10m, 2h; by default 15m, with --drawn 20m, which is the least then
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) duration: Option<Span>,

    /// Partitions of each topic
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) partitions: u16,

    /// When it starts, an RFC 3339 time; by default always the same
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) start: Option<Timestamp>,

    /// Print the scenarios
    #[arg(long)]
    pub(crate) list: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CanaryArgs {
    /// Configuration file of the service
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,

    /// From one check to the next; checks may overlap
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = duration)]
    pub(crate) interval: Span,

    /// When the first payment of a check is credited; before its first deadline
    #[arg(long, value_name = "DURATION", default_value = "3s", value_parser = duration)]
    pub(crate) credit_after: Span,

    /// How long after its deadline an alert may come; after three times as long it is missing
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub(crate) margin: Span,

    /// Ends after so many checks, with status 1 if one was not good; by default it goes on
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) checks: Option<u32>,

    /// Channel of its payments
    #[arg(long, value_name = "NAME", default_value = "settlewatch_canary")]
    pub(crate) channel: String,

    /// Merchant of its payments
    #[arg(long, value_name = "ID", default_value = "settlewatch_canary")]
    pub(crate) merchant: String,

    /// Terminal of its payments
    #[arg(long, value_name = "ID", default_value = "settlewatch_canary")]
    pub(crate) terminal: String,

    /// Amount of each payment, in minor units
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=i64::MAX as u64))]
    pub(crate) amount_minor: u64,

    /// Currency of its payments
    #[arg(long, value_name = "CODE", default_value = "CNY")]
    pub(crate) currency: String,

    /// Who chooses partitions by key, where the records at hand do not tell
    #[arg(long, value_name = "murmur2|crc32", value_parser = partitioner)]
    pub(crate) partitioner: Option<Partitioner>,

    /// Where metrics and a probe are served
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9465")]
    pub(crate) listen: std::net::SocketAddr,
}

#[derive(Debug, Args)]
pub(crate) struct LocaliseArgs {
    /// CSV with a header: `total`, `bad`, and a column for each dimension; counts may be decimal, an empty value is not
    /// known, - is standard input. Where two columns name the same rows, the one further left is named first
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Most conditions of a combination
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=3))]
    pub(crate) max_conditions: u8,

    /// How many explanations are listed; of several causes, the later ones are explained by what the earlier leave over
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) top: u8,

    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct MetricsArgs {
    /// As a JSON array
    #[arg(long, conflicts_with = "markdown")]
    pub(crate) json: bool,

    /// As a Markdown table
    #[arg(long)]
    pub(crate) markdown: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,

    /// Beside the service that pages: a group, topics and state of its own, named `…-shadow`, and nobody is notified
    #[arg(long, conflicts_with = "replay")]
    pub(crate) shadow: bool,

    /// Check only what `replay`, `test` and `explain --input` need: no `kafka`, no `output`
    #[arg(long)]
    pub(crate) replay: bool,

    /// Check the cluster too: brokers, topics, rights, partitions
    #[arg(long, conflicts_with = "replay")]
    pub(crate) env: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TopicsArgs {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,

    /// Beside the service that pages: a group, topics and state of its own, named `…-shadow`, and nobody is notified
    #[arg(long)]
    pub(crate) shadow: bool,

    /// Make those of ours that are missing; what is there is never changed
    #[arg(long)]
    pub(crate) create: bool,

    /// Replicas of what is made; by default the brokers' choice
    #[arg(long, value_name = "N", requires = "create", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) replication_factor: Option<u16>,
}

#[derive(Debug, Args)]
pub(crate) struct StateArgs {
    #[command(subcommand)]
    pub(crate) command: StateCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StateCommand {
    /// Show the state of every partition: who claimed it, its snapshot, what was decided since, whether it is whole
    Inspect(InspectArgs),
    /// Begin a partition anew from its inputs, where its state is lost or broken; the service must be stopped
    Rebuild(RebuildArgs),
    /// Move the state to another number of partitions, after every topic was given them; the service must be stopped
    Migrate(MigrateArgs),
}

#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,

    /// How many partitions every topic has now
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    pub(crate) partitions: i32,

    /// Who chooses partitions by key, where the payments at hand do not tell
    #[arg(long, value_name = "murmur2|crc32", value_parser = partitioner)]
    pub(crate) partitioner: Option<Partitioner>,

    /// Go on although records were not read whose payments move: they are judged where they lie
    #[arg(long)]
    pub(crate) accept_misplaced: bool,

    /// Do it; without, only what would be done is shown
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,

    /// Only this partition; may be given several times
    #[arg(long = "partition", value_name = "N")]
    pub(crate) partitions: Vec<i32>,

    /// As a JSON array
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RebuildArgs {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,

    /// The partition; may be given several times
    #[arg(long = "partition", value_name = "N", required_unless_present = "all")]
    pub(crate) partitions: Vec<i32>,

    /// Every partition
    #[arg(long, conflicts_with = "partitions")]
    pub(crate) all: bool,

    /// From when the inputs are read again: an RFC 3339 time, `earliest` or `latest`. Payments from before are not
    /// known any more
    #[arg(long, value_name = "TIME|earliest|latest", value_parser = start_at)]
    pub(crate) from: StartAt,

    /// Do it; without, only what would be done is shown
    #[arg(long)]
    pub(crate) yes: bool,
}

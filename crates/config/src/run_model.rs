//! What only the service needs.

use std::net::SocketAddr;
use std::path::PathBuf;

use settlewatch_join::Span;

use crate::model::StartAt;
use crate::secret::{Secret, is_secret_key};

/// The parts that `replay` ignores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The cluster.
    pub kafka: Kafka,
    /// Where metrics, probes and the API listen.
    pub http: Http,
    /// What is logged.
    pub log: Log,
    /// What this process does, each once.
    pub roles: Vec<Role>,
    /// Topics that are written.
    pub output: Output,
    /// Where incidents are delivered.
    pub notify: Notify,
    /// How long the service may take to stop.
    pub shutdown_within: Span,
}

/// `kafka`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kafka {
    /// Brokers to begin with, as the client takes them.
    pub bootstrap_servers: String,
    /// Consumer group.
    pub group_id: String,
    /// Where to begin when neither state nor offsets exist.
    pub start_at: StartAt,
    /// Static membership, where the instance has a stable name.
    pub instance_id: Option<String>,
    /// After how long without a sign of life the group goes on without this instance.
    pub session_timeout: Span,
    /// How long a transaction may stay open before the brokers abort it.
    pub transaction_timeout: Span,
    /// Threads that read and decide, each a member of the group; at least 1.
    pub lanes: usize,
    /// Whether brokers that are not this machine may be spoken to unencrypted.
    pub allow_plaintext: bool,
    /// A file that always holds a valid OAUTHBEARER token; read anew when the last one runs out.
    pub oauth_token_file: Option<PathBuf>,
    /// Further settings of the client. Every value counts as a secret.
    pub properties: Vec<(String, Secret)>,
}

impl Kafka {
    /// A property of the client, as it was written.
    pub fn property(&self, name: &str) -> Option<&str> {
        let mut named = self.properties.iter();
        named
            .find(|(property, _)| property == name)
            .map(|(_, value)| value.expose())
    }

    /// What must not be printed, wherever it may turn up: passwords, keys, tokens.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.properties
            .iter()
            .filter(|(name, value)| is_secret_key(name) && !value.expose().is_empty())
            .map(|(_, value)| value.expose())
    }
}

/// `http`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Http {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Channels with figures of their own; the others are counted together.
    pub channels: usize,
}

/// `log`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// How it looks.
    pub format: LogFormat,
    /// What is let through: a level, or levels of parts.
    pub level: String,
}

/// How a log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogFormat {
    /// Text on a terminal, else JSON.
    Auto,
    /// A line an event.
    Text,
    /// A JSON object an event.
    Json,
}

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Decides about payments.
    Join,
    /// Finds faults.
    Watch,
    /// Tells people.
    Notify,
}

/// `output`: topics, all different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Changes of alerts.
    pub alerts: String,
    /// Incidents.
    pub incidents: String,
    /// Rejected records.
    pub dead_letters: String,
    /// State of the join.
    pub state: String,
    /// What two payments share.
    pub pairs: String,
    /// Counts and histograms for the watch.
    pub pulse: String,
    /// State of the watch.
    pub watch_state: String,
}

/// What is put behind the names of a service that runs beside the real one.
const SHADOW: &str = "-shadow";

impl Run {
    /// The same beside the one that pages: a group, topics and state of its own, and nobody is notified.
    #[must_use]
    pub fn shadow(mut self) -> Self {
        let output = &mut self.output;
        for name in [
            &mut self.kafka.group_id,
            &mut output.alerts,
            &mut output.incidents,
            &mut output.dead_letters,
            &mut output.state,
            &mut output.pairs,
            &mut output.pulse,
            &mut output.watch_state,
        ] {
            name.push_str(SHADOW);
        }
        self.notify.sinks.clear();
        self
    }
}

/// `notify`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notify {
    /// Receivers, by unique name.
    pub sinks: Vec<Sink>,
}

/// A receiver of incidents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sink {
    /// Its unique name.
    pub name: String,
    /// What it is.
    pub kind: SinkKind,
    /// Its address, where the kind has no fixed one.
    pub url: Option<Secret>,
    /// Signing secret or routing key.
    pub secret: Option<Secret>,
    /// Which incidents it gets.
    pub route: Route,
    /// Language of the text.
    pub language: Language,
    /// How long one delivery may take.
    pub timeout: Span,
}

/// What a receiver is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SinkKind {
    /// Prometheus Alertmanager.
    Alertmanager,
    /// PagerDuty events; needs a secret, has a fixed address.
    PagerDuty,
    /// JSON to any address.
    Webhook,
    /// A DingTalk robot.
    DingTalk,
    /// A Feishu robot.
    Feishu,
    /// A WeCom robot.
    WeCom,
}

/// Which incidents a receiver gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// Those that page.
    OnCall,
    /// Cases and patterns for the finance queue.
    Finance,
    /// Everything.
    All,
}

/// Language of a text for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// English.
    En,
    /// Chinese.
    Zh,
}

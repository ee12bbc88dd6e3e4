//! What must be so before a record is read: every finding is one sentence, with its remedy.

mod partitioner;
mod replicas;
mod sample;
mod topics;
mod transactions;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use settlewatch_config::{Kafka, Role, Run, Stream, is_loopback_host};

use crate::admin::{Admin, AdminError, Cluster, OwnTopic, Right, Rights, TopicId, own_topics};

pub use partitioner::Partitioner;

/// How the checks are made.
#[derive(Clone, Copy, Debug)]
pub struct CheckOptions {
    /// How long an answer is waited for.
    pub wait: Duration,
    /// Whether a transaction of our own name is begun, to see that it may be. A lane finds out by itself.
    pub transactions: bool,
}

/// What kind of problem it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The configuration does not make a client.
    Settings,
    /// The cluster cannot be reached.
    Unreachable,
    /// Something is not as it must be.
    Wrong,
}

/// A problem, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind it is.
    pub cause: Cause,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  = help: {}", self.what, self.remedy)
    }
}

/// An input that is keyed by payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedInput {
    /// Rank of its stream.
    pub rank: u8,
    /// Its topic.
    pub topic: String,
    /// Whether its timestamps are the broker's.
    pub log_append_time: bool,
    /// Who decided about its partitions.
    pub partitioner: Partitioner,
}

/// A topic of auxiliary events, which is not keyed by payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedFeed {
    /// Rank of its stream.
    pub rank: u8,
    /// Its topic.
    pub topic: String,
    /// How many partitions it has.
    pub partitions: i32,
    /// Whether its timestamps are the broker's.
    pub log_append_time: bool,
}

/// What is known after everything was found right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The cluster.
    pub cluster: Cluster,
    /// Partitions of every topic that is keyed by payment.
    pub numbers: i32,
    /// The inputs that are keyed by payment, in the order of their ranks.
    pub inputs: Vec<CheckedInput>,
    /// The topics of auxiliary events, in the order of their ranks.
    pub feeds: Vec<CheckedFeed>,
    /// Whether the brokers stamp what they append; a mock does not.
    pub stamps: bool,
    /// Identities of all topics, by name.
    pub ids: BTreeMap<String, TopicId>,
    /// What is allowed, but somebody should know.
    pub notices: Vec<Problem>,
    /// What was found, for people: a topic or `cluster`, and a few words.
    pub findings: Vec<(String, String)>,
}

impl Checked {
    /// Whose state it is: cluster, group, and the identities of what it is made from. A topic that was made anew
    /// is another one.
    pub fn identity(&self, group_id: &str, pairs: &str) -> Vec<u8> {
        let read = self.inputs.iter().map(|input| input.topic.as_str());
        self.identity_of(group_id, read.chain([pairs]))
    }

    /// The same of the watch: its group, and the topic of pulses.
    pub fn identity_of<'a>(
        &self,
        group_id: &str,
        topics: impl IntoIterator<Item = &'a str>,
    ) -> Vec<u8> {
        let mut text = format!("cluster={}\ngroup={group_id}\n", self.cluster.id);
        for topic in topics {
            text.push_str(&format!("topic={}\n", self.topic(topic)));
        }
        text.into_bytes()
    }

    /// Which topic it is: its name and its identity.
    pub fn topic(&self, name: &str) -> String {
        let id = self.ids.get(name).copied().unwrap_or(TopicId(0));
        format!("{name} {id}")
    }
}

/// Looks at everything that `run` depends on.
///
/// # Errors
/// Everything that is not as it must be.
pub fn check(
    run: &Run,
    streams: &[Stream],
    options: CheckOptions,
) -> Result<Checked, Vec<Problem>> {
    let admin = Admin::new(&run.kafka, options.wait).map_err(|error| vec![problem(&error)])?;
    let some_topic = streams.first().map_or("", |stream| stream.topic.as_str());
    let cluster = admin.cluster(some_topic);
    let cluster = cluster.map_err(|error| vec![problem(&error)])?;
    let mut check = Check {
        admin: &admin,
        kafka: &run.kafka,
        streams,
        own: own_topics(&run.output),
        problems: Vec::new(),
        notices: Vec::new(),
        findings: Vec::new(),
    };
    check.brokers(&cluster);
    let found = check.look_at_topics();
    for group in groups(run) {
        check.group(&group);
    }
    if options.transactions {
        check.transactions();
    }
    match found {
        Some(known) if check.problems.is_empty() => Ok(Checked {
            cluster,
            numbers: known.numbers,
            inputs: known.inputs,
            feeds: known.feeds,
            stamps: true,
            ids: known.ids,
            notices: check.notices,
            findings: check.findings,
        }),
        _ => Err(check.problems),
    }
}

/// The group of the watch beside that of the lanes.
pub fn watch_group(kafka: &Kafka) -> String {
    format!("{}-watch", kafka.group_id)
}

/// The groups that a process joins.
fn groups(run: &Run) -> Vec<String> {
    let mut groups = Vec::new();
    if run.roles.contains(&Role::Join) {
        groups.push(run.kafka.group_id.clone());
    }
    if run.roles.contains(&Role::Watch) {
        groups.push(watch_group(&run.kafka));
    }
    groups
}

impl From<AdminError> for Problem {
    fn from(error: AdminError) -> Self {
        problem(&error)
    }
}

/// A question to the cluster that was not answered, as a problem.
fn problem(error: &AdminError) -> Problem {
    let (cause, remedy) = match error {
        AdminError::Settings(_) => (Cause::Settings, "correct `kafka` in the configuration"),
        AdminError::Unreachable { .. } => (
            Cause::Unreachable,
            "check `kafka.bootstrap_servers`, the network, and the security properties on both sides",
        ),
        AdminError::Denied { .. } => (
            Cause::Wrong,
            "grant it with kafka-acls.sh, or use another principal",
        ),
        AdminError::Refused { .. } => (Cause::Wrong, "see the brokers' logs"),
    };
    Problem {
        cause,
        what: error.to_string(),
        remedy: remedy.to_owned(),
    }
}

struct Check<'a> {
    admin: &'a Admin,
    kafka: &'a Kafka,
    streams: &'a [Stream],
    own: Vec<OwnTopic>,
    problems: Vec<Problem>,
    notices: Vec<Problem>,
    findings: Vec<(String, String)>,
}

impl Check<'_> {
    fn wrong(&mut self, what: impl Into<String>, remedy: impl Into<String>) {
        self.problems.push(Problem {
            cause: Cause::Wrong,
            what: what.into(),
            remedy: remedy.into(),
        });
    }

    fn notice(&mut self, what: impl Into<String>, remedy: impl Into<String>) {
        self.notices.push(Problem {
            cause: Cause::Wrong,
            what: what.into(),
            remedy: remedy.into(),
        });
    }

    fn failed(&mut self, error: &AdminError) {
        self.problems.push(problem(error));
    }

    fn found(&mut self, what: impl Into<String>, words: impl Into<String>) {
        self.findings.push((what.into(), words.into()));
    }

    /// A broker that is named locally may still send its clients elsewhere.
    fn brokers(&mut self, cluster: &Cluster) {
        let count = cluster.brokers.len();
        let brokers = if count == 1 { "broker" } else { "brokers" };
        self.found("cluster", format!("{} with {count} {brokers}", cluster.id));
        let protocol = self.kafka.property("security.protocol");
        let protocol = protocol.unwrap_or("plaintext").to_lowercase();
        if self.kafka.allow_plaintext || protocol.ends_with("ssl") {
            return;
        }
        let far = cluster
            .brokers
            .iter()
            .find(|(host, _)| !is_loopback_host(host));
        if let Some((host, port)) = far {
            self.wrong(
                format!(
                    "the cluster sends its clients to {host}:{port}, which is not this machine, and the way there is \
                     not encrypted"
                ),
                "set `security.protocol: SSL` or `SASL_SSL`; where the network itself is trusted: \
                 `kafka.allow_plaintext: true`",
            );
        }
    }

    fn group(&mut self, group: &str) {
        match self.admin.group_rights(group) {
            Ok(Some(rights)) if !rights.has(Right::Read) => {
                self.denied(&[Right::Read], On::Group(group));
            }
            Ok(Some(_)) => self.found(format!("group {group}"), "may be joined"),
            Ok(None) => self.found(format!("group {group}"), "is new"),
            Err(AdminError::Denied { .. }) => self.denied(&[Right::Read], On::Group(group)),
            Err(error) => self.failed(&error),
        }
    }

    /// Rights that are missing, and the command that grants them.
    fn denied(&mut self, rights: &[Right], on: On<'_>) {
        let principal = self.kafka.property("sasl.username").unwrap_or("NAME");
        let names: Vec<&str> = rights.iter().map(|right| right.as_str()).collect();
        let operations: Vec<String> = names
            .iter()
            .map(|name| format!("--operation {name}"))
            .collect();
        let remedy = format!(
            "kafka-acls.sh --bootstrap-server {} --add --allow-principal User:{principal} {} {}",
            self.kafka.bootstrap_servers,
            operations.join(" "),
            on.option(),
        );
        let (rights, are) = match names.len() {
            1 => ("right", "is"),
            _ => ("rights", "are"),
        };
        let what = format!("the {rights} {} on {on} {are} missing", names.join(", "));
        self.wrong(what, remedy);
    }

    /// Whether nothing is missing of the rights that are needed.
    fn rights(&mut self, topic: &str, has: Option<Rights>, needed: &[Right]) -> bool {
        let Some(has) = has else { return true };
        let missing: Vec<Right> = needed
            .iter()
            .copied()
            .filter(|right| !has.has(*right))
            .collect();
        if !missing.is_empty() {
            self.denied(&missing, On::Topic(topic));
        }
        missing.is_empty()
    }
}

/// What a right is for.
#[derive(Clone, Copy)]
enum On<'a> {
    Topic(&'a str),
    Group(&'a str),
    /// Transactional ids that begin so.
    Transactions(&'a str),
}

impl On<'_> {
    /// As an option of Kafka's tool.
    fn option(self) -> String {
        match self {
            Self::Topic(name) => format!("--topic {name}"),
            Self::Group(name) => format!("--group {name}"),
            Self::Transactions(prefix) => {
                format!("--transactional-id {prefix} --resource-pattern-type prefixed")
            }
        }
    }
}

impl fmt::Display for On<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic(name) => write!(f, "the topic `{name}`"),
            Self::Group(name) => write!(f, "the group `{name}`"),
            Self::Transactions(prefix) => write!(f, "transactional ids that begin with `{prefix}`"),
        }
    }
}

#[cfg(test)]
mod tests;

//! Asks the cluster about topics, and makes those that are ours.

mod native;
mod plan;
mod rights;

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rdkafka::admin::{
    AdminClient, AdminOptions, NewTopic, OwnedResourceSpecifier, ResourceSpecifier,
    TopicReplication,
};
use rdkafka::client::{Client, ClientContext};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use settlewatch_config::Kafka;

use crate::client::{self, Context};
use crate::truncate::block_on;

pub(crate) use native::seen_end;
pub use plan::{Mismatch, Need, OwnTopic, Partitions, Setting, own_topics};
pub use rights::{Right, Rights};

/// Why the cluster gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdminError {
    /// The settings do not make a client.
    #[error("{0}")]
    Settings(String),
    /// No broker answered in time.
    #[error("no broker of {brokers} can be used: {why}")]
    Unreachable {
        /// Those of the configuration.
        brokers: String,
        /// What was heard last.
        why: String,
    },
    /// An access control list is missing.
    #[error("not allowed to {what}")]
    Denied {
        /// What was asked.
        what: String,
    },
    /// The cluster said no.
    #[error("cannot {what}: {why}")]
    Refused {
        /// What was asked.
        what: String,
        /// What was answered.
        why: String,
    },
}

/// The identity of a topic: one made anew under the same name has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicId(pub u128);

impl fmt::Display for TopicId {
    /// As Kafka's tools print it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0.to_be_bytes()))
    }
}

/// What is known of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopicState {
    /// It is there.
    Present {
        /// Its identity.
        id: TopicId,
        /// How many partitions it has.
        partitions: usize,
        /// Replicas of the partition that has the fewest.
        replicas: usize,
        /// What we may do with it; `None` where the brokers do not tell.
        rights: Option<Rights>,
    },
    /// There is none.
    Missing,
    /// We may not see it.
    Hidden,
    /// It cannot be told.
    Unknown(String),
}

/// The cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Its identity.
    pub id: String,
    /// Hosts and ports that its brokers advertise.
    pub brokers: Vec<(String, u16)>,
}

/// Settings of a topic by name.
pub type TopicSettings = BTreeMap<String, String>;

/// What a client has to say is taken in such portions.
const DRAINED: usize = 200;

/// How long one attempt waits.
const ATTEMPT: Duration = Duration::from_secs(1);

/// Time between two questions of which the first came too early.
const AGAIN: Duration = Duration::from_millis(200);

/// A connection that asks.
pub struct Admin {
    config: ClientConfig,
    context: Context,
    consumer: BaseConsumer<Context>,
    brokers: String,
    group_id: String,
    wait: Duration,
}

impl Admin {
    /// A connection to the cluster; every question waits for its answer so long.
    ///
    /// # Errors
    /// The settings do not make a client, or its token cannot be read.
    pub fn new(kafka: &Kafka, wait: Duration) -> Result<Self, AdminError> {
        client::verify(kafka).map_err(AdminError::Settings)?;
        let context = Context::new(kafka);
        let config = client::base(kafka);
        let mut consuming = config.clone();
        // Never a member of the group, but its offsets are asked for.
        consuming
            .set("group.id", &kafka.group_id)
            .set("enable.auto.commit", "false");
        let consumer: BaseConsumer<Context> = consuming
            .create_with_context(context.clone())
            .map_err(|error| AdminError::Settings(context.describe(&error)))?;
        authenticate(consumer.client(), &context)?;
        Ok(Self {
            config,
            context,
            consumer,
            brokers: kafka.bootstrap_servers.clone(),
            group_id: kafka.group_id.clone(),
            wait,
        })
    }

    /// The cluster, once a broker answers. `topic` is any that is of interest: of all of them the answer would be
    /// long.
    ///
    /// # Errors
    /// None did in time.
    pub fn cluster(&self, topic: &str) -> Result<Cluster, AdminError> {
        let deadline = Instant::now() + self.wait;
        loop {
            let answer = self.consumer.fetch_metadata(Some(topic), ATTEMPT);
            self.drain();
            if let Ok(metadata) = answer {
                let brokers = metadata.brokers().iter().map(|broker| {
                    let port = u16::try_from(broker.port()).unwrap_or_default();
                    (broker.host().to_owned(), port)
                });
                let id = self.consumer.client().fetch_cluster_id(self.wait);
                return Ok(Cluster {
                    id: id.unwrap_or_default(),
                    brokers: brokers.collect(),
                });
            }
            if Instant::now() >= deadline || self.context.is_unwelcome() {
                return Err(self.unreachable());
            }
        }
    }

    fn unreachable(&self) -> AdminError {
        let why = self.context.last_failure();
        AdminError::Unreachable {
            brokers: self.brokers.clone(),
            why: why.unwrap_or_else(|| format!("nothing was heard in {:?}", self.wait)),
        }
    }

    /// Lets the client say what it has to say: logs, errors, that it needs a token.
    fn drain(&self) {
        for _ in 0..DRAINED {
            // Nothing comes of a line of its log, nor of an empty queue: they look alike.
            let _ = self.consumer.poll(Duration::ZERO);
        }
    }

    /// What is known of these topics, in their order.
    ///
    /// # Errors
    /// The cluster does not answer.
    pub fn topics(&self, names: &[&str]) -> Result<Vec<TopicState>, AdminError> {
        let told = native::describe_topics(self.consumer.client(), names, self.wait);
        let told = told.map_err(|code| self.error(code, "describe topics"))?;
        let state = |name: &&str| {
            let topic = told.iter().find(|topic| topic.name == **name);
            topic.map_or_else(|| TopicState::Unknown("no answer".into()), state)
        };
        Ok(names.iter().map(state).collect())
    }

    /// What we may do with a group; `None` where the brokers do not tell.
    ///
    /// # Errors
    /// The cluster does not answer, or we may not see the group.
    pub fn group_rights(&self, group_id: &str) -> Result<Option<Rights>, AdminError> {
        let deadline = Instant::now() + self.wait;
        loop {
            let answer = native::describe_group(self.consumer.client(), group_id, self.wait);
            return match answer {
                // Before the first start there is no group.
                Err(RDKafkaErrorCode::GroupIdNotFound) => Ok(None),
                Err(code) if is_moving(code) && Instant::now() < deadline => {
                    std::thread::sleep(AGAIN);
                    continue;
                }
                answer => {
                    answer.map_err(|code| self.error(code, &format!("see the group {group_id}")))
                }
            };
        }
    }

    /// The settings of topics that are there, or why each of them cannot be seen.
    ///
    /// # Errors
    /// The cluster does not answer.
    pub fn settings(
        &self,
        names: &[&str],
    ) -> Result<BTreeMap<String, Result<TopicSettings, AdminError>>, AdminError> {
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        let admin = self.client()?;
        let asked: Vec<_> = names
            .iter()
            .map(|name| ResourceSpecifier::Topic(name))
            .collect();
        let answers = self.answer(
            admin.describe_configs(&asked, &self.options()),
            "describe settings",
        )?;
        let mut found = BTreeMap::new();
        // An answer that failed does not name its topic, but stands in its place.
        for (name, answer) in names.iter().zip(answers) {
            let (name, settings) = match answer {
                Ok(resource) => {
                    let named = match &resource.specifier {
                        OwnedResourceSpecifier::Topic(named) => named.clone(),
                        _ => (*name).to_owned(),
                    };
                    let entries = resource.entries.into_iter();
                    let settings = entries.filter_map(|entry| Some((entry.name, entry.value?)));
                    (named, Ok(settings.collect()))
                }
                Err(code) => {
                    let what = format!("see the settings of {name}");
                    ((*name).to_owned(), Err(self.error(code, &what)))
                }
            };
            found.insert(name, settings);
        }
        Ok(found)
    }

    /// Makes a topic of ours. Without a replication factor the brokers choose.
    ///
    /// # Errors
    /// The cluster does not.
    pub fn create(
        &self,
        topic: &OwnTopic,
        partitions: usize,
        replication: Option<u16>,
    ) -> Result<(), AdminError> {
        let factor = replication.map_or(-1, i32::from);
        let partitions = i32::try_from(partitions).unwrap_or(i32::MAX);
        let mut new = NewTopic::new(&topic.name, partitions, TopicReplication::Fixed(factor));
        for setting in topic.settings {
            if let Some(value) = setting.made_with {
                new = new.set(setting.name, value);
            }
        }
        let what = format!("create {}", topic.name);
        let admin = self.client()?;
        let answers = self.answer(admin.create_topics([&new], &self.options()), &what)?;
        for answer in answers {
            match answer {
                // A creation that took longer than its answer was waited for, or another's: whoever begins looks at it.
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((_, code)) => return Err(self.error(code, &what)),
            }
        }
        Ok(())
    }

    /// Offsets that the group has committed: topic, partition, offset.
    ///
    /// # Errors
    /// The cluster does not answer, or we may not see them.
    pub fn committed(
        &self,
        topics: &[(&str, usize)],
    ) -> Result<Vec<(String, i32, i64)>, AdminError> {
        let mut asked = TopicPartitionList::new();
        for (topic, partitions) in topics {
            let last = i32::try_from(*partitions).unwrap_or(i32::MAX) - 1;
            asked.add_partition_range(topic, 0, last);
        }
        let what = format!("see the offsets of the group {}", self.group_id);
        let answer = self.consumer.committed_offsets(asked, self.wait);
        let answer = answer.map_err(|error| self.kafka_error(&error, &what))?;
        let elements = answer.elements();
        let known = elements
            .iter()
            .filter_map(|element| match element.offset() {
                Offset::Offset(offset) => {
                    Some((element.topic().to_owned(), element.partition(), offset))
                }
                _ => None,
            });
        Ok(known.collect())
    }

    /// Settings of all clients.
    pub(crate) fn config(&self) -> &ClientConfig {
        &self.config
    }

    /// How clients log and get tokens.
    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// The group of the configuration.
    pub(crate) fn group_id(&self) -> &str {
        &self.group_id
    }

    /// How long an answer is waited for.
    pub(crate) fn wait(&self) -> Duration {
        self.wait
    }

    fn client(&self) -> Result<AdminClient<Context>, AdminError> {
        let admin: AdminClient<Context> = self
            .config
            .create_with_context(self.context.clone())
            .map_err(|error| AdminError::Settings(self.context.describe(&error)))?;
        authenticate(admin.inner(), &self.context)?;
        Ok(admin)
    }

    fn options(&self) -> AdminOptions {
        AdminOptions::new()
            .request_timeout(Some(self.wait))
            .operation_timeout(Some(self.wait))
    }

    fn answer<T>(
        &self,
        future: impl Future<Output = Result<T, KafkaError>>,
        what: &str,
    ) -> Result<T, AdminError> {
        match block_on(future, self.wait + ATTEMPT) {
            Some(answer) => answer.map_err(|error| self.kafka_error(&error, what)),
            None => Err(self.unreachable()),
        }
    }

    fn kafka_error(&self, error: &KafkaError, what: &str) -> AdminError {
        match error.rdkafka_error_code() {
            Some(code) => self.error(code, what),
            None => AdminError::Refused {
                what: what.to_owned(),
                why: self.context.describe(error),
            },
        }
    }

    fn error(&self, code: RDKafkaErrorCode, what: &str) -> AdminError {
        use RDKafkaErrorCode as Code;
        self.drain();
        match code {
            Code::OperationTimedOut
            | Code::RequestTimedOut
            | Code::AllBrokersDown
            | Code::BrokerTransportFailure
            | Code::MessageTimedOut => self.unreachable(),
            Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::TransactionalIdAuthorizationFailed => AdminError::Denied {
                what: what.to_owned(),
            },
            other => AdminError::Refused {
                what: what.to_owned(),
                why: other.to_string(),
            },
        }
    }
}

/// Gives a client its first token: nobody polls it while it waits for its first answer.
pub(crate) fn authenticate<C: ClientContext>(
    client: &Client<C>,
    context: &Context,
) -> Result<(), AdminError> {
    if !context.has_token() {
        return Ok(());
    }
    let token = context
        .token()
        .map_err(|error| AdminError::Settings(error.to_string()))?;
    native::set_token(client, &token).map_err(AdminError::Settings)
}

/// Whether the group has no home for a moment: a broker has just started, or another takes over.
fn is_moving(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::NotCoordinator
            | RDKafkaErrorCode::CoordinatorLoadInProgress
            | RDKafkaErrorCode::CoordinatorNotAvailable
    )
}

fn state(topic: &native::Topic) -> TopicState {
    match topic.error {
        None => TopicState::Present {
            id: TopicId(topic.id),
            partitions: topic.partitions,
            replicas: topic.replicas,
            rights: topic.rights,
        },
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
            TopicState::Missing
        }
        Some(RDKafkaErrorCode::TopicAuthorizationFailed) => TopicState::Hidden,
        Some(code) => TopicState::Unknown(code.to_string()),
    }
}

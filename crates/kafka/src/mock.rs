//! librdkafka's own mock cluster, for the demo: brokers in this process, on loopback, that forget everything.
//!
//! What it cannot do is said here once. Nothing else in this crate knows of it: the clients are those of production.

use std::collections::BTreeMap;

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use settlewatch_config::{Kafka, Output, Stream, is_loopback_host};

use crate::admin::Cluster;
use crate::checks::{Checked, CheckedFeed, CheckedInput, Partitioner};

/// What a real cluster does and the mock does not, for people.
pub const LIMITS_OF_THE_MOCK: [&str; 4] = [
    "timestamps are the client's: the broker has no clock of its own",
    "transactions are answered, but what was aborted stays visible",
    "topics have no settings, rights or identities, so none are checked",
    "old records are dropped by size alone; nothing is deleted on request",
];

/// A mock cluster of one broker. It ends with this value.
pub struct Mock {
    _cluster: MockCluster<'static, DefaultProducerContext>,
    bootstrap: String,
}

/// The mock cluster could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum MockError {
    /// It cannot be started, or a topic cannot be made.
    #[error("the mock cluster failed: {0}")]
    Failed(#[from] rdkafka::error::KafkaError),
    /// Somebody wants to reach it from elsewhere.
    #[error(
        "the mock cluster listens at {0}, which is not loopback: it keeps no promise and is refused"
    )]
    NotLoopback(String),
}

impl Mock {
    /// Starts a broker with these topics.
    ///
    /// # Errors
    /// [`MockError`].
    pub fn start<'a>(
        topics: impl IntoIterator<Item = &'a str>,
        partitions: i32,
    ) -> Result<Self, MockError> {
        let cluster = MockCluster::new(1)?;
        for topic in topics {
            cluster.create_topic(topic, partitions, 1)?;
        }
        let bootstrap = cluster.bootstrap_servers();
        let is_near = |server: &str| {
            let host = server.rsplit_once(':').map_or(server, |(host, _)| host);
            is_loopback_host(host)
        };
        if !bootstrap.split(',').all(is_near) {
            return Err(MockError::NotLoopback(bootstrap));
        }
        Ok(Self {
            _cluster: cluster,
            bootstrap,
        })
    }

    /// Where it listens.
    pub fn bootstrap_servers(&self) -> &str {
        &self.bootstrap
    }

    /// What the checks would have found, could the mock be asked.
    pub fn checked(&self, kafka: &Kafka, streams: &[Stream], numbers: i32) -> Checked {
        let by_payment = streams
            .iter()
            .zip(0..)
            .filter(|(stream, _)| !stream.keyed_other);
        Checked {
            cluster: Cluster {
                id: format!("mock of {}", kafka.group_id),
                brokers: Vec::new(),
            },
            numbers,
            inputs: by_payment
                .map(|(stream, rank)| CheckedInput {
                    rank,
                    topic: stream.topic.clone(),
                    log_append_time: false,
                    partitioner: Partitioner::Murmur2,
                })
                .collect(),
            feeds: streams
                .iter()
                .zip(0..)
                .filter(|(stream, _)| stream.keyed_other)
                .map(|(stream, rank)| CheckedFeed {
                    rank,
                    topic: stream.topic.clone(),
                    partitions: numbers,
                    log_append_time: false,
                })
                .collect(),
            stamps: false,
            ids: BTreeMap::new(),
            notices: Vec::new(),
            findings: Vec::new(),
        }
    }
}

/// Every topic of a configuration.
pub fn topics_of<'a>(streams: &'a [Stream], output: &'a Output) -> impl Iterator<Item = &'a str> {
    let inputs = streams.iter().map(|stream| stream.topic.as_str());
    let outputs = [
        &output.alerts,
        &output.dead_letters,
        &output.pairs,
        &output.state,
        &output.incidents,
        &output.watch_state,
        &output.pulse,
    ];
    inputs.chain(outputs.map(String::as_str))
}

//! One broker, or three.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use tempfile::TempDir;

use super::node::{Node, Place};
use super::ports::free_port;
use super::secure::{Login, Security};
use super::topics::Admin;

/// What a cluster is like.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whether there are three brokers instead of one: three replicas, of which two must have a record.
    pub three: bool,
    /// Whether clients need TLS and SCRAM, and rights.
    pub secure: bool,
    /// Further settings of the brokers.
    pub properties: Vec<(&'static str, String)>,
    /// How much memory brokers get for thousands of partitions, in MiB; `None` is enough for a test's.
    pub heap_mib: Option<u32>,
}

/// Enough for what a test has.
const HEAP_MIB: u32 = 256;

/// Brokers that run. They end with it.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Mutex<Node>>,
    addresses: Vec<String>,
    security: Option<Security>,
    // Last: the folder goes when the brokers are gone.
    folder: TempDir,
}

/// What every test wants of its brokers, so that time-outs are seconds.
const PROPERTIES: [(&str, &str); 5] = [
    (
        "transaction.abort.timed.out.transaction.cleanup.interval.ms",
        "500",
    ),
    ("group.min.session.timeout.ms", "1000"),
    ("log.message.timestamp.before.max.ms", "9223372036854775807"),
    ("log.initial.task.delay.ms", "1000"),
    ("log.retention.check.interval.ms", "1000"),
];

/// What three brokers need on top.
const OF_THREE: [(&str, &str); 8] = [
    ("default.replication.factor", "3"),
    ("min.insync.replicas", "2"),
    ("offsets.topic.replication.factor", "3"),
    ("transaction.state.log.replication.factor", "3"),
    ("transaction.state.log.min.isr", "2"),
    ("broker.session.timeout.ms", "3000"),
    ("broker.heartbeat.interval.ms", "500"),
    ("controller.quorum.election.timeout.ms", "1000"),
];

static SHARED: Mutex<Option<Arc<Cluster>>> = Mutex::new(None);

impl Cluster {
    /// Starts brokers and waits until they serve. With `SETTLEWATCH_KEEP` in the environment their folder, with all
    /// logs, stays.
    ///
    /// # Panics
    /// When they cannot be started.
    pub fn start(options: &Options) -> Self {
        let mut folder = tempfile::tempdir().expect("a temporary folder can be made");
        if std::env::var_os("SETTLEWATCH_KEEP").is_some() {
            folder.disable_cleanup(true);
            println!("logs stay in {}", folder.path().display());
        }
        let count = if options.three { 3 } else { 1 };
        let places: Vec<Place> = (1..=count)
            .map(|id| Place {
                id,
                folder: folder.path().join(format!("node-{id}")),
                port: free_port(),
                controller_port: free_port(),
                directory_id: kafka_id(),
                heap_mib: options.heap_mib.unwrap_or(HEAP_MIB),
            })
            .collect();
        let security = options
            .secure
            .then(|| Security::make(folder.path(), &places[0]));
        let more = properties(options, &places, security.as_ref());
        let controllers = options.three.then(|| controllers(&places));
        let users = security.as_ref().map(Security::users).unwrap_or_default();
        let cluster = kafka_id();
        let format = |place: Place| {
            place.write(&with_listeners(&more, &place, options));
            Node::format(place, &cluster, controllers.as_deref(), &users)
        };
        let mut nodes: Vec<Node> = places.into_iter().map(format).collect();
        nodes.iter_mut().for_each(Node::start);
        nodes.iter_mut().for_each(Node::wait_until_ready);
        Self {
            addresses: nodes.iter().map(Node::address).collect(),
            nodes: nodes.into_iter().map(Mutex::new).collect(),
            security,
            folder,
        }
    }

    /// One broker that all tests share that do it no harm. It runs until [`Cluster::end_shared`].
    pub fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let started = shared.get_or_insert_with(|| Arc::new(Self::start(&Options::default())));
        Arc::clone(started)
    }

    /// Ends the shared broker, once nobody has it any more.
    pub fn end_shared() {
        *SHARED.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Where clients begin.
    pub fn address(&self) -> String {
        self.addresses.join(",")
    }

    /// A broker, from 0, to be stopped, killed, paused or started again.
    pub fn node(&self, index: usize) -> MutexGuard<'_, Node> {
        self.nodes[index]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A folder that goes when the cluster goes.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// What a client needs that may do everything.
    pub fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", self.address())
            // Tests stop brokers; clients must not shout about it.
            .set("log.connection.close", "false")
            .set("reconnect.backoff.max.ms", "500")
            .set_log_level(RDKafkaLogLevel::Emerg);
        for (name, value) in self.login(Login::Admin) {
            config.set(name, value);
        }
        config
    }

    /// What a client needs to be somebody; nothing where nobody asks.
    pub fn login(&self, login: Login) -> Vec<(String, String)> {
        let security = self.security.as_ref();
        security.map(|it| it.login(login)).unwrap_or_default()
    }

    /// Makes topics and changes them.
    pub fn admin(&self) -> Admin {
        Admin::new(&self.client())
    }
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(own).collect()
}

fn properties(
    options: &Options,
    places: &[Place],
    security: Option<&Security>,
) -> Vec<(String, String)> {
    let mut all = owned(&PROPERTIES);
    if options.three {
        all.extend(owned(&OF_THREE));
        let voters = places
            .iter()
            .map(|place| format!("127.0.0.1:{}", place.controller_port));
        let voters: Vec<String> = voters.collect();
        all.push((
            "controller.quorum.bootstrap.servers".into(),
            voters.join(","),
        ));
    }
    all.extend(security.map(Security::properties).unwrap_or_default());
    let given = options.properties.iter();
    all.extend(given.map(|(name, value)| ((*name).to_owned(), value.clone())));
    all
}

/// Listeners differ from node to node.
fn with_listeners(
    more: &[(String, String)],
    place: &Place,
    options: &Options,
) -> Vec<(String, String)> {
    let mut all = more.to_vec();
    if options.secure {
        let (port, controller) = (place.port, place.controller_port);
        let listeners = format!("SASL_SSL://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}");
        all.push(("listeners".into(), listeners.clone()));
        all.push(("advertised.listeners".into(), listeners));
    }
    all
}

fn controllers(places: &[Place]) -> String {
    let named = places.iter().map(|place| {
        let (id, port, directory) = (place.id, place.controller_port, &place.directory_id);
        format!("{id}@127.0.0.1:{port}:{directory}")
    });
    named.collect::<Vec<_>>().join(",")
}

/// A random id as Kafka writes them: 128 bits in base64 for URLs. Its first sign is a letter: the tool would take
/// a dash for an option.
fn kafka_id() -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let random = |salt: u64| RandomState::new().hash_one(salt);
    let bits = u128::from(random(1)) << 64 | u128::from(random(2)) | 1 << 100;
    let sign = |index: u128| char::from(SIGNS[usize::try_from(index).expect("below 64")]);
    let first = sign(bits >> 123);
    let middle = (1..21).map(|i| sign(bits >> (122 - 6 * i + 1) & 63));
    // The last sign carries two bits.
    let last = sign((bits & 3) << 4);
    [first].into_iter().chain(middle).chain([last]).collect()
}

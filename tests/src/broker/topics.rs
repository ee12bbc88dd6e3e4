//! Topics, made and changed.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::metadata::MetadataPartition;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::wait::until;

const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Makes topics and changes them.
pub struct Admin {
    client: AdminClient<DefaultClientContext>,
    consumer: BaseConsumer,
    /// For whom a partition ends where a transaction is open.
    committed: BaseConsumer,
}

impl Admin {
    pub(super) fn new(config: &ClientConfig) -> Self {
        let consumer = |level| {
            let mut config = config.clone();
            config.set("isolation.level", level);
            config.create().expect("the settings make a client")
        };
        Self {
            client: config.create().expect("the settings make a client"),
            consumer: consumer("read_uncommitted"),
            committed: consumer("read_committed"),
        }
    }

    fn options() -> AdminOptions {
        AdminOptions::new()
            .operation_timeout(Some(ANSWER_WITHIN))
            .request_timeout(Some(ANSWER_WITHIN))
    }

    /// Makes a topic with these settings, and waits until it has leaders.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn create(&self, name: &str, partitions: usize, settings: &[(&str, &str)]) {
        let count = i32::try_from(partitions).expect("partitions are few");
        let mut topic = NewTopic::new(name, count, TopicReplication::Fixed(-1));
        for &(name, value) in settings {
            topic = topic.set(name, value);
        }
        let made = block_on(self.client.create_topics([&topic], &Self::options()));
        for result in made.expect("the brokers answer") {
            result.unwrap_or_else(|(name, code)| panic!("{name} cannot be made: {code}"));
        }
        self.until_led(name, partitions);
    }

    fn until_led(&self, name: &str, partitions: usize) {
        let led = || {
            let metadata = self
                .consumer
                .fetch_metadata(Some(name), Duration::from_secs(2))
                .ok()?;
            let topic = metadata.topics().first()?;
            let led = topic.partitions().iter().filter(|it| it.leader() >= 0);
            (led.count() == partitions).then_some(())
        };
        until(
            &format!("{name} has {partitions} partitions"),
            ANSWER_WITHIN,
            led,
        );
    }

    /// Gives a topic more partitions.
    ///
    /// # Panics
    /// When that cannot be done.
    pub fn grow(&self, name: &str, partitions: usize) {
        let grown = NewPartitions::new(name, partitions);
        let answer = block_on(self.client.create_partitions([&grown], &Self::options()));
        for result in answer.expect("the brokers answer") {
            result.unwrap_or_else(|(name, code)| panic!("{name} cannot grow: {code}"));
        }
        self.until_led(name, partitions);
    }

    /// Deletes the records of a partition before `offset`, as retention would.
    ///
    /// # Panics
    /// When that cannot be done.
    pub fn delete_before(&self, topic: &str, partition: i32, offset: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Offset(offset))
            .expect("an offset");
        block_on(self.client.delete_records(&list, &Self::options())).expect("the brokers answer");
        until("records are deleted", ANSWER_WITHIN, || {
            let (low, _) = self.ends(topic, partition);
            (low >= offset).then_some(())
        });
    }

    /// Whether every partition of every topic has so many replicas in sync.
    pub fn is_replicated(&self, replicas: usize) -> bool {
        let Ok(metadata) = self.consumer.fetch_metadata(None, Duration::from_secs(2)) else {
            return false;
        };
        let partitions = metadata
            .topics()
            .iter()
            .flat_map(|topic| topic.partitions());
        let in_sync = |it: &MetadataPartition| it.leader() >= 0 && it.isr().len() >= replicas;
        metadata.brokers().len() >= replicas && partitions.into_iter().all(in_sync)
    }

    /// The first offset of a partition and the one after the last, markers and open transactions included.
    ///
    /// # Panics
    /// When the broker does not say.
    pub fn ends(&self, topic: &str, partition: i32) -> (i64, i64) {
        ends(&self.consumer, topic, partition)
    }

    /// Whether a transaction is open in a partition.
    ///
    /// # Panics
    /// When the broker does not say.
    pub fn is_open(&self, topic: &str, partition: i32) -> bool {
        // The committed end first: what ends in between counts as open.
        let (_, committed) = ends(&self.committed, topic, partition);
        committed < self.ends(topic, partition).1
    }
}

fn ends(consumer: &BaseConsumer, topic: &str, partition: i32) -> (i64, i64) {
    let asked = || {
        let wait = Duration::from_secs(2);
        consumer.fetch_watermarks(topic, partition, wait).ok()
    };
    until(
        &format!("the ends of {topic}-{partition}"),
        ANSWER_WITHIN,
        asked,
    )
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for a future on this thread.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(done) => return done,
            Poll::Pending => std::thread::park_timeout(Duration::from_secs(1)),
        }
    }
}

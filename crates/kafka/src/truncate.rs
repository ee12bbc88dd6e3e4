//! Deletes what the state topic does not need any more.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::config::ClientConfig;
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::client::Context;

const PATIENCE: Duration = Duration::from_secs(5);

/// Deletes records of the state topic.
pub(crate) struct Truncator {
    admin: AdminClient<Context>,
    topic: String,
}

impl Truncator {
    pub(crate) fn new(base: &ClientConfig, context: Context, topic: String) -> KafkaResult<Self> {
        Ok(Self {
            admin: base.create_with_context(context)?,
            topic,
        })
    }

    /// Deletes the records of a partition before an offset. That it fails costs room, nothing else: the next
    /// snapshot tries again.
    pub(crate) fn delete_before(&self, partition: i32, before: i64) {
        let mut list = TopicPartitionList::new();
        if list
            .add_partition_offset(&self.topic, partition, Offset::Offset(before))
            .is_err()
        {
            return;
        }
        let options = AdminOptions::new()
            .request_timeout(Some(PATIENCE))
            .operation_timeout(Some(PATIENCE));
        match block_on(self.admin.delete_records(&list, &options), PATIENCE) {
            Some(Ok(_)) => {}
            Some(Err(error)) => tracing::warn!(%error, partition, "old state was not deleted"),
            None => tracing::warn!(partition, "old state was not deleted in time"),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for an answer on this thread.
pub(crate) fn block_on<T>(future: impl Future<Output = T>, patience: Duration) -> Option<T> {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = TaskContext::from_waker(&waker);
    let mut future = pin!(future);
    let deadline = Instant::now() + patience;
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return Some(done);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        std::thread::park_timeout(left);
    }
}

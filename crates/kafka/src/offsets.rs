//! Offsets in a transaction, by a call that the client may not come back from.
//!
//! Where the group's coordinator leaves the cluster, as in any restart of a broker, librdkafka waits for it for ever,
//! whatever time-out it was given (its issues 5456 and 5511, at least up to 2.14). So the call is made on a thread that
//! can be left behind. The producer lives as long as that thread; the next one of its transactional id fences it.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::producer::{Producer, ProducerContext, ThreadedProducer};
use rdkafka::topic_partition_list::TopicPartitionList;

/// The call has its own time-out; beyond that and this it will not come back.
const MARGIN: Duration = Duration::from_secs(1);

/// Adds offsets to the transaction of a producer.
///
/// # Errors
/// What the client says, or that it does not come back: then the producer is of no use any more.
pub(crate) fn send_offsets<C: ProducerContext + 'static>(
    producer: &Arc<ThreadedProducer<C>>,
    offsets: &TopicPartitionList,
    group: &Arc<ConsumerGroupMetadata>,
    patience: Duration,
) -> KafkaResult<()> {
    let (answer, answered) = channel();
    let (theirs, list, members) = (Arc::clone(producer), offsets.clone(), Arc::clone(group));
    let call = move || {
        let sent = theirs.send_offsets_to_transaction(&list, &members, patience);
        // Whoever was left behind is not listened to.
        let _ = answer.send(sent);
    };
    let thread = std::thread::Builder::new().name("offsets".into());
    if let Err(error) = thread.spawn(call) {
        tracing::error!(%error, "no thread can be started to send offsets");
        return Err(KafkaError::Canceled);
    }
    answered
        .recv_timeout(patience + MARGIN)
        .unwrap_or_else(|_| {
            tracing::error!(
                "the client does not come back from sending offsets: a new producer takes over"
            );
            Err(KafkaError::Canceled)
        })
}

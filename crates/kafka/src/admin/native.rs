//! What rdkafka does not wrap: descriptions of topics and groups with their ids and our rights, a token for a client
//! that nobody polls, and the end of a partition as a consumer has last heard it.
//!
//! The one module with unsafe code. It keeps to four rules: every object that librdkafka hands out is an [`Owned`],
//! freed once and before the client, which is borrowed throughout; what is read out of an answer is copied before
//! the answer is freed; strings and arrays that are handed in live until the call returns, which copies them; no
//! function of ours is called from C.
#![allow(unsafe_code, reason = "see the rules above")]

use std::ffi::{CStr, CString, c_char};
use std::ptr::{NonNull, null_mut};
use std::time::Duration;

use rdkafka::bindings as sys;
use rdkafka::client::{Client, ClientContext, OAuthToken};
use rdkafka::error::RDKafkaErrorCode;

use super::rights::Rights;

/// What an answer says about a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Topic {
    pub(super) name: String,
    /// The identity that a topic of the same name, made anew, does not have.
    pub(super) id: u128,
    pub(super) partitions: usize,
    /// Replicas of the partition that has the fewest.
    pub(super) replicas: usize,
    pub(super) rights: Option<Rights>,
    pub(super) error: Option<RDKafkaErrorCode>,
}

/// An object of librdkafka that is ours to free.
struct Owned<T> {
    object: NonNull<T>,
    free: unsafe extern "C" fn(*mut T),
}

impl<T> Owned<T> {
    /// # Safety
    /// `object` is null, or nobody else frees it and `free` may.
    unsafe fn new(object: *mut T, free: unsafe extern "C" fn(*mut T)) -> Option<Self> {
        let object = NonNull::new(object)?;
        Some(Self { object, free })
    }

    fn as_ptr(&self) -> *mut T {
        self.object.as_ptr()
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: by the contract of `new`.
        unsafe { (self.free)(self.object.as_ptr()) }
    }
}

/// Answers come later than the time-out of their request by what the client needs to notice.
const GRACE: Duration = Duration::from_secs(1);

/// Where a partition ended by the last answer to a fetch of it; `None` where there was none. Nothing is asked.
pub(crate) fn seen_end<C: ClientContext>(
    client: &Client<C>,
    topic: &str,
    partition: i32,
) -> Option<i64> {
    let topic = CString::new(topic).ok()?;
    let (mut low, mut high) = (-1, -1);
    // SAFETY: the client and the topic's name live longer than this call, which writes both numbers and keeps no pointer.
    let error = unsafe {
        sys::rd_kafka_get_watermark_offsets(
            client.native_ptr(),
            topic.as_ptr(),
            partition,
            &raw mut low,
            &raw mut high,
        )
    };
    let is_known = error == sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
    (is_known && high >= 0).then_some(high)
}

/// Describes topics.
pub(super) fn describe_topics<C: ClientContext>(
    client: &Client<C>,
    names: &[&str],
    wait: Duration,
) -> Result<Vec<Topic>, RDKafkaErrorCode> {
    let names = c_strings(names)?;
    let mut pointers = pointers(&names);
    // SAFETY: the pointers are those of strings that live longer than this call.
    let collection = unsafe {
        Owned::new(
            sys::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len()),
            sys::rd_kafka_TopicCollection_destroy,
        )
    };
    let collection = collection.ok_or(RDKafkaErrorCode::InvalidArgument)?;
    let op = sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS;
    let event = ask(client, op, wait, |client, options, queue| {
        // SAFETY: all four are alive; the client copies the collection and the options.
        unsafe { sys::rd_kafka_DescribeTopics(client, collection.as_ptr(), options, queue) }
    })?;
    let mut count = 0;
    // SAFETY: the event is alive, and so is what it holds; a null result is asked nothing.
    let topics = unsafe {
        let result = sys::rd_kafka_event_DescribeTopics_result(event.as_ptr());
        if result.is_null() {
            return Err(RDKafkaErrorCode::BadMessage);
        }
        elements(
            sys::rd_kafka_DescribeTopics_result_topics(result, &raw mut count),
            count,
        )
    };
    // SAFETY: as above; every element is a description.
    Ok(topics.map(|topic| unsafe { read_topic(topic) }).collect())
}

/// What we may do with a group.
pub(super) fn describe_group<C: ClientContext>(
    client: &Client<C>,
    group: &str,
    wait: Duration,
) -> Result<Option<Rights>, RDKafkaErrorCode> {
    let names = c_strings(&[group])?;
    let mut pointers = pointers(&names);
    let op = sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS;
    let event = ask(client, op, wait, |client, options, queue| {
        // SAFETY: all are alive; the client copies the names and the options.
        unsafe {
            sys::rd_kafka_DescribeConsumerGroups(
                client,
                pointers.as_mut_ptr(),
                pointers.len(),
                options,
                queue,
            );
        }
    })?;
    let mut count = 0;
    // SAFETY: the event is alive, and so is what it holds; a null result is asked nothing.
    let mut groups = unsafe {
        let result = sys::rd_kafka_event_DescribeConsumerGroups_result(event.as_ptr());
        if result.is_null() {
            return Err(RDKafkaErrorCode::BadMessage);
        }
        elements(
            sys::rd_kafka_DescribeConsumerGroups_result_groups(result, &raw mut count),
            count,
        )
    };
    let Some(group) = groups.next() else {
        return Err(RDKafkaErrorCode::BadMessage);
    };
    // SAFETY: as above; the element is a description.
    unsafe {
        if let Some(code) = error_of(sys::rd_kafka_ConsumerGroupDescription_error(group)) {
            return Err(code);
        }
        let mut count = 0;
        let first =
            sys::rd_kafka_ConsumerGroupDescription_authorized_operations(group, &raw mut count);
        Ok(rights(first, count))
    }
}

/// Hands a token to a client whose queue nobody polls, so that it cannot ask for one.
pub(super) fn set_token<C: ClientContext>(
    client: &Client<C>,
    token: &OAuthToken,
) -> Result<(), String> {
    let nul = |_| "the token holds a NUL".to_owned();
    let value = CString::new(token.token.as_str()).map_err(nul)?;
    let principal = CString::new(token.principal_name.as_str()).map_err(nul)?;
    let mut message = [0_u8; 512];
    // SAFETY: the strings live longer than the call; the message is as long as is said, and is ended by a NUL.
    let code = unsafe {
        sys::rd_kafka_oauthbearer_set_token(
            client.native_ptr(),
            value.as_ptr(),
            token.lifetime_ms,
            principal.as_ptr(),
            null_mut(),
            0,
            message.as_mut_ptr().cast::<c_char>(),
            message.len(),
        )
    };
    if code == sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
        return Ok(());
    }
    let text = CStr::from_bytes_until_nul(&message).unwrap_or_default();
    Err(text.to_string_lossy().into_owned())
}

type Handle = sys::rd_kafka_t;
type Options = sys::rd_kafka_AdminOptions_t;
type Queue = sys::rd_kafka_queue_t;

/// Sends a request that includes the question what we may do, and waits for its answer.
fn ask<C: ClientContext>(
    client: &Client<C>,
    op: sys::rd_kafka_admin_op_t,
    wait: Duration,
    send: impl FnOnce(*mut Handle, *const Options, *mut Queue),
) -> Result<Owned<sys::rd_kafka_event_t>, RDKafkaErrorCode> {
    let native = client.native_ptr();
    // SAFETY: the client is alive; each object is ours.
    let (options, queue) = unsafe {
        (
            Owned::new(
                sys::rd_kafka_AdminOptions_new(native, op),
                sys::rd_kafka_AdminOptions_destroy,
            ),
            Owned::new(sys::rd_kafka_queue_new(native), sys::rd_kafka_queue_destroy),
        )
    };
    let failed = RDKafkaErrorCode::Fail;
    let (options, queue) = (options.ok_or(failed)?, queue.ok_or(failed)?);
    // SAFETY: the options are alive; no message is asked for; the error, if any, is ours to free.
    unsafe {
        sys::rd_kafka_AdminOptions_set_request_timeout(
            options.as_ptr(),
            millis(wait),
            null_mut(),
            0,
        );
        let error =
            sys::rd_kafka_AdminOptions_set_include_authorized_operations(options.as_ptr(), 1);
        drop(Owned::new(error, sys::rd_kafka_error_destroy));
    }
    send(native, options.as_ptr(), queue.as_ptr());
    // SAFETY: the queue is alive; the event is ours.
    let event = unsafe {
        Owned::new(
            sys::rd_kafka_queue_poll(queue.as_ptr(), millis(wait + GRACE)),
            sys::rd_kafka_event_destroy,
        )
    };
    let event = event.ok_or(RDKafkaErrorCode::OperationTimedOut)?;
    // SAFETY: the event is alive.
    let code = unsafe { sys::rd_kafka_event_error(event.as_ptr()) };
    match code {
        sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(event),
        code => Err(code.into()),
    }
}

fn millis(wait: Duration) -> i32 {
    i32::try_from(wait.as_millis()).unwrap_or(i32::MAX)
}

fn c_strings(names: &[&str]) -> Result<Vec<CString>, RDKafkaErrorCode> {
    let strings = names.iter().map(|name| CString::new(*name));
    strings
        .collect::<Result<_, _>>()
        .map_err(|_| RDKafkaErrorCode::InvalidArgument)
}

fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings.iter().map(|string| string.as_ptr()).collect()
}

/// The elements of an array of pointers.
///
/// # Safety
/// `first` is null, or points to `count` pointers that stay as they are while the elements are used.
unsafe fn elements<'a, T>(first: *mut *const T, count: usize) -> impl Iterator<Item = *const T> + 'a
where
    T: 'a,
{
    let count = if first.is_null() { 0 } else { count };
    // SAFETY: by the contract.
    (0..count).map(move |at| unsafe { *first.add(at) })
}

/// # Safety
/// `topic` is a description that is alive.
unsafe fn read_topic(topic: *const sys::rd_kafka_TopicDescription_t) -> Topic {
    let (mut partitions, mut operations) = (0, 0);
    // SAFETY: by the contract; what is read is copied; every element is a description of a partition.
    unsafe {
        let first = sys::rd_kafka_TopicDescription_partitions(topic, &raw mut partitions);
        let replicas = elements(first, partitions)
            .map(|partition| replicas_of(partition))
            .min();
        let first =
            sys::rd_kafka_TopicDescription_authorized_operations(topic, &raw mut operations);
        let id = sys::rd_kafka_TopicDescription_topic_id(topic);
        Topic {
            name: CStr::from_ptr(sys::rd_kafka_TopicDescription_name(topic))
                .to_string_lossy()
                .into_owned(),
            id: id_of(id),
            partitions,
            replicas: replicas.unwrap_or(0),
            rights: rights(first, operations),
            error: error_of(sys::rd_kafka_TopicDescription_error(topic)),
        }
    }
}

/// # Safety
/// `partition` is a description that is alive.
unsafe fn replicas_of(partition: *const sys::rd_kafka_TopicPartitionInfo_t) -> usize {
    let mut count = 0;
    // SAFETY: by the contract; the replicas themselves are not looked at.
    unsafe { sys::rd_kafka_TopicPartitionInfo_replicas(partition, &raw mut count) };
    count
}

/// # Safety
/// `id` is null or alive.
unsafe fn id_of(id: *const sys::rd_kafka_Uuid_t) -> u128 {
    if id.is_null() {
        return 0;
    }
    // SAFETY: by the contract.
    let (high, low) = unsafe {
        (
            sys::rd_kafka_Uuid_most_significant_bits(id),
            sys::rd_kafka_Uuid_least_significant_bits(id),
        )
    };
    u128::from(high.cast_unsigned()) << 64 | u128::from(low.cast_unsigned())
}

/// # Safety
/// `error` is null or alive.
unsafe fn error_of(error: *const sys::rd_kafka_error_t) -> Option<RDKafkaErrorCode> {
    // SAFETY: by the contract; of no error the code is that of none.
    match unsafe { sys::rd_kafka_error_code(error) } {
        sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => None,
        code => Some(code.into()),
    }
}

/// # Safety
/// `first` is null, or points to `count` operations.
unsafe fn rights(first: *const sys::rd_kafka_AclOperation_t, count: usize) -> Option<Rights> {
    if first.is_null() {
        return None;
    }
    // Read as numbers: a later librdkafka may know an operation that this enumeration does not have.
    let first = first.cast::<u32>();
    // SAFETY: by the contract.
    let operations = (0..count).map(|at| unsafe { *first.add(at) });
    Some(Rights::of(operations))
}

#[cfg(test)]
mod tests {
    use rdkafka::config::ClientConfig;
    use rdkafka::consumer::{BaseConsumer, Consumer};
    use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
    use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

    use super::*;
    use crate::mock::Mock;

    const WAIT: Duration = Duration::from_secs(20);

    #[test]
    fn the_end_of_a_partition_is_seen_when_a_fetch_of_it_is_answered() {
        let mock = Mock::start(["t"], 1).expect("a mock cluster");
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", mock.bootstrap_servers());
        let producer: BaseProducer = config.create().expect("a producer");
        for _ in 0..3 {
            let record = BaseRecord::<(), [u8]>::to("t").partition(0).payload(b"x");
            producer.send(record).expect("room in the queue");
        }
        producer.flush(WAIT).expect("three records are there");
        let consumer: BaseConsumer = config
            .set("group.id", "g")
            .create()
            .expect("a consumer of its own");
        assert_eq!(seen_end(consumer.client(), "t", 0), None, "nothing is read");
        let mut list = TopicPartitionList::new();
        list.add_partition_offset("t", 0, Offset::Beginning)
            .expect("an offset");
        consumer.assign(&list).expect("an assignment");
        assert!(consumer.poll(WAIT).is_some_and(|record| record.is_ok()));
        assert_eq!(seen_end(consumer.client(), "t", 0), Some(3));
        assert_eq!(
            seen_end(consumer.client(), "t", 1),
            None,
            "no such partition"
        );
        assert_eq!(seen_end(consumer.client(), "a\0b", 0), None, "no name");
    }
}

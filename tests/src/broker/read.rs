//! What stands in a topic.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _, Timestamp};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::Value;

use super::cluster::Cluster;

/// All of a topic can be read within this.
const WITHIN: Duration = Duration::from_secs(90);

/// A record as it stands in its topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its topic.
    pub topic: String,
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Its timestamp, in milliseconds since the epoch.
    pub ts: i64,
    /// Whether the timestamp is the broker's.
    pub log_append_time: bool,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value.
    pub value: Option<Vec<u8>>,
    /// Its headers.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Record {
    fn of(message: &BorrowedMessage<'_>) -> Self {
        let headers = message.headers().map(|headers| {
            let own = |header: rdkafka::message::Header<'_, &[u8]>| {
                (header.key.to_owned(), header.value.map(<[u8]>::to_vec))
            };
            headers.iter().map(own).collect()
        });
        Self {
            topic: message.topic().to_owned(),
            partition: message.partition(),
            offset: message.offset(),
            ts: message.timestamp().to_millis().unwrap_or(-1),
            log_append_time: matches!(message.timestamp(), Timestamp::LogAppendTime(_)),
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers: headers.unwrap_or_default(),
        }
    }

    /// Its value as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> Value {
        let value = self.value.as_deref().unwrap_or_default();
        serde_json::from_slice(value).expect("the value is JSON")
    }

    /// The value of a header as text.
    pub fn header(&self, name: &str) -> Option<String> {
        let mut named = self.headers.iter().filter(|(key, _)| key == name);
        let value = named.next()?.1.as_deref()?;
        Some(String::from_utf8_lossy(value).into_owned())
    }
}

/// A topic that is read on and on.
pub struct Tail {
    consumer: BaseConsumer,
    partitions: usize,
    /// Partitions whose end was seen after their last record.
    at_end: BTreeSet<i32>,
    /// What was read so far, in the order of arrival.
    pub records: Vec<Record>,
}

impl Tail {
    /// Reads a topic from its beginning; `committed` alone, or what may still be aborted too.
    ///
    /// # Panics
    /// When it is not there.
    pub fn new(cluster: &Cluster, topic: &str, committed: bool) -> Self {
        let mut config = cluster.client();
        let level = if committed {
            "read_committed"
        } else {
            "read_uncommitted"
        };
        config
            .set("group.id", "settlewatch-test-reader")
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("auto.offset.reset", "earliest")
            .set("fetch.wait.max.ms", "50")
            .set("isolation.level", level);
        let consumer: BaseConsumer = config.create().expect("the settings make a client");
        let metadata = consumer.fetch_metadata(Some(topic), WITHIN);
        let metadata = metadata.unwrap_or_else(|error| panic!("{topic}: {error}"));
        let partitions = metadata.topics()[0].partitions().len();
        assert!(partitions > 0, "there is no topic {topic}");
        let mut list = TopicPartitionList::new();
        for partition in 0..partitions {
            let partition = i32::try_from(partition).expect("partitions are few");
            list.add_partition_offset(topic, partition, Offset::Beginning)
                .expect("an offset");
        }
        consumer.assign(&list).expect("partitions can be assigned");
        Self {
            consumer,
            partitions,
            at_end: BTreeSet::new(),
            records: Vec::new(),
        }
    }

    fn poll(&mut self, wait: Duration) -> bool {
        match self.consumer.poll(wait) {
            None => false,
            Some(Ok(message)) => {
                self.at_end.remove(&message.partition());
                let record = Record::of(&message);
                self.records.push(record);
                true
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                self.at_end.insert(partition);
                true
            }
            // Brokers come and go.
            Some(Err(_)) => true,
        }
    }

    /// Reads what is there.
    pub fn refresh(&mut self) -> &[Record] {
        while self.poll(Duration::from_millis(20)) {}
        &self.records
    }

    /// Reads until every partition was seen at its end.
    ///
    /// # Panics
    /// When that takes too long.
    pub fn to_end(&mut self) -> &[Record] {
        let begin = Instant::now();
        while self.at_end.len() < self.partitions {
            self.poll(Duration::from_millis(50));
            assert!(
                begin.elapsed() < WITHIN,
                "the end of a topic is not reached"
            );
        }
        &self.records
    }

    /// Reads until `enough` of them are there.
    ///
    /// # Panics
    /// When they are not within `deadline`.
    #[track_caller]
    pub fn until(&mut self, what: &str, deadline: Duration, enough: impl Fn(&[Record]) -> bool) {
        let begin = Instant::now();
        while !enough(&self.records) {
            let seen = self.records.len();
            assert!(
                begin.elapsed() < deadline,
                "{what}: not within {deadline:?}; {seen} records"
            );
            self.poll(Duration::from_millis(20));
        }
    }
}

/// Everything that is committed in a topic.
pub fn read_all(cluster: &Cluster, topic: &str) -> Vec<Record> {
    let mut tail = Tail::new(cluster, topic, true);
    tail.to_end();
    tail.records
}

/// Records as `kcat -C -J` prints them, a line each.
pub fn kcat_lines(records: &[Record]) -> Vec<u8> {
    let mut lines = Vec::new();
    for record in records {
        push_line(&mut lines, record);
    }
    lines
}

fn push_line(out: &mut Vec<u8>, record: &Record) {
    let kind = if record.log_append_time {
        "logappend"
    } else {
        "create"
    };
    let (partition, offset, ts) = (record.partition, record.offset, record.ts);
    out.extend_from_slice(b"{\"topic\":");
    push_string(out, Some(record.topic.as_bytes()));
    let place = format!(
        ",\"partition\":{partition},\"offset\":{offset},\"tstype\":\"{kind}\",\"ts\":{ts},\"broker\":1"
    );
    out.extend_from_slice(place.as_bytes());
    if !record.headers.is_empty() {
        out.extend_from_slice(b",\"headers\":[");
        for (i, (name, value)) in record.headers.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            push_string(out, Some(name.as_bytes()));
            out.push(b',');
            push_string(out, value.as_deref());
        }
        out.push(b']');
    }
    out.extend_from_slice(b",\"key\":");
    push_string(out, record.key.as_deref());
    out.extend_from_slice(b",\"payload\":");
    push_string(out, record.value.as_deref());
    out.extend_from_slice(b"}\n");
}

/// kcat copies what is no UTF-8 as it is.
fn push_string(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    let Some(bytes) = bytes else {
        out.extend_from_slice(b"null");
        return;
    };
    out.push(b'"');
    for &byte in bytes {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            8 => out.extend_from_slice(b"\\b"),
            12 => out.extend_from_slice(b"\\f"),
            0..0x20 => out.extend_from_slice(format!("\\u{byte:04X}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_kcat_prints() {
        let record = Record {
            topic: "t".into(),
            partition: 3,
            offset: 7,
            ts: 1_795_634_679_253,
            log_append_time: true,
            key: Some(b"K1".to_vec()),
            value: Some(b"{\"a\":\"\x01\n\xff\"}".to_vec()),
            headers: vec![("h".into(), None), ("e".into(), Some(Vec::new()))],
        };
        let expected = b"{\"topic\":\"t\",\"partition\":3,\"offset\":7,\"tstype\":\"logappend\",\"ts\":1795634679253,\
            \"broker\":1,\"headers\":[\"h\",null,\"e\",\"\"],\"key\":\"K1\",\
            \"payload\":\"{\\\"a\\\":\\\"\\u0001\\n\xff\\\"}\"}\n";
        assert_eq!(kcat_lines(&[record]), expected);
    }
}

//! What a broker answers to the acts that the protocol rests on: transactions, markers, ends, fencing, generations.
//!
//! `tests/data/kafka/history.ndjson` holds acts and answers, a line each; a model of Kafka must answer the same. This
//! test holds the file against a real broker; `SETTLEWATCH_RECORD=1` writes it anew.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerGroupMetadata};
use rdkafka::error::KafkaError;
use rdkafka::message::Message as _;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::{Value, json};
use settlewatch_tests::broker::{Cluster, until};
use settlewatch_tests::harness::{json_lines, root};

const FILE: &str = "tests/data/kafka/history.ndjson";
const TOPIC: &str = "history";
const SHARED: &str = "history-shared";
const GROUP: &str = "history-group";
const WAIT: Duration = Duration::from_secs(20);

/// While it is recorded, a marker is in the log by then.
const MARKED_AFTER: Duration = Duration::from_secs(1);

type Client = ThreadedProducer<DefaultProducerContext>;

struct Recorder<'a> {
    cluster: &'a Cluster,
    producers: BTreeMap<&'static str, Client>,
    members: BTreeMap<&'static str, BaseConsumer>,
    lines: Vec<Value>,
    /// What is expected; nothing while it is recorded.
    recorded: Vec<Value>,
}

/// An answer without its words: whether it went well, or the name of the error.
fn answer(result: Result<(), KafkaError>) -> Value {
    let Err(error) = result else {
        return json!("ok");
    };
    let kind = match &error {
        KafkaError::Transaction(inner) if inner.is_fatal() => "fatal",
        KafkaError::Transaction(inner) if inner.txn_requires_abort() => "abort",
        KafkaError::Transaction(inner) if inner.is_retriable() => "retry",
        _ => "error",
    };
    let code = error.rdkafka_error_code();
    json!({kind: code.map(|code| format!("{code:?}"))})
}

impl Recorder<'_> {
    fn note(&mut self, act: Value, answer: Value) {
        self.lines.push(json!({"act": act, "answer": answer}));
    }

    /// A commit is answered before its marker is in the log: looks until the answer is as recorded, or for long.
    fn look(&mut self, act: Value, look: impl Fn(&Self) -> Value) {
        let begin = Instant::now();
        loop {
            let line = json!({"act": act, "answer": look(self)});
            let enough = match self.recorded.get(self.lines.len()) {
                Some(recorded) => line == *recorded || begin.elapsed() > WAIT,
                None => begin.elapsed() > MARKED_AFTER,
            };
            if enough {
                return self.lines.push(line);
            }
            sleep(Duration::from_millis(100));
        }
    }

    /// A new client of a transactional id; an older client of it lives on.
    fn init(&mut self, name: &'static str, id: &str, timeout_ms: &str) {
        let mut config = self.cluster.client();
        config
            .set("transactional.id", id)
            .set("transaction.timeout.ms", timeout_ms)
            .set("linger.ms", "0");
        let client: Client = config.create().expect("the settings make a client");
        let result = answer(client.init_transactions(WAIT));
        self.producers.insert(name, client);
        self.note(json!({"init": name, "id": id}), result);
        self.ends();
    }

    fn begin(&mut self, name: &'static str) {
        let result = answer(self.producers[name].begin_transaction());
        self.note(json!({"begin": name}), result);
    }

    /// Sends a record; it is acknowledged when this returns.
    fn send(&mut self, name: &'static str) {
        let client = &self.producers[name];
        let record = BaseRecord::to(TOPIC).key("k").payload("v").partition(0);
        let result = client.send(record).map_err(|(error, _)| error);
        let result = answer(result.and_then(|()| client.flush(WAIT)));
        self.note(json!({"send": name}), result);
        self.ends();
    }

    fn commit(&mut self, name: &'static str) {
        let result = answer(self.producers[name].commit_transaction(WAIT));
        self.note(json!({"commit": name}), result);
        self.ends();
        self.read();
    }

    fn abort(&mut self, name: &'static str) {
        let result = answer(self.producers[name].abort_transaction(WAIT));
        self.note(json!({"abort": name}), result);
        self.ends();
        self.read();
    }

    /// The process is gone, its transaction stays.
    fn die(&mut self, name: &'static str) {
        self.producers.remove(name);
        self.note(json!({"die": name}), json!("ok"));
        self.ends();
    }

    fn consumer(&self, level: &str) -> BaseConsumer {
        let mut config = self.cluster.client();
        config
            .set("group.id", "history-reader")
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("isolation.level", level);
        config.create().expect("the settings make a client")
    }

    /// First offset, high watermark, last stable offset.
    fn ends(&mut self) {
        self.look(json!("ends"), |it| {
            let of = |level| {
                let ends = it.consumer(level).fetch_watermarks(TOPIC, 0, WAIT);
                ends.expect("the broker tells ends")
            };
            let ((first, high), (_, stable)) = (of("read_uncommitted"), of("read_committed"));
            json!({"first": first, "high": high, "stable": stable})
        });
    }

    /// Waits for a coordinator that ends a transaction by itself.
    fn until_stable(&mut self) {
        let end = |it: &Self, level: &str| {
            let ends = it.consumer(level).fetch_watermarks(TOPIC, 0, WAIT).ok();
            ends.map(|(_, end)| end)
        };
        until("nothing is open", WAIT, || {
            let (high, stable) = (end(self, "read_uncommitted")?, end(self, "read_committed")?);
            (high == stable).then_some(())
        });
        self.note(json!("until stable"), json!("ok"));
        self.ends();
    }

    /// Offsets that are read at each level, and where the consumer then stands.
    fn read(&mut self) {
        for level in ["read_committed", "read_uncommitted"] {
            self.look(json!({"read": level}), |it| it.read_at(level));
        }
    }

    fn read_at(&self, level: &str) -> Value {
        let consumer = self.consumer(level);
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(TOPIC, 0, Offset::Beginning)
            .expect("an offset");
        consumer.assign(&list).expect("a partition can be assigned");
        let mut offsets = Vec::new();
        loop {
            match consumer.poll(WAIT).expect("a record or the end") {
                Ok(message) => offsets.push(message.offset()),
                Err(KafkaError::PartitionEOF(_)) => break,
                Err(error) => panic!("{error}"),
            }
        }
        let position = consumer.position().expect("it has a position");
        let position = known(position.elements()[0].offset());
        json!({"offsets": offsets, "position": position})
    }

    /// A member joins; the others and it are polled until each has as many partitions as it shall.
    fn join(&mut self, name: &'static str, shares: &[(&'static str, usize)]) {
        let mut config = self.cluster.client();
        config
            .set("group.id", GROUP)
            .set("session.timeout.ms", "6000")
            .set("heartbeat.interval.ms", "200")
            .set("partition.assignment.strategy", "range")
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "earliest");
        let consumer: BaseConsumer = config.create().expect("the settings make a client");
        consumer
            .subscribe(&[SHARED])
            .expect("a topic can be subscribed to");
        self.members.insert(name, consumer);
        until("the group is stable", WAIT, || {
            let has = |(name, share): &(&str, usize)| {
                let member = &self.members[*name];
                // Nothing is in the topic: this serves the group alone.
                let _ = member.poll(Duration::from_millis(20));
                member.assignment().is_ok_and(|list| list.count() == *share)
            };
            let all: Vec<bool> = shares.iter().map(has).collect();
            all.iter().all(|it| *it).then_some(())
        });
        let shares: BTreeMap<&str, usize> = shares.iter().copied().collect();
        self.note(json!({"join": name}), json!(shares));
    }

    /// Offsets in a transaction, with what the member `m` knew of the group when it asked.
    fn offsets(
        &mut self,
        name: &'static str,
        group: &ConsumerGroupMetadata,
        known: &str,
        offset: i64,
    ) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(SHARED, 0, Offset::Offset(offset))
            .expect("an offset");
        let result = self.producers[name].send_offsets_to_transaction(&list, group, WAIT);
        let act = json!({"offsets": name, "member": "m", "known": known, "offset": offset});
        self.note(act, answer(result));
    }

    fn group(&self) -> ConsumerGroupMetadata {
        self.members["m"].group_metadata().expect("it is a member")
    }

    /// What the group has committed.
    fn committed(&mut self) {
        self.look(json!("committed"), |it| {
            let mut list = TopicPartitionList::new();
            list.add_partition(SHARED, 0);
            let found = it.members["m"].committed_offsets(list, WAIT);
            known(found.expect("the group tells").elements()[0].offset())
        });
    }
}

fn known(offset: Offset) -> Value {
    match offset {
        Offset::Offset(offset) => json!(offset),
        _ => Value::Null,
    }
}

fn transactions(it: &mut Recorder<'_>) {
    it.ends();
    it.init("a", "id-1", "60000");
    it.begin("a");
    it.commit("a");
    it.begin("a");
    it.send("a");
    it.init("b", "id-2", "60000");
    it.begin("b");
    it.send("b");
    // A later transaction that is committed waits behind an earlier one that is open.
    it.commit("b");
    it.commit("a");
    it.begin("a");
    it.send("a");
    it.send("a");
    it.abort("a");
}

fn fencing(it: &mut Recorder<'_>) {
    it.begin("a");
    it.send("a");
    it.die("a");
    // The same id ends what was left open.
    it.init("a2", "id-1", "60000");
    it.read();
    it.begin("a2");
    it.send("a2");
    it.init("a3", "id-1", "60000");
    it.commit("a2");
    it.begin("a3");
    it.send("a3");
    it.commit("a3");
    // Nobody ends it but the coordinator.
    it.init("c", "id-3", "2000");
    it.begin("c");
    it.send("c");
    it.until_stable();
    it.commit("c");
}

fn generations(it: &mut Recorder<'_>) {
    it.join("m", &[("m", 2)]);
    let early = it.group();
    it.begin("b");
    it.offsets("b", &early, "its own generation", 7);
    it.commit("b");
    it.committed();
    it.join("n", &[("m", 1), ("n", 1)]);
    it.begin("b");
    it.offsets("b", &early, "the generation before", 9);
    it.abort("b");
    it.committed();
    let late = it.group();
    it.begin("b");
    it.offsets("b", &late, "its own generation", 11);
    it.commit("b");
    it.committed();
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("the history was recorded")
}

pub(crate) fn a_broker_answers_as_recorded() {
    let cluster = Cluster::shared();
    let admin = cluster.admin();
    admin.create(TOPIC, 1, &[]);
    admin.create(SHARED, 2, &[]);
    let path = root().join(FILE);
    let record = std::env::var_os("SETTLEWATCH_RECORD").is_some();
    let recorded = if record { String::new() } else { read(&path) };
    let mut recorder = Recorder {
        cluster: &cluster,
        producers: BTreeMap::new(),
        members: BTreeMap::new(),
        lines: Vec::new(),
        recorded: json_lines(recorded.as_bytes()),
    };
    transactions(&mut recorder);
    fencing(&mut recorder);
    generations(&mut recorder);
    let lines: Vec<String> = recorder.lines.iter().map(Value::to_string).collect();
    if record {
        std::fs::write(&path, lines.join("\n") + "\n").expect("the file can be written");
    }
    let recorded = read(&path);
    for (i, (recorded, now)) in recorded.lines().zip(&lines).enumerate() {
        assert_eq!(now, recorded, "line {}", i + 1);
    }
    assert_eq!(recorded.lines().count(), lines.len());
    assert!(lines.len() > 60, "only {} acts", lines.len());
}

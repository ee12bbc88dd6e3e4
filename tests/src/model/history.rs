//! The model against what a real broker answered: `tests/data/kafka/history.ndjson` holds acts and answers.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use settlewatch_protocol::SourceId;

use super::cluster::{Cluster, Place, Topics};
use super::group::{Assignor, Beat, Group};
use super::kafka::{Coordinator, Kafka, Sides};
use super::log::{Data, Fetched, Status};
use super::transactions::{Answer, Session, Transactions};
use crate::generate::Rng;

/// The topic of the history; its group reads another, of two partitions.
const PLACE: Place = Place {
    topic: 0,
    partition: 0,
};

/// Markers and rebalances are through by then.
const SETTLES_MS: i64 = 300;

/// After so long the coordinator ends a transaction by itself.
const TIMEOUT_MS: i64 = 30_000;

/// A member of the group: its id, and every generation that it was assigned in.
#[derive(Debug)]
struct Joined {
    id: u64,
    generations: Vec<i32>,
}

/// The model, asked as a client asks.
struct Asked {
    kafka: Kafka,
    sessions: BTreeMap<String, Session>,
    members: BTreeMap<String, Joined>,
}

/// What the model answers to an act, one after the other; `None` to an act that it does not know.
pub fn answers(acts: &[Value]) -> Vec<Option<Value>> {
    let topics = Topics {
        inputs: 1,
        numbers: 2,
        feeds: 1,
    };
    let coordinator = || Coordinator {
        transactions: Transactions::new(5),
        group: Group::new(Assignor::Range, 1, topics.numbers, 6000),
    };
    let mut asked = Asked {
        kafka: Kafka {
            cluster: Cluster::new(topics, vec![0], 0, &[]),
            of: Sides {
                lanes: coordinator(),
                watch: coordinator(),
            },
            mutes: Vec::new(),
            rng: Rng::new(1),
            begun_by: Vec::new(),
        },
        sessions: BTreeMap::new(),
        members: BTreeMap::new(),
    };
    acts.iter().map(|act| asked.answer(act)).collect()
}

impl Asked {
    /// Time passes; members show that they live.
    fn pass(&mut self, ms: i64) {
        let until = self.kafka.now() + ms;
        while self.kafka.now() < until {
            self.kafka.cluster.now += 10;
            self.kafka.pass();
            let now = self.kafka.now();
            for joined in self.members.values() {
                if self.kafka.of.lanes.group.beat(joined.id, now) == Beat::Rejoin {
                    self.kafka.of.lanes.group.join(Some(joined.id), None, now);
                }
            }
        }
    }

    fn answer(&mut self, act: &Value) -> Option<Value> {
        self.pass(SETTLES_MS);
        let of = |field: &str| act[field].as_str();
        if let Some(level) = of("read") {
            return Some(self.read(level == "read_committed"));
        }
        if let Some(name) = of("init") {
            return self.init(name, of("id")?);
        }
        if let Some(name) = of("send") {
            return self.send(name);
        }
        if let Some(name) = of("commit").or(of("abort")) {
            return self.end(name, of("commit").is_some());
        }
        if let Some(name) = of("join") {
            return self.join(name);
        }
        if let Some(name) = of("offsets") {
            return self.offsets(name, act);
        }
        match act.as_str() {
            Some("ends") => Some(self.ends()),
            Some("committed") => Some(json!(self.kafka.of.lanes.group.offset(SourceId(0), 0))),
            Some("until stable") => {
                self.pass(TIMEOUT_MS);
                Some(json!("ok"))
            }
            // A client begins, and dies, without a word to the broker.
            _ => of("begin").or(of("die")).map(|_| json!("ok")),
        }
    }

    fn ends(&self) -> Value {
        let log = self.kafka.cluster.log(PLACE);
        json!({"first": log.start, "high": log.high, "stable": log.stable()})
    }

    fn read(&self, committed: bool) -> Value {
        let log = self.kafka.cluster.log(PLACE);
        let (offsets, position) = if committed {
            match log.fetch(0, usize::MAX) {
                Fetched::Records(offsets, position) => (offsets, position),
                Fetched::OutOfRange => (Vec::new(), 0),
            }
        } else {
            let is_record = |offset: &i64| log.entry(*offset).status != Status::Marker;
            ((0..log.high).filter(is_record).collect(), log.high)
        };
        // Who has read nothing has no position.
        let position = (position > 0).then_some(position);
        json!({"offsets": offsets, "position": position})
    }

    fn init(&mut self, name: &str, id: &str) -> Option<Value> {
        let id: u32 = id.strip_prefix("id-")?.parse().ok()?;
        loop {
            let now = self.kafka.now();
            let Kafka { of, rng, .. } = &mut self.kafka;
            let transactions = &mut of.lanes.transactions;
            if let Ok(session) = transactions.begin_session(id, TIMEOUT_MS, now, rng) {
                self.sessions.insert(name.to_owned(), session);
                return Some(json!("ok"));
            }
            self.pass(10);
        }
    }

    fn send(&mut self, name: &str) -> Option<Value> {
        let session = *self.sessions.get(name)?;
        let now = self.kafka.now();
        let answer = self.kafka.of.lanes.transactions.add(session, PLACE, now);
        if answer == Answer::Done {
            let pid = Some(session.pid);
            self.kafka.cluster.append(PLACE, Data::default(), pid);
        }
        Some(said(answer))
    }

    fn end(&mut self, name: &str, commit: bool) -> Option<Value> {
        let session = *self.sessions.get(name)?;
        let now = self.kafka.now();
        let Kafka { of, rng, .. } = &mut self.kafka;
        let transactions = &mut of.lanes.transactions;
        Some(said(transactions.end(session, commit, now, rng)))
    }

    /// Somebody joins; how many partitions each member has then.
    fn join(&mut self, name: &str) -> Option<Value> {
        let now = self.kafka.now();
        let joined = Joined {
            id: self.kafka.of.lanes.group.join(None, None, now),
            generations: Vec::new(),
        };
        self.members.insert(name.to_owned(), joined);
        self.pass(SETTLES_MS);
        let mut shares = serde_json::Map::new();
        for (name, joined) in &mut self.members {
            let (generation, by_topic) = self.kafka.of.lanes.group.assignment(joined.id)?;
            joined.generations.push(generation);
            shares.insert(name.clone(), json!(by_topic[0].len()));
        }
        Some(Value::Object(shares))
    }

    fn offsets(&mut self, name: &str, act: &Value) -> Option<Value> {
        let session = *self.sessions.get(name)?;
        let joined = self.members.get(act["member"].as_str()?)?;
        let back = usize::from(act["known"] == "the generation before");
        let generation = *joined.generations.iter().rev().nth(back)?;
        if !self
            .kafka
            .of
            .lanes
            .group
            .accepts(Some((joined.id, generation)))
        {
            return Some(json!({"abort": "IllegalGeneration"}));
        }
        let offsets = vec![(SourceId(0), 0, act["offset"].as_i64()?)];
        let now = self.kafka.now();
        let answer = self
            .kafka
            .of
            .lanes
            .transactions
            .add_offsets(session, &offsets, now);
        Some(said(answer))
    }
}

fn said(answer: Answer) -> Value {
    match answer {
        Answer::Done => json!("ok"),
        Answer::Wait => json!("wait"),
        Answer::Fenced => json!({"fatal": "Fenced"}),
    }
}

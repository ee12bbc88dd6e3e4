//! Topics: that they are there, alike in number, set as they must be, and keyed alike.

use std::collections::BTreeMap;

use settlewatch_config::Stream;

use super::partitioner::Partitioner;
use super::sample::{self, Sample};
use super::{Check, CheckedFeed, CheckedInput, On, replicas};
use crate::admin::{
    AdminError, OwnTopic, Partitions, Right, Rights, TopicId, TopicSettings, TopicState,
};

/// An input that is kept for less than this may be gone after a night.
const KEEP_MS: i64 = 24 * 3_600_000;

/// A topic that is there.
struct Found {
    id: TopicId,
    partitions: usize,
    replicas: usize,
    rights: Option<Rights>,
}

/// A topic that should be there.
struct Wanted {
    key: String,
    name: String,
    rights: &'static [Right],
    own: bool,
}

type Settings = BTreeMap<String, Result<TopicSettings, AdminError>>;

/// What is known of all topics.
pub(super) struct Known {
    pub(super) numbers: i32,
    pub(super) inputs: Vec<CheckedInput>,
    pub(super) feeds: Vec<CheckedFeed>,
    pub(super) ids: BTreeMap<String, TopicId>,
}

impl Check<'_> {
    /// How many partitions there are, the inputs, and all identities; `None` where that cannot be said.
    pub(super) fn look_at_topics(&mut self) -> Option<Known> {
        let found = self.existing()?;
        let ids = found
            .iter()
            .map(|(name, topic)| (name.clone(), topic.id))
            .collect();
        let settings = self.settings(&found)?;
        let numbers = self.counts(&found);
        self.own_topics(&found, &settings);
        let own = self.own.iter().map(|own| own.name.as_str());
        let replicas = own.filter_map(|name| Some((name, found.get(name)?.replicas)));
        let alone = replicas::notice(replicas);
        self.notices.extend(alone);
        let readable = self.inputs_are_readable(&found);
        let inputs = match numbers {
            Some(numbers) if readable => self.inputs(numbers, &settings),
            _ => Vec::new(),
        };
        let feeds = self.feeds(&found, &settings);
        Some(Known {
            numbers: i32::try_from(numbers?).ok()?,
            inputs,
            feeds,
            ids,
        })
    }

    fn keyed(&self) -> Vec<(usize, Stream)> {
        let keyed = self.streams.iter().enumerate();
        keyed
            .filter(|(_, stream)| !stream.keyed_other)
            .map(|(rank, stream)| (rank, stream.clone()))
            .collect()
    }

    fn existing(&mut self) -> Option<BTreeMap<String, Found>> {
        let streams = self.streams.iter().map(|stream| Wanted {
            key: format!("streams.{}", stream.name),
            name: stream.topic.clone(),
            rights: &[Right::Read],
            own: false,
        });
        let own = self.own.iter().map(|topic| Wanted {
            key: topic.key.to_owned(),
            name: topic.name.clone(),
            rights: topic.rights,
            own: true,
        });
        let all: Vec<Wanted> = streams.chain(own).collect();
        let names: Vec<&str> = all.iter().map(|wanted| wanted.name.as_str()).collect();
        let states = match self.admin.topics(&names) {
            Ok(states) => states,
            Err(error) => {
                self.failed(&error);
                return None;
            }
        };
        let mut found = BTreeMap::new();
        for (wanted, state) in all.iter().zip(states) {
            let (key, name) = (&wanted.key, &wanted.name);
            match state {
                TopicState::Present {
                    id,
                    partitions,
                    replicas,
                    rights,
                } => {
                    let topic = Found {
                        id,
                        partitions,
                        replicas,
                        rights,
                    };
                    found.insert(name.clone(), topic);
                }
                TopicState::Missing => self.missing(key, name, wanted.own),
                TopicState::Hidden => self.denied(wanted.rights, On::Topic(name)),
                TopicState::Unknown(why) => self.wrong(
                    format!("the topic `{name}` of `{key}` cannot be seen: {why}"),
                    "try again; if it stays so, see the brokers' logs",
                ),
            }
        }
        Some(found)
    }

    fn missing(&mut self, key: &str, name: &str, own: bool) {
        let remedy = if own {
            "`settlewatch topics --create` makes it".to_owned()
        } else {
            format!("make it with as many partitions as the other inputs, or correct `{key}.topic`")
        };
        self.wrong(
            format!("the topic `{name}` of `{key}` does not exist"),
            remedy,
        );
    }

    fn settings(&mut self, found: &BTreeMap<String, Found>) -> Option<Settings> {
        let names: Vec<&str> = found.keys().map(String::as_str).collect();
        match self.admin.settings(&names) {
            Ok(settings) => Some(settings),
            Err(error) => {
                self.failed(&error);
                None
            }
        }
    }

    /// How many partitions every topic that is keyed by payment has.
    fn counts(&mut self, found: &BTreeMap<String, Found>) -> Option<usize> {
        let keyed = self.keyed();
        let counts: Vec<(&str, usize)> = keyed
            .iter()
            .filter_map(|(_, stream)| {
                let topic = found.get(&stream.topic)?;
                Some((stream.topic.as_str(), topic.partitions))
            })
            .collect();
        let (_, numbers) = *counts.first()?;
        if counts.iter().any(|(_, count)| *count != numbers) {
            self.unequal(&counts);
            return None;
        }
        for topic in self.own.clone() {
            if let Some(own) = found.get(&topic.name)
                && own.partitions != topic.partitions.of(numbers)
            {
                self.odd_count(&topic, own.partitions, numbers);
            }
        }
        (counts.len() == keyed.len()).then_some(numbers)
    }

    fn unequal(&mut self, counts: &[(&str, usize)]) {
        let told: Vec<String> = counts
            .iter()
            .map(|(topic, count)| format!("`{topic}` {count}"))
            .collect();
        let most = counts.iter().map(|(_, count)| *count).max().unwrap_or(0);
        let fewer: Vec<&str> = counts
            .iter()
            .filter(|(_, count)| *count < most)
            .map(|(topic, _)| *topic)
            .collect();
        self.wrong(
            format!(
                "inputs keyed by payment must have the same number of partitions, but have: {}",
                told.join(", ")
            ),
            format!(
                "Kafka takes no partition away: give {} {most} too (kafka-topics.sh --bootstrap-server {} --alter \
                 --topic NAME --partitions {most}), then `settlewatch state migrate --partitions {most}`; or make \
                 the odd topic anew and move its producers there",
                fewer.join(", "),
                self.kafka.bootstrap_servers
            ),
        );
    }

    fn odd_count(&mut self, topic: &OwnTopic, is: usize, numbers: usize) {
        if topic.partitions == Partitions::One {
            return self.wrong(
                format!(
                    "the topic `{}` of `{}` has {is} partitions, but must have one",
                    topic.name, topic.key
                ),
                "name another topic: `settlewatch topics --create` makes it",
            );
        }
        let remedy = match topic.key {
            "output.state" | "output.pairs" => format!(
                "if the inputs were given more partitions: `settlewatch state migrate --partitions {numbers}`; if \
                 nothing ever ran: delete it, `settlewatch topics --create` makes it anew"
            ),
            _ if is < numbers => format!(
                "kafka-topics.sh --bootstrap-server {} --alter --topic {} --partitions {numbers}",
                self.kafka.bootstrap_servers, topic.name
            ),
            _ => "name another topic: `settlewatch topics --create` makes it".to_owned(),
        };
        self.wrong(
            format!(
                "the topic `{}` of `{}` has {is} partitions, but the inputs have {numbers}",
                topic.name, topic.key
            ),
            remedy,
        );
    }

    fn own_topics(&mut self, found: &BTreeMap<String, Found>, settings: &Settings) {
        for topic in self.own.clone() {
            let Some(own) = found.get(&topic.name) else {
                continue;
            };
            let allowed = self.rights(&topic.name, own.rights, topic.rights);
            match settings.get(&topic.name) {
                Some(Ok(actual)) => self.own_settings(&topic, actual, own.partitions),
                // Already told as a missing right.
                Some(Err(AdminError::Denied { .. })) if !allowed => {}
                Some(Err(AdminError::Denied { .. })) | None => {
                    self.denied(&[Right::DescribeConfigs], On::Topic(&topic.name));
                }
                Some(Err(error)) => self.failed(&error.clone()),
            }
        }
    }

    fn own_settings(&mut self, topic: &OwnTopic, actual: &TopicSettings, partitions: usize) {
        let mismatches = topic.mismatches(actual);
        if mismatches.is_empty() {
            self.found(
                &topic.name,
                format!("{partitions} partitions, set as needed"),
            );
            return;
        }
        let told: Vec<String> = mismatches.iter().map(ToString::to_string).collect();
        let set: Vec<String> = mismatches.iter().map(|wrong| wrong.remedy()).collect();
        self.wrong(
            format!(
                "the topic `{}` of `{}` is not set as it must be: {}",
                topic.name,
                topic.key,
                told.join("; ")
            ),
            format!(
                "kafka-configs.sh --bootstrap-server {} --alter --entity-type topics --entity-name {} --add-config {}",
                self.kafka.bootstrap_servers,
                topic.name,
                set.join(",")
            ),
        );
    }

    fn inputs_are_readable(&mut self, found: &BTreeMap<String, Found>) -> bool {
        let mut readable = true;
        for stream in self.streams {
            if let Some(topic) = found.get(&stream.topic) {
                readable &= self.rights(&stream.topic, topic.rights, &[Right::Read]);
            }
        }
        readable
    }

    fn inputs(&mut self, numbers: usize, settings: &Settings) -> Vec<CheckedInput> {
        let keyed = self.keyed();
        let topics: Vec<&str> = keyed
            .iter()
            .map(|(_, stream)| stream.topic.as_str())
            .collect();
        let sample = match sample::read(self.admin, &topics, numbers) {
            Ok(sample) => sample,
            Err(error) => {
                self.failed(&error);
                return Vec::new();
            }
        };
        self.partitioners(&topics, &sample);
        let mut inputs = Vec::new();
        for (at, (rank, stream)) in keyed.iter().enumerate() {
            let set = settings
                .get(&stream.topic)
                .and_then(|set| set.as_ref().ok());
            self.retention(&stream.topic, set);
            let input = CheckedInput {
                rank: u8::try_from(*rank).unwrap_or(u8::MAX),
                topic: stream.topic.clone(),
                log_append_time: self.stamps(&stream.topic, set, sample.log_append_time[at]),
                partitioner: sample.keys.partitioner(at),
            };
            let stamps = if input.log_append_time {
                "LogAppendTime"
            } else {
                "CreateTime"
            };
            let keys = match (sample.keys.count(at), input.partitioner) {
                (0, _) => "no keys yet".to_owned(),
                (few, Partitioner::Unknown) => {
                    format!("{few} keys, too few to tell their partitioner")
                }
                (many, known) => format!("{many} keys, partitioned by {}", known.describe()),
            };
            self.found(
                &stream.topic,
                format!("{numbers} partitions, {stamps}, {keys}"),
            );
            inputs.push(input);
        }
        inputs
    }

    /// The topics of auxiliary events.
    fn feeds(&mut self, found: &BTreeMap<String, Found>, settings: &Settings) -> Vec<CheckedFeed> {
        let others = self.streams.iter().enumerate();
        let others = others.filter(|(_, stream)| stream.keyed_other);
        let mut feeds = Vec::new();
        for (rank, stream) in others {
            let Some(topic) = found.get(&stream.topic) else {
                continue;
            };
            let set = settings.get(&stream.topic).and_then(|it| it.as_ref().ok());
            let kind = set.and_then(|set| set.get("message.timestamp.type"));
            feeds.push(CheckedFeed {
                rank: u8::try_from(rank).unwrap_or(u8::MAX),
                topic: stream.topic.clone(),
                partitions: i32::try_from(topic.partitions).unwrap_or(i32::MAX),
                // Where nobody says so they count as the producers', which is right for both, and slower.
                log_append_time: kind.is_some_and(|kind| kind == "LogAppendTime"),
            });
        }
        feeds
    }

    /// Whether timestamps are the broker's. Where nobody says so they count as the producers', which is right for
    /// both, and slower.
    fn stamps(&mut self, topic: &str, set: Option<&TopicSettings>, seen: Option<bool>) -> bool {
        let kind = set.and_then(|set| set.get("message.timestamp.type"));
        match (kind, seen) {
            // Records from before a change bear the producers' time still.
            (Some(kind), seen) => kind == "LogAppendTime" && seen != Some(false),
            (None, _) => {
                self.notice(
                    format!(
                        "the settings of `{topic}` cannot be seen: its timestamps are taken for the producers'"
                    ),
                    "grant DescribeConfigs on it, if its message.timestamp.type is LogAppendTime",
                );
                false
            }
        }
    }

    fn retention(&mut self, topic: &str, set: Option<&TopicSettings>) {
        let Some(set) = set else { return };
        if set
            .get("cleanup.policy")
            .is_some_and(|policy| policy.contains("compact"))
        {
            self.notice(
                format!(
                    "`{topic}` is compacted: of several events of one payment only the last is kept"
                ),
                "set cleanup.policy=delete",
            );
        }
        let keep = set.get("retention.ms").and_then(|keep| keep.parse().ok());
        if keep.is_some_and(|keep: i64| (0..KEEP_MS).contains(&keep)) {
            self.notice(
                format!("`{topic}` keeps its records for less than a day: a longer outage loses some unread"),
                "set retention.ms to a few days",
            );
        }
    }

    /// Equal numbers of partitions are not enough: the same key must lie in the same number.
    fn partitioners(&mut self, topics: &[&str], sample: &Sample) {
        const REMEDY: &str = "set `partitioner=murmur2_random` in producers that are built on librdkafka (C, Python, Go, \
                              .NET, kcat), which is what Java's do; then write the topic anew, or wait until the old \
                              records are gone";
        for other in 1..topics.len() {
            for one in 0..other {
                let (a, b) = (topics[one], topics[other]);
                let of = |at| sample.keys.partitioner(at);
                if let Some((apart, all)) = sample.keys.apart(one, other) {
                    self.wrong(
                        format!(
                            "the same payments lie in different partitions of `{a}` and `{b}` ({apart} of {all} keys \
                             that both have): `{a}` is partitioned by {}, `{b}` by {}",
                            of(one).describe(),
                            of(other).describe()
                        ),
                        REMEDY,
                    );
                } else if differ(of(one), of(other)) {
                    self.wrong(
                        format!(
                            "`{a}` is partitioned by {}, `{b}` by {}: records of one payment lie in different partitions",
                            of(one).describe(),
                            of(other).describe()
                        ),
                        REMEDY,
                    );
                }
            }
        }
    }
}

/// Whether two topics are known to be partitioned differently.
fn differ(one: Partitioner, other: Partitioner) -> bool {
    use Partitioner::Unknown;
    one != Unknown && other != Unknown && one != other
}

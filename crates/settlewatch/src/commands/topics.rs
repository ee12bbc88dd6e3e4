//! `topics`: what is read and written, how it is and how it must be.

use std::collections::BTreeMap;
use std::io::{Write, stdout};
use std::time::{Duration, Instant};

use settlewatch_config::{Run, Stream};
use settlewatch_kafka::{
    Admin, AdminError, Need, OwnTopic, Partitions, Problem, TopicSettings, TopicState, own_topics,
};

use super::config;
use crate::cli::TopicsArgs;
use crate::exit::{Failed, NotReady};

/// How long the cluster may take for an answer.
const WAIT: Duration = Duration::from_secs(10);

/// How long what was made may take until the brokers know it.
const KNOWN_WITHIN: Duration = Duration::from_secs(30);

/// From one look at what was made to the next.
const AGAIN: Duration = Duration::from_millis(100);

/// The settings of topics that are there, by name.
type Settings = BTreeMap<String, Result<TopicSettings, AdminError>>;

pub(crate) fn run(args: &TopicsArgs) -> anyhow::Result<()> {
    let config = config::for_run(&args.config, args.shadow)?;
    let run = config
        .run
        .as_ref()
        .expect("a configuration that was read to run has all of it");
    let mut survey = Survey::new(run, &config.streams)?;
    let mut wrong = survey.inputs()?;
    let made = if args.create {
        survey.create(args.replication_factor)?
    } else {
        Vec::new()
    };
    wrong += survey.own(&made)?;
    match wrong {
        0 => Ok(()),
        1 => Err(Failed("one topic is not as it must be".into()).into()),
        many => Err(Failed(format!("{many} topics are not as they must be")).into()),
    }
}

/// What is printed, topic by topic.
struct Survey<'a> {
    admin: Admin,
    run: &'a Run,
    streams: &'a [Stream],
    own: Vec<OwnTopic>,
    /// Partitions of the inputs that are keyed by payment, where they agree.
    numbers: Option<usize>,
}

impl<'a> Survey<'a> {
    fn new(run: &'a Run, streams: &'a [Stream]) -> anyhow::Result<Self> {
        let admin = Admin::new(&run.kafka, WAIT).map_err(not_ready)?;
        let first = streams.first().map_or("", |stream| stream.topic.as_str());
        admin.cluster(first).map_err(not_ready)?;
        Ok(Self {
            admin,
            run,
            streams,
            own: own_topics(&run.output),
            numbers: None,
        })
    }

    /// Prints the inputs; how many are wrong.
    fn inputs(&mut self) -> anyhow::Result<usize> {
        let names: Vec<&str> = self.streams.iter().map(|stream| &*stream.topic).collect();
        let states = self.admin.topics(&names).map_err(not_ready)?;
        let mut keyed = Vec::new();
        let mut wrong = 0;
        for (stream, state) in self.streams.iter().zip(&states) {
            let key = format!("streams.{}", stream.name);
            line(&stream.topic, &key, &words(state))?;
            match state {
                TopicState::Present { partitions, .. } if !stream.keyed_other => {
                    keyed.push(*partitions);
                }
                TopicState::Present { .. } => {}
                _ => wrong += 1,
            }
        }
        let all = self
            .streams
            .iter()
            .filter(|stream| !stream.keyed_other)
            .count();
        if keyed.windows(2).any(|pair| pair[0] != pair[1]) {
            writeln!(
                stdout(),
                "    inputs keyed by payment must have the same number of partitions"
            )?;
            wrong += 1;
        } else if keyed.len() == all {
            self.numbers = keyed.first().copied();
        }
        Ok(wrong)
    }

    /// Makes what is missing; the names of what was made.
    fn create(&self, replication: Option<u16>) -> anyhow::Result<Vec<String>> {
        let Some(numbers) = self.numbers else {
            let why = "nothing is made: our topics get as many partitions as the inputs, which do not all exist, \
                       or differ";
            return Err(Failed(why.into()).into());
        };
        let mut made = Vec::new();
        for (topic, state) in self.own.iter().zip(self.own_states()?) {
            if matches!(state, TopicState::Missing) {
                let count = topic.partitions.of(numbers);
                self.admin
                    .create(topic, count, replication)
                    .map_err(not_ready)?;
                let partitions = if count == 1 {
                    "partition"
                } else {
                    "partitions"
                };
                writeln!(stdout(), "made {} with {count} {partitions}", topic.name)?;
                made.push(topic.name.clone());
            }
        }
        Ok(made)
    }

    /// What the brokers say of our topics, once they know those that were made: one that was made a moment ago is not
    /// known to every broker yet, and each question may go to another one.
    fn look(&self, made: &[String]) -> anyhow::Result<(Vec<TopicState>, Settings)> {
        let deadline = Instant::now() + KNOWN_WITHIN;
        loop {
            let states = self.own_states()?;
            let own = self.own.iter().zip(&states);
            let present = own.filter(|(_, state)| matches!(state, TopicState::Present { .. }));
            let names: Vec<&str> = present.map(|(topic, _)| &*topic.name).collect();
            let settings = self.admin.settings(&names).map_err(not_ready)?;
            if are_known(made, &settings) || Instant::now() >= deadline {
                return Ok((states, settings));
            }
            std::thread::sleep(AGAIN);
        }
    }

    fn own_states(&self) -> anyhow::Result<Vec<TopicState>> {
        let names: Vec<&str> = self.own.iter().map(|topic| &*topic.name).collect();
        Ok(self.admin.topics(&names).map_err(not_ready)?)
    }

    /// Prints what is ours; how many are wrong.
    fn own(&self, made: &[String]) -> anyhow::Result<usize> {
        let (states, settings) = self.look(made)?;
        let mut wrong = 0;
        for (topic, state) in self.own.iter().zip(&states) {
            line(&topic.name, topic.key, &words(state))?;
            let good = match (state, settings.get(&topic.name)) {
                (TopicState::Present { partitions, .. }, Some(settings)) => {
                    let alike = self.count(topic, *partitions)?;
                    self.settings(topic, settings.as_ref())? && alike
                }
                (TopicState::Missing, _) if made.contains(&topic.name) => {
                    let within = KNOWN_WITHIN.as_secs();
                    writeln!(
                        stdout(),
                        "    it was made, and is not seen after {within} s: look again without --create"
                    )?;
                    false
                }
                (TopicState::Missing, _) => {
                    writeln!(stdout(), "    --create makes it")?;
                    false
                }
                _ => false,
            };
            wrong += usize::from(!good);
        }
        Ok(wrong)
    }

    fn count(&self, topic: &OwnTopic, partitions: usize) -> anyhow::Result<bool> {
        if topic.partitions == Partitions::One {
            if partitions != 1 {
                writeln!(stdout(), "    it must have one partition")?;
            }
            return Ok(partitions == 1);
        }
        let numbers = self.numbers.unwrap_or(partitions);
        if numbers != partitions {
            writeln!(
                stdout(),
                "    the inputs have {numbers} partitions, and so must it"
            )?;
        }
        Ok(numbers == partitions)
    }

    /// Prints how a topic is set and must be; whether that is the same.
    fn settings(
        &self,
        topic: &OwnTopic,
        settings: Result<&TopicSettings, &AdminError>,
    ) -> anyhow::Result<bool> {
        let settings = match settings {
            Ok(settings) => settings,
            Err(error) => {
                writeln!(stdout(), "    {error}")?;
                return Ok(false);
            }
        };
        for setting in topic.settings {
            let is = settings.get(setting.name).map_or("?", String::as_str);
            let need = match setting.need {
                Need::Any => "as you like".to_owned(),
                need if is == "?" || need.is_met(is) => format!("must be {need}"),
                need => format!("must be {need}   <- wrong"),
            };
            writeln!(stdout(), "    {:24} {is:14} {need}", setting.name)?;
        }
        let wrong = topic.mismatches(settings);
        if !wrong.is_empty() {
            let set: Vec<String> = wrong.iter().map(|wrong| wrong.remedy()).collect();
            writeln!(
                stdout(),
                "    kafka-configs.sh --bootstrap-server {} --alter --entity-type topics --entity-name {} --add-config {}",
                self.run.kafka.bootstrap_servers,
                topic.name,
                set.join(",")
            )?;
        }
        Ok(wrong.is_empty())
    }
}

/// Whether what was made is known to whoever was asked, with its settings; where these may not be seen, waiting does
/// not help.
fn are_known(made: &[String], settings: &Settings) -> bool {
    let is_known = |name: &String| {
        matches!(
            settings.get(name),
            Some(Ok(_) | Err(AdminError::Denied { .. }))
        )
    };
    made.iter().all(is_known)
}

fn line(topic: &str, key: &str, words: &str) -> std::io::Result<()> {
    writeln!(stdout(), "{topic:28} {key:22} {words}")
}

fn words(state: &TopicState) -> String {
    match state {
        TopicState::Present { partitions: 1, .. } => "1 partition".into(),
        TopicState::Present { partitions, .. } => format!("{partitions} partitions"),
        TopicState::Missing => "missing".into(),
        TopicState::Hidden => "hidden: the right Describe is missing".into(),
        TopicState::Unknown(why) => format!("cannot be seen: {why}"),
    }
}

fn not_ready(error: AdminError) -> NotReady {
    NotReady(vec![Problem::from(error)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_is_waited_for_until_its_settings_are_told_or_denied() {
        let made = ["alerts".to_owned(), "state".to_owned()];
        let mut settings = Settings::new();
        assert!(are_known(&[], &settings), "nothing was made");
        settings.insert("alerts".into(), Ok(TopicSettings::new()));
        assert!(!are_known(&made, &settings), "one is not there yet");
        let refused = AdminError::Refused {
            what: "see the settings of state".into(),
            why: "unknown topic".into(),
        };
        settings.insert("state".into(), Err(refused));
        assert!(!are_known(&made, &settings), "a broker does not know it");
        let denied = AdminError::Denied {
            what: "see the settings of state".into(),
        };
        settings.insert("state".into(), Err(denied));
        assert!(are_known(&made, &settings), "waiting gives no right");
        settings.insert("state".into(), Ok(TopicSettings::new()));
        assert!(are_known(&made, &settings));
    }
}

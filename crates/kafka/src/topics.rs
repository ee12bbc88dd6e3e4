//! The topics of a lane, by what the protocol calls them.

use settlewatch_config::{Run, Stream};
use settlewatch_protocol::{SourceId, Topic};

/// Names of topics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics {
    /// Inputs that are keyed by payment, in the order of their ranks.
    pub inputs: Vec<String>,
    /// Alerts.
    pub alerts: String,
    /// Rejected records.
    pub dead_letters: String,
    /// Parcels between partition numbers.
    pub pairs: String,
    /// Claims, steps and snapshots.
    pub state: String,
    /// What the watch hears of each partition number.
    pub pulse: String,
}

impl Topics {
    /// Those of a configuration, whose streams stand in the order of their ranks.
    pub fn of(run: &Run, streams: &[Stream]) -> Self {
        let keyed = streams.iter().filter(|stream| !stream.keyed_other);
        let output = &run.output;
        Self {
            inputs: keyed.map(|stream| stream.topic.clone()).collect(),
            alerts: output.alerts.clone(),
            dead_letters: output.dead_letters.clone(),
            pairs: output.pairs.clone(),
            state: output.state.clone(),
            pulse: output.pulse.clone(),
        }
    }

    /// The name of a topic that is written.
    pub fn output(&self, topic: Topic) -> &str {
        match topic {
            Topic::Alerts => &self.alerts,
            Topic::DeadLetters => &self.dead_letters,
            Topic::Pairs => &self.pairs,
            Topic::State => &self.state,
            Topic::Pulse => &self.pulse,
        }
    }

    /// What is read by number: the inputs, then the pairs topic.
    pub fn sources(&self) -> impl Iterator<Item = (SourceId, &str)> {
        let names = self.inputs.iter().chain([&self.pairs]);
        names
            .enumerate()
            .map(|(i, name)| (SourceId(i as u8), name.as_str()))
    }

    /// The name of a source, or of the state topic, which comes after the last.
    pub fn source(&self, source: SourceId) -> &str {
        let at = usize::from(source.0);
        match self.inputs.get(at) {
            Some(name) => name,
            None if at == self.inputs.len() => &self.pairs,
            None => &self.state,
        }
    }

    /// The source of this name.
    pub fn source_named(&self, topic: &str) -> Option<SourceId> {
        self.sources()
            .find(|&(_, name)| name == topic)
            .map(|(source, _)| source)
    }
}

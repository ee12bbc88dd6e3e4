//! The topics that are ours, and how they must be.

use std::collections::{BTreeMap, BTreeSet};

use settlewatch_config::Output;

use super::rights::Right;

/// How long parcels between partition numbers must be kept: a partition number that is restored reads again what
/// was sent since its last snapshot.
const PAIRS_KEEP_MS: i64 = 7 * 86_400_000;
/// Alert ids are remembered for so long, and `verify` looks at what was decided.
const ALERTS_KEEP_MS: i64 = 35 * 86_400_000;

/// Whoever watches may be away for an hour.
const PULSE_KEEP_MS: i64 = 3_600_000;

/// A topic that we write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnTopic {
    /// The key in the configuration.
    pub key: &'static str,
    /// Its name.
    pub name: String,
    /// How it must be set.
    pub settings: &'static [Setting],
    /// What we do with it.
    pub rights: &'static [Right],
    /// How many partitions it must have.
    pub partitions: Partitions,
}

/// How many partitions a topic of ours must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partitions {
    /// As many as the inputs that are keyed by payment.
    AsInputs,
    /// One: what is in it has one order.
    One,
}

impl Partitions {
    /// The number, where the inputs have `numbers`.
    pub fn of(self, numbers: usize) -> usize {
        match self {
            Self::AsInputs => numbers,
            Self::One => 1,
        }
    }
}

/// A setting of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Kafka's name for it.
    pub name: &'static str,
    /// What is needed.
    pub need: Need,
    /// What a topic gets that is made by us.
    pub made_with: Option<&'static str>,
}

/// What a setting must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Exactly this.
    Is(&'static str),
    /// At least this; −1 means without end.
    AtLeast(i64),
    /// Anything.
    Any,
}

/// A setting that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Kafka's name for it.
    pub name: &'static str,
    /// What it is.
    pub is: String,
    /// What is needed.
    pub need: Need,
}

impl Mismatch {
    /// `NAME=VALUE`, as it should be set.
    pub fn remedy(&self) -> String {
        match self.need {
            Need::Is(value) => format!("{}={value}", self.name),
            Need::AtLeast(least) => format!("{}={least}", self.name),
            Need::Any => self.name.to_owned(),
        }
    }
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is {}, must be {}", self.name, self.is, self.need)
    }
}

impl std::fmt::Display for Need {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Is(value) => f.write_str(value),
            Self::AtLeast(least) => write!(f, "at least {least}"),
            Self::Any => f.write_str("anything"),
        }
    }
}

const fn is(name: &'static str, value: &'static str) -> Setting {
    Setting {
        name,
        need: Need::Is(value),
        made_with: Some(value),
    }
}

const fn at_least(name: &'static str, least: i64, made_with: Option<&'static str>) -> Setting {
    Setting {
        name,
        need: Need::AtLeast(least),
        made_with,
    }
}

/// Acknowledgements say when a record was appended by the broker's clock, which is how that is learnt.
const STAMPED: Setting = is("message.timestamp.type", "LogAppendTime");
/// Every record counts: a later one of the same key does not replace it.
const WHOLE: Setting = is("cleanup.policy", "delete");
/// Chunks of state and dead letters are up to 512 KiB, and something around it.
const ROOM: Setting = at_least("max.message.bytes", 640 << 10, None);

const STATE: [Setting; 5] = [
    WHOLE,
    is("retention.ms", "-1"),
    is("retention.bytes", "-1"),
    STAMPED,
    ROOM,
];
const PAIRS: [Setting; 5] = [
    WHOLE,
    at_least("retention.ms", PAIRS_KEEP_MS, Some("1209600000")),
    is("retention.bytes", "-1"),
    STAMPED,
    ROOM,
];
const ALERTS: [Setting; 4] = [
    WHOLE,
    at_least("retention.ms", ALERTS_KEEP_MS, Some("7776000000")),
    STAMPED,
    ROOM,
];
const DEAD_LETTERS: [Setting; 4] = [
    WHOLE,
    Setting {
        name: "retention.ms",
        need: Need::Any,
        made_with: Some("2592000000"),
    },
    STAMPED,
    ROOM,
];

/// Only the last revision of an incident is kept, and none that is long resolved.
const INCIDENTS: [Setting; 4] = [
    is("cleanup.policy", "compact,delete"),
    at_least("retention.ms", ALERTS_KEEP_MS, Some("7776000000")),
    STAMPED,
    ROOM,
];

/// The watch reads a second once, and again after a restart: it needs no more than what came since its last snapshot.
const PULSE: [Setting; 4] = [
    WHOLE,
    at_least("retention.ms", PULSE_KEEP_MS, Some("86400000")),
    STAMPED,
    ROOM,
];

/// The topics that are written by us.
pub fn own_topics(output: &Output) -> Vec<OwnTopic> {
    let topic = |key, name: &str, settings, rights| OwnTopic {
        key,
        name: name.to_owned(),
        settings,
        rights,
        partitions: Partitions::AsInputs,
    };
    let single = |topic: OwnTopic| OwnTopic {
        partitions: Partitions::One,
        ..topic
    };
    use Right::{Delete, DescribeConfigs, Read, Write};
    vec![
        topic(
            "output.alerts",
            &output.alerts,
            &ALERTS,
            &[Write, DescribeConfigs],
        ),
        topic(
            "output.dead_letters",
            &output.dead_letters,
            &DEAD_LETTERS,
            &[Write, DescribeConfigs],
        ),
        topic(
            "output.pairs",
            &output.pairs,
            &PAIRS,
            &[Read, Write, DescribeConfigs],
        ),
        topic(
            "output.pulse",
            &output.pulse,
            &PULSE,
            &[Read, Write, DescribeConfigs],
        ),
        topic(
            "output.state",
            &output.state,
            &STATE,
            &[Read, Write, Delete, DescribeConfigs],
        ),
        single(topic(
            "output.incidents",
            &output.incidents,
            &INCIDENTS,
            &[Write, DescribeConfigs],
        )),
        single(topic(
            "output.watch_state",
            &output.watch_state,
            &STATE,
            &[Read, Write, Delete, DescribeConfigs],
        )),
    ]
}

impl OwnTopic {
    /// What is not as it must be. A setting that the broker does not name is left alone.
    pub fn mismatches(&self, actual: &BTreeMap<String, String>) -> Vec<Mismatch> {
        let wrong = |setting: &Setting| {
            let is = actual.get(setting.name)?;
            (!setting.need.is_met(is)).then(|| Mismatch {
                name: setting.name,
                is: is.clone(),
                need: setting.need,
            })
        };
        self.settings.iter().filter_map(wrong).collect()
    }
}

impl Need {
    /// Whether a value is what is needed.
    pub fn is_met(self, is: &str) -> bool {
        match self {
            // Lists have no order.
            Self::Is(value) => {
                let list =
                    |text: &'_ str| text.split(',').map(str::to_owned).collect::<BTreeSet<_>>();
                list(is) == list(value)
            }
            Self::AtLeast(least) => is.parse::<i64>().is_ok_and(|is| is == -1 || is >= least),
            Self::Any => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> OwnTopic {
        OwnTopic {
            key: "output.state",
            name: "s".into(),
            settings: &STATE,
            rights: &[],
            partitions: Partitions::AsInputs,
        }
    }

    fn actual(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn what_we_make_is_what_we_need() {
        for settings in [
            &STATE[..],
            &PAIRS,
            &PULSE,
            &ALERTS,
            &DEAD_LETTERS,
            &INCIDENTS,
        ] {
            for setting in settings {
                assert!(
                    setting
                        .made_with
                        .is_none_or(|value| setting.need.is_met(value)),
                    "{}",
                    setting.name
                );
            }
        }
    }

    #[test]
    fn a_state_that_is_compacted_or_forgotten_is_found() {
        let found = state().mismatches(&actual(&[
            ("cleanup.policy", "compact"),
            ("retention.ms", "604800000"),
            ("retention.bytes", "-1"),
            ("max.message.bytes", "1048588"),
        ]));
        let told: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "cleanup.policy is compact, must be delete",
                "retention.ms is 604800000, must be -1"
            ]
        );
        assert_eq!(found[1].remedy(), "retention.ms=-1");
    }

    #[test]
    fn no_end_is_more_than_any_least() {
        assert!(Need::AtLeast(PAIRS_KEEP_MS).is_met("-1"));
        assert!(!Need::AtLeast(PAIRS_KEEP_MS).is_met("1000"));
        assert!(!Need::AtLeast(0).is_met("often"));
    }
}

//! The one description of every key: it drives the check, the schema and the reference.

/// A group of keys.
#[derive(Debug)]
pub(crate) struct Section {
    /// What the group is for, one sentence.
    pub(crate) doc: &'static str,
    /// Its keys, in the order in which they are explained.
    pub(crate) keys: &'static [Key],
    /// Keys of the form `PREFIX.NAME`, if any.
    pub(crate) open: Option<OpenKeys>,
}

/// Keys whose names people choose after a prefix.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenKeys {
    /// Such as `attrs.`, with its dot.
    pub(crate) prefix: &'static str,
    pub(crate) shape: Shape,
    pub(crate) doc: &'static str,
}

/// One key.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) presence: Presence,
    /// What it means, one or two sentences.
    pub(crate) doc: &'static str,
    /// Belongs to `run`: ignored, right or wrong, where nothing runs.
    pub(crate) run_only: bool,
}

/// What happens where a key is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It must be.
    Required,
    /// Then it says nothing.
    Optional,
    /// This YAML stands for it.
    Default(&'static str),
}

/// What a value must be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// The format's version.
    Version,
    /// A word or sentence; `min_bytes` is 0 where it may be empty.
    Text { min_bytes: usize, max_bytes: usize },
    /// Text that is never printed. `literal`: it may stand in the file itself.
    Secret { literal: bool },
    /// The path of a file that holds a secret.
    SecretFile,
    /// The path of a file that is read later, again and again.
    File,
    /// `true` or `false`.
    Flag,
    /// A length of time within bounds in milliseconds.
    Duration { min_ms: u64, max_ms: u64 },
    /// A whole number within bounds.
    Count { min: u64, max: u64 },
    /// Money in minor units.
    Minor,
    /// A decimal fraction between 0 and 1 with at most six places.
    Rate,
    /// A part of the whole: a decimal fraction above 0 and up to 1 with at most six places.
    Share,
    /// A calendar day.
    Date,
    /// A time of day, `24:00` included.
    TimeOfDay,
    /// A name of the IANA time zone database.
    Zone,
    /// ISO 4217, three capitals.
    Currency,
    /// One of these words; each with its meaning.
    Choice(&'static [(&'static str, &'static str)]),
    /// An address to listen on.
    Listen,
    /// `HOST:PORT`, separated by commas.
    Servers,
    /// A topic's name.
    Topic,
    /// A field that alerts and incidents show.
    Dimension,
    /// `latest`, `earliest` or an instant.
    StartAt,
    /// Any of a client's own settings; secrets among them.
    Properties,
    /// Values in brackets, at least `min` of them.
    List { of: &'static Shape, min: usize },
    /// One value or a list of them.
    OneOrMany(&'static Shape),
    /// A map whose keys people choose.
    Map {
        keys: Names,
        of: &'static Shape,
        min: usize,
    },
    /// A group of keys.
    Section(&'static Section),
    /// A group of keys, or `false` for none of it.
    Switch(&'static Section),
}

/// Which keys a map may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// Words: letters, digits, `_`, `-` and `.`.
    Words,
    /// ISO 4217 codes.
    Currencies,
}

impl Key {
    pub(crate) const fn required(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self {
            name,
            shape,
            presence: Presence::Required,
            doc,
            run_only: false,
        }
    }

    pub(crate) const fn optional(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self {
            name,
            shape,
            presence: Presence::Optional,
            doc,
            run_only: false,
        }
    }

    pub(crate) const fn default(
        name: &'static str,
        shape: Shape,
        default: &'static str,
        doc: &'static str,
    ) -> Self {
        Self {
            name,
            shape,
            presence: Presence::Default(default),
            doc,
            run_only: false,
        }
    }

    pub(crate) const fn run_only(self) -> Self {
        Self {
            run_only: true,
            ..self
        }
    }
}

impl Section {
    pub(crate) const fn new(doc: &'static str, keys: &'static [Key]) -> Self {
        Self {
            doc,
            keys,
            open: None,
        }
    }

    /// Whether it means nothing without a key: none has a default, and none is required.
    pub(crate) fn must_say(&self) -> bool {
        let optional = |key: &Key| key.presence == Presence::Optional;
        self.open.is_none() && self.keys.iter().all(optional)
    }

    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// The names a person may write here.
    pub(crate) fn names(&self) -> Vec<String> {
        let fixed = self.keys.iter().map(|key| key.name.to_owned());
        fixed
            .chain(self.open.map(|open| format!("{}NAME", open.prefix)))
            .collect()
    }
}

impl Names {
    /// Whether a map may have this key.
    pub(crate) fn allow(self, name: &str) -> bool {
        match self {
            Self::Words => {
                let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
                name.starts_with(|c: char| c.is_ascii_alphanumeric())
                    && name.len() <= 64
                    && name.chars().all(word)
            }
            Self::Currencies => name.len() == 3 && name.chars().all(|c| c.is_ascii_uppercase()),
        }
    }

    /// The same as a regular expression.
    pub(crate) const fn pattern(self) -> &'static str {
        match self {
            Self::Words => "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$",
            Self::Currencies => "^[A-Z]{3}$",
        }
    }

    /// What such a key is, in words.
    pub(crate) const fn describe(self) -> &'static str {
        match self {
            Self::Words => {
                "at most 64 letters, digits, `_`, `-` and `.`, the first a letter or digit"
            }
            Self::Currencies => "an ISO 4217 code in capitals, such as `CNY`",
        }
    }
}

impl Shape {
    /// What it is, in words: `must be …`.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Version => "the number 1".into(),
            Self::Text { .. } => "text".into(),
            Self::Secret { .. } => "a secret".into(),
            Self::SecretFile | Self::File => "the path of a file".into(),
            Self::Flag => "`true` or `false`".into(),
            Self::Duration { .. } => "a duration, such as `90s` or `1h30m`".into(),
            Self::Count { .. } => "a whole number".into(),
            Self::Minor => "a whole number of minor units".into(),
            Self::Rate => "a rate, such as `\"0.0060\"`".into(),
            Self::Share => "a share above 0 and up to 1, such as `\"0.1\"`".into(),
            Self::Date => "a date, such as `2026-10-01`".into(),
            Self::TimeOfDay => "a time of day, such as `\"23:00\"`".into(),
            Self::Zone => "a time zone, such as `Asia/Shanghai`".into(),
            Self::Currency => Names::Currencies.describe().into(),
            Self::Choice(words) => format!("one of {}", list(words.iter().map(|(word, _)| *word))),
            Self::Listen => "an address, such as `127.0.0.1:9464`".into(),
            Self::Servers => "brokers, such as `kafka-1:9092,kafka-2:9092`".into(),
            Self::Topic => "the name of a topic".into(),
            Self::Dimension => "a field of `payment.succeeded`".into(),
            Self::StartAt => "`latest`, `earliest` or a time".into(),
            Self::Properties => "a map of client settings".into(),
            Self::List { of, .. } => format!("a list, each {}", of.describe()),
            Self::OneOrMany(of) => format!("{}, or a list of such", of.describe()),
            Self::Map { of, .. } => format!("a map, each value {}", of.describe()),
            Self::Section(_) => "a map of keys".into(),
            Self::Switch(_) => "a map of keys, or `false`".into(),
        }
    }

    /// The words of a choice and their meanings, also of several choices; otherwise none.
    pub(crate) const fn words(&self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Choice(words) => words,
            Self::List { of, .. } | Self::OneOrMany(of) => of.words(),
            _ => &[],
        }
    }

    /// The section that a map here belongs to.
    pub(crate) const fn section(&self) -> Option<&'static Section> {
        match self {
            Self::Section(section) | Self::Switch(section) => Some(section),
            _ => None,
        }
    }
}

/// Names in backticks, separated by commas.
pub(crate) fn list<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    let quoted: Vec<String> = names
        .into_iter()
        .map(|name| format!("`{}`", name.as_ref()))
        .collect();
    quoted.join(", ")
}

//! What can go wrong before and while records are made.

use std::path::PathBuf;

use crate::load::Load;
use crate::scenario::Scenario;
use crate::scope::Field;

/// A plan that cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// No scenario has this name.
    #[error("unknown scenario `{name}`: {}", hint(*.nearest, Scenario::all().map(Scenario::name)))]
    UnknownScenario {
        /// The name as given.
        name: String,
        /// The nearest known name.
        nearest: Option<&'static str>,
    },
    /// No channel has this name.
    #[error("unknown channel `{name}`: {}", hint(*.nearest, crate::channels::CHANNELS.iter().map(|channel| channel.name)))]
    UnknownChannel {
        /// The name as given.
        name: String,
        /// The nearest known name.
        nearest: Option<&'static str>,
    },
    /// No field has this name.
    #[error("unknown field `{name}`: {}", hint(*.nearest, Field::ALL.iter().map(|field| field.name())))]
    UnknownField {
        /// The name as given.
        name: String,
        /// The nearest known name.
        nearest: Option<&'static str>,
    },
    /// A fault is somewhere where the plan has nothing.
    #[error("`{scenario}` is about {field} `{value}`, where nobody pays in this plan")]
    NobodyThere {
        /// The fault.
        scenario: &'static str,
        /// What it is about.
        field: &'static str,
        /// Where it is said to be.
        value: String,
    },
    /// A fault names a channel that the plan does not have.
    #[error(
        "`{scenario}` is about channel `{channel}`, which is not among the channels of the plan"
    )]
    ChannelNotPlanned {
        /// The fault.
        scenario: &'static str,
        /// Its channel.
        channel: String,
    },
    /// A rate that is no positive decimal number with at most three decimal places.
    #[error(
        "bad rate `{0}`: payments per second, a number from 0.001 to 1000000 with at most three decimal places"
    )]
    BadRate(String),
    /// No load has this name.
    #[error("unknown load `{name}`: there are {}", Load::ALL.map(Load::name).join(", "))]
    UnknownLoad {
        /// The name as given.
        name: String,
    },
    /// A value outside of its range.
    #[error("{what} is {value}: it must be from {low} to {high}")]
    OutOfRange {
        /// What the value is of.
        what: &'static str,
        /// The value.
        value: i64,
        /// The least that is allowed.
        low: i64,
        /// The most that is allowed.
        high: i64,
    },
    /// A fault that ends before it begins, or begins after the traffic has ended.
    #[error(
        "`{scenario}` lasts from {from_ms} ms to {until_ms} ms: it must begin before it ends and while payments come"
    )]
    BadWindow {
        /// The fault.
        scenario: &'static str,
        /// Its begin, milliseconds after the start.
        from_ms: i64,
        /// Its end, milliseconds after the start.
        until_ms: i64,
    },
}

fn hint(nearest: Option<&str>, names: impl Iterator<Item = &'static str>) -> String {
    match nearest {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("there are {}", names.collect::<Vec<_>>().join(", ")),
    }
}

/// A recording that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}", path.display())]
pub struct WriteError {
    /// The file or folder.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: std::io::Error,
}

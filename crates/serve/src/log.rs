//! Logs: events with fields, as lines for people or as JSON for machines.

use std::io::{IsTerminal, stderr};
use std::str::FromStr;

use tracing::Subscriber;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer as _, Registry, fmt};

use crate::error::ServeError;

/// How a log looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, else JSON.
    #[default]
    Auto,
    /// A line an event.
    Text,
    /// A JSON object an event.
    Json,
}

impl LogFormat {
    fn is_json(self) -> bool {
        match self {
            Self::Auto => !stderr().is_terminal(),
            Self::Text => false,
            Self::Json => true,
        }
    }
}

/// Names a filter that wins over the configuration's.
const OVERRIDE: &str = "RUST_LOG";

/// Logs to standard error from now on: what `filter` lets through, a level or `TARGET=LEVEL` separated by
/// commas, the most specific of which counts. The environment variable `RUST_LOG` wins.
///
/// # Errors
/// [`ServeError::Filter`], [`ServeError::LogTwice`].
pub fn init_log(format: LogFormat, filter: &str) -> Result<(), ServeError> {
    let wins = std::env::var(OVERRIDE)
        .ok()
        .filter(|filter| !filter.is_empty());
    let log = log_to(stderr, format, wins.as_deref().unwrap_or(filter))?;
    log.try_init().map_err(|_| ServeError::LogTwice)
}

/// A log that is written elsewhere.
///
/// # Errors
/// [`ServeError::Filter`].
pub fn log_to<W>(
    writer: W,
    format: LogFormat,
    filter: &str,
) -> Result<impl Subscriber + Send + Sync + 'static, ServeError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let targets = Targets::from_str(filter).map_err(|error| ServeError::Filter {
        text: filter.to_owned(),
        why: error.to_string(),
    })?;
    // Said on standard error, an event that cannot be written would panic where that is closed.
    let layer = fmt::layer().with_writer(writer).with_ansi(false);
    let layer = layer.log_internal_errors(false);
    let layer = if format.is_json() {
        let json = layer.json().flatten_event(true);
        json.with_current_span(false).with_span_list(false).boxed()
    } else {
        layer.boxed()
    };
    Ok(Registry::default().with(layer.with_filter(targets)))
}

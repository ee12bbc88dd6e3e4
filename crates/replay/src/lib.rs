//! The decision over recorded records, on a virtual clock.
//!
//! `input` brings records into canonical order, `engine` decides over virtual partitions, `output` writes the
//! files, `summary` the sums; `run` leads a recording through them.

mod engine;
mod error;
mod incident;
pub mod input;
mod output;
mod run;
mod running;
mod summary;
mod watching;

pub use engine::Engine;
pub use error::ReplayError;
pub use incident::incident_json;
pub use output::Output;
pub use run::{Finished, Observer, Replay, Until};
pub use summary::{InputCounts, Summary};
pub use watching::{Watching, collector_settings, watch_settings};

//! The decision over recorded records, on a virtual clock.
//!
//! `input` brings records into canonical order, `engine` decides over virtual partitions, `output` writes the
//! files, `summary` the sums; `run` leads a recording through them.

mod engine;
mod error;
pub mod input;
mod output;
mod run;
mod running;
mod summary;

pub use engine::Engine;
pub use error::ReplayError;
pub use output::Output;
pub use run::{Finished, Observer, Replay, Until};
pub use summary::{InputCounts, Summary};

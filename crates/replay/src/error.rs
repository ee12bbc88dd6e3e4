//! What can go wrong in a replay.

use std::path::PathBuf;

use settlewatch_join::Timestamp;
use settlewatch_wire::format_time;

use crate::input::InputError;

/// Why a replay did not finish.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The recording could not be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A result could not be written.
    #[error("cannot write {}: {source}; is the folder writable and the disk not full?", file.display())]
    Output {
        /// The file.
        file: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// More payments wait than the configuration allows.
    #[error(
        "more than {limit} payments wait at {}: raise limits.waiting_payments, or check whether the credits are \
         part of the recording",
        format_time(*at)
    )]
    TooManyWaiting {
        /// `limits.waiting_payments`.
        limit: usize,
        /// When.
        at: Timestamp,
    },
}

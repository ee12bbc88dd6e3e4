//! What can go wrong before the service serves.

use std::net::SocketAddr;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A metric cannot be registered.
    #[error("a metric cannot be registered: {0}")]
    Metric(#[from] prometheus::Error),
    /// The address cannot be listened on.
    #[error("http.listen: {listen}: {source}")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// A listener that was handed over cannot be served.
    #[error("HTTP cannot be served: {0}")]
    Listener(std::io::Error),
    /// The thread of the server cannot be started.
    #[error("the HTTP server cannot be started: {0}")]
    Thread(std::io::Error),
    /// The filter of the log is none.
    #[error("`{text}` is no level or filter of the log: {why}")]
    Filter {
        /// The filter.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// A log is set up already.
    #[error("the log is set up already")]
    LogTwice,
}

//! What a service that runs tells: metrics, probes, status, logs.
//!
//! 1. A lane tells its [`LaneObserver`] what happens, on its own thread; nothing is locked until it is handed
//!    over, a few times a second.
//! 2. [`Metrics`] add the lanes up when somebody asks.
//! 3. A [`Server`] answers, on a thread of its own that knows nothing of Kafka.
//!
//! It asks nothing and decides nothing.

mod ages;
mod canary;
mod channel;
mod count;
mod currency;
mod descriptors;
mod edges;
mod error;
mod families;
mod incidents;
mod lags;
mod lane;
mod limit;
mod listener;
mod live;
mod log;
mod metrics;
mod openapi;
mod pages;
mod process;
mod pulses;
mod records;
mod server;
mod status;
mod watch;

pub use canary::{CanaryMetrics, CheckOutcome};
pub use descriptors::{CanaryMetric, Description, Label, Metric, MetricKind};
pub use error::ServeError;
pub use lane::LaneObserver;
pub use limit::Limit;
pub use live::{Figures, QUANTILES};
pub use log::{LogFormat, init_log, log_to};
pub use metrics::{Metrics, MetricsSpec};
pub use openapi::openapi;
pub use pulses::PulseObserver;
pub use server::Server;
pub use status::{LaneStatus, Restore};
pub use watch::{WatchObserver, WatchStatus};

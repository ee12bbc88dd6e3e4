//! What many payments say together: lag per channel with the waiting counted, and incidents.
//!
//! This crate takes pulses and times as arguments, and returns rows and incidents as values. It knows no clock,
//! socket, file or thread, and no payment that a pulse could not carry.

mod around;
mod batches;
mod beats;
mod behind;
mod burn;
mod cases;
mod cells;
mod channels;
mod cohort;
mod counts;
mod detect;
mod evidence;
mod faults;
mod feeds;
mod filled;
mod gateways;
pub mod incident;
mod keep;
mod lag;
mod lags;
mod late;
mod lateness;
mod maintenance;
mod merchants;
mod outlook;
mod places;
pub mod pulse;
pub mod scan;
mod second;
mod silence;
mod sources;
mod stop;
mod survival;
mod tables;
mod terminals;
mod verdict;
mod watch;

pub use burn::{Burn, BurnRate};
pub use channels::{ChannelRow, Channels};
pub use cohort::{Due, Lag};
pub use gateways::GatewayRow;
pub use keep::Unreadable;
pub use lag::{LagBuckets, MAX_LAG_MS};
pub use lags::{ChannelLags, LagQuantiles};
pub use outlook::Expected;
pub use survival::Survival;
pub use terminals::Heartbeat;
pub use watch::{Watch, WatchSettings};

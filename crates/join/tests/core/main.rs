//! The core in virtual time, one partition at a time.

mod common;
mod divide;
mod holes;
mod known_time;
mod random;
mod reload;
mod snapshot;
mod snapshot_size;
mod together;
mod waiting;

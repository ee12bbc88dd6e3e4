//! Budgets: what the program may take, and what it takes.

mod allocation;
mod bed;
mod core_speed;
mod ids;
pub mod instructions;
#[cfg(feature = "kafka")]
mod kafka;
mod laned;
mod memory;
#[cfg(any(test, feature = "kafka"))]
mod page;
mod pulse_size;
mod replay_speed;
mod scan_speed;
mod table;
mod tick_speed;
mod traffic;
mod watch_memory;
mod watched;
mod zipf;

pub use allocation::{Counted, count};
pub use core_speed::{core, ladder};
#[cfg(feature = "kafka")]
pub use kafka::{bare, kafka, streams};
pub use memory::{finished, memory, overdue};
pub use pulse_size::pulses;
pub use replay_speed::replay;
pub use scan_speed::scans;
pub use table::{Row, print, print_head};
pub use tick_speed::ticks;
pub use traffic::Shape;
pub use watch_memory::watch_memory;

//! How well incidents tell what the simulator did: many seeds a scenario, replayed and held against the truth.
//!
//! 1. A [`Subject`] and a seed give a plan whose parameters nobody chose (`Plan::drawn`).
//! 2. [`try_seed`] plays it through a replay and reads the incidents that come out.
//! 3. [`hold`] gives each incident to the fault that it can be about, and judges: found, verdict, scope, delay.
//! 4. [`Table`] counts over the seeds and holds the sums against the [bars](bars).

pub mod bars;
mod calibration;
mod hold;
mod incident;
mod places;
mod subject;
mod table;
mod trial;

pub use calibration::{Calibration, Turns};
pub use hold::{Held, Score, hold};
pub use incident::{Incident, Scope};
pub use places::Payments;
pub use subject::Subject;
pub use table::Table;
pub use trial::{Trial, try_seed};

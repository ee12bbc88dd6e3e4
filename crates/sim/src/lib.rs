//! A seeded generator of payments and faults, with the truth beside it.
//!
//! 1. A [`Plan`] says what to simulate: a seed, a traffic and [`Fault`]s, each a [`Scenario`] with a time, a
//!    place and a measure; [`Plan::drawn`] draws all of it from the seed.
//! 2. [`generate`] gives its [`Record`]s in the order of their append times. Every payment's life is planned as a
//!    whole when it arrives, faults edit it, and what the contract says of it is found from the plan: the
//!    [`Truth`] knows nothing of the detector. [`Told`] is what incidents must say of a fault.
//! 3. [`write_dir`] makes a recording of it. Other sinks take the records themselves.
//!
//! The same plan gives the same bytes on every machine: no clock, no hash order, no floating point.

mod batch;
mod bonds;
mod cases;
mod catalogue;
mod channels;
mod civil;
mod crowd;
mod draw;
mod drawn;
mod error;
mod event;
mod fault;
mod files;
mod generator;
mod hours;
mod judge;
mod judgement;
mod load;
mod mischief;
mod murmur;
mod notices;
mod pattern;
mod plan;
mod policy;
mod pulse;
mod rate;
mod record;
mod render;
mod rng;
mod scenario;
mod scope;
mod settle;
mod sketch;
mod stages;
mod story;
mod told;
mod traffic;
mod truth;
mod weather;
mod world;

pub use error::{PlanError, WriteError};
pub use event::Topic;
pub use fault::Fault;
pub use files::{config, write_dir};
pub use generator::{Generator, generate};
pub use load::Load;
pub use murmur::partition;
pub use plan::{Plan, PlanBuilder};
pub use rate::Rate;
pub use record::Record;
pub use scenario::{Expectation, Scenario};
pub use scope::Field;
pub use told::Told;
pub use truth::{Expected, Injected, Sums, Truth};

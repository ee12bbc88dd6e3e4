//! Configuration: YAML compiled once into types that cannot be wrong.
//!
//! Text becomes a tree that knows its places ([`load`] reads files, [`load_str`] text); overrides from the
//! environment are put into the tree; the tree is checked against one table of keys, which also yields the
//! JSON Schema ([`schema`]) and the reference ([`reference_markdown`]); what several keys together can get
//! wrong is checked while the parts are built. Every problem is reported with its place, its line and a
//! remedy, all of them in one pass.

mod build;
mod build_run;
mod calendar_files;
mod calendars;
mod coverage;
mod decision;
mod diagnostic;
mod document;
mod durations;
mod env;
mod files;
mod interpolate;
mod item;
mod keys;
mod keys_run;
mod keys_watch;
mod leaf;
mod load;
mod matchers;
mod merge;
mod model;
mod node;
mod overrides;
mod properties;
mod property_names;
mod reference;
mod render;
mod report;
mod rules;
mod run_model;
mod scalars;
mod schema;
mod secret;
mod security;
mod source;
mod streams;
mod suggest;
mod syntax;
mod table;
mod walk;

pub use build::beginning;
pub use coverage::Coverage;
pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use document::{Document, Field, Part, Spot, parse_duration};
pub use env::Env;
pub use load::{Loaded, load, load_str};
pub use model::{
    AckFeed, Config, Feeds, Fees, HeartbeatFeed, Incidents, Limits, NamedCalendar, PageSeverity,
    Pattern, Purpose, RatePpm, StartAt, Stream, WatchShare,
};
pub use reference::reference_markdown;
pub use run_model::{
    Http, Kafka, Language, Log, LogFormat, Notify, Output, Role, Route, Run, Sink, SinkKind,
};
pub use schema::schema;
pub use secret::Secret;
pub use security::is_loopback_host;

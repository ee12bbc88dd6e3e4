//! The service against real brokers: whatever is killed, stopped, silent, late or hostile, the ledger is right.
//!
//! Needs Java 17 and, the first time, Maven.

mod kills;
mod plain;

//! The service against real brokers: whatever is killed, stopped, silent, late or hostile, the ledger is right.
//!
//! Needs Java 17, openssl, a C compiler and, the first time, Maven. `SETTLEWATCH_BIN` names another program than
//! that of this workspace.

mod absent;
mod brokers;
mod clocks;
mod history;
mod hostile;
mod kills;
mod members;
mod plain;
mod refused;
mod script;
mod secure;
mod silent;
mod state;

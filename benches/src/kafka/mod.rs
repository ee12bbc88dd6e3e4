//! The service against a real broker of this machine: what it costs, how soon it speaks, how fast it is back.

mod cost;
mod delay;
mod load;
mod restore;

use anyhow::Result;
use settlewatch_tests::broker::{Cluster, Options};

use crate::table::Row;

/// Every measurement, on one broker.
///
/// # Errors
/// A client cannot be made.
pub fn kafka() -> Result<Vec<Row>> {
    let cluster = Cluster::start(&Options::default());
    let mut rows = cost::rows(&cluster)?;
    rows.extend(delay::rows(&cluster)?);
    rows.extend(restore::rows(&cluster)?);
    rows.extend(restore::fail_over(&cluster));
    Ok(rows)
}

//! The service against a real broker of this machine: what it costs, how soon it speaks, how fast it is back.

mod cost;
mod delay;
mod load;
mod pulser;
mod restore;
mod streams;
mod watch;

use anyhow::{Result, bail};
use settlewatch_tests::broker::{Cluster, Options};

use crate::table::Row;

pub use cost::bare;
pub use streams::streams;

/// Thousands of partitions need memory, and a look at each of them every second would be all that the broker does.
fn options(part: &str) -> Options {
    if !matches!(part, "watch" | "all") {
        return Options::default();
    }
    Options {
        heap_mib: Some(2048),
        properties: vec![("log.retention.check.interval.ms", "300000".into())],
        ..Options::default()
    }
}

/// The measurements of a part, on one broker: `cost`, `delay`, `restore`, `failover`, `watch`, or all of them.
///
/// # Errors
/// A client cannot be made, or there is no such part.
pub fn kafka(part: &str) -> Result<Vec<Row>> {
    let cluster = Cluster::start(&options(part));
    match part {
        "cost" => cost::rows(&cluster),
        "delay" => delay::rows(&cluster),
        "restore" => restore::rows(&cluster),
        "failover" => Ok(restore::fail_over(&cluster)),
        "watch" => watch::rows(&cluster),
        "all" => {
            let mut rows = cost::rows(&cluster)?;
            rows.extend(delay::rows(&cluster)?);
            rows.extend(restore::rows(&cluster)?);
            rows.extend(restore::fail_over(&cluster));
            rows.extend(watch::rows(&cluster)?);
            Ok(rows)
        }
        _ => bail!("there is no part {part}: cost, delay, restore, failover, watch or all"),
    }
}

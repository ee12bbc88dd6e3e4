//! What a watch holds of a hundred thousand terminals that beat and twenty thousand merchants that acknowledge.

use std::sync::Arc;

use anyhow::Result;
use settlewatch_join::event::Currency;
use settlewatch_join::{Span, Timestamp};
use settlewatch_watch::Heartbeat;
use settlewatch_watch::pulse::{Ack, Auxiliary};

use crate::memory::resident;
use crate::table::Row;
use crate::watched::{Crowd, Watched};
use crate::zipf::mix;

const CROWD: Crowd = Crowd {
    terminals: 100_000,
    merchants: 20_000,
    fault_s: i64::MAX,
};

/// Each terminal reports once a minute.
const INTERVAL_S: u64 = 60;
/// Acknowledgements a second.
const ACKS: u64 = 2_000;
/// Heartbeats and acknowledgements that are remembered have been replaced by later ones once by then.
const FULL_S: i64 = 75 * 60;
const END_S: i64 = FULL_S + 20 * 60;
/// It must not grow any more, in percent.
const MOST_GROWTH: f64 = 2.0;

/// Memory of a watch, and by how much it grows when it has everything.
///
/// # Errors
/// The kernel does not tell the memory.
pub fn watch_memory() -> Result<Vec<Row>> {
    let heartbeat = Heartbeat {
        interval: Span::from_secs(INTERVAL_S),
        offline_after: Span::from_secs(3 * INTERVAL_S),
    };
    let mut watched = Watched::new(CROWD, Some(heartbeat));
    let names: Vec<Arc<str>> = (0..CROWD.terminals)
        .map(|it| format!("t{it}").into())
        .collect();
    let before = resident()?;
    let mut full = before;
    for second in 0..END_S {
        if second == FULL_S {
            full = resident()?;
        }
        let mut pulse = watched.pulse(second);
        pulse.auxiliary.extend(heartbeats(second, &names));
        pulse.acks.extend(acks(second, &watched));
        watched.judge(second, pulse);
    }
    let end = resident()?;
    let mib = |bytes: u64| bytes as f64 / 1_048_576.0;
    let grown = 100.0 * (mib(end) - mib(full)) / mib(full - before);
    Ok(vec![
        Row::shown(
            "memory of a watch, 100,000 terminals and 20,000 merchants",
            mib(full - before),
            "MiB",
        ),
        Row::at_most("  grown in 20 minutes more", MOST_GROWTH, grown, "%"),
        Row::shown(
            "  incidents that it said meanwhile",
            watched.said as f64,
            "",
        ),
    ])
}

/// The terminals whose turn it is.
fn heartbeats(second: i64, names: &[Arc<str>]) -> impl Iterator<Item = Auxiliary> {
    let turn = second as usize % INTERVAL_S as usize;
    let whose = names.iter().skip(turn).step_by(INTERVAL_S as usize);
    whose.map(move |name| Auxiliary::Heartbeat {
        terminal_id: Arc::clone(name),
        at: Timestamp::from_millis(second * 1000),
        queue_depth: Some(0),
        error_code: None,
        uptime_s: Some(second as u64),
        app_version: Some("4.2.0".into()),
        signed_in: Some(true),
    })
}

fn acks(second: i64, watched: &Watched) -> impl Iterator<Item = Ack> {
    (0..ACKS).map(move |number| {
        let payment = mix(second as u64 * ACKS + number);
        Ack {
            tuple: Arc::clone(watched.tuple(payment)),
            partition: 0,
            late: false,
            came: true,
            id: None,
            amount_minor: 100,
            currency: Currency::new(*b"CNY").expect("three capitals"),
            credited_at: Timestamp::from_millis(second * 1000),
        }
    })
}

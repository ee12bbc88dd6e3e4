//! Measures what the budgets are about: `cargo run --release -p settlewatch-benches -- all`.

use std::alloc::System;
use std::process::Command;

use anyhow::{Context, Result, bail};
use settlewatch_benches::{
    Row, Shape, core, count, finished, instructions, ladder, memory, overdue, print, print_head,
    pulses, replay, scans, ticks, watch_memory,
};
use settlewatch_join::Span;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const USAGE: &str =
    "usage: settlewatch-benches all|core|ladder|allocations|memory|overdue|finished|replay|scan|tick|pulse|watch
       settlewatch-benches instructions decode|join EVENTS   (for ratchet.sh)
       settlewatch-benches kafka [cost|delay|restore|failover|watch]  (built with --features kafka: a real broker)
       settlewatch-benches streams [small|PAGE [PART]]   (likewise: beside Kafka Streams; into a page; small: does it work)";

const PARTS: [&str; 11] = [
    "core",
    "ladder",
    "allocations",
    "memory",
    "overdue",
    "finished",
    "replay",
    "scan",
    "tick",
    "pulse",
    "watch",
];

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["all"] => all(),
        ["instructions", what, events] => instructions::run(what, events.parse()?),
        #[cfg(feature = "kafka")]
        ["bare", brokers, one, other, seconds] => {
            let topics = [one.to_owned(), other.to_owned()];
            settlewatch_benches::bare(brokers, &topics, seconds.parse()?)
        }
        #[cfg(feature = "kafka")]
        ["streams"] => settlewatch_benches::streams(false, None, None),
        #[cfg(feature = "kafka")]
        ["streams", "small"] => settlewatch_benches::streams(true, None, None),
        #[cfg(feature = "kafka")]
        ["streams", page, ref part @ ..] if part.len() < 2 => {
            let page = std::path::Path::new(page);
            settlewatch_benches::streams(false, Some(page), part.first().copied())
        }
        ["kafka"] => {
            print(&kafka("all")?);
            Ok(())
        }
        ["kafka", part] => {
            print(&kafka(part)?);
            Ok(())
        }
        [part] => {
            print(&measure(part)?);
            Ok(())
        }
        _ => bail!(USAGE),
    }
}

/// Every part in a process of its own: none inherits the memory of another.
fn all() -> Result<()> {
    print_head();
    for part in PARTS {
        // Not by its name: a build meanwhile may have put another program there.
        let status = Command::new("/proc/self/exe").arg(part).status()?;
        status.success().then_some(()).context(part)?;
    }
    Ok(())
}

fn measure(part: &str) -> Result<Vec<Row>> {
    match part {
        "core" => Ok(core()),
        "ladder" => Ok(ladder()),
        "allocations" => Ok(allocations()),
        "memory" => memory(),
        "overdue" => overdue(),
        "finished" => finished(),
        "replay" => replay(),
        "scan" => Ok(scans()),
        "tick" => ticks(),
        "pulse" => pulses(),
        "watch" => watch_memory(),
        _ => bail!(USAGE),
    }
}

#[cfg(feature = "kafka")]
fn kafka(part: &str) -> Result<Vec<Row>> {
    settlewatch_benches::kafka(part)
}

#[cfg(not(feature = "kafka"))]
fn kafka(_: &str) -> Result<Vec<Row>> {
    bail!("built without it; add --features kafka")
}

fn allocations() -> Vec<Row> {
    let ten_s = Span::from_secs(10);
    let mut rows = Vec::new();
    for (what, kept, payer) in [
        ("closed not kept", Span::ZERO, false),
        ("closed kept 10 s", ten_s, false),
        ("with a message to the pairs stage each", Span::ZERO, true),
    ] {
        let shape = Shape {
            waiting: 20_000,
            per_ms: 10,
            stages: true,
            payer,
        };
        let counted = count(shape, kept, 200_000, || INSTRUMENTED_SYSTEM.stats());
        let name = format!("allocations per 1000 events, {what}");
        let per_thousand = 1000.0 * counted.per_event();
        // A message is handed to the caller, who sends it: it is not the join's to keep.
        rows.push(if payer {
            Row::shown(&name, per_thousand, "")
        } else {
            // Tables double and tuples find longer room now and then.
            Row::at_most(&name, 1.0, per_thousand, "")
        });
    }
    rows
}

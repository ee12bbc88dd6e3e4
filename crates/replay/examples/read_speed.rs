//! How fast recorded files come in canonical order: `read_speed MEMORY_MIB FILE…`, for the topics `payments`,
//! `credits`, `lifecycle` and `terminals`.

use std::error::Error;
use std::time::Instant;

use settlewatch_replay::input::{Options, Sources, StreamSpec, open};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let memory_mib: usize = arguments
        .next()
        .ok_or("usage: read_speed MEMORY_MIB FILE…")?
        .parse()?;
    let files = arguments.map(Into::into).collect();
    let options = Options {
        memory_bytes: memory_mib << 20,
        ..Options::default()
    };
    let started = Instant::now();
    let mut sorted = open(&Sources { files }, &streams(), options)?;
    let loaded = started.elapsed();
    let (mut records, mut bytes) = (0_u64, 0_u64);
    while let Some(raw) = sorted.next()? {
        records += 1;
        bytes += raw.payload.map_or(0, <[u8]>::len) as u64;
    }
    let all = started.elapsed();
    let read = sorted.counters();
    println!(
        "{} lines, {} bytes, sorted on disk: {}",
        read.lines,
        read.bytes,
        sorted.on_disk()
    );
    println!(
        "{records} records with {bytes} bytes of values, {} bad lines",
        sorted.bad_lines().count()
    );
    println!(
        "read in {} ms, merged in {} ms",
        loaded.as_millis(),
        (all - loaded).as_millis()
    );
    println!("{} MB/s", u128::from(read.bytes) / all.as_micros().max(1));
    Ok(())
}

fn streams() -> Vec<StreamSpec> {
    let names = ["payments", "credits", "lifecycle", "terminals"];
    let specs = names.iter().zip(0..).map(|(name, rank)| StreamSpec {
        name: (*name).into(),
        topic: (*name).into(),
        rank,
        keyed_other: *name == "terminals",
    });
    specs.collect()
}

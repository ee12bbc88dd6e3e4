//! How fast `replay` reads an uncompressed dump, and what its CPU time goes to.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use settlewatch_config::{Config, Env, Purpose, load};
use settlewatch_replay::input::Options;
use settlewatch_replay::{Output, Replay, Until};
use settlewatch_sim::{Plan, Rate, write_dir};
use settlewatch_wire::{Envelope, Limits, Line, decode, parse_line};

use crate::bed::{process_cpu, thread_cpu};
use crate::table::{Row, median};

const MB: f64 = 1e6;
const RUNS: usize = 3;

struct Dump {
    dir: tempfile::TempDir,
    files: Vec<PathBuf>,
    bytes: u64,
}

/// A simulated recording without faults, in files of kcat's shape.
fn dump() -> Result<Dump> {
    let dir = tempfile::tempdir()?;
    let plan = Plan::builder()
        .seed(7)
        .rate(Rate::per_second(200))
        .duration_ms(900_000)
        .terminals(5000)
        .build()?;
    write_dir(&plan, dir.path())?;
    let names = ["payments", "credits", "lifecycle", "terminals"];
    let files: Vec<_> = names
        .iter()
        .map(|name| dir.path().join(format!("{name}.ndjson")))
        .collect();
    let mut bytes = 0;
    for file in &files {
        bytes += std::fs::metadata(file)?.len();
    }
    Ok(Dump { dir, files, bytes })
}

fn config(dir: &Path) -> Result<Config> {
    let path = dir.join("settlewatch.yaml");
    let loaded = load(&path, Purpose::Replay, &Env::empty());
    Ok(loaded.map_err(|wrong| anyhow!("{wrong}"))?.config)
}

/// How deep a stage of reading looks into a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    Line,
    Envelope,
    Event,
}

/// CPU seconds of reading the dump down to `depth` alone.
fn read_seconds(dump: &Dump, depth: Depth) -> Result<f64> {
    let limits = Limits::default();
    let mut seen = 0;
    let began = thread_cpu();
    for path in &dump.files {
        let mut file = BufReader::with_capacity(1 << 20, std::fs::File::open(path)?);
        let mut line = Vec::new();
        while file.read_until(b'\n', &mut line)? > 0 {
            seen += usize::from(depth == Depth::Line || look(&line, depth, &limits));
            line.clear();
        }
    }
    std::hint::black_box(seen);
    Ok((thread_cpu() - began).as_secs_f64())
}

fn look(line: &[u8], depth: Depth, limits: &Limits) -> bool {
    let Ok(Line::Envelope(Envelope { payload, .. })) = parse_line(line) else {
        return false;
    };
    depth == Depth::Envelope || decode(payload.as_deref(), limits).is_ok()
}

/// CPU seconds of a whole replay, every thread counted.
fn replay_seconds(dump: &Dump, config: &Config) -> Result<f64> {
    let out = tempfile::tempdir_in(dump.dir.path())?;
    let began = process_cpu();
    let replay = Replay::new(config, 1, Until::LastRecord).write_to(Output::create(out.path())?);
    let finished = replay.files(dump.files.clone(), Options::default(), &mut ())?;
    std::hint::black_box(finished.summary.from);
    Ok((process_cpu() - began).as_secs_f64())
}

fn rate(dump: &Dump, mut seconds: impl FnMut() -> Result<f64>) -> Result<f64> {
    let mut rates = Vec::new();
    for _ in 0..RUNS {
        rates.push(dump.bytes as f64 / MB / seconds()?);
    }
    Ok(median(rates))
}

/// Megabytes of dump a CPU-second.
pub fn replay() -> Result<Vec<Row>> {
    let dump = dump()?;
    let config = config(dump.dir.path())?;
    let unit = "MB/CPU-s";
    let whole = rate(&dump, || replay_seconds(&dump, &config))?;
    let mut rows = vec![
        Row::shown("dump", dump.bytes as f64 / MB, "MB"),
        Row::at_least("replay, files to alerts", 300.0, whole, unit),
    ];
    for (name, depth) in [
        ("  of which lines alone would do", Depth::Line),
        ("  of which lines and envelopes would do", Depth::Envelope),
        (
            "  of which lines, envelopes and events would do",
            Depth::Event,
        ),
    ] {
        rows.push(Row::shown(
            name,
            rate(&dump, || read_seconds(&dump, depth))?,
            unit,
        ));
    }
    Ok(rows)
}

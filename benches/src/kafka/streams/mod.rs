//! settlewatch beside Kafka Streams' left join, on the same broker and the same records.
//!
//! 1. *Catch-up*: a backlog in which some credits are missing, drained by one after the other.
//! 2. *The waiting ladder*: traffic on top of ever more payments that wait.
//! 3. *Silence*: payments fall due when no record comes any more.
//!
//! Both commit exactly once every 100 ms at the latest; a record counts as drained when its offset is committed. Each
//! round has topics of its own, and in each another one begins.

mod contestant;
mod drain;
mod silence;
mod usage;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use settlewatch_tests::broker::{Cluster, Group, Options, Rules, Setup, short_rules};
use settlewatch_tests::reference::{Rule, Tier};

use self::contestant::{Contestant, THREADS};
use self::drain::{Backlog, Drained, Inputs, MISSING_EVERY, drain};
use self::silence::{Heard, Times, listen};
use super::cost::read_all;
use crate::bed::process_cpu;
use crate::page::{self, Table};

/// How much is measured.
struct Size {
    rounds: usize,
    /// Payments of the catch-up.
    payments: u64,
    /// The tier of the catch-up, and how long traffic goes on after its end.
    due: (Duration, Duration),
    /// Payments on top of those that wait.
    on_top: u64,
    ladder: &'static [u64],
    times: Times,
}

const FULL: Size = Size {
    rounds: 3,
    payments: 250_000,
    due: (Duration::from_secs(2), Duration::from_secs(4)),
    on_top: 150_000,
    ladder: &[10_000, 100_000, 1_000_000],
    times: Times {
        tier: Duration::from_secs(3),
        warm_up: Duration::from_secs(15),
        busy: Duration::from_secs(40),
        silent: Duration::from_secs(60),
    },
};

/// Whether it all works: the figures say nothing.
const SMALL: Size = Size {
    rounds: 1,
    payments: 1_000,
    due: (Duration::from_secs(1), Duration::from_secs(3)),
    on_top: 0,
    ladder: &[],
    times: Times {
        tier: Duration::from_secs(1),
        warm_up: Duration::from_secs(1),
        busy: Duration::from_secs(4),
        silent: Duration::from_secs(4),
    },
};

/// The tier where nothing is to fall due.
const HOURS: Duration = Duration::from_secs(10 * 3600);

const COLUMNS: [&str; 4] = [
    "settlewatch",
    "Streams, plain",
    "Streams, tuned",
    "Streams, in memory",
];

/// A table of the comparison.
type Measure = fn(&Cluster, &Size) -> Result<Table>;

/// The parts, by name.
const PARTS: [(&str, Measure); 3] = [
    ("catch-up", catch_up),
    ("ladder", ladder),
    ("silence", silent),
];

/// Measures and prints the tables as Markdown, all or the part of that name; where a page is named, they also replace
/// those between its marks. `small` only shows that everything works.
///
/// # Errors
/// Something that is compared does not do what it must, or there is no such part.
pub fn streams(small: bool, page: Option<&Path>, part: Option<&str>) -> Result<()> {
    let size = if small { SMALL } else { FULL };
    let chosen = |name: &str| part.is_none_or(|part| part == name);
    ensure!(
        PARTS.iter().any(|(name, _)| chosen(name)),
        "there is no such part: catch-up, ladder or silence"
    );
    let cluster = Cluster::start(&Options::default());
    let conditions = conditions()?;
    for (name, measure) in PARTS.iter().filter(|(name, _)| chosen(name)) {
        let table = measure(&cluster, &size)?.markdown();
        println!("{table}");
        if let Some(path) = page {
            let old = std::fs::read_to_string(path)?;
            let new = page::replace(&old, name, &format!("{conditions}\n{table}"))?;
            std::fs::write(path, new)?;
        }
    }
    Ok(())
}

/// What was measured where.
fn conditions() -> Result<String> {
    let output = Command::new("java").arg("-version").output()?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let java = told.split('"').nth(1).unwrap_or("?");
    let cpus = std::fs::read_to_string("/proc/cpuinfo")?;
    let named = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    let model = named.map_or("?", |name| name.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism()?;
    Ok(format!(
        "{cores} cores ({model}), shared with the broker, the loader and whatever else ran; Java {java}; 4 partitions, \
         {THREADS} lanes or threads.\n"
    ))
}

fn setup(tier: Duration) -> Setup {
    let after_ms = i64::try_from(tier.as_millis()).expect("tiers are hours at most");
    let default = Rule {
        name: "default".into(),
        tiers: [Tier {
            name: "breach".into(),
            after_ms,
        }]
        .into(),
        ..Rule::default()
    };
    Setup {
        partitions: 4,
        lanes: THREADS,
        rules: Rules {
            rules: [default].into(),
            give_up_ms: 24 * 3_600_000,
            orphan_after_ms: 3_600_000,
            ..short_rules()
        },
        ..Setup::default()
    }
}

/// What each of them took, a list of rounds for each.
type Rounds = [Vec<Drained>; 4];

fn column(rounds: &Rounds, figure: impl Fn(&Drained) -> f64) -> Vec<Vec<f64>> {
    let figures = |runs: &Vec<Drained>| runs.iter().map(&figure).collect();
    rounds.iter().map(figures).collect()
}

/// Lets each drain the same backlog, in another order each round; also what a bare consumer takes for it, in
/// CPU-seconds a million records.
fn rounds(
    cluster: &Cluster,
    (name, count): (&str, usize),
    backlog: Backlog,
    (tier, linger): (Duration, Duration),
) -> Result<(Rounds, Vec<f64>)> {
    let (mut rounds, mut bare) = (Rounds::default(), Vec::new());
    for round in 0..count {
        let group = Group::new(cluster, &format!("{name}-{round}"), setup(tier));
        let appended = backlog.append(&group)?;
        let records = appended.records;
        let topics = [group.topic("payments"), group.topic("credits")];
        let began = process_cpu();
        let (read, _) = read_all(&cluster.address(), &topics, Duration::MAX)?;
        ensure!(read == records, "a bare consumer read {read} of {records}");
        bare.push((process_cpu() - began).as_secs_f64() * 1e6 / records as f64);
        let mut inputs = Inputs::new(backlog, appended);
        for turn in 0..Contestant::ALL.len() {
            let index = (turn + round) % Contestant::ALL.len();
            let who = Contestant::ALL[index];
            let drained = drain(who, &group, backlog, &mut inputs, (tier, linger))?;
            eprintln!("{name}, round {round}, {who:?}: {drained:.2?}");
            rounds[index].push(drained);
        }
    }
    Ok((rounds, bare))
}

fn catch_up(cluster: &Cluster, size: &Size) -> Result<Table> {
    let backlog = Backlog {
        waiting: 0,
        payments: size.payments,
        some_missing: true,
    };
    let missing = backlog.missing().len();
    let (rounds, bare) = rounds(cluster, ("catch-up", size.rounds), backlog, size.due)?;
    for drained in &rounds[0] {
        let found = drained.found as usize;
        ensure!(found == missing, "settlewatch told {found} of {missing}");
    }
    let told = |drained: &Drained| drained.found > 0.0;
    ensure!(
        rounds.iter().flatten().all(told),
        "one told nothing: it does not join"
    );
    let title = format!(
        "{} payments, one in {MISSING_EVERY} never credited; medians of {}",
        page::figure(size.payments as f64),
        size.rounds
    );
    let mut table = Table::new(&title, &[COLUMNS.as_slice(), &["bare consumer"]].concat());
    let none = || vec![Vec::new()];
    let mut row = |what: &str, figure: &dyn Fn(&Drained) -> f64| {
        table.row(what, [column(&rounds, figure), none()].concat());
    };
    row("s from the start of the process to the end", &|it| {
        it.took_s
    });
    row("records/s, warm", &|it| it.warm_per_s);
    row("CPU-s in all, start included", &|it| it.cpu_s);
    row("resident MiB at the end", &|it| it.resident_mib);
    row(&format!("missing credits told, of {missing}"), &|it| {
        it.found
    });
    row("wrongly told", &|it| it.wrong);
    let warm = column(&rounds, |it| it.warm_cpu_s);
    table.row("CPU-s a million records, warm", [warm, vec![bare]].concat());
    Ok(table)
}

fn ladder(cluster: &Cluster, size: &Size) -> Result<Table> {
    let title = format!(
        "traffic on top of payments that wait; medians of {}",
        size.rounds
    );
    let mut table = Table::new(&title, &COLUMNS);
    for &waiting in size.ladder {
        let backlog = Backlog {
            waiting,
            payments: size.on_top,
            some_missing: false,
        };
        let name = format!("ladder-{waiting}");
        let patience = (HOURS, Duration::ZERO);
        let (rounds, _) = rounds(cluster, (&name, size.rounds), backlog, patience)?;
        let mut row = |what: &str, figure: &dyn Fn(&Drained) -> f64| {
            let what = format!("{} wait: {what}", page::figure(waiting as f64));
            table.row(&what, column(&rounds, figure));
        };
        row("records/s, warm", &|it| it.warm_per_s);
        row("CPU-s a million records, warm", &|it| it.warm_cpu_s);
        row("resident MiB at the end", &|it| it.resident_mib);
    }
    Ok(table)
}

fn silent(cluster: &Cluster, size: &Size) -> Result<Table> {
    let both = [Contestant::Ours, Contestant::Tuned];
    let group = Group::new(cluster, "silence", setup(size.times.tier));
    let (due, heard) = listen(&group, &both, size.times)?;
    eprintln!("silence: {due} due; {heard:?}");
    ensure!(
        heard[0].waking_ms.is_empty() && heard[0].silent_ms.len() as u64 * 10 > due * 9,
        "settlewatch speaks in silence"
    );
    ensure!(
        heard[1].silent_ms.len() + heard[1].waking_ms.len() == heard[0].silent_ms.len(),
        "Streams tells the same payments in the end"
    );
    let silent_s = size.times.silent.as_secs();
    let mut table = Table::new("deadline to alert visible", &[COLUMNS[0], COLUMNS[2]]);
    let mut row = |what: &str, figure: &dyn Fn(&Heard) -> Vec<f64>| {
        table.row(what, heard.iter().map(figure).collect());
    };
    row("payments go on: ms, p50", &|it| quantile(&it.busy_ms, 500));
    row("payments go on: ms, p99", &|it| quantile(&it.busy_ms, 990));
    row(
        &format!("inputs silent for {silent_s} s: alerts that came in the silence"),
        &|it| vec![it.silent_ms.len() as f64],
    );
    row("inputs silent: ms, p99", &|it| quantile(&it.silent_ms, 990));
    row("alerts that came when payments came again", &|it| {
        vec![it.waking_ms.len() as f64]
    });
    row("their delay: ms, p50", &|it| quantile(&it.waking_ms, 500));
    Ok(table)
}

/// Of delays in order; nothing where there is none.
fn quantile(delays_ms: &[i64], per_mille: usize) -> Vec<f64> {
    let at = delays_ms.get(delays_ms.len() * per_mille / 1000);
    at.map(|&ms| ms as f64).into_iter().collect()
}

//! `simulate`: seeded payments and faults, as a recording with the truth beside it, or to Kafka as they happen.

use std::io::{Write, stdout};
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use settlewatch_join::Span;
use settlewatch_kafka::Feed;
use settlewatch_serve::{LogFormat, init_log};
use settlewatch_sim::{Plan, PlanBuilder, Scenario, Truth, write_dir};
use tokio::signal::unix::{SignalKind, signal};

use super::config;
use crate::cli::SimulateArgs;
use crate::clock;
use crate::exit::{Failed, Usage};
use crate::terminal::StatusLine;
use crate::text::grouped;
use crate::traffic::{Places, Traffic};

/// How long a recording is.
const DEFAULT_MS: i64 = 900_000;

/// How often is shown how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(200);

pub(crate) fn run(args: &SimulateArgs) -> anyhow::Result<()> {
    match (&args.out, &args.config) {
        _ if args.list => list(),
        (Some(out), _) => write(args, out),
        (None, Some(config)) => play(args, config),
        (None, None) => {
            Err(Usage("--out DIR is needed, or --config FILE, or --list".into()).into())
        }
    }
}

fn list() -> anyhow::Result<()> {
    for scenario in Scenario::all() {
        writeln!(
            stdout(),
            "{:<22} {:<24} {}",
            scenario.name(),
            scenario.verdict().unwrap_or("-"),
            scenario.description()
        )?;
    }
    Ok(())
}

fn millis(span: Span) -> i64 {
    i64::try_from(span.millis()).unwrap_or(i64::MAX)
}

fn plan(args: &SimulateArgs) -> PlanBuilder {
    if args.drawn {
        let scenarios = args.scenario.iter().map(|fault| fault.scenario);
        let scenarios: Vec<_> = scenarios.collect();
        return Plan::drawn_for(args.duration.map_or(0, millis), args.seed, &scenarios);
    }
    let mut plan = Plan::builder()
        .seed(args.seed)
        .rate(args.rate)
        .duration_ms(args.duration.map_or(DEFAULT_MS, millis))
        .partitions(u32::from(args.partitions))
        .terminals(args.terminals)
        .load(args.load);
    if args.varied {
        plan = plan.varied();
    }
    if let Some(start) = args.start {
        plan = plan.start_ms(start.millis());
    }
    for fault in &args.scenario {
        plan = plan.fault(fault.clone());
    }
    plan
}

fn write(args: &SimulateArgs, out: &Path) -> anyhow::Result<()> {
    let plan = plan(args)
        .build()
        .map_err(|error| Usage(error.to_string()))?;
    let truth = write_dir(&plan, out).context("the simulation was not written")?;
    let shown = out.display();
    let mut stdout = stdout();
    writeln!(
        stdout,
        "wrote {} payments, by whose end {} alerts are due, to {shown}: payments, credits, lifecycle and terminals.ndjson, \
         settlewatch.yaml, truth.json",
        grouped(truth.payments.total),
        grouped(due(&truth))
    )?;
    writeln!(stdout, "\nnext:\n  {}", next_command(out))?;
    Ok(())
}

/// Writes to Kafka as it happens, and ends with the plan, or when it is told to.
fn play(args: &SimulateArgs, path: &Path) -> anyhow::Result<()> {
    let config = config::for_run(path, false)?;
    let run = config.run.as_ref();
    let run = run.expect("a configuration that was read to run has all of it");
    init_log(LogFormat::Auto, "warn")?;
    let plan = plan(args)
        .start_ms(clock::now().millis())
        .build()
        .map_err(|error| Usage(error.to_string()))?;
    let feed = Feed::new(&run.kafka).map_err(Failed)?;
    let traffic = Traffic::start(plan, feed, Places::of(&config.streams))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut status = StatusLine::new();
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        while !traffic.is_finished() {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let (written, failed) = traffic.counts();
            status.show(|| format!("{} records written, {failed} refused", grouped(written)));
        }
        anyhow::Ok(())
    })?;
    drop(status);
    let (written, failed) = traffic.counts();
    traffic.end().map_err(Failed)?;
    writeln!(
        stdout(),
        "wrote {} records to {}",
        grouped(written),
        run.kafka.bootstrap_servers
    )?;
    if failed > 0 {
        return Err(Failed(format!("{failed} records were not taken")).into());
    }
    Ok(())
}

/// Alerts that open while records come.
fn due(truth: &Truth) -> usize {
    let end = truth.span_ms.map_or(i64::MIN, |(_, last)| last);
    let alerts = truth.alerts.iter();
    alerts.filter(|alert| alert.opens_at <= end).count()
}

/// A command that can be pasted.
fn next_command(out: &Path) -> String {
    let file = |name: &str| quoted(&out.join(name).display().to_string());
    format!(
        "settlewatch replay --config {} --input {} {} {} {} --out {}",
        file("settlewatch.yaml"),
        file("payments.ndjson"),
        file("credits.ndjson"),
        file("lifecycle.ndjson"),
        file("terminals.ndjson"),
        file("replayed")
    )
}

/// A word for a POSIX shell.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+@%:,=".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

//! `simulate`: a seeded recording of payments and faults, with the truth beside it.

use std::io::{Write, stdout};
use std::path::Path;

use anyhow::Context;
use settlewatch_sim::{Fault, Plan, Scenario, Truth, write_dir};

use crate::cli::SimulateArgs;
use crate::exit::Usage;
use crate::text::grouped;

pub(crate) fn run(args: &SimulateArgs) -> anyhow::Result<()> {
    match &args.out {
        _ if args.list => list(),
        Some(out) => write(args, out),
        None => Err(Usage("--out DIR is needed, or --list".into()).into()),
    }
}

fn list() -> anyhow::Result<()> {
    for scenario in Scenario::ALL {
        writeln!(
            stdout(),
            "{:<18} {}",
            scenario.name(),
            scenario.description()
        )?;
    }
    Ok(())
}

fn write(args: &SimulateArgs, out: &Path) -> anyhow::Result<()> {
    let mut plan = Plan::builder()
        .seed(args.seed)
        .rate(args.rate)
        .duration_ms(i64::try_from(args.duration.millis()).unwrap_or(i64::MAX))
        .partitions(u32::from(args.partitions));
    if let Some(start) = args.start {
        plan = plan.start_ms(start.millis());
    }
    for &scenario in &args.scenario {
        plan = plan.fault(Fault::new(scenario));
    }
    let plan = plan.build().map_err(|error| Usage(error.to_string()))?;
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

//! `metrics`: the list of metrics, as text, JSON or a table for the documentation.

use std::fmt::Write as _;
use std::io::{Write, stdout};

use serde_json::json;
use settlewatch_serve::{CanaryMetric, Description, Label, Metric};

use crate::cli::MetricsArgs;

pub(crate) fn run(args: &MetricsArgs) -> anyhow::Result<()> {
    let canary = CanaryMetric::ALL.iter().map(|metric| metric.description());
    let metrics: Vec<Description> = Metric::ALL
        .iter()
        .map(|metric| metric.description())
        .chain(canary)
        .collect();
    let text = if args.json {
        as_json(&metrics)?
    } else if args.markdown {
        as_markdown(&metrics)?
    } else {
        as_text(&metrics)?
    };
    stdout().write_all(text.as_bytes())?;
    Ok(())
}

fn names(labels: &[Label]) -> Vec<&'static str> {
    labels.iter().map(|label| label.as_str()).collect()
}

fn as_json(metrics: &[Description]) -> serde_json::Result<String> {
    let list: Vec<_> = metrics
        .iter()
        .map(|metric| {
            json!({
                "name": metric.name,
                "type": metric.kind.as_str(),
                "labels": names(metric.labels),
                "help": metric.help,
            })
        })
        .collect();
    Ok(serde_json::to_string_pretty(&list)? + "\n")
}

fn as_markdown(metrics: &[Description]) -> Result<String, std::fmt::Error> {
    let mut text =
        String::from("| metric | type | labels | what it says |\n| --- | --- | --- | --- |\n");
    for metric in metrics {
        let labels: Vec<String> = names(metric.labels)
            .iter()
            .map(|label| format!("`{label}`"))
            .collect();
        writeln!(
            text,
            "| `{}` | {} | {} | {} |",
            metric.name,
            metric.kind.as_str(),
            labels.join(", "),
            metric.help
        )?;
    }
    Ok(text)
}

fn as_text(metrics: &[Description]) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    for metric in metrics {
        let labels = match metric.labels {
            [] => String::new(),
            labels => format!("{{{}}}", names(labels).join(",")),
        };
        let name = format!("{}{labels}", metric.name);
        writeln!(text, "{name:<62} {}", metric.kind.as_str())?;
        writeln!(text, "    {}", metric.help)?;
    }
    Ok(text)
}

//! The references in `docs/reference`, each made by the program itself.

mod alerts;
mod dependencies;
mod events;
mod incidents;

use std::process::Command;

use settlewatch_config::reference_markdown;

use crate::broker::binary;

/// A page: its file in `docs/reference`, and its text.
pub type Page = (&'static str, String);

/// Every page.
///
/// # Panics
/// When the program cannot be run.
pub fn pages() -> Vec<Page> {
    vec![
        ("configuration.md", reference_markdown()),
        ("metrics.md", metrics()),
        ("cli.md", commands()),
        ("events.md", events::page()),
        ("alerts.md", alerts::page()),
        ("incidents.md", incidents::page()),
        ("dependencies.md", dependencies::page()),
    ]
}

/// What the program prints on standard output.
fn told(arguments: &[&str]) -> String {
    let output = Command::new(binary())
        .args(arguments)
        .env("COLUMNS", "100")
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{arguments:?} fails");
    String::from_utf8(output.stdout).expect("it prints text")
}

fn metrics() -> String {
    format!(
        "# Metrics\n\nWhat `/metrics` serves, as `settlewatch metrics --markdown` lists it.\n\n{}",
        told(&["metrics", "--markdown"])
    )
}

fn commands() -> String {
    let mut page = String::from("# Commands\n\nWhat `--help` says.\n");
    add_command(&mut page, &[]);
    page
}

/// A command and those below it.
fn add_command(page: &mut String, path: &[&str]) {
    let help = told(&[path, &["--help"]].concat());
    let name = ["settlewatch"]
        .iter()
        .chain(path)
        .copied()
        .collect::<Vec<_>>();
    page.push_str(&format!(
        "\n## {}\n\n```text\n{}\n```\n",
        name.join(" "),
        help.trim_end()
    ));
    for below in below(&help) {
        add_command(page, &[path, &[below]].concat());
    }
}

/// The commands that a help text names.
fn below(help: &str) -> Vec<&str> {
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    commands
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect()
}

/// Words with what they mean, as the rows of a table.
fn rows(words: &[(&str, &str)]) -> String {
    let row = |(word, meaning): &(&str, &str)| format!("| `{word}` | {meaning} |\n");
    words.iter().map(row).collect()
}

//! The summary of a replay for people.

use std::io::{self, Write, stdout};
use std::path::Path;

use settlewatch_join::{Outcome, Timestamp};
use settlewatch_replay::Summary;
use settlewatch_wire::format_time;

use super::{grouped, money};

/// Prints the summary; `out` is where the files are.
pub(crate) fn print(summary: &Summary, out: Option<&Path>) -> io::Result<()> {
    let mut text = String::new();
    write_all(summary, out, &mut text).map_err(io::Error::other)?;
    stdout().write_all(text.as_bytes())
}

fn write_all(
    summary: &Summary,
    out: Option<&Path>,
    text: &mut String,
) -> Result<(), std::fmt::Error> {
    use std::fmt::Write;
    let time = |at: Option<Timestamp>| at.map_or("-".into(), |at| format_time(at).to_string());
    writeln!(text, "{} to {}\n", time(summary.from), time(summary.to))?;
    payments(summary, text)?;
    alerts(summary, text)?;
    waits(summary, text)?;
    records(summary, text)?;
    if let Some(out) = out {
        writeln!(text, "\nwritten to {}", out.display())?;
    }
    Ok(())
}

fn payments(summary: &Summary, text: &mut String) -> std::fmt::Result {
    use std::fmt::Write;
    let counts = summary.counts();
    let rows = [
        ("payments", counts.payments.count),
        ("credited", counts.credited.count),
        ("explained", counts.explained.count),
        ("written off", counts.written_off.count),
        ("pending", counts.pending.count),
        ("overdue", counts.overdue.count),
    ];
    for (i, (name, count)) in rows.into_iter().enumerate() {
        let mut line = format!("{name:<14} {:>10}", grouped(count));
        for (currency, book) in &summary.books {
            let tally = [
                book.payments,
                book.credited,
                book.explained,
                book.written_off,
                book.pending,
                book.overdue,
            ][i];
            line += &format!("  {:>22}", money(tally.amount_minor, currency));
        }
        writeln!(text, "{line}")?;
    }
    Ok(())
}

fn alerts(summary: &Summary, text: &mut String) -> std::fmt::Result {
    use std::fmt::Write;
    if summary.alerts.is_empty() {
        return writeln!(text, "\nno alerts");
    }
    writeln!(text, "\n{:<24} {:>8} {:>9}", "alerts", "open", "resolved")?;
    for (kind, counts) in &summary.alerts {
        let (open, resolved) = (grouped(counts.open), grouped(counts.resolved));
        writeln!(text, "  {:<22} {open:>8} {resolved:>9}", kind.as_str())?;
    }
    Ok(())
}

fn waits(summary: &Summary, text: &mut String) -> std::fmt::Result {
    use std::fmt::Write;
    if summary.waits.is_empty() {
        return Ok(());
    }
    writeln!(text, "\nexplained, no alert")?;
    for (wait, count) in &summary.waits {
        writeln!(text, "  {:<22} {:>8}", wait.as_str(), grouped(*count))?;
    }
    Ok(())
}

fn records(summary: &Summary, text: &mut String) -> std::fmt::Result {
    use std::fmt::Write;
    let columns = Outcome::ALL;
    let mut head = format!("\n{:<24}", "records");
    for outcome in columns {
        head += &format!(" {:>14}", outcome.as_str());
    }
    writeln!(text, "{head}")?;
    for (stream, counts) in &summary.records {
        let mut line = format!("  {stream:<22}");
        for (_, count) in counts {
            line += &format!(" {:>14}", grouped(*count));
        }
        writeln!(text, "{line}")?;
    }
    if summary.bad_lines > 0 {
        writeln!(
            text,
            "  lines that are no records: {}",
            grouped(summary.bad_lines)
        )?;
    }
    Ok(())
}

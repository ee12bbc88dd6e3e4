//! The summary of a replay for people.

use std::io::{self, Write, stdout};
use std::path::Path;

use settlewatch_join::{Book, Outcome, Tally, Timestamp, Wait};
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
    match summary.from {
        Some(_) => writeln!(text, "{} to {}\n", time(summary.from), time(summary.to))?,
        None => writeln!(text, "no records\n")?,
    }
    payments(summary, text)?;
    alerts(summary, text)?;
    waits(summary, text)?;
    records(summary, text)?;
    if let Some(out) = out {
        writeln!(text, "\nwritten to {}", out.display())?;
    }
    Ok(())
}

/// Money of more currencies than this stands in lines of its own.
const CURRENCIES_ABREAST: usize = 3;

const PARTS: [&str; 6] = [
    "payments",
    "credited",
    "explained",
    "written off",
    "pending",
    "overdue",
];

fn parts(book: &Book) -> [Tally; 6] {
    [
        book.payments,
        book.credited,
        book.explained,
        book.written_off,
        book.pending,
        book.overdue,
    ]
}

fn payments(summary: &Summary, text: &mut String) -> std::fmt::Result {
    use std::fmt::Write;
    let abreast = summary.books.len() <= CURRENCIES_ABREAST;
    let shown = |currency: &str, tally: Tally| money(tally.amount_minor, currency);
    let widths: Vec<usize> = summary
        .books
        .iter()
        .map(|(currency, book)| parts(book).map(|tally| shown(currency, tally).len()))
        .map(|lengths| lengths.into_iter().max().unwrap_or(0))
        .collect();
    let widest = widths.iter().copied().max().unwrap_or(0);
    for (i, (name, tally)) in PARTS.iter().zip(parts(&summary.counts())).enumerate() {
        write!(text, "{name:<14} {:>10}", grouped(tally.count))?;
        let money = summary.books.iter().zip(&widths);
        let money = money.map(|((currency, book), width)| (currency, parts(book)[i], *width));
        for (currency, tally, width) in money {
            let amount = shown(currency, tally);
            if abreast {
                write!(text, "  {amount:>width$}")?;
            } else if tally.amount_minor != 0 {
                write!(text, "\n{:25}  {amount:>widest$}", "")?;
            }
        }
        writeln!(text)?;
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
    writeln!(text, "\nwithout an alert, for a reason")?;
    for (wait, count) in &summary.waits {
        let (name, count) = (wait.as_str(), grouped(*count));
        writeln!(text, "  {name:<22} {count:>8}  {}", counted(*wait))?;
    }
    Ok(())
}

/// Where among the payments above such a case is counted: some are no payments, as nothing succeeded.
fn counted(wait: Wait) -> &'static str {
    match wait {
        Wait::BankBatchWait => "pending: its batch is not due",
        Wait::RiskHold => "pending: held",
        Wait::AuthIncomplete => "no payment: authorised only",
        Wait::UserIncomplete => "no payment: the payer did not finish",
        Wait::Declined | Wait::Reversed | Wait::Refunded => "explained",
    }
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
    let input = &summary.input;
    let implausible = input.implausible.iter().sum();
    for (what, count) in [
        ("lines that are no records", input.bad_lines),
        ("records met twice, dropped", input.repeated),
        ("timestamps not believed", implausible),
    ] {
        if count > 0 {
            writeln!(text, "  {what}: {}", grouped(count))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn summary(currencies: &[(&str, i128)]) -> Summary {
        let books = currencies.iter().map(|&(currency, amount_minor)| {
            let tally = Tally {
                count: 1,
                amount_minor,
            };
            let book = Book {
                payments: tally,
                credited: tally,
                ..Book::default()
            };
            (currency.to_owned(), book)
        });
        Summary {
            books: books.collect(),
            ..Summary::default()
        }
    }

    fn head(summary: &Summary, lines: usize) -> Vec<String> {
        let mut text = String::new();
        payments(summary, &mut text).unwrap();
        text.lines().take(lines).map(str::to_owned).collect()
    }

    #[test]
    fn few_currencies_stand_abreast_each_as_wide_as_its_widest_amount() {
        let few = summary(&[("CNY", 123_456), ("JPY", 5)]);
        assert_eq!(
            head(&few, 3),
            [
                "payments                2  1,234.56 CNY  5 JPY",
                "credited                2  1,234.56 CNY  5 JPY",
                "explained               0      0.00 CNY  0 JPY",
            ]
        );
    }

    #[test]
    fn many_currencies_stand_one_a_line_and_empty_ones_nowhere() {
        let many = summary(&[("CNY", 123_456), ("EUR", 1), ("JPY", 5), ("USD", 7)]);
        assert_eq!(
            head(&many, 6),
            [
                "payments                4",
                "                           1,234.56 CNY",
                "                               0.01 EUR",
                "                                  5 JPY",
                "                               0.07 USD",
                "credited                4",
            ]
        );
        let last = head(&many, 99).pop().unwrap();
        assert_eq!(last, "overdue                 0");
    }
}
